//! Cohorts: lists of identities kept elsewhere, and the segments that target them.
//!
//! Who is in a cohort has its mark: a trait of its own that is true. The segment asks for the mark, and is managed: people
//! use it, but do not edit it.

use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_model::segments::{Operator, RuleType};
use burgee_store::{Tx, cohorts, identity_admin, segments as segment_rows};
use serde_json::json;
use uuid::Uuid;

pub use burgee_store::cohorts::Cohort;

use crate::change::{Action, Change, Kind};
use crate::feature_states::place_by_key;
use crate::segment_rules::{self, ConditionEdit, RuleEdit};
use crate::{App, Caller, Error, Place, Result, segments};

/// What a segment says of who manages it.
pub(crate) const MANAGED: &str = "cohort";

/// The key of the trait that marks those in a cohort.
pub fn mark(uuid: &str) -> String {
    format!("cohort_{}", uuid.replace('-', ""))
}

fn missing() -> Error {
    Error::no_match("Cohort")
}

/// The cohorts of an environment.
pub async fn list(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Vec<Cohort>> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    Ok(cohorts::list(tx, place.environment.id).await?)
}

/// One cohort.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<Cohort> {
    let found = list(tx, caller, key).await?;
    found
        .into_iter()
        .find(|cohort| cohort.id == id)
        .ok_or_else(missing)
}

/// The environment, for somebody who may manage its overrides and the project's segments.
async fn managed(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Place> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ManageSegmentOverrides).await?;
    caller
        .require_in_project(tx, &place.project, ProjectPermission::ManageSegments)
        .await?;
    Ok(place)
}

/// Creates a cohort with the segment that targets it.
pub async fn create(
    app: &App,
    caller: &Caller,
    key: &str,
    name: String,
    description: Option<String>,
) -> Result<Cohort> {
    let mut tx = app.begin().await?;
    let place = managed(&mut tx, caller, key).await?;
    let uuid = Uuid::new_v4().to_string();
    let mut segment = segments::blank(place.project.id);
    let has_mark = ConditionEdit {
        id: None,
        operator: Operator::Equal,
        property: Some(mark(&uuid)),
        value: "true".to_owned(),
        description: None,
        delete: false,
    };
    let rule = RuleEdit {
        id: None,
        kind: RuleType::All,
        rules: Vec::new(),
        conditions: vec![has_mark],
        delete: false,
    };
    let rules = segment_rules::number(&mut tx, &[rule], &[]).await?;
    segment.rules = serde_json::to_string(&rules).unwrap_or_default();
    segment.name = name;
    segment.description = description;
    MANAGED.clone_into(&mut segment.managed_by);
    segments::insert(&mut tx, &place.project, &mut segment).await?;
    let mut cohort = Cohort {
        id: 0,
        uuid,
        environment_id: place.environment.id,
        segment_id: segment.id,
        name: segment.name.clone(),
        description: segment.description.clone(),
        source_type: "csv".to_owned(),
        version: 1,
        created_at: Timestamp::now().0,
        deletion_requested_at: None,
    };
    cohort.id = cohorts::insert(&mut tx, &cohort).await?;
    let made = segments::created(&mut tx, caller, &place.project, &segment).await?;
    let change = Change::new(caller, Kind::Cohort, Action::Create, cohort.id)
        .in_environment(&place)
        .uuid(&cohort.uuid)
        .after(json!({ "name": cohort.name, "segment": segment.id }));
    app.commit(tx, vec![made, change.into()]).await?;
    Ok(cohort)
}

/// Asks for a cohort to go. First identities lose its mark, then it goes with its segment.
pub async fn delete(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = managed(&mut tx, caller, key).await?;
    let found = cohorts::list(&mut tx, place.environment.id).await?;
    let cohort = found
        .into_iter()
        .find(|cohort| cohort.id == id)
        .ok_or_else(missing)?;
    cohorts::request_deletion(&mut tx, id, Timestamp::now().0).await?;
    let change = Change::new(caller, Kind::Cohort, Action::Update, id)
        .in_environment(&place)
        .uuid(&cohort.uuid)
        .after(json!({ "deletion_requested": true }));
    app.commit(tx, vec![change.into()]).await?;
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = drain(&app).await {
            tracing::warn!(%error, "a cohort is not gone yet; it will be tried again");
        }
    });
    Ok(())
}

/// Takes the marks of cohorts that are to go, and them with their segments.
pub async fn drain(app: &App) -> Result<()> {
    let mut tx = app.db().read().await?;
    let leaving = cohorts::leaving(&mut tx).await?;
    drop(tx);
    for cohort in leaving {
        let mut tx = app.begin().await?;
        let Some(place) = Place::by_id(&mut tx, cohort.environment_id).await? else {
            continue;
        };
        let Some(segment) = segment_rows::find(&mut tx, cohort.segment_id).await? else {
            continue;
        };
        identity_admin::delete_trait_everywhere(&mut tx, cohort.environment_id, &mark(&cohort.uuid)).await?;
        segment_rows::delete(&mut tx, segment.id).await?;
        let changes = vec![
            // Of the identities of this environment, whichever had the mark.
            Change::by_nobody(Kind::Identity, Action::Update, 0)
                .in_environment(&place)
                .before(json!({ "trait": mark(&cohort.uuid) }))
                .into(),
            Change::by_nobody(Kind::Cohort, Action::Delete, cohort.id)
                .in_environment(&place)
                .uuid(&cohort.uuid)
                .before(json!({ "name": cohort.name }))
                .into(),
            Change::by_nobody(Kind::Segment, Action::Delete, segment.id)
                .in_project(&place.project)
                .uuid(&segment.uuid)
                .says(format!("Segment deleted: {}", segment.name))
                .serves()
                .into(),
        ];
        app.commit(tx, changes).await?;
    }
    Ok(())
}

//! Cohorts: lists of identities kept elsewhere, and the segments that target them.
//!
//! A cohort's segment is a list segment that is managed: people use it, but do not edit it. Who is in it, other programs
//! say, with a key of the cohort's environment or one of the organisation.

use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_store::list_segments::{self as list_rows, ListSegment};
use burgee_store::{Tx, cohorts, segments as segment_rows};
use serde_json::json;
use uuid::Uuid;

use crate::change::{Action, Change, Kind};
use crate::feature_states::place_by_key;
use crate::list_segments::members::{self, Choice, Counts, ListEdit};
use crate::list_segments::replace::{self, Mode, Uploaded};
use crate::list_segments::upload::Upload;
use crate::list_segments::{self, NewListSegment};
use crate::pii::{Entrance, Guard};
use crate::{App, Author, Caller, Error, Place, Result};

/// What a segment says of who manages it.
pub(crate) const MANAGED: &str = "cohort";
/// What server-side keys of environments begin with.
const SERVER_KEY: &str = "ser.";

/// A cohort with its segment's name and description.
#[derive(Debug, Clone)]
pub struct Cohort {
    pub cohort: cohorts::Cohort,
    /// Grows with every change of who is in it.
    pub version: i64,
}

fn missing() -> Error {
    Error::no_match("Cohort")
}

async fn described(tx: &mut Tx, cohort: cohorts::Cohort) -> Result<Cohort> {
    let lists = list_rows::lists_of_segment(tx, cohort.segment_id, cohort.environment_id).await?;
    let changes: i64 = lists.iter().map(|list| list.version).sum();
    Ok(Cohort {
        version: cohort.version + changes,
        cohort,
    })
}

/// The cohorts of an environment.
pub async fn list(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Vec<Cohort>> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let mut found = Vec::new();
    for cohort in cohorts::list(tx, place.environment.id).await? {
        found.push(described(tx, cohort).await?);
    }
    Ok(found)
}

/// One cohort.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<Cohort> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let cohort = find(tx, &place, id).await?;
    described(tx, cohort).await
}

async fn find(tx: &mut Tx, place: &Place, id: i64) -> Result<cohorts::Cohort> {
    let found = cohorts::list(tx, place.environment.id).await?;
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
    let new = NewListSegment {
        name,
        description,
        unbounded: true,
        ..NewListSegment::default()
    };
    let (segment, made) = list_segments::insert(&mut tx, caller, &place.project, new, MANAGED).await?;
    let mut cohort = cohorts::Cohort {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        environment_id: place.environment.id,
        segment_id: segment.segment_id,
        name: segment.name,
        description: segment.description,
        source_type: "csv".to_owned(),
        version: 1,
        created_at: Timestamp::now().0,
        deletion_requested_at: None,
    };
    cohort.id = cohorts::insert(&mut tx, &cohort).await?;
    let change = Change::new(caller, Kind::Cohort, Action::Create, cohort.id)
        .in_environment(&place)
        .uuid(&cohort.uuid)
        .after(json!({ "name": cohort.name, "segment": cohort.segment_id }));
    app.commit(tx, vec![made, change.into()]).await?;
    Ok(Cohort {
        version: cohort.version,
        cohort,
    })
}

/// Deletes a cohort with its segment and its members.
pub async fn delete(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = managed(&mut tx, caller, key).await?;
    let cohort = find(&mut tx, &place, id).await?;
    let segment = segment_rows::find_in(&mut tx, place.project.id, cohort.segment_id)
        .await?
        .ok_or_else(missing)?;
    let gone = Change::new(caller, Kind::Cohort, Action::Delete, cohort.id)
        .in_environment(&place)
        .uuid(&cohort.uuid)
        .before(json!({ "name": cohort.name }));
    let with_it = crate::segments::remove(&mut tx, caller, &place.project, &segment).await?;
    app.commit(tx, vec![gone.into(), with_it]).await
}

/// Who says who is in a cohort.
enum Source {
    Caller(Box<Caller>),
    /// A server-side key of the cohort's environment.
    Environment,
}

impl Source {
    fn author(&self) -> Author<'_> {
        match self {
            Self::Caller(caller) => caller.as_ref().into(),
            Self::Environment => Author::default(),
        }
    }
}

const NO_KEY: Error = Error::Unauthenticated("Invalid token.");

/// Puts identities in a cohort, or takes them out: what another program says, signed with a server-side key of the
/// cohort's environment or with an organisation's key.
pub async fn sync(
    app: &App,
    key: &str,
    uuid: &str,
    identifiers: Vec<String>,
    present: bool,
) -> Result<Counts> {
    let known = if key.starts_with(SERVER_KEY) {
        let (served, is_server) = app.environments().find(key).ok_or(NO_KEY)?;
        let environment = served.snapshot().environment_id;
        (Source::Environment, Some(environment).filter(|_| is_server))
    } else {
        (
            Source::Caller(Box::new(Caller::from_api_key(app, key).await?)),
            None,
        )
    };
    members::check("identifiers", &identifiers)?;
    let mut tx = app.begin().await?;
    let cohort = cohorts::find_by_uuid(&mut tx, uuid).await?.ok_or_else(missing)?;
    let place = Place::by_id(&mut tx, cohort.environment_id)
        .await?
        .ok_or_else(missing)?;
    match &known {
        (Source::Caller(caller), _) => {
            let access = caller
                .environment_access(&mut tx, &place.project, &place.environment)
                .await?;
            // A cohort of another organisation is as good as none.
            if !access.allows(EnvironmentPermission::ManageSegmentOverrides.key()) {
                return Err(missing());
            }
        }
        (Source::Environment, Some(environment)) if *environment == cohort.environment_id => {}
        (Source::Environment, _) => return Err(missing()),
    }
    let segment = list_segment(&mut tx, &cohort).await?;
    let members = identifiers.into_iter().map(|identifier| (identifier, present));
    let edit = ListEdit {
        entrance: Some(Entrance::Cohorts),
        choice: Choice::included(),
        members: members.collect(),
    };
    let (counts, change) = members::write(app, &mut tx, known.0.author(), &place, &segment, &[edit]).await?;
    if let Some(change) = change {
        app.commit(tx, vec![change]).await?;
    }
    Ok(counts)
}

async fn list_segment(tx: &mut Tx, cohort: &cohorts::Cohort) -> Result<ListSegment> {
    let found = list_rows::of_segment(tx, cohort.segment_id).await?;
    found.ok_or_else(|| Error::Internal("a cohort's segment has no list".to_owned()))
}

/// Fails unless the caller may fill this cohort: asked before a file is taken. Gives what looks through the file, if
/// anything does.
pub async fn require_upload(app: &App, caller: &Caller, key: &str, id: i64) -> Result<Option<Guard>> {
    let mut tx = app.db().read().await?;
    let place = managed(&mut tx, caller, key).await?;
    find(&mut tx, &place, id).await?;
    Ok(app.environments().guards().of(&place.project))
}

/// Makes the identities of a file the cohort.
pub async fn upload(app: &App, caller: &Caller, key: &str, id: i64, file: Upload) -> Result<Uploaded> {
    let mut tx = app.db().read().await?;
    let place = managed(&mut tx, caller, key).await?;
    let cohort = find(&mut tx, &place, id).await?;
    let segment = list_segment(&mut tx, &cohort).await?;
    drop(tx);
    let mut done = replace::take(
        app,
        caller,
        &place,
        &segment,
        &Choice::included(),
        Mode::Replace,
        file,
    )
    .await?;
    done.version += cohort.version;
    Ok(done)
}

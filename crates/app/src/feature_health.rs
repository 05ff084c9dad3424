//! Feature health: monitoring reports that a feature fares badly, and when it is well again.

use burgee_auth::tokens::{constant_time_eq, derive_key, keyed_hash};
use burgee_model::Timestamp;
use burgee_model::permissions::ProjectPermission;
use burgee_store::changes::NewChange;
use burgee_store::features::Feature;
use burgee_store::projects::{self, Project};
use burgee_store::{Tx, environments, feature_health, features};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::feature_health::{HealthEvent, HealthProvider};

use crate::change::{Action, Change, Kind};
use crate::features::project_for;
use crate::system_tags::{self, SystemTag};
use crate::{App, Caller, Error, Result};

const UNHEALTHY: &str = "UNHEALTHY";
const HEALTHY: &str = "HEALTHY";

/// A report, as a provider's own format was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub feature: String,
    pub environment: Option<String>,
    pub healthy: bool,
    /// `{"text_blocks": […], "url_blocks": […]}`
    pub reason: Option<Value>,
    pub external_id: Option<String>,
}

impl App {
    /// The address that a provider reports to. Only who knows the installation's secret can make one up.
    pub fn health_address(&self, provider: &HealthProvider) -> String {
        format!(
            "{}/api/v1/feature-health/{}",
            self.settings().public_url,
            self.health_path(&provider.uuid)
        )
    }

    fn health_path(&self, uuid: &str) -> String {
        let key = derive_key(&self.settings().secret, "feature health");
        format!("{uuid}.{}", keyed_hash(&key, uuid))
    }
}

/// The providers of a project.
pub async fn providers(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<HealthProvider>> {
    crate::projects::get(tx, caller, project_id).await?;
    Ok(feature_health::providers(tx, project_id).await?)
}

/// A project, for its administrator.
async fn administered(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Project> {
    let project = projects::find(tx, project_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    caller.require_project_admin(tx, &project).await?;
    Ok(project)
}

/// Sets up a provider; a project has one of each name. One that is there already is answered as it is.
pub async fn create_provider(
    app: &App,
    caller: &Caller,
    project_id: i64,
    name: &'static str,
) -> Result<HealthProvider> {
    let mut tx = app.begin().await?;
    let project = administered(&mut tx, caller, project_id).await?;
    let present = feature_health::providers(&mut tx, project_id).await?;
    if let Some(provider) = present.into_iter().find(|provider| provider.name == name) {
        return Ok(provider);
    }
    let uuid = Uuid::new_v4().to_string();
    let id = feature_health::insert_provider(&mut tx, &uuid, project_id, name, caller.user_id()).await?;
    let change = Change::new(caller, Kind::FeatureHealth, Action::Create, id)
        .in_project(&project)
        .uuid(&uuid)
        .says(format!(
            "Health provider {name} set up for project {}.",
            project.name
        ))
        .after(json!({ "name": name }));
    let provider = feature_health::provider_by_uuid(&mut tx, &uuid).await?;
    app.commit(tx, vec![change.into()]).await?;
    provider.ok_or_else(Error::not_found)
}

/// Removes a provider: its address is good for nothing from then on.
pub async fn delete_provider(app: &App, caller: &Caller, project_id: i64, name: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let project = administered(&mut tx, caller, project_id).await?;
    let present = feature_health::providers(&mut tx, project_id).await?;
    let provider = present
        .into_iter()
        .find(|provider| provider.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| Error::no_match("FeatureHealthProvider"))?;
    feature_health::delete_provider(&mut tx, provider.id).await?;
    let change = Change::new(caller, Kind::FeatureHealth, Action::Delete, provider.id)
        .in_project(&project)
        .uuid(&provider.uuid)
        .says(format!(
            "Health provider {} removed for project {}.",
            provider.name, project.name
        ))
        .before(json!({ "name": provider.name }));
    app.commit(tx, vec![change.into()]).await
}

/// The last report about each matter of a project, newest first.
pub async fn events(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<HealthEvent>> {
    crate::projects::get(tx, caller, project_id).await?;
    Ok(feature_health::latest(tx, project_id).await?)
}

/// The provider whose address has this path.
pub async fn provider_at(app: &App, path: &str) -> Result<HealthProvider> {
    let unknown = || Error::no_match("FeatureHealthProvider");
    let (uuid, _) = path.split_once('.').ok_or_else(unknown)?;
    if !constant_time_eq(&app.health_path(uuid), path) {
        return Err(unknown());
    }
    let mut tx = app.db().read().await?;
    let provider = feature_health::provider_by_uuid(&mut tx, uuid).await?;
    provider.ok_or_else(unknown)
}

/// Takes what a provider reports. One report about a feature that is not there is refused; among several, as monitoring
/// sends them in one message, it is passed over.
pub async fn report(app: &App, provider: &HealthProvider, reports: Vec<Report>) -> Result<()> {
    let mut tx = app.begin().await?;
    let project = projects::find(&mut tx, provider.project_id)
        .await?
        .ok_or_else(|| Error::no_match("FeatureHealthProvider"))?;
    let alone = reports.len() == 1;
    let mut changes = Vec::new();
    for report in reports {
        match take(&mut tx, &project, provider, report).await {
            Ok(made) => changes.extend(made),
            Err(error @ Error::Invalid(_)) if !alone => {
                tracing::info!(project.id = project.id, %error, "a report of health was passed over");
            }
            Err(error) => return Err(error),
        }
    }
    app.commit(tx, changes).await
}

async fn take(
    tx: &mut Tx,
    project: &Project,
    provider: &HealthProvider,
    report: Report,
) -> Result<Vec<NewChange>> {
    let feature = features::find_by_name(tx, project.id, &report.feature.to_lowercase()).await?;
    let feature = feature.ok_or_else(|| {
        Error::field(
            "feature",
            format!("The project has no feature \"{}\".", report.feature),
        )
    })?;
    let environment = match &report.environment {
        None => None,
        Some(name) => {
            let known = environments::list(tx, project.id).await?;
            let found = known.into_iter().find(|environment| environment.name == *name);
            let unknown = || {
                Error::field(
                    "environment",
                    format!("The project has no environment \"{name}\"."),
                )
            };
            Some(found.ok_or_else(unknown)?)
        }
    };
    let event = HealthEvent {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id: feature.id,
        environment_id: environment.as_ref().map(|environment| environment.id),
        r#type: if report.healthy { HEALTHY } else { UNHEALTHY }.to_owned(),
        provider_name: Some(provider.name.clone()),
        reason: report.reason.map(|reason| reason.to_string()),
        external_id: report.external_id,
        created_at: Timestamp::now().0,
    };
    let (event, change) = store(tx, project, &feature, event, None).await?;
    let change = match environment {
        Some(environment) => {
            let text = format!(
                "Health status changed to {} for feature {} in environment {}.",
                event.r#type, feature.name, environment.name
            );
            NewChange {
                environment_id: Some(environment.id),
                ..change.says(text).into()
            }
        }
        None => change.into(),
    };
    let mut changes = vec![change];
    changes.extend(follow(tx, project, &feature).await?);
    Ok(changes)
}

/// Writes a report; gives it and its line for the log.
async fn store(
    tx: &mut Tx,
    project: &Project,
    feature: &Feature,
    mut event: HealthEvent,
    caller: Option<&Caller>,
) -> Result<(HealthEvent, Change)> {
    event.id = feature_health::insert(tx, &event).await?;
    let change = match caller {
        Some(caller) => Change::new(caller, Kind::FeatureHealth, Action::Create, event.id),
        None => Change::by_nobody(Kind::FeatureHealth, Action::Create, event.id),
    };
    let change = change
        .in_project(project)
        .uuid(&event.uuid)
        .says(format!(
            "Health status changed to {} for feature {}.",
            event.r#type, feature.name
        ))
        .after(json!({ "feature": feature.id, "type": event.r#type, "provider_name": event.provider_name }));
    Ok((event, change))
}

/// A feature has the tag as long as something about it is reported to be amiss.
async fn follow(tx: &mut Tx, project: &Project, feature: &Feature) -> Result<Vec<NewChange>> {
    let unhealthy = feature_health::latest(tx, project.id)
        .await?
        .iter()
        .any(|event| event.feature_id == feature.id && event.r#type == UNHEALTHY);
    let features = if unhealthy { vec![feature.id] } else { Vec::new() };
    system_tags::set(tx, project, SystemTag::Unhealthy, &[feature.id], &features).await
}

/// Somebody has seen to it: the matter counts as well again.
pub async fn dismiss(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<HealthEvent> {
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::CreateFeature).await?;
    let missing = || Error::no_match("FeatureHealthEvent");
    let event = feature_health::find(&mut tx, id).await?.ok_or_else(missing)?;
    let feature = features::find(&mut tx, event.feature_id).await?;
    let feature = feature
        .filter(|feature| feature.project_id == project_id)
        .ok_or_else(missing)?;
    let by = match caller {
        Caller::User(user) => user.email.clone(),
        Caller::ApiKey(key) => key.name.clone(),
    };
    let reason = json!({
        "text_blocks": [{ "title": "Dismissed", "text": format!("Dismissed by {by}.") }],
        "url_blocks": [],
    });
    let healthy = HealthEvent {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        r#type: HEALTHY.to_owned(),
        reason: Some(reason.to_string()),
        created_at: Timestamp::now().0,
        ..event
    };
    let (healthy, change) = store(&mut tx, &project, &feature, healthy, Some(caller)).await?;
    let mut changes = vec![change.into()];
    changes.extend(follow(&mut tx, &project, &feature).await?);
    app.commit(tx, changes).await?;
    Ok(healthy)
}

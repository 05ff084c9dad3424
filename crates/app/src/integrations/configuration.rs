//! What is set of integrations: the same acts for all of them.

use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_store::changes::NewChange;
use burgee_store::integrations::{self as rows, At, Integration as Row};
use burgee_store::projects::Project;
use burgee_store::{Tx, projects};
use serde_json::{Map, Value, json};

use super::{Below, Config, Field, FieldKind, Integration, Mount, Scope, gitlab, slack};
use crate::change::{Action, Change, Kind};
use crate::feature_states::place_by_key;
use crate::webhooks::check_reach;
use crate::{App, Caller, Error, Place, Result, trackers};

/// What stands in the place of a secret. Given back, it changes nothing.
pub const MASK: &str = "********";

/// What a path has before `integrations/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    Organisation(i64),
    Project(i64),
    Environment(&'a str),
}

/// An integration that is set up, as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: i64,
    pub environment_id: Option<i64>,
    /// In the order of the fields; secrets are masked.
    pub values: Map<String, Value>,
}

/// Where an integration belongs, for somebody who may read or change it.
pub(super) enum Home {
    Organisation(i64),
    Project(Box<Project>),
    Environment(Box<Place>),
}

impl Home {
    pub(super) async fn of(
        tx: &mut Tx,
        caller: &Caller,
        mount: &Mount,
        owner: Owner<'_>,
        changes: bool,
    ) -> Result<Self> {
        match (owner, mount.scope) {
            (Owner::Organisation(id), _) => {
                caller.require_organisation_admin(tx, id).await?;
                Ok(Self::Organisation(id))
            }
            (Owner::Project(id), _) => {
                let project = projects::find(tx, id).await?.ok_or_else(Error::forbidden)?;
                Self::project(tx, caller, project, changes).await
            }
            (Owner::Environment(key), Scope::Project) => {
                let place = Place::by_key(tx, key).await?.ok_or_else(Error::forbidden)?;
                Self::project(tx, caller, place.project, changes).await
            }
            (Owner::Environment(key), _) => {
                let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
                if changes {
                    caller.require_environment_admin(tx, &place).await?;
                }
                Ok(Self::Environment(Box::new(place)))
            }
        }
    }

    async fn project(tx: &mut Tx, caller: &Caller, project: Project, changes: bool) -> Result<Self> {
        let permission = ProjectPermission::ViewProject;
        caller.require_in_project(tx, &project, permission).await?;
        if changes {
            caller.require_project_admin(tx, &project).await?;
        }
        Ok(Self::Project(Box::new(project)))
    }

    fn at(&self) -> At {
        match self {
            Self::Organisation(id) => (Some(*id), None, None),
            Self::Project(project) => (None, Some(project.id), None),
            Self::Environment(place) => (None, None, Some(place.environment.id)),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Organisation(_) => "organisation",
            Self::Project(_) => "project",
            Self::Environment(_) => "environment",
        }
    }

    fn line(&self, caller: &Caller, action: Action, id: i64) -> Change {
        let change = Change::new(caller, Kind::Integration, action, id);
        match self {
            Self::Organisation(id) => change.in_organisation(*id),
            Self::Project(project) => change.in_project(project),
            Self::Environment(place) => change.in_environment(place),
        }
    }
}

fn parse(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn secrets(app: &App, row: &Row) -> Map<String, Value> {
    if row.secrets.is_empty() {
        return Map::new();
    }
    app.sealer().open(&row.secrets).map_or_else(
        || {
            tracing::error!(
                integration = row.id,
                kind = row.kind,
                "the secrets of an integration can't be read: were they written under another secret key?"
            );
            Map::new()
        },
        |text| parse(&text),
    )
}

/// Everything that is set, secrets included, for sending.
pub(super) async fn config_of(
    tx: &mut Tx,
    app: &App,
    integration: &Integration,
    row: &Row,
) -> Result<Config> {
    let mut config = config(app, row);
    if integration.name == slack::SLACK.name {
        slack::complete(tx, app, row, &mut config).await?;
    }
    Ok(config)
}

/// The same for those that need nothing else.
pub(crate) fn config(app: &App, row: &Row) -> Config {
    let mut values = parse(&row.settings);
    values.extend(secrets(app, row));
    Config {
        values,
        slack_url: app.settings().slack.url.clone(),
    }
}

fn show(integration: &Integration, row: &Row) -> Shown {
    let settings = parse(&row.settings);
    let value = |field: &Field| match settings.get(field.name) {
        // Which secrets there are stands beside them, as their masks.
        Some(value) => value.clone(),
        None => unset(field),
    };
    Shown {
        id: row.id,
        environment_id: row.environment_id,
        values: integration
            .fields
            .iter()
            .map(|field| (field.name.to_owned(), value(field)))
            .collect(),
    }
}

/// What a field holds that was never set.
fn unset(field: &Field) -> Value {
    match field.kind {
        FieldKind::Text { .. } => json!(""),
        FieldKind::Url | FieldKind::RequiredUrl => Value::Null,
        FieldKind::OneOf(words) => json!(words.first()),
        FieldKind::Bool(truth) => json!(truth),
    }
}

/// The integrations of a kind at a place: one or none.
pub async fn list(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
) -> Result<Vec<Shown>> {
    let mut tx = app.db().read().await?;
    let home = Home::of(&mut tx, caller, mount, owner, false).await?;
    let found = rows::list(&mut tx, integration.name, home.at()).await?;
    Ok(found.iter().map(|row| show(integration, row)).collect())
}

pub(super) async fn find(
    tx: &mut Tx,
    integration: &Integration,
    mount: &Mount,
    home: &Home,
    id: i64,
) -> Result<Row> {
    let found = rows::list(tx, integration.name, home.at()).await?;
    found
        .into_iter()
        .find(|row| row.id == id)
        .ok_or_else(|| Error::no_match(mount.schema))
}

/// One integration.
pub async fn get(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    id: i64,
) -> Result<Shown> {
    let mut tx = app.db().read().await?;
    let home = Home::of(&mut tx, caller, mount, owner, false).await?;
    let row = find(&mut tx, integration, mount, &home, id).await?;
    Ok(show(integration, &row))
}

/// Fails unless the caller may set integrations there: asked before an input is looked at.
pub async fn require(app: &App, caller: &Caller, mount: &Mount, owner: Owner<'_>) -> Result<()> {
    let mut tx = app.db().read().await?;
    Home::of(&mut tx, caller, mount, owner, true).await.map(drop)
}

/// The same for one that is there.
pub async fn require_one(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    id: i64,
) -> Result<()> {
    let mut tx = app.db().read().await?;
    let home = Home::of(&mut tx, caller, mount, owner, true).await?;
    find(&mut tx, integration, mount, &home, id).await.map(drop)
}

/// Sets up an integration.
pub async fn create(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    given: Map<String, Value>,
) -> Result<Shown> {
    check_addresses(app, integration, &given).await?;
    let mut tx = app.begin().await?;
    let home = Home::of(&mut tx, caller, mount, owner, true).await?;
    if !rows::list(&mut tx, integration.name, home.at()).await?.is_empty() {
        let text = format!("This integration already exists for this {}.", home.word());
        return Err(Error::Rejected(json!([text])));
    }
    if integration.name == slack::SLACK.name {
        slack::require_workspace(&mut tx, home_project(&home)).await?;
    }
    let now = Timestamp::now().0;
    let (organisation_id, project_id, environment_id) = home.at();
    let mut row = Row {
        id: 0,
        kind: integration.name.to_owned(),
        organisation_id,
        project_id,
        environment_id,
        settings: String::new(),
        secrets: String::new(),
        created_at: now,
        updated_at: now,
    };
    apply(app, integration, &mut row, given);
    row.id = rows::insert(&mut tx, &row).await?;
    let change = home
        .line(caller, Action::Create, row.id)
        .after(logged(integration, &row));
    let mut changes = vec![change.into()];
    changes.extend(tags(&mut tx, integration, &row).await?);
    app.commit(tx, changes).await?;
    super::identities::refresh(app).await?;
    Ok(show(integration, &row))
}

/// The log's lines for the tags of features, where they rest on the integration.
async fn tags(tx: &mut Tx, integration: &Integration, row: &Row) -> Result<Vec<NewChange>> {
    match row.project_id {
        Some(id) if integration.name == gitlab::GITLAB.name => trackers::tags::follow_all(tx, id).await,
        _ => Ok(Vec::new()),
    }
}

fn home_project(home: &Home) -> Option<i64> {
    match home {
        Home::Environment(place) => Some(place.project.id),
        Home::Project(project) => Some(project.id),
        Home::Organisation(_) => None,
    }
}

/// Changes an integration. What is not given stays.
pub async fn update(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    id: i64,
    given: Map<String, Value>,
) -> Result<Shown> {
    check_addresses(app, integration, &given).await?;
    let mut tx = app.begin().await?;
    let home = Home::of(&mut tx, caller, mount, owner, true).await?;
    let before = find(&mut tx, integration, mount, &home, id).await?;
    let mut row = before.clone();
    apply(app, integration, &mut row, given);
    row.updated_at = Timestamp::now().0;
    let address = "gitlab_instance_url";
    if integration.name == gitlab::GITLAB.name
        && config(app, &row).text(address) != config(app, &before).text(address)
    {
        trackers::gitlab::forget_hooks(&mut tx, app, &before).await?;
    }
    rows::update(&mut tx, &row).await?;
    let change = home
        .line(caller, Action::Update, id)
        .before(logged(integration, &before))
        .after(logged(integration, &row));
    let mut changes = vec![change.into()];
    changes.extend(tags(&mut tx, integration, &row).await?);
    app.commit(tx, changes).await?;
    super::identities::refresh(app).await?;
    Ok(show(integration, &row))
}

/// Ends an integration.
pub async fn delete(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    id: i64,
) -> Result<()> {
    let mut tx = app.begin().await?;
    let home = Home::of(&mut tx, caller, mount, owner, true).await?;
    let row = find(&mut tx, integration, mount, &home, id).await?;
    if integration.name == gitlab::GITLAB.name {
        trackers::gitlab::forget_hooks(&mut tx, app, &row).await?;
    }
    rows::delete(&mut tx, id).await?;
    let change = home
        .line(caller, Action::Delete, id)
        .before(logged(integration, &row));
    let mut changes = vec![change.into()];
    changes.extend(tags(&mut tx, integration, &row).await?);
    app.commit(tx, changes).await?;
    super::identities::refresh(app).await
}

/// Refuses addresses that may not be called.
async fn check_addresses(app: &App, integration: &Integration, given: &Map<String, Value>) -> Result<()> {
    for field in integration.fields {
        let is_address = matches!(field.kind, FieldKind::Url | FieldKind::RequiredUrl);
        if let Some(address) = given
            .get(field.name)
            .and_then(Value::as_str)
            .filter(|_| is_address)
        {
            check_reach(app, field.name, Some(address)).await?;
        }
    }
    Ok(())
}

/// Puts what was given in its place: secrets are sealed, and masks stand for them among the rest.
fn apply(app: &App, integration: &Integration, row: &mut Row, given: Map<String, Value>) {
    let mut settings = parse(&row.settings);
    let mut hidden = secrets(app, row);
    put(integration, &mut settings, &mut hidden, given);
    row.settings = Value::Object(settings).to_string();
    row.secrets = if hidden.is_empty() {
        String::new()
    } else {
        app.sealer().seal(&Value::Object(hidden).to_string())
    };
}

/// What is kept of an integration with these values: the settings, and the secrets that are to be sealed (none: empty).
pub fn kept(integration: &Integration, given: Map<String, Value>) -> (String, String) {
    let (mut settings, mut hidden) = (Map::new(), Map::new());
    put(integration, &mut settings, &mut hidden, given);
    let secrets = if hidden.is_empty() {
        String::new()
    } else {
        Value::Object(hidden).to_string()
    };
    (Value::Object(settings).to_string(), secrets)
}

fn put(
    integration: &Integration,
    settings: &mut Map<String, Value>,
    hidden: &mut Map<String, Value>,
    given: Map<String, Value>,
) {
    for (name, value) in given {
        let is_secret = integration
            .fields
            .iter()
            .any(|field| field.secret && field.name == name);
        if !is_secret {
            settings.insert(name, value);
        } else if value == MASK {
            // It was given back as it was shown.
        } else {
            let mask = if value == "" { "" } else { MASK };
            settings.insert(name.clone(), json!(mask));
            hidden.insert(name, value);
        }
    }
}

/// What the log keeps: that there is a secret, never which.
fn logged(integration: &Integration, row: &Row) -> Value {
    let mut json = json!({ "name": integration.name });
    for (name, value) in show(integration, row).values {
        json[name] = value;
    }
    json
}

impl Below {
    /// How the owner in a path is called there.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Organisation => "organisation_id",
            Self::Project => "project_id",
            Self::Environment => "environment_key",
        }
    }
}

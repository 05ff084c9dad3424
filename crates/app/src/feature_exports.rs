//! Exporting the features of an environment, and importing them into another.
//!
//! A request writes down what is wanted; [`process`] does it right after, and the worker what was left undone.

use std::collections::HashMap;

use burgee_model::{FlagValue, Problems, Timestamp, limits};
use burgee_store::changes::NewChange;
use burgee_store::features::{Feature, MultivariateOption};
use burgee_store::{Tx, environments, feature_exports, feature_links, feature_states, features, projects};
use serde_json::json;
use uuid::Uuid;

pub use burgee_store::feature_exports::{FeatureExport, FeatureImport};

use crate::change::{Action, Change, Kind};
use crate::feature_documents::{self, Entry, Variant};
use crate::feature_options::{self, OptionEdit};
use crate::feature_states::{StateEdit, ValueEdit, Weight, details};
use crate::new_states::{self, Content};
use crate::{App, Author, Caller, Error, Place, Result, approvals};

const PROCESSING: &str = "PROCESSING";

/// An export with the name it is shown under.
#[derive(Debug, Clone)]
pub struct ExportDetails {
    pub export: FeatureExport,
    /// `Development | 2026-11-21 04:15 UTC`.
    pub name: String,
}

fn named(export: FeatureExport, environment: &str) -> ExportDetails {
    let at = Timestamp(export.created_at).rest();
    // `2026-11-21T04:15:56.075269Z`
    let (day, time) = (
        at.get(..10).unwrap_or_default(),
        at.get(11..16).unwrap_or_default(),
    );
    ExportDetails {
        name: format!("{environment} | {day} {time} UTC"),
        export,
    }
}

/// The environment, for somebody who administers it; for others it is as good as forbidden whether it exists.
async fn administered(tx: &mut Tx, caller: &Caller, environment_id: i64) -> Result<Place> {
    let place = Place::by_id(tx, environment_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    caller.require_environment_admin(tx, &place).await?;
    Ok(place)
}

/// Asks for an export of the features of an environment that have one of these tags; of all without tags.
pub async fn create(
    app: &App,
    caller: &Caller,
    environment_id: i64,
    tag_ids: &[i64],
) -> Result<ExportDetails> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, environment_id).await?;
    let mut export = FeatureExport {
        id: 0,
        environment_id,
        status: PROCESSING.to_owned(),
        tag_ids: json!(tag_ids).to_string(),
        created_at: Timestamp::now().0,
    };
    export.id = feature_exports::insert(&mut tx, &export).await?;
    let change = Change::new(caller, Kind::FeatureExport, Action::Create, export.id)
        .in_environment(&place)
        .after(json!({ "environment": environment_id, "tags": tag_ids }));
    app.commit(tx, vec![change.into()]).await?;
    process_soon(app);
    Ok(named(export, &place.environment.name))
}

/// The exports of a project from environments that the caller administers, newest first.
pub async fn list(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<ExportDetails>> {
    let visible = administered_environments(tx, caller, project_id).await?;
    let found = feature_exports::list(tx, project_id).await?.into_iter();
    let shown = found.filter_map(|export| {
        let environment = visible.get(&export.environment_id)?;
        Some(named(export, environment))
    });
    Ok(shown.collect())
}

/// The names of the environments of a project that the caller administers, by their ids.
async fn administered_environments(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
) -> Result<HashMap<i64, String>> {
    let project = crate::projects::get(tx, caller, project_id).await?;
    let mut found = HashMap::new();
    for environment in environments::list(tx, project_id).await? {
        if caller.environment_access(tx, &project, &environment).await?.admin {
            found.insert(environment.id, environment.name);
        }
    }
    Ok(found)
}

/// The document of a finished export.
pub async fn download(tx: &mut Tx, caller: &Caller, id: i64) -> Result<String> {
    let missing = || Error::no_match("FeatureExport");
    let export = feature_exports::find(tx, id).await?.ok_or_else(missing)?;
    administered(tx, caller, export.environment_id).await?;
    match feature_exports::document(tx, id).await? {
        Some(document) if export.status == "SUCCESS" => Ok(document),
        _ => {
            let text = format!("Unable to download export with status '{}'.", export.status);
            Err(Error::detail(&text))
        }
    }
}

/// Asks for an import of a document into an environment (and its features into the project).
pub async fn create_import(
    app: &App,
    caller: &Caller,
    environment_id: i64,
    strategy: &'static str,
    document: &str,
) -> Result<FeatureImport> {
    if document.len() > limits::FEATURE_IMPORT_BYTES {
        let text = "File is too large.";
        return Err(Error::field("file", text));
    }
    // Read here, so that what is wrong is told to who can mend it.
    feature_documents::read(document)?;
    let mut tx = app.begin().await?;
    let place = importable(&mut tx, caller, environment_id).await?;
    if strategy != "SKIP" {
        refuse_guarded(&mut tx, place.project.id).await?;
    }
    let mut import = FeatureImport {
        id: 0,
        environment_id,
        user_id: caller.user_id(),
        api_key_id: caller.api_key_id(),
        strategy: strategy.to_owned(),
        status: PROCESSING.to_owned(),
        created_at: Timestamp::now().0,
    };
    import.id = feature_exports::insert_import(&mut tx, &import, document).await?;
    let change = Change::new(caller, Kind::FeatureImport, Action::Create, import.id)
        .in_environment(&place)
        .after(json!({ "environment": environment_id, "strategy": strategy }));
    app.commit(tx, vec![change.into()]).await?;
    process_soon(app);
    Ok(import)
}

/// Fails unless the caller may import into the environment: asked before an input is looked at.
pub async fn require_import(app: &App, caller: &Caller, environment_id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    importable(&mut tx, caller, environment_id).await.map(drop)
}

async fn importable(tx: &mut Tx, caller: &Caller, environment_id: i64) -> Result<Place> {
    let place = Place::by_id(tx, environment_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    let organisation = place.project.organisation_id;
    caller.require_organisation_admin(tx, organisation).await?;
    Ok(place)
}

/// Overwriting takes features away in every environment, which must not go past those who have to approve.
async fn refuse_guarded(tx: &mut Tx, project_id: i64) -> Result<()> {
    approvals::refuse_overwriting(tx, project_id, approvals::IMPORT, |_| true).await
}

/// The imports into environments of a project that the caller administers, newest first.
pub async fn list_imports(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<FeatureImport>> {
    let visible = administered_environments(tx, caller, project_id).await?;
    let mut found = feature_exports::imports(tx, project_id).await?;
    found.retain(|import| visible.contains_key(&import.environment_id));
    Ok(found)
}

/// Does what waits, without keeping the caller waiting. What a process that ends leaves undone, the worker finds.
fn process_soon(app: &App) {
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = process(&app).await {
            tracing::warn!(%error, "an export or import is not done yet; it will be tried again");
        }
    });
}

/// That the document of an export is there, or can't be: nothing has changed by it.
const WORKED_OFF: &[&str] = &["feature_exports"];

/// Does the exports and imports that wait. Each is one transaction; a second node finds it done.
pub async fn process(app: &App) -> Result<()> {
    let mut tx = app.db().read().await?;
    let (exports, imports) = (
        feature_exports::waiting(&mut tx).await?,
        feature_exports::waiting_imports(&mut tx).await?,
    );
    drop(tx);
    // A fault of ours with one of them must not hold up the others.
    let mut failure = None;
    for export in exports {
        if let Err(error) = finish_export(app, &export).await {
            failure = Some(put_aside(error, "export", export.id)?);
            let mut tx = app.begin().await?;
            feature_exports::finish(&mut tx, export.id, "FAILED", None).await?;
            app.commit_except(tx, Vec::new(), WORKED_OFF).await?;
        }
    }
    for import in imports {
        if let Err(error) = finish_import(app, &import).await {
            failure = Some(put_aside(error, "import", import.id)?);
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Notes what one of them failed of; without a database the others can't go on either.
fn put_aside(error: Error, what: &str, id: i64) -> Result<Error> {
    if let Error::Unavailable(_) = error {
        return Err(error);
    }
    tracing::error!(%error, id, "an {what} of features could not be done");
    Ok(error)
}

async fn finish_export(app: &App, export: &FeatureExport) -> Result<()> {
    let mut tx = app.begin().await?;
    let Some(place) = Place::by_id(&mut tx, export.environment_id).await? else {
        return Ok(());
    };
    let tags: Vec<i64> = serde_json::from_str(&export.tag_ids).unwrap_or_default();
    let document = feature_documents::write(&entries(&mut tx, &place, &tags).await?)?;
    feature_exports::finish(&mut tx, export.id, "SUCCESS", Some(&document)).await?;
    app.commit_except(tx, Vec::new(), WORKED_OFF).await
}

/// The features of an environment with one of these tags, as a document has them.
async fn entries(tx: &mut Tx, place: &Place, tags: &[i64]) -> Result<Vec<Entry>> {
    let project = place.project.id;
    let tagged: Vec<i64> = feature_links::tags(tx, project, None)
        .await?
        .into_iter()
        .filter(|link| tags.contains(&link.tag_id))
        .map(|link| link.feature_id)
        .collect();
    let states = feature_states::of_environment(tx, place.environment.id).await?;
    let defaults = states
        .into_iter()
        .filter(|state| state.feature_segment_id.is_none() && state.identity_id.is_none());
    let mut by_feature: HashMap<i64, _> = details(tx, defaults.collect())
        .await?
        .into_iter()
        .map(|details| (details.state.feature_id, details))
        .collect();
    let options = features::options_of_project(tx, project).await?;
    let mut entries = Vec::new();
    for feature in features::list(tx, project).await? {
        if !tags.is_empty() && !tagged.contains(&feature.id) {
            continue;
        }
        let Some(details) = by_feature.remove(&feature.id) else {
            continue;
        };
        let share = |option: &MultivariateOption| {
            let row = details.options.iter().find(|row| row.option_id == option.id);
            row.map_or(0.0, |row| row.percentage_allocation)
        };
        let variants = options.iter().filter(|option| option.feature_id == feature.id);
        let multivariate = variants.map(|option| Variant {
            percentage_allocation: share(option),
            default_percentage_allocation: option.default_percentage_allocation,
            value: option.value().to_json(),
            kind: Some(feature_documents::kind_of(&option.value()).to_owned()),
            key: option.key.clone(),
        });
        let value = details.state.value();
        entries.push(Entry {
            multivariate: multivariate.collect(),
            name: feature.name,
            default_enabled: feature.default_enabled,
            is_server_key_only: feature.is_server_key_only,
            initial_value: feature.initial_value.map(Into::into),
            kind: Some(feature_documents::kind_of(&value).to_owned()),
            value: value.to_json(),
            enabled: details.state.enabled,
        });
    }
    Ok(entries)
}

async fn finish_import(app: &App, import: &FeatureImport) -> Result<()> {
    let refused = match import_all(app, import).await {
        Ok(()) => return Ok(()),
        // Trying again may help.
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(error),
        Err(error) => error,
    };
    tracing::warn!(import = import.id, error = %refused, "an import was refused");
    let mut tx = app.begin().await?;
    feature_exports::finish_import(&mut tx, import.id, "FAILED").await?;
    let mut changes = Vec::new();
    if let Some(place) = Place::by_id(&mut tx, import.environment_id).await? {
        let change = Change::by_nobody(Kind::FeatureImport, Action::Update, import.id)
            .in_environment(&place)
            .after(json!({ "status": "FAILED" }));
        changes.push(signed(import, change));
    }
    app.commit(tx, changes).await
}

/// Carries out an import in one transaction: all of it, or nothing.
async fn import_all(app: &App, import: &FeatureImport) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let Some(document) = feature_exports::import_document(&mut tx, import.id).await? else {
        return Ok(());
    };
    let Some(place) = Place::by_id(&mut tx, import.environment_id).await? else {
        return Ok(());
    };
    if import.strategy != "SKIP" {
        refuse_guarded(&mut tx, place.project.id).await?;
    }
    let mut act = Import {
        asked: import,
        place: &place,
        changes: Vec::new(),
    };
    let (mut created, mut skipped, mut replaced) = (Vec::new(), 0, 0);
    for entry in feature_documents::read(&document)? {
        let present =
            features::find_by_name(&mut tx, place.project.id, &entry.name.trim().to_lowercase()).await?;
        match present {
            Some(_) if import.strategy == "SKIP" => {
                skipped += 1;
                continue;
            }
            Some(present) => {
                let gone = crate::features::remove(&mut tx, act.author(), &place.project, &present).await?;
                act.changes.extend(gone);
                replaced += 1;
            }
            None => {}
        }
        act.create(&mut tx, &entry).await?;
        created.push(entry.name);
    }
    let count = projects::usage(&mut tx, place.project.id).await?.features;
    if place
        .project
        .max_features_allowed
        .is_some_and(|most| count > most)
    {
        let text = "The project would have more features than allowed.";
        return Err(Problems::field("project", text).into());
    }
    feature_exports::finish_import(&mut tx, import.id, "SUCCESS").await?;
    let summary = feature_documents::summary(&created, skipped, replaced);
    let mut changes = act.changes;
    changes.push(signed(
        import,
        Change::by_nobody(Kind::FeatureImport, Action::Update, import.id)
            .in_environment(&place)
            .after(summary),
    ));
    app.commit(tx, changes).await
}

/// The change, by who asked for the import.
fn signed(import: &FeatureImport, change: Change) -> NewChange {
    NewChange {
        user_id: import.user_id,
        api_key_id: import.api_key_id,
        ..change.into()
    }
}

/// An import under way.
struct Import<'a> {
    asked: &'a FeatureImport,
    place: &'a Place,
    changes: Vec<NewChange>,
}

impl Import<'_> {
    fn log(&mut self, change: Change) {
        self.changes.push(signed(self.asked, change));
    }

    fn author(&self) -> Author<'static> {
        Author {
            user_id: self.asked.user_id,
            api_key_id: self.asked.api_key_id,
            ..Author::default()
        }
    }

    /// A new feature with a state in every environment; in the one imported to as the document says.
    async fn create(&mut self, tx: &mut Tx, entry: &Entry) -> Result<()> {
        let project = &self.place.project;
        let mut feature = new_feature(project.id, entry);
        feature.id = features::insert(tx, &feature).await?;
        if let Some(user_id) = self.asked.user_id {
            feature_links::add_owner(tx, feature.id, user_id).await?;
        }
        let mut options = Vec::with_capacity(entry.multivariate.len());
        for variant in &entry.multivariate {
            let option = feature_options::insert(tx, feature.id, option_edit(variant)).await?;
            options.push(option);
        }
        let weights = options
            .iter()
            .zip(&entry.multivariate)
            .map(|(option, variant)| Weight {
                option_id: option.id,
                percentage: variant.percentage_allocation,
            });
        let edit = StateEdit {
            enabled: Some(entry.enabled),
            value: feature_documents::typed(&entry.value, entry.kind.as_deref()).map(ValueEdit::from),
            weights: Some(weights.collect()),
        };
        let content = Content {
            environment_id: self.place.environment.id,
            segment: None,
            edit,
            seed: None,
        };
        let made = (project, &feature, options.as_slice());
        let states = new_states::create(tx, self.author(), made, &[content]).await?;
        self.changes.extend(states);
        let change = Change::by_nobody(Kind::Feature, Action::Create, feature.id)
            .in_project(project)
            .uuid(&feature.uuid)
            .says(format!("New Flag / Remote Config created: {}", feature.name))
            .serves()
            .after(json!({ "name": feature.name, "initial_value": feature.initial_value }));
        self.log(change);
        Ok(())
    }
}

fn new_feature(project_id: i64, entry: &Entry) -> Feature {
    let name = entry.name.trim().to_owned();
    let kind = if entry.multivariate.is_empty() {
        "STANDARD"
    } else {
        "MULTIVARIATE"
    };
    Feature {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        project_id,
        name_key: name.to_lowercase(),
        name,
        r#type: kind.to_owned(),
        default_enabled: entry.default_enabled,
        initial_value: feature_documents::initial_text(entry.initial_value.as_ref()),
        description: None,
        is_archived: false,
        is_server_key_only: entry.is_server_key_only,
        created_at: Timestamp::now().0,
    }
}

fn option_edit(variant: &Variant) -> OptionEdit {
    let value = feature_documents::typed(&variant.value, variant.kind.as_deref()).unwrap_or(FlagValue::Null);
    OptionEdit {
        default_percentage_allocation: Some(variant.default_percentage_allocation),
        key: Some(variant.key.clone()),
        ..value.into()
    }
}

//! Taking a project out of a file: into a new project, or into one that is there, by names.
//!
//! All of it happens in one transaction. What is there and not in the file stays. What could not be taken as it is in
//! the file is told.

mod environments;
mod features;
mod fields;
mod identities;
mod segments;
mod states;

use std::collections::HashMap;

use burgee_store::changes::NewChange;
use burgee_store::environments::Environment;
use burgee_store::features::Feature;
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::{Tx, projects, transfer};
use serde_json::{Value, json};

use crate::change::{Action, Change, Kind};
use crate::pii::Guards;
use crate::project_files::{ProjectPart, Reading, check, read};
use crate::settings::ProjectLimits;
use fields::KnownField;
pub(crate) use fields::of_organisation as fields_of_organisation;

use crate::{App, Author, Caller, Error, Result, approvals, pii, prerequisites};
use burgee_model::pii::{AllowList, Mode};

/// Where a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Into this project.
    Project(i64),
    /// Into the organisation's project of the same name; a new one where there is none.
    Organisation(i64),
}

/// How a file is imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Only tells what would happen.
    pub dry_run: bool,
    /// What the project is called instead.
    pub name: Option<String>,
}

/// Something that is not as it was in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotTaken {
    pub what: String,
    pub why: String,
}

/// What an import did, or with `dry_run` would have done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    pub project_id: i64,
    pub project_name: String,
    pub is_new: bool,
    /// How many of what is new: features, segments, …
    pub created: Vec<(&'static str, i64)>,
    /// How many of what was there already.
    pub updated: Vec<(&'static str, i64)>,
    pub not_taken: Vec<NotTaken>,
}

impl Imported {
    fn count(&mut self, noun: &'static str, is_new: bool) {
        let counts = if is_new {
            &mut self.created
        } else {
            &mut self.updated
        };
        match counts.iter_mut().find(|(name, _)| *name == noun) {
            Some((_, count)) => *count += 1,
            None => counts.push((noun, 1)),
        }
    }

    fn miss(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_taken.push(NotTaken {
            what: what.into(),
            why: why.into(),
        });
    }
}

/// Imports a project's file for a caller who may: an administrator of the project, or of the organisation.
pub async fn import(
    app: &App,
    caller: &Caller,
    target: Target,
    reading: Reading,
    options: &ImportOptions,
) -> Result<Imported> {
    let mut tx = app.begin_settled().await?;
    match target {
        Target::Project(id) => {
            let project = crate::projects::get(&mut tx, caller, id).await?;
            caller.require_project_admin(&mut tx, &project).await?;
        }
        Target::Organisation(id) => caller.require_organisation_admin(&mut tx, id).await?,
    }
    write(app, tx, caller.into(), target, reading, options).await
}

/// The same, for whoever has the database. Nobody's name is under the changes.
pub async fn import_as_operator(
    app: &App,
    target: Target,
    reading: Reading,
    options: &ImportOptions,
) -> Result<Imported> {
    let tx = app.begin_settled().await?;
    write(app, tx, Author::default(), target, reading, options).await
}

async fn write(
    app: &App,
    mut tx: Tx,
    author: Author<'_>,
    target: Target,
    mut reading: Reading,
    options: &ImportOptions,
) -> Result<Imported> {
    let raw = reading.document.project.take();
    let raw = raw.ok_or_else(|| Error::field("format", "This is not the file of a project."))?;
    let part: ProjectPart = read::parse(raw.get().as_bytes())?;
    let (mut imported, environments, mut changes) = write_project(
        &mut tx,
        author,
        target,
        part,
        (
            options,
            app.settings().project_limits,
            app.environments().guards().clone(),
        ),
    )
    .await?;
    let project = projects::find(&mut tx, imported.project_id).await?;
    let guard = project.and_then(|project| app.environments().guards().of(&project));
    let guard = guard.as_ref();
    let taken =
        identities::write_identities(&mut tx, &mut reading, &environments, guard, &mut imported).await?;
    if taken > 0
        && let Some(project) = projects::find(&mut tx, imported.project_id).await?
    {
        // It also tells the memory of identities that what it holds is old.
        let change = Change::new(author, Kind::Identity, Action::Update, 0)
            .in_project(&project)
            .says(format!("Identities imported: {taken}"));
        changes.insert(0, change.into());
    }
    if options.dry_run {
        return Ok(imported);
    }
    if let Some(last) = changes.last_mut() {
        last.after = Some(json!({ "name": imported.project_name, "imported": true }));
    }
    app.commit(tx, changes).await?;
    Ok(imported)
}

/// Everything of a project but its identities. Gives its environments by name, too.
pub(crate) async fn write_project(
    tx: &mut Tx,
    author: Author<'_>,
    target: Target,
    mut part: ProjectPart,
    (options, limits, guards): (&ImportOptions, ProjectLimits, Guards),
) -> Result<(Imported, HashMap<String, Environment>, Vec<NewChange>)> {
    if let Some(name) = &options.name {
        name.clone_into(&mut part.name);
    }
    check::check(&part)?;
    let mut work = Work::begin(tx, author, target, &part, (limits, guards)).await?;
    work.tags(tx, &part).await?;
    work.fields(tx, &part).await?;
    work.features(tx, &part).await?;
    work.segments(tx, &part).await?;
    let mut written = HashMap::new();
    for environment in &part.environments {
        let row = work.environment(tx, environment).await?;
        written.insert(environment.name.clone(), row);
    }
    work.tell_lost_values();
    work.log_identities();
    for segment in work.segments.values() {
        prerequisites::refuse_rules(tx, segment).await?;
    }
    transfer::catch_up_numbers(tx).await?;
    let summary = Change::new(author, Kind::Project, Action::Update, work.project.id)
        .in_project(&work.project)
        .uuid(&work.project.uuid)
        .says(format!("Project imported: {}", work.project.name))
        .serves();
    work.changes.push(summary.into());
    Ok((work.imported, written, work.changes))
}

/// What a file says of personal data. What it does not say of it stays as it is.
fn write_guard(project: &mut Project, part: &ProjectPart, is_new: bool) -> Result<()> {
    if part.pii_mode.is_empty() {
        return Ok(());
    }
    let mode = Mode::parse(&part.pii_mode);
    let mode = mode.ok_or_else(|| Error::field("pii_mode", "Not one of off, warn, hash and refuse."))?;
    mode.as_str().clone_into(&mut project.pii_mode);
    let allowed = AllowList {
        traits: part.pii_allowed_traits.clone(),
        values: part.pii_allowed_values.clone(),
    };
    pii::set_allow_list(project, &allowed)?;
    if is_new {
        // So that hashes in the file stand for the same texts here, where the installation's secret is the same.
        project.pii_salt.clone_from(&part.pii_salt);
    }
    Ok(())
}

/// A file is no way past those who have to approve: what it would change is asked for as it is now, not as the file has
/// it. Whoever has the database itself is not asked.
async fn refuse_unapproved(tx: &mut Tx, project: &Project, part: &ProjectPart) -> Result<()> {
    if !part.segments.is_empty() {
        approvals::refuse_direct_segments(project)?;
    }
    let named = |present: &Environment| part.environments.iter().any(|one| one.name == present.name);
    approvals::refuse_overwriting(tx, project.id, approvals::IMPORT, named).await
}

/// An import under way.
#[derive(Debug)]
struct Work<'a> {
    author: Author<'a>,
    guards: Guards,
    project: Project,
    imported: Imported,
    changes: Vec<NewChange>,
    tag_ids: HashMap<String, i64>,
    /// By name.
    features: HashMap<String, Feature>,
    /// From the number an option had to the one it has.
    options: HashMap<i64, i64>,
    segments: HashMap<i64, Segment>,
    known_fields: Vec<KnownField>,
    values_lost: usize,
    /// Whether whoever imports administers the organisation.
    by_organisation: bool,
    /// Identities that are there now because something is overridden for them.
    identities_made: Vec<i64>,
}

impl<'a> Work<'a> {
    async fn begin(
        tx: &mut Tx,
        author: Author<'a>,
        target: Target,
        part: &ProjectPart,
        (limits, guards): (ProjectLimits, Guards),
    ) -> Result<Self> {
        let present = match target {
            Target::Project(id) => Some(projects::find(tx, id).await?.ok_or_else(Error::not_found)?),
            Target::Organisation(id) => projects::list(tx, Some(id))
                .await?
                .into_iter()
                .find(|project| project.name == part.name),
        };
        let by_somebody = author.user_id.is_some() || author.api_key_id.is_some();
        if let Some(present) = present.as_ref().filter(|_| by_somebody) {
            refuse_unapproved(tx, present, part).await?;
        }
        let is_new = present.is_none();
        let mut project = match (present, target) {
            (Some(project), _) => project,
            (None, Target::Organisation(organisation_id) | Target::Project(organisation_id)) => {
                crate::projects::blank(organisation_id, limits)
            }
        };
        let before = crate::projects::as_json(&project);
        if is_new {
            project.name.clone_from(&part.name);
        }
        project.hide_disabled_flags = part.hide_disabled_flags;
        project.prevent_flag_defaults = part.prevent_flag_defaults;
        project.enable_realtime_updates = part.enable_realtime_updates;
        project.only_allow_lower_case_feature_names = part.only_allow_lower_case_feature_names;
        project.feature_name_regex.clone_from(&part.feature_name_regex);
        project.stale_flags_limit_days = part.stale_flags_limit_days;
        project.minimum_change_request_approvals = part.minimum_change_request_approvals;
        project.enforce_feature_owners = part.enforce_feature_owners;
        project.use_edge_identities = part.use_edge_identities;
        write_guard(&mut project, part, is_new)?;
        if is_new {
            project.id = projects::insert(tx, &project).await?;
        } else {
            projects::update(tx, &project).await?;
        }
        let action = if is_new { Action::Create } else { Action::Update };
        let mut change = Change::new(author, Kind::Project, action, project.id)
            .in_project(&project)
            .uuid(&project.uuid)
            .serves()
            .after(crate::projects::as_json(&project));
        if !is_new {
            change = change.before(before);
        }
        let imported = Imported {
            project_id: project.id,
            project_name: project.name.clone(),
            is_new,
            ..Imported::default()
        };
        Ok(Self {
            author,
            guards,
            imported,
            changes: vec![change.into()],
            tag_ids: HashMap::new(),
            features: HashMap::new(),
            options: HashMap::new(),
            segments: HashMap::new(),
            known_fields: Vec::new(),
            values_lost: 0,
            by_organisation: matches!(target, Target::Organisation(_)) || !by_somebody,
            identities_made: Vec::new(),
            project,
        })
    }

    /// It also tells the memory of identities that what it holds is old.
    fn log_identities(&mut self) {
        if self.identities_made.is_empty() {
            return;
        }
        let count = self.identities_made.len();
        let change = Change::new(self.author, Kind::Identity, Action::Create, 0)
            .in_project(&self.project)
            .says(format!("Identities created for their overrides: {count}"))
            .after(json!({ "identities": self.identities_made }));
        self.changes.push(change.into());
    }

    fn log(&mut self, kind: Kind, is_new: bool, id: i64, line: String, after: Value) {
        let action = if is_new { Action::Create } else { Action::Update };
        let change = Change::new(self.author, kind, action, id)
            .in_project(&self.project)
            .says(line)
            .after(after);
        self.changes.push(change.into());
    }
}

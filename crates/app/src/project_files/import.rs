//! Taking a project out of a file: into a new project, or into one that is there, by names.
//!
//! All of it happens in one transaction. What is there and not in the file stays. What could not be taken as it is in
//! the file is told.

use std::collections::HashMap;

use burgee_model::{FlagValue, Timestamp, keys};
use burgee_store::changes::NewChange;
use burgee_store::environments::Environment;
use burgee_store::feature_segments::FeatureSegment;
use burgee_store::feature_states::{FeatureState, StateOption};
use burgee_store::features::{Feature, MultivariateOption};
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::server_keys::ServerKey;
use burgee_store::tags::Tag;
use burgee_store::{
    Tx, environments, feature_links, feature_segments, feature_states, features, groups, identity_admin,
    members, projects, segments, server_keys, state_options, tags, transfer,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    EnvironmentPart, FeaturePart, IdentityOverridePart, OptionPart, ProjectPart, Reading, SegmentPart,
    StatePart, check, read,
};
use crate::change::{Action, Change, Kind};
use crate::feature_states::ValueEdit;
use crate::settings::ProjectLimits;
use crate::{App, Author, Caller, Error, Place, Result, approvals, prerequisites, segment_rules, versions};

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

/// Identities written at once.
const PIECE: usize = 500;
/// Stays that are told one by one; of more, only how many there are.
const TOLD: usize = 1000;

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
        (options, app.settings().project_limits),
    )
    .await?;
    let taken = write_identities(&mut tx, &mut reading, &environments, &mut imported).await?;
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
    (options, limits): (&ImportOptions, ProjectLimits),
) -> Result<(Imported, HashMap<String, Environment>, Vec<NewChange>)> {
    if let Some(name) = &options.name {
        name.clone_into(&mut part.name);
    }
    check::check(&part)?;
    let mut work = Work::begin(tx, author, target, &part, limits).await?;
    work.tags(tx, &part).await?;
    work.features(tx, &part).await?;
    work.segments(tx, &part).await?;
    let mut written = HashMap::new();
    for environment in &part.environments {
        let row = work.environment(tx, environment).await?;
        written.insert(environment.name.clone(), row);
    }
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

/// A file is no way past those who have to approve: what it would change is asked for as it is now, not as the file has
/// it. Whoever has the database itself is not asked.
async fn refuse_unapproved(tx: &mut Tx, project: &Project, part: &ProjectPart) -> Result<()> {
    if !part.segments.is_empty() {
        approvals::refuse_direct_segments(project)?;
    }
    let named = |present: &Environment| part.environments.iter().any(|one| one.name == present.name);
    approvals::refuse_overwriting(tx, project.id, named).await
}

/// An import under way.
#[derive(Debug)]
struct Work<'a> {
    author: Author<'a>,
    project: Project,
    imported: Imported,
    changes: Vec<NewChange>,
    tag_ids: HashMap<String, i64>,
    /// By name.
    features: HashMap<String, Feature>,
    /// From the number an option had to the one it has.
    options: HashMap<i64, i64>,
    segments: HashMap<i64, Segment>,
}

impl<'a> Work<'a> {
    async fn begin(
        tx: &mut Tx,
        author: Author<'a>,
        target: Target,
        part: &ProjectPart,
        limits: ProjectLimits,
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
            imported,
            changes: vec![change.into()],
            tag_ids: HashMap::new(),
            features: HashMap::new(),
            options: HashMap::new(),
            segments: HashMap::new(),
            project,
        })
    }

    fn log(&mut self, kind: Kind, is_new: bool, id: i64, line: String, after: Value) {
        let action = if is_new { Action::Create } else { Action::Update };
        let change = Change::new(self.author, kind, action, id)
            .in_project(&self.project)
            .says(line)
            .after(after);
        self.changes.push(change.into());
    }

    async fn tags(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let present = tags::list(tx, self.project.id).await?;
        for tag in &part.tags {
            let found = present.iter().find(|p| p.label == tag.label && !p.is_system_tag);
            let mut row = found.cloned().unwrap_or_else(|| Tag {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                project_id: self.project.id,
                label: tag.label.clone(),
                color: String::new(),
                description: None,
                is_permanent: false,
                is_system_tag: false,
                r#type: "NONE".to_owned(),
            });
            row.color.clone_from(&tag.color);
            row.description.clone_from(&tag.description);
            row.is_permanent = tag.is_permanent;
            let is_new = row.id == 0;
            if is_new {
                row.id = tags::insert(tx, &row).await?;
            } else {
                tags::update(tx, &row).await?;
            }
            self.imported.count("tags", is_new);
            let verb = if is_new { "created" } else { "updated" };
            let line = format!("Tag {verb}: {}", row.label);
            self.log(Kind::Tag, is_new, row.id, line, json!({ "label": row.label }));
            self.tag_ids.insert(row.label, row.id);
        }
        Ok(())
    }

    async fn features(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let mut missing_owners = 0;
        for feature in &part.features {
            let present = features::find_by_name(tx, self.project.id, &feature.name.to_lowercase()).await?;
            let is_new = present.is_none();
            let mut row = present.unwrap_or_else(|| Feature {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                project_id: self.project.id,
                name: feature.name.clone(),
                name_key: feature.name.to_lowercase(),
                r#type: String::new(),
                default_enabled: feature.default_enabled,
                initial_value: feature.initial_value.clone(),
                description: None,
                is_archived: false,
                is_server_key_only: false,
                created_at: Timestamp::now().0,
            });
            row.r#type.clone_from(&feature.r#type);
            row.description.clone_from(&feature.description);
            row.is_archived = feature.is_archived;
            row.is_server_key_only = feature.is_server_key_only;
            if is_new {
                self.refuse_too_many_features(tx).await?;
                row.id = features::insert(tx, &row).await?;
            } else {
                features::update(tx, &row).await?;
            }
            let labels = feature.tags.iter().filter_map(|label| self.tag_ids.get(label));
            let tag_ids: Vec<i64> = labels.copied().collect();
            feature_links::set_tags(tx, row.id, &tag_ids).await?;
            missing_owners += self.owners(tx, &row, feature).await?;
            self.feature_options(tx, &row, feature).await?;
            self.imported.count("features", is_new);
            let line = if is_new {
                format!("New Flag / Remote Config created: {}", row.name)
            } else {
                format!("Flag / Remote Config updated: {}", row.name)
            };
            let after = crate::features::snapshot(tx, &row).await?;
            self.log(Kind::Feature, is_new, row.id, line, after);
            self.features.insert(feature.name.clone(), row);
        }
        if missing_owners > 0 {
            self.imported.miss(
                format!("{missing_owners} owners of features"),
                "they are no members or groups of this organisation",
            );
        }
        Ok(())
    }

    async fn refuse_too_many_features(&self, tx: &mut Tx) -> Result<()> {
        let count = projects::usage(tx, self.project.id).await?.features;
        match self.project.max_features_allowed {
            Some(most) if count >= most => {
                let text = format!("The project has reached the maximum allowed features limit of {most}.");
                Err(Error::field("project", text))
            }
            _ => Ok(()),
        }
    }

    /// Gives a feature its owners; tells how many of them are unknown here.
    async fn owners(&self, tx: &mut Tx, row: &Feature, feature: &FeaturePart) -> Result<usize> {
        let mut missing = 0;
        if !feature.owners.is_empty() {
            let members = members::list(tx, self.project.organisation_id).await?;
            for email in &feature.owners {
                match members.iter().find(|member| member.email == *email) {
                    Some(member) => drop(feature_links::add_owner(tx, row.id, member.id).await?),
                    None => missing += 1,
                }
            }
        }
        if !feature.group_owners.is_empty() {
            let groups = groups::list(tx, self.project.organisation_id).await?;
            for name in &feature.group_owners {
                match groups.iter().find(|group| group.name == *name) {
                    Some(group) => drop(feature_links::add_group_owner(tx, row.id, group.id).await?),
                    None => missing += 1,
                }
            }
        }
        Ok(missing)
    }

    /// Options are the same when they have the same key, or without keys the same value.
    async fn feature_options(&mut self, tx: &mut Tx, row: &Feature, feature: &FeaturePart) -> Result<()> {
        let present = features::options(tx, row.id).await?;
        for option in &feature.options {
            let same = |p: &&MultivariateOption| match (&option.key, &p.key) {
                (Some(key), Some(other)) => key == other,
                (None, None) => p.value() == option.value,
                _ => false,
            };
            let mut found = present
                .iter()
                .find(same)
                .cloned()
                .unwrap_or_else(|| blank_option(row.id));
            set_option(&mut found, option);
            if found.id == 0 {
                found.id = features::insert_option(tx, &found).await?;
            } else {
                features::update_option(tx, &found).await?;
            }
            self.options.insert(option.id, found.id);
        }
        Ok(())
    }

    async fn segments(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let present = segments::list(tx, self.project.id).await?;
        for segment in &part.segments {
            let feature_id = segment
                .feature
                .as_ref()
                .and_then(|name| self.features.get(name))
                .map(|feature| feature.id);
            let same = |p: &&Segment| p.name == segment.name && p.feature_id == feature_id;
            let found = present.iter().find(same).cloned();
            let is_new = found.is_none();
            let row = self.segment(tx, segment, feature_id, found).await?;
            self.imported.count("segments", is_new);
            let line = if is_new {
                format!("New Segment created: {}", row.name)
            } else {
                format!("Segment updated: {}", row.name)
            };
            let after = crate::segments::as_json(&row);
            self.log(Kind::Segment, is_new, row.id, line, after);
            self.segments.insert(segment.id, row);
        }
        Ok(())
    }

    async fn segment(
        &mut self,
        tx: &mut Tx,
        part: &SegmentPart,
        feature_id: Option<i64>,
        found: Option<Segment>,
    ) -> Result<Segment> {
        let now = Timestamp::now().0;
        let rules = segment_rules::copy(tx, &part.rules).await?;
        let rules = serde_json::to_string(&rules).unwrap_or_else(|_| "[]".to_owned());
        if let Some(mut row) = found {
            row.description.clone_from(&part.description);
            row.rules = rules;
            row.updated_at = now;
            segments::update(tx, &row).await?;
            if row.id != part.id {
                self.warn_of_split(part);
            }
            return Ok(row);
        }
        let count = projects::usage(tx, self.project.id).await?.segments;
        if self
            .project
            .max_segments_allowed
            .is_some_and(|most| count >= most)
        {
            let text = "The project has reached the maximum allowed segments limit.";
            return Err(Error::Rejected(json!({ "project": text })));
        }
        let mut row = Segment {
            id: part.id,
            uuid: keys::uuid().to_string(),
            project_id: self.project.id,
            feature_id,
            name: part.name.clone(),
            description: part.description.clone(),
            rules,
            managed_by: String::new(),
            created_at: now,
            updated_at: now,
            hash_seed: None,
        };
        // Percentages are drawn with the number of the segment, so it is kept where it is free.
        if segments::find(tx, part.id).await?.is_none() {
            transfer::insert_segment(tx, &row).await?;
        } else {
            row.id = segments::insert(tx, &row).await?;
            self.warn_of_split(part);
        }
        Ok(row)
    }

    fn warn_of_split(&mut self, part: &SegmentPart) {
        if splits(&part.rules) {
            let what = format!("the draw of segment {:?}", part.name);
            self.imported.miss(
                what,
                "its number is taken here: its percentage is drawn anew among identities",
            );
        }
    }

    async fn environment(&mut self, tx: &mut Tx, part: &EnvironmentPart) -> Result<Environment> {
        let present = environments::list(tx, self.project.id).await?;
        let found = present.into_iter().find(|row| row.name == part.name);
        let is_new = found.is_none();
        let mut row = found.unwrap_or_else(|| crate::environments::blank(self.project.id));
        let before = crate::environments::as_json(&row);
        part.name.clone_into(&mut row.name);
        row.description.clone_from(&part.description);
        row.allow_client_traits = part.allow_client_traits;
        row.banner_text.clone_from(&part.banner_text);
        row.banner_colour.clone_from(&part.banner_colour);
        row.hide_disabled_flags = part.hide_disabled_flags;
        row.use_identity_composite_key_for_hashing = part.use_identity_composite_key_for_hashing;
        row.hide_sensitive_data = part.hide_sensitive_data;
        row.use_identity_overrides_in_local_eval = part.use_identity_overrides_in_local_eval;
        if is_new {
            row.minimum_change_request_approvals = part.minimum_change_request_approvals;
            self.choose_key(tx, part, &mut row).await?;
            row.id = environments::insert(tx, &row).await?;
        } else {
            environments::update(tx, &row).await?;
            if part.api_key.as_ref().is_some_and(|key| *key != row.api_key) {
                let what = format!("the keys of environment {:?}", part.name);
                self.imported.miss(what, "it was there already and keeps its own");
            }
        }
        self.imported.count("environments", is_new);
        let action = if is_new { Action::Create } else { Action::Update };
        let verb = if is_new {
            "New Environment created"
        } else {
            "Environment updated"
        };
        let place = Place {
            project: self.project.clone(),
            environment: row.clone(),
        };
        let mut change = Change::new(self.author, Kind::Environment, action, row.id)
            .in_environment(&place)
            .uuid(&row.uuid)
            .says(format!("{verb}: {}", row.name))
            .after(crate::environments::as_json(&row));
        if !is_new {
            change = change.before(before);
        }
        self.changes.push(change.into());
        if is_new {
            self.server_keys(tx, part, &row).await?;
        }
        self.states(tx, part, &row).await?;
        Ok(row)
    }

    /// The key of the file, where it has one that nobody has here.
    async fn choose_key(&mut self, tx: &mut Tx, part: &EnvironmentPart, row: &mut Environment) -> Result<()> {
        let why = match &part.api_key {
            Some(key) if environments::find_by_key(tx, key).await?.is_none() => {
                key.clone_into(&mut row.api_key);
                return Ok(());
            }
            Some(_) => "an environment here has it already",
            None => "the file has none",
        };
        self.imported.miss(
            format!("the key of environment {:?}", part.name),
            format!("{why}: it has a new one, and percentages are drawn anew among identities"),
        );
        Ok(())
    }

    async fn server_keys(&mut self, tx: &mut Tx, part: &EnvironmentPart, row: &Environment) -> Result<()> {
        for key in &part.server_keys {
            if transfer::server_key_exists(tx, &key.key).await? {
                let what = format!("server-side key {:?} of environment {:?}", key.name, part.name);
                self.imported.miss(what, "an environment here has it already");
                continue;
            }
            let new = ServerKey {
                id: 0,
                environment_id: row.id,
                key: key.key.clone(),
                name: key.name.clone(),
                active: key.active,
                created_at: Timestamp::now().0,
                expires_at: key.expires_at,
            };
            server_keys::insert(tx, &new).await?;
            self.imported.count("server-side keys", true);
        }
        Ok(())
    }

    async fn states(&mut self, tx: &mut Tx, part: &EnvironmentPart, row: &Environment) -> Result<()> {
        if row.use_v2_feature_versioning {
            let what = format!("the feature states of environment {:?}", part.name);
            self.imported
                .miss(what, "it has versions, which are published, not imported");
            return self.complete_defaults(tx, row).await;
        }
        if part.use_v2_feature_versioning {
            let what = format!("the versions of environment {:?}", part.name);
            self.imported
                .miss(what, "only what is live was taken; switch versions on again");
        }
        let present = feature_states::of_environment(tx, row.id).await?;
        for default in &part.defaults {
            let Some(feature) = self.features.get(&default.feature) else {
                continue;
            };
            let found = present
                .iter()
                .find(|state| state.feature_id == feature.id && state.feature_segment_id.is_none());
            let at = (feature.id, row.id, None, None);
            self.state(tx, at, &default.state, found.cloned()).await?;
        }
        for change in &part.segment_overrides {
            let feature = self.features.get(&change.feature).map(|feature| feature.id);
            let segment = self.segments.get(&change.segment).map(|segment| segment.id);
            let (Some(feature), Some(segment)) = (feature, segment) else {
                continue;
            };
            let link = self.link(tx, row.id, (feature, segment), change.priority).await?;
            let found = feature_states::of_feature_segment(tx, link).await?;
            self.imported.count("segment overrides", found.is_none());
            self.state(tx, (feature, row.id, None, Some(link)), &change.state, found)
                .await?;
        }
        self.complete_defaults(tx, row).await?;
        for change in &part.identity_overrides {
            self.identity_override(tx, row, change).await?;
        }
        Ok(())
    }

    /// Features of the project that the file has no state of in an environment begin there as they do everywhere.
    async fn complete_defaults(&self, tx: &mut Tx, row: &Environment) -> Result<()> {
        for feature in features::list(tx, self.project.id).await? {
            let states = feature_states::of_feature(tx, row.id, feature.id).await?;
            if states.iter().any(|state| state.feature_segment_id.is_none()) {
                continue;
            }
            let options = features::options(tx, feature.id).await?;
            crate::feature_states::create_default(tx, &self.project, &feature, row.id, &options).await?;
            if row.use_v2_feature_versioning {
                let place = Place {
                    project: self.project.clone(),
                    environment: row.clone(),
                };
                versions::create_first_version(tx, &place, &feature).await?;
            }
        }
        Ok(())
    }

    async fn link(
        &self,
        tx: &mut Tx,
        environment_id: i64,
        (feature_id, segment_id): (i64, i64),
        priority: i64,
    ) -> Result<i64> {
        let links = feature_segments::of_feature(tx, environment_id, feature_id).await?;
        if let Some(link) = links.iter().find(|link| link.segment_id == segment_id) {
            feature_segments::set_priority(tx, link.id, priority).await?;
            return Ok(link.id);
        }
        let count = feature_segments::count(tx, environment_id).await?;
        if let Some(most) = self.project.max_segment_overrides_allowed
            && count >= most
        {
            let text = format!(
                "The environment has reached the maximum allowed segments overrides limit of {most}."
            );
            return Err(Error::field("environment", text));
        }
        let link = FeatureSegment {
            id: 0,
            uuid: Uuid::new_v4().to_string(),
            feature_id,
            segment_id,
            environment_id,
            priority,
        };
        Ok(feature_segments::insert(tx, &link).await?)
    }

    async fn identity_override(
        &mut self,
        tx: &mut Tx,
        row: &Environment,
        part: &IdentityOverridePart,
    ) -> Result<()> {
        let Some(feature) = self.features.get(&part.feature).map(|feature| feature.id) else {
            return Ok(());
        };
        let now = Timestamp::now().0;
        let line = json!([[part.identity, part.identifier, "[]", now, null]]).to_string();
        // Under its number in every environment: one that is numbered anew could take the number of another one, which an
        // environment needs that puts people into buckets by it.
        transfer::keep_identities(tx, row.id, &line).await?;
        identity_admin::insert(tx, row.id, &part.identifier, now).await?;
        let found = burgee_store::edge_identities::find_named(tx, row.id, &part.identifier).await?;
        let Some(identity) = found else { return Ok(()) };
        let states = feature_states::of_identity(tx, identity.id).await?;
        let found = states.into_iter().find(|state| state.feature_id == feature);
        self.imported.count("identity overrides", found.is_none());
        let at = (feature, row.id, Some(identity.id), None);
        self.state(tx, at, &part.state, found).await
    }

    /// Writes a state with its seed and weights, over one that is there if there is one.
    async fn state(
        &self,
        tx: &mut Tx,
        (feature_id, environment_id, identity_id, link): (i64, i64, Option<i64>, Option<i64>),
        part: &StatePart,
        found: Option<FeatureState>,
    ) -> Result<()> {
        let now = Timestamp::now().0;
        let mut state =
            found.unwrap_or_else(|| crate::feature_states::blank(feature_id, environment_id, now));
        state.enabled = part.enabled;
        ValueEdit::from(part.value.clone()).apply(&mut state);
        state.hash_seed = (part.seed > 0).then_some(part.seed);
        state.updated_at = now;
        if state.id == 0 {
            (state.identity_id, state.feature_segment_id) = (identity_id, link);
            state.id = feature_states::insert(tx, &state).await?;
        } else {
            feature_states::update(tx, &state).await?;
            transfer::set_hash_seed(tx, state.id, state.hash_seed).await?;
        }
        // The order of the weights decides which variant a bucket falls on: they are written anew.
        transfer::clear_weights(tx, state.id).await?;
        for weight in &part.weights {
            let Some(option_id) = self.options.get(&weight.option) else {
                continue;
            };
            let row = StateOption {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                feature_state_id: state.id,
                option_id: *option_id,
                percentage_allocation: weight.percentage,
            };
            state_options::insert(tx, &row).await?;
        }
        Ok(())
    }
}

fn blank_option(feature_id: i64) -> MultivariateOption {
    MultivariateOption {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id,
        key: None,
        r#type: "unicode".to_owned(),
        string_value: None,
        integer_value: None,
        boolean_value: None,
        default_percentage_allocation: 0.0,
    }
}

fn set_option(row: &mut MultivariateOption, part: &OptionPart) {
    row.key.clone_from(&part.key);
    row.default_percentage_allocation = part.default_percentage_allocation;
    (row.string_value, row.integer_value, row.boolean_value) = (None, None, None);
    let kind = match &part.value {
        FlagValue::Null => "unicode",
        FlagValue::Text(text) => {
            row.string_value = Some(text.clone());
            "unicode"
        }
        FlagValue::Int(number) => {
            row.integer_value = Some(*number);
            "int"
        }
        FlagValue::Bool(truth) => {
            row.boolean_value = Some(*truth);
            "bool"
        }
    };
    kind.clone_into(&mut row.r#type);
}

/// Whether any condition draws a percentage.
fn splits(rules: &[burgee_model::segments::Rule]) -> bool {
    rules.iter().any(|rule| {
        let draws = |condition: &burgee_model::segments::Condition| {
            condition.operator == burgee_model::segments::Operator::PercentageSplit
        };
        rule.conditions.iter().any(draws) || splits(&rule.rules)
    })
}

/// Reads identities from the file and writes them, a piece at a time.
async fn write_identities(
    tx: &mut Tx,
    reading: &mut Reading,
    environments: &HashMap<String, Environment>,
    imported: &mut Imported,
) -> Result<i64> {
    let (mut taken, mut untold) = (0, 0);
    loop {
        let lines = reading.identities(PIECE)?;
        if lines.is_empty() {
            break;
        }
        let mut by_environment: HashMap<i64, Vec<Value>> = HashMap::new();
        for line in lines {
            let environment = environments.get(&line.environment);
            let problem = match (environment, check::identity_problem(&line)) {
                (None, _) => Some("there is no such environment in the file"),
                (_, problem) => problem,
            };
            if let Some(why) = problem {
                if imported.not_taken.len() < TOLD {
                    let what = format!(
                        "identity {:?} of environment {:?}",
                        line.identifier, line.environment
                    );
                    imported.miss(what, why);
                } else {
                    untold += 1;
                }
                continue;
            }
            let Some(environment) = environment else { continue };
            let row = json!([
                line.id,
                line.identifier,
                line.traits.to_text(),
                line.created_at,
                line.alias
            ]);
            by_environment.entry(environment.id).or_default().push(row);
            taken += 1;
        }
        for (environment_id, rows) in by_environment {
            let rows = Value::Array(rows).to_string();
            transfer::keep_identities(tx, environment_id, &rows).await?;
            transfer::put_identities(tx, environment_id, &rows).await?;
        }
    }
    if untold > 0 {
        imported.miss(format!("{untold} further identities"), "for reasons like these");
    }
    if taken > 0 {
        imported.created.push(("identities", taken));
        transfer::catch_up_numbers(tx).await?;
    }
    Ok(taken)
}

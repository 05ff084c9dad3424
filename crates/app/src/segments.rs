//! Segments.

use std::collections::HashSet;

use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_model::segments::Rule;
use burgee_model::{Problems, Timestamp, keys};
use burgee_store::changes::NewChange;
use burgee_store::identities::{self, Identity};
use burgee_store::{Tx, features, list_segments, projects, segments};
use serde_json::{Value, json};

pub use burgee_store::segments::{AssociatedFeature, Segment};

pub use crate::segment_rules::{ConditionEdit, RuleEdit};

use crate::change::{Action, Change, Kind};
use crate::environments::Project;
use crate::kept::{self, KEPT};
use crate::metadata::{self, MetadataEdit, MetadataValue, Owner, Write};
use crate::sdk::evaluation::with_engine_identity;
use crate::sdk::identities::Identified;
use crate::served::{Rows, Snapshot};
use crate::{App, Author, Caller, Error, Place, Result, approvals, prerequisites, segment_rules};

/// What a client may set of a segment.
#[derive(Debug, Clone, Default)]
pub struct SegmentEdit {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    /// The one feature it is for.
    pub feature: Option<Option<i64>>,
    pub rules: Option<Vec<RuleEdit>>,
    /// Values of custom fields: these and no others.
    pub metadata: Option<Vec<MetadataEdit>>,
    /// Whether all of the segment is given, and so every required custom field must have a value afterwards.
    pub whole: bool,
}

/// A segment with what belongs to it.
#[derive(Debug, Clone)]
pub struct SegmentDetails {
    pub segment: Segment,
    pub metadata: Vec<MetadataValue>,
}

/// Which segments of a project to list.
#[derive(Debug, Clone, Default)]
pub struct SegmentFilter {
    /// This text in the name, in any case.
    pub part: Option<String>,
    /// Only those this identity is in.
    pub identity: Option<i64>,
    /// Without those that are for one feature only.
    pub shared_only: bool,
}

/// The project, when the caller may do this in it. One that is not there is refused just the same.
pub(crate) async fn enter(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    permission: ProjectPermission,
) -> Result<Project> {
    let project = projects::find(tx, project_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    caller.require_in_project(tx, &project, permission).await?;
    Ok(project)
}

fn missing() -> Error {
    Error::no_match("Segment")
}

/// The segments of a project, oldest first.
pub async fn list(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    filter: &SegmentFilter,
) -> Result<Vec<SegmentDetails>> {
    let project = enter(tx, caller, project_id, ProjectPermission::ViewProject).await?;
    let mut found = segments::list(tx, project.id).await?;
    if let Some(identity_id) = filter.identity {
        let (place, identity) = identity_of_project(tx, caller, &project, identity_id).await?;
        found = segments_of_identity(app, tx, &place, &identity, found).await?;
    }
    let part = filter.part.as_deref().map(str::to_lowercase);
    found.retain(|segment| {
        let named = part
            .as_deref()
            .is_none_or(|part| segment.name.to_lowercase().contains(part));
        named && !(filter.shared_only && segment.feature_id.is_some())
    });
    let mut values = metadata::of_project(tx, project.id).await?;
    let described = found.into_iter().map(|segment| SegmentDetails {
        metadata: values.remove(&Owner::Segment(segment.id)).unwrap_or_default(),
        segment,
    });
    Ok(described.collect())
}

async fn describe(tx: &mut Tx, segment: Segment) -> Result<SegmentDetails> {
    let metadata = metadata::of_object(tx, Owner::Segment(segment.id)).await?;
    Ok(SegmentDetails { segment, metadata })
}

/// An identity of one of the project's environments, when the caller may see it.
async fn identity_of_project(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    id: i64,
) -> Result<(Place, Identity)> {
    let missing = || Error::no_match("Identity");
    let identity = identities::find(tx, id).await?.ok_or_else(missing)?;
    let place = Place::by_id(tx, identity.environment_id)
        .await?
        .filter(|place| place.project.id == project.id)
        .ok_or_else(missing)?;
    let access = caller
        .environment_access(tx, &place.project, &place.environment)
        .await?;
    if access.allows(EnvironmentPermission::ViewIdentities.key()) {
        Ok((place, identity))
    } else {
        Err(missing())
    }
}

/// Those of the segments that the identity is in, feature-specific ones included.
async fn segments_of_identity(
    app: &App,
    tx: &mut Tx,
    place: &Place,
    identity: &Identity,
    segments: Vec<Segment>,
) -> Result<Vec<Segment>> {
    let Some(mut rows) = Rows::load(tx, app.environments().lists(), place.environment.id).await? else {
        return Ok(Vec::new());
    };
    rows.segments = segments;
    let snapshot = Snapshot::build(&rows);
    let matching = with_engine_identity(&snapshot, &Identified::stored(identity), |identity| {
        snapshot.engine.matching_segments(Some(identity))
    });
    let mut matching: HashSet<usize> = matching.into_iter().collect();
    let with_index = rows.segments.into_iter().enumerate();
    Ok(with_index
        .filter_map(|(index, segment)| matching.remove(&index).then_some(segment))
        .collect())
}

/// One segment.
pub async fn get(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<SegmentDetails> {
    let project = enter(tx, caller, project_id, ProjectPermission::ViewProject).await?;
    let segment = segments::find_in(tx, project.id, id).await?.ok_or_else(missing)?;
    describe(tx, segment).await
}

/// One segment by its uuid. One that may not be seen is as good as none.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<SegmentDetails> {
    let uuid = keys::parse_uuid(uuid).ok_or_else(missing)?;
    let segment = segments::find_by_uuid(tx, &uuid.to_string())
        .await?
        .ok_or_else(missing)?;
    let project = projects::find(tx, segment.project_id)
        .await?
        .ok_or_else(missing)?;
    let access = caller.project_access(tx, &project).await?;
    if access.allows(ProjectPermission::ViewProject.key()) {
        describe(tx, segment).await
    } else {
        Err(missing())
    }
}

/// What a segment overrides, in one environment or in all.
pub async fn associated_features(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    id: i64,
    environment_id: Option<i64>,
) -> Result<Vec<AssociatedFeature>> {
    let project = manage(tx, caller, project_id).await?;
    let segment = segments::find_in(tx, project.id, id).await?.ok_or_else(missing)?;
    Ok(segments::associated_features(tx, segment.id, environment_id).await?)
}

/// Who is in a segment because of its rules, nobody keeps: there is nothing to find, once the segment is one the caller
/// manages. Members of list segments have endpoints of their own.
pub async fn members(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<()> {
    let project = manage(tx, caller, project_id).await?;
    segments::find_in(tx, project.id, id).await?.ok_or_else(missing)?;
    Err(Error::not_found())
}

/// Fails unless the caller may edit segments of the project: asked before an input is looked at.
pub async fn require_manage(app: &App, caller: &Caller, project_id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    edit_directly(&mut tx, caller, project_id).await.map(drop)
}

/// The project, when the caller may edit its segments without a change request.
pub(crate) async fn edit_directly(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Project> {
    let project = manage(tx, caller, project_id).await?;
    approvals::refuse_direct_segments(&project)?;
    Ok(project)
}

async fn manage(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Project> {
    enter(tx, caller, project_id, ProjectPermission::ManageSegments).await
}

/// Creates a segment.
pub async fn create(
    app: &App,
    caller: &Caller,
    project_id: i64,
    mut edit: SegmentEdit,
) -> Result<SegmentDetails> {
    let mut tx = app.begin().await?;
    let project = edit_directly(&mut tx, caller, project_id).await?;
    let mut segment = blank(project_id);
    let values = edit.metadata.take();
    apply(&mut tx, &mut segment, edit).await?;
    insert(&mut tx, &project, &mut segment).await?;
    let owner = Owner::Segment(segment.id);
    metadata::write(&mut tx, &project, owner, values, Write::Whole).await?;
    finish_create(app, tx, caller, &project, segment).await
}

/// A segment that says nothing yet.
pub(crate) fn blank(project_id: i64) -> Segment {
    let now = Timestamp::now().0;
    Segment {
        id: 0,
        uuid: keys::uuid().to_string(),
        project_id,
        feature_id: None,
        name: String::new(),
        description: None,
        rules: "[]".to_owned(),
        managed_by: String::new(),
        created_at: now,
        updated_at: now,
        hash_seed: None,
    }
}

/// Copies a segment under another name; the overrides of the original stay with it.
pub async fn clone(
    app: &App,
    caller: &Caller,
    project_id: i64,
    id: i64,
    name: String,
) -> Result<SegmentDetails> {
    let mut tx = app.begin().await?;
    let project = edit_directly(&mut tx, caller, project_id).await?;
    let source = segments::find_in(&mut tx, project.id, id)
        .await?
        .ok_or_else(missing)?;
    let now = Timestamp::now().0;
    let rules = segment_rules::copy(&mut tx, &source.parsed_rules()).await?;
    let mut copy = Segment {
        id: 0,
        uuid: keys::uuid().to_string(),
        name,
        rules: to_text(&rules),
        // A copy is a segment like any other, to be edited by people.
        managed_by: String::new(),
        created_at: now,
        updated_at: now,
        hash_seed: None,
        ..source
    };
    insert(&mut tx, &project, &mut copy).await?;
    metadata::copy(&mut tx, Owner::Segment(id), Owner::Segment(copy.id)).await?;
    finish_create(app, tx, caller, &project, copy).await
}

/// Writes a new segment, as far as the project may have more of them.
pub(crate) async fn insert(tx: &mut Tx, project: &Project, segment: &mut Segment) -> Result<()> {
    let count = projects::usage(tx, project.id).await?.segments;
    if project.max_segments_allowed.is_some_and(|most| count >= most) {
        let text = "The project has reached the maximum allowed segments limit.";
        return Err(Error::Rejected(json!({ "project": text })));
    }
    segment.id = segments::insert(tx, segment).await?;
    Ok(())
}

async fn finish_create(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    project: &Project,
    segment: Segment,
) -> Result<SegmentDetails> {
    let change = created(&mut tx, caller, project, &segment).await?;
    let details = describe(&mut tx, segment).await?;
    app.commit(tx, vec![change]).await?;
    Ok(details)
}

/// What the log says of a new segment.
pub(crate) async fn created(
    tx: &mut Tx,
    author: impl Into<Author<'_>>,
    project: &Project,
    segment: &Segment,
) -> Result<NewChange> {
    let change = Change::new(author, Kind::Segment, Action::Create, segment.id)
        .in_project(project)
        .uuid(&segment.uuid)
        .says(format!("New Segment created: {}", segment.name))
        .serves()
        .after(metadata::logged(tx, Owner::Segment(segment.id), as_json(segment)).await?);
    Ok(change.into())
}

/// What the log says of a segment that got lists.
pub(crate) fn became_list(caller: &Caller, project: &Project, segment: &Segment, key: &str) -> NewChange {
    let mut after = as_json(segment);
    after["list"] = json!(key);
    Change::new(caller, Kind::Segment, Action::Update, segment.id)
        .in_project(project)
        .uuid(&segment.uuid)
        .says(format!("Segment updated: {}", segment.name))
        .serves()
        .before(as_json(segment))
        .after(after)
        .into()
}

/// Changes a segment. Rules, when given, replace the present ones; those with a known id keep it.
pub async fn update(
    app: &App,
    caller: &Caller,
    project_id: i64,
    id: i64,
    mut edit: SegmentEdit,
) -> Result<SegmentDetails> {
    let mut tx = app.begin().await?;
    let project = edit_directly(&mut tx, caller, project_id).await?;
    let before = segments::lock(&mut tx, project.id, id)
        .await?
        .ok_or_else(missing)?;
    if edit.name.is_some() || edit.rules.is_some() || edit.feature.is_some() {
        refuse_managed(&before)?;
    }
    let mut segment = before.clone();
    let write = if edit.whole { Write::Whole } else { Write::Part };
    let values = (edit.metadata.take(), write);
    apply(&mut tx, &mut segment, edit).await?;
    segment.updated_at = Timestamp::now().0;
    let change = rewrite(&mut tx, caller, &project, (&before, &segment), values).await?;
    let details = describe(&mut tx, segment).await?;
    app.commit(tx, vec![change]).await?;
    Ok(details)
}

/// Writes a changed segment with its values, in the transaction of a larger act.
pub(crate) async fn rewrite(
    tx: &mut Tx,
    author: impl Into<Author<'_>>,
    project: &Project,
    (before, segment): (&Segment, &Segment),
    (values, write): (Option<Vec<MetadataEdit>>, Write),
) -> Result<NewChange> {
    if segment.rules != before.rules {
        prerequisites::refuse_rules(tx, segment).await?;
    }
    let owner = Owner::Segment(segment.id);
    let was = metadata::logged(tx, owner, as_json(before)).await?;
    metadata::write(tx, project, owner, values, write).await?;
    segments::update(tx, segment).await?;
    let serves = segment.name != before.name
        || segment.rules != before.rules
        || segment.description != before.description
        || segment.feature_id != before.feature_id;
    let change = Change::new(author, Kind::Segment, Action::Update, segment.id)
        .in_project(project)
        .uuid(&segment.uuid)
        .says(format!("Segment updated: {}", segment.name))
        .serves_if(serves)
        .before(was)
        .after(metadata::logged(tx, owner, as_json(segment)).await?);
    Ok(change.into())
}

/// A segment that is managed is used by people and left as it is; it goes with what manages it.
pub(crate) fn refuse_managed(segment: &Segment) -> Result<()> {
    if segment.managed_by.is_empty() {
        return Ok(());
    }
    let text = format!("This segment is managed by a {}.", segment.managed_by);
    Err(Problems::whole(text).into())
}

/// Deletes a segment with its overrides.
pub async fn delete(app: &App, caller: &Caller, project_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let project = edit_directly(&mut tx, caller, project_id).await?;
    let segment = segments::find_in(&mut tx, project.id, id)
        .await?
        .ok_or_else(missing)?;
    refuse_managed(&segment)?;
    let change = remove(&mut tx, caller, &project, &segment).await?;
    app.commit(tx, vec![change]).await
}

/// Deletes a segment with its overrides, in the transaction of a larger act.
pub(crate) async fn remove(
    tx: &mut Tx,
    author: impl Into<Author<'_>>,
    project: &Project,
    segment: &Segment,
) -> Result<NewChange> {
    let mut before = metadata::logged(tx, Owner::Segment(segment.id), as_json(segment)).await?;
    before[KEPT] = kept::of_segment(tx, segment).await?;
    segments::delete(tx, segment.id).await?;
    let change = Change::new(author, Kind::Segment, Action::Delete, segment.id)
        .in_project(project)
        .uuid(&segment.uuid)
        .says(format!("Segment deleted: {}", segment.name))
        .serves()
        .before(before);
    Ok(change.into())
}

pub(crate) async fn apply(tx: &mut Tx, segment: &mut Segment, edit: SegmentEdit) -> Result<()> {
    if let Some(name) = edit.name {
        segment.name = name;
    }
    if let Some(description) = edit.description {
        segment.description = description;
    }
    if let Some(feature) = edit.feature {
        belong_to(tx, segment, feature).await?;
    }
    if let Some(rules) = edit.rules {
        let flags = segment_rules::KnownFlags::read(tx, segment, &rules).await?;
        let is_empty = rules.iter().all(|rule| rule.delete);
        // A list segment may do without.
        if !is_empty || list_segments::of_segment(tx, segment.id).await?.is_none() {
            segment_rules::check(&rules, &flags)?;
        }
        let rules = segment_rules::number(tx, &rules, &segment.parsed_rules()).await?;
        segment.rules = to_text(&rules);
    }
    Ok(())
}

/// Makes the segment one of a single feature, or of none.
async fn belong_to(tx: &mut Tx, segment: &mut Segment, feature: Option<i64>) -> Result<()> {
    if let Some(id) = feature.filter(|_| feature != segment.feature_id) {
        let known = features::find(tx, id).await?;
        if known.is_none_or(|feature| feature.project_id != segment.project_id) {
            let text = format!("Invalid pk \"{id}\" - object does not exist.");
            return Err(Error::field("feature", text));
        }
        require_free_for(tx, segment, id).await?;
    }
    segment.feature_id = feature;
    Ok(())
}

/// Fails when the segment overrides any feature but this one.
pub(crate) async fn require_free_for(tx: &mut Tx, segment: &Segment, feature_id: i64) -> Result<()> {
    if segment.id != 0 && segments::overrides_others(tx, segment.id, feature_id).await? {
        let text = "The segment overrides other features; delete these overrides first.";
        return Err(Error::field("feature", text));
    }
    Ok(())
}

pub(crate) fn to_text(rules: &[Rule]) -> String {
    serde_json::to_string(rules).unwrap_or_else(|_| "[]".to_owned())
}

/// What the change log keeps of a segment.
pub fn as_json(segment: &Segment) -> Value {
    json!({
        "name": segment.name,
        "description": segment.description,
        "feature": segment.feature_id,
        "rules": segment.parsed_rules(),
    })
}

//! List segments: segments with members, by the tens of millions.
//!
//! A list segment is a segment of a project with a key and, in each environment, lists of members: whom it includes and
//! whom it excludes, by context kind. It may have rules as well; the lists come first. Members of kind `user` are
//! identifiers, those of another kind the values of the trait of that name.
//!
//! * [`members`]: adding, removing, looking up.
//! * [`upload`], [`replace`]: files of members, which are written beside the present list and take its place at once.
//! * [`fold`]: keeping the stored form compact.
//! * `pages`: reading a list in order. What a node has in memory is `served/lists.rs`.

pub mod fold;
pub mod members;
pub(crate) mod pages;
pub mod replace;
pub mod upload;

use burgee_model::lists::{self, Side};
use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_model::{Timestamp, limits};
use burgee_store::list_segments as store;
use burgee_store::projects::Project;
use burgee_store::segments::Segment;
use burgee_store::{Tx, segments as segment_rows};

pub use burgee_store::list_segments::{ListSegment, MemberList};

use crate::feature_states::place_by_key;
use crate::{App, Author, Caller, Error, Place, Result, segments};

/// A list segment to be made.
#[derive(Debug, Clone, Default)]
pub struct NewListSegment {
    pub name: String,
    /// Without one, it is made of the name.
    pub key: Option<String>,
    pub description: Option<String>,
    /// Without one: `user`.
    pub context_kind: Option<String>,
    pub unbounded: bool,
    pub tags: Vec<String>,
}

/// A list segment with its lists in one environment.
#[derive(Debug, Clone)]
pub struct ListSegmentHere {
    pub segment: ListSegment,
    pub lists: Vec<MemberList>,
}

impl ListSegmentHere {
    /// How many members a side has, over all context kinds.
    pub fn count(&self, side: Side) -> i64 {
        let lists = self.lists.iter();
        lists
            .filter(|list| list.excluded == (side == Side::Excluded))
            .map(|list| list.members)
            .sum()
    }

    /// Grows with every change of who is in it.
    pub fn version(&self) -> i64 {
        1 + self.lists.iter().map(|list| list.version).sum::<i64>()
    }

    /// When it or one of its lists was changed last.
    pub fn updated_at(&self) -> i64 {
        let lists = self.lists.iter().map(|list| list.updated_at);
        lists.fold(self.segment.updated_at, i64::max)
    }

    /// Whether SDKs that evaluate by themselves get its members, too.
    pub fn is_in_document(&self) -> bool {
        self.lists.iter().map(|list| list.members).sum::<i64>() <= limits::MEMBERS_IN_DOCUMENT
    }
}

pub(crate) fn missing() -> Error {
    Error::no_match("Segment")
}

/// The list segments of a project, for somebody who may see the project.
pub async fn list(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<ListSegment>> {
    let project = segments::enter(tx, caller, project_id, ProjectPermission::ViewProject).await?;
    Ok(store::list(tx, project.id).await?)
}

/// One list segment of a project.
pub async fn get(tx: &mut Tx, caller: &Caller, project_id: i64, key: &str) -> Result<ListSegment> {
    let project = segments::enter(tx, caller, project_id, ProjectPermission::ViewProject).await?;
    store::find(tx, project.id, key).await?.ok_or_else(missing)
}

/// The list segments of an environment's project, with their lists in the environment.
pub async fn list_here(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Vec<ListSegmentHere>> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    all_here(tx, &place).await
}

/// The same for an environment that the caller may see.
pub(crate) async fn all_here(tx: &mut Tx, place: &Place) -> Result<Vec<ListSegmentHere>> {
    let mut lists = store::lists_of_environment(tx, place.environment.id).await?;
    let segments = store::list(tx, place.project.id).await?;
    let here = segments.into_iter().map(|segment| {
        let (own, others) = std::mem::take(&mut lists)
            .into_iter()
            .partition(|list| list.segment_id == segment.segment_id);
        lists = others;
        ListSegmentHere { segment, lists: own }
    });
    Ok(here.collect())
}

/// One list segment with its lists in an environment.
pub async fn get_here(tx: &mut Tx, caller: &Caller, key: &str, segment_key: &str) -> Result<ListSegmentHere> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    one_here(tx, &place, segment_key).await
}

/// The same for an environment that the caller may see.
pub async fn one_here(tx: &mut Tx, place: &Place, segment_key: &str) -> Result<ListSegmentHere> {
    let segment = store::find(tx, place.project.id, segment_key)
        .await?
        .ok_or_else(missing)?;
    let lists = store::lists_of_segment(tx, segment.segment_id, place.environment.id).await?;
    Ok(ListSegmentHere { segment, lists })
}

/// Creates a list segment: it has no rules yet, and nobody is in it.
pub async fn create(app: &App, caller: &Caller, project_id: i64, new: NewListSegment) -> Result<ListSegment> {
    let mut tx = app.begin().await?;
    let project = segments::edit_directly(&mut tx, caller, project_id).await?;
    let (made, change) = insert(&mut tx, caller, &project, new, "").await?;
    app.commit(tx, vec![change]).await?;
    Ok(made)
}

/// Writes a new list segment, in the transaction of a larger act.
pub(crate) async fn insert(
    tx: &mut Tx,
    author: impl Into<Author<'_>>,
    project: &Project,
    new: NewListSegment,
    managed_by: &str,
) -> Result<(ListSegment, burgee_store::changes::NewChange)> {
    let key = free_key(tx, project, &new).await?;
    let context_kind = new.context_kind.unwrap_or_else(|| lists::USER.to_owned());
    if !lists::is_context_kind(&context_kind) {
        let text = "Only letters, digits, dots, hyphens and underscores, beginning with a letter, a digit or an underscore.";
        return Err(Error::field("context_kind", text));
    }
    let mut segment = segments::blank(project.id);
    segment.name = new.name;
    segment.description = new.description;
    managed_by.clone_into(&mut segment.managed_by);
    segments::insert(tx, project, &mut segment).await?;
    let made = ListSegment {
        unbounded: new.unbounded,
        tags: serde_json::to_string(&new.tags).unwrap_or_default(),
        ..list_of(&segment, key, context_kind)
    };
    store::insert(tx, &made).await?;
    let change = segments::created(tx, author, project, &segment).await?;
    Ok((made, change))
}

/// A segment as a list segment without tags.
fn list_of(segment: &Segment, key: String, context_kind: String) -> ListSegment {
    ListSegment {
        segment_id: segment.id,
        project_id: segment.project_id,
        uuid: segment.uuid.clone(),
        key,
        name: segment.name.clone(),
        description: segment.description.clone(),
        managed_by: segment.managed_by.clone(),
        context_kind,
        unbounded: false,
        tags: "[]".to_owned(),
        created_at: segment.created_at,
        updated_at: segment.updated_at,
    }
}

/// The key that is asked for, when nobody has it; else one made of the name, with a number if need be.
async fn free_key(tx: &mut Tx, project: &Project, new: &NewListSegment) -> Result<String> {
    if let Some(key) = &new.key {
        if !lists::is_key(key) {
            let text = "Only letters, digits, dots, hyphens and underscores, beginning with a letter, a digit or an underscore.";
            return Err(Error::field("key", text));
        }
        if store::find(tx, project.id, key).await?.is_some() {
            return Err(Error::field("key", "A list segment of the project has this key."));
        }
        return Ok(key.clone());
    }
    let slug = match lists::slug(&new.name) {
        slug if slug.is_empty() => "list".to_owned(),
        slug => slug,
    };
    let taken: Vec<String> = store::list(tx, project.id)
        .await?
        .into_iter()
        .map(|segment| segment.key)
        .collect();
    let numbered = (2..).map(|number| {
        format!(
            "{}-{number}",
            &slug[..slug.len().min(limits::LIST_KEY_LENGTH - 8)]
        )
    });
    let mut candidates = std::iter::once(slug.clone()).chain(numbered);
    let free = candidates.find(|candidate| !taken.contains(candidate));
    Ok(free.unwrap_or(slug))
}

/// Turns a segment that has rules into a list segment: its rules hold for whom its lists say nothing of.
pub async fn adopt(
    app: &App,
    caller: &Caller,
    project_id: i64,
    segment_id: i64,
    key: Option<String>,
    context_kind: Option<String>,
) -> Result<ListSegment> {
    let mut tx = app.begin().await?;
    let project = segments::edit_directly(&mut tx, caller, project_id).await?;
    let segment = segment_rows::lock(&mut tx, project.id, segment_id)
        .await?
        .ok_or_else(|| Error::no_such("segment", segment_id))?;
    segments::refuse_managed(&segment)?;
    if store::of_segment(&mut tx, segment.id).await?.is_some() {
        return Err(Error::field("segment", "The segment is a list segment already."));
    }
    let new = NewListSegment {
        name: segment.name.clone(),
        key,
        ..NewListSegment::default()
    };
    let key = free_key(&mut tx, &project, &new).await?;
    let context_kind = context_kind.unwrap_or_else(|| lists::USER.to_owned());
    if !lists::is_context_kind(&context_kind) {
        return Err(Error::field("context_kind", "Not a name of a context kind."));
    }
    let made = ListSegment {
        created_at: Timestamp::now().0,
        ..list_of(&segment, key, context_kind)
    };
    store::insert(&mut tx, &made).await?;
    let change = segments::became_list(caller, &project, &segment, &made.key);
    app.commit(tx, vec![change]).await?;
    Ok(made)
}

//! `…/list-segments/`: segments with lists of members, in a project and in its environments

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::list_segments::{self, ListSegment, ListSegmentHere, MemberList, NewListSegment};
use burgee_model::lists::Side;
use burgee_model::{Timestamp, limits};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Pk, Text};
use crate::input;
use crate::page::{Page, Paging};
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_list_segments, create_list_segment))
        .routes(routes!(get_list_segment))
        .routes(routes!(list_environment_list_segments))
        .routes(routes!(get_environment_list_segment))
}

/// A segment that has lists of members. Its name, description and rules are those of the segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListSegmentView {
    /// The segment, for overrides and for everything else that segments can do.
    pub segment: i64,
    pub uuid: String,
    /// What conditions of other segments call it: `$.lists.<key>`.
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    /// What keeps its members, when it is not people: `cohort`.
    pub managed_by: String,
    /// Whom members stand for, where nothing else is said: `user` means identifiers, anything else the trait of that name.
    pub context_kind: String,
    /// Whether other programs are told that it is too large to be read member by member.
    pub unbounded: bool,
    pub tags: Vec<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl From<ListSegment> for ListSegmentView {
    fn from(segment: ListSegment) -> Self {
        Self {
            segment: segment.segment_id,
            uuid: segment.uuid,
            key: segment.key,
            name: segment.name,
            description: segment.description,
            managed_by: segment.managed_by,
            context_kind: segment.context_kind,
            unbounded: segment.unbounded,
            tags: serde_json::from_str(&segment.tags).unwrap_or_default(),
            created_at: Timestamp(segment.created_at).rest(),
            updated_at: Timestamp(segment.updated_at).rest(),
        }
    }
}

/// A list of members in one environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberListView {
    /// `included` or `excluded`.
    pub side: &'static str,
    pub context_kind: String,
    pub members: i64,
    /// Grows with every change of who is in it.
    pub version: i64,
    pub updated_at: String,
}

impl From<MemberList> for MemberListView {
    fn from(list: MemberList) -> Self {
        let side = if list.excluded {
            Side::Excluded
        } else {
            Side::Included
        };
        Self {
            side: side.as_str(),
            context_kind: list.context_kind,
            members: list.members,
            version: list.version,
            updated_at: Timestamp(list.updated_at).rest(),
        }
    }
}

/// A list segment in one environment: how many are in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListSegmentHereView {
    pub segment: i64,
    pub key: String,
    pub name: String,
    pub managed_by: String,
    pub context_kind: String,
    /// Members over all lists that include.
    pub included: i64,
    /// Members over all lists that exclude.
    pub excluded: i64,
    /// Grows with every change of who is in it.
    pub version: i64,
    pub updated_at: String,
    /// Whether SDKs that evaluate by themselves know its members: larger segments are evaluated by the server only.
    pub in_document: bool,
    pub lists: Vec<MemberListView>,
}

impl From<ListSegmentHere> for ListSegmentHereView {
    fn from(here: ListSegmentHere) -> Self {
        Self {
            included: here.count(Side::Included),
            excluded: here.count(Side::Excluded),
            version: here.version(),
            updated_at: Timestamp(here.updated_at()).rest(),
            in_document: here.is_in_document(),
            segment: here.segment.segment_id,
            key: here.segment.key,
            name: here.segment.name,
            managed_by: here.segment.managed_by,
            context_kind: here.segment.context_kind,
            lists: here.lists.into_iter().map(MemberListView::from).collect(),
        }
    }
}

input! {
    /// A list segment to be created, or a segment with rules that is to have lists as well.
    pub struct ListSegmentBody {
        /// A segment that is there already; it keeps its name and its rules.
        pub segment: Option<Pk>,
        /// Needed unless a segment is given.
        pub name: Option<Text<2000>>,
        /// Letters, digits, dots, hyphens and underscores. Without one, it is made of the name.
        pub key: Option<Text<{ limits::LIST_KEY_LENGTH }>>,
        pub description: Option<Blank<20000>>,
        /// `user` unless given.
        pub context_kind: Option<Text<{ limits::CONTEXT_KIND_LENGTH }>>,
        /// Whether other programs are told that it is too large to be read member by member.
        pub unbounded: Option<bool>,
    }
}

/// The list segments of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/list-segments/", tag = "list segments",
    responses((status = 200, body = Page<ListSegmentView>)))]
async fn list_list_segments(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<ListSegmentView>>> {
    let mut tx = app.db().read().await?;
    let found = list_segments::list(&mut tx, &caller, project_id).await?;
    Ok(Json(paging.cut(found)?.map(ListSegmentView::from)))
}

/// Creates a list segment without members, or gives lists to a segment that has rules.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/list-segments/", tag = "list segments",
    request_body = ListSegmentBody, responses((status = 201, body = ListSegmentView)))]
async fn create_list_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<ListSegmentView>)> {
    burgee_app::segments::require_manage(&app, &caller, project_id).await?;
    let input: ListSegmentBody = body.parse()?;
    let key = input.key.map(|key| key.0);
    let context_kind = input.context_kind.map(|kind| kind.0);
    let made = match (input.segment, input.name) {
        (Some(segment), _) => {
            list_segments::adopt(&app, &caller, project_id, segment.0, key, context_kind).await?
        }
        (None, None) => {
            let is_null = body.0.get("name").is_some();
            let text = if is_null {
                "This field may not be null."
            } else {
                "This field is required."
            };
            return Err(burgee_app::Error::field("name", text).into());
        }
        (None, Some(name)) => {
            let new = NewListSegment {
                name: name.0,
                key,
                description: input.description.map(|text| text.0),
                context_kind,
                unbounded: input.unbounded.unwrap_or(false),
                tags: Vec::new(),
            };
            list_segments::create(&app, &caller, project_id, new).await?
        }
    };
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One list segment of a project, by its key.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/list-segments/{segment_key}/", tag = "list segments",
    responses((status = 200, body = ListSegmentView)))]
async fn get_list_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, key)): Path<(i64, String)>,
) -> ApiResult<Json<ListSegmentView>> {
    let mut tx = app.db().read().await?;
    let found = list_segments::get(&mut tx, &caller, project_id, &key).await?;
    Ok(Json(found.into()))
}

/// The list segments of an environment's project, and how many members they have in this environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/list-segments/", tag = "list segments",
    responses((status = 200, body = Page<ListSegmentHereView>)))]
async fn list_environment_list_segments(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    paging: Paging,
) -> ApiResult<Json<Page<ListSegmentHereView>>> {
    let mut tx = app.db().read().await?;
    let found = list_segments::list_here(&mut tx, &caller, &key).await?;
    Ok(Json(paging.cut(found)?.map(ListSegmentHereView::from)))
}

/// One list segment, and how many members it has in this environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/list-segments/{segment_key}/",
    tag = "list segments", responses((status = 200, body = ListSegmentHereView)))]
async fn get_environment_list_segment(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, segment)): Path<(String, String)>,
) -> ApiResult<Json<ListSegmentHereView>> {
    let mut tx = app.db().read().await?;
    let found = list_segments::get_here(&mut tx, &caller, &key, &segment).await?;
    Ok(Json(found.into()))
}

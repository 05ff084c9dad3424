//! `/api/v1/organisations/{organisation_id}/audience-sync/{kind}/`: sources, models, destinations, channels and syncs;
//! and all of them as one document.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use burgee_app::audience_syncs::document::{self, Applied, ApplyOptions};
use burgee_app::audience_syncs::objects::{self, At, Object, ObjectKind};
use burgee_app::{App, Error};
use burgee_model::Timestamp;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::body::Body;
use crate::caller::Signed;
use crate::choices;
use crate::error::{ApiError, ApiResult};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_audience_sync_document, apply_audience_sync_document))
        .routes(routes!(list_audience_sync_objects))
        .routes(routes!(
            get_audience_sync_object,
            put_audience_sync_object,
            delete_audience_sync_object
        ))
}

choices! {
    /// What an object is: the word of a file under which it stands.
    pub enum AudienceSyncKind {
        Sources = "sources",
        Models = "models",
        Destinations = "destinations",
        Channels = "channels",
        Syncs = "syncs",
    }
}

impl From<ObjectKind> for AudienceSyncKind {
    fn from(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Source => Self::Sources,
            ObjectKind::Model => Self::Models,
            ObjectKind::Destination => Self::Destinations,
            ObjectKind::Channel => Self::Channels,
            ObjectKind::Sync => Self::Syncs,
        }
    }
}

/// A source, model, destination, channel or sync.
#[derive(Debug, Serialize, ToSchema)]
pub struct AudienceSyncObjectView {
    #[schema(inline)]
    pub kind: AudienceSyncKind,
    pub name: String,
    /// As in a file (docs/audience-sync.md); secrets are hidden by `********`.
    #[schema(value_type = Object)]
    pub content: Value,
    pub updated_at: String,
    /// When a sync with a schedule runs next.
    pub next_run_at: Option<String>,
}

impl From<Object> for AudienceSyncObjectView {
    fn from(object: Object) -> Self {
        Self {
            kind: object.kind.into(),
            name: object.name,
            content: object.content,
            updated_at: Timestamp(object.updated_at).rest(),
            next_run_at: object.due_at.map(|at| Timestamp(at).rest()),
        }
    }
}

/// What a document changed, each object by its place: `syncs.daily`.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedView {
    pub created: Vec<String>,
    pub updated: Vec<String>,
    pub deleted: Vec<String>,
    pub unchanged: Vec<String>,
    pub dry_run: bool,
}

fn applied(done: Applied, dry_run: bool) -> AppliedView {
    AppliedView {
        created: done.created,
        updated: done.updated,
        deleted: done.deleted,
        unchanged: done.unchanged,
        dry_run,
    }
}

fn kind_of(word: &str) -> ApiResult<ObjectKind> {
    ObjectKind::of_section(word).ok_or_else(ApiError::not_found)
}

/// The objects of one kind, by name.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audience-sync/{kind}/", tag = "audience sync",
    params(("kind" = inline(AudienceSyncKind), Path)), responses((status = 200, body = Page<AudienceSyncObjectView>)))]
async fn list_audience_sync_objects(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, kind)): Path<(OrganisationId, String)>,
    paging: Paging,
) -> ApiResult<Json<Page<AudienceSyncObjectView>>> {
    let found = objects::list(&app, &caller, organisation.get()?, kind_of(&kind)?).await?;
    Ok(Json(paging.cut(found.into_iter().map(Into::into).collect())?))
}

/// One object.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/",
    tag = "audience sync", params(("kind" = inline(AudienceSyncKind), Path)),
    responses((status = 200, body = AudienceSyncObjectView)))]
async fn get_audience_sync_object(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, kind, name)): Path<(OrganisationId, String, String)>,
) -> ApiResult<Json<AudienceSyncObjectView>> {
    let at = At {
        organisation_id: organisation.get()?,
        kind: kind_of(&kind)?,
        name: &name,
    };
    Ok(Json(objects::get(&app, &caller, at).await?.into()))
}

/// Makes an object, or replaces it. All syncs must be right with it; a secret that is hidden stays as it is.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/",
    tag = "audience sync", params(("kind" = inline(AudienceSyncKind), Path)),
    request_body(content = Object, description = "As in a file: docs/audience-sync.md"),
    responses((status = 200, body = AudienceSyncObjectView), (status = 201, body = AudienceSyncObjectView)))]
async fn put_audience_sync_object(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, kind, name)): Path<(OrganisationId, String, String)>,
    Body(content): Body,
) -> ApiResult<(StatusCode, Json<AudienceSyncObjectView>)> {
    let at = At {
        organisation_id: organisation.get()?,
        kind: kind_of(&kind)?,
        name: &name,
    };
    let (object, new) = objects::put(&app, &caller, at, content).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(object.into())))
}

/// Deletes an object that no other refers to. With a sync goes what is remembered of it.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/audience-sync/{kind}/{name}/",
    tag = "audience sync", params(("kind" = inline(AudienceSyncKind), Path)),
    responses((status = 204), (status = 409, description = "The sync is running")))]
async fn delete_audience_sync_object(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, kind, name)): Path<(OrganisationId, String, String)>,
) -> ApiResult<StatusCode> {
    let at = At {
        organisation_id: organisation.get()?,
        kind: kind_of(&kind)?,
        name: &name,
    };
    objects::delete(&app, &caller, at).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything as one document: the file that `burgee sync` reads, its secrets hidden.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audience-sync/document/", tag = "audience sync",
    responses((status = 200, content((Object = "application/yaml"), (Object = "application/json")),
        description = "YAML; JSON for those that accept only that")))]
async fn get_audience_sync_document(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation): Path<OrganisationId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let document = document::get(&app, &caller, organisation.get()?).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts == Some("application/json") {
        return Ok(Json(document).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/yaml")];
    Ok((kind, document::as_yaml(&document)?).into_response())
}

/// Puts a document in, all of it or nothing. What it does not have stays, unless `prune` says otherwise.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/audience-sync/document/", tag = "audience sync",
    params(("dry_run" = Option<bool>, Query, description = "Only tell what would change"),
        ("prune" = Option<bool>, Query, description = "Delete what the document does not have")),
    request_body(content((Object = "application/yaml"), (Object = "application/json"))),
    responses((status = 200, body = AppliedView), (status = 409, description = "A sync to delete is running")))]
async fn apply_audience_sync_document(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation): Path<OrganisationId>,
    query: Query,
    body: Bytes,
) -> ApiResult<Json<AppliedView>> {
    let options = ApplyOptions {
        dry_run: query.truth("dry_run").unwrap_or_default(),
        prune: query.truth("prune").unwrap_or_default(),
    };
    let text = std::str::from_utf8(&body).map_err(|_| Error::detail("This is no UTF-8."))?;
    let given = document::from_yaml(text)?;
    let done = document::apply(&app, &caller, organisation.get()?, given, options).await?;
    Ok(Json(applied(done, options.dry_run)))
}

//! `/api/v1/environments/{environment_key}/cohorts/`

use axum::Json;
use axum::body::Body as FileBody;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::{HeaderMap, StatusCode, header};
use burgee_app::App;
use burgee_app::Error;
use burgee_app::cohorts::{self, Cohort};
use burgee_app::list_segments::replace::Mode;
use burgee_app::list_segments::upload::{self, Watch};
use burgee_app::pii::Entrance;
use burgee_model::lists::USER;
use burgee_model::{Timestamp, limits};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Text};
use crate::input;
use crate::management::list_members::{MembersChanged, MembersUploaded};
use crate::params::Path;
use crate::upload::received;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    let files = OpenApiRouter::new()
        .routes(routes!(upload_cohort))
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .routes(routes!(list_cohorts, create_cohort))
        .routes(routes!(get_cohort, delete_cohort))
        .routes(routes!(add_cohort_members))
        .routes(routes!(remove_cohort_members))
        .merge(files)
}

/// A list of identities that is kept elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct CohortView {
    pub id: i64,
    pub uuid: String,
    pub name: String,
    pub description: Option<String>,
    /// The segment of those in it.
    pub segment: i64,
    #[schema(value_type = crate::words::CohortSource)]
    pub source_type: String,
    pub version: i64,
    pub created_at: String,
}

impl From<Cohort> for CohortView {
    fn from(Cohort { cohort, version }: Cohort) -> Self {
        Self {
            id: cohort.id,
            uuid: cohort.uuid,
            name: cohort.name,
            description: cohort.description,
            segment: cohort.segment_id,
            source_type: cohort.source_type,
            version,
            created_at: Timestamp(cohort.created_at).rest(),
        }
    }
}

input! {
    /// A cohort to be created.
    pub struct CohortBody {
        pub name: Text<2000>,
        pub description: Option<Blank<20000>>,
    }
}

/// The cohorts of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/cohorts/", tag = "cohorts",
    responses((status = 200, body = Vec<CohortView>)))]
async fn list_cohorts(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<Vec<CohortView>>> {
    let mut tx = app.db().read().await?;
    let found = cohorts::list(&mut tx, &caller, &key).await?;
    Ok(Json(found.into_iter().map(CohortView::from).collect()))
}

/// Creates a cohort with the segment that targets it.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/cohorts/", tag = "cohorts",
    request_body = CohortBody, responses((status = 201, body = CohortView)))]
async fn create_cohort(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<CohortView>)> {
    let input: CohortBody = body.parse()?;
    let description = input.description.map(|text| text.0);
    let made = cohorts::create(&app, &caller, &key, input.name.0, description).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// One cohort.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/cohorts/{cohort_id}/", tag = "cohorts",
    responses((status = 200, body = CohortView)))]
async fn get_cohort(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<CohortView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(cohorts::get(&mut tx, &caller, &key, id).await?.into()))
}

/// Deletes a cohort with its segment.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/cohorts/{cohort_id}/", tag = "cohorts",
    responses((status = 202)))]
async fn delete_cohort(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    cohorts::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Takes a CSV file of identifiers: from then on they, and nobody else, are in the cohort.
///
/// The file is the body, or the field `file` of a form.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/cohorts/{cohort_id}/upload/", tag = "cohorts",
    request_body(content((String = "text/csv"), (String = "multipart/form-data"))),
    responses((status = 200, body = MembersUploaded), (status = 409, description = "The cohort was rewritten meanwhile")))]
async fn upload_cohort(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    headers: HeaderMap,
    request: axum::extract::Request,
) -> ApiResult<Json<MembersUploaded>> {
    let guard = cohorts::require_upload(&app, &caller, &key, id).await?;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("multipart/form-data"));
    let body = if is_form {
        in_form(request).await?
    } else {
        request.into_body()
    };
    let file = received(body, limits::MEMBERS_FILE_BYTES).await?;
    let watch = guard.map(|guard| Watch {
        guard,
        context_kind: USER.to_owned(),
        mode: Mode::Replace,
        entrance: Entrance::Cohorts,
    });
    let read = tokio::task::spawn_blocking(move || upload::read(file, None, watch)).await;
    let file = read.map_err(|error| Error::Internal(error.to_string()))??;
    Ok(Json(cohorts::upload(&app, &caller, &key, id, file).await?.into()))
}

/// The file of a form. It is held in memory, and so no larger than other bodies.
async fn in_form(request: axum::extract::Request) -> Result<FileBody, Error> {
    let wrong = || Error::field("file", "No file was submitted.");
    let mut form = <Multipart as axum::extract::FromRequest<()>>::from_request(request, &())
        .await
        .map_err(|_| wrong())?;
    while let Some(mut field) = form.next_field().await.map_err(|_| wrong())? {
        if field.name() != Some("file") {
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(|_| wrong())? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > limits::BODY_BYTES {
                return Err(Error::field(
                    "file",
                    "The file is too large for a form: send it as the body.",
                ));
            }
        }
        return Ok(FileBody::from(bytes));
    }
    Err(wrong())
}

input! {
    /// Identities that come into a cohort, or leave it.
    pub struct CohortMembersBody {
        /// At most 10,000.
        pub identifiers: Vec<Text<{ limits::IDENTIFIER_LENGTH }>>,
    }
}

/// The key in the `Authorization` header, behind the word `Bearer`.
fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    key.map(|(_, key)| key.trim())
        .ok_or(ApiError(Error::Unauthenticated(
            "Authentication credentials were not provided.",
        )))
}

/// Puts identities into a cohort, as other programs keep it in step. Whoever is in stays in.
///
/// Signed with a server-side key of the cohort's environment, or an organisation's key.
#[utoipa::path(post, path = "/api/v1/cohort-sync/webhook/cohorts/{cohort_uuid}/members/add/", tag = "cohorts",
    request_body = CohortMembersBody, responses((status = 200, body = MembersChanged)))]
async fn add_cohort_members(
    State(app): State<App>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<MembersChanged>> {
    sync_members(&app, &headers, &uuid, &body, true).await
}

/// Takes identities out of a cohort.
#[utoipa::path(post, path = "/api/v1/cohort-sync/webhook/cohorts/{cohort_uuid}/members/remove/", tag = "cohorts",
    request_body = CohortMembersBody, responses((status = 200, body = MembersChanged)))]
async fn remove_cohort_members(
    State(app): State<App>,
    Path(uuid): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<MembersChanged>> {
    sync_members(&app, &headers, &uuid, &body, false).await
}

async fn sync_members(
    app: &App,
    headers: &HeaderMap,
    uuid: &str,
    body: &Body,
    present: bool,
) -> ApiResult<Json<MembersChanged>> {
    let key = bearer(headers)?;
    let named = body.0.get("identifiers").and_then(serde_json::Value::as_array);
    let wrong = match named.map(Vec::len) {
        Some(0) => Some("This list may not be empty.".to_owned()),
        Some(count) if count > limits::MEMBERS_PER_REQUEST => Some(format!(
            "Ensure this field has no more than {} elements.",
            limits::MEMBERS_PER_REQUEST
        )),
        _ => None,
    };
    if let Some(text) = wrong {
        return Err(Error::field("identifiers", text).into());
    }
    let input: CohortMembersBody = body.parse()?;
    let identifiers = input.identifiers.into_iter().map(|identifier| identifier.0);
    let counts = cohorts::sync(app, key, uuid, identifiers.collect(), present).await?;
    Ok(Json(counts.into()))
}

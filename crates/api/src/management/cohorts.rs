//! `/api/v1/environments/{environment_key}/cohorts/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::cohorts::{self, Cohort};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Text};
use crate::input;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_cohorts, create_cohort))
        .routes(routes!(get_cohort, delete_cohort))
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
    #[schema(example = "csv")]
    pub source_type: String,
    pub version: i64,
    pub created_at: String,
}

impl From<Cohort> for CohortView {
    fn from(cohort: Cohort) -> Self {
        Self {
            id: cohort.id,
            uuid: cohort.uuid,
            name: cohort.name,
            description: cohort.description,
            segment: cohort.segment_id,
            source_type: cohort.source_type,
            version: cohort.version,
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

/// Asks for a cohort to go: first identities lose its mark, then it goes with its segment.
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

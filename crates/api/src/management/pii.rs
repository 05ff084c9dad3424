//! `/api/v1/projects/{id}/pii-findings/`: how often personal data was found, and where.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::pii::{self, Finding};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::projects::PiiMode;
use crate::caller::Signed;
use crate::choices;
use crate::error::ApiResult;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_pii_findings, clear_pii_findings))
}

choices! {
    /// A kind of personal data.
    pub enum PiiKind { Email = "email", Phone = "phone", Card = "card", Iban = "iban", Ip = "ip" }
}

/// How often personal data of one kind was found at one place. What it was is kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct PiiFinding {
    /// What it came in by: `identities`, `traits`, `list-members` and so on.
    pub entrance: String,
    /// The field it stood in.
    pub field: String,
    /// The key of the trait, or the context kind of the list; empty where there is none, and where it was not kept.
    pub name: String,
    #[schema(value_type = PiiKind)]
    pub kind: String,
    /// What was done about it.
    #[schema(value_type = PiiMode)]
    pub mode: String,
    pub count: i64,
    pub first_at: String,
    pub last_at: String,
}

impl From<Finding> for PiiFinding {
    fn from(finding: Finding) -> Self {
        Self {
            entrance: finding.entrance,
            field: finding.field,
            name: finding.name,
            kind: finding.kind,
            mode: finding.mode,
            count: finding.count,
            first_at: Timestamp(finding.first_at).iso(),
            last_at: Timestamp(finding.last_at).iso(),
        }
    }
}

/// How often personal data was found in what was to be stored, and where; the most frequent first. For administrators of
/// the project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/pii-findings/", tag = "projects",
    responses((status = 200, body = Vec<PiiFinding>)))]
async fn list_pii_findings(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<Vec<PiiFinding>>> {
    let found = pii::findings(&app, &caller, id).await?;
    Ok(Json(found.into_iter().map(PiiFinding::from).collect()))
}

/// Begins to count anew.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/pii-findings/", tag = "projects",
    responses((status = 204)))]
async fn clear_pii_findings(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    pii::clear(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

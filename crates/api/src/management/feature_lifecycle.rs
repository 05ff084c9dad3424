//! `/api/v1/environments/{environment_id}/feature-lifecycle-counts/`

use axum::Json;
use axum::extract::State;
use burgee_app::App;
use burgee_app::feature_lifecycle::{self, Stage};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Signed;
use crate::error::ApiResult;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_feature_lifecycle_counts))
}

/// How many features are at each stage of their life.
#[derive(Debug, Serialize, ToSchema)]
pub struct LifecycleCounts {
    /// Neither asked for nor found in code yet.
    pub new: i64,
    /// In use, or in code.
    pub live: i64,
    /// Not changed for as long as the project allows.
    pub stale: i64,
    /// Meant to stay, as a permanent tag says.
    pub permanent: i64,
    /// Stale and in no code any more, but still asked for.
    pub needs_monitoring: i64,
    /// Stale, in no code and not asked for.
    pub to_remove: i64,
}

/// How many features are at each stage of their life in an environment (its numeric id).
#[utoipa::path(get, path = "/api/v1/environments/{environment_id}/feature-lifecycle-counts/", tag = "features",
    responses((status = 200, body = LifecycleCounts)))]
async fn get_feature_lifecycle_counts(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(environment_id): Path<i64>,
) -> ApiResult<Json<LifecycleCounts>> {
    let mut tx = app.db().read().await?;
    let counts = feature_lifecycle::counts(&mut tx, &caller, environment_id).await?;
    let count = |stage: Stage| counts.get(&stage).copied().unwrap_or_default();
    Ok(Json(LifecycleCounts {
        new: count(Stage::New),
        live: count(Stage::Live),
        stale: count(Stage::Stale),
        permanent: count(Stage::Permanent),
        needs_monitoring: count(Stage::NeedsMonitoring),
        to_remove: count(Stage::ToRemove),
    }))
}

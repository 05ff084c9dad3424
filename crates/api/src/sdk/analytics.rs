//! `/api/v1/analytics/`, `/api/v2/analytics/`: how often flags were evaluated.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::sdk::analytics::{self, Evaluations};
use burgee_model::{Problems, limits};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::key::EnvironmentKey;
use super::shapes::EvaluationCounts;
use crate::body::Body;
use crate::error::ApiError;
use crate::fields::{Given, Text};
use crate::input;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(report_evaluations))
        .routes(routes!(report_evaluations_v2))
}

/// `{"feature name": count, …}`. What is no count of a known feature is passed over.
#[utoipa::path(post, path = "/api/v1/analytics/flags/", tag = "sdk",
    request_body = EvaluationCounts, responses((status = 200, description = "Counted")))]
async fn report_evaluations(
    State(app): State<App>,
    key: EnvironmentKey,
    body: Body,
) -> Result<Response, ApiError> {
    let counts = body
        .0
        .as_object()
        .ok_or_else(|| ApiError::invalid(Problems::whole("Expected a JSON object.")))?;
    let evaluations = counts.iter().filter_map(|(name, count)| {
        Some(Evaluations {
            feature_name: name.clone(),
            count: count.as_i64()?,
            identity_identifier: None,
            enabled_when_evaluated: None,
        })
    });
    analytics::record(&app, &key.snapshot(), evaluations.collect()).await?;
    Ok(StatusCode::OK.into_response())
}

input! {
    /// One count of evaluations.
    pub struct EvaluationBody {
        pub feature_name: Text<{ limits::FEATURE_NAME_LENGTH }>,
        pub identity_identifier: Given<Text<{ limits::IDENTIFIER_LENGTH }>>,
        pub enabled_when_evaluated: bool,
        pub count: i64,
    }
}

input! {
    /// Counts of evaluations, by identity and state.
    pub struct EvaluationsBody {
        pub evaluations: Vec<EvaluationBody>,
    }
}

/// Counts by feature, identity and state.
#[utoipa::path(post, path = "/api/v2/analytics/flags/", tag = "sdk", request_body = EvaluationsBody,
    responses((status = 204)))]
async fn report_evaluations_v2(
    State(app): State<App>,
    key: EnvironmentKey,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let input: EvaluationsBody = body.parse()?;
    let evaluations = input.evaluations.into_iter().map(|e| Evaluations {
        feature_name: e.feature_name.0,
        count: e.count,
        identity_identifier: e.identity_identifier.0.map(|t| t.0),
        enabled_when_evaluated: Some(e.enabled_when_evaluated),
    });
    analytics::record(&app, &key.snapshot(), evaluations.collect()).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/api/v1/analytics/telemetry/`: what other installations tell of themselves.

use axum::Json;
use axum::http::StatusCode;
use burgee_app::App;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::ClientAddress;
use crate::error::ApiResult;
use crate::fields::Text;
use crate::input;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(report_telemetry))
}

input! {
    /// How much an installation holds.
    pub struct TelemetryBody {
        pub organisations: i64,
        pub projects: i64,
        pub environments: i64,
        pub features: i64,
        pub segments: i64,
        pub users: i64,
        pub debug_enabled: bool,
        pub env: Text<255>,
    }
}

/// How much an installation holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct TelemetryView {
    pub organisations: i64,
    pub projects: i64,
    pub environments: i64,
    pub features: i64,
    pub segments: i64,
    pub users: i64,
    pub debug_enabled: bool,
    pub env: String,
}

/// Takes what another installation tells of itself, and writes it to the log, with the address it came from.
#[utoipa::path(post, path = "/api/v1/analytics/telemetry/", tag = "telemetry", security(()),
    request_body = TelemetryBody, responses((status = 201, body = TelemetryView)))]
async fn report_telemetry(
    ClientAddress(address): ClientAddress,
    body: Body,
) -> ApiResult<(StatusCode, Json<TelemetryView>)> {
    let told: TelemetryBody = body.parse()?;
    tracing::info!(
        address = address.map(tracing::field::display),
        organisations = told.organisations,
        projects = told.projects,
        environments = told.environments,
        features = told.features,
        segments = told.segments,
        users = told.users,
        env = told.env.0,
        "telemetry of an installation"
    );
    let view = TelemetryView {
        organisations: told.organisations,
        projects: told.projects,
        environments: told.environments,
        features: told.features,
        segments: told.segments,
        users: told.users,
        debug_enabled: told.debug_enabled,
        env: told.env.0,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

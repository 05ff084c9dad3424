//! The OpenAPI document, made of what the handlers say of themselves.

use burgee_app::App;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// What every operation shares.
#[derive(Debug, OpenApi)]
#[openapi(info(
    title = "Burgee",
    description = "Feature flags, remote configuration and audiences. Compatible with the Flagsmith REST API.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
), tags(
    (name = "sdk", description = "What SDKs ask: flags, identities, the environment document, realtime, analytics"),
    (name = "ofrep", description = "OpenFeature's remote evaluation protocol"),
))]
struct Document;

/// All routes that the document describes, with their handlers.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(crate::management::router())
        .merge(crate::scim::router())
        .merge(crate::sdk::router())
}

/// The document, without a running server.
pub fn document() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

/// The document as text, the way `docs/openapi.json` holds it.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

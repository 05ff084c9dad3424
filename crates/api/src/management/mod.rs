//! The management API: a file per noun with its types, its handlers and its own `router()`.

pub mod projects;

use burgee_app::App;
use utoipa_axum::router::OpenApiRouter;

/// Every noun's routes. Adding a noun is one line here.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(projects::router())
}

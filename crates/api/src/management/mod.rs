//! The management API: a file per noun with its types, its handlers and its own `router()`.

pub mod environments;
pub mod identities;
pub mod projects;
pub mod segment_rules;
pub mod segments;
pub mod server_keys;
pub mod traits;

use burgee_app::App;
use utoipa_axum::router::OpenApiRouter;

/// Every noun's routes. Adding a noun is one line here.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(environments::router())
        .merge(identities::router())
        .merge(projects::router())
        .merge(segments::router())
        .merge(server_keys::router())
        .merge(traits::router())
}

//! The management API: a file per noun with its types, its handlers and its own `router()`.

pub mod grants;
pub mod groups;
pub mod invites;
pub mod master_api_keys;
pub mod members;
pub mod organisations;
pub mod permissions;
pub mod projects;
pub mod sessions;
pub mod setup;
pub mod usage;
pub mod users;

use burgee_app::App;
use utoipa_axum::router::OpenApiRouter;

/// Every noun's routes. Adding a noun is one line here.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(groups::router())
        .merge(invites::router())
        .merge(master_api_keys::router())
        .merge(members::router())
        .merge(organisations::router())
        .merge(permissions::router())
        .merge(projects::router())
        .merge(sessions::router())
        .merge(setup::router())
        .merge(usage::router())
        .merge(users::router())
}

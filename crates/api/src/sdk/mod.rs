//! The SDK API: what applications ask, all day, from memory.
//!
//! Paths, fields and statuses are those of Flagsmith's SDK API; `docs/compatibility.md` lists where an answer differs
//! on purpose.

pub mod analytics;
pub mod document;
pub mod flags;
pub mod identities;
pub mod key;
pub mod ofrep;
pub mod realtime;
pub mod shapes;
pub mod traits;

use burgee_app::App;
use utoipa_axum::router::OpenApiRouter;

pub use key::EnvironmentKey;

/// The routes of the SDK API.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(flags::router())
        .merge(identities::router())
        .merge(traits::router())
        .merge(document::router())
        .merge(analytics::router())
        .merge(realtime::router())
        .merge(ofrep::router())
}

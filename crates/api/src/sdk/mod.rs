//! The SDK API: what applications ask, all day, from memory.

use axum::Router;
use burgee_app::App;

/// The routes of the SDK API.
pub fn router(_app: &App) -> Router<App> {
    Router::new()
}

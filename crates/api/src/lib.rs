//! HTTP: the management API, the SDK API and what surrounds them.
//!
//! A handler reads the request, calls one act of `app` and writes the answer; it holds no rule and no SQL.
//!
//! * [`management`]: a file per noun with its types, handlers and its own `router()`.
//! * [`launch_darkly`]: list segments as LaunchDarkly's API has them.
//! * [`scim`]: what identity providers ask.
//! * [`sdk`]: the hot path: flags, identities, the environment document, realtime, OFREP, analytics intake.
//!
//! To add an endpoint: the act in `app`, the handler and one line of `router()` in the noun's file here, a test,
//! and a fresh `docs/openapi.json` (`burgee openapi > docs/openapi.json`).

pub mod body;
pub mod caller;
pub mod cookies;
pub mod dashboard;
pub mod docs;
pub mod error;
pub mod fields;
pub mod headers;
pub mod instance;
pub mod launch_darkly;
pub mod management;
pub mod openapi;
mod overrides;
pub mod page;
pub mod params;
pub mod scim;
pub mod sdk;
mod upload;
pub mod words;

use axum::Router;
use burgee_app::App;

pub use error::{ApiError, ApiResult};

/// Everything Burgee answers over HTTP. `metrics` writes the text of `/metrics/`; without it that page is not there.
pub fn router(app: App, metrics: Option<instance::Metrics>) -> Router {
    let (described, _) = openapi::routes().split_for_parts();
    let routes = Router::new()
        .merge(described)
        .merge(instance::router(metrics))
        .merge(docs::router());
    headers::wrap(routes, &app).with_state(app)
}

/// Health, version and metrics alone, for a process that serves nothing else.
pub fn instance_router(app: App, metrics: Option<instance::Metrics>) -> Router {
    headers::wrap(instance::router(metrics), &app).with_state(app)
}

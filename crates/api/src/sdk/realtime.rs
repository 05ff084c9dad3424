//! `/sse/environments/{key}/stream`: tells SDKs that the environment's answers have changed.
//!
//! The client-side key in the path is the credential, as in Flagsmith's realtime service. Events are small and written
//! in one piece, heartbeats are comments: both because of what some SDKs can parse.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use burgee_app::App;
use burgee_app::served::Served;
use burgee_model::Timestamp;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ofrep;
use crate::error::{ApiError, Detail, detail};
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(stream_environment))
        .routes(routes!(stream_ofrep))
        .routes(routes!(health))
}

/// `environment_updated` events, the first of them at once. They are sent while the project has realtime updates on.
#[utoipa::path(get, path = "/sse/environments/{environment_key}/stream", tag = "sdk", security(()),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn stream_environment(
    State(app): State<App>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    open(&app, &key, &headers, |_, updated_at| {
        format!(
            "event: environment_updated\ndata: {{\"updated_at\": {}}}\n",
            updated_at.epoch_seconds_text()
        )
    })
}

/// The same for OpenFeature's remote evaluation protocol: `refetchEvaluation` messages.
#[utoipa::path(get, path = "/sse/ofrep/{environment_key}/stream", tag = "ofrep", security(()),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn stream_ofrep(
    State(app): State<App>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    open(&app, &key, &headers, |_, updated_at| {
        ofrep::refetch_event(updated_at)
    })
}

/// Whether streams are served.
#[utoipa::path(get, path = "/sse/health", tag = "sdk", security(()), responses((status = 200, body = Detail)))]
async fn health() -> Response {
    detail(StatusCode::OK, "ok")
}

/// How long other nodes are given to serve a change before clients, who may ask any of them, are told of it.
const SETTLE: Duration = Duration::from_millis(150);

/// How an event is written, without its `retry` and its blank line.
type Format = fn(&Served, Timestamp) -> String;

/// What one open stream needs to know.
struct Follower {
    app: App,
    served: Arc<Served>,
    changes: watch::Receiver<Timestamp>,
    closing: watch::Receiver<bool>,
    heartbeat: Duration,
    /// Milliseconds before a client opens a lost stream again.
    retry: u128,
    /// The last version this client knows.
    known: Option<Timestamp>,
    format: Format,
    _counted: Counted,
}

fn open(app: &App, key: &str, headers: &HeaderMap, format: Format) -> Result<Response, ApiError> {
    // A server-side key is a secret and has no business in a URL.
    let Some((served, false)) = app.environments().find(key) else {
        return Err(ApiError::not_found());
    };
    let known = headers
        .get("last-event-id")
        .and_then(|v| v.to_str().ok())
        .and_then(|id| id.parse().ok());
    let follower = Follower {
        app: app.clone(),
        changes: served.follow(),
        served,
        closing: app.closing(),
        heartbeat: app.settings().realtime_heartbeat,
        retry: app.settings().realtime_retry.as_millis(),
        known: known.map(Timestamp),
        format,
        _counted: Counted::new(),
    };
    let body = Body::from_stream(stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        let chunk = follower.next().await?;
        Some((Ok::<_, Infallible>(chunk), Some(follower)))
    }));
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "no-cache"),
        ("x-accel-buffering", "no"),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

/// A stream that is open, as the metrics count it.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("burgee_realtime_connections").increment(1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("burgee_realtime_connections").decrement(1);
    }
}

impl Follower {
    /// The next piece of the stream; `None` ends it: the environment is gone, its key was changed, or the process ends.
    async fn next(&mut self) -> Option<Bytes> {
        if *self.closing.borrow() {
            return None;
        }
        if let Some(event) = self.unseen() {
            return Some(event);
        }
        let told = tokio::select! {
            changed = self.changes.changed() => changed.map(|()| true).ok()?,
            () = ended(&mut self.closing) => return None,
            () = tokio::time::sleep(self.heartbeat) => false,
        };
        if told && self.app.db().has_other_nodes() {
            tokio::time::sleep(SETTLE).await;
        }
        let snapshot = self.served.snapshot();
        self.app.environments().by_id(snapshot.environment_id)?;
        Some(self.unseen().unwrap_or_else(|| Bytes::from_static(b": ping\n\n")))
    }

    /// The event for a version the client does not know yet.
    fn unseen(&mut self) -> Option<Bytes> {
        let updated_at = *self.changes.borrow_and_update();
        if self.known.is_some_and(|known| known >= updated_at) || !self.served.snapshot().realtime {
            return None;
        }
        self.known = Some(updated_at);
        metrics::counter!("burgee_realtime_events_total").increment(1);
        let event = (self.format)(&self.served, updated_at);
        Some(Bytes::from(format!(
            "id: {}\n{event}retry: {}\n\n",
            updated_at.0, self.retry
        )))
    }
}

/// Returns when the process is about to end.
async fn ended(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

//! Doubles of what audience syncs write to: real HTTP servers that check what they receive and answer as the contracts say.
//!
//! Tests start them in process; `cargo run -p burgee-doubles -- --help` serves them for demonstrations and measurements.

pub mod flagsmith;
pub mod launchdarkly;
pub mod ledger;

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::mpsc;

/// Serves a router at an address for as long as the test or the program runs; port 0 is a free one.
async fn serve_at(router: Router, at: &str) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(at).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Somebody who takes JSON messages at any path: where, and what comes.
pub async fn receiver() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, messages) = mpsc::unbounded_channel();
    let take = move |Json(message): Json<Value>| {
        let sender = sender.clone();
        async move {
            // A test that has heard enough does not listen any more.
            _ = sender.send(message);
            StatusCode::NO_CONTENT
        }
    };
    let address = serve_at(Router::new().fallback(take), "127.0.0.1:0").await;
    (format!("http://{address}"), messages)
}

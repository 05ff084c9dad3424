//! Doubles of third parties: real HTTP servers that check what they receive and answer as the contracts say.

pub mod flagsmith;
pub mod launchdarkly;
pub mod ledger;

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::mpsc;

/// Serves a router on a free port of this machine for as long as the test runs.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
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
    let address = serve(Router::new().fallback(take)).await;
    (format!("http://{address}"), messages)
}

//! Doubles of third parties: real HTTP servers that check what they receive and answer as the contracts say.

pub mod flagsmith;
pub mod launchdarkly;
pub mod ledger;

use std::net::SocketAddr;

use axum::Router;

/// Serves a router on a free port of this machine for as long as the test runs.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

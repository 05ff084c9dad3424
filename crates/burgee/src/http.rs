//! The server loop: accepts connections, speaks HTTP/1.1 and HTTP/2 (prior knowledge) on them, and stops without losing a request.
//!
//! TLS is the business of whatever stands in front.

mod first_bytes;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use futures_util::FutureExt as _;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tower::Service as _;

use self::first_bytes::FirstBytes;
use crate::shutdown::{Deadline, Stopping};

/// How long the server waits for a client.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the connection to the first bytes on it.
    pub first_bytes: Duration,
    /// For a complete request head; as the wait for the next request is part of it, also how long an idle connection is
    /// kept. Longer than the 60 s that load balancers keep theirs: they must be the ones to close, or a request is lost.
    pub request_head: Duration,
    /// Between two pings on an HTTP/2 connection, and for their answer.
    pub ping: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_bytes: Duration::from_secs(10),
            request_head: Duration::from_secs(75),
            ping: Duration::from_secs(30),
        }
    }
}

/// How the serving ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// Whether every request was answered; `false`: some were cut off.
    pub all_answered: bool,
    /// The deadline of the grace period that the stop began.
    pub deadline: Deadline,
}

/// Serves until `stopping` becomes true, then lets running requests finish within the grace period.
///
/// From the stop on: new connections are refused, idle ones are closed, those with a request are closed after its answer.
/// Handlers find the caller's address as `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    mut stopping: Stopping,
    grace: Duration,
    patience: Patience,
) -> Ended {
    let serving = Serving {
        server: server(patience),
        connections: GracefulShutdown::new(),
        router,
        patience,
        closing: Arc::default(),
    };
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            // An error means that nobody is left who could say stop.
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = accept(&listener) => accepted,
        };
        serving.take(stream, peer);
    }
    let deadline = Deadline::within(grace);
    serving.closing.store(true, Ordering::Relaxed);
    // Whoever had connected before the stop is answered; from here on connections are refused.
    while let Some((stream, peer)) = accept(&listener).now_or_never() {
        serving.take(stream, peer);
    }
    drop(listener);
    // A connection can look idle while a request lies unread in its socket: leave time to read it.
    tokio::time::sleep(LAST_LOOK.min(grace / 4)).await;
    let finished = tokio::time::timeout_at(deadline.requests, serving.connections.shutdown()).await;
    let all_answered = finished.is_ok();
    Ended {
        all_answered,
        deadline,
    }
}

/// How long requests that had been sent before a stop are waited for.
const LAST_LOOK: Duration = Duration::from_millis(300);

/// What every connection shares.
struct Serving {
    server: auto::Builder<TokioExecutor>,
    connections: GracefulShutdown,
    router: Router,
    patience: Patience,
    /// From the stop on, each answer is the last one on its connection.
    closing: Arc<AtomicBool>,
}

impl Serving {
    /// Serves a connection in the background.
    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let router = self.router.clone();
        let closing = self.closing.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let is_http1 = request.version() < hyper::Version::HTTP_2;
            // A router is always ready and cheap to clone.
            let answer = router
                .clone()
                .call(burgee_api::headers::add_slash(request.map(Body::new)));
            let closing = closing.clone();
            async move {
                let mut response = answer.await?;
                if is_http1 && closing.load(Ordering::Relaxed) {
                    let close = hyper::header::HeaderValue::from_static("close");
                    response.headers_mut().insert(hyper::header::CONNECTION, close);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let stream = TokioIo::new(FirstBytes::new(stream, self.patience.first_bytes));
        let connection = self
            .server
            .serve_connection_with_upgrades(stream, service)
            .into_owned();
        let connection = self.connections.watch(connection);
        tokio::spawn(async move {
            let open = metrics::gauge!("burgee_http_connections");
            open.increment(1);
            // Clients that go away in the middle are everyday.
            if let Err(error) = connection.await {
                tracing::debug!("connection: {error}");
            }
            open.decrement(1);
        });
    }
}

fn server(patience: Patience) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.request_head);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(patience.ping))
        .keep_alive_timeout(patience.ping);
    server
}

/// The next connection. Errors do not end the server: most are about one connection, the rest (no file descriptors left) pass.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut last_warning: Option<Instant> = None;
    loop {
        let error = match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are written in one piece; waiting for more to send only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!("cannot set TCP_NODELAY: {error}");
                }
                return (stream, peer);
            }
            Err(error) => error,
        };
        if is_about_one_connection(&error) {
            continue;
        }
        if last_warning.is_none_or(|at| at.elapsed() > Duration::from_secs(10)) {
            tracing::error!("cannot accept connections: {error}");
            last_warning = Some(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

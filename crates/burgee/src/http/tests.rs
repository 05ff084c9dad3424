//! The server loop on real sockets.

use std::time::Duration;

use axum::{extract::ConnectInfo, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::*;

/// A server with `/` (at once), `/slow` (300 ms), `/never`, `/peer` and `/stream` (ends at the stop).
struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: JoinHandle<Ended>,
}

async fn run(grace: Duration, patience: Patience) -> Running {
    let (stop, stopping) = watch::channel(false);
    let stream_stop = stopping.clone();
    let router = Router::new()
        .route("/", get(async || "here"))
        .route(
            "/slow",
            get(async || {
                sleep(Duration::from_millis(300)).await;
                "at last"
            }),
        )
        .route("/never", get(std::future::pending::<()>))
        .route(
            "/peer",
            get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()),
        )
        .route(
            "/stream",
            get(move || {
                let mut stop = stream_stop.clone();
                async move {
                    _ = stop.wait_for(|stop| *stop).await;
                    "bye"
                }
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ended = tokio::spawn(serve(listener, router, stopping, grace, patience));
    Running { address, stop, ended }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request and leaves the answer to be read.
    async fn request(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until the server closes; fails when it does not within two seconds.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // A connection that is cut off may end with a reset.
    _ = timeout(Duration::from_secs(2), read)
        .await
        .expect("the server kept the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer whose body is `body`.
async fn answer(stream: &mut TcpStream, body: &str) {
    let mut text = String::new();
    while !text.ends_with(body) {
        let mut bytes = [0; 1024];
        let length = timeout(Duration::from_secs(2), stream.read(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        assert!(length > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
}

const GRACE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_running_request_is_answered_and_new_connections_are_refused() {
    let server = run(GRACE, Patience::default()).await;
    let mut slow = server.request("/slow").await;
    sleep(Duration::from_millis(50)).await;
    server.stop.send_replace(true);
    sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(server.address).await.is_err());
    let text = rest(&mut slow).await;
    assert!(text.ends_with("at last"), "{text}");
    assert!(server.ended.await.unwrap().all_answered);
}

#[tokio::test]
async fn idle_connections_are_closed_at_the_stop() {
    let server = run(GRACE, Patience::default()).await;
    let mut used = server.request("/").await;
    answer(&mut used, "here").await;
    let mut unused = server.connect().await;
    sleep(Duration::from_millis(50)).await;
    server.stop.send_replace(true);
    assert_eq!(rest(&mut used).await, "");
    assert_eq!(rest(&mut unused).await, "");
    assert!(server.ended.await.unwrap().all_answered);
}

#[tokio::test]
async fn a_stream_that_watches_the_stop_ends_with_it() {
    let server = run(GRACE, Patience::default()).await;
    let mut stream = server.request("/stream").await;
    sleep(Duration::from_millis(50)).await;
    server.stop.send_replace(true);
    assert!(rest(&mut stream).await.ends_with("bye"));
    assert!(server.ended.await.unwrap().all_answered);
}

#[tokio::test]
async fn the_deadline_holds_against_a_request_that_never_ends() {
    let server = run(Duration::from_millis(500), Patience::default()).await;
    let _never = server.request("/never").await;
    sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    server.stop.send_replace(true);
    let ended = server.ended.await.unwrap();
    assert!(!ended.all_answered);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(Instant::now() < ended.deadline.end, "no time left for the hooks");
}

#[tokio::test]
async fn handlers_see_the_callers_address() {
    let server = run(GRACE, Patience::default()).await;
    let mut stream = server.request("/peer").await;
    let peer = stream.local_addr().unwrap().to_string();
    answer(&mut stream, &peer).await;
}

#[tokio::test]
async fn http2_is_spoken_without_an_upgrade() {
    let server = run(GRACE, Patience::default()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let mut frame = [0; 9];
    timeout(Duration::from_secs(2), stream.read_exact(&mut frame))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame[3], 4, "not a SETTINGS frame");
}

#[tokio::test]
async fn clients_that_say_nothing_or_stop_halfway_are_let_go() {
    let patience = Patience {
        first_bytes: Duration::from_millis(200),
        request_head: Duration::from_millis(300),
        ..Patience::default()
    };
    let server = run(GRACE, patience).await;
    let mut silent = server.connect().await;
    let mut undecided = server.connect().await;
    undecided.write_all(b"PR").await.unwrap();
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    rest(&mut silent).await;
    rest(&mut undecided).await;
    rest(&mut half).await;

    // A short request that is answered late is not mistaken for silence.
    let mut short = server.connect().await;
    short.write_all(b"GET /slow HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(rest(&mut short).await.ends_with("at last"));
}

//! Somebody who is called: keeps what he is sent, and answers as he is told to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use burgee_app::Settings;
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: Method,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[derive(Debug, Default)]
struct Kept {
    received: Vec<Received>,
    answers: HashMap<String, VecDeque<(StatusCode, Value)>>,
    always: HashMap<String, (StatusCode, Value)>,
}

/// A server on this machine that takes everything.
#[derive(Debug, Clone)]
pub struct Receiver {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a socket");
        let receiver = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            kept: Arc::default(),
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// Settings under which it can be reached.
    pub fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.outbound.allow_private_addresses = true;
        settings
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next request to a path is answered with this; others before and after with 200.
    pub fn answer_once(&self, path: &str, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).expect("a status");
        let answer = (status, body);
        self.kept()
            .answers
            .entry(path.to_owned())
            .or_default()
            .push_back(answer);
    }

    /// Every request to a path is answered with this.
    pub fn answer(&self, path: &str, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).expect("a status");
        self.kept().always.insert(path.to_owned(), (status, body));
    }

    /// What came so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.kept().received.clone()
    }

    /// What came so far to a path; forgets everything.
    pub fn take(&self, path: &str) -> Vec<Received> {
        let all = std::mem::take(&mut self.kept().received);
        all.into_iter()
            .filter(|received| received.path.split('?').next() == Some(path))
            .collect()
    }

    /// Waits until so many requests came.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..500 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} of {count} requests came", self.received().len());
    }
}

async fn take(
    State(receiver): State<Receiver>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let mut kept = receiver.kept();
    kept.received.push(Received {
        method,
        path: uri.to_string(),
        headers,
        body,
    });
    let once = kept.answers.get_mut(&path).and_then(VecDeque::pop_front);
    let (status, body) = once
        .or_else(|| kept.always.get(&path).cloned())
        .unwrap_or((StatusCode::OK, json!({})));
    let location = [("location", "/elsewhere")];
    match body {
        _ if status.is_redirection() => (status, location).into_response(),
        Value::String(text) => (status, text).into_response(),
        body => (status, axum::Json(body)).into_response(),
    }
}

//! For tests only: the whole app on either database, called in process.
//!
//! [`both!`] writes a test once and runs it on SQLite and on Postgres. Postgres is the server that
//! `BURGEE_TEST_POSTGRES_URL` names; without it those halves say so and are skipped.

pub mod contract;
pub mod idp;
pub mod influx;
pub mod mailbox;
pub mod places;
pub mod provider;
pub mod receiver;
pub mod told;
pub mod trackers;
mod world;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use burgee_app::{App, Settings};
use burgee_store::Db;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub use burgee_doubles as doubles;
pub use burgee_scratch::Scratch;
pub use world::{World, flag, id};

/// Runs one async test body on both databases: `both! { async fn name(app) { … } }`.
#[macro_export]
macro_rules! both {
    ($($(#[$m:meta])* async fn $name:ident($app:ident) $body:block)*) => { $(
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its module")]
            use super::*;

            $(#[$m])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::TestApp::sqlite().await).await;
            }

            $(#[$m])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(app) = $crate::TestApp::postgres().await {
                    run(app).await;
                }
            }

            async fn run($app: $crate::TestApp) $body
        }
    )* };
}

/// The app on a database of its own, with its router.
#[derive(Debug)]
pub struct TestApp {
    pub app: App,
    router: Router,
    /// Where the database is, to open it again.
    pub url: String,
    /// Kept as long as the app, and gone with it.
    _ground: Ground,
}

/// What the database of a test stands on.
#[derive(Debug)]
enum Ground {
    Folder {
        _folder: tempfile::TempDir,
    },
    Scratch {
        _scratch: Scratch,
    },
    /// Another node's.
    Shared,
}

/// An answer: status, headers and the body, as JSON where it is JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The body, after making sure of the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }
}

impl TestApp {
    /// On a fresh SQLite file.
    pub async fn sqlite() -> Self {
        Self::sqlite_with(Settings::default()).await
    }

    /// On a fresh SQLite file, with settings.
    pub async fn sqlite_with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("burgee.db").display());
        Self::on(url, Ground::Folder { _folder: folder }, settings).await
    }

    /// On a fresh Postgres database; `None`, and a line that says so, when no server was named.
    pub async fn postgres() -> Option<Self> {
        Self::postgres_with(Settings::default()).await
    }

    /// On a fresh Postgres database, with settings.
    pub async fn postgres_with(settings: Settings) -> Option<Self> {
        let scratch = Scratch::new().await?;
        Some(
            Self::on(
                scratch.to_string(),
                Ground::Scratch { _scratch: scratch },
                settings,
            )
            .await,
        )
    }

    async fn on(url: String, ground: Ground, settings: Settings) -> Self {
        let db = Db::open(&url, 5).await.expect("the database opens");
        let app = App::start(db, settings).await.expect("the app starts");
        let router = burgee_api::router(app.clone(), None);
        Self {
            app,
            router,
            url,
            _ground: ground,
        }
    }

    /// A second node on the same database.
    pub async fn second_node(&self) -> Self {
        Self::on(self.url.clone(), Ground::Shared, self.app.settings().clone()).await
    }

    /// A second node on the same database, with settings of its own.
    pub async fn node_with(&self, settings: Settings) -> Self {
        Self::on(self.url.clone(), Ground::Shared, settings).await
    }

    /// Sends a request and returns the answer as it comes, for bodies that do not end.
    pub async fn response(&self, request: Request<Body>) -> axum::response::Response {
        let request = burgee_api::headers::add_slash(request);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers");
        told::note(&method, &path, response.status());
        response
    }

    /// Sends a request as it is, and holds the answer to the OpenAPI document.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let request = burgee_api::headers::add_slash(request);
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.response(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body ends").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            text,
        };
        contract::hold(&method, &path, &answer);
        answer
    }

    /// Sends JSON with headers.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "testserver");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).expect("a request")).await
    }

    /// A management call as the holder of a token.
    pub async fn manage(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.call(
            method,
            path,
            &[("authorization", &format!("Token {token}"))],
            body,
        )
        .await
    }

    /// Signs up a user through the API and returns the token.
    pub async fn sign_up(&self, email: &str) -> String {
        self.sign_up_as(email, false).await
    }

    /// Signs up the first user, as a superuser, and returns the token.
    pub async fn sign_up_superuser(&self, email: &str) -> String {
        self.sign_up_as(email, true).await
    }

    async fn sign_up_as(&self, email: &str, superuser: bool) -> String {
        let body = json!({
            "email": email, "password": "Correct-Horse-7", "first_name": "Test", "last_name": "Person",
            "superuser": superuser,
        });
        let answer = self
            .call(Method::POST, "/api/v1/auth/users/", &[], Some(&body))
            .await
            .expect(201);
        answer["key"].as_str().expect("a token").to_owned()
    }
}

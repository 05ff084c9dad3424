//! The way through the API: the source is another Burgee, a real server with the same API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use burgee_import::api::Api;
use burgee_import::{Options, Quiet, Source};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

use super::{Killer, flagsmith, import, options};

const ADA: &str = "0123456789abcdef0123456789abcdef01234567";

/// A server with everything the fixture has, and its address.
async fn serve(url: &str) -> (TestApp, String) {
    let source = TestApp::sqlite().await;
    import(&source, url).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/api/v1/", listener.local_addr().unwrap());
    let router = burgee_api::router(source.app.clone(), None);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (source, address)
}

/// The same server behind something that answers in its place: `trouble` is given the number of the request and its path.
async fn troubled(
    url: &str,
    trouble: impl Fn(usize, &str) -> Option<Response> + Clone + Send + Sync + 'static,
) -> (TestApp, String, Arc<AtomicUsize>) {
    let source = TestApp::sqlite().await;
    import(&source, url).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let layer = from_fn(move |request: Request, next: Next| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        let instead = trouble(number, request.uri().path());
        async move {
            match instead {
                Some(answer) => answer,
                None => next.run(request).await,
            }
        }
    });
    let router = burgee_api::router(source.app.clone(), None).layer(layer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (source, address, asked)
}

const VERSIONS: &str = "/api/v1/environments/7/features/50/versions/";

/// The versions of a feature, in short.
async fn versions(app: &TestApp, token: &str) -> Vec<Value> {
    let list = app.manage(token, Method::GET, VERSIONS, None).await.expect(200);
    let short = (list["results"].as_array().unwrap().iter()).map(|v| {
        json!([
            v["uuid"],
            v["published"],
            v["is_live"],
            v["live_from"],
            v["description"]
        ])
    });
    short.collect()
}

/// As Flagsmith says that there were too many calls.
fn throttled(retry_after: &str) -> Response {
    let body = axum::Json(json!({"detail": "Request was throttled. Expected available in 1 second."}));
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(header::RETRY_AFTER, retry_after)],
        body,
    )
        .into_response()
}

async fn flags(app: &TestApp, key: &str, identifier: &str) -> Value {
    let path = format!(
        "/api/v1/identities/?identifier={}",
        identifier.replace(' ', "%20")
    );
    let answer = app
        .call(Method::GET, &path, &[("x-environment-key", key)], None)
        .await;
    answer.expect(200)["flags"].clone()
}

both! {
    async fn flags_are_the_same_after_an_import_through_the_api(app) {
        let Some(url) = flagsmith().await else { return };
        let (there, address) = serve(&url).await;
        let source = Source::Api(Api::new(&address, ADA));
        let report = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        assert!(report.is_good(), "{}", report.to_text());
        assert!(report.notes.iter().any(|note| note.text.contains("passwords")));
        for (key, identifier) in [
            ("Tsxbt7qYxiJ8UDc8Mer9JD", "alice"),
            ("Tsxbt7qYxiJ8UDc8Mer9JD", "bob@example.com"),
            ("NumericHashingKey2345", "at 27.66"),
            ("NumericHashingKey2345", "at 75.63"),
            ("NumericHashingKey2345", "at 49.28"),
            ("VersionOneKey23456789", "overridden"),
            ("VersionOneKey23456789", "dutch"),
        ] {
            assert_eq!(flags(&app, key, identifier).await, flags(&there, key, identifier).await, "{identifier}");
        }
        let again = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        assert!(!again.changed_anything(), "{}", again.to_text());
    }

    async fn people_come_without_passwords_and_with_what_they_may_do(app) {
        let Some(url) = flagsmith().await else { return };
        let (_there, address) = serve(&url).await;
        let source = Source::Api(Api::new(&address, ADA));
        burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        let body = json!({"email": "bob@example.com", "password": "Correct-Horse-7"});
        app.call(Method::POST, "/api/v1/auth/login/", &[], Some(&body)).await.expect(400);
        let server = [("x-environment-key", "ser.NumericHashingServer")];
        app.call(Method::GET, "/api/v1/environment-document/", &server, None).await.expect(200);
    }

    async fn a_dry_run_through_the_api_writes_nothing(app) {
        let Some(url) = flagsmith().await else { return };
        let (_there, address) = serve(&url).await;
        let source = Source::Api(Api::new(&address, ADA));
        let options = Options { dry_run: true, ..options() };
        let report = burgee_import::run(&app.app, &source, &options, &Quiet).await.unwrap();
        assert_eq!(report.counts["identities"].found, 9);
        let answer = app.call(Method::GET, "/api/v1/flags/", &[("x-environment-key", "NumericHashingKey2345")], None).await;
        assert_eq!(answer.status.as_u16(), 403);
    }

    async fn a_wrong_token_is_told_with_the_path(app) {
        let Some(url) = flagsmith().await else { return };
        let (_there, address) = serve(&url).await;
        let source = Source::Api(Api::new(&address, "wrong"));
        let error = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap_err();
        assert_eq!(error.to_string(), "Flagsmith's API: organisations/ was answered with 401");
    }

    async fn an_api_that_is_busy_or_breaks_is_waited_for(app) {
        let Some(url) = flagsmith().await else { return };
        let (there, address, asked) = troubled(&url, |number, _| match number {
            2 | 3 => Some(throttled("1")),
            9 => Some(throttled(&httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1)))),
            12 | 13 => Some(StatusCode::BAD_GATEWAY.into_response()),
            20 => Some((StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]).into_response()),
            _ => None,
        }).await;
        let begun = Instant::now();
        let source = Source::Api(Api::new(&address, ADA).pausing(Duration::from_millis(5)));
        let report = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        assert!(report.is_good(), "{}", report.to_text());
        assert!(begun.elapsed() >= Duration::from_secs(2), "it waits as long as it is asked to");
        assert!(asked.load(Ordering::SeqCst) > 20);
        assert_eq!(report.counts["identities"].created, 9);
        assert_eq!(flags(&app, "NumericHashingKey2345", "at 75.63").await, flags(&there, "NumericHashingKey2345", "at 75.63").await);
    }

    async fn an_api_that_stays_broken_is_given_up_with_the_path_and_nothing_is_half_written(app) {
        let Some(url) = flagsmith().await else { return };
        let (_there, address, asked) = troubled(&url, |_, path| {
            path.contains("/segments/").then(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }).await;
        let source = Source::Api(Api::new(&address, ADA).pausing(Duration::from_millis(1)));
        let error = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap_err();
        assert!(error.to_string().contains("/segments/ was answered with 500"), "{error}");
        assert!(asked.load(Ordering::SeqCst) < 200);
        let answer = app.call(Method::GET, "/api/v1/flags/", &[("x-environment-key", "NumericHashingKey2345")], None).await;
        assert_eq!(answer.status.as_u16(), 403);
    }

    async fn a_run_through_the_api_that_was_killed_goes_on_where_it_was(app) {
        let Some(url) = flagsmith().await else { return };
        let (there, address) = serve(&url).await;
        let (node, at) = (app.app.clone(), address.clone());
        // Three projects, and the identities of the first two environments.
        let killed = tokio::spawn(async move {
            let source = Source::Api(Api::new(&at, ADA));
            burgee_import::run(&node, &source, &options(), &Killer::after(5)).await.map(drop)
        });
        assert!(killed.await.is_err());
        let source = Source::Api(Api::new(&address, ADA));
        let report = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        assert!(report.resumed && report.is_good(), "{}", report.to_text());
        assert!((1..9).contains(&report.counts["identities"].found), "{}", report.to_text());
        for (key, identifier) in [("Tsxbt7qYxiJ8UDc8Mer9JD", "alice"), ("NumericHashingKey2345", "at 27.66"), ("VersionOneKey23456789", "dutch")] {
            assert_eq!(flags(&app, key, identifier).await, flags(&there, key, identifier).await, "{identifier}");
        }
        let all = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        assert_eq!((all.resumed, all.counts["identities"].unchanged), (false, 9));
    }

    async fn a_run_that_was_killed_on_one_way_loses_nothing_on_the_other(app) {
        let Some(url) = flagsmith().await else { return };
        let (_there, address) = serve(&url).await;
        let (node, at) = (app.app.clone(), address.clone());
        let killed = tokio::spawn(async move {
            let source = Source::Api(Api::new(&at, ADA));
            burgee_import::run(&node, &source, &options(), &Killer::after(5)).await.map(drop)
        });
        assert!(killed.await.is_err());
        let report = import(&app, &url).await;
        assert_eq!(report.counts["identities"].found, 9);
    }

    async fn versions_come_through_the_api_and_can_be_published(app) {
        let Some(url) = flagsmith().await else { return };
        let (there, address) = serve(&url).await;
        // The API gives no tokens: she has an account here already, and is made a member.
        let admin = app.sign_up_superuser("ada@example.com").await;
        let source = Source::Api(Api::new(&address, ADA));
        let report = burgee_import::run(&app.app, &source, &options(), &Quiet).await.unwrap();
        assert_eq!((report.counts["feature versions"].created, report.counts["scheduled changes"].created), (5, 1));
        assert_eq!(versions(&app, &admin).await, versions(&there, ADA).await);
        let before = flags(&app, "NumericHashingKey2345", "at 27.66").await;
        let publish = format!("{VERSIONS}00000000-0000-4000-8000-000000000904/publish/");
        app.manage(&admin, Method::POST, &publish, Some(&json!({}))).await.expect(200);
        let after = flags(&app, "NumericHashingKey2345", "at 27.66").await;
        let value = |flags: &Value| burgee_testkit::flag(flags, "checkout").unwrap()["feature_state_value"].clone();
        assert_eq!((value(&before), value(&after)), (json!("blue"), json!("blue")));
    }
}

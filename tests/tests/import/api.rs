//! The way through the API: the source is another Burgee, a real server with the same API.

use axum::http::Method;
use burgee_import::api::Api;
use burgee_import::{Options, Quiet, Source};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

use super::{flagsmith, import, options};

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
}

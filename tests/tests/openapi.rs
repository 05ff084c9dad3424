//! `docs/openapi.json` is what the handlers say, and the handlers are what it says.

use axum::http::Method;
use burgee_testkit::{TestApp, both};
use serde_json::Value;

#[test]
fn the_document_in_the_repository_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == burgee_api::openapi::text(),
        "stale: run `cargo run -- openapi > docs/openapi.json`"
    );
}

/// Operations that need no sign-in: of the SDK API (which has keys of its own) and of signing in itself.
fn is_public(path: &str, operation: &Value) -> bool {
    const PUBLIC: [&str; 12] = [
        "/api/v1/auth/login/",
        "/api/v1/auth/login/code/",
        "/api/v1/auth/users/",
        "/api/v1/auth/users/reset_password/",
        "/api/v1/auth/users/reset_password_confirm/",
        "/api/v1/auth/oauth/github/",
        "/api/v1/auth/oidc/token/",
        "/api/v1/auth/oauth/google/",
        // The path itself is the secret.
        "/api/v1/feature-health/{path}/",
        "/api/v1/features/download-flagsmith-on-flagsmith/",
        "/api/v1/users/config/init/",
        "/api/v1/users/init/",
    ];
    let tag = operation["tags"][0].as_str().unwrap_or_default();
    matches!(tag, "sdk" | "ofrep") || PUBLIC.contains(&path) || path.ends_with("/onboarding-status/")
}

fn operations() -> Vec<(Method, String, Value)> {
    let document = serde_json::to_value(burgee_api::openapi::document()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse::<Method>().unwrap();
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    operations
}

/// A path with something in the place of its parameters.
fn filled(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    for part in &mut parts {
        if part.starts_with('{') {
            *part = if part.contains("uuid") {
                "00000000-0000-4000-8000-000000000000"
            } else {
                "1"
            };
        }
    }
    parts.join("/")
}

both! {
    async fn every_management_operation_asks_who_is_calling(app) {
        let mut asked = 0;
        for (method, path, operation) in operations() {
            if is_public(&path, &operation) {
                continue;
            }
            for headers in [vec![], vec![("authorization", "Token 0000000000000000000000000000000000000000")]] {
                let answer = app.call(method.clone(), &filled(&path), &headers, Some(&serde_json::json!({}))).await;
                assert_eq!(answer.status.as_u16(), 401, "{method} {path}: {}", answer.text);
            }
            asked += 1;
        }
        assert!(asked > 100, "only {asked} operations were asked");
    }

    async fn a_stranger_gets_nothing_of_an_organisation_that_is_not_his(app) {
        let world = burgee_testkit::World::new(app).await;
        let feature = world.feature(serde_json::json!({"name": "treasure"})).await;
        let segment = world.segment("treasure-segment", "a", "EQUAL", "b").await;
        world.override_for_segment(feature, segment, "treasure").await;
        let identity = world.identity("treasure-identity").await;
        world.override_for_identity(feature, identity, "treasure").await;
        let stranger = world.app.sign_up("stranger@example.com").await;
        for (method, path, operation) in operations() {
            if is_public(&path, &operation) || path.contains("/auth/") {
                continue;
            }
            let path = path.replace("{api_key}", &world.client).replace("{environment_api_key}", &world.client);
            let path = path.replace("{environment_key}", &world.client).replace("{key}", &world.client);
            let answer = world.app.manage(&stranger, method.clone(), &filled(&path), Some(&serde_json::json!({}))).await;
            assert!(!answer.text.contains("treasure"), "{method} {path} tells a stranger: {}", answer.text);
            assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.text);
        }
        // Nothing of it was changed or deleted by all those calls.
        let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        assert_eq!(flags[0]["feature"]["name"], "treasure");
    }
}

#[tokio::test]
async fn the_page_and_its_document_are_served() {
    let app = TestApp::sqlite().await;
    let page = app.call(Method::GET, "/api/v1/docs/", &[], None).await;
    assert!(
        page.status.is_success() && page.text.contains("swagger-ui"),
        "{}",
        page.text
    );
    app.call(Method::GET, "/api/v1/docs/swagger-ui.css", &[], None)
        .await
        .expect(200);
    let document = app
        .call(Method::GET, "/api/v1/openapi.json", &[], None)
        .await
        .expect(200);
    assert!(document["paths"]["/api/v1/flags/"].is_object());
}

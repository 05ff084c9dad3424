//! `docs/openapi.json` is what the handlers say, and the handlers are what it says.
//!
//! That every answer in every story is one the document declares is held in `testkit/src/contract.rs`; that every
//! operation has a story in which it succeeds, in `tests/told.rs`. What is called in this module is no story: it is called
//! because it is in the document.

mod document;
mod requests;
mod strangers;
mod treasure;

use axum::http::Method;
use burgee_testkit::TestApp;
use serde_json::Value;

/// An operation of the document.
struct Operation {
    method: Method,
    path: String,
    declared: &'static Value,
}

impl Operation {
    /// Whether it says that a caller may be nobody, or brings a key of the SDK API.
    fn is_public(&self) -> bool {
        let ways = self.declared["security"]
            .as_array()
            .expect("every operation says who may call");
        !ways.iter().any(|way| way.get("token").is_some())
    }

    /// Whether it is of the SDK API.
    fn takes_environment_key(&self) -> bool {
        let ways = self.declared["security"]
            .as_array()
            .expect("every operation says who may call");
        ways.iter().any(|way| way.get("environment_key").is_some())
    }

    /// Whether it is called with keys that are for it and its like alone.
    fn has_keys_of_its_own(&self) -> bool {
        let ways = self.declared["security"]
            .as_array()
            .expect("every operation says who may call");
        let own = ["access_token", "cohort_key", "scim_token"];
        ways.iter()
            .any(|way| own.iter().any(|scheme| way.get(*scheme).is_some()))
    }

    fn id(&self) -> &'static str {
        self.declared["operationId"]
            .as_str()
            .expect("every operation has an id")
    }

    /// `method path`, as failures name it.
    fn name(&self) -> String {
        format!("{} {} ({})", self.method, self.path, self.id())
    }
}

fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in burgee_api::openapi::document()["paths"].as_object().unwrap() {
        for (method, declared) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse::<Method>().unwrap();
            operations.push(Operation {
                method,
                path: path.clone(),
                declared,
            });
        }
    }
    operations
}

#[test]
fn the_document_in_the_repository_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == burgee_api::openapi::text(),
        "stale: run `cargo run -- openapi > docs/openapi.json`"
    );
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
    for file in ["openapi.json", "swagger.json", "swagger.yaml"] {
        let document = app
            .call(Method::GET, &format!("/api/v1/{file}"), &[], None)
            .await
            .expect(200);
        assert!(document["paths"]["/api/v1/flags/"].is_object(), "{file}");
    }
}

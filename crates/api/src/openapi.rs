//! The OpenAPI document, made of what the handlers say of themselves.
//!
//! A handler declares its success, and what is peculiar to it. What is true of many operations is added here, once, so
//! that it also holds for operations yet to come:
//!
//! * [`operations`]: who may call, parameters in paths, pages, tags.
//! * [`answers`]: the errors, in the shapes in which the server answers them.
//! * [`schemas`]: which fields of an answer are always there, and formats that a field's name promises.
//!
//! Tests hold every answer in every story to the result.

mod answers;
mod operations;
mod schemas;

use std::sync::LazyLock;

use burgee_app::App;
use serde_json::{Map, Value};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// What every operation shares.
#[derive(Debug, OpenApi)]
#[openapi(info(
    title = "Burgee",
    description = "Feature flags, remote configuration and audiences. Compatible with the Flagsmith REST API.",
    license(name = "Apache-2.0", identifier = "Apache-2.0"),
))]
struct Document;

/// All routes that the document describes, with their handlers.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(crate::management::router())
        .merge(crate::launch_darkly::router())
        .merge(crate::scim::router())
        .merge(crate::sdk::router())
}

/// The document, without a running server, with every answer written out where it can be given.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
    &DOCUMENT
}

fn build() -> Value {
    let described = routes().split_for_parts().1;
    let mut document = serde_json::to_value(described).unwrap_or_default();
    for_each_operation(&mut document, operations::complete);
    for_each_operation(&mut document, |_, method, operation| {
        answers::complete(method, operation);
    });
    operations::describe(&mut document);
    schemas::complete(&mut document);
    answers::define(&mut document);
    document
}

/// The document as it is published: answers that many operations share stand in it once.
pub fn published() -> &'static Value {
    static PUBLISHED: LazyLock<Value> = LazyLock::new(|| {
        let mut document = document().clone();
        answers::share(&mut document);
        document
    });
    &PUBLISHED
}

/// The published document as text, the way `docs/openapi.json` holds it.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(published()).unwrap_or_default();
    text.push('\n');
    text
}

/// Visits every operation with its path and its method.
fn for_each_operation(document: &mut Value, mut act: impl FnMut(&str, &str, &mut Map<String, Value>)) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                act(path, method, operation);
            }
        }
    }
}

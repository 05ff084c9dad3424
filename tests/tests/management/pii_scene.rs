//! A project that looks for personal data.

use axum::http::Method;
use burgee_testkit::{TestApp, World};
use serde_json::{Value, json};

/// Somebody's address, and the same in a URL. Nothing else in an installation has its name in it.
pub(crate) const ADDRESS: &str = "zq7canary@pii.example";
pub(crate) const ENCODED: &str = "zq7canary%40pii.example";
/// What to look for.
pub(crate) const CANARY: &str = "zq7canary";

/// Changes settings of the project.
pub(crate) async fn set(world: &World, settings: Value) -> Value {
    let path = format!("/api/v1/projects/{}/", world.project);
    world.manage(Method::PATCH, &path, settings).await
}

/// A world whose project is in this mode.
pub(crate) async fn guarded(app: TestApp, mode: &str) -> World {
    let world = World::new(app).await;
    set(&world, json!({"pii_mode": mode})).await;
    world
}

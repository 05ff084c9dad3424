//! Several nodes on one database.

use std::time::{Duration, Instant};

use axum::http::Method;
use burgee_testkit::{TestApp, World, flag};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_serves_a_change_within_a_second() {
    let Some(app) = TestApp::postgres().await else {
        return;
    };
    let world = World::new(app).await;
    let feature = world.feature(json!({"name": "f", "initial_value": "old"})).await;
    let other = world.app.second_node().await;
    // The follower listens once its first wait has begun.
    tokio::time::sleep(Duration::from_millis(200)).await;
    world
        .set(feature, json!({"enabled": true, "feature_state_value": "new"}))
        .await;
    let changed = Instant::now();
    loop {
        let answer = other
            .call(
                Method::GET,
                "/api/v1/flags/",
                &[("x-environment-key", &world.client)],
                None,
            )
            .await;
        if flag(&answer.expect(200), "f").unwrap()["feature_state_value"] == "new" {
            break;
        }
        assert!(
            changed.elapsed() < Duration::from_secs(1),
            "the other node still serves the old value"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

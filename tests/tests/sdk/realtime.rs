//! `/sse/environments/{key}/stream`

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use burgee_testkit::{World, both};
use futures_util::StreamExt;
use serde_json::json;

/// What comes within a short while, as text; `None` when nothing does.
async fn next(stream: &mut axum::body::BodyDataStream) -> Option<String> {
    let chunk = tokio::time::timeout(Duration::from_millis(400), stream.next())
        .await
        .ok()??;
    Some(String::from_utf8_lossy(&chunk.unwrap()).into_owned())
}

async fn open(world: &World, last: Option<&str>) -> axum::body::BodyDataStream {
    let mut request = Request::builder().uri(format!("/sse/environments/{}/stream", world.client));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = world.app.response(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

both! {
    async fn every_change_of_an_answer_is_told_and_nothing_else(app) {
        let world = World::new(app).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        world.manage(Method::PATCH, &project, json!({"enable_realtime_updates": true})).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        let one = world.identity("one").await;
        let mut stream = open(&world, None).await;
        let first = next(&mut stream).await.expect("the current version comes at once");
        assert!(first.contains("event: environment_updated\ndata: {\"updated_at\": "), "{first}");
        assert!(first.ends_with("\n\n"));

        world.set(feature, json!({"enabled": true, "feature_state_value": "w"})).await;
        assert!(next(&mut stream).await.is_some(), "a value");
        world.override_for_segment(feature, segment, "s").await;
        assert!(next(&mut stream).await.is_some(), "a segment override");
        world.override_for_identity(feature, one, "i").await;
        assert!(next(&mut stream).await.is_some(), "an identity override");
        let path = format!("/api/v1/projects/{}/segments/{segment}/", world.project);
        let mut edited = world.manage(Method::GET, &path, json!(null)).await;
        edited["rules"][0]["rules"][0]["conditions"][0]["value"] = json!("enterprise");
        world.manage(Method::PUT, &path, edited).await;
        assert!(next(&mut stream).await.is_some(), "a segment's rules");

        world.post(&format!("/api/v1/projects/{}/tags/", world.project), json!({"label": "t", "color": "#fff"})).await;
        world.set_environment(json!({"banner_text": "careful"})).await;
        world.identify(json!({"identifier": "u", "traits": [{"trait_key": "a", "trait_value": 1}]})).await;
        assert_eq!(next(&mut stream).await, None, "a tag, a banner, a trait");
    }

    async fn who_reconnects_is_told_what_he_missed_and_only_that(app) {
        let world = World::new(app).await;
        let project = format!("/api/v1/projects/{}/", world.project);
        world.manage(Method::PATCH, &project, json!({"enable_realtime_updates": true})).await;
        let first = next(&mut open(&world, None).await).await.unwrap();
        let id = first.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
        assert_eq!(next(&mut open(&world, Some(&id)).await).await, None);
        world.feature(json!({"name": "f"})).await;
        assert!(next(&mut open(&world, Some(&id)).await).await.is_some());
    }

    async fn a_stream_ends_when_the_server_closes_and_needs_a_client_key(app) {
        let world = World::new(app).await;
        let mut stream = open(&world, None).await;
        world.app.app.begin_closing();
        while let Some(chunk) = stream.next().await {
            chunk.unwrap();
        }
        let path = format!("/sse/environments/{}/stream", world.server);
        world.app.call(Method::GET, &path, &[], None).await.expect(404);
    }

    async fn openfeature_clients_are_told_to_ask_again_and_health_is_told(app) {
        let world = World::new(app).await;
        let health = world.app.call(Method::GET, "/sse/health", &[], None).await.expect(200);
        assert_eq!(health, json!({"detail": "ok"}));
        let project = format!("/api/v1/projects/{}/", world.project);
        world.manage(Method::PATCH, &project, json!({"enable_realtime_updates": true})).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let request = Request::builder().uri(format!("/sse/ofrep/{}/stream", world.client));
        let response = world.app.response(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = response.into_body().into_data_stream();
        let first = next(&mut stream).await.expect("the current version comes at once");
        assert!(first.contains("\"type\":\"refetchEvaluation\""), "{first}");
        world.set(feature, json!({"enabled": true})).await;
        assert!(next(&mut stream).await.is_some(), "a flag");
        world.app.call(Method::GET, "/sse/ofrep/nonsense/stream", &[], None).await.expect(404);
    }

}

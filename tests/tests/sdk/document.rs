//! `/api/v1/environment-document/`

use axum::http::Method;
use burgee_testkit::{World, both};
use serde_json::json;

const PATH: &str = "/api/v1/environment-document/";

both! {
    async fn the_document_has_everything_and_is_the_same_byte_for_byte(app) {
        let world = World::new(app).await;
        let feature = world.feature(json!({"name": "f", "initial_value": "v"})).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        world.override_for_segment(feature, segment, "for pro").await;
        let one = world.identity("one").await;
        world.override_for_identity(feature, one, "for one").await;
        let first = world.sdk_with(&world.server, Method::GET, PATH, None).await;
        let again = world.sdk_with(&world.server, Method::GET, PATH, None).await;
        assert_eq!(first.text, again.text);
        assert_eq!(first.headers["etag"], again.headers["etag"]);
        let document = first.expect(200);
        assert_eq!(document["feature_states"][0]["feature_state_value"], "v");
        assert_eq!(document["project"]["segments"][0]["feature_states"][0]["feature_state_value"], "for pro");
        assert_eq!(document["project"]["segments"][0]["rules"][0]["rules"][0]["conditions"][0]["property_"], "plan");
        assert_eq!(document["identity_overrides"][0]["identifier"], "one");
        assert_eq!(document["identity_overrides"][0]["identity_features"][0]["feature_state_value"], "for one");
    }

    async fn a_client_key_can_not_read_it(app) {
        let world = World::new(app).await;
        world.sdk(Method::GET, PATH, None).await.expect(403);
    }

    async fn it_is_sent_again_only_when_it_changed(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "f"})).await;
        let first = world.sdk_with(&world.server, Method::GET, PATH, None).await;
        let etag = first.headers["etag"].to_str().unwrap().to_owned();
        let date = first.headers["last-modified"].to_str().unwrap().to_owned();
        for condition in [("if-none-match", etag.as_str()), ("if-modified-since", date.as_str())] {
            let answer = world.app.call(Method::GET, PATH, &[("x-environment-key", &world.server), condition], None).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (304, ""));
        }
        let old = ("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT");
        world.app.call(Method::GET, PATH, &[("x-environment-key", &world.server), old], None).await.expect(412);
        world.feature(json!({"name": "g"})).await;
        let headers = [("x-environment-key", world.server.as_str()), ("if-none-match", etag.as_str())];
        world.app.call(Method::GET, PATH, &headers, None).await.expect(200);
    }
}

//! `/api/v1/analytics/`, `/api/v2/analytics/`

use axum::http::Method;
use burgee_testkit::{World, both};
use serde_json::json;

both! {
    async fn reports_are_stored_before_they_are_answered(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "f"})).await;
        let body = json!({"f": 3, "unknown": 4, "f2": 1});
        world.sdk(Method::POST, "/api/v1/analytics/flags/", Some(body)).await.expect(200);
        for odd in [json!({"f": 0}), json!({"f": -2}), json!({"f": true}), json!({"f": "3"}), json!({"f": i64::MAX}), json!({})] {
            world.sdk(Method::POST, "/api/v1/analytics/flags/", Some(odd)).await.expect(200);
        }
        let one = json!({"feature_name": "f", "count": 2, "enabled_when_evaluated": true, "identity_identifier": "u"});
        world.sdk(Method::POST, "/api/v2/analytics/flags/", Some(json!({"evaluations": [one]}))).await.expect(204);
        assert_eq!(burgee_store::analytics::total_evaluations(world.app.app.db(), world.environment, "f").await.unwrap(), 5);
    }

    async fn a_report_of_the_wrong_shape_is_refused_by_name(app) {
        let world = World::new(app).await;
        let answer = world.sdk(Method::POST, "/api/v1/analytics/flags/", Some(json!([1]))).await;
        assert_eq!(answer.expect(400), json!({"non_field_errors": ["Expected a JSON object."]}));
        let body = json!({"evaluations": [{"feature_name": "f", "enabled_when_evaluated": true}]});
        let answer = world.sdk(Method::POST, "/api/v2/analytics/flags/", Some(body)).await;
        assert_eq!(answer.expect(400)["evaluations"][0]["count"], json!(["This field is required."]));
    }

    async fn counts_are_forgotten_when_they_are_too_old(app) {
        let world = World::new(app).await;
        world.feature(json!({"name": "f"})).await;
        world.sdk(Method::POST, "/api/v1/analytics/flags/", Some(json!({"f": 3}))).await.expect(200);
        burgee_app::sdk::analytics::forget_old(&world.app.app).await.unwrap();
        let db = world.app.app.db();
        assert_eq!(burgee_store::analytics::total_evaluations(db, world.environment, "f").await.unwrap(), 3);
        let mut tx = db.begin().await.unwrap();
        burgee_store::analytics::delete_before(&mut tx, i64::MAX).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(burgee_store::analytics::total_evaluations(db, world.environment, "f").await.unwrap(), 0);
    }
}

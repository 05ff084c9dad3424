//! What an organisation has beside its projects, as lists: groups, links to join, uses of custom fields.

use axum::http::Method;
use burgee_testkit::both;
use burgee_testkit::places::id;
use serde_json::json;

both! {
    async fn groups_links_and_uses_of_fields_are_listed(app) {
        let world = app.world().await;
        let base = format!("/api/v1/organisations/{}/", world.organisation);
        let group = app.post(&world.admin, &format!("{base}groups/"), &json!({"name": "Ops"})).await.expect(201);
        let one = app.get(&world.admin, &format!("{base}groups/{}/", id(&group))).await.expect(200);
        assert_eq!((one["name"].as_str(), one["id"].as_i64()), (Some("Ops"), group["id"].as_i64()));
        let summaries = app.get(&world.admin, &format!("{base}groups/summaries/")).await.expect(200);
        assert_eq!(summaries, json!([{"id": id(&group), "name": "Ops"}]));
        app.get(&world.stranger, &format!("{base}groups/summaries/")).await.expect(403);
        let link = app.post(&world.admin, &format!("{base}invite-links/"), &json!({"role": "USER"})).await.expect(201);
        let links = app.get(&world.admin, &format!("{base}invite-links/")).await.expect(200);
        assert_eq!(links[0]["hash"], link["hash"], "{links}");
        app.get(&world.member, &format!("{base}invite-links/")).await.expect(403);
        let uses = app.get(&world.admin, &format!("{base}metadata-model-fields/")).await.expect(200);
        assert_eq!(uses["count"], 0, "{uses}");
        let headers = [("x-environment-key", world.key.as_str())];
        app.call(Method::OPTIONS, "/api/v1/flags/", &headers, None).await.expect(200);
    }
}

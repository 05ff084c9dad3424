//! Change requests of projects: segments that change only after others have looked.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_store::seeds;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

struct Scene {
    world: World,
    author: Person,
    reviewer: Person,
    segment: i64,
}

fn rules(value: &str) -> Value {
    json!([{"type": "ALL", "rules": [], "conditions": [{"property": "plan", "operator": "EQUAL", "value": value}]}])
}

async fn joined(app: &TestApp, world: &World, name: &str, permissions: &[&str]) -> Person {
    let person = app.person(name).await;
    let mut tx = app.app.db().begin().await.unwrap();
    seeds::member(&mut tx, world.organisation, person.id, "USER")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    app.grant(&person, Object::Project(world.project), permissions)
        .await;
    person
}

async fn scene(app: &TestApp) -> Scene {
    let world = app.world().await;
    let author = joined(
        app,
        &world,
        "author",
        &["VIEW_PROJECT", "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS"],
    )
    .await;
    let reviewer = joined(
        app,
        &world,
        "reviewer",
        &["VIEW_PROJECT", "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS"],
    )
    .await;
    let segments = format!("/api/v1/projects/{}/segments/", world.project);
    let body = json!({"name": "gold", "rules": rules("gold")});
    let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
    let body = json!({"minimum_change_request_approvals": 1});
    app.patch(
        &world.admin,
        &format!("/api/v1/projects/{}/", world.project),
        &body,
    )
    .await
    .expect(200);
    Scene {
        world,
        author,
        reviewer,
        segment,
    }
}

impl Scene {
    fn path(&self) -> String {
        format!("/api/v1/projects/{}/change-requests/", self.world.project)
    }

    fn one(&self, id: i64) -> String {
        format!("{}{id}/", self.path())
    }

    async fn propose(&self, app: &TestApp, title: &str, segments: Value) -> Value {
        let body = json!({"title": title, "segments": segments});
        app.post(&self.author, &self.path(), &body).await.expect(201)
    }

    async fn found(&self, app: &TestApp, segment: i64) -> Value {
        let path = format!("/api/v1/projects/{}/segments/{segment}/", self.world.project);
        app.get(&self.world.admin, &path).await.expect(200)
    }

    async fn publish(&self, app: &TestApp, request: i64) {
        let approve = format!("{}approve/", self.one(request));
        app.post(&self.reviewer, &approve, &json!({})).await.expect(200);
        let commit = format!("{}commit/", self.one(request));
        app.post(&self.world.admin, &commit, &json!({})).await.expect(200);
    }
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

both! {
    async fn a_segment_becomes_what_was_approved_and_keeps_its_ids(app) {
        let scene = scene(&app).await;
        let before = scene.found(&app, scene.segment).await;
        let mut changed = before["rules"].clone();
        changed[0]["conditions"][0]["value"] = json!("platinum");
        let revision = json!({"name": "gold", "description": "d", "version_of": scene.segment, "rules": changed});
        let new = json!({"name": "silver", "rules": rules("silver")});
        let made = scene.propose(&app, "Tiers", json!([revision, new])).await;
        assert_eq!(keys(&made), [
            "id", "approvals", "committed_at", "committed_by", "created_at", "deleted_at", "description",
            "group_assignments", "project_id", "segments", "title", "updated_at", "user",
        ]);
        assert_eq!(keys(&made["segments"][0]), [
            "id", "uuid", "created_at", "updated_at", "name", "description", "project", "feature", "version_of", "rules",
            "metadata", "membership_counts", "managed_by", "change_request",
        ]);
        assert_eq!((&made["segments"][0]["version_of"], &made["segments"][1]["version_of"]), (&json!(scene.segment), &Value::Null));
        let request = id(&made);
        let found = app.get(&scene.reviewer, &scene.one(request)).await.expect(200);
        assert_eq!(keys(&found), [
            "id", "created_at", "updated_at", "environment", "title", "description", "user", "committed_at",
            "committed_by", "deleted_at", "approvals", "is_approved", "is_committed", "group_assignments", "segments",
            "change_sets", "conflicts",
        ]);
        assert_eq!(scene.found(&app, scene.segment).await, before);
        scene.publish(&app, request).await;
        let after = scene.found(&app, scene.segment).await;
        assert_eq!(after["rules"], changed);
        assert_eq!((&after["description"], &after["uuid"]), (&json!("d"), &before["uuid"]));
        let segments = format!("/api/v1/projects/{}/segments/", scene.world.project);
        let all = app.get(&scene.world.admin, &segments).await.expect(200);
        assert_eq!(all["results"][1]["name"], "silver");
        let done = app.get(&scene.author, &scene.one(request)).await.expect(200);
        assert_eq!(done["segments"][1]["version_of"], all["results"][1]["id"]);
        let messages: Vec<String> = app.log("SEGMENT").await.into_iter().filter_map(|entry| entry.message).collect();
        assert_eq!(messages[1..], [
            "Segment updated: gold by Change Request: Tiers", "New Segment created: silver by Change Request: Tiers",
        ]);
        let again = app.post(&scene.world.admin, &format!("{}commit/", scene.one(request)), &json!({})).await;
        again.expect(400);
        app.delete(&scene.world.admin, &scene.one(request)).await.expect(400);
    }

    async fn segments_are_not_edited_directly_while_approvals_are_on(app) {
        let scene = scene(&app).await;
        let segments = format!("/api/v1/projects/{}/segments/", scene.world.project);
        let one = format!("{segments}{}/", scene.segment);
        let body = json!({"name": "x", "rules": rules("x")});
        for (method, path) in [
            (Method::POST, segments.clone()), (Method::PUT, one.clone()), (Method::PATCH, one.clone()),
            (Method::DELETE, one.clone()), (Method::POST, format!("{one}clone/")),
        ] {
            let answer = app.by(&scene.world.admin, method.clone(), &path, Some(&body)).await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
            assert!(answer.text.contains("change requests are required"), "{}", answer.text);
        }
        let body = json!({"minimum_change_request_approvals": null});
        let project = format!("/api/v1/projects/{}/", scene.world.project);
        app.patch(&scene.world.admin, &project, &body).await.expect(200);
        app.delete(&scene.world.admin, &one).await.expect(204);
    }

    async fn an_edit_voids_and_a_segment_changed_meanwhile_conflicts(app) {
        let scene = scene(&app).await;
        let proposal = |value: &str| json!([{"name": "gold", "version_of": scene.segment, "rules": rules(value)}]);
        let first = id(&scene.propose(&app, "A", proposal("a")).await);
        let second = id(&scene.propose(&app, "B", proposal("b")).await);
        let approve = format!("{}approve/", scene.one(second));
        app.post(&scene.reviewer, &approve, &json!({})).await.expect(200);
        let edit = json!({"segments": proposal("c")});
        app.patch(&scene.author, &scene.one(second), &edit).await.expect(200);
        let commit = format!("{}commit/", scene.one(second));
        app.post(&scene.world.admin, &commit, &json!({})).await.expect(400);
        scene.publish(&app, first).await;
        app.post(&scene.reviewer, &approve, &json!({})).await.expect(200);
        let found = app.get(&scene.author, &scene.one(second)).await.expect(200);
        let conflict = &found["conflicts"][0];
        assert_eq!((&conflict["original_cr_id"], &conflict["segment_id"]), (&json!(first), &json!(scene.segment)));
        app.post(&scene.world.admin, &commit, &json!({})).await.expect(400);
        app.patch(&scene.author, &scene.one(second), &edit).await.expect(200);
        scene.publish(&app, second).await;
        assert_eq!(scene.found(&app, scene.segment).await["rules"][0]["conditions"][0]["value"], "c");
    }

    async fn rights_in_the_project_decide(app) {
        let scene = scene(&app).await;
        let project = Object::Project(scene.world.project);
        let (member, stranger) = (&scene.world.member, &scene.world.stranger);
        let body = json!({"title": "T", "segments": [{"name": "n", "rules": rules("n")}]});
        let request = id(&app.post(&scene.author, &scene.path(), &body).await.expect(201));
        for who in [member, stranger] {
            app.get(who, &scene.path()).await.expect(403);
            app.post(who, &scene.path(), &body).await.expect(403);
            app.get(who, &scene.one(request)).await.expect(404);
            app.post(who, &format!("{}approve/", scene.one(request)), &json!({})).await.expect(404);
            app.post(who, &format!("{}commit/", scene.one(request)), &json!({})).await.expect(404);
            app.delete(who, &scene.one(request)).await.expect(404);
        }
        app.grant(member, project, &["VIEW_PROJECT"]).await;
        assert_eq!(app.get(member, &scene.path()).await.expect(200)["count"], 1);
        app.patch(member, &scene.one(request), &json!({"title": "x"})).await.expect(403);
        app.delete(member, &scene.one(request)).await.expect(403);
        app.post(member, &format!("{}approve/", scene.one(request)), &json!({})).await.expect(403);
        let approve = format!("{}approve/", scene.one(request));
        app.post(&scene.author, &approve, &json!({})).await.expect(403);
        app.post(&scene.reviewer, &approve, &json!({})).await.expect(200);
        let commit = format!("{}commit/", scene.one(request));
        app.post(&scene.author, &commit, &json!({})).await.expect(403);
        app.post(&scene.reviewer, &commit, &json!({})).await.expect(403);
        app.grant(member, project, &["MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"]).await;
        app.post(member, &commit, &json!({})).await.expect(200);
        // A request of a project is none of an environment, nor of another project.
        app.get(&scene.author, &format!("/api/v1/features/workflows/change-requests/{request}/")).await.expect(404);
        let other = app.project(&scene.world.admin, scene.world.organisation, "Other").await;
        app.get(&scene.world.admin, &format!("/api/v1/projects/{other}/change-requests/{request}/")).await.expect(404);
        let comments = format!("{}comments/", scene.one(request));
        let comment = app.post(&scene.author, &comments, &json!({"text": "done"})).await.expect(201);
        app.put(&scene.author, &format!("{comments}{}/", id(&comment)), &json!({"text": "well done"})).await.expect(200);
        assert_eq!(app.get(member, &comments).await.expect(200)["results"][0]["text"], "well done");
        app.delete(member, &format!("{comments}{}/", id(&comment))).await.expect(204);
    }

    async fn wrong_segments_are_refused_in_their_place(app) {
        let scene = scene(&app).await;
        let missing = "This field is required.";
        let refused = app.post(&scene.author, &scene.path(), &json!({})).await.expect(400);
        assert_eq!(refused, json!({"title": [missing], "segments": [missing]}));
        let good = json!({"name": "n", "rules": rules("n"), "version_of": scene.segment});
        for (bad, field) in [
            (json!({"name": "n", "rules": []}), "rules"),
            (json!({"rules": rules("n")}), "name"),
            (json!({"name": "n", "rules": rules("n"), "version_of": 99_999}), "version_of"),
            (json!({"name": "n", "rules": rules("n"), "feature": 99_999}), "feature"),
            (good.clone(), "version_of"),
        ] {
            let body = json!({"title": "T", "segments": [good, bad]});
            let refused = app.post(&scene.author, &scene.path(), &body).await.expect(400);
            assert_eq!(refused["segments"][0], json!({}), "{refused}");
            assert_eq!(keys(&refused["segments"][1]), [field], "{refused}");
        }
        assert_eq!(app.get(&scene.author, &scene.path()).await.expect(200)["count"], 0);
        let listed = scene.propose(&app, "Listed", json!([good])).await;
        for (query, count) in [("?segment_id=99999", 0), ("?search=list", 1), ("?committed=true", 0), ("?committed=0", 1)] {
            let found = app.get(&scene.author, &format!("{}{query}", scene.path())).await.expect(200);
            assert_eq!(found["count"], count, "{query}");
        }
        let found = app.get(&scene.author, &format!("{}?segment_id={}", scene.path(), scene.segment)).await.expect(200);
        assert_eq!(found["results"][0]["id"], listed["id"]);
        assert_eq!(keys(&found["results"][0]), [
            "id", "created_at", "updated_at", "title", "description", "user", "committed_at", "committed_by", "deleted_at",
            "live_from",
        ]);
    }

    async fn a_request_is_written_anew_and_one_that_is_open_can_go(app) {
        let scene = scene(&app).await;
        let revision = |value: &str| json!([{"name": "gold", "version_of": scene.segment, "rules": rules(value)}]);
        let request = id(&scene.propose(&app, "Platinum", revision("platinum")).await);
        let one = scene.one(request);
        let body = json!({"title": "Silver", "segments": revision("silver")});
        let written = app.put(&scene.author, &one, &body).await.expect(200);
        assert_eq!((&written["id"], &written["title"]), (&json!(request), &json!("Silver")));
        let missing = app.put(&scene.author, &one, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"title": ["This field is required."], "segments": ["This field is required."]}));
        app.put(&scene.reviewer, &one, &body).await.expect(403);
        app.put(&scene.world.stranger, &one, &body).await.expect(404);
        scene.publish(&app, request).await;
        let found = scene.found(&app, scene.segment).await;
        assert!(found["rules"].to_string().contains("silver"), "{found}");

        let open = id(&scene.propose(&app, "Bronze", revision("bronze")).await);
        app.delete(&scene.reviewer, &scene.one(open)).await.expect(403);
        app.delete(&scene.author, &scene.one(open)).await.expect(204);
        app.get(&scene.author, &scene.one(open)).await.expect(404);
        assert!(scene.found(&app, scene.segment).await["rules"].to_string().contains("silver"));
    }

}

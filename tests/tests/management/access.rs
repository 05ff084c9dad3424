//! What each permission allows, and what keeps everybody out.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

use super::role_scene::{feature, give, proposal, role};

/// One thing that needs exactly one permission: its key, method, path and body.
type Operation = (&'static str, Method, String, Value);

/// An operation for every permission that something asks for by itself. `n` keeps names apart.
async fn operations(app: &TestApp, world: &World, n: usize) -> Vec<Operation> {
    let doomed = feature(app, world, &format!("doomed_{n}"), &[]).await;
    let kept = feature(app, world, &format!("kept_{n}"), &[]).await;
    let rule = json!({"type": "ALL", "conditions": [], "rules": []});
    let segments = format!("/api/v1/projects/{}/segments/", world.project);
    let body = json!({"name": format!("for {n}"), "project": world.project, "rules": [rule]});
    let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
    let states = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{states}?feature={kept}"))
        .await
        .expect(200);
    let state = id(&found["results"][0]);
    let (organisation, project, key) = (world.organisation, world.project, &world.key);
    let [to_approve, to_change, to_commit] = requests(app, world, (n, kept, segment)).await;
    vec![
        (
            "CREATE_PROJECT",
            Method::POST,
            "/api/v1/projects/".into(),
            json!({"name": format!("project {n}"), "organisation": organisation}),
        ),
        (
            "MANAGE_USER_GROUPS",
            Method::POST,
            format!("/api/v1/organisations/{organisation}/groups/"),
            json!({"name": format!("group {n}")}),
        ),
        (
            "VIEW_PROJECT",
            Method::GET,
            format!("/api/v1/projects/{project}/"),
            Value::Null,
        ),
        (
            "CREATE_ENVIRONMENT",
            Method::POST,
            "/api/v1/environments/".into(),
            json!({"name": format!("environment {n}"), "project": project}),
        ),
        (
            "DELETE_FEATURE",
            Method::DELETE,
            format!("/api/v1/projects/{project}/features/{doomed}/"),
            Value::Null,
        ),
        (
            "CREATE_FEATURE",
            Method::POST,
            format!("/api/v1/projects/{project}/features/"),
            json!({"name": format!("feature_{n}")}),
        ),
        (
            "MANAGE_SEGMENTS",
            Method::POST,
            segments,
            json!({"name": format!("segment {n}"), "project": project, "rules": [rule]}),
        ),
        (
            "MANAGE_TAGS",
            Method::POST,
            format!("/api/v1/projects/{project}/tags/"),
            json!({"label": format!("tag {n}"), "color": "#123"}),
        ),
        (
            "VIEW_ENVIRONMENT",
            Method::GET,
            format!("/api/v1/environments/{key}/"),
            Value::Null,
        ),
        (
            "UPDATE_FEATURE_STATE",
            Method::PUT,
            format!("{states}{state}/"),
            json!({"enabled": true, "feature_state_value": "x"}),
        ),
        (
            "MANAGE_IDENTITIES",
            Method::POST,
            format!("/api/v1/environments/{key}/identities/"),
            json!({"identifier": format!("somebody-{n}")}),
        ),
        (
            "VIEW_IDENTITIES",
            Method::GET,
            format!("/api/v1/environments/{key}/identities/"),
            Value::Null,
        ),
        (
            "VIEW_AUDIT_LOG",
            Method::GET,
            format!("/api/v1/projects/{project}/audit/"),
            Value::Null,
        ),
        (
            "CREATE_CHANGE_REQUEST",
            Method::POST,
            format!("/api/v1/environments/{key}/create-change-request/"),
            proposal(&format!("request {n}"), kept),
        ),
        (
            "APPROVE_CHANGE_REQUEST",
            Method::POST,
            format!("/api/v1/features/workflows/change-requests/{to_approve}/approve/"),
            Value::Null,
        ),
        (
            "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS",
            Method::POST,
            format!("/api/v1/projects/{project}/change-requests/"),
            revision(&format!("more {n}"), segment),
        ),
        (
            "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS",
            Method::POST,
            format!("/api/v1/projects/{project}/change-requests/{to_change}/approve/"),
            Value::Null,
        ),
        (
            "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS",
            Method::POST,
            format!("/api/v1/projects/{project}/change-requests/{to_commit}/commit/"),
            Value::Null,
        ),
        (
            "MANAGE_SEGMENT_OVERRIDES",
            Method::POST,
            format!("/api/v1/environments/{key}/features/{kept}/create-segment-override/"),
            json!({"feature_segment": {"segment": segment}, "enabled": true,
                "feature_state_value": {"type": "unicode", "string_value": "x"}}),
        ),
    ]
}

/// The body of a change request of a project that gives a segment another value to compare with.
fn revision(title: &str, segment: i64) -> Value {
    let condition = json!({"property": "plan", "operator": "EQUAL", "value": title});
    let rules = json!([{"type": "ALL", "rules": [], "conditions": [condition]}]);
    json!({"title": title, "segments": [{"name": title, "version_of": segment, "rules": rules}]})
}

/// Change requests of the administrator: one of the environment, and two of the project.
async fn requests(app: &TestApp, world: &World, (n, feature, segment): (usize, i64, i64)) -> [i64; 3] {
    let of_environment = format!("/api/v1/environments/{}/create-change-request/", world.key);
    let of_project = format!("/api/v1/projects/{}/change-requests/", world.project);
    let mut made = [0; 3];
    for (place, (path, body)) in made.iter_mut().zip([
        (&of_environment, proposal(&format!("first {n}"), feature)),
        (&of_project, revision(&format!("second {n}"), segment)),
        (&of_project, revision(&format!("third {n}"), segment)),
    ]) {
        *place = id(&app.post(&world.admin, path, &body).await.expect(201));
    }
    made
}

/// What is granted to try a permission: with that to look at change requests, where it is about them.
fn granted_for(key: &'static str) -> Vec<&'static str> {
    match key {
        "APPROVE_CHANGE_REQUEST" => vec![key, "VIEW_ENVIRONMENT"],
        "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS" | "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS" => {
            vec![key, "VIEW_PROJECT"]
        }
        _ => vec![key],
    }
}

/// Whether a permission includes another one.
fn includes(granted: &str, key: &str) -> bool {
    granted == key
        || (granted == "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS"
            && key == "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS")
}

/// At what a permission is granted.
fn level(key: &str) -> &'static str {
    match key {
        "CREATE_PROJECT" | "MANAGE_USER_GROUPS" => "organisation",
        "VIEW_PROJECT"
        | "CREATE_ENVIRONMENT"
        | "DELETE_FEATURE"
        | "CREATE_FEATURE"
        | "MANAGE_SEGMENTS"
        | "MANAGE_TAGS"
        | "VIEW_AUDIT_LOG"
        | "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS"
        | "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS"
        | "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS" => "project",
        _ => "environment",
    }
}

both! {
    async fn each_permission_allows_what_it_says_and_nothing_else(app) {
        let world = app.world().await;
        let role = role(&app, &world, "one thing").await;
        give(&app, &world, &role, &world.member).await;
        let paths = [
            ("organisation", format!("{role}organisation-permissions/")),
            ("project", format!("{role}projects-permissions/")),
            ("environment", format!("{role}environments-permissions/")),
        ];
        let mut grants = std::collections::HashMap::new();
        for (level, path) in &paths {
            let body = json!({"project": world.project, "environment": world.environment, "permissions": []});
            let made = app.post(&world.admin, path, &body).await.expect(201);
            grants.insert(*level, format!("{path}{}/", id(&made)));
        }
        let keys: Vec<&str> = operations(&app, &world, 999).await.iter().map(|operation| operation.0).collect();
        let mut served = Vec::new();
        for level in ["organisations", "projects", "environments"] {
            let permissions = app.get(&world.admin, &format!("/api/v1/{level}/permissions/")).await.expect(200);
            served.extend(permissions.as_array().expect("a list").iter().map(|one| one["key"].as_str().expect("text").to_owned()));
        }
        for key in &served {
            assert!(keys.contains(&key.as_str()), "nothing is tried with {key}");
        }
        for (n, tried) in keys.iter().copied().enumerate() {
            let granted = granted_for(tried);
            for (level, grant) in &grants {
                let here = granted.iter().copied().filter(|key| self::level(key) == *level);
                let permissions: Value = match *level {
                    "organisation" => here.map(|key| json!(key)).collect(),
                    _ => here.map(|key| json!({"permission_key": key})).collect(),
                };
                app.patch(&world.admin, grant, &json!({"permissions": permissions})).await.expect(200);
            }
            for (key, method, path, body) in operations(&app, &world, n).await {
                let body = Some(&body).filter(|body| !body.is_null());
                let answer = app.by(&world.member, method, &path, body).await;
                let allowed = granted.iter().any(|granted| includes(granted, key));
                let status = answer.status;
                assert_eq!(status.is_success(), allowed, "with {tried}, {key}: {status} {}", answer.text);
                assert!(allowed || matches!(status.as_u16(), 403 | 404), "with {tried}, {key}: {status}");
            }
        }
    }

    async fn members_without_a_second_factor_are_kept_out_where_it_is_forced(app) {
        let world = app.world().await;
        let one = format!("/api/v1/organisations/{}/", world.organisation);
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        app.patch(&world.admin, &one, &json!({"force_2fa": true})).await.expect(200);
        let project = format!("/api/v1/projects/{}/", world.project);
        for (person, path) in [(&world.member, &project), (&world.admin, &project), (&world.admin, &one)] {
            let refused = app.get(person, path).await.expect(403);
            assert!(refused["detail"].as_str().is_some_and(|text| text.contains("two-factor")), "{refused}");
        }
        // What it takes to learn why, to set a factor up and to leave still works.
        let listed = app.get(&world.member, "/api/v1/organisations/").await.expect(200);
        assert_eq!((&listed["results"][0]["force_2fa"], &listed["results"][0]["role"]), (&json!(true), &json!("USER")));
        assert_eq!(app.get(&world.member, "/api/v1/projects/").await.expect(200), json!([]));
        app.get(&world.member, "/api/v1/auth/users/me/").await.expect(200);
        let mut tx = app.app.db().begin().await.expect("a transaction");
        burgee_store::seeds::second_factor(&mut tx, world.member.id).await.expect("a factor");
        tx.commit().await.expect("commits");
        app.get(&world.member, &project).await.expect(200);
        app.post(&world.admin, "/api/v1/auth/logout/", &json!({})).await.expect(204);
    }

    async fn an_organisation_that_is_blocked_lets_nobody_in_but_says_so(app) {
        let world = app.world().await;
        let one = format!("/api/v1/organisations/{}/", world.organisation);
        let same = app.patch(&world.admin, &one, &json!({"block_access_to_admin": true})).await.expect(200);
        assert_eq!(same["block_access_to_admin"], false, "only superusers block an organisation");
        let mut tx = app.app.db().begin().await.expect("a transaction");
        burgee_store::seeds::block(&mut tx, world.organisation).await.expect("blocks");
        tx.commit().await.expect("commits");
        app.get(&world.admin, &one).await.expect(403);
        app.get(&world.admin, &format!("/api/v1/projects/{}/", world.project)).await.expect(403);
        let listed = app.get(&world.admin, "/api/v1/organisations/").await.expect(200);
        assert_eq!(listed["results"][0]["block_access_to_admin"], true);
    }

    async fn only_administrators_create_projects_where_that_is_restricted(app) {
        let world = app.world().await;
        app.grant(&world.member, Object::Organisation(world.organisation), &["CREATE_PROJECT"]).await;
        let body = |name: &str| json!({"name": name, "organisation": world.organisation});
        app.post(&world.member, "/api/v1/projects/", &body("One")).await.expect(201);
        let one = format!("/api/v1/organisations/{}/", world.organisation);
        app.patch(&world.admin, &one, &json!({"restrict_project_create_to_admin": true})).await.expect(200);
        app.post(&world.member, "/api/v1/projects/", &body("Two")).await.expect(403);
        app.post(&world.admin, "/api/v1/projects/", &body("Two")).await.expect(201);
    }
}

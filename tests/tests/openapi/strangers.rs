//! Every operation of the document, called by those who have no business with it.
//!
//! The status of each refusal is held to the document like every answer.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use burgee_testkit::places::Person;
use burgee_testkit::{TestApp, World, both};
use serde_json::{Value, json};

use super::{Operation, operations};

/// Operations that any member of an organisation may call, whatever his permissions.
const OPEN_TO_MEMBERS: &[(&str, &str)] = &[
    ("list_group_summaries", "whom one may share a feature with"),
    ("list_groups", "those he is in"),
    ("list_members", "members see each other"),
    ("list_metadata_model_fields", "the fields of what he may see"),
    ("list_supported_content_types", "the same for everybody"),
    ("list_my_groups", "those he is in"),
    ("list_organisation_projects", "those he may see"),
    (
        "list_usage_notifications",
        "what the dashboard asks for every member",
    ),
    ("organisation_get_my_permissions", "one's own"),
    (
        "organisation_get_user_detailed_permissions",
        "members see what others may do",
    ),
];

/// Operations with a parameter in their path that answer anybody who is signed in.
const OPEN_TO_EVERYBODY: &[(&str, &str)] = &[];

/// What stands in the place of parameters: by the part of the path before it, or else by the name of the parameter.
struct Ids(BTreeMap<&'static str, String>);

impl Ids {
    /// Everything of a world with a feature, overrides and an identity.
    async fn of(world: &World) -> Self {
        let feature = world
            .feature(json!({"name": "treasure", "initial_value": "treasure"}))
            .await;
        let segment = world.segment("treasure-segment", "a", "EQUAL", "b").await;
        let over = world.override_for_segment(feature, segment, "treasure").await;
        let identity = world.identity("treasure-identity").await;
        let state = world.override_for_identity(feature, identity, "treasure").await;
        let id = |value: &Value| value.to_string();
        Self(BTreeMap::from([
            ("organisation_id", world.organisation.to_string()),
            ("project_id", world.project.to_string()),
            ("environment_id", world.environment.to_string()),
            ("environment_key", world.client.clone()),
            ("api_key", world.client.clone()),
            ("environment_api_key", world.client.clone()),
            ("feature_id", feature.to_string()),
            ("segment_id", segment.to_string()),
            ("identity_id", identity.to_string()),
            ("segments", segment.to_string()),
            ("features", feature.to_string()),
            ("environments", world.client.clone()),
            ("featurestates", id(&state["id"])),
            ("feature-segments", id(&over["feature_segment"]["id"])),
        ]))
    }

    /// A path with what it is about in the place of its parameters; `outer` stands for those that `outer` has.
    fn fill(&self, path: &str, outer: Option<&Self>) -> String {
        let parts: Vec<&str> = path.split('/').collect();
        let fill = |(place, part): (usize, &&str)| {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                return (*part).to_owned();
            };
            let is_outer = parts[..place].iter().all(|part| !part.starts_with('{'));
            let ids = outer.filter(|_| is_outer).unwrap_or(self);
            let found = ids.0.get(name).or_else(|| ids.0.get(parts[place - 1]));
            let unknown = if name.contains("uuid") {
                "00000000-0000-4000-8000-000000000000"
            } else {
                "1"
            };
            found.cloned().unwrap_or_else(|| unknown.to_owned())
        };
        parts.iter().enumerate().map(fill).collect::<Vec<_>>().join("/")
    }
}

fn has_parameters(operation: &Operation) -> bool {
    operation.path.contains('{')
}

fn is_refusal(status: StatusCode) -> bool {
    [
        StatusCode::BAD_REQUEST,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
    ]
    .contains(&status)
}

/// Calls every operation on something as somebody, who must be refused; `open` lists where he need not be.
async fn refuse_all(app: &TestApp, person: &Person, open: &[(&str, &str)], path: impl Fn(&str) -> String) {
    let mut wrong = Vec::new();
    let mut answered: Vec<&str> = Vec::new();
    for operation in operations() {
        if operation.is_public() || !has_parameters(&operation) {
            continue;
        }
        let answer = app
            .by(
                person,
                operation.method.clone(),
                &path(&operation.path),
                Some(&json!({})),
            )
            .await;
        let name = operation.name();
        assert!(!answer.text.contains("treasure"), "{name} tells: {}", answer.text);
        let is_open = open.iter().any(|(id, _)| *id == operation.id());
        if is_refusal(answer.status) {
            continue;
        }
        answered.push(operation.id());
        if !is_open {
            wrong.push(format!("{name}: {} {}", answer.status.as_u16(), answer.text));
        }
    }
    assert!(wrong.is_empty(), "not refused:\n{}", wrong.join("\n"));
    let unneeded: Vec<&str> = open
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| !answered.contains(id))
        .collect();
    assert!(
        unneeded.is_empty(),
        "refused, though the list says open: {unneeded:?}"
    );
}

both! {
    async fn every_management_operation_asks_who_is_calling(app) {
        let nobody = Ids(BTreeMap::new());
        let mut asked = 0;
        let mut wrong = Vec::new();
        for operation in operations() {
            if operation.is_public() {
                continue;
            }
            for headers in [
                vec![],
                vec![("authorization", "Token 0000000000000000000000000000000000000000")],
                vec![("authorization", "Api-Key 00000000.0000000000000000000000000000")],
            ] {
                let path = nobody.fill(&operation.path, None);
                let answer = app.call(operation.method.clone(), &path, &headers, Some(&json!({}))).await;
                if answer.status != StatusCode::UNAUTHORIZED {
                    wrong.push(format!("{}: {}", operation.name(), answer.text));
                }
            }
            asked += 1;
        }
        assert!(wrong.is_empty(), "not asked:\n{}", wrong.join("\n"));
        assert!(asked > 100, "only {asked} operations were asked");
    }

    async fn every_sdk_operation_wants_a_key_that_is_one(app) {
        let world = World::new(app).await;
        let ids = Ids::of(&world).await;
        for operation in operations().iter().filter(|operation| operation.takes_environment_key()) {
            let refusal = if operation.path.starts_with("/ofrep/") { 401 } else { 403 };
            let token = format!("Token {}", world.token);
            for headers in [vec![], vec![("x-environment-key", "none")], vec![("authorization", token.as_str())]] {
                let path = ids.fill(&operation.path, None);
                let answer = world.app.call(operation.method.clone(), &path, &headers, Some(&json!({}))).await;
                assert_eq!(answer.status.as_u16(), refusal, "{}: {}", operation.name(), answer.text);
            }
        }
    }

    async fn a_key_of_one_environment_opens_no_other(app) {
        let world = World::new(app).await;
        let ids = Ids::of(&world).await;
        let body = json!({"name": "Elsewhere", "organisation": world.organisation});
        let project = world.post("/api/v1/projects/", body).await["id"].clone();
        let other = world.post("/api/v1/environments/", json!({"name": "Other", "project": project})).await;
        let key = other["api_key"].as_str().unwrap();
        for operation in operations().iter().filter(|operation| operation.takes_environment_key()) {
            let path = ids.fill(&operation.path, None);
            let body = json!({"identifier": "treasure-identity"});
            let answer = world.sdk_with(key, operation.method.clone(), &path, Some(body)).await;
            let name = operation.name();
            assert!(!answer.text.replace("treasure-identity", "").contains("treasure"), "{name}: {}", answer.text);
            assert!(!answer.status.is_server_error(), "{name}: {}", answer.text);
        }
    }

    async fn an_administrator_of_another_organisation_is_refused_everywhere(app) {
        let world = World::new(app).await;
        let ids = Ids::of(&world).await;
        let stranger = world.app.person("stranger").await;
        world.app.organisation("Elsewhere", &stranger, "ADMIN").await;
        refuse_all(&world.app, &stranger, OPEN_TO_EVERYBODY, |path| ids.fill(path, None)).await;
        nothing_was_lost(&world).await;
    }

    async fn what_is_another_organisations_is_not_found_under_ones_own(app) {
        let world = World::new(app).await;
        let ids = Ids::of(&world).await;
        let stranger = world.app.person("stranger").await;
        let organisation = world.app.organisation("Elsewhere", &stranger, "ADMIN").await;
        let project = world.app.project(&stranger, organisation, "Own").await;
        let (environment, key) = world.app.environment(&stranger, project, "Own").await;
        let own = Ids(BTreeMap::from([
            ("organisation_id", organisation.to_string()),
            ("project_id", project.to_string()),
            ("environment_id", environment.to_string()),
            ("environment_key", key.clone()),
            ("environment_api_key", key.clone()),
            ("api_key", key),
        ]));
        for operation in operations() {
            if operation.is_public() || operation.path.matches('{').count() < 2 {
                continue;
            }
            let path = ids.fill(&operation.path, Some(&own));
            let answer = world.app.by(&stranger, operation.method.clone(), &path, Some(&json!({}))).await;
            let name = operation.name();
            assert!(!answer.text.contains("treasure"), "{name} tells: {}", answer.text);
            assert!(!answer.status.is_server_error(), "{name}: {}", answer.text);
        }
        nothing_was_lost(&world).await;
    }

    async fn a_member_without_a_permission_is_refused_what_needs_one(app) {
        let world = World::new(app).await;
        let ids = Ids::of(&world).await;
        let member = world.app.person("member").await;
        world.app.join(world.organisation, &member, "USER").await;
        refuse_all(&world.app, &member, OPEN_TO_MEMBERS, |path| ids.fill(path, None)).await;
        nothing_was_lost(&world).await;
    }
}

/// Nothing of a world was changed or deleted by those who may not.
async fn nothing_was_lost(world: &World) {
    let flags = world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
    assert_eq!(flags[0]["feature"]["name"], "treasure");
    let identity = world.identify(json!({"identifier": "treasure-identity"})).await;
    assert_eq!(identity["flags"][0]["feature_state_value"], "treasure");
}

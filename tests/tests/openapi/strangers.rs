//! Every operation of the document, called by those who have no business with it: with no key, by an administrator of
//! another organisation, by a member without permissions, and with what opens another environment.
//!
//! They ask for things that exist, with bodies that are right, so that nothing but a permission can refuse them. The
//! status of each refusal is held to the document like every answer.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use burgee_testkit::places::Person;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

use super::requests::resolved;
use super::treasure::Treasure;
use super::{Operation, operations};

/// Operations on the caller himself, or on what he is about to make: there is nothing of others to be refused.
const OF_ONESELF: &[&str] = &[
    "activate_app",
    "confirm_app",
    "create_organisation",
    "deactivate_app",
    "decide_authorization",
    "delete_me",
    "delete_token",
    "describe_authorization",
    "get_me",
    "list_active_methods",
    "list_sessions",
    "log_out",
    "patch_me",
    "patch_onboarding",
    "regenerate_backup_codes",
    "set_email",
    "set_password",
    "update_me",
];

/// Operations that answer whoever is signed in, and why. They tell him nothing of the treasure.
const OPEN_TO_EVERYBODY: Open = &[
    ("environment_list_permissions", "the same for everybody"),
    ("get_platform_summary", "sums over what he administers"),
    ("list_audit_log", "what he may read"),
    ("list_organisations", "those he is in"),
    (
        "list_platform_integrations",
        "those of organisations he administers",
    ),
    ("list_platform_organisations", "those he administers"),
    (
        "list_platform_release_pipelines",
        "those of organisations he administers",
    ),
    ("list_platform_stale_flags", "sums over what he administers"),
    ("list_platform_usage_trends", "sums over what he administers"),
    ("list_projects", "those he may see"),
    (
        "list_saml_attribute_mappings",
        "those of organisations he administers",
    ),
    ("organisation_list_permissions", "the same for everybody"),
    ("project_list_permissions", "the same for everybody"),
];

/// Operations that any member of an organisation may call, whatever his permissions.
const OPEN_TO_MEMBERS: Open = &[
    (
        "browse_github_contributors",
        "what the organisation lets GitHub show its members",
    ),
    (
        "browse_github_issues",
        "what the organisation lets GitHub show its members",
    ),
    (
        "browse_github_pulls",
        "what the organisation lets GitHub show its members",
    ),
    ("get_metadata_field", "a field of what he may see"),
    ("get_metadata_model_field", "a field of what he may see"),
    (
        "get_organisation_by_uuid",
        "what the list of those he is in tells",
    ),
    ("list_environments", "those he may see"),
    ("list_group_summaries", "whom one may share a feature with"),
    (
        "list_github_configurations",
        "whether features can be linked to issues",
    ),
    (
        "list_github_repositories",
        "in which repositories issues can be linked",
    ),
    ("list_groups", "those he is in"),
    ("list_members", "members see each other"),
    ("list_metadata_fields", "the fields of what he may see"),
    ("list_metadata_model_fields", "the fields of what he may see"),
    ("list_supported_content_types", "the same for everybody"),
    ("list_supported_required_for_models", "the same for everybody"),
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

/// Operations that whoever administers another environment of the project may call.
const OPEN_TO_NEIGHBOURS: Open = &[];

/// Operations of the management API that could be refused to somebody.
fn of_others() -> impl Iterator<Item = Operation> {
    let all = operations().into_iter();
    all.filter(|operation| !operation.is_public() && !OF_ONESELF.contains(&operation.id()))
}

/// Operations that are told by their body or query what they are about. Of what the caller may not see they say, with
/// these words, that it is not there.
const NOT_THERE: &[(&str, &str)] = &[
    ("create_saml_attribute_mapping", "object does not exist."),
    ("list_environments", "Invalid or missing value for project"),
    ("update_priorities", "Some of the provided ids were not found."),
];

fn is_refusal(operation: &Operation, answer: &Answer) -> bool {
    let is_not_there = |(id, words): &(&str, &str)| *id == operation.id() && answer.text.contains(words);
    match answer.status {
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => true,
        StatusCode::BAD_REQUEST => NOT_THERE.iter().any(is_not_there),
        _ => false,
    }
}

/// Whom an operation need not refuse, and why.
type Open = &'static [(&'static str, &'static str)];

/// What a stranger's own organisation has given him: keys of every kind.
struct Own {
    scim: String,
    cohort: [String; 2],
    access: [String; 2],
}

impl Own {
    async fn of_the_stranger(app: &TestApp, treasure: &Treasure) -> Self {
        let stranger = &treasure.world.stranger;
        let organisation = app.organisation("Own", stranger, "ADMIN").await;
        let project = app.project(stranger, organisation, "Own").await;
        let (_, environment) = app.environment(stranger, project, "Own").await;
        let make = async |path: String, body: Value, field: &str| {
            let made = app.post(stranger, &path, &body).await;
            assert!(made.status.is_success(), "{path}: {}", made.text);
            made.body[field].as_str().expect("a key").to_owned()
        };
        let of_organisation = format!("/api/v1/organisations/{organisation}");
        let scim = make(format!("{of_organisation}/scim/"), json!({}), "token").await;
        let master = json!({"name": "own", "is_admin": true});
        let master = make(format!("{of_organisation}/master-api-keys/"), master, "key").await;
        let path = format!("/api/v1/environments/{environment}/api-keys/");
        let server = make(path, json!({"name": "own"}), "key").await;
        Self {
            scim: format!("Bearer {scim}"),
            cohort: [format!("Bearer {server}"), format!("Bearer {master}")],
            access: [master, stranger.token.clone()],
        }
    }

    /// Those that an operation takes.
    fn for_operation(&self, operation: &Operation) -> Vec<&str> {
        let takes = |scheme: &str| {
            let ways = operation.declared["security"].as_array().into_iter().flatten();
            ways.filter_map(|way| way.get(scheme)).count() > 0
        };
        let kinds: [(&str, &[String]); 3] = [
            ("scim_token", std::slice::from_ref(&self.scim)),
            ("cohort_key", &self.cohort),
            ("access_token", &self.access),
        ];
        let fitting = kinds.into_iter().filter(|(scheme, _)| takes(scheme));
        fitting
            .flat_map(|(_, keys)| keys.iter().map(String::as_str))
            .collect()
    }
}

/// A body that SCIM and LaunchDarkly's segments take for anything: the document leaves theirs open.
fn of_others_protocols() -> Value {
    json!({
        "userName": "own@example.com", "displayName": "own",
        "Operations": [{"op": "replace", "path": "active", "value": true}],
        "name": "own", "key": "own", "included": {"add": ["own"]},
        "patch": [{"op": "replace", "path": "/name", "value": "own"}],
    })
}

/// Calls every operation on the treasure as somebody, who must be refused; the lists say where he need not be, and must
/// not say more than is so.
async fn refuse_all(app: &TestApp, treasure: &Treasure, person: &Person, open: &[Open]) {
    let is_in = |list: Open, operation: &Operation| list.iter().any(|(id, _)| *id == operation.id());
    let mut wrong = Vec::new();
    let mut unneeded: BTreeSet<&str> = open.iter().copied().flatten().map(|(id, _)| *id).collect();
    for operation in of_others() {
        let (path, body) = (operation.target(treasure, &[]), operation.body(treasure));
        let answer = app.by(person, operation.method.clone(), &path, Some(&body)).await;
        let request = format!("{} {path} {body}: {}", operation.name(), answer.status.as_u16());
        if is_refusal(&operation, &answer) || is_in(OPEN_TO_EVERYBODY, &operation) {
            assert!(
                !answer.text.contains("treasure"),
                "{request} tells: {}",
                answer.text
            );
        }
        if is_refusal(&operation, &answer) {
            continue;
        }
        unneeded.remove(operation.id());
        if !open.iter().any(|list| is_in(list, &operation)) {
            wrong.push(format!("{request} {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "not refused:\n{}", wrong.join("\n"));
    assert!(
        unneeded.is_empty(),
        "refused, though the list says open: {unneeded:?}"
    );
    treasure.is_untouched(app).await;
}

both! {
    async fn every_management_operation_asks_who_is_calling(app) {
        let treasure = Treasure::bury(&app).await;
        let mut asked = 0;
        let mut wrong = Vec::new();
        for operation in operations().iter().filter(|operation| !operation.is_public()) {
            for headers in [
                vec![],
                vec![("authorization", "Token 0000000000000000000000000000000000000000")],
                vec![("authorization", "Api-Key 00000000.0000000000000000000000000000")],
            ] {
                let (path, body) = (operation.target(&treasure, &[]), operation.body(&treasure));
                let answer = app.call(operation.method.clone(), &path, &headers, Some(&body)).await;
                if answer.status != StatusCode::UNAUTHORIZED {
                    wrong.push(format!("{}: {}", operation.name(), answer.text));
                }
            }
            asked += 1;
        }
        assert!(wrong.is_empty(), "not asked:\n{}", wrong.join("\n"));
        assert!(asked > 400, "only {asked} operations were asked");
        treasure.is_untouched(&app).await;
    }

    async fn every_sdk_operation_wants_a_key_that_is_one(app) {
        let treasure = Treasure::bury(&app).await;
        let token = format!("Token {}", treasure.world.admin.token);
        for operation in operations().iter().filter(|operation| operation.takes_environment_key()) {
            let refusal = if operation.path.starts_with("/ofrep/") { 401 } else { 403 };
            for headers in [vec![], vec![("x-environment-key", "none")], vec![("authorization", token.as_str())]] {
                let (path, body) = (operation.target(&treasure, &[]), operation.body(&treasure));
                let answer = app.call(operation.method.clone(), &path, &headers, Some(&body)).await;
                assert_eq!(answer.status.as_u16(), refusal, "{}: {}", operation.name(), answer.text);
            }
        }
        treasure.is_untouched(&app).await;
    }

    async fn a_key_of_one_environment_opens_no_other(app) {
        let treasure = Treasure::bury(&app).await;
        let world = &treasure.world;
        let project = app.project(&world.admin, world.organisation, "Elsewhere").await;
        let (_, key) = app.environment(&world.admin, project, "Other").await;
        for operation in operations().iter().filter(|operation| operation.takes_environment_key()) {
            let path = operation.target(&treasure, &[]);
            let mut body = operation.body(&treasure);
            if body.get("identifier").is_some() {
                body["identifier"] = json!("treasure");
            }
            let answer = app.call(operation.method.clone(), &path, &[("x-environment-key", &key)], Some(&body)).await;
            let name = operation.name();
            let mut told = answer.text.clone();
            // What is echoed of the request is nothing told.
            for name in ["identifier", "trait_key", "key"] {
                told = told.replace(&format!("\"{name}\":\"treasure\""), "");
            }
            assert!(!told.contains("treasure"), "{name}: {}", answer.text);
            assert!(!answer.status.is_server_error(), "{name}: {}", answer.text);
        }
        treasure.is_untouched(&app).await;
    }

    async fn keys_of_one_kind_open_nothing_of_the_others(app) {
        let treasure = Treasure::bury(&app).await;
        let world = &treasure.world;
        let key = world.key.as_str();
        let admin = format!("Token {}", world.admin.token);
        for operation in operations().iter().filter(|operation| operation.has_keys_of_its_own()) {
            // A user's token is an access token, however it is written.
            let user = if operation.path.starts_with("/api/v2/") { "Token nothing" } else { admin.as_str() };
            for authorization in ["", "Bearer", "Bearer nothing", "nothing", user, &format!("Bearer {key}")] {
                let (path, body) = (operation.target(&treasure, &[]), operation.body(&treasure));
                let headers = [("authorization", authorization), ("x-environment-key", key)];
                let answer = app.call(operation.method.clone(), &path, &headers, Some(&body)).await;
                assert_eq!(answer.status.as_u16(), 401, "{} {authorization:?}: {}", operation.name(), answer.text);
            }
        }
        treasure.is_untouched(&app).await;
    }

    async fn keys_of_another_organisation_lead_to_nothing_here(app) {
        let treasure = Treasure::bury(&app).await;
        let own = Own::of_the_stranger(&app, &treasure).await;
        let mut called = 0;
        for operation in operations().iter().filter(|operation| operation.has_keys_of_its_own()) {
            for authorization in own.for_operation(operation) {
                let path = operation.target(&treasure, &[]);
                let body = if operation.path.contains("/cohort-sync/") { operation.body(&treasure) } else { of_others_protocols() };
                let answer = app.call(operation.method.clone(), &path, &[("authorization", authorization)], Some(&body)).await;
                let name = operation.name();
                let names_something = path.contains("/v2/segments/") || operation.path.contains("_id}/")
                    || operation.path.contains("_uuid}/");
                assert!(!names_something || is_refusal(operation, &answer), "{name}: {}", answer.text);
                // What one makes there is one's own, and called as one wants.
                let is_made = operation.method == Method::POST && answer.status.is_success();
                assert!(is_made || !answer.text.contains("treasure"), "{name} tells: {}", answer.text);
                called += 1;
            }
        }
        assert!(called > 25, "only {called} were called");
        treasure.is_untouched(&app).await;
    }

    async fn an_administrator_of_another_organisation_is_refused_everywhere(app) {
        let treasure = Treasure::bury(&app).await;
        refuse_all(&app, &treasure, &treasure.world.stranger, &[OPEN_TO_EVERYBODY]).await;
    }

    async fn a_member_without_a_permission_is_refused_what_needs_one(app) {
        let treasure = Treasure::bury(&app).await;
        refuse_all(&app, &treasure, &treasure.world.member, &[OPEN_TO_EVERYBODY, OPEN_TO_MEMBERS]).await;
    }

    async fn an_administrator_of_another_environment_is_refused_in_this_one(app) {
        let treasure = Treasure::bury(&app).await;
        let neighbour = treasure.neighbour(&app).await;
        let open = [OPEN_TO_EVERYBODY, OPEN_TO_MEMBERS, OPEN_TO_NEIGHBOURS];
        refuse_all(&app, &treasure, &neighbour, &open).await;
    }

    async fn what_is_another_organisations_is_not_found_under_ones_own(app) {
        let treasure = Treasure::bury(&app).await;
        let stranger = &treasure.world.stranger;
        let organisation = app.organisation("Own", stranger, "ADMIN").await;
        let project = app.project(stranger, organisation, "Own").await;
        let edge = json!({"use_edge_identities": true});
        app.patch(stranger, &format!("/api/v1/projects/{project}/"), &edge).await.expect(200);
        let (environment, key) = app.environment(stranger, project, "Own").await;
        let own = [
            ("organisation_id", organisation.to_string()), ("project_id", project.to_string()),
            ("environment_id", environment.to_string()), ("environment_key", key.clone()),
            ("environment_api_key", key.clone()), ("api_key", key),
        ];
        let mut wrong = Vec::new();
        let of_parts = of_others().filter(|operation| operation.path.matches('{').count() > 1);
        for operation in of_parts.filter(|operation| !NAMED_BY_ONESELF.contains(&operation.id())) {
            let (path, body) = (operation.target(&treasure, &own), operation.body(&treasure));
            let answer = app.by(stranger, operation.method.clone(), &path, Some(&body)).await;
            assert!(!answer.text.contains("treasure"), "{} tells: {}", operation.name(), answer.text);
            if !is_refusal(&operation, &answer) {
                wrong.push(format!("{} {path} {body}: {} {}", operation.name(), answer.status.as_u16(), answer.text));
            }
        }
        assert!(wrong.is_empty(), "not refused:\n{}", wrong.join("\n"));
        treasure.is_untouched(&app).await;
    }
}

/// Operations that do not tell of all fields that are missing, or not with the usual words, and why.
const TOLD_OTHERWISE: &[(&str, &str)] = &[
    (
        "create_environment",
        "where comes before what: 403, as in the reference",
    ),
    ("create_link", "where comes before what: 403, as in the reference"),
    (
        "create_list_segment",
        "a name or a segment must be there, either of them",
    ),
    (
        "create_shared_state",
        "where comes before what: 403, as in the reference",
    ),
    (
        "decide_authorization",
        "whether one agrees comes first; the rest is told as OAuth has it",
    ),
    ("delete_trait_key", "the reference's words"),
    ("exchange_oauth_token", "RFC 6749 has words of its own"),
    ("introspect_oauth_token", "RFC 7662 has words of its own"),
    ("revoke_oauth_token", "RFC 7009 has words of its own"),
    ("set_trait_by_path", "the reference's words"),
    ("set_up", "closed, because there is somebody"),
    ("test_webhook", "whose webhook comes before what: 403"),
    (
        "create_segment_override",
        "the segment is asked for once the value is right, as in the recordings",
    ),
];

/// Operations below an organisation whose other parameters are words, or names that one gives oneself.
const NAMED_BY_ONESELF: &[&str] = &["list_audience_sync_objects", "put_audience_sync_object"];

/// What an answer says is missing from a body.
fn missing(answer: &Answer) -> BTreeSet<String> {
    let words = [
        json!(["This field is required."]),
        json!(["No file was submitted."]),
    ];
    let problems = answer.body.as_object().into_iter().flatten();
    let required = problems.filter(|(_, problem)| words.contains(problem));
    required.map(|(name, _)| name.clone()).collect()
}

/// The fields that the document says a body must have; `None` for bodies that are no object.
fn declared(operation: &Operation) -> Option<BTreeSet<String>> {
    let schema = resolved(operation.body_schema()?);
    let names = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    (schema["type"] == "object").then(|| names.map(str::to_owned).collect())
}

both! {
    async fn what_a_body_must_have_is_what_the_document_says(app) {
        let treasure = Treasure::bury(&app).await;
        let token = format!("Token {}", treasure.world.admin.token);
        let told_usually = |operation: &Operation| !TOLD_OTHERWISE.iter().any(|(id, _)| *id == operation.id());
        let with_body: Vec<(Operation, BTreeSet<String>)> = operations()
            .into_iter()
            .filter(|operation| told_usually(operation) && !OF_ONESELF.contains(&operation.id()))
            .filter(|operation| !operation.has_keys_of_its_own())
            // None of these is set up. What they are read as is what those are read as that set them up.
            .filter(|operation| !operation.path.ends_with("/{integration_id}/"))
            .filter_map(|operation| declared(&operation).map(|fields| (operation, fields)))
            .collect();
        assert!(with_body.len() > 150, "only {} bodies", with_body.len());
        // Those that need nothing may do something, and come last.
        let (last, first): (Vec<_>, Vec<_>) = with_body.into_iter().partition(|(_, fields)| fields.is_empty());
        let mut wrong = Vec::new();
        for (operation, fields) in first.into_iter().chain(last) {
            let path = operation.target(&treasure, &[]);
            let headers = if operation.takes_environment_key() {
                [("x-environment-key", treasure.world.key.as_str())]
            } else {
                [("authorization", token.as_str())]
            };
            let answer = app.call(operation.method.clone(), &path, &headers, Some(&json!({}))).await;
            if missing(&answer) != fields {
                wrong.push(format!("{}: {fields:?} declared; {} {}", operation.name(), answer.status.as_u16(), answer.text));
            }
        }
        assert!(wrong.is_empty(), "bodies:\n{}", wrong.join("\n"));
    }
}

//! The flags that Burgee itself is driven by: their project, who is told of it, and what the server does by them.

use axum::http::Method;
use burgee_app::Settings;
use burgee_app::own_flags::{self, Seeded};
use burgee_app::settings::OwnFlagsSettings;
use burgee_testkit::receiver::Receiver;
use burgee_testkit::{TestApp, World, both, id};
use serde_json::{Value, json};

const OVERRIDES: &str = "/config/project-overrides";
const VERSIONS: &str = "enable_feature_versioning_for_new_environments";

async fn seed(world: &World) -> Seeded {
    own_flags::seed(&world.app.app, None).await.unwrap()
}

/// What the dashboard is told, as JSON.
async fn told(app: &TestApp) -> Value {
    let headers = [("accept", "application/json")];
    app.call(Method::GET, OVERRIDES, &headers, None).await.expect(200)
}

/// What an identity is served by a key.
async fn served(app: &TestApp, key: &str, traits: Value) -> Value {
    let body = json!({ "identifier": "7", "traits": traits });
    let headers = [("x-environment-key", key)];
    app.call(Method::POST, "/api/v1/identities/", &headers, Some(&body))
        .await
        .expect(200)
}

async fn get(world: &World, path: &str) -> Value {
    world.manage(Method::GET, path, Value::Null).await
}

/// A flag in an answer.
#[track_caller]
fn flag<'a>(answer: &'a Value, name: &str) -> &'a Value {
    burgee_testkit::flag(&answer["flags"], name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// The features of a project.
async fn features(world: &World, project: i64) -> Vec<Value> {
    let path = format!("/api/v1/projects/{project}/features/?page_size=999");
    get(world, &path).await["results"].as_array().unwrap().clone()
}

fn named<'a>(features: &'a [Value], name: &str) -> &'a Value {
    features.iter().find(|one| one["name"] == name).unwrap()
}

/// Turns a flag of the seeded environment.
async fn turn(world: &World, seeded: &Seeded, name: &str, enabled: bool, value: Value) {
    let states = format!("/api/v1/environments/{}/featurestates/", seeded.environment_key);
    let found = get(world, &format!("{states}?feature_name={name}")).await;
    let change = json!({ "enabled": enabled, "feature_state_value": value });
    let path = format!("{states}{}/", id(&found["results"][0]));
    world.manage(Method::PUT, &path, change).await;
}

/// Whether this node serves a flag of the seeded environment as on.
async fn is_served(node: &TestApp, seeded: &Seeded, name: &str) -> bool {
    let answer = served(node, &seeded.environment_key, json!([])).await;
    flag(&answer, name)["enabled"] == true
}

async fn new_environment(world: &World, name: &str) -> Value {
    world
        .post(
            "/api/v1/environments/",
            json!({ "name": name, "project": world.project }),
        )
        .await
}

both! {
    async fn seeding_makes_every_flag_of_the_table_and_the_dashboard_is_told_where(app) {
        let world = World::new(app).await;
        assert_eq!(told(&world.app).await["flagsmith"], Value::Null);
        let seeded = seed(&world).await;
        assert!(seeded.imported.is_new && seeded.imported.not_taken.is_empty(), "{seeded:?}");

        let overrides = told(&world.app).await;
        assert_eq!(overrides["flagsmith"], seeded.environment_key.as_str());
        assert_eq!(overrides["flagsmithClientAPI"], "/api/v1/");
        let answer = served(&world.app, &seeded.environment_key, json!([])).await;
        let table = own_flags::all().unwrap();
        assert_eq!(answer["flags"].as_array().unwrap().len(), table.len());
        for (name, own) in &table {
            let flag = flag(&answer, name);
            assert_eq!(flag["enabled"], own.enabled, "{name}");
            assert_eq!(flag["feature_state_value"].is_null(), own.value.is_null(), "{name}");
        }
        let operators = flag(&answer, "segment_operators")["feature_state_value"].as_str().unwrap();
        let operators: Vec<Value> = serde_json::from_str(operators).unwrap();
        assert!(operators.iter().any(|one| one["value"] == "GREATER_THAN:semver"));
    }

    async fn whoever_chose_the_dark_theme_is_in_its_segment(app) {
        let world = World::new(app).await;
        let key = seed(&world).await.environment_key;
        let dark = json!([{ "trait_key": "dark_mode", "trait_value": "True" }]);
        assert_eq!(flag(&served(&world.app, &key, dark).await, "dark_mode")["enabled"], true);
        let light = json!([{ "trait_key": "dark_mode", "trait_value": "False" }]);
        assert_eq!(flag(&served(&world.app, &key, light).await, "dark_mode")["enabled"], false);
    }

    async fn seeding_again_adds_what_is_missing_and_changes_nothing_that_is_there(app) {
        let world = World::new(app).await;
        let seeded = seed(&world).await;
        let project = seeded.imported.project_id;
        turn(&world, &seeded, "oauth_google", false, Value::Null).await;
        turn(&world, &seeded, "butter_bar", true, json!("maintenance tonight")).await;
        let all = features(&world, project).await;
        let path = |name: &str| format!("/api/v1/projects/{project}/features/{}/", id(named(&all, name)));
        world.manage(Method::PATCH, &path("saml"), json!({ "description": "Ours" })).await;
        world.manage(Method::DELETE, &path("usage_chart"), Value::Null).await;
        let settings = json!({ "name": "Our own flags", "prevent_flag_defaults": true });
        world.manage(Method::PATCH, &format!("/api/v1/projects/{project}/"), settings).await;
        let environment = format!("/api/v1/environments/{}/", seeded.environment_key);
        world.manage(Method::PATCH, &environment, json!({ "name": "Live", "banner_text": "Live" })).await;

        let again = seed(&world).await;
        assert_eq!(again.imported.created, [("features", 1)]);
        assert!(!again.imported.is_new);
        assert_eq!(
            (again.environment_name.as_str(), &again.environment_key),
            ("Live", &seeded.environment_key)
        );
        let answer = served(&world.app, &seeded.environment_key, json!([])).await;
        assert_eq!(flag(&answer, "oauth_google")["enabled"], false);
        assert_eq!(flag(&answer, "butter_bar")["feature_state_value"], "maintenance tonight");
        assert_eq!(flag(&answer, "usage_chart")["enabled"], true);
        assert_eq!(named(&features(&world, project).await, "saml")["description"], "Ours");
        let settings = get(&world, &format!("/api/v1/projects/{project}/")).await;
        assert_eq!(
            (settings["name"].as_str(), settings["prevent_flag_defaults"].as_bool()),
            (Some("Our own flags"), Some(true))
        );
        assert_eq!(get(&world, &environment).await["banner_text"], "Live");

        let third = seed(&world).await;
        assert!(third.imported.created.is_empty(), "{third:?}");
    }

    async fn a_deleted_segment_comes_back_with_its_override(app) {
        let world = World::new(app).await;
        let seeded = seed(&world).await;
        let path = format!("/api/v1/projects/{}/segments/", seeded.imported.project_id);
        let segment = id(&get(&world, &path).await["results"][0]);
        world.manage(Method::DELETE, &format!("{path}{segment}/"), Value::Null).await;
        let again = seed(&world).await;
        assert_eq!(again.imported.created, [("segments", 1), ("segment overrides", 1)]);
        let dark = json!([{ "trait_key": "dark_mode", "trait_value": "True" }]);
        let answer = served(&world.app, &seeded.environment_key, dark).await;
        assert_eq!(flag(&answer, "dark_mode")["enabled"], true);
    }

    async fn a_deleted_project_is_no_more_told_of_and_is_made_anew(app) {
        let world = World::new(app).await;
        let seeded = seed(&world).await;
        let path = format!("/api/v1/projects/{}/", seeded.imported.project_id);
        world.manage(Method::DELETE, &path, Value::Null).await;
        assert_eq!(told(&world.app).await["flagsmith"], Value::Null);
        let again = seed(&world).await;
        assert!(again.imported.is_new);
        assert_eq!(told(&world.app).await["flagsmith"], again.environment_key.as_str());
    }

    async fn among_several_organisations_one_must_be_named(app) {
        let world = World::new(app).await;
        let other = id(&world.post("/api/v1/organisations/", json!({ "name": "Other" })).await);
        let refusal = own_flags::seed(&world.app.app, None).await.unwrap_err().to_string();
        assert!(refusal.contains("Acme") && refusal.contains("Other"), "{refusal}");
        assert!(own_flags::seed(&world.app.app, Some(other + 1)).await.is_err());
        let seeded = own_flags::seed(&world.app.app, Some(other)).await.unwrap();
        let project = get(&world, &format!("/api/v1/projects/{}/", seeded.imported.project_id)).await;
        assert_eq!(project["organisation"], other);
        // The project is found again without a name, and is not made twice.
        assert!(!own_flags::seed(&world.app.app, None).await.unwrap().imported.is_new);
        assert!(own_flags::seed(&world.app.app, Some(world.organisation)).await.is_err());
    }

    async fn what_the_operator_set_wins_over_the_seeded_environment(app) {
        let world = World::new(app).await;
        seed(&world).await;
        let settings = Settings {
            signup_prevented: true,
            invite_links_disabled: true,
            organisations_by_superusers: true,
            maintenance: true,
            own_flags: OwnFlagsSettings {
                environment_key: Some("</script>&".to_owned()),
                api_url: Some("https://flags.example.com/api/v1/".to_owned()),
                ..OwnFlagsSettings::default()
            },
            ..Settings::default()
        };
        let node = world.app.node_with(settings).await;
        let overrides = told(&node).await;
        assert_eq!(overrides["flagsmith"], "</script>&");
        assert_eq!(overrides["flagsmithClientAPI"], "https://flags.example.com/api/v1/");
        for name in ["preventSignup", "hideInviteLinks", "superUserCreateOnly", "maintenance"] {
            assert_eq!(overrides[name], true, "{name}");
        }
        let script = node.call(Method::GET, OVERRIDES, &[], None).await;
        assert_eq!(script.headers["content-type"], "application/javascript; charset=utf-8");
        let json = script.text.strip_prefix("window.projectOverrides = ").unwrap();
        assert!(!json.contains('<') && !json.contains('&'), "{json}");
        let value: Value = serde_json::from_str(json.trim_end().trim_end_matches(';')).unwrap();
        assert_eq!(value, overrides);
    }

    async fn new_environments_keep_versions_where_the_flag_says_so(app) {
        let world = World::new(app).await;
        world.feature(json!({ "name": "here_before" })).await;
        let seeded = seed(&world).await;
        assert_eq!(new_environment(&world, "Without").await["use_v2_feature_versioning"], false);
        turn(&world, &seeded, VERSIONS, true, Value::Null).await;
        let environment = new_environment(&world, "With").await;
        assert_eq!(environment["use_v2_feature_versioning"], true);
        let feature = id(&features(&world, world.project).await[0]);
        let path = format!("/api/v1/environments/{}/features/{feature}/versions/", id(&environment));
        assert_eq!(get(&world, &path).await["results"].as_array().unwrap().len(), 1);
    }

    async fn another_server_is_asked_with_the_servers_key_and_need_not_answer(app) {
        let world = World::new(app).await;
        let elsewhere = Receiver::start().await;
        let flags = json!([{ "feature": { "name": VERSIONS }, "enabled": true }]);
        elsewhere.answer("/api/v1/flags/", 200, flags);
        let asking = |url: &str, server_offline| Settings {
            own_flags: OwnFlagsSettings {
                server_key: Some("ser.there".to_owned()),
                server_api_url: Some(format!("{url}/api/v1/")),
                server_offline,
                ..OwnFlagsSettings::default()
            },
            ..Settings::default()
        };
        let versioned = async |settings: Settings, name: &str| {
            let node = world.app.node_with(settings).await;
            let body = json!({ "name": name, "project": world.project });
            let made = node.manage(&world.token, Method::POST, "/api/v1/environments/", Some(&body)).await;
            made.expect(201)["use_v2_feature_versioning"].clone()
        };
        assert_eq!(versioned(asking(&elsewhere.url, false), "Told").await, true);
        assert_eq!(versioned(asking(&elsewhere.url, true), "Offline").await, false);
        elsewhere.answer("/api/v1/flags/", 500, Value::Null);
        assert_eq!(versioned(asking(&elsewhere.url, false), "Failing").await, false);
        let asked = elsewhere.received();
        assert!(asked.iter().all(|one| one.header("x-environment-key") == Some("ser.there")));
        assert_eq!(asked.len(), 2);
    }

    async fn with_all_seats_taken_there_are_no_links_to_join_where_the_flag_says_so(app) {
        let world = World::new(app).await;
        let seeded = seed(&world).await;
        let node = world.app.node_with(Settings { seats: Some(1), ..Settings::default() }).await;
        let path = format!("/api/v1/organisations/{}/invite-links/", world.organisation);
        let body = json!({ "role": "USER" });
        node.manage(&world.token, Method::POST, &path, Some(&body)).await.expect(201);
        let flag = "verify_seats_limit_for_invite_links";
        turn(&world, &seeded, flag, true, Value::Null).await;
        let told = format!("/api/v1/organisations/{}/get-subscription-metadata/", world.organisation);
        let metadata = node.manage(&world.token, Method::GET, &told, None).await.expect(200);
        assert_eq!(metadata["max_seats"], 1);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !is_served(&node, &seeded, flag).await && std::time::Instant::now() < deadline {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let refused = node.manage(&world.token, Method::POST, &path, Some(&body)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (403, &json!("All seats are taken.")));
    }

    async fn only_superusers_make_organisations_where_it_is_set(app) {
        let world = World::new(app).await;
        let settings = Settings { organisations_by_superusers: true, ..Settings::default() };
        let node = world.app.node_with(settings).await;
        let somebody = node.sign_up("grace@example.com").await;
        let body = json!({ "name": "Mine" });
        let path = "/api/v1/organisations/";
        let refused = node.manage(&somebody, Method::POST, path, Some(&body)).await;
        assert_eq!(refused.status, 403);
        node.manage(&world.token, Method::POST, path, Some(&body)).await.expect(201);
    }
}

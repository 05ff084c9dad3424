//! Imports from LaunchDarkly, from a server that answers as its API of version 20240415 does

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use burgee_app::Settings;
use burgee_app::launch_darkly::process;
use burgee_store::seeds;
use burgee_testkit::places::{Person, World, id};
use burgee_testkit::{Answer, TestApp};
use serde_json::{Value, json};

const TOKEN: &str = "api-key-of-launch-darkly";

/// What the server does before it answers.
#[derive(Debug, Default)]
struct Moods {
    /// Requests to refuse as too many.
    busy: AtomicU32,
    asked: AtomicU32,
}

fn flag(key: &str, variations: &Value, config: &Value) -> Value {
    json!({"key": key, "name": key, "kind": "multivariate", "description": "", "tags": ["team"], "archived": false,
        "deprecated": false, "clientSideAvailability": {"usingMobileKey": true, "usingEnvironmentId": false},
        "variations": variations, "environments": {"production": config}})
}

fn values(values: &[Value]) -> Value {
    values
        .iter()
        .map(|value| json!({"_id": "x", "value": value}))
        .collect()
}

fn first_flags() -> Value {
    let clause = |attribute: &str, op: &str, values: Value| json!({"attribute": attribute, "op": op, "values": values, "negate": false, "contextKind": "user"});
    let off = json!({"on": false, "offVariation": 1, "fallthrough": {"variation": 0}});
    let on = json!({"on": true, "offVariation": 1, "fallthrough": {"variation": 0},
        "targets": [{"values": ["ada", "bob"], "variation": 1, "contextKind": "user"}],
        "contextTargets": [{"values": [], "variation": 1, "contextKind": "user"}],
        "rules": [{"_id": "r", "clauses": [clause("", "segmentMatch", json!(["beta"]))], "variation": 1}]});
    let rollout = json!({"on": true, "offVariation": 2, "fallthrough": {"rollout": {"variations": [
            {"variation": 0, "weight": 25000}, {"variation": 1, "weight": 75000}]}},
        "rules": [{"_id": "r", "clauses": [clause("country", "in", json!(["FR", "DE"])), clause("age", "greaterThan", json!([17]))],
            "variation": 2}]});
    json!([
        flag("dark", &values(&[json!(true), json!(false)]), &off),
        flag("checkout", &values(&[json!(true), json!(false)]), &on),
        flag(
            "colour",
            &values(&[json!("red"), json!("green"), json!("blue")]),
            &rollout
        ),
    ])
}

fn more_flags() -> Value {
    let share = json!({"on": true, "offVariation": 1, "fallthrough": {"rollout": {"variations": [
        {"variation": 0, "weight": 60000}, {"variation": 1, "weight": 40000}]}},
        "rules": [{"_id": "r", "clauses": [{"attribute": "since", "op": "before", "values": [1], "negate": false}], "variation": 0}]});
    let mut old = flag("limit", &values(&[json!(5), json!(10)]), &share);
    old["deprecated"] = json!(true);
    old["clientSideAvailability"] = json!({"usingMobileKey": false, "usingEnvironmentId": false});
    json!([old])
}

async fn answer(State(moods): State<Arc<Moods>>, request: Request) -> Response {
    moods.asked.fetch_add(1, Ordering::SeqCst);
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if header("authorization") != TOKEN {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({"code": "unauthorized", "message": "Invalid token"})),
        )
            .into_response();
    }
    if header("ld-api-version") != "20240415" {
        return (StatusCode::BAD_REQUEST, Json(json!({"code": "invalid_version"}))).into_response();
    }
    if moods.busy.load(Ordering::SeqCst) > 0 {
        moods.busy.fetch_sub(1, Ordering::SeqCst);
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "3600")],
            Json(json!({"code": "rate_limited"})),
        )
            .into_response();
    }
    let query = request.uri().query().unwrap_or_default();
    let body = match request.uri().path() {
        "/api/v2/projects/web/environments" => {
            json!({"items": [{"key": "production", "name": "Production", "color": "417505"}]})
        }
        "/api/v2/flags/web" if query.contains("offset=3") => {
            json!({"items": more_flags(), "totalCount": 4, "_links": {}})
        }
        "/api/v2/flags/web" if query.contains("env=production") && query.contains("summary=0") => json!({
            "items": first_flags(), "totalCount": 4,
            "_links": {"next": {"href": "/api/v2/flags/web?summary=0&env=production&limit=100&offset=3"}}}),
        "/api/v2/segments/web/production" => json!({"items": [
            {"key": "beta", "name": "Beta", "description": "testers", "included": ["eve"], "excluded": ["mallory"], "rules": [
                {"clauses": [{"attribute": "email", "op": "endsWith", "values": ["@example.com"], "negate": false},
                    {"attribute": "plan", "op": "in", "values": ["free"], "negate": true}]}]},
            {"key": "empty", "name": "Empty", "included": [], "excluded": [], "rules": []}]}),
        _ => return (StatusCode::NOT_FOUND, Json(json!({"code": "not_found"}))).into_response(),
    };
    Json(body).into_response()
}

async fn server() -> (String, Arc<Moods>) {
    let moods = Arc::new(Moods::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(answer).with_state(moods.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, moods)
}

/// The app on both databases, importing from this address.
async fn apps(url: &str) -> Vec<TestApp> {
    let settings = || Settings {
        launch_darkly_url: url.to_owned(),
        ..Settings::default()
    };
    let mut apps = vec![TestApp::sqlite_with(settings()).await];
    apps.extend(TestApp::postgres_with(settings()).await);
    apps
}

fn imports(world: &World) -> String {
    format!("/api/v1/projects/{}/imports/launch-darkly/", world.project)
}

async fn ask(app: &TestApp, person: &Person, world: &World, token: &str, key: &str) -> Answer {
    app.post(
        person,
        &imports(world),
        &json!({"token": token, "project_key": key}),
    )
    .await
}

async fn identify(app: &TestApp, key: &str, identifier: &str, traits: Value) -> Value {
    let body = json!({"identifier": identifier, "traits": traits});
    let headers = [("x-environment-key", key)];
    app.call(
        axum::http::Method::POST,
        "/api/v1/identities/",
        &headers,
        Some(&body),
    )
    .await
    .expect(200)["flags"]
        .clone()
}

fn served<'a>(flags: &'a Value, name: &str) -> (&'a Value, &'a Value) {
    let flag = flags
        .as_array()
        .unwrap()
        .iter()
        .find(|flag| flag["feature"]["name"] == name)
        .unwrap();
    (&flag["enabled"], &flag["feature_state_value"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_is_taken_over_with_its_targeting() {
    let (url, _) = server().await;
    for app in apps(&url).await {
        let world = app.world().await;
        let asked = ask(&app, &world.admin, &world, TOKEN, "web").await.expect(201);
        let fields: Vec<&str> = asked.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            [
                "id",
                "created_by",
                "created_at",
                "updated_at",
                "completed_at",
                "status",
                "project"
            ]
        );
        assert_eq!(
            asked["status"],
            json!({"requested_environment_count": 0, "requested_flag_count": 0,
            "deprecated_flag_count": 0, "result": null, "error_messages": []})
        );
        assert_eq!(asked["created_by"], "admin@example.com");
        // One at a time.
        ask(&app, &world.admin, &world, TOKEN, "web").await.expect(400);
        process(&app.app).await.unwrap();
        let done = app
            .get(&world.admin, &format!("{}{}/", imports(&world), id(&asked)))
            .await
            .expect(200);
        let status = &done["status"];
        assert_eq!(
            (
                &status["requested_environment_count"],
                &status["requested_flag_count"],
                &status["deprecated_flag_count"]
            ),
            (&json!(1), &json!(4), &json!(1))
        );
        assert_eq!(status["result"], "incomplete", "{status}");
        let left_out: Vec<&str> = status["error_messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        assert_eq!(left_out.len(), 3, "{left_out:?}");
        assert!(
            left_out[0].starts_with("Segment Empty (Override for Production) was left out"),
            "{left_out:?}"
        );
        assert!(
            left_out
                .iter()
                .any(|text| text.contains("the operator before has no counterpart")),
            "{left_out:?}"
        );
        assert!(
            left_out
                .iter()
                .any(|text| text.contains("shares of two variations")),
            "{left_out:?}"
        );
        assert!(done["completed_at"].is_string());

        let environments = app
            .get(
                &world.admin,
                &format!("/api/v1/environments/?project={}", world.project),
            )
            .await
            .expect(200);
        let production = environments["results"]
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["name"] == "Production")
            .unwrap()
            .clone();
        let key = production["api_key"].as_str().unwrap();
        let nobody = identify(&app, key, "nobody", json!([])).await;
        assert_eq!(served(&nobody, "dark").0, false);
        assert_eq!(served(&nobody, "checkout").0, true);
        assert!(["red", "green"].contains(&served(&nobody, "colour").1.as_str().unwrap()));
        let french =
            json!([{"trait_key": "country", "trait_value": "FR"}, {"trait_key": "age", "trait_value": 20}]);
        assert_eq!(
            served(&identify(&app, key, "french", french).await, "colour").1,
            "blue"
        );
        let young =
            json!([{"trait_key": "country", "trait_value": "FR"}, {"trait_key": "age", "trait_value": 10}]);
        assert_ne!(
            served(&identify(&app, key, "young", young).await, "colour").1,
            "blue"
        );
        // The segment: its members, those its rule matches, and not whom it leaves out.
        let staff = |plan: &str, key: &str| {
            json!([{"trait_key": "email", "trait_value": "x@example.com"},
            {"trait_key": "plan", "trait_value": plan}, {"trait_key": "key", "trait_value": key}])
        };
        assert_eq!(
            served(
                &identify(&app, key, "staff", staff("pro", "staff")).await,
                "checkout"
            )
            .0,
            false
        );
        assert_eq!(
            served(
                &identify(&app, key, "cheap", staff("free", "cheap")).await,
                "checkout"
            )
            .0,
            true
        );
        assert_eq!(
            served(
                &identify(&app, key, "mallory", staff("pro", "mallory")).await,
                "checkout"
            )
            .0,
            true
        );
        let member = json!([{"trait_key": "key", "trait_value": "eve"}]);
        assert_eq!(
            served(&identify(&app, key, "eve", member).await, "checkout").0,
            false
        );
        // Those who are treated one by one.
        assert_eq!(
            served(&identify(&app, key, "ada", json!([])).await, "checkout").0,
            false
        );

        let features = format!(
            "/api/v1/projects/{}/features/?environment={}",
            world.project,
            id(&production)
        );
        let features = app.get(&world.admin, &features).await.expect(200);
        let named = |name: &str| {
            features["results"]
                .as_array()
                .unwrap()
                .iter()
                .find(|f| f["name"] == name)
                .unwrap()
                .clone()
        };
        assert_eq!(
            (&named("colour")["type"], &named("dark")["type"]),
            (&json!("MULTIVARIATE"), &json!("STANDARD"))
        );
        assert_eq!(
            (
                &named("limit")["is_server_key_only"],
                &named("dark")["is_server_key_only"]
            ),
            (&json!(true), &json!(false))
        );
        let limit = named("limit")["environment_feature_state"].clone();
        assert_eq!(
            (&limit["enabled"], &limit["feature_state_value"]),
            (&json!(true), &json!(5))
        );
        let tags = app
            .get(&world.admin, &format!("/api/v1/projects/{}/tags/", world.project))
            .await
            .expect(200);
        let tags: Vec<_> = tags["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| (t["label"].clone(), t["color"].clone()))
            .collect();
        assert_eq!(
            tags,
            [
                (json!("Imported"), json!("#3d4db6")),
                (json!("team"), json!("#3d4db6"))
            ]
        );

        // Again: the same, and nothing twice.
        ask(&app, &world.admin, &world, TOKEN, "web").await.expect(201);
        process(&app.app).await.unwrap();
        let list = app.get(&world.admin, &imports(&world)).await.expect(200);
        assert_eq!((list.as_array().unwrap().len(), &list[0]["status"]), (2, status));
        let again = app
            .get(
                &world.admin,
                &format!("/api/v1/projects/{}/features/", world.project),
            )
            .await
            .expect(200);
        assert_eq!(again["count"], 4);
        let segments = app
            .get(
                &world.admin,
                &format!("/api/v1/projects/{}/segments/", world.project),
            )
            .await
            .expect(200);
        assert_eq!(segments["count"], 2, "{segments}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_sealed_while_it_is_needed_and_forgotten_then() {
    let (url, _) = server().await;
    for app in apps(&url).await {
        let world = app.world().await;
        ask(&app, &world.admin, &world, TOKEN, "web").await.expect(201);
        let mut tx = app.app.db().read().await.unwrap();
        let sealed = seeds::launch_darkly_tokens(&mut tx).await.unwrap();
        drop(tx);
        assert!(
            sealed[0]
                .as_deref()
                .is_some_and(|text| !text.is_empty() && !text.contains(TOKEN))
        );
        process(&app.app).await.unwrap();
        let mut tx = app.app.db().read().await.unwrap();
        assert_eq!(seeds::launch_darkly_tokens(&mut tx).await.unwrap(), [None]);
        let log = app.log("IMPORT_REQUEST").await;
        assert_eq!(log.len(), 2);
        for line in log {
            assert!(!format!("{line:?}").contains(TOKEN));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_fails_and_what_is_busy_is_tried_again() {
    let (url, moods) = server().await;
    for app in apps(&url).await {
        let world = app.world().await;
        for (token, key, said) in [
            ("wrong", "web", "does not accept the token"),
            (TOKEN, "nope", "no project with this key"),
        ] {
            let asked = ask(&app, &world.admin, &world, token, key).await.expect(201);
            process(&app.app).await.unwrap();
            let done = app
                .get(&world.admin, &format!("{}{}/", imports(&world), id(&asked)))
                .await
                .expect(200);
            assert_eq!(done["status"]["result"], "failure");
            assert!(
                done["status"]["error_messages"][0]
                    .as_str()
                    .unwrap()
                    .contains(said),
                "{done}"
            );
        }
        moods.busy.store(1, Ordering::SeqCst);
        let asked = ask(&app, &world.admin, &world, TOKEN, "web").await.expect(201);
        let one = format!("{}{}/", imports(&world), id(&asked));
        process(&app.app).await.unwrap();
        assert_eq!(
            app.get(&world.admin, &one).await.expect(200)["status"]["result"],
            Value::Null
        );
        // Not before its time.
        let asked = moods.asked.load(Ordering::SeqCst);
        process(&app.app).await.unwrap();
        assert_eq!(moods.asked.load(Ordering::SeqCst), asked);
        // An hour passes.
        let mut tx = app.app.db().begin().await.unwrap();
        seeds::make_imports_due(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        process(&app.app).await.unwrap();
        assert_eq!(
            app.get(&world.admin, &one).await.expect(200)["status"]["result"],
            "incomplete"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_are_for_those_who_may_create_environments() {
    let (url, _) = server().await;
    for app in apps(&url).await {
        let world = app.world().await;
        ask(&app, &world.member, &world, TOKEN, "web").await.expect(403);
        ask(&app, &world.stranger, &world, TOKEN, "web").await.expect(403);
        app.get(&world.stranger, &imports(&world)).await.expect(404);
        let wrong = app
            .post(&world.admin, &imports(&world), &json!({}))
            .await
            .expect(400);
        assert_eq!(
            wrong,
            json!({"token": ["This field is required."], "project_key": ["This field is required."]})
        );
        app.get(&world.admin, &format!("{}9999/", imports(&world)))
            .await
            .expect(404);
    }
}

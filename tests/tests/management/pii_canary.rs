//! Personal data is sent in by every door there is, and then looked for in every byte that was stored.

use std::path::Path;

use axum::body::Body;
use axum::http::{Method, Request};
use burgee_testkit::{Answer, World, both, id};
use serde_json::{Value, json};

use super::pii_scene::{ADDRESS, CANARY, ENCODED, guarded, set};

/// What the doors lead to.
struct Scene {
    world: World,
    token: String,
    identity: i64,
    edge: String,
    stored_trait: i64,
    cohort: Value,
}

impl Scene {
    async fn new(world: World) -> Self {
        set(&world, json!({"use_edge_identities": true})).await;
        world.feature(json!({"name": "f"})).await;
        let keys = format!("/api/v1/organisations/{}/master-api-keys/", world.organisation);
        let key = world.post(&keys, json!({"name": "sync", "is_admin": true})).await;
        let lists = format!("/api/v1/projects/{}/list-segments/", world.project);
        world.post(&lists, json!({"name": "beta"})).await;
        let environment = format!("/api/v1/environments/{}/", world.client);
        let cohort = world
            .post(&format!("{environment}cohorts/"), json!({"name": "c"}))
            .await;
        let identity = world.identity("somebody").await;
        let traits = format!("{environment}identities/{identity}/traits/");
        let one = json!({"trait_key": "plan", "value_type": "unicode", "string_value": "pro"});
        let stored_trait = id(&world.post(&traits, one).await);
        let edge = world
            .post(
                &format!("{environment}edge-identities/"),
                json!({"identifier": "edge"}),
            )
            .await;
        Self {
            token: key["key"].as_str().unwrap().to_owned(),
            identity,
            edge: edge["identity_uuid"].as_str().unwrap().to_owned(),
            stored_trait,
            cohort,
            world,
        }
    }

    async fn sdk(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = Some(body).filter(|body| !body.is_null());
        self.world.sdk_with(&self.world.server, method, path, body).await
    }

    async fn manage(&self, method: Method, path: &str, body: Value) -> Answer {
        let path = path.replace("{env}", &format!("/api/v1/environments/{}", self.world.client));
        self.world
            .app
            .manage(&self.world.token, method, &path, Some(&body))
            .await
    }

    async fn file(&self, path: &str, kind: &str, text: String) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("authorization", format!("Token {}", self.world.token))
            .header("content-type", kind)
            .body(Body::from(text))
            .unwrap();
        self.world.app.send(request).await
    }

    /// Through the SDK API.
    async fn sdk_doors(&self) -> Vec<(&'static str, Answer)> {
        let who = |key: &str, value: Value| json!({"identifier": ADDRESS, "traits": [{"trait_key": key, "trait_value": value}]});
        let value = json!({"identifier": "fine", "traits": [{"trait_key": "mail", "trait_value": ADDRESS}]});
        let key = json!({"identifier": "fine", "traits": [{"trait_key": ADDRESS, "trait_value": 1}]});
        let owner = json!({"identifier": ADDRESS});
        let fine = json!({"identifier": "fine"});
        let post = Method::POST;
        vec![
            ("GET identities", self.sdk(Method::GET, &format!("/api/v1/identities/?identifier={ENCODED}"), Value::Null).await),
            ("GET identities by path", self.sdk(Method::GET, &format!("/api/v1/identities/{ENCODED}/"), Value::Null).await),
            ("GET flags of an identity", self.sdk(Method::GET, &format!("/api/v1/flags/{ENCODED}/"), Value::Null).await),
            ("POST identities", self.sdk(post.clone(), "/api/v1/identities/", who("plan", json!("pro"))).await),
            ("a trait's value", self.sdk(post.clone(), "/api/v1/identities/", value.clone()).await),
            ("a trait's key", self.sdk(post.clone(), "/api/v1/identities/", key.clone()).await),
            ("POST traits", self.sdk(post.clone(), "/api/v1/traits/", json!({"identity": owner, "trait_key": "k", "trait_value": 1})).await),
            ("POST traits, value", self.sdk(post.clone(), "/api/v1/traits/", json!({"identity": fine, "trait_key": "k", "trait_value": ADDRESS})).await),
            ("PUT traits/bulk", self.sdk(Method::PUT, "/api/v1/traits/bulk/", json!([{"identity": owner, "trait_key": "k", "trait_value": ADDRESS}])).await),
            ("increment", self.sdk(post.clone(), "/api/v1/traits/increment-value/", json!({"identifier": ADDRESS, "trait_key": "n", "increment_by": 1})).await),
            ("increment, key", self.sdk(post.clone(), "/api/v1/traits/increment-value/", json!({"identifier": "fine", "trait_key": ADDRESS, "increment_by": 1})).await),
            ("trait by path", self.sdk(post.clone(), &format!("/api/v1/identities/{ENCODED}/traits/k/"), json!({"trait_value": 1})).await),
            ("POST bulk", self.sdk(post.clone(), "/api/v1/bulk-identities/", json!({"data": [who("k", json!(1)), value, key]})).await),
            ("PUT bulk", self.sdk(Method::PUT, "/api/v1/bulk-identities/", json!({"data": [who("k", json!(ADDRESS))]})).await),
            ("analytics", self.sdk(post, "/api/v2/analytics/flags/", json!({"evaluations": [
                {"feature_name": "f", "identity_identifier": ADDRESS, "enabled_when_evaluated": true, "count": 1}]})).await),
        ]
    }

    /// Through the management API.
    async fn admin_doors(&self) -> Vec<(&'static str, Answer)> {
        let (post, put) = (Method::POST, Method::PUT);
        let identity = format!("{{env}}/identities/{}/", self.identity);
        let stored_trait = format!("{identity}traits/{}/", self.stored_trait);
        let edge = format!("{{env}}/edge-identities/{}/", self.edge);
        let trait_body = json!({"trait_key": "mail", "value_type": "unicode", "string_value": ADDRESS});
        let edge_states = format!(
            "/api/v1/environments/environments/{}/edge-identities-featurestates/",
            self.world.client
        );
        vec![
            (
                "create identity",
                self.manage(
                    post.clone(),
                    "{env}/identities/",
                    json!({"identifier": format!("2{ADDRESS}")}),
                )
                .await,
            ),
            (
                "rename identity",
                self.manage(
                    put.clone(),
                    &identity,
                    json!({"identifier": format!("3{ADDRESS}")}),
                )
                .await,
            ),
            (
                "create trait",
                self.manage(post.clone(), &format!("{identity}traits/"), trait_body.clone())
                    .await,
            ),
            (
                "update trait",
                self.manage(Method::PATCH, &stored_trait, json!({"string_value": ADDRESS}))
                    .await,
            ),
            (
                "create edge identity",
                self.manage(
                    post.clone(),
                    "{env}/edge-identities/",
                    json!({"identifier": format!("4{ADDRESS}")}),
                )
                .await,
            ),
            (
                "edge alias",
                self.manage(Method::PATCH, &edge, json!({"dashboard_alias": ADDRESS}))
                    .await,
            ),
            (
                "edge trait",
                self.manage(
                    put.clone(),
                    &format!("{edge}update-traits/"),
                    json!({"trait_key": "mail", "trait_value": ADDRESS}),
                )
                .await,
            ),
            (
                "edge trait, key",
                self.manage(
                    put.clone(),
                    &format!("{edge}update-traits/"),
                    json!({"trait_key": ADDRESS, "trait_value": 1}),
                )
                .await,
            ),
            (
                "edge override",
                self.manage(
                    put,
                    &edge_states,
                    json!({"identifier": format!("5{ADDRESS}"), "feature": "f", "enabled": true}),
                )
                .await,
            ),
        ]
    }

    /// Through lists and files.
    async fn list_doors(&self) -> Vec<(&'static str, Answer)> {
        let world = &self.world;
        let here = format!(
            "/api/v1/environments/{}/list-segments/beta/members/",
            world.client
        );
        let bearer = format!("Bearer {}", world.server);
        let cohort_key = [("authorization", bearer.as_str())];
        let uuid = self.cohort["uuid"].as_str().unwrap();
        let webhook = format!("/api/v1/cohort-sync/webhook/cohorts/{uuid}/members/add/");
        let cohort_file = format!(
            "/api/v1/environments/{}/cohorts/{}/upload/",
            world.client,
            id(&self.cohort)
        );
        let project_file = world
            .manage(
                Method::GET,
                &format!("/api/v1/projects/{}/export/?keys=true", world.project),
                Value::Null,
            )
            .await;
        let line = json!({"environment": "Development", "id": 900_001, "identifier": format!("6{ADDRESS}"), "created_at": 1,
            "traits": [[0, "mail", ADDRESS, 1]], "alias": ADDRESS});
        vec![
            (
                "members",
                self.manage(Method::POST, &here, json!({"add": [ADDRESS]})).await,
            ),
            (
                "members of a file",
                self.file(
                    &format!("{here}upload/?mode=add"),
                    "text/csv",
                    format!("7{ADDRESS}\n"),
                )
                .await,
            ),
            (
                "a file that replaces",
                self.file(
                    &format!("{here}upload/?mode=replace&context_kind=mail"),
                    "text/csv",
                    format!("{ADDRESS}\n"),
                )
                .await,
            ),
            ("LaunchDarkly's API", self.launch_darkly().await),
            (
                "cohort sync",
                world
                    .app
                    .call(
                        Method::POST,
                        &webhook,
                        &cohort_key,
                        Some(&json!({"identifiers": [ADDRESS]})),
                    )
                    .await,
            ),
            (
                "a file of a cohort",
                self.file(&cohort_file, "text/csv", format!("{ADDRESS}\n")).await,
            ),
            ("a file of a project", self.import(project_file, &line).await),
        ]
    }

    async fn launch_darkly(&self) -> Answer {
        let body = json!({"environmentKey": "development", "instructions": [
            {"kind": "addIncludedTargets", "contextKind": "user", "values": [format!("8{ADDRESS}")]}]});
        let request = Request::builder()
            .method(Method::PATCH)
            .uri("/api/v2/segments/web/development/beta")
            .header("authorization", &self.token)
            .header("ld-api-version", "20240415")
            .header(
                "content-type",
                "application/json; domain-model=launchdarkly.semanticpatch",
            )
            .body(Body::from(body.to_string()))
            .unwrap();
        self.world.app.send(request).await
    }

    /// The project's own file with one identity more.
    async fn import(&self, mut document: Value, line: &Value) -> Answer {
        document.as_object_mut().unwrap().remove("checksum");
        let line = format!("{line}\n");
        let digest = burgee_model::keys::hex(&<sha2::Sha256 as sha2::Digest>::digest(line.as_bytes()));
        let end = json!({"identities": 1, "checksum": format!("sha256:{digest}")});
        let path = format!("/api/v1/projects/{}/import/", self.world.project);
        self.file(&path, "application/json", format!("{document}\n{line}{end}\n"))
            .await
    }
}

/// The files and the tables of the installation that hold a text.
async fn stored_in(world: &World, text: &str) -> Vec<String> {
    let mut tx = world.app.app.db().read().await.unwrap();
    let mut found = burgee_store::seeds::tables_with(&mut tx, text).await.unwrap();
    // What was deleted, and what waits in the log of a database, is in its files still.
    if let Some(file) = world.app.url.strip_prefix("sqlite:") {
        let folder = Path::new(file).parent().unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && holds(&std::fs::read(&path).unwrap(), text) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Nothing that was stored and nothing that is exported has it.
async fn assert_nowhere(scene: &Scene) {
    let world = &scene.world;
    assert!(
        !stored_in(world, "somebody").await.is_empty(),
        "what is stored is looked at"
    );
    assert_eq!(stored_in(world, CANARY).await, [""; 0]);
    let project = format!("/api/v1/projects/{}", world.project);
    let list = format!(
        "/api/v1/environments/{}/list-segments/beta/members/",
        world.client
    );
    for path in [
        format!("{project}/export/?identities=true&keys=true&changes=true"),
        format!("{project}/audit/"),
        format!("{project}/pii-findings/"),
        list.clone(),
        format!("{list}?context_kind=mail"),
    ] {
        let answer = world.app.manage(&world.token, Method::GET, &path, None).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        assert!(!answer.text.contains(CANARY), "found in {path}");
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

both! {
    async fn refused_at_every_door_and_stored_nowhere(app) {
        let scene = Scene::new(guarded(app, "refuse").await).await;
        let mut answers = scene.sdk_doors().await;
        answers.extend(scene.admin_doors().await);
        answers.extend(scene.list_doors().await);
        for (door, answer) in answers {
            assert_eq!(answer.status.as_u16(), 400, "{door}: {}", answer.text);
            assert!(answer.text.contains("kind: email") && !answer.text.contains(CANARY), "{door}: {}", answer.text);
        }
        assert_nowhere(&scene).await;
    }

    async fn hashed_at_every_door_and_stored_nowhere(app) {
        let scene = Scene::new(guarded(app, "hash").await).await;
        let mut answers = scene.sdk_doors().await;
        answers.extend(scene.admin_doors().await);
        answers.extend(scene.list_doors().await);
        for (door, answer) in answers {
            assert!(answer.status.is_success(), "{door}: {} {}", answer.status, answer.text);
        }
        assert_nowhere(&scene).await;
    }

    async fn what_is_transient_passes_in_every_mode_and_is_stored_nowhere(app) {
        let scene = Scene::new(guarded(app, "refuse").await).await;
        let world = &scene.world;
        for mode in ["refuse", "hash", "warn", "off"] {
            set(world, json!({"pii_mode": mode})).await;
            let one = json!({"identifier": "fine", "traits": [{"trait_key": "mail", "trait_value": ADDRESS, "transient": true}]});
            let answer = scene.sdk(Method::POST, "/api/v1/identities/", one).await;
            assert_eq!(answer.expect(200)["traits"][0]["trait_value"], ADDRESS, "{mode}");
            let all = json!({"identifier": ADDRESS, "transient": true, "traits": [{"trait_key": ADDRESS, "trait_value": ADDRESS}]});
            scene.sdk(Method::POST, "/api/v1/identities/", all).await.expect(200);
            scene.sdk(Method::GET, &format!("/api/v1/identities/?identifier={ENCODED}&transient=true"), Value::Null).await.expect(200);
            scene.sdk(Method::POST, "/api/v1/identities/", json!({"traits": [{"trait_key": "mail", "trait_value": ADDRESS}]})).await.expect(200);
            let context = json!({"context": {"targetingKey": ADDRESS, "mail": ADDRESS}});
            scene.sdk(Method::POST, "/ofrep/v1/evaluate/flags", context).await.expect(200);
        }
        assert_nowhere(&scene).await;
    }
}

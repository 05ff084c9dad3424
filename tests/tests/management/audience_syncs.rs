//! `/api/v1/organisations/{id}/audience-sync/`: syncs that the server keeps and runs.

use std::path::Path;
use std::time::Duration;

use axum::http::Method;
use burgee_app::Settings;
use burgee_app::audience_syncs::schedules;
use burgee_testkit::doubles::flagsmith::{Fault, Flagsmith, Kind};
use burgee_testkit::places::{World, id};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A node that may read a folder and reach this machine, and a Flagsmith to sync to.
struct Scene {
    app: TestApp,
    /// The database goes with the node that made it.
    _first: TestApp,
    world: World,
    folder: TempDir,
    double: Flagsmith,
    base: String,
}

impl Scene {
    async fn new(app: TestApp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            audience_sync_folder: Some(folder.path().to_owned()),
            ..Settings::default()
        };
        settings.outbound.allow_private_addresses = true;
        let world = app.world().await;
        let first = app;
        let app = first.node_with(settings).await;
        let double = Flagsmith::start(Kind::Edge, "ser.key").await;
        let base = format!("/api/v1/organisations/{}/audience-sync/", world.organisation);
        Self {
            app,
            _first: first,
            world,
            folder,
            double,
            base,
        }
    }

    /// The same with a sync `people` that mirrors `people.csv`.
    async fn with_sync(app: TestApp, sync: Value) -> Self {
        let scene = Self::new(app).await;
        scene
            .put("sources/here", &json!({"driver": "files", "folder": "."}))
            .await
            .expect(201);
        scene
            .put(
                "models/people",
                &json!({"source": "here", "key": "id", "file": "people.csv"}),
            )
            .await
            .expect(201);
        let destination = json!({"type": "flagsmith", "url": scene.double.url, "key": "ser.key"});
        scene.put("destinations/flags", &destination).await.expect(201);
        let mut content = json!({"model": "people", "to": "flags", "mode": "mirror"});
        content
            .as_object_mut()
            .unwrap()
            .extend(sync.as_object().unwrap().clone());
        scene.put("syncs/people", &content).await.expect(201);
        scene
    }

    fn people(&self, keys: impl Iterator<Item = u32>) {
        let mut text = "id\n".to_owned();
        for key in keys {
            text.extend(["u", &key.to_string(), "\n"]);
        }
        std::fs::write(self.folder.path().join("people.csv"), text).unwrap();
    }

    async fn put(&self, at: &str, content: &Value) -> Answer {
        self.app
            .manage(
                &self.world.admin.token,
                Method::PUT,
                &format!("{}{at}/", self.base),
                Some(content),
            )
            .await
    }

    async fn get(&self, at: &str) -> Value {
        self.app
            .get(&self.world.admin, &format!("{}{at}/", self.base))
            .await
            .expect(200)
    }

    async fn post(&self, at: &str) -> Answer {
        self.app
            .post(&self.world.admin, &format!("{}{at}/", self.base), &json!({}))
            .await
    }

    /// A run once it has ended, or waits.
    async fn ended(&self, run: i64) -> Value {
        for _ in 0..400 {
            let found = self.get(&format!("runs/{run}")).await;
            if !["running", "planning"].contains(&found["state"].as_str().unwrap()) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the run did not end");
    }

    async fn run(&self) -> Value {
        let begun = self.post("syncs/people/trigger").await.expect(202);
        self.ended(id(&begun)).await
    }

    fn members(&self) -> usize {
        let identities = self.double.identities().into_iter();
        identities
            .filter(|(_, traits)| traits.get("in_audience") == Some(&json!(true)))
            .count()
    }
}

fn words(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

both! {
    async fn a_sync_runs_as_asked_and_the_run_says_what_was_done(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..150);
        let planned = scene.post("syncs/people/plan").await.expect(202);
        let planned = scene.ended(id(&planned)).await;
        assert_eq!((planned["state"].as_str(), planned["counts"]["adds"].as_u64()), (Some("planned"), Some(150)), "{planned}");
        assert_eq!(scene.members(), 0, "a plan sends nothing");
        let run = scene.run().await;
        assert_eq!(words(&run), ["id", "sync", "state", "started_at", "ended_at", "started_by", "counts", "progress", "holds",
            "samples", "seal", "error"]);
        assert_eq!((run["state"].as_str(), run["progress"]["delivered"].as_u64()), (Some("done"), Some(150)), "{run}");
        assert_eq!(scene.members(), 150);
        let again = scene.run().await;
        assert_eq!((again["counts"]["unchanged"].as_u64(), again["progress"]["delivered"].as_u64()), (Some(150), Some(0)));
        let runs = scene.get("runs").await;
        assert_eq!(runs["count"], 3);
        let of_state = scene.app.get(&scene.world.admin, &format!("{}runs/?state=planned&sync=people", scene.base)).await;
        assert_eq!(of_state.expect(200)["count"], 1);
    }

    async fn a_held_run_waits_until_it_is_approved_exactly_as_it_stands(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..300);
        assert_eq!(scene.run().await["state"], "done");
        scene.people(0..100);
        let held = scene.run().await;
        assert_eq!((held["state"].as_str(), held["holds"][0]["rail"].as_str()), (Some("held"), Some("removes")), "{held}");
        assert_eq!((scene.members(), held["ended_at"].is_null()), (300, true));
        // What was approved is not what would be sent now: it is held again.
        scene.people(0..90);
        let begun = scene.post(&format!("runs/{}/approve", id(&held))).await.expect(202);
        let other = scene.ended(id(&begun)).await;
        assert_eq!((other["state"].as_str(), scene.members()), (Some("held"), 300), "{other}");
        scene.post(&format!("runs/{}/approve", id(&held))).await.expect(409);
        let begun = scene.post(&format!("runs/{}/approve", id(&other))).await.expect(202);
        let sent = scene.ended(id(&begun)).await;
        assert_eq!((sent["state"].as_str(), scene.members()), (Some("done"), 90), "{sent}");
        let log = scene.app.get(&scene.world.admin, &format!("/api/v1/organisations/{}/audit/", scene.world.organisation)).await;
        assert!(log.expect(200).to_string().contains("approved: people"));
    }

    async fn a_held_run_can_be_dropped_and_then_nothing_is_sent(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..5);
        assert_eq!(scene.run().await["state"], "done");
        scene.people(0..0);
        let held = scene.run().await;
        assert_eq!(held["holds"][0]["rail"], "empty", "{held}");
        let dropped = scene.post(&format!("runs/{}/drop", id(&held))).await.expect(200);
        assert_eq!((dropped["state"].as_str(), scene.members()), (Some("dropped"), 5));
        scene.post(&format!("runs/{}/drop", id(&held))).await.expect(409);
        scene.post(&format!("runs/{}/stop", id(&held))).await.expect(409);
    }

    async fn a_run_that_is_under_way_can_be_stopped(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..5);
        // The destination asks to wait for longer than the test does.
        scene.double.fail(std::iter::repeat_n(Fault::RetryAfter(600), 3));
        let begun = scene.post("syncs/people/trigger").await.expect(202);
        let stopped = scene.post(&format!("runs/{}/stop", id(&begun))).await.expect(200);
        assert_eq!((stopped["state"].as_str(), stopped["ended_at"].is_null()), (Some("stopped"), false), "{stopped}");
        scene.post(&format!("runs/{}/stop", id(&begun))).await.expect(409);
    }

    async fn who_was_stopped_is_not_overtaken_until_he_knows_and_what_he_sent_is_told(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..5);
        // The destination answers when it is looked at, and asks to wait when something is sent.
        scene.double.fail([Fault::After(200), Fault::RetryAfter(600), Fault::RetryAfter(600)]);
        let begun = scene.post("syncs/people/trigger").await.expect(202);
        let at = format!("runs/{}", id(&begun));
        for _ in 0..400 {
            if scene.get(&at).await["seal"].is_string() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        scene.post(&format!("{at}/stop")).await.expect(200);
        scene.post("syncs/people/trigger").await.expect(409);
        // It is free again a few seconds later, and the next run sends what this one could not.
        let mut again = 409;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            again = scene.post("syncs/people/trigger").await.status.as_u16();
            if again == 202 {
                break;
            }
        }
        assert_eq!(again, 202);
        let stopped = scene.get(&at).await;
        assert_eq!((&stopped["state"], &stopped["progress"]["delivered"]), (&json!("stopped"), &json!(0)), "{stopped}");
    }

    async fn a_run_that_is_under_way_says_what_it_has_to_deliver(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..5);
        // The destination answers when it is looked at, and asks to wait when something is sent.
        scene.double.fail([Fault::After(200), Fault::RetryAfter(600), Fault::RetryAfter(600)]);
        let begun = scene.post("syncs/people/trigger").await.expect(202);
        let at = format!("runs/{}", id(&begun));
        let mut run = scene.get(&at).await;
        for _ in 0..400 {
            if run["seal"].is_string() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
            run = scene.get(&at).await;
        }
        assert_eq!((run["state"].as_str(), run["counts"]["adds"].as_u64()), (Some("running"), Some(5)), "{run}");
        assert_eq!(run["samples"]["adds"].as_array().map(Vec::len), Some(5), "{run}");
        scene.post(&format!("{at}/stop")).await.expect(200);
    }

    async fn secrets_are_hidden_kept_and_sealed(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        let shown = scene.get("destinations/flags").await;
        assert_eq!(shown["content"]["key"], "********");
        let mut content = shown["content"].clone();
        content["trait_prefix"] = json!("x_");
        let kept = scene.put("destinations/flags", &content).await.expect(200);
        assert_eq!(kept["content"]["key"], "********");
        scene.people(0..1);
        assert_eq!(scene.run().await["state"], "done", "the key is still the right one");
        content["url"] = json!("http://127.0.0.1:9/api/v1");
        let refused = scene.put("destinations/flags", &content).await.expect(400);
        assert!(refused["key"].is_array(), "{refused}");
        let mut tx = scene.app.app.db().read().await.unwrap();
        assert_eq!(burgee_store::seeds::tables_with(&mut tx, "ser.key").await.unwrap(), Vec::<String>::new());
    }

    async fn what_is_wrong_is_told_by_its_place_and_nothing_is_kept_of_it(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        for (at, content, place) in [
            ("syncs/other", json!({"model": "nobody", "to": "flags", "mode": "mirror"}), "model"),
            ("syncs/second", json!({"model": "people", "to": "flags", "mode": "mirror"}), "non_field_errors"),
            ("syncs/people", json!({"model": "people", "to": "flags", "mode": "mirror", "schedule": {"cron": "soon"}}), "schedule.cron"),
            ("syncs/people", json!({"model": "people", "to": "flags", "mode": "mirror", "alerts": [{"on": "held", "to": "x"}]}), "alerts"),
            ("sources/here", json!({"driver": "files", "folder": "../.."}), "syncs.people.folder"),
            ("sources/here", json!({"driver": "sqlite", "path": "/etc/passwd"}), "syncs.people.path"),
            ("destinations/flags", json!({"type": "flagsmith", "key": "${env:HOME}"}), "syncs.people.key"),
            ("models/a b", json!({}), "name"),
            ("models/people", json!([]), "content"),
        ] {
            let refused = scene.put(&at.replace(' ', "%20"), &content).await.expect(400);
            assert!(refused.get(place).is_some(), "{at} {content}: {refused}");
        }
        assert_eq!(scene.get("syncs").await["count"], 1);
        scene.put("nothing/x", &json!({})).await.expect(404);
        let path = format!("{}models/people/", scene.base);
        let refused = scene.app.delete(&scene.world.admin, &path).await.expect(400);
        assert!(refused["syncs.people.model"].is_array(), "{refused}");
        for object in ["syncs/people", "models/people"] {
            scene.app.delete(&scene.world.admin, &format!("{}{object}/", scene.base)).await.expect(204);
        }
        scene.app.delete(&scene.world.admin, &path).await.expect(404);
    }

    async fn all_of_it_can_be_taken_out_and_put_back_as_yaml(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        let path = format!("{}document/", scene.base);
        let auth = format!("Token {}", scene.world.admin.token);
        let taken = scene.app.call(Method::GET, &path, &[("authorization", &auth)], None).await;
        assert_eq!(taken.headers["content-type"], "application/yaml");
        let yaml = taken.text.clone();
        assert!(yaml.contains("people") && !yaml.contains("ser.key"), "{yaml}");
        let put = |query: &str, text: String| {
            let (path, auth) = (format!("{path}{query}"), auth.clone());
            let app = &scene.app;
            async move {
                let request = axum::http::Request::put(&path)
                    .header("authorization", &auth)
                    .header("content-type", "application/yaml")
                    .body(axum::body::Body::from(text))
                    .unwrap();
                let answer = app.response(request).await;
                let status = answer.status().as_u16();
                let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
                (status, serde_json::from_slice::<Value>(&body).unwrap())
            }
        };
        let (status, same) = put("", yaml.clone()).await;
        assert_eq!((status, same["updated"].as_array().unwrap().len(), same["unchanged"].as_array().unwrap().len()), (200, 0, 4), "{same}");
        let other = yaml.replace("mirror", "add");
        let (_, dry) = put("?dry_run=true", other.clone()).await;
        assert_eq!((&dry["updated"], &dry["dry_run"]), (&json!(["syncs.people"]), &json!(true)));
        assert_eq!(scene.get("syncs/people").await["content"]["mode"], "mirror");
        let (_, done) = put("", other).await;
        assert_eq!(done["updated"], json!(["syncs.people"]));
        assert_eq!(scene.get("syncs/people").await["content"]["mode"], "add");
        let (status, wrong) = put("", "syncs: {bad: {model: x, to: flags, mode: add}}".to_owned()).await;
        assert!(status == 400 && wrong["syncs.bad.model"].is_array(), "{status} {wrong}");
        assert_eq!(put("", "a: [".to_owned()).await.0, 400);
        let (_, gone) = put("?prune=true", "sources: {here: {driver: files, folder: .}}".to_owned()).await;
        assert_eq!(gone["deleted"], json!(["models.people", "destinations.flags", "syncs.people"]));
    }

    async fn a_schedule_runs_what_is_due_once_and_what_follows_it(app) {
        let scene = Scene::with_sync(app, json!({"schedule": {"every_minutes": 60}})).await;
        scene.people(0..3);
        let follower = json!({"model": "people", "to": "flags", "mode": "add", "audience_trait": "second", "schedule": {"after": "people"}});
        scene.put("syncs/second", &follower).await.expect(201);
        let second_node = scene.app.node_with(scene.app.app.settings().clone()).await;
        let (here, there) = tokio::join!(schedules::run_due(&scene.app.app), schedules::run_due(&second_node.app));
        here.unwrap();
        there.unwrap();
        for _ in 0..400 {
            schedules::run_due(&scene.app.app).await.unwrap();
            let runs = scene.get("runs").await;
            let done = runs["results"].as_array().unwrap().iter().filter(|run| run["state"] == "done").count();
            if done == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let runs = scene.get("runs").await;
        let names: Vec<&str> = runs["results"].as_array().unwrap().iter().map(|run| run["sync"].as_str().unwrap()).collect();
        assert_eq!(names, ["second", "people"], "each once: {runs}");
        let next = scene.get("syncs/people").await["next_run_at"].clone();
        assert!(next.as_str().is_some_and(|next| next > burgee_model::Timestamp::now().rest().as_str()), "{next}");
    }

    async fn those_who_want_to_know_are_told_of_failed_and_held_runs(app) {
        let alerts = json!({"alerts": [{"on": "held", "to": "ops"}, {"on": "failed", "to": "ops"}, {"on": "rejected_pct", "over": 1, "to": "ops"}]});
        let scene = Scene::new(app).await;
        let (address, mut told) = burgee_testkit::doubles::receiver().await;
        scene.put("channels/ops", &json!({"type": "webhook", "url": format!("{address}/hook?token=t")})).await.expect(201);
        assert!(!scene.get("channels/ops").await.to_string().contains("token=t"));
        scene.put("sources/here", &json!({"driver": "files", "folder": "."})).await.expect(201);
        scene.put("models/people", &json!({"source": "here", "key": "id", "file": "people.csv"})).await.expect(201);
        scene.put("destinations/flags", &json!({"type": "flagsmith", "url": scene.double.url, "key": "ser.key"})).await.expect(201);
        let mut sync = json!({"model": "people", "to": "flags", "mode": "mirror"});
        sync.as_object_mut().unwrap().extend(alerts.as_object().unwrap().clone());
        scene.put("syncs/people", &sync).await.expect(201);
        let failed = scene.run().await;
        assert_eq!(failed["state"], "failed", "there is no file yet: {failed}");
        let message = told.recv().await.unwrap();
        assert_eq!((message["event"].as_str(), message["sync"].as_str()), (Some("audience_sync.failed"), Some("people")), "{message}");
        scene.people(0..5);
        scene.run().await;
        scene.people(0..0);
        scene.run().await;
        let message = told.recv().await.unwrap();
        assert_eq!((message["event"].as_str(), message["run"]["state"].as_str()), (Some("audience_sync.held"), Some("held")), "{message}");
    }

    async fn syncs_are_for_administrators_of_their_organisation(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        scene.people(0..1);
        let run = id(&scene.run().await);
        for token in [&scene.world.member.token, &scene.world.stranger.token] {
            for (method, at) in [
                (Method::GET, "syncs/".to_owned()), (Method::GET, "syncs/people/".to_owned()), (Method::PUT, "syncs/people/".to_owned()),
                (Method::DELETE, "syncs/people/".to_owned()), (Method::GET, "document/".to_owned()), (Method::PUT, "document/".to_owned()),
                (Method::POST, "syncs/people/trigger/".to_owned()), (Method::POST, "syncs/people/plan/".to_owned()),
                (Method::GET, "runs/".to_owned()), (Method::GET, format!("runs/{run}/")), (Method::GET, format!("runs/{run}/errors/")),
                (Method::POST, format!("runs/{run}/approve/")), (Method::POST, format!("runs/{run}/drop/")), (Method::POST, format!("runs/{run}/stop/")),
            ] {
                let body = (method != Method::GET).then(|| json!({}));
                scene.app.manage(token, method, &format!("{}{at}", scene.base), body.as_ref()).await.expect(403);
            }
        }
        // Runs of one organisation are not there in another.
        let other = id(&scene.app.post(&scene.world.admin, "/api/v1/organisations/", &json!({"name": "Other"})).await.expect(201));
        let path = format!("/api/v1/organisations/{other}/audience-sync/runs/{run}/");
        scene.app.get(&scene.world.admin, &path).await.expect(404);
    }

    async fn a_list_segment_of_the_server_is_kept_in_step_in_process(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        let project = format!("/api/v1/projects/{}/list-segments/", scene.world.project);
        scene.app.post(&scene.world.admin, &project, &json!({"name": "Best", "key": "best"})).await.expect(201);
        scene.put("destinations/lists", &json!({"type": "burgee", "environment": scene.world.key})).await.expect(201);
        let sync = json!({"model": "people", "to": "lists", "mode": "mirror", "segment": "best"});
        scene.put("syncs/best", &sync).await.expect(201);
        scene.people(0..500);
        let run = async || {
            let begun = scene.post("syncs/best/trigger").await.expect(202);
            scene.ended(id(&begun)).await
        };
        let first = run().await;
        assert_eq!((first["state"].as_str(), first["progress"]["delivered"].as_u64()), (Some("done"), Some(500)), "{first}");
        let members = format!("/api/v1/environments/{}/list-segments/best/", scene.world.key);
        assert_eq!(scene.app.get(&scene.world.admin, &members).await.expect(200)["included"], 500);
        scene.people(50..510);
        let second = run().await;
        assert_eq!((second["counts"]["adds"].as_u64(), second["counts"]["removes"].as_u64()), (Some(10), Some(50)), "{second}");
        assert_eq!(scene.app.get(&scene.world.admin, &members).await.expect(200)["included"], 460);
        // A segment that is not there is named, with what to do about it; another organisation's counts as not there.
        scene.put("syncs/best", &json!({"model": "people", "to": "lists", "mode": "mirror", "segment": "none"})).await.expect(200);
        let failed = run().await;
        assert!(failed["state"] == "failed" && failed["error"].as_str().unwrap().contains("Segment not found"), "{failed}");
        scene.put("syncs/best", &json!({"model": "people", "to": "lists", "mode": "upsert", "segment": "best", "map": {"identifier": "id"}})).await.expect(400);
    }

    async fn keys_go_past_the_guard_of_the_project_before_anything_is_kept_of_them(app) {
        let scene = Scene::with_sync(app, json!({})).await;
        let project = format!("/api/v1/projects/{}/", scene.world.project);
        let lists = format!("{project}list-segments/");
        scene.app.post(&scene.world.admin, &lists, &json!({"name": "Best", "key": "best"})).await.expect(201);
        scene.put("destinations/lists", &json!({"type": "burgee", "environment": scene.world.key})).await.expect(201);
        let sync = json!({"model": "people", "to": "lists", "mode": "mirror", "segment": "best", "guards": {"max_invalid_pct": 100, "max_remove_pct": 100}});
        scene.put("syncs/best", &sync).await.expect(201);
        std::fs::write(scene.folder.path().join("people.csv"), "id\nu1\nzq7canary@pii.example\n").unwrap();
        let run = async || {
            let begun = scene.post("syncs/best/trigger").await.expect(202);
            scene.ended(id(&begun)).await
        };
        let kept = async || {
            let mut tx = scene.app.app.db().read().await.unwrap();
            burgee_store::seeds::tables_with(&mut tx, "zq7canary").await.unwrap()
        };
        scene.app.patch(&scene.world.admin, &project, &json!({"pii_mode": "refuse"})).await.expect(200);
        let refused = run().await;
        assert_eq!((refused["state"].as_str(), refused["counts"]["invalid"].as_u64()), (Some("partial"), Some(1)), "{refused}");
        let errors = scene.get(&format!("runs/{}/errors", id(&refused))).await;
        let reason = errors["results"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("kind: email") && errors["results"][0]["key"] == "", "{errors}");
        scene.app.patch(&scene.world.admin, &project, &json!({"pii_mode": "hash"})).await.expect(200);
        let hashed = run().await;
        assert_eq!((hashed["state"].as_str(), hashed["counts"]["adds"].as_u64()), (Some("done"), Some(1)), "{hashed}");
        let again = run().await;
        assert_eq!((again["counts"]["unchanged"].as_u64(), again["progress"]["delivered"].as_u64()), (Some(2), Some(0)), "{again}");
        let look = format!("/api/v1/environments/{}/list-segments/best/members/lookup/?member=zq7canary%40pii.example", scene.world.key);
        assert_eq!(scene.app.get(&scene.world.admin, &look).await.expect(200)["included"], true);
        assert_eq!(kept().await, Vec::<String>::new());
    }

    async fn rows_that_were_refused_are_listed_and_can_be_downloaded(app) {
        let scene = Scene::with_sync(app, json!({"guards": {"max_invalid_pct": 100}})).await;
        let text = format!("id\nu1\n\"\"\n{}\n", "x".repeat(3000));
        std::fs::write(Path::new(scene.folder.path()).join("people.csv"), text).unwrap();
        let run = scene.run().await;
        assert_eq!((run["state"].as_str(), run["counts"]["invalid"].as_u64()), (Some("partial"), Some(2)), "{run}");
        let errors = scene.get(&format!("runs/{}/errors", id(&run))).await;
        assert_eq!((errors["count"].as_u64(), errors["results"][0]["op"].as_str()), (Some(2), Some("invalid")), "{errors}");
        let auth = format!("Token {}", scene.world.admin.token);
        let path = format!("{}runs/{}/errors/", scene.base, id(&run));
        let file = scene.app.call(Method::GET, &path, &[("authorization", &auth), ("accept", "text/csv")], None).await;
        assert!(file.text.starts_with("key,op,reason\n") && file.text.lines().count() == 3, "{}", file.text);
    }
}

//! Where counts are kept: in InfluxDB, in a database of their own, or nowhere. What is told of usage is the same.

use axum::http::Method;
use burgee_app::analytics::influx::setup::{self, Days};
use burgee_app::sdk::analytics::flush_usage;
use burgee_app::{Settings, settings::KeptIn, usage};
use burgee_store::Db;
use burgee_store::analytics::total_evaluations;
use burgee_testkit::influx::{BUCKET, Influx};
use burgee_testkit::{TestApp, World, both};
use serde_json::{Value, json};

const DAYS: Days = Days {
    raw: 30,
    bucketed: 90,
};

fn client() -> burgee_outbound::http::Client {
    burgee_outbound::http::Client::new(burgee_outbound::http::Reach::Everywhere)
}

/// An InfluxDB that is set up, and a world that keeps its counts there.
async fn with_influx(app: &TestApp) -> (Influx, World) {
    let influx = Influx::start().await;
    setup::set_up(influx.settings(), DAYS, client())
        .await
        .expect("set up");
    let settings = Settings {
        analytics: KeptIn::Influx(influx.settings()),
        ..Settings::default()
    };
    (influx, World::new(app.node_with(settings).await).await)
}

/// Three requests for flags, and a report of five evaluations.
async fn ask(world: &World, feature: &str) {
    for _ in 0..3 {
        world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
    }
    let report = json!({ feature: 5, "unknown": 7 });
    world
        .sdk(Method::POST, "/api/v1/analytics/flags/", Some(report))
        .await
        .expect(200);
    flush_usage(&world.app.app).await.expect("taken");
}

async fn read(world: &World, path: &str) -> Value {
    world
        .app
        .manage(&world.token, Method::GET, path, None)
        .await
        .expect(200)
}

fn evaluations(world: &World, feature: i64, days: i64) -> String {
    let (project, environment) = (world.project, world.environment);
    format!(
        "/api/v1/projects/{project}/features/{feature}/evaluation-data/?environment_id={environment}&period={days}"
    )
}

fn usage_data(world: &World) -> String {
    format!("/api/v1/organisations/{}/usage-data/", world.organisation)
}

both! {
    async fn counts_go_to_influxdb_and_charts_show_its_sums(app) {
        let (influx, world) = with_influx(&app).await;
        let name = "new check, out=\"1\" ${x}";
        let feature = world.feature(json!({"name": name})).await;
        ask(&world, name).await;
        let points = influx.wait_for_points(2).await;
        let calls = points.iter().find(|point| point.measurement == "api_call").expect("calls");
        assert_eq!((calls.field.as_str(), calls.value), ("request_count", 3));
        let tags = ["resource", "host", "project", "project_id", "organisation", "organisation_id", "environment", "environment_id"];
        let own = ["flags", "127.0.0.1:8000", "Web", &world.project.to_string(), &format!("{}-Acme", world.organisation),
            &world.organisation.to_string(), "Development", &world.environment.to_string()];
        assert_eq!(tags.map(|tag| calls.tag(tag)), own);
        let evaluated = points.iter().find(|point| point.measurement == "feature_evaluation").expect("evaluations");
        assert_eq!((evaluated.field.as_str(), evaluated.value), ("request_count", 5));
        assert_eq!((evaluated.tag("feature_id"), evaluated.tag("environment_id")), (name, world.environment.to_string().as_str()));
        assert_eq!(total_evaluations(app.app.db(), world.environment, name).await.expect("a count"), 0, "the database has none");

        // Before the first round of the tasks there are no sums, and no error.
        assert_eq!(read(&world, &usage_data(&world)).await, json!([]));
        influx.run_tasks();
        influx.run_tasks();
        let days = read(&world, &usage_data(&world)).await;
        assert_eq!((days.as_array().map(Vec::len), &days[0]["flags"], &days[0]["traits"]), (Some(1), &json!(3), &json!(0)));
        assert_eq!(read(&world, &format!("{}total-count/", usage_data(&world))).await, json!({"count": 3}));
        for days in [7, 30] {
            let counts = read(&world, &evaluations(&world, feature, days)).await;
            assert_eq!((counts.as_array().map(Vec::len), &counts[0]["count"]), (Some(1), &json!(5)), "{days} days");
        }
        let other = read(&world, &format!("{}?project_id={}&environment_id={}", usage_data(&world), world.project, world.environment)).await;
        assert_eq!(other, days);
        let hub = read(&world, "/api/v1/admin/dashboard/summary/").await;
        assert_eq!(hub["total_api_calls"], 3);
        let trends = read(&world, "/api/v1/admin/dashboard/usage-trends/").await;
        assert_eq!((&trends[0]["flags"], &trends[0]["total"]), (&json!(3), &json!(3)));

        let queries = influx.queries();
        let asked = |part: &str| queries.iter().filter(|query| query.contains(part)).count();
        assert!(asked("default_downsampled_15m") > 0 && asked("default_downsampled_1h") > 0, "{queries:?}");
        assert_eq!(asked(&format!("bucket: \"{BUCKET}\"")), 0, "raw counts are not read");
    }

    async fn while_influxdb_is_away_everything_is_served_and_counts_wait(app) {
        let (influx, world) = with_influx(&app).await;
        let feature = world.feature(json!({"name": "checkout"})).await;
        influx.fail_with(Some(503));
        ask(&world, "checkout").await;
        for path in [usage_data(&world), evaluations(&world, feature, 30)] {
            assert_eq!(read(&world, &path).await, json!([]), "{path}");
        }
        assert_eq!(read(&world, &format!("{}total-count/", usage_data(&world))).await, json!({"count": 0}));
        while influx.writes() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(influx.points(BUCKET).len(), 0);
        influx.fail_with(None);
        let points = influx.wait_for_points(2).await;
        assert_eq!(points.iter().map(|point| point.value).sum::<i64>(), 8);
    }

    async fn what_was_not_sent_is_sent_when_the_program_ends(app) {
        let (influx, world) = with_influx(&app).await;
        world.feature(json!({"name": "checkout"})).await;
        let report = json!({"checkout": 5});
        world.sdk(Method::POST, "/api/v1/analytics/flags/", Some(report)).await.expect(200);
        world.sdk(Method::GET, "/api/v1/flags/", None).await.expect(200);
        world.app.app.close().await.expect("closed");
        assert_eq!(influx.points(BUCKET).len(), 2);
    }

    async fn administrators_are_warned_by_the_counts_in_influxdb(app) {
        let influx = Influx::start().await;
        setup::set_up(influx.settings(), DAYS, client()).await.expect("set up");
        let settings = Settings {
            analytics: KeptIn::Influx(influx.settings()),
            api_calls_limit: Some(4),
            ..Settings::default()
        };
        let world = World::new(app.node_with(settings).await).await;
        world.feature(json!({"name": "checkout"})).await;
        ask(&world, "checkout").await;
        influx.wait_for_points(2).await;
        influx.run_tasks();
        influx.fail_with(Some(500));
        assert!(usage::warn(&world.app.app).await.is_err(), "it is not taken for no calls at all");
        influx.fail_with(None);
        usage::warn(&world.app.app).await.expect("warnings");
        let told = read(&world, &format!("/api/v1/organisations/{}/api-usage-notification/", world.organisation)).await;
        assert_eq!(told["results"][0]["percent_usage"], 75);
    }

    async fn a_database_of_their_own_has_the_counts_and_the_product_s_has_none(app) {
        let folder = tempfile::tempdir().expect("a folder");
        let other = Db::open(&format!("sqlite:{}", folder.path().join("counts.db").display()), 2).await.expect("opens");
        let settings = Settings { analytics: KeptIn::OtherDatabase(other.clone()), ..Settings::default() };
        let world = World::new(app.node_with(settings).await).await;
        let feature = world.feature(json!({"name": "checkout"})).await;
        ask(&world, "checkout").await;
        assert_eq!(total_evaluations(&other, world.environment, "checkout").await.expect("a count"), 5);
        assert_eq!(total_evaluations(app.app.db(), world.environment, "checkout").await.expect("a count"), 0);
        for _ in 0..2 {
            let days = read(&world, &usage_data(&world)).await;
            assert_eq!((days.as_array().map(Vec::len), &days[0]["flags"]), (Some(1), &json!(3)));
            assert_eq!(read(&world, &evaluations(&world, feature, 30)).await[0]["count"], 5);
            usage::add_up(&world.app.app, burgee_model::Timestamp::now()).await.expect("sums");
        }
        let mut tx = app.app.db().read().await.expect("a transaction");
        assert_eq!(burgee_store::usage::by_day(&mut tx, &[world.environment], 0, i64::MAX).await.expect("rows"), []);
        drop(tx);
        assert_eq!(read(&world, "/api/v1/admin/dashboard/summary/").await["total_api_calls"], 3);
    }

    async fn kept_nowhere_nothing_is_told_of_usage_and_nothing_fails(app) {
        let settings = Settings { analytics: KeptIn::Nowhere, api_calls_limit: Some(1), ..Settings::default() };
        let world = World::new(app.node_with(settings).await).await;
        let feature = world.feature(json!({"name": "checkout"})).await;
        ask(&world, "checkout").await;
        for path in [usage_data(&world), evaluations(&world, feature, 30)] {
            assert_eq!(read(&world, &path).await, json!([]), "{path}");
        }
        assert_eq!(read(&world, &format!("{}total-count/", usage_data(&world))).await, json!({"count": 0}));
        usage::warn(&world.app.app).await.expect("nobody to warn");
        usage::add_up(&world.app.app, burgee_model::Timestamp::now()).await.expect("nothing to add");
        usage::forget_old(&world.app.app).await.expect("nothing to forget");
    }

    async fn when_a_feature_was_last_asked_for_is_known_wherever_counts_are_kept(app) {
        for analytics in [KeptIn::Database, KeptIn::Nowhere] {
            let email = format!("{}@example.com", if matches!(analytics, KeptIn::Nowhere) { "bob" } else { "ann" });
            let node = app.node_with(Settings { analytics, ..Settings::default() }).await;
            let token = node.sign_up(&email).await;
            let post = async |path: &str, body: Value| node.manage(&token, Method::POST, path, Some(&body)).await.expect(201);
            let organisation = post("/api/v1/organisations/", json!({"name": "Acme"})).await["id"].clone();
            let project = post("/api/v1/projects/", json!({"name": "Web", "organisation": organisation})).await["id"].clone();
            let asked = post("/api/v1/environments/", json!({"name": "Asked", "project": project})).await;
            let quiet = post("/api/v1/environments/", json!({"name": "Quiet", "project": project})).await;
            let features = format!("/api/v1/projects/{project}/features/");
            let feature = post(&features, json!({"name": "checkout"})).await["id"].clone();
            let path = format!("{features}{feature}/last-evaluated/");
            let last = async || node.manage(&token, Method::GET, &path, None).await.expect(200);
            let both = [&asked["id"], &quiet["id"]];
            let told = last().await;
            assert_eq!(both, [&told[0]["environment"], &told[1]["environment"]]);
            assert_eq!((&told[0]["last_evaluated_at"], &told[1]["last_evaluated_at"]), (&Value::Null, &Value::Null));
            let key = asked["api_key"].as_str().expect("a key");
            let headers = [("x-environment-key", key)];
            let before = burgee_model::Timestamp::now();
            node.call(Method::POST, "/api/v1/analytics/flags/", &headers, Some(&json!({"checkout": 2}))).await.expect(200);
            let told = last().await;
            let at = told[0]["last_evaluated_at"].as_str().and_then(burgee_model::Timestamp::parse).expect("a time");
            assert!(at >= before);
            assert_eq!(told[1]["last_evaluated_at"], Value::Null);
        }
    }
}

#[tokio::test]
async fn influxdb_is_set_up_once_and_what_is_there_stays() {
    let influx = Influx::start().await;
    let made = setup::set_up(influx.settings(), DAYS, client())
        .await
        .expect("set up");
    let names: Vec<&str> = made.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(
        names,
        [
            "bucket default",
            "bucket default_downsampled_15m",
            "bucket default_downsampled_1h",
            "task Downsample (API Requests)",
            "task Downsample (Flag Evaluations)",
            "task Downsample API 1h",
            "task Downsample API 1h - Flag Analytics",
        ]
    );
    assert!(made.iter().all(|step| step.made));
    let again = setup::set_up(influx.settings(), DAYS, client())
        .await
        .expect("set up");
    assert!(again.iter().all(|step| !step.made), "{again:?}");
    assert_eq!(influx.tasks().len(), 4);
    let day = 86_400;
    assert_eq!(
        influx.retention().into_values().collect::<Vec<_>>(),
        [30 * day, 30 * day, 90 * day]
    );
}

#[tokio::test]
async fn setting_influxdb_up_says_what_is_wrong() {
    let influx = Influx::start().await;
    let mut settings = influx.settings();
    settings.org = "Nobody".to_owned();
    let error = setup::set_up(settings, DAYS, client())
        .await
        .expect_err("no such organisation");
    assert!(error.to_string().contains("Nobody"), "{error}");
    let mut settings = influx.settings();
    settings.token = "wrong".to_owned();
    let error = setup::set_up(settings, DAYS, client())
        .await
        .expect_err("no entrance");
    assert!(error.to_string().contains("401"), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
}

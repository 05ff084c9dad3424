//! Experiments with their metrics, cohorts, warehouse connections

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

fn path(world: &World, what: &str) -> String {
    format!("/api/v1/environments/{}/{what}/", world.key)
}

/// A multivariate feature; answers its id and those of its options.
async fn feature(app: &TestApp, world: &World, name: &str) -> (i64, i64) {
    let features = format!("/api/v1/projects/{}/features/", world.project);
    let body = json!({"name": name, "initial_value": "control", "default_enabled": true, "multivariate_options": [
        {"type": "unicode", "string_value": "green", "default_percentage_allocation": 0}]});
    let made = app.post(&world.admin, &features, &body).await.expect(201);
    (id(&made), id(&made["multivariate_options"][0]))
}

async fn metric(app: &TestApp, world: &World, name: &str) -> i64 {
    let body = json!({"name": name, "definition": {"event": "purchase"}});
    id(&app
        .post(&world.admin, &path(world, "experiment-metrics"), &body)
        .await
        .expect(201))
}

fn rollout(option: i64, percentage: i64) -> Value {
    json!({"enabled": true, "rollout_percentage": percentage, "feature_state_value": {"type": "string", "value": "control"},
        "multivariate_feature_state_values": [{"multivariate_feature_option": option, "percentage_allocation": 100}]})
}

async fn identify(app: &TestApp, world: &World, identifier: &str, traits: Value) -> Value {
    let body = json!({"identifier": identifier, "traits": traits});
    let headers = [("x-environment-key", world.key.as_str())];
    app.call(Method::POST, "/api/v1/identities/", &headers, Some(&body))
        .await
        .expect(200)["flags"]
        .clone()
}

/// What an identity gets of the only feature.
async fn value(app: &TestApp, world: &World, identifier: &str) -> Value {
    identify(app, world, identifier, json!([])).await[0]["feature_state_value"].clone()
}

both! {
    async fn an_experiment_gives_its_variants_while_it_runs_and_only_then(app) {
        let world = app.world().await;
        let (colour, green) = feature(&app, &world, "colour").await;
        let metric = metric(&app, &world, "purchases").await;
        let experiments = path(&world, "experiments");
        let body = json!({"feature": colour, "name": "Green", "hypothesis": "Green sells",
            "metrics": [{"metric": metric, "expected_direction": "increase"}], "experiment_rollout": rollout(green, 100)});
        let made = app.post(&world.admin, &experiments, &body).await.expect(201);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "feature", "name", "hypothesis", "status", "created_at", "updated_at", "started_at", "ended_at"]);
        let one = format!("{experiments}{}/", id(&made));
        let shown = app.get(&world.admin, &one).await.expect(200);
        assert_eq!(shown["experiment_rollout"], rollout(green, 100).as_object().map(|_| json!({"enabled": true,
            "rollout_percentage": 100.0, "feature_state_value": {"type": "string", "value": "control"},
            "multivariate_feature_state_values": [{"multivariate_feature_option": green, "percentage_allocation": 100.0}]})).unwrap());
        assert_eq!((&shown["feature"]["name"], &shown["metrics"][0]["metric_name"]), (&json!("colour"), &json!("purchases")));
        assert_eq!(value(&app, &world, "ada").await, "control");
        let step = async |name: &str, status: u16| {
            app.post(&world.admin, &format!("{one}{name}/"), &json!({})).await.expect(status)
        };
        step("pause", 400).await;
        step("complete", 400).await;
        let started = step("start", 200).await;
        assert_eq!(started["status"], "running");
        assert_eq!(value(&app, &world, "ada").await, "green");
        step("start", 400).await;
        step("pause", 200).await;
        assert_eq!(value(&app, &world, "ada").await, "control");
        let again = step("start", 200).await;
        assert_eq!(again["started_at"], started["started_at"]);
        // Nobody in it any more, at once.
        let none = json!({"experiment_rollout": rollout(green, 0)});
        app.patch(&world.admin, &format!("{one}rollout/"), &none).await.expect(200);
        assert_eq!(value(&app, &world, "ada").await, "control");
        app.patch(&world.admin, &format!("{one}rollout/"), &json!({"experiment_rollout": rollout(green, 100)})).await.expect(200);
        assert_eq!(value(&app, &world, "ada").await, "green");
        let done = step("complete", 200).await;
        assert_eq!(done["status"], "completed");
        assert!(done["ended_at"].is_string());
        assert_eq!(value(&app, &world, "ada").await, "control");
        step("start", 400).await;
        app.patch(&world.admin, &format!("{one}rollout/"), &none).await.expect(400);
        // Nothing of it is left behind.
        let segments = format!("/api/v1/projects/{}/segments/", world.project);
        assert_eq!(app.get(&world.admin, &segments).await.expect(200)["count"], 0);
        assert!(app.log("EXPERIMENT").await.len() >= 7);
        let states: Vec<_> = app.log("FEATURE_STATE").await.into_iter().filter_map(|line| line.message).collect();
        assert!(states.iter().any(|text| text == "Segment override created for feature 'colour' and segment 'In experiment Green'"));
    }

    async fn a_feature_takes_part_in_one_experiment_and_must_have_variants(app) {
        let world = app.world().await;
        let (colour, green) = feature(&app, &world, "colour").await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        let plain = id(&app.post(&world.admin, &features, &json!({"name": "plain"})).await.expect(201));
        let experiments = path(&world, "experiments");
        let body = |feature: i64| json!({"feature": feature, "name": "Green", "hypothesis": "Green sells"});
        let made = app.post(&world.admin, &experiments, &body(colour)).await.expect(201);
        for (wrong, field) in [
            (body(colour), "feature"), (body(plain), "feature"), (body(9999), "feature"), (json!({}), "name"),
            (json!({"feature": colour, "name": "x", "hypothesis": "y", "experiment_rollout": rollout(green, 101)}), "experiment_rollout"),
        ] {
            assert!(app.post(&world.admin, &experiments, &wrong).await.expect(400).get(field).is_some(), "{wrong}");
        }
        let one = format!("{experiments}{}/", id(&made));
        let foreign = json!({"experiment_rollout": rollout(9999, 10)});
        app.patch(&world.admin, &format!("{one}rollout/"), &foreign).await.expect(400);
        let changed = app.patch(&world.admin, &one, &json!({"name": "Greener"})).await.expect(200);
        assert_eq!((&changed["name"], &changed["hypothesis"]), (&json!("Greener"), &json!("Green sells")));
        app.patch(&world.admin, &one, &json!({"feature": plain})).await.expect(400);
        let found = app.get(&world.admin, &format!("{experiments}?q=colou&status=created")).await.expect(200);
        assert_eq!(found["count"], 1);
        assert_eq!(app.get(&world.admin, &format!("{experiments}?status=running")).await.expect(200)["count"], 0);
        app.delete(&world.admin, &one).await.expect(204);
        app.post(&world.admin, &experiments, &body(colour)).await.expect(201);
    }

    async fn results_come_from_what_identities_say(app) {
        let world = app.world().await;
        let (colour, _) = feature(&app, &world, "colour").await;
        let experiments = path(&world, "experiments");
        let body = json!({"feature": colour, "name": "Green", "hypothesis": "Green sells"});
        let made = app.post(&world.admin, &experiments, &body).await.expect(201);
        let one = format!("{experiments}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &format!("{one}results/")).await.expect(200), Value::Null);
        app.post(&world.admin, &format!("{one}results/refresh/"), &json!({})).await.expect(400);
        app.post(&world.admin, &format!("{one}start/"), &json!({})).await.expect(200);
        for number in 0..12 {
            let (variant, converted) = if number % 2 == 0 { ("control", number == 0) } else { ("green", number < 8) };
            let traits = json!([{"trait_key": "exp_colour_variant", "trait_value": variant},
                {"trait_key": "exp_colour_converted", "trait_value": converted}]);
            identify(&app, &world, &format!("u{number}"), traits).await;
        }
        let results = app.get(&world.admin, &format!("{experiments}results/?feature=colour")).await.expect(200);
        assert_eq!(results["variants"], json!([
            {"variant": "control", "evaluations": 6, "conversions": 1, "conversion_rate": 1.0 / 6.0},
            {"variant": "green", "evaluations": 6, "conversions": 4, "conversion_rate": 4.0 / 6.0}]));
        let said: Vec<&str> = results["statistics"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(said, ["p_value", "significant", "chance_to_win", "lift", "winner", "recommendation", "sample_size_warning"]);
        assert_eq!(results["statistics"]["lift"], "+300.0%");
        assert!(results["statistics"]["sample_size_warning"].is_string());
        let headers = [("x-environment-key", world.key.as_str())];
        app.call(Method::POST, "/api/v1/analytics/flags/", &headers, Some(&json!({"colour": 12}))).await.expect(200);
        let exposures = app.post(&world.admin, &format!("{one}exposures/refresh/"), &json!({})).await.expect(200);
        assert_eq!((&exposures["evaluations"], &exposures["variants"]), (&json!(12),
            &json!([{"variant": "control", "exposures": 6}, {"variant": "green", "exposures": 6}])));
        assert_eq!(app.get(&world.admin, &format!("{one}exposures/")).await.expect(200), exposures);
        // What was found when it ended stays.
        app.post(&world.admin, &format!("{one}complete/"), &json!({})).await.expect(200);
        let kept = app.get(&world.admin, &format!("{one}results/")).await.expect(200);
        assert_eq!(kept["variants"], results["variants"]);
        identify(&app, &world, "late", json!([{"trait_key": "exp_colour_variant", "trait_value": "green"}])).await;
        assert_eq!(app.post(&world.admin, &format!("{one}results/refresh/"), &json!({})).await.expect(200), kept);
        app.get(&world.admin, &format!("{experiments}results/")).await.expect(400);
        app.get(&world.admin, &format!("{experiments}results/?feature=nope")).await.expect(404);
        app.get(&world.member, &format!("{experiments}results/?feature=colour")).await.expect(403);
        app.grant(&world.member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        app.get(&world.member, &format!("{experiments}results/?feature=colour")).await.expect(200);
        app.get(&world.member, &experiments).await.expect(403);
        app.get(&world.stranger, &experiments).await.expect(403);
    }

    async fn metrics_are_kept_and_say_where_they_are_used(app) {
        let world = app.world().await;
        let (colour, _) = feature(&app, &world, "colour").await;
        let metrics = path(&world, "experiment-metrics");
        let made = app.post(&world.admin, &metrics, &json!({"name": "purchases", "aggregation": "sum", "direction": "up",
            "definition": {"event": "purchase", "property": "amount"}})).await.expect(201);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "name", "description", "aggregation", "direction", "definition", "experiments", "created_at", "updated_at"]);
        for wrong in [json!({}), json!({"name": "x", "definition": {}}), json!({"name": "x", "definition": {"event": "e"}, "aggregation": "max"})] {
            app.post(&world.admin, &metrics, &wrong).await.expect(400);
        }
        let body = json!({"feature": colour, "name": "Green", "hypothesis": "h"});
        let experiment = id(&app.post(&world.admin, &path(&world, "experiments"), &body).await.expect(201));
        let links = format!("{}{experiment}/metrics/", path(&world, "experiments"));
        let body = json!({"metric": id(&made), "expected_direction": "increase"});
        let link = app.post(&world.admin, &links, &body).await.expect(201);
        let fields: Vec<&str> = link.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "metric", "metric_name", "aggregation", "direction", "expected_direction", "created_at"]);
        app.post(&world.admin, &links, &body).await.expect(400);
        app.post(&world.admin, &links, &json!({"metric": 9999, "expected_direction": "increase"})).await.expect(400);
        let changed = app.patch(&world.admin, &format!("{links}{}/", id(&link)), &json!({"expected_direction": "not_decrease"})).await;
        assert_eq!(changed.expect(200)["expected_direction"], "not_decrease");
        let one = format!("{metrics}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200)["experiments"],
            json!([{"id": experiment, "name": "Green", "status": "created"}]));
        app.post(&world.admin, &format!("{}{experiment}/start/", path(&world, "experiments")), &json!({})).await.expect(200);
        app.delete(&world.admin, &one).await.expect(400);
        app.delete(&world.admin, &format!("{links}{}/", id(&link))).await.expect(204);
        assert_eq!(app.get(&world.admin, &links).await.expect(200), json!([]));
        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(app.get(&world.admin, &format!("{metrics}?q=pur")).await.expect(200)["count"], 0);
        app.get(&world.member, &metrics).await.expect(403);
    }

    async fn a_cohort_is_a_managed_segment_and_goes_with_it(app) {
        let world = app.world().await;
        let cohorts = path(&world, "cohorts");
        let made = app.post(&world.admin, &cohorts, &json!({"name": "Testers", "description": "d"})).await.expect(201);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "uuid", "name", "description", "segment", "source_type", "version", "created_at"]);
        let segment = format!("/api/v1/projects/{}/segments/{}/", world.project, made["segment"]);
        let shown = app.get(&world.admin, &segment).await.expect(200);
        assert_eq!((&shown["managed_by"], &shown["name"]), (&json!("cohort"), &json!("Testers")));
        // People use it, and leave it as it is.
        app.patch(&world.admin, &segment, &json!({"name": "mine"})).await.expect(400);
        app.delete(&world.admin, &segment).await.expect(400);
        let copy = app.post(&world.admin, &format!("{segment}clone/"), &json!({"name": "copy"})).await.expect(201);
        assert_eq!(copy["managed_by"], "");
        app.post(&world.member, &cohorts, &json!({"name": "x"})).await.expect(403);
        app.post(&world.admin, &cohorts, &json!({})).await.expect(400);
        let one = format!("{cohorts}{}/", id(&made));
        app.delete(&world.member, &one).await.expect(403);
        app.delete(&world.admin, &one).await.expect(202);
        app.get(&world.admin, &one).await.expect(404);
        app.get(&world.admin, &segment).await.expect(404);
    }

    async fn a_warehouse_connection_keeps_its_credentials_to_itself_and_its_test_is_honest(app) {
        let world = app.world().await;
        let connections = path(&world, "warehouse-connections");
        let body = json!({"warehouse_type": "clickhouse", "name": "Events", "config": {"host": "ch.example.com"},
            "credentials": {"password": "swordfish"}});
        let made = app.post(&world.admin, &connections, &body).await.expect(201);
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["id", "warehouse_type", "status", "status_detail", "name", "config", "created_at",
            "total_events_received", "unique_events_count"]);
        let one = format!("{connections}{}/", id(&made));
        let tested = app.post(&world.admin, &format!("{one}test-warehouse-connection/"), &json!({})).await.expect(200);
        assert_eq!((&tested["status"], &tested["status_detail"]),
            (&json!("errored"), &json!("This server has no driver for ClickHouse.")));
        assert_eq!(app.get(&world.admin, &connections).await.expect(200), json!([tested]));
        let dry = app.post(&world.admin, &format!("{connections}test-warehouse-connection/"), &json!({"warehouse_type": "snowflake"})).await;
        assert_eq!(dry.expect(200), json!({"status": "errored", "status_detail": "This server has no driver for Snowflake."}));
        app.get(&world.admin, &format!("{one}events/")).await.expect(400);
        let changed = app.patch(&world.admin, &one, &json!({"name": "More events"})).await.expect(200);
        assert_eq!((&changed["status"], &changed["config"]["host"]), (&json!("created"), &json!("ch.example.com")));
        for wrong in [json!({}), json!({"warehouse_type": "excel"}), json!({"warehouse_type": "snowflake", "config": [1]})] {
            app.post(&world.admin, &connections, &wrong).await.expect(400);
        }
        for line in app.log("WAREHOUSE_CONNECTION").await {
            assert!(!format!("{line:?}").contains("swordfish"));
        }
        app.get(&world.member, &connections).await.expect(403);
        app.get(&world.stranger, &one).await.expect(403);
        app.delete(&world.admin, &one).await.expect(204);
        app.get(&world.admin, &one).await.expect(404);
    }

    async fn metrics_and_what_measures_an_experiment_are_written_anew(app) {
        let world = app.world().await;
        let (colour, _) = feature(&app, &world, "colour").await;
        let (first, second) = (metric(&app, &world, "purchases").await, metric(&app, &world, "refunds").await);
        let one = format!("{}{first}/", path(&world, "experiment-metrics"));
        let body = json!({"name": "sales", "description": "d", "aggregation": "mean", "direction": "down",
            "definition": {"event": "sale", "property": "amount"}});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        for field in ["name", "description", "aggregation", "direction", "definition"] {
            assert_eq!(written[field], body[field], "{field}");
        }
        let missing = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"name": ["This field is required."], "definition": ["This field is required."]}));
        let changed = app.patch(&world.admin, &one, &json!({"direction": "up"})).await.expect(200);
        assert_eq!((&changed["direction"], &changed["name"]), (&json!("up"), &json!("sales")));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), changed);
        app.patch(&world.admin, &one, &json!({"direction": "sideways"})).await.expect(400);

        let body = json!({"feature": colour, "name": "Green", "hypothesis": "h"});
        let experiment = format!("{}{}/", path(&world, "experiments"),
            id(&app.post(&world.admin, &path(&world, "experiments"), &body).await.expect(201)));
        let links = format!("{experiment}metrics/");
        let body = json!({"metric": first, "expected_direction": "increase"});
        let link = app.post(&world.admin, &links, &body).await.expect(201);
        let link_path = format!("{links}{}/", id(&link));
        assert_eq!(app.get(&world.admin, &link_path).await.expect(200), link);
        let other = json!({"metric": second, "expected_direction": "decrease"});
        let written = app.put(&world.admin, &link_path, &other).await.expect(200);
        assert_eq!((&written["id"], &written["metric"], &written["metric_name"], &written["expected_direction"]),
            (&link["id"], &json!(second), &json!("refunds"), &json!("decrease")));
        let missing = app.put(&world.admin, &link_path, &json!({})).await.expect(400);
        assert_eq!(missing, json!({"metric": ["This field is required."], "expected_direction": ["This field is required."]}));

        let written = app.put(&world.admin, &experiment, &json!({"name": "Greener", "hypothesis": "Greener sells more"})).await;
        let written = written.expect(200);
        assert_eq!((&written["name"], &written["hypothesis"], &written["status"]),
            (&json!("Greener"), &json!("Greener sells more"), &json!("created")));
        let missing = app.put(&world.admin, &experiment, &json!({"feature": colour})).await.expect(400);
        assert_eq!(missing, json!({"name": ["This field is required."], "hypothesis": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            app.put(person, &one, &json!({"name": "x", "definition": {"event": "e"}})).await.expect(403);
            app.patch(person, &one, &json!({"name": "x"})).await.expect(403);
            app.get(person, &link_path).await.expect(403);
            app.put(person, &link_path, &other).await.expect(403);
            app.put(person, &experiment, &json!({"name": "x", "hypothesis": "y"})).await.expect(403);
        }
        let elsewhere = app.environment(&world.admin, world.project, "Production").await.1;
        app.get(&world.admin, &link_path.replace(&world.key, &elsewhere)).await.expect(404);
        app.put(&world.admin, &one.replace(&world.key, &elsewhere), &json!({"name": "x", "definition": {"event": "e"}})).await.expect(404);
    }

    async fn cohorts_are_listed_where_they_are(app) {
        let world = app.world().await;
        let cohorts = path(&world, "cohorts");
        let made = app.post(&world.admin, &cohorts, &json!({"name": "Testers"})).await.expect(201);
        let listed = app.get(&world.admin, &cohorts).await.expect(200);
        assert_eq!(listed, json!([made]));
        let elsewhere = app.environment(&world.admin, world.project, "Production").await.1;
        assert_eq!(app.get(&world.admin, &cohorts.replace(&world.key, &elsewhere)).await.expect(200), json!([]));
        app.get(&world.member, &cohorts).await.expect(403);
        app.get(&world.stranger, &cohorts).await.expect(403);
    }

    async fn a_warehouse_connection_is_read_and_written_anew_without_its_credentials(app) {
        let world = app.world().await;
        let connections = path(&world, "warehouse-connections");
        let body = json!({"warehouse_type": "clickhouse", "name": "Events", "config": {"host": "ch.example.com"},
            "credentials": {"password": "swordfish"}});
        let made = app.post(&world.admin, &connections, &body).await.expect(201);
        let one = format!("{connections}{}/", id(&made));
        let found = app.get(&world.admin, &one).await;
        assert!(!found.text.contains("swordfish"));
        assert_eq!(found.expect(200), made);
        let body = json!({"warehouse_type": "snowflake", "name": "Lake", "config": {"account": "acme"},
            "credentials": {"private_key": "halibut"}});
        let written = app.put(&world.admin, &one, &body).await;
        assert!(!written.text.contains("halibut"));
        let written = written.expect(200);
        assert_eq!((&written["id"], &written["warehouse_type"], &written["name"], &written["config"]),
            (&made["id"], &json!("snowflake"), &json!("Lake"), &json!({"account": "acme"})));
        let missing = app.put(&world.admin, &one, &json!({"name": "x"})).await.expect(400);
        assert_eq!(missing, json!({"warehouse_type": ["This field is required."]}));
        for person in [&world.member, &world.stranger] {
            app.put(person, &one, &body).await.expect(403);
        }
    }

}

//! Usage: calls of the SDK API by day, how they are kept, and who is told when there are many.

use axum::http::Method;
use burgee_app::{Settings, mail, telemetry, usage};
use burgee_model::Timestamp;
use burgee_store::analytics::{self, EvaluationCount, UsageCount};
use burgee_store::usage::DayOfUsage;
use burgee_testkit::mailbox::Mailbox;
use burgee_testkit::places::World;
use burgee_testkit::receiver::Receiver;
use burgee_testkit::{TestApp, both, id};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Counts as they would have come in at moments of the past: resource, count, when.
async fn count(app: &TestApp, environment_id: i64, counts: &[(i64, i64, i64)]) {
    let row = |&(resource, count, created_at): &(i64, i64, i64)| UsageCount {
        environment_id,
        resource,
        count,
        created_at,
    };
    let rows: Vec<UsageCount> = counts.iter().map(row).collect();
    let mut tx = app.app.db().begin().await.expect("a transaction");
    analytics::insert_usage(&mut tx, &rows, "localhost")
        .await
        .expect("rows");
    tx.commit().await.expect("commits");
}

fn of(world: &World, path: &str) -> String {
    format!("/api/v1/organisations/{}/{path}", world.organisation)
}

async fn rows(app: &TestApp, world: &World) -> Vec<DayOfUsage> {
    let mut tx = app.app.db().read().await.expect("a transaction");
    burgee_store::usage::by_day(&mut tx, &[world.environment], 0, i64::MAX)
        .await
        .expect("rows")
}

both! {
    async fn usage_is_told_by_day_for_all_or_for_one_environment(app) {
        let world = app.world().await;
        let (other, _) = app.environment(&world.admin, world.project, "Other").await;
        let now = Timestamp::now().0;
        assert_eq!(app.get(&world.admin, &of(&world, "usage-data/")).await.expect(200), json!([]));
        count(&app, world.environment, &[(1, 5, now), (2, 3, now), (1, 7, now - 2 * DAY), (4, 1, now - 40 * DAY)]).await;
        count(&app, other, &[(3, 4, now)]).await;
        let days = app.get(&world.admin, &of(&world, "usage-data/")).await.expect(200);
        let day = |at: i64| Timestamp(at).date();
        let nobody = json!({"client_application_name": null, "client_application_version": null, "user_agent": null});
        assert_eq!(days, json!([
            {"flags": 7, "identities": 0, "traits": 0, "environment_document": 0, "day": day(now - 2 * DAY), "labels": nobody},
            {"flags": 5, "identities": 3, "traits": 4, "environment_document": 0, "day": day(now), "labels": nobody},
        ]));
        let one = app.get(&world.admin, &of(&world, &format!("usage-data/?environment_id={other}"))).await.expect(200);
        assert_eq!((one.as_array().map(Vec::len), &one[0]["traits"]), (Some(1), &json!(4)));
        let sums = |days: &Value| days.as_array().expect("days").iter().map(|day| day["environment_document"].as_i64().unwrap_or(0)).sum::<i64>();
        for (period, documents) in [("90_day_period", 1), ("previous_billing_period", 1), ("current_billing_period", 0)] {
            let days = app.get(&world.admin, &of(&world, &format!("usage-data/?period={period}"))).await.expect(200);
            assert_eq!(sums(&days), documents, "{period}");
        }
        assert_eq!(app.get(&world.admin, &of(&world, "usage-data/total-count/")).await.expect(200), json!({"count": 19}));
        assert_eq!(app.get(&world.admin, &of(&world, "usage/")).await.expect(200), json!({"events": 19}));
        assert_eq!(app.get(&world.admin, &of(&world, "influx-data/")).await.expect(200), json!({"events_list": [
            {"name": day(now - 2 * DAY), "Flags": 7},
            {"name": day(now), "Flags": 5, "Identities": 3, "Traits": 4},
        ]}));
        let one = app.get(&world.admin, &of(&world, &format!("influx-data/?environment_id={other}"))).await.expect(200);
        assert_eq!(one, json!({"events_list": [{"name": day(now), "Traits": 4}]}));
        app.get(&world.admin, &of(&world, "usage-data/?environment_id=99999")).await.expect(400);
        app.get(&world.admin, &of(&world, "usage-data/?project_id=x")).await.expect(400);
        for person in [&world.member, &world.stranger] {
            for path in ["usage-data/", "usage-data/total-count/", "usage/", "influx-data/"] {
                let answer = app.get(person, &of(&world, path)).await;
                assert!([403, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.text);
            }
        }
        let elsewhere = app.organisation("Third", &world.admin, "ADMIN").await;
        let path = format!("/api/v1/organisations/{elsewhere}/usage-data/?project_id={}", world.project);
        app.get(&world.admin, &path).await.expect(400);
    }

    async fn what_is_added_up_reads_as_it_did_before(app) {
        let world = app.world().await;
        let now = Timestamp::now().0;
        let counts: Vec<(i64, i64, i64)> = (0..200).map(|step| (1 + step % 4, step + 1, now - step * 7 * MINUTE)).collect();
        count(&app, world.environment, &counts).await;
        let before = rows(&app, &world).await;
        for minutes in [300, 61, 30, 0] {
            usage::add_up(&app.app, Timestamp(now - minutes * MINUTE)).await.expect("sums");
            assert_eq!(rows(&app, &world).await, before, "added up until {minutes} minutes ago");
        }
        let other = app.second_node().await;
        let (here, there) = tokio::join!(usage::add_up(&app.app, Timestamp::now()), usage::add_up(&other.app, Timestamp::now()));
        here.expect("sums");
        there.expect("sums");
        assert_eq!(rows(&app, &world).await, before, "two nodes add up once");
        // Raw counts may go once they are added up.
        let mut tx = app.app.db().begin().await.expect("a transaction");
        analytics::delete_before(&mut tx, now - 60 * MINUTE).await.expect("a deletion");
        tx.commit().await.expect("commits");
        assert_eq!(rows(&app, &world).await, before);
        usage::forget_old(&app.app).await.expect("a deletion");
        assert_eq!(rows(&app, &world).await, before, "nothing of it is old");
    }

    async fn old_sums_are_forgotten_and_raw_counts_not_before_they_are_added_up(app) {
        let world = app.world().await;
        let now = Timestamp::now().0;
        count(&app, world.environment, &[(1, 1, now - 40 * DAY), (1, 2, now - 100 * DAY), (1, 4, now)]).await;
        burgee_app::sdk::analytics::forget_old(&app.app).await.expect("a deletion");
        let total = |rows: Vec<DayOfUsage>| rows.iter().map(|row| row.count).sum::<i64>();
        assert_eq!(total(rows(&app, &world).await), 7, "raw counts are kept 30 days, their sums longer");
        usage::forget_old(&app.app).await.expect("a deletion");
        assert_eq!(total(rows(&app, &world).await), 5, "sums are kept 90 days");
    }

    async fn evaluations_of_a_feature_are_read_from_sums_too(app) {
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/features/", world.project);
        let feature = id(&app.post(&world.admin, &path, &json!({"name": "checkout"})).await.expect(201));
        let now = Timestamp::now().0;
        let row = |count: i64, created_at: i64| EvaluationCount {
            environment_id: world.environment, feature_name: "checkout".to_owned(), evaluation_count: count,
            identity_identifier: None, enabled_when_evaluated: None, created_at,
        };
        let mut tx = app.app.db().begin().await.expect("a transaction");
        analytics::insert_evaluations(&mut tx, &[row(3, now - 3 * DAY), row(4, now)]).await.expect("rows");
        tx.commit().await.expect("commits");
        let path = format!("{path}{feature}/evaluation-data/?environment_id={}", world.environment);
        let before = app.get(&world.admin, &path).await.expect(200);
        assert_eq!((&before[0]["count"], &before[1]["count"]), (&json!(3), &json!(4)));
        usage::add_up(&app.app, Timestamp::now()).await.expect("sums");
        assert_eq!(app.get(&world.admin, &path).await.expect(200), before);
    }

    async fn administrators_are_told_at_each_share_of_the_limit_once(app) {
        let mailbox = Mailbox::start().await;
        let mut settings = Settings { api_calls_limit: Some(100), ..Settings::default() };
        settings.outbound.mail = Some(mailbox.settings());
        let app = app.node_with(settings).await;
        let world = app.world().await;
        let path = of(&world, "api-usage-notification/");
        for (calls, told) in [(70, vec![]), (10, vec![75]), (5, vec![75]), (7, vec![90, 75]), (200, vec![100, 90, 75])] {
            count(&app, world.environment, &[(1, calls, Timestamp::now().0)]).await;
            usage::warn(&app.app).await.expect("warnings");
            let listed = app.get(&world.member, &path).await.expect(200);
            let percent: Vec<i64> = listed["results"].as_array().expect("a list").iter().filter_map(|told| told["percent_usage"].as_i64()).collect();
            assert_eq!(percent, told);
        }
        let listed = app.get(&world.admin, &path).await.expect(200);
        let keys: Vec<&String> = listed["results"][0].as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["organisation_id", "percent_usage", "notified_at"]);
        mail::deliver(&app.app).await.expect("mail");
        let mails = mailbox.received();
        assert_eq!(mails.len(), 3);
        assert!(mails.iter().all(|mail| mail.to == "admin@example.com"));
        // They are sent beside each other.
        assert!(mails.iter().any(|mail| mail.header("subject") == Some("Acme: 75 % of its API calls")));
        let answer = app.get(&world.stranger, &path).await;
        assert!([403, 404].contains(&answer.status.as_u16()));
    }

    async fn telemetry_is_sent_where_it_is_to_be_and_nowhere_else(app) {
        let receiver = Receiver::start().await;
        let world = app.world().await;
        telemetry::send(&app.app).await.expect("nothing to do");
        let mut settings = Settings::default();
        settings.telemetry.url = Some(format!("{}/t", receiver.url));
        "staging".clone_into(&mut settings.telemetry.environment);
        let told = app.node_with(settings).await;
        telemetry::send(&told.app).await.expect("an answer");
        let received = receiver.take("/t");
        assert_eq!(received.len(), 1);
        let report = received[0].json();
        assert_eq!(report, json!({
            "organisations": 2, "projects": 1, "environments": 1, "features": 0, "segments": 0, "users": 3,
            "debug_enabled": false, "env": "staging",
        }));
        let path = "/api/v1/analytics/telemetry/";
        assert_eq!(app.call(Method::POST, path, &[], Some(&report)).await.expect(201), report);
        let refused = app.call(Method::POST, path, &[], Some(&json!({}))).await.expect(400);
        assert_eq!(refused["debug_enabled"], json!(["This field is required."]));
        let mut huge = report.clone();
        huge["env"] = json!("x".repeat(300));
        app.by(&world.admin, Method::POST, path, Some(&huge)).await.expect(400);
    }
}

//! Versions, schedules and change requests come along: history can be read, and what waits happens as it would have there.

use axum::http::Method;
use burgee_model::Timestamp;
use burgee_testkit::{TestApp, both, flag};
use serde_json::{Value, json};

use super::{flagsmith, import, there};

const ADA: &str = "0123456789abcdef0123456789abcdef01234567";
const CAROL: &str = "89abcdef0123456789abcdef0123456789abcdef";
const V1: &str = "VersionOneKey23456789";
const V2: &str = "NumericHashingKey2345";

/// A version of the fixture.
fn version(number: u32) -> String {
    format!("00000000-0000-4000-8000-000000000{number}")
}

fn at(feature: i64, rest: &str) -> String {
    format!("/api/v1/environments/7/features/{feature}/versions/{rest}")
}

async fn ada(app: &TestApp, method: Method, path: &str, body: Option<&Value>, status: u16) -> Value {
    app.manage(ADA, method, path, body).await.expect(status)
}

async fn served(app: &TestApp, key: &str, identifier: &str, name: &str) -> (Value, Value) {
    let path = format!(
        "/api/v1/identities/?identifier={}",
        identifier.replace(' ', "%20")
    );
    let answer = app
        .call(Method::GET, &path, &[("x-environment-key", key)], None)
        .await
        .expect(200);
    let flag = flag(&answer["flags"], name).unwrap();
    (flag["enabled"].clone(), flag["feature_state_value"].clone())
}

/// The flags of those whose buckets are known.
async fn buckets(app: &TestApp) -> Vec<(Value, Value)> {
    let mut all = Vec::new();
    for identifier in ["at 27.66", "at 53.89", "at 75.63", "at 96.56"] {
        all.push(served(app, V2, identifier, "checkout").await);
    }
    all
}

async fn detail(app: &TestApp, id: i64) -> Value {
    ada(
        app,
        Method::GET,
        &format!("/api/v1/features/workflows/change-requests/{id}/"),
        None,
        200,
    )
    .await
}

both! {
    async fn versions_are_listed_compared_and_read(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        assert_eq!(report.counts["feature versions"].created, 5);
        let list = ada(&app, Method::GET, &at(50, ""), None, 200).await;
        let short: Vec<Value> = (list["results"].as_array().unwrap().iter())
            .map(|v| json!([v["uuid"], v["description"], v["published"], v["is_live"], v["created_by"], v["published_by"], v["live_from"]]))
            .collect();
        assert_eq!(short, [
            json!([version(904), "draft", false, false, 2, null, null]),
            json!([version(903), "later", true, false, 2, 2, "2999-01-01T00:00:00Z"]),
            json!([version(902), "live", true, true, 2, 2, "2025-01-03T03:04:05Z"]),
            json!([version(901), "first", true, true, 2, 2, "2025-01-02T03:04:05Z"]),
        ]);
        let states = ada(&app, Method::GET, &at(50, &format!("{}/featurestates/", version(901))), None, 200).await;
        assert_eq!(states[0]["id"], 300);
        assert_eq!(states[0]["feature_state_value"]["string_value"], "first");
        assert_eq!(states[0]["multivariate_feature_state_values"][0]["percentage_allocation"], 100.0);
        assert_eq!((&states[1]["id"], &states[1]["feature_segment"]["segment"]), (&json!(301), &json!(78986)));
        let state = ada(&app, Method::GET, "/api/v1/environments/NumericHashingKey2345/featurestates/302/", None, 200).await;
        assert_eq!(state["environment_feature_version"], version(902));
        let one = ada(&app, Method::GET, &format!("/api/v1/environment-feature-versions/{}/", version(902)), None, 200).await;
        assert_eq!(one["previous_version_uuid"], version(901));
        let compared = ada(&app, Method::GET, &at(50, &format!("{}/compare/", version(902))), None, 200).await;
        assert_eq!(compared["from"]["uuid"], version(901));
        let changes = compared["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!((&changes[1]["segment"]["id"], &changes[1]["after"]), (&json!(78986), &Value::Null));
    }

    async fn a_draft_is_published_and_an_old_version_brought_back_without_anybody_changing_bucket(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let before = buckets(&app).await;
        let publish = at(50, &format!("{}/publish/", version(904)));
        ada(&app, Method::POST, &publish, Some(&json!({})), 200).await;
        // The draft is off and has another control value; the options and their shares are the same.
        let after = buckets(&app).await;
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(after.0, json!(false));
            if before.1 == "control" {
                assert_eq!(after.1, "drafted");
            } else {
                assert_eq!(after.1, before.1);
            }
        }
        let state = ada(&app, Method::GET, "/api/v1/environments/NumericHashingKey2345/featurestates/304/", None, 200).await;
        assert_eq!(state["environment_feature_version"], version(904));
        let restore = at(50, &format!("{}/restore/", version(902)));
        ada(&app, Method::POST, &restore, Some(&json!({"publish_immediately": true})), 201).await;
        assert_eq!(buckets(&app).await, before);
        let new = json!({"publish_immediately": true, "feature_states_to_update": [
            {"feature_segment": null, "enabled": false, "feature_state_value": {"type": "unicode", "string_value": "new"}}]});
        ada(&app, Method::POST, &at(51, ""), Some(&new), 201).await;
        assert_eq!(served(&app, V2, "at 27.66", "banner").await, (json!(false), json!("new")));
    }

    async fn what_is_scheduled_happens_at_its_time(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        assert_eq!(report.counts["scheduled changes"].created, 3);
        assert!(report.notes.iter().any(|note| note.text.contains("state 332")), "{}", report.to_text());
        let list = ada(&app, Method::GET, &format!("/api/v1/environments/{V1}/scheduled-changes/"), None, 200).await;
        let waiting = &list["results"].as_array().unwrap_or_else(|| list.as_array().unwrap())[0];
        assert_eq!((&waiting["feature"], &waiting["live_from"]), (&json!(50), &json!("2999-01-01T00:00:00Z")));
        assert_eq!(waiting["change_request"], 505);
        burgee_app::scheduled_changes::go_live(&app.app, Timestamp::parse("2998-06-01T00:00:00Z").unwrap()).await.unwrap();
        assert_eq!(served(&app, V2, "at 27.66", "banner").await, (json!(false), json!(8)));
        assert_eq!(served(&app, V1, "somebody", "checkout").await, (json!(true), json!("two")));
        burgee_app::scheduled_changes::go_live(&app.app, Timestamp::parse("2999-06-01T00:00:00Z").unwrap()).await.unwrap();
        assert_eq!(served(&app, V1, "somebody", "checkout").await, (json!(false), json!("three")));
        // Still nobody has another bucket.
        let values: Vec<Value> = buckets(&app).await.into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [json!("blue"), json!(7), json!(7), json!("later")]);
        let list = ada(&app, Method::GET, &at(50, "?is_live=true"), None, 200).await;
        assert_eq!(list["count"], 3);
    }

    async fn change_requests_come_with_reviewers_and_approvals_that_count(app) {
        let Some(url) = flagsmith().await else { return };
        there(&url, "UPDATE environments_environment SET minimum_change_request_approvals = 1 WHERE id IN (7, 8)").await;
        let report = import(&app, &url).await;
        assert_eq!(report.counts["change requests"].created, 6);
        let list = ada(&app, Method::GET, &format!("/api/v1/environments/{V1}/list-change-requests/"), None, 200).await;
        let titles: Vec<&Value> = list["results"].as_array().unwrap().iter().map(|request| &request["title"]).collect();
        assert_eq!(titles, ["Welcome less", "Three at last", "Written too early"]);
        let request = detail(&app, 500).await;
        assert_eq!((&request["user"], &request["description"]), (&json!(3), &json!("It is too loud")));
        assert_eq!((&request["is_approved"], &request["is_committed"]), (&json!(true), &json!(false)));
        assert_eq!(request["approvals"], json!([{"id": 510, "user": 4, "approved_at": "2025-02-01T04:04:05Z"}]));
        assert_eq!(request["group_assignments"], json!([{"group": 9}]));
        assert_eq!(request["conflicts"], json!([]));
        let state = &request["feature_states"][0];
        assert_eq!((&state["feature"], &state["enabled"]), (&json!(51), &json!(false)));
        assert_eq!(state["feature_state_value"]["string_value"], "less");
        let commit = "/api/v1/features/workflows/change-requests/500/commit/";
        ada(&app, Method::POST, commit, None, 200).await;
        assert_eq!(served(&app, V1, "somebody", "banner").await, (json!(false), json!("less")));
    }

    async fn a_request_in_an_environment_with_versions_is_approved_and_committed(app) {
        let Some(url) = flagsmith().await else { return };
        there(&url, "UPDATE environments_environment SET minimum_change_request_approvals = 1 WHERE id IN (7, 8)").await;
        import(&app, &url).await;
        let request = detail(&app, 501).await;
        assert_eq!(request["environment_feature_versions"][0]["uuid"], version(904));
        assert_eq!(request["change_sets"][0]["segment_ids_to_delete_overrides"], json!([78986]));
        assert_eq!((&request["is_approved"], &request["conflicts"]), (&json!(false), &json!([])));
        let path = "/api/v1/features/workflows/change-requests/501";
        app.manage(ADA, Method::POST, &format!("{path}/commit/"), None).await.expect(400);
        app.manage(CAROL, Method::POST, &format!("{path}/approve/"), None).await.expect(200);
        ada(&app, Method::POST, &format!("{path}/commit/"), None, 200).await;
        assert_eq!(served(&app, V2, "at 49.28", "banner").await, (json!(true), json!("from a set")));
        assert_eq!(served(&app, V2, "at 96.56", "checkout").await, (json!(false), json!("drafted")));
    }

    async fn what_was_overtaken_there_is_a_conflict_here(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let conflicts = detail(&app, 506).await["conflicts"].clone();
        assert_eq!(conflicts[0]["is_environment_default"], true);
        let path = "/api/v1/features/workflows/change-requests/506/commit/";
        ada(&app, Method::POST, path, None, 400).await;
    }

    async fn a_request_about_segments_is_committed(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        assert_eq!(served(&app, V2, "at 49.28", "banner").await.1, "for half of you");
        let path = "/api/v1/projects/5/change-requests/503/";
        let request = ada(&app, Method::GET, path, None, 200).await;
        assert_eq!(request["segments"][0]["version_of"], 78986);
        assert_eq!(request["conflicts"], json!([]));
        ada(&app, Method::POST, &format!("{path}commit/"), None, 200).await;
        let segment = ada(&app, Method::GET, "/api/v1/projects/5/segments/78986/", None, 200).await;
        assert_eq!(segment["description"], "A quarter");
        assert_eq!(served(&app, V2, "at 49.28", "banner").await.1, "welcome");
    }

    async fn a_version_published_here_in_between_makes_room_for_what_is_served_there(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let before = buckets(&app).await;
        for value in ["tried", "and again"] {
            let new = json!({"publish_immediately": true, "feature_states_to_update": [
                {"feature_segment": null, "enabled": false, "feature_state_value": {"type": "unicode", "string_value": value}}]});
            ada(&app, Method::POST, &at(50, ""), Some(&new), 201).await;
            ada(&app, Method::POST, &at(51, ""), Some(&new), 201).await;
        }
        ada(&app, Method::POST, &at(50, &format!("{}/publish/", version(904))), Some(&json!({})), 200).await;
        import(&app, &url).await;
        assert_eq!(buckets(&app).await, before);
        assert_eq!(served(&app, V2, "at 49.28", "banner").await.1, "for half of you");
        let list = ada(&app, Method::GET, &at(50, ""), None, 200).await;
        assert_eq!(list["count"], 4);
        assert!(!import(&app, &url).await.changed_anything());
    }

    async fn a_second_run_takes_new_versions_and_what_went_live_there(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        there(&url, "
            UPDATE feature_versioning_environmentfeatureversion SET live_from = now() - interval '1 hour' WHERE uuid = '00000000-0000-4000-8000-000000000903';
            UPDATE features_featurestate SET live_from = now() - interval '1 hour' WHERE id IN (303, 312);
            UPDATE workflows_core_changerequest SET title = 'Renamed' WHERE id = 500;
            INSERT INTO feature_versioning_environmentfeatureversion (uuid, created_at, updated_at, environment_id, feature_id, created_by_id)
                VALUES ('00000000-0000-4000-8000-000000000906', now(), now(), 7, 51, 2);
            INSERT INTO features_featurestate (id, enabled, environment_id, feature_id, created_at, updated_at, uuid, environment_feature_version_id)
                VALUES (340, FALSE, 7, 51, now(), now(), '00000000-0000-4000-8000-000000002340', '00000000-0000-4000-8000-000000000906');
        ").await;
        let report = import(&app, &url).await;
        assert_eq!((report.counts["feature versions"].created, report.counts["scheduled changes"].removed), (1, 2), "{}", report.to_text());
        assert_eq!(served(&app, V1, "somebody", "checkout").await, (json!(false), json!("three")));
        assert_eq!(served(&app, V2, "at 96.56", "checkout").await, (json!(false), json!("later")));
        assert_eq!(detail(&app, 500).await["title"], "Renamed");
        let states = ada(&app, Method::GET, &at(51, &format!("{}/featurestates/", version(906))), None, 200).await;
        assert_eq!(states[0]["id"], 340);
        assert!(!import(&app, &url).await.changed_anything());
    }

    async fn beside_what_is_there_a_history_gets_ids_of_its_own(app) {
        let Some(url) = flagsmith().await else { return };
        let world = app.world().await;
        let report = import(&app, &url).await;
        assert!(!report.ids_kept);
        assert!(!import(&app, &url).await.changed_anything());
        app.get(&world.admin, &format!("/api/v1/projects/{}/features/", world.project)).await.expect(200);
        let path = format!("/api/v1/environment-feature-versions/{}/", version(904));
        let draft = ada(&app, Method::GET, &path, None, 200).await;
        let at = format!("/api/v1/environments/{}/features/{}/versions/{}/publish/", draft["environment"], draft["feature"], version(904));
        ada(&app, Method::POST, &at, Some(&json!({})), 200).await;
        assert_eq!(served(&app, V2, "at 96.56", "checkout").await, (json!(false), json!("drafted")));
    }
}

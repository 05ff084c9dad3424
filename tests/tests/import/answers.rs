//! After an import SDKs are answered as before.

use axum::http::Method;
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

use super::{flagsmith, import};

const SERVER: &str = "ser.4bZidi6DLb5gmTMrQHWuQP";

fn recorded() -> Value {
    serde_json::from_str(include_str!("../../fixtures/flagsmith/answers.json")).unwrap()
}

async fn sdk(app: &TestApp, key: &str, method: Method, path: &str, body: Option<&Value>) -> Value {
    app.call(method, path, &[("x-environment-key", key)], body)
        .await
        .expect(200)
}

/// A flag in the short form of the recording.
fn short(flag: &Value) -> Value {
    json!([
        flag["id"],
        flag["feature"]["name"],
        flag["enabled"],
        flag["feature_state_value"],
        flag["variant"],
        flag["identity"],
        flag["feature_segment"],
    ])
}

async fn flag_of(app: &TestApp, key: &str, identifier: &str, name: &str) -> (Value, Value, Value) {
    let path = format!(
        "/api/v1/identities/?identifier={}",
        identifier.replace(' ', "%20")
    );
    let answer = sdk(app, key, Method::GET, &path, None).await;
    let flag = burgee_testkit::flag(&answer["flags"], name).unwrap();
    (
        flag["enabled"].clone(),
        flag["feature_state_value"].clone(),
        flag["variant"].clone(),
    )
}

both! {
    async fn recorded_answers_of_flagsmith_are_given_word_for_word(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        assert!(report.ids_kept);
        assert!(report.checks.identities_compared >= 9, "{}", report.to_text());
        let recorded = recorded();
        for exchange in recorded["exchanges"].as_array().unwrap() {
            let method = if exchange["method"] == "GET" { Method::GET } else { Method::POST };
            let body = Some(&exchange["body"]).filter(|body| !body.is_null());
            let key = exchange["key"].as_str().unwrap();
            let answer = sdk(&app, key, method, exchange["path"].as_str().unwrap(), body).await;
            let got: Vec<Value> = answer["flags"].as_array().unwrap().iter().map(short).collect();
            let list = usize::try_from(exchange["flags"].as_u64().unwrap()).unwrap();
            let wanted = &recorded["flags"][list];
            for (got, wanted) in got.iter().zip(wanted.as_array().unwrap()) {
                assert_eq!(got, wanted, "{}", exchange["name"]);
            }
            assert_eq!(got.len(), wanted.as_array().unwrap().len(), "{}", exchange["name"]);
        }
    }

    async fn the_environment_document_is_the_recorded_one(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let mut wanted = recorded()["document"].clone();
        let mut got = sdk(&app, SERVER, Method::GET, "/api/v1/environment-document/", None).await;
        for document in [&mut wanted, &mut got] {
            document["updated_at"] = Value::Null;
            for identity in document["identity_overrides"].as_array_mut().unwrap() {
                identity["identity_uuid"] = Value::Null;
                // An override that gives everything to one option carries its value here; see docs/compatibility.md.
                for state in identity["identity_features"].as_array_mut().unwrap() {
                    if state["multivariate_feature_state_values"] != json!([]) {
                        state["feature_state_value"] = Value::Null;
                    }
                }
            }
        }
        for document in [&mut wanted, &mut got] {
            for segment in document["project"]["segments"].as_array_mut().unwrap() {
                let states = segment["feature_states"].as_array_mut().unwrap();
                // Of two overrides of one feature for one segment only the stronger one is taken; of two with the same
                // priority, as this feature has them, the one that won has the lower one now.
                states.retain(|state| state["django_id"] != 142);
                states.sort_by_key(|state| state["django_id"].as_i64());
                for state in states.iter_mut().filter(|state| state["feature"]["name"] == "seg_flag") {
                    state["feature_segment"] = Value::Null;
                }
            }
        }
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&got[name], value, "{name}");
        }
    }

    async fn buckets_of_numeric_ids_and_of_seeds_are_the_known_ones(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        assert_buckets(&app).await;
    }

    async fn beside_what_is_there_rows_get_new_ids_and_nobody_changes_bucket(app) {
        let Some(url) = flagsmith().await else { return };
        let world = app.world().await;
        let report = import(&app, &url).await;
        assert!(!report.ids_kept);
        assert_buckets(&app).await;
        let features = app
            .get(&world.admin, &format!("/api/v1/projects/{}/features/", world.project))
            .await
            .expect(200);
        assert_eq!(features["count"], 0);
        // Local evaluation splits by what the document calls the segment's id.
        let document = sdk(&app, "ser.NumericHashingServer", Method::GET, "/api/v1/environment-document/", None).await;
        let segments = document["project"]["segments"].as_array().unwrap();
        assert!(segments.iter().any(|segment| segment["name"] == "half" && segment["id"] == 78986));
        let checkout = &document["feature_states"].as_array().unwrap()[0];
        assert_eq!((&checkout["feature"]["name"], &checkout["django_id"]), (&json!("checkout"), &json!(12)));
        assert!(import(&app, &url).await.counts.values().all(|count| count.created + count.updated == 0));
    }

    async fn of_versions_the_live_one_is_taken(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        let by_version = flag_of(&app, "VersionOneKey23456789", "somebody", "checkout").await;
        assert_eq!(by_version, (json!(true), json!("two"), json!("control")));
        let dutch = flag_of(&app, "VersionOneKey23456789", "dutch", "checkout").await;
        assert_eq!(dutch, (json!(true), json!("lowlands"), json!("control")));
        // Of the segment override of an earlier version nothing is left.
        let at_half = flag_of(&app, "NumericHashingKey2345", "at 49.28", "checkout").await;
        assert_ne!(at_half.1, json!("was overridden"));
        assert_eq!(report.no_place["lines of the audit log (see --audit)"], 2);
    }

    async fn overrides_and_traits_of_identities_come_along(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let key = "VersionOneKey23456789";
        let checkout = flag_of(&app, key, "overridden", "checkout").await;
        assert_eq!(checkout, (json!(true), json!(7), Value::Null));
        let banner = flag_of(&app, key, "overridden", "banner").await;
        assert_eq!(banner.0, json!(false));
        let dutch = sdk(&app, key, Method::GET, "/api/v1/identities/?identifier=dutch", None).await;
        let traits: Vec<(&Value, &Value)> = dutch["traits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (&one["trait_key"], &one["trait_value"]))
            .collect();
        assert_eq!(traits, [(&json!("country"), &json!("NL")), (&json!("age"), &json!(-5))]);
        let system = sdk(&app, key, Method::GET, "/api/v1/identities/?identifier=overridden", None).await;
        assert_eq!(system["traits"][0]["trait_value"], "beta");
    }

    async fn what_is_deleted_odd_or_twice_there_is_left_out_or_told(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        for (noun, found) in [("projects", 3), ("environments", 3), ("segments", 29), ("identities", 9)] {
            assert_eq!(report.counts[noun].found, found, "{noun}: {}", report.to_text());
        }
        let refused = app
            .call(
                Method::GET,
                "/api/v1/flags/",
                &[("x-environment-key", "DeletedKey23456789ABC")],
                None,
            )
            .await;
        assert_eq!(refused.status.as_u16(), 403);
        let told = |noun: &str, part: &str| {
            let has = report.notes.iter().any(|note| note.noun == noun && note.text.contains(part));
            assert!(has, "no note on {noun} with {part}: {}", report.to_text());
        };
        told("projects", "\"Mobile (2)\"");
        told("environments", "\"Production (2)\"");
        told("features", "in other letters");
        told("segments", "SOUNDS_LIKE");
        told("segments", "pattern");
        assert_eq!(report.counts["features"].not_taken, 1);
    }

    async fn the_first_object_made_afterwards_gets_an_id_beyond_all_others(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let token = "0123456789abcdef0123456789abcdef01234567";
        for (path, body, beyond) in [
            ("/api/v1/projects/5/features/", json!({"name": "new", "metadata": [{"model_field": 31, "field_value": "https://example.com/T-2"}]}), 52),
            ("/api/v1/environments/", json!({"name": "new", "project": 5}), 8),
            ("/api/v1/projects/", json!({"name": "new", "organisation": 2}), 8),
            ("/api/v1/environments/VersionOneKey23456789/identities/", json!({"identifier": "new"}), 32_103_815),
            (
                "/api/v1/projects/5/segments/",
                json!({"name": "new", "project": 5, "rules": [{"type": "ALL", "conditions": [],
                    "rules": [{"type": "ANY", "rules": [],
                        "conditions": [{"property": "a", "operator": "IS_SET", "value": ""}]}]}]}),
                78990,
            ),
        ] {
            let answer = app.manage(token, Method::POST, path, Some(&body)).await.expect(201);
            assert!(answer["id"].as_i64().unwrap() > beyond, "{path}: {answer}");
        }
        let states = app
            .manage(token, Method::GET, "/api/v1/environments/VersionOneKey23456789/featurestates/", None)
            .await
            .expect(200);
        let states = states["results"].as_array().unwrap();
        assert!(states.iter().all(|state| state["id"].as_i64().unwrap() > 310), "{states:?}");
    }
}

/// The positions are those of the published hash of `12,93` and so on: 27.66, 53.89, 75.63, 96.56 of 100, where option
/// `a` has the first 50 and the next one 40; and 49.28 for segment 78986, which takes the first 49.3.
async fn assert_buckets(app: &TestApp) {
    let key = "NumericHashingKey2345";
    for (identifier, value, variant) in [
        ("at 27.66", json!("blue"), json!("a")),
        ("at 53.89", json!(7), Value::Null),
        ("at 75.63", json!(7), Value::Null),
        ("at 96.56", json!("control"), json!("control")),
    ] {
        let flag = flag_of(app, key, identifier, "checkout").await;
        assert_eq!(flag, (json!(true), value, variant), "{identifier}");
    }
    assert_eq!(
        flag_of(app, key, "at 49.28", "banner").await.1,
        json!("for half of you")
    );
}

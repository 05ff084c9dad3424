//! What environments, segments and identities do with the feature states that hang on them.

use burgee_model::FlagValue;
use burgee_store::feature_segments::{self, FeatureSegment};
use burgee_store::feature_states::{self, FeatureState};
use burgee_store::features::{self, Feature};
use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::json;

/// What the tests below begin with: a feature that is on, and overridden for a segment and an identity.
struct Overridden {
    feature: i64,
    segment: i64,
    identity: i64,
    /// The states in the first environment: for the segment, for the identity.
    states: [i64; 2],
    key: String,
    environment: i64,
}

fn state(feature_id: i64, environment_id: i64, text: &str) -> FeatureState {
    FeatureState {
        id: 0,
        uuid: format!("{feature_id}-{environment_id}-{text}"),
        feature_id,
        environment_id,
        identity_id: None,
        feature_segment_id: None,
        enabled: true,
        r#type: "unicode".to_owned(),
        string_value: Some(text.to_owned()),
        integer_value: None,
        boolean_value: None,
        hash_seed: None,
        version: 1,
        live_from: 0,
        created_at: 0,
        updated_at: 0,
        version_uuid: None,
        change_request_id: None,
    }
}

async fn overridden(app: &TestApp, world: &World) -> Overridden {
    let feature = Feature {
        id: 0,
        uuid: "a-feature".to_owned(),
        project_id: world.project,
        name: "flag".to_owned(),
        name_key: "flag".to_owned(),
        r#type: "STANDARD".to_owned(),
        default_enabled: true,
        initial_value: Some("12".to_owned()),
        description: None,
        is_archived: false,
        is_server_key_only: false,
        created_at: 0,
    };
    let mut tx = app.app.db().begin().await.unwrap();
    let feature = features::insert(&mut tx, &feature).await.unwrap();
    tx.commit().await.unwrap();
    // Made after the feature, so that it gets its default.
    let (environment, key) = app.environment(&world.admin, world.project, "With flags").await;
    let body = json!({"name": "s", "rules": [{"type": "ALL", "conditions": [{"property": "a", "operator": "IS_SET"}]}]});
    let segments = format!("/api/v1/projects/{}/segments/", world.project);
    let segment = id(&app.post(&world.admin, &segments, &body).await.expect(201));
    let identities = format!("/api/v1/environments/{key}/identities/");
    let identity = app
        .post(&world.admin, &identities, &json!({"identifier": "alice"}))
        .await;
    let identity = id(&identity.expect(201));
    let mut tx = app.app.db().begin().await.unwrap();
    let link = FeatureSegment {
        id: 0,
        uuid: "a-link".to_owned(),
        feature_id: feature,
        segment_id: segment,
        environment_id: environment,
        priority: 0,
    };
    let link = feature_segments::insert(&mut tx, &link).await.unwrap();
    let for_segment = FeatureState {
        feature_segment_id: Some(link),
        ..state(feature, environment, "segment")
    };
    let for_identity = FeatureState {
        identity_id: Some(identity),
        ..state(feature, environment, "identity")
    };
    let states = [
        feature_states::insert(&mut tx, &for_segment).await.unwrap(),
        feature_states::insert(&mut tx, &for_identity).await.unwrap(),
    ];
    tx.commit().await.unwrap();
    Overridden {
        feature,
        segment,
        identity,
        states,
        key,
        environment,
    }
}

async fn states(app: &TestApp, environment: i64) -> Vec<FeatureState> {
    let mut tx = app.app.db().read().await.unwrap();
    feature_states::list(&mut tx, environment).await.unwrap()
}

both! {
    async fn a_new_environment_gets_the_defaults_of_all_features(app) {
        let world = app.world().await;
        let made = overridden(&app, &world).await;
        let states = states(&app, made.environment).await;
        assert!(states[0].enabled);
        assert_eq!(states[0].value(), FlagValue::Int(12));
        let path = format!("/api/v1/environments/{}/", made.key);
        let metrics = app.get(&world.admin, &format!("{path}metrics/")).await.expect(200);
        let values: Vec<_> = metrics["metrics"].as_array().unwrap().iter().map(|m| m["value"].clone()).collect();
        assert_eq!(values, [1, 1, 1, 1]);
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["total_segment_overrides"], 1);
    }

    async fn a_copied_environment_has_defaults_and_segment_overrides_in_the_same_buckets(app) {
        let world = app.world().await;
        let made = overridden(&app, &world).await;
        let clone = format!("/api/v1/environments/{}/clone/", made.key);
        let copy = id(&app.post(&world.admin, &clone, &json!({"name": "Copy"})).await.expect(200));
        let (from, to) = (states(&app, made.environment).await, states(&app, copy).await);
        assert_eq!(to.len(), 2, "the override of the identity stays behind");
        for (from, to) in from.iter().zip(&to) {
            assert_eq!((from.value(), from.hash_seed()), (to.value(), to.hash_seed()));
            assert_ne!(from.uuid, to.uuid);
        }
        assert!(to[1].feature_segment_id.is_some() && to[1].feature_segment_id != from[1].feature_segment_id);
    }

    async fn the_features_a_segment_overrides_are_listed_by_environment(app) {
        let world = app.world().await;
        let made = overridden(&app, &world).await;
        let path = format!("/api/v1/projects/{}/segments/{}/associated-features/", world.project, made.segment);
        let row = json!({"id": made.states[0], "feature": made.feature, "environment": made.environment});
        for query in [String::new(), format!("?environment={}", made.environment)] {
            let list = app.get(&world.admin, &format!("{path}{query}")).await.expect(200);
            assert_eq!((&list["count"], &list["results"]), (&json!(1), &json!([row])));
        }
        let elsewhere = format!("{path}?environment={}", world.environment);
        assert_eq!(app.get(&world.admin, &elsewhere).await.expect(200)["count"], 0);
    }

    async fn a_segment_that_overrides_other_features_is_not_narrowed_to_one(app) {
        let world = app.world().await;
        let made = overridden(&app, &world).await;
        let path = format!("/api/v1/projects/{}/segments/{}/", world.project, made.segment);
        let kept = app.patch(&world.admin, &path, &json!({"feature": made.feature})).await.expect(200);
        assert_eq!(kept["feature"], made.feature);
        let list = format!("/api/v1/projects/{}/segments/?include_feature_specific=false", world.project);
        assert_eq!(app.get(&world.admin, &list).await.expect(200)["count"], 0);
        // A feature of another project is as good as none.
        let other = app.project(&world.admin, world.organisation, "Other").await;
        let rules = json!([{"type": "ALL", "conditions": []}]);
        let body = json!({"name": "x", "feature": made.feature, "rules": rules});
        app.post(&world.admin, &format!("/api/v1/projects/{other}/segments/"), &body).await.expect(400);
    }

    async fn deleting_takes_the_overrides_along_and_says_that_answers_change(app) {
        let world = app.world().await;
        let made = overridden(&app, &world).await;
        let identity = format!("/api/v1/environments/{}/identities/{}/", made.key, made.identity);
        app.put(&world.admin, &identity, &json!({"identifier": "eve"})).await.expect(200);
        app.delete(&world.admin, &identity).await.expect(204);
        let log = app.log("IDENTITY").await;
        assert!(log.iter().map(|c| c.serves).eq([false, true, true]));
        assert_eq!(states(&app, made.environment).await.len(), 2);
        let segment = format!("/api/v1/projects/{}/segments/{}/", world.project, made.segment);
        app.delete(&world.admin, &segment).await.expect(204);
        assert_eq!(states(&app, made.environment).await.len(), 1);
        app.delete(&world.admin, &format!("/api/v1/environments/{}/", made.key)).await.expect(204);
        assert_eq!(states(&app, made.environment).await, []);
    }
}

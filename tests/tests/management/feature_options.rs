//! `/api/v1/projects/{id}/features/{id}/mv-options/`

use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

/// A new feature; its address and its id.
async fn feature(app: &TestApp, world: &World, name: &str) -> (String, i64) {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    let made = app
        .post(
            &world.admin,
            &path,
            &json!({"name": name, "initial_value": "control"}),
        )
        .await
        .expect(201);
    (format!("{path}{}/", id(&made)), id(&made))
}

/// The allocations of the only environment default.
async fn shares(app: &TestApp, world: &World, feature: i64) -> Vec<f64> {
    let path = format!(
        "/api/v1/environments/{}/featurestates/?feature={feature}",
        world.key
    );
    let answer = app.get(&world.admin, &path).await.expect(200);
    let rows = answer["results"][0]["multivariate_feature_state_values"]
        .as_array()
        .expect("a list")
        .clone();
    rows.iter()
        .map(|row| row["percentage_allocation"].as_f64().expect("a number"))
        .collect()
}

fn option(feature: i64, value: &str, percentage: i64) -> Value {
    json!({"feature": feature, "string_value": value, "default_percentage_allocation": percentage})
}

both! {
    async fn options_make_a_feature_multivariate_and_its_last_one_takes_that_with_it(app) {
        let world = app.world().await;
        let (path, feature) = feature(&app, &world, "a").await;
        let options = format!("{path}mv-options/");
        let made = app.post(&world.admin, &options, &option(feature, "x", 30)).await.expect(201);
        assert_eq!(made["default_percentage_allocation"], 30.0);
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["type"], "MULTIVARIATE");
        assert_eq!(shares(&app, &world, feature).await, [30.0]);
        app.delete(&world.admin, &format!("{options}{}/", id(&made))).await.expect(204);
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["type"], "STANDARD");
        assert!(shares(&app, &world, feature).await.is_empty());
    }

    async fn a_new_option_takes_no_more_than_a_state_has_left(app) {
        let world = app.world().await;
        let (path, feature) = feature(&app, &world, "a").await;
        let options = format!("{path}mv-options/");
        let first = app.post(&world.admin, &options, &option(feature, "x", 50)).await.expect(201);
        let states = format!("/api/v1/environments/{}/featurestates/", world.key);
        let state = app.get(&world.admin, &states).await.expect(200)["results"][0].clone();
        let body = json!({"multivariate_feature_state_values": [{"multivariate_feature_option": id(&first), "percentage_allocation": 90}]});
        app.put(&world.admin, &format!("{states}{}/", id(&state)), &body).await.expect(200);
        app.post(&world.admin, &options, &option(feature, "y", 50)).await.expect(201);
        assert_eq!(shares(&app, &world, feature).await, [90.0, 10.0]);
    }

    async fn options_obey_the_rules_of_percentages_and_keys(app) {
        let world = app.world().await;
        let (path, feature) = feature(&app, &world, "a").await;
        let options = format!("{path}mv-options/");
        let mut first = option(feature, "x", 60);
        first["key"] = json!("c");
        let made = app.post(&world.admin, &options, &first).await.expect(201);
        let with_key = |key: &str| {
            let mut body = option(feature, "z", 1);
            body["key"] = json!(key);
            body
        };
        let cases = [
            (json!({}), json!({"feature": ["This field is required."]})),
            (option(feature, "y", 50), json!({"default_percentage_allocation": ["Invalid percentage allocation"]})),
            (option(feature, "y", -5), json!({"default_percentage_allocation": ["Ensure this value is greater than or equal to 0."]})),
            (with_key("c"), json!({"key": ["Multivariate option with this key already exists for the feature."]})),
            (with_key("control"), json!({"key": ["\"control\" is a reserved variant key."]})),
            (option(9999, "y", 5), json!({"feature": ["Invalid pk \"9999\" - object does not exist."]})),
        ];
        for (body, expected) in cases {
            assert_eq!(app.post(&world.admin, &options, &body).await.expect(400), expected);
        }
        let one = format!("{options}{}/", id(&made));
        let changed = app.put(&world.admin, &one, &option(feature, "x2", 100)).await.expect(200);
        assert_eq!((changed["string_value"].as_str(), changed["key"].as_str()), (Some("x2"), Some("c")));
    }

    async fn an_option_is_unknown_to_strangers_and_under_another_feature(app) {
        let world = app.world().await;
        let (path, first) = feature(&app, &world, "a").await;
        let (other, _) = feature(&app, &world, "b").await;
        let made = app.post(&world.admin, &format!("{path}mv-options/"), &option(first, "x", 30)).await.expect(201);
        app.get(&world.admin, &format!("{other}mv-options/{}/", id(&made))).await.expect(404);
        app.get(&world.stranger, &format!("{path}mv-options/")).await.expect(404);
        app.post(&world.stranger, &format!("{path}mv-options/"), &option(first, "y", 3)).await.expect(403);
        let uuid = format!("/api/v1/multivariate/options/get-by-uuid/{}/", made["uuid"].as_str().expect("text"));
        app.get(&world.stranger, &uuid).await.expect(404);
        app.get(&world.admin, &uuid).await.expect(200);
    }

    async fn options_are_listed_read_and_change_in_parts(app) {
        let world = app.world().await;
        let (path, feature) = feature(&app, &world, "a").await;
        let options = format!("{path}mv-options/");
        let first = app.post(&world.admin, &options, &option(feature, "x", 30)).await.expect(201);
        let second = app.post(&world.admin, &options, &option(feature, "y", 20)).await.expect(201);
        let listed = app.get(&world.admin, &options).await.expect(200);
        assert_eq!((&listed["count"], &listed["results"]), (&json!(2), &json!([first, second])));
        let one = format!("{options}{}/", id(&first));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), first);
        let changed = app.patch(&world.admin, &one, &json!({"feature": feature, "string_value": "x2"})).await.expect(200);
        assert_eq!((&changed["string_value"], &changed["default_percentage_allocation"]), (&json!("x2"), &json!(30.0)));
        let refused = app.patch(&world.admin, &one, &json!({"string_value": "x3"})).await.expect(400);
        assert_eq!(refused, json!({"feature": ["This field is required."]}));
        let much = json!({"feature": feature, "default_percentage_allocation": 90});
        let refused = app.patch(&world.admin, &one, &much).await.expect(400);
        assert_eq!(refused, json!({"default_percentage_allocation": ["Invalid percentage allocation"]}));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), changed);
        for person in [&world.member, &world.stranger] {
            for refused in [app.get(person, &options).await, app.get(person, &one).await,
                            app.patch(person, &one, &json!({"feature": feature, "string_value": "mine"})).await] {
                assert!([403, 404].contains(&refused.status.as_u16()), "{}", refused.text);
            }
        }
    }

}

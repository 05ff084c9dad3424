//! Release pipelines, what others say about features, and whose tokens are taken come along; what is not known is told.

use axum::http::Method;
use burgee_testkit::{TestApp, both, flag};
use serde_json::{Value, json};

use super::{flagsmith, import, there};

const ADA: &str = "0123456789abcdef0123456789abcdef01234567";

async fn get(app: &TestApp, path: &str) -> Value {
    app.manage(ADA, Method::GET, path, None).await.expect(200)
}

both! {
    async fn a_release_pipeline_releases_features_at_once(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let path = "/api/v1/projects/5/release-pipelines/600/";
        let pipeline = get(&app, path).await;
        assert_eq!((&pipeline["name"], &pipeline["published_by"]), (&json!("Slowly"), &json!(2)));
        let stages = pipeline["stages"].as_array().unwrap();
        assert_eq!((&stages[0]["id"], &stages[1]["trigger"]["trigger_body"]), (&json!(610), &json!({"wait_for": "1 00:00:00"})));
        assert_eq!(stages[0]["actions"][0]["action_body"], json!({"enabled": true, "segment_id": 78986}));
        let add = json!({"feature_id": 51});
        app.manage(ADA, Method::POST, &format!("{path}add-feature/"), Some(&add)).await;
        assert_eq!(get(&app, path).await["features"], json!([51]));
    }

    async fn stages_that_changed_places_there_do_so_here(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        there(&url, "
            UPDATE release_pipelines_core_pipelinestage SET \"order\" = 2 WHERE id = 610;
            UPDATE release_pipelines_core_pipelinestage SET \"order\" = 0 WHERE id = 611;
            UPDATE release_pipelines_core_pipelinestage SET \"order\" = 1 WHERE id = 610;
        ").await;
        let report = import(&app, &url).await;
        assert_eq!(report.counts["stages of release pipelines"].updated, 2);
        let stages = get(&app, "/api/v1/projects/5/release-pipelines/600/").await["stages"].clone();
        assert_eq!((&stages[0]["id"], &stages[1]["id"]), (&json!(611), &json!(610)));
        assert!(!import(&app, &url).await.changed_anything());
    }

    async fn what_others_say_about_features_comes_along(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        let providers = get(&app, "/api/v1/projects/5/feature-health/providers/").await;
        assert_eq!(providers[0]["name"], "Webhook");
        assert!(report.notes.iter().any(|note| note.noun == "feature health providers"));
        let events = get(&app, "/api/v1/projects/5/feature-health/events/").await;
        let of_checkout: Vec<&Value> = events.as_array().unwrap().iter().filter(|event| event["feature"] == 50).collect();
        assert_eq!((of_checkout.len(), &of_checkout[0]["type"]), (1, &json!("UNHEALTHY")));
        let references = get(&app, "/api/v1/projects/5/features/50/code-references/").await;
        let places = references[0]["code_references"].as_array().unwrap();
        assert_eq!((places.len(), &places[0]["file_path"], &references[0]["revision"]), (2, &json!("src/a.rs"), &json!("bbb")));
        let resources = get(&app, "/api/v1/projects/5/features/50/feature-external-resources/").await;
        assert_eq!(resources["results"][0]["url"], "https://github.com/acme/app/issues/1");
        assert_eq!(resources["results"][0]["metadata"]["title"], "Checkout");
    }

    async fn whose_tokens_are_taken_comes_along(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let trust = get(&app, "/api/v1/organisations/2/trust-relationships/690/").await;
        assert_eq!((&trust["name"], &trust["master_api_key_prefix"]), (&json!("CI"), &json!("Ab3dEf6h")));
        assert_eq!(trust["claim_rules"], json!([{"claim": "repository", "values": ["acme/app"]}]));
        let mut tx = app.app.db().read().await.unwrap();
        let bob = burgee_store::provider_accounts::user(&mut tx, "google", "1234567890").await.unwrap();
        assert_eq!(bob.unwrap().id, 3);
    }

    async fn how_much_a_project_may_hold_comes_along(app) {
        let Some(url) = flagsmith().await else { return };
        there(&url, "UPDATE projects_project SET max_segments_allowed = 2 WHERE id = 5").await;
        import(&app, &url).await;
        let project = get(&app, "/api/v1/projects/5/").await;
        assert_eq!((&project["max_features_allowed"], &project["max_segments_allowed"]), (&json!(400), &json!(2)));
        // What is there may stay.
        let flags = app.call(Method::GET, "/api/v1/flags/", &[("x-environment-key", "VersionOneKey23456789")], None).await.expect(200);
        assert!(flag(&flags, "checkout").is_some());
    }

    async fn what_is_not_known_or_elsewhere_is_told(app) {
        let Some(url) = flagsmith().await else { return };
        there(&url, "UPDATE projects_project SET enable_dynamo_db = TRUE WHERE id = 8").await;
        let report = import(&app, &url).await;
        assert_eq!(report.no_place["rows of saml_samlconfiguration, which is not known here"], 1);
        let unknown: Vec<&String> = report.no_place.keys().filter(|name| name.contains("not known")).collect();
        assert_eq!(unknown.len(), 1, "{unknown:?}");
        assert!(report.notes.iter().any(|note| note.text.contains("DynamoDB")), "{}", report.to_text());
    }
}

//! Who is told of changes comes along, with the secrets to tell them.

use axum::http::Method;
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

use super::{flagsmith, import, there};

const ADA: &str = "0123456789abcdef0123456789abcdef01234567";

async fn get(app: &TestApp, path: &str) -> Value {
    app.manage(ADA, Method::GET, path, None).await.expect(200)
}

/// The secrets that are kept of an integration.
async fn secrets(app: &TestApp, kind: &str, at: burgee_store::integrations::At) -> Value {
    let mut tx = app.app.db().read().await.unwrap();
    let rows = burgee_store::integrations::list(&mut tx, kind, at).await.unwrap();
    assert!(!rows[0].settings.contains("-key") && !rows[0].secrets.contains("-key"));
    serde_json::from_str(&app.app.sealer().open(&rows[0].secrets).unwrap()).unwrap()
}

both! {
    async fn webhooks_come_with_their_secrets(app) {
        let Some(url) = flagsmith().await else { return };
        let report = import(&app, &url).await;
        let of_environment = get(&app, "/api/v1/environments/NumericHashingKey2345/webhooks/").await;
        let hook = &of_environment[0];
        assert_eq!((&hook["id"], &hook["url"], &hook["enabled"]), (&json!(1), &json!("https://example.com/hook"), &json!(true)));
        assert_eq!(hook["secret"], "secret");
        let of_organisation = get(&app, "/api/v1/organisations/2/webhooks/").await;
        let list = of_organisation["results"].as_array().or(of_organisation.as_array()).unwrap();
        assert_eq!((&list[0]["url"], &list[0]["enabled"]), (&json!("https://example.com/audit"), &json!(false)));
        assert!(report.notes.iter().any(|note| note.text.contains("are told of what changes here")));
    }

    async fn integrations_come_with_their_keys_sealed(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let datadog = get(&app, "/api/v1/projects/5/integrations/datadog/").await;
        assert_eq!((&datadog[0]["base_url"], &datadog[0]["use_custom_source"]), (&json!("https://api.datadoghq.eu"), &json!(true)));
        assert_ne!(datadog[0]["api_key"], "dd-key");
        assert_eq!(secrets(&app, "datadog", (None, Some(5), None)).await, json!({"api_key": "dd-key"}));
        assert_eq!(secrets(&app, "amplitude", (None, None, Some(8))).await, json!({"api_key": "amp-key"}));
        assert_eq!(secrets(&app, "sentry", (None, None, Some(8))).await, json!({"secret": "sentry-secret"}));
        assert_eq!(secrets(&app, "grafana", (Some(2), None, None)).await, json!({"api_key": "graf-key"}));
        let slack = get(&app, "/api/v1/environments/VersionOneKey23456789/integrations/slack/").await;
        assert_eq!(slack[0]["channel_id"], "C123");
        let mut tx = app.app.db().read().await.unwrap();
        let token = burgee_store::integrations::slack_token(&mut tx, 5).await.unwrap().unwrap();
        assert_eq!(app.app.sealer().open(&token).as_deref(), Some("xoxb-token"));
    }

    async fn a_key_that_was_renewed_there_is_here_after_the_next_run(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        there(&url, "
            UPDATE datadog_datadogconfiguration SET api_key = 'new-key';
            UPDATE slack_slackconfiguration SET api_token = 'xoxb-new';
            UPDATE environments_webhook SET secret = 'renewed';
            DELETE FROM amplitude_amplitudeconfiguration;
        ").await;
        let report = import(&app, &url).await;
        assert_eq!((report.counts["integrations"].updated, report.counts["integrations"].removed), (1, 1), "{}", report.to_text());
        assert_eq!(secrets(&app, "datadog", (None, Some(5), None)).await, json!({"api_key": "new-key"}));
        let hooks = get(&app, "/api/v1/environments/NumericHashingKey2345/webhooks/").await;
        assert_eq!(hooks[0]["secret"], "renewed");
        assert!(!import(&app, &url).await.changed_anything());
    }
}

//! `/api/v1/admin/dashboard/`, and what has to do with plans.

use burgee_testkit::both;
use serde_json::json;

both! {
    async fn sums_are_over_the_organisations_one_administers(app) {
        let world = app.world().await;
        let features = format!("/api/v1/projects/{}/features/", world.project);
        for name in ["one", "two"] {
            app.post(&world.admin, &features, &json!({ "name": name })).await.expect(201);
        }
        let path = |name: &str| format!("/api/v1/admin/dashboard/{name}/");
        let summary = app.get(&world.admin, &path("summary")).await.expect(200);
        assert_eq!(summary, json!({"total_organisations": 1, "total_users": 2, "total_projects": 1,
            "total_environments": 1, "total_features": 2, "total_segments": 0, "total_api_calls": 0}));
        let listed = app.get(&world.admin, &path("organisations")).await.expect(200);
        assert_eq!((&listed[0]["id"], &listed[0]["feature_count"]), (&json!(world.organisation), &json!(2)));
        let stale = app.get(&world.admin, &path("stale-flags")).await.expect(200);
        assert_eq!((&stale[0]["project_id"], &stale[0]["total_flags"], &stale[0]["stale_flags"]),
            (&json!(world.project), &json!(2), &json!(0)));
        for name in ["organisations", "stale-flags", "usage-trends"] {
            assert_eq!(app.get(&world.member, &path(name)).await.expect(200), json!([]), "{name}");
        }
        let others = app.get(&world.stranger, &path("summary")).await.expect(200);
        assert_eq!((&others["total_organisations"], &others["total_features"]), (&json!(1), &json!(0)));
    }

    async fn integrations_are_counted_by_kind_and_level(app) {
        let world = app.world().await;
        let hub = "/api/v1/admin/dashboard/integrations/";
        assert_eq!(app.get(&world.admin, hub).await.expect(200), json!([]));
        let (_, second) = app.environment(&world.admin, world.project, "Staging").await;
        for key in [&world.key, &second] {
            let path = format!("/api/v1/environments/{key}/integrations/mixpanel/");
            app.post(&world.admin, &path, &json!({"api_key": "k"})).await.expect(201);
        }
        let path = format!("/api/v1/projects/{}/integrations/datadog/", world.project);
        app.post(&world.admin, &path, &json!({"api_key": "k", "base_url": "http://93.184.216.34/base"})).await.expect(201);
        let row = |kind: &str, scope: &str, count: i64| json!({"organisation_id": world.organisation,
            "organisation_name": "Acme", "integration_type": kind, "scope": scope, "count": count});
        assert_eq!(app.get(&world.admin, hub).await.expect(200),
            json!([row("datadog", "project", 1), row("mixpanel", "environment", 2)]));
        for person in [&world.member, &world.stranger] {
            assert_eq!(app.get(person, hub).await.expect(200), json!([]));
        }
    }

    async fn usage_is_summed_by_day(app) {
        let world = app.world().await;
        for _ in 0..3 {
            app.call(axum::http::Method::GET, "/api/v1/flags/", &[("x-environment-key", &world.key)], None).await.expect(200);
        }
        burgee_app::sdk::analytics::flush_usage(&app.app).await.expect("stored");
        let days = app.get(&world.admin, "/api/v1/admin/dashboard/usage-trends/").await.expect(200);
        assert_eq!((&days[0]["flags"], &days[0]["total"], days[0]["date"].as_str().map(str::len)),
            (&json!(3), &json!(3), Some(10)));
        assert_eq!(app.get(&world.stranger, "/api/v1/admin/dashboard/usage-trends/").await.expect(200), json!([]));
    }

    async fn nothing_needs_to_be_bought(app) {
        let world = app.world().await;
        let organisation = format!("/api/v1/organisations/{}/", world.organisation);
        let same = app.post(&world.admin, &format!("{organisation}update-subscription/"), &json!({"hosted_page_id": "x"})).await;
        assert_eq!(same.expect(200)["subscription"]["plan"], "enterprise");
        app.post(&world.admin, &format!("{organisation}update-subscription/"), &json!({})).await.expect(400);
        let upgrade = format!("{organisation}get-hosted-page-url-for-subscription-upgrade/");
        let body = json!({"plan_id": "a", "subscription_id": "b"});
        assert!(app.post(&world.admin, &upgrade, &body).await.expect(400)["detail"].is_string());
        app.put(&world.admin, &format!("{organisation}licence"), &json!({})).await.expect(200);
        for person in [&world.member, &world.stranger] {
            app.put(person, &format!("{organisation}licence"), &json!({})).await.expect(403);
            app.post(person, &upgrade, &body).await.expect(403);
            app.post(person, &format!("{organisation}update-subscription/"), &body).await.expect(403);
        }
        app.call(axum::http::Method::POST, "/api/v1/cb-webhook/", &[], Some(&json!({}))).await.expect(401);
    }
}

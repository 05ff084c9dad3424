//! A run can be repeated, is continued when it was cut off, and writes nothing when it is only tried.

use axum::http::Method;
use burgee_import::{Options, Source};
use burgee_testkit::both;
use serde_json::{Value, json};

use super::{Killer, flagsmith, import, import_with, options, there};

const ADA: &str = "0123456789abcdef0123456789abcdef01234567";

both! {
    async fn a_second_run_writes_nothing_where_nothing_changed(app) {
        let Some(url) = flagsmith().await else { return };
        let first = import(&app, &url).await;
        assert!(first.changed_anything());
        let log = app.log("ORGANISATION").await.len();
        let second = import(&app, &url).await;
        assert!(!second.changed_anything(), "{}", second.to_text());
        assert_eq!(app.log("ORGANISATION").await.len(), log);
        for (noun, count) in &first.counts {
            assert_eq!(second.counts[noun].found, count.found, "{noun}");
        }
    }

    async fn a_second_run_takes_what_changed_and_removes_what_is_gone(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        there(&url, "
            UPDATE features_featurestatevalue SET string_value = 'changed' WHERE feature_state_id = 311;
            UPDATE environments_trait SET string_value = 'FR' WHERE id = 90000;
            UPDATE environments_identity SET identifier = 'renamed' WHERE id = 93;
            UPDATE features_featurestate SET deleted_at = now() WHERE id = 321;
            DELETE FROM environments_trait WHERE identity_id = 1;
            UPDATE segments_condition SET value = 'NL,BE,FR' WHERE id = 805;
            INSERT INTO environments_identity VALUES (32103817, 'late', now(), 8, '{}');
            DELETE FROM environments_identity WHERE id = 19707;
        ").await;
        let report = import(&app, &url).await;
        assert_eq!((report.counts["identities"].created, report.counts["identities"].removed), (1, 1));
        assert_eq!(report.counts["identities"].updated, 3, "{}", report.to_text());
        assert_eq!(report.counts["identity overrides"].removed, 1);
        assert_eq!(report.counts["segments"].updated, 1);
        let flags = |identifier: &'static str| {
            let app = &app;
            async move {
                let path = format!("/api/v1/identities/?identifier={identifier}");
                app.call(Method::GET, &path, &[("x-environment-key", "VersionOneKey23456789")], None).await.expect(200)
            }
        };
        let value = |answer: &Value, name: &str| burgee_testkit::flag(&answer["flags"], name).unwrap()["feature_state_value"].clone();
        assert_eq!(value(&flags("late").await, "checkout"), json!("changed"));
        let dutch = flags("dutch").await;
        assert_eq!((&value(&dutch, "checkout"), &dutch["traits"][0]["trait_value"]), (&json!("lowlands"), &json!("FR")));
        assert_eq!(burgee_testkit::flag(&flags("overridden").await["flags"], "banner").unwrap()["enabled"], true);
    }

    async fn an_identity_deleted_there_and_made_anew_stays(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        there(&url, "UPDATE environments_identity SET id = 19708 WHERE id = 19707").await;
        let count = &import(&app, &url).await.counts["identities"];
        assert_eq!((count.created, count.updated, count.removed), (0, 1, 0));
        assert!(!import(&app, &url).await.changed_anything());
    }

    async fn what_was_tried_out_here_in_between_is_made_as_it_is_there(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let path = "/api/v1/environments/VersionOneKey23456789/featurestates/316/";
        app.manage(ADA, Method::PUT, path, Some(&json!({"enabled": false}))).await.expect(200);
        app.manage(ADA, Method::DELETE, "/api/v1/projects/5/features/50/", None).await.expect(204);
        app.manage(ADA, Method::POST, "/api/v1/projects/5/features/", Some(&json!({"name": "tried", "metadata": [{"model_field": 31, "field_value": "https://example.com/T-2"}]}))).await.expect(201);
        let late = json!({"identifier": "late", "traits": [{"trait_key": "a", "trait_value": 1}]});
        app.call(Method::POST, "/api/v1/identities/", &[("x-environment-key", "NumericHashingKey2345")], Some(&late)).await.expect(200);
        // Meanwhile there: a feature whose id was given to another one here, and an identity by the same name.
        there(&url, "
            INSERT INTO features_feature (id, name, created_date, project_id, default_enabled, type, is_archived, uuid, is_server_key_only)
                VALUES (54, 'tried', now(), 5, FALSE, 'STANDARD', FALSE, '00000000-0000-4000-8000-000000000354', FALSE);
            INSERT INTO environments_identity VALUES (32103817, 'late', now(), 7, '{}');
        ").await;
        let report = import(&app, &url).await;
        assert_eq!(report.counts["identities"].updated, 1, "{}", report.to_text());
        let features = app.manage(ADA, Method::GET, "/api/v1/projects/5/features/", None).await.expect(200);
        assert_eq!(features["count"], 3);
        let state = app.manage(ADA, Method::GET, path, None).await.expect(200);
        assert_eq!(state["enabled"], true);
    }

    async fn a_run_that_was_cut_off_is_continued(app) {
        let Some(url) = flagsmith().await else { return };
        let (node, there) = (app.app.clone(), url.to_string());
        let killed = tokio::spawn(async move {
            let source = Source::database(&there).await.unwrap();
            let options = Options { page: 2, ..options() };
            burgee_import::run(&node, &source, &options, &Killer::after(3)).await.map(drop)
        });
        assert!(killed.await.is_err());
        let report = import(&app, &url).await;
        assert!(report.resumed);
        assert_eq!(report.counts["projects"].unchanged, 3);
        assert!((1..9).contains(&report.counts["identities"].found), "{}", report.to_text());
        let all = import(&app, &url).await;
        assert!(!all.resumed);
        assert_eq!(all.counts["identities"].unchanged, 9);
    }

    async fn a_dry_run_tells_and_writes_nothing(app) {
        let Some(url) = flagsmith().await else { return };
        let options = Options { dry_run: true, ..options() };
        let report = import_with(&app, &url, &options).await;
        assert_eq!((report.counts["features"].created, report.counts["identities"].found), (33, 9), "{}", report.to_text());
        assert!(!report.notes.is_empty());
        let flags = app.call(Method::GET, "/api/v1/flags/", &[("x-environment-key", "VersionOneKey23456789")], None).await;
        assert_eq!(flags.status.as_u16(), 403);
        app.manage(ADA, Method::GET, "/api/v1/auth/users/me/", None).await.expect(401);
        // Nothing of it is in the way of the real one.
        assert_eq!(import(&app, &url).await.counts["features"].created, 33);
    }

    async fn another_flagsmith_under_the_same_name_is_refused(app) {
        let Some(url) = flagsmith().await else { return };
        import(&app, &url).await;
        let Some(other) = flagsmith().await else { return };
        there(&other, "UPDATE organisations_organisation SET uuid = gen_random_uuid()").await;
        let source = Source::database(&other).await.unwrap();
        let error = burgee_import::run(&app.app, &source, &options(), &burgee_import::Quiet).await.unwrap_err();
        assert!(error.to_string().contains("--source"), "{error}");
    }

    async fn the_audit_log_comes_when_asked_for_and_once(app) {
        let Some(url) = flagsmith().await else { return };
        let options = Options { audit: true, ..options() };
        for created in [1, 0] {
            assert_eq!(import_with(&app, &url, &options).await.counts["audit log"].created, created);
        }
        let log = app.log("FEATURE").await;
        assert_eq!(log[0].message.as_deref(), Some("New Flag / Remote Config created: checkout"));
    }

    async fn an_older_flagsmith_without_newer_tables_and_columns_is_read(app) {
        let Some(url) = flagsmith().await else { return };
        there(&url, "
            DROP TABLE metadata_metadata, metadata_metadatamodelfieldrequirement, metadata_metadatamodelfield, metadata_metadatafield;
            DROP TABLE trench_mfamethod, slack_slackconfiguration;
            ALTER TABLE multivariate_multivariatefeatureoption DROP COLUMN key;
            ALTER TABLE environments_identity DROP COLUMN system_traits;
            ALTER TABLE features_featurestate DROP COLUMN mv_hashing_salt;
            ALTER TABLE segments_segment DROP COLUMN rules_data, DROP COLUMN is_system_segment, DROP COLUMN managed_by;
        ").await;
        let report = import(&app, &url).await;
        assert_eq!(report.counts["identities"].created, 9);
    }
}

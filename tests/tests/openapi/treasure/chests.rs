//! What the treasure is made of, and where each thing of it stands.

use burgee_testkit::TestApp;
use serde_json::json;

use super::Treasure;

impl Treasure {
    pub(super) async fn in_project(&mut self, app: &TestApp) {
        let project = format!("projects/{}/", self.world.project);
        let feature = json!({"name": "treasure", "initial_value": "treasure", "multivariate_options": [
            {"type": "unicode", "string_value": "treasure", "default_percentage_allocation": 0}]});
        let feature = self.make(app, &format!("{project}features/"), feature).await;
        let option = feature["multivariate_options"][0].clone();
        self.put("/features/{feature_id}", "feature_id", &feature["id"]);
        self.put("/flags/{feature_id}", "feature_id", &feature["id"]);
        self.put("/mv-options/{option_id}", "option_id", &option["id"]);
        self.put("/multivariate/options/get-by-uuid/", "uuid", &option["uuid"]);
        self.put("/v1/features/get-by-uuid/", "uuid", &feature["uuid"]);
        self.field(&["feature", "feature_id"], &feature["id"]);
        self.field(&["multivariate_feature_option"], &option["id"]);
        let resource = json!({"url": "https://github.com/treasure/treasure/issues/7", "type": "GITHUB_ISSUE", "feature": feature["id"]});
        let path = format!("{project}features/{}/feature-external-resources/", feature["id"]);
        let resource = self.make(app, &path, resource).await;
        self.put("/feature-external-resources/{id}", "id", &resource["id"]);
        let tag = self
            .make(
                app,
                &format!("{project}tags/"),
                json!({"label": "treasure", "color": "#123"}),
            )
            .await;
        self.put("/tags/{tag_id}", "tag_id", &tag["id"]);
        self.put("/tags/get-by-uuid/", "uuid", &tag["uuid"]);
        self.field(&["tag", "tags", "tag_ids"], &tag["id"]);
        let rules = json!([{"type": "ALL", "rules": [], "conditions": [{"property": "a", "operator": "EQUAL", "value": "b"}]}]);
        let segment = json!({"name": "treasure", "rules": rules});
        let segment = self.make(app, &format!("{project}segments/"), segment).await;
        self.put("/segments/{id}", "id", &segment["id"]);
        self.put("/segment-overrides/{segment_id}", "segment_id", &segment["id"]);
        self.put("/segments/get-by-uuid/", "uuid", &segment["uuid"]);
        self.field(&["segment", "segment_id", "version_of"], &segment["id"]);
        let found = self.find(app, &project).await;
        self.put("/projects/get-by-uuid/", "uuid", &found["uuid"]);

        let list = self
            .make(
                app,
                &format!("{project}list-segments/"),
                json!({"name": "treasure-list"}),
            )
            .await;
        self.put("/list-segments/{segment_key}", "segment_key", &list["key"]);
        self.put("/v2/segments/", "segment_key", &list["key"]);
        self.put("/v2/segments/", "project_key", &json!("web"));
        self.put("/v2/segments/", "environment_key", &json!("development"));

        let provider = self
            .make(
                app,
                &format!("{project}feature-health/providers/"),
                json!({"name": "Webhook"}),
            )
            .await;
        self.put("/feature-health/providers/{name}", "name", &provider["name"]);
        let (_, report) = provider["webhook_url"]
            .as_str()
            .and_then(|url| url.split_once("/api/"))
            .expect("a path");
        let path = report.trim_end_matches('/').rsplit('/').next().expect("a path");
        self.put("/feature-health/{path}", "path", &json!(path));
        let event = json!({"feature": "treasure", "status": "unhealthy", "environment": "Development"});
        app.post(&self.world.admin, &format!("/api/{report}"), &event)
            .await
            .expect(200);
        let events = self.find(app, &format!("{project}feature-health/events/")).await;
        self.put("/feature-health/events/{id}", "id", &events[0]["id"]);

        let stage = json!({"name": "treasure", "environment": self.world.environment, "order": 0,
            "trigger": {"trigger_type": "ON_ENTER", "trigger_body": null},
            "actions": [{"action_type": "TOGGLE_FEATURE", "action_body": {"enabled": true}}]});
        let pipeline = json!({"name": "treasure", "stages": [stage]});
        let pipeline = self
            .make(app, &format!("{project}release-pipelines/"), pipeline)
            .await;
        self.put("/release-pipelines/{id}", "id", &pipeline["id"]);
        let request = json!({"title": "treasure", "segments": [{"name": "treasure", "version_of": segment["id"], "rules": rules}]});
        let request = self
            .make(app, &format!("{project}change-requests/"), request)
            .await;
        self.put(
            "/projects/{project_id}/change-requests/{id}",
            "id",
            &request["id"],
        );
        let comments = format!("{project}change-requests/{}/comments/", request["id"]);
        let comment = self.make(app, &comments, json!({"text": "treasure"})).await;
        self.put(
            "/projects/{project_id}/change-requests/{id}/comments/",
            "comment_id",
            &comment["id"],
        );
        let export = json!({"environment_id": self.world.environment, "tag_ids": [tag["id"]]});
        let export = self.make(app, "features/create-feature-export/", export).await;
        self.put("/download-feature-export/{id}", "id", &export["id"]);
    }

    pub(super) async fn in_organisation(&mut self, app: &TestApp) {
        let organisation = format!("organisations/{}/", self.world.organisation);
        let found = self.find(app, &organisation).await;
        self.put("/organisations/get-by-uuid/", "uuid", &found["uuid"]);
        let group = self
            .make(
                app,
                &format!("{organisation}groups/"),
                json!({"name": "treasure"}),
            )
            .await;
        let users = json!({"user_ids": [self.victim.id]});
        self.make(
            app,
            &format!("{organisation}groups/{}/add-users/", group["id"]),
            users,
        )
        .await;
        self.put("/groups/{group_id}", "group_id", &group["id"]);
        self.put("/Groups/{group_id}", "group_id", &group["id"]);
        self.field(&["group", "group_ids"], &group["id"]);
        let invite = json!({"email": "treasure@example.com"});
        let invite = self.make(app, &format!("{organisation}invites/"), invite).await;
        self.put("/invites/{invite_id}", "invite_id", &invite["id"]);
        let link = self
            .make(
                app,
                &format!("{organisation}invite-links/"),
                json!({"role": "USER"}),
            )
            .await;
        self.put("/invite-links/{link_id}", "link_id", &link["id"]);
        let key = json!({"name": "treasure", "is_admin": false});
        let key = self
            .make(app, &format!("{organisation}master-api-keys/"), key)
            .await;
        self.put("/master-api-keys/{prefix}", "prefix", &key["prefix"]);
        self.field(&["master_api_key"], &key["id"]);

        let role = self
            .make(app, &format!("{organisation}roles/"), json!({"name": "treasure"}))
            .await;
        self.put("/roles/{role_id}", "role_id", &role["id"]);
        self.field(&["role"], &role["id"]);
        let role = format!("{organisation}roles/{}/", role["id"]);
        let held = [
            (
                "users/",
                "/roles/{role_id}/users/{id}",
                json!({"user": self.victim.id}),
            ),
            (
                "groups/",
                "/roles/{role_id}/groups/{id}",
                json!({"group": group["id"]}),
            ),
            (
                "master-api-keys/",
                "/roles/{role_id}/master-api-keys/{id}",
                json!({"master_api_key": key["id"]}),
            ),
            (
                "organisation-permissions/",
                "/organisation-permissions/{id}",
                json!({"permissions": []}),
            ),
            (
                "projects-permissions/",
                "/projects-permissions/{id}",
                json!({"project": self.world.project, "permissions": []}),
            ),
            (
                "environments-permissions/",
                "/environments-permissions/{id}",
                json!({"environment": self.world.environment, "permissions": []}),
            ),
        ];
        for (path, place, body) in held {
            let made = self.make(app, &format!("{role}{path}"), body).await;
            self.put(place, "id", &made["id"]);
        }

        let field = json!({"name": "treasure", "type": "str", "organisation": self.world.organisation});
        let field = self.make(app, "metadata/fields/", field).await;
        self.put("/metadata/fields/{id}", "id", &field["id"]);
        self.field(&["field", "model_field"], &field["id"]);
        let kind = burgee_model::metadata::ContentType::Environment.id();
        self.field(&["content_type"], &json!(kind));
        let link = json!({"field": field["id"], "content_type": kind});
        let link = self
            .make(app, &format!("{organisation}metadata-model-fields/"), link)
            .await;
        self.put("/metadata-model-fields/{id}", "id", &link["id"]);
        let github = self
            .make(
                app,
                &format!("{organisation}integrations/github/"),
                json!({"installation_id": "treasure"}),
            )
            .await;
        self.put("/integrations/github/{id}", "id", &github["id"]);
        self.put("/integrations/github/", "configuration_id", &github["id"]);
        let repository = json!({"project": self.world.project, "repository_owner": "treasure", "repository_name": "treasure"});
        let path = format!("{organisation}integrations/github/{}/repositories/", github["id"]);
        let repository = self.make(app, &path, repository).await;
        self.put("/repositories/{id}", "id", &repository["id"]);
        let trust = json!({"name": "treasure", "issuer": "https://gitlab.com", "audience": "treasure", "is_admin": false});
        let trust = self
            .make(app, &format!("{organisation}trust-relationships/"), trust)
            .await;
        self.put("/trust-relationships/{id}", "id", &trust["id"]);
        let saml = json!({"organisation": self.world.organisation, "name": "treasure", "frontend_url": "https://flags.example.com"});
        let saml = self.make(app, "auth/saml/configuration/", saml).await;
        self.put("/auth/saml/", "name", &saml["name"]);
        self.field(&["saml_configuration"], &saml["id"]);
        let mapping = json!({"saml_configuration": saml["id"], "django_attribute_name": "email", "idp_attribute_name": "treasure"});
        let mapping = self.make(app, "auth/saml/attribute-mapping/", mapping).await;
        self.put("/attribute-mapping/{id}", "id", &mapping["id"]);
    }

    pub(super) async fn in_environment(&mut self, app: &TestApp) {
        let environment = format!("environments/{}/", self.world.key);
        let found = self.find(app, &environment).await;
        self.put("/environments/get-by-uuid/", "uuid", &found["uuid"]);
        let (feature, segment) = (self.named("feature"), self.named("segment"));
        let key = self
            .make(
                app,
                &format!("{environment}api-keys/"),
                json!({"name": "treasure"}),
            )
            .await;
        self.put("/api-keys/{id}", "id", &key["id"]);
        let over = json!({"enabled": true, "feature_segment": {"segment": segment},
            "feature_state_value": {"type": "unicode", "string_value": "treasure"}});
        let over = self
            .make(
                app,
                &format!("{environment}features/{feature}/create-segment-override/"),
                over,
            )
            .await;
        self.put("/feature-segments/{id}", "id", &over["feature_segment"]["id"]);
        self.put(
            "/feature-segments/get-by-uuid/",
            "uuid",
            &over["feature_segment"]["uuid"],
        );

        let hook = json!({"url": "https://treasure.example.com/hook"});
        let of_organisation = format!("organisations/{}/webhooks/", self.world.organisation);
        let told = self.make(app, &of_organisation, hook.clone()).await;
        self.put(
            "/organisations/{organisation_id}/webhooks/{webhook_id}",
            "webhook_id",
            &told["id"],
        );
        let told = self.make(app, &format!("{environment}webhooks/"), hook).await;
        self.put(
            "/environments/{environment_key}/webhooks/{webhook_id}",
            "webhook_id",
            &told["id"],
        );

        let identities = format!("{environment}identities/");
        let identity = self
            .make(app, &identities, json!({"identifier": "treasure"}))
            .await;
        self.put("/identities/{identity_id}", "identity_id", &identity["id"]);
        let own = json!({"feature": feature, "enabled": true, "feature_state_value": "treasure"});
        let own = self
            .make(
                app,
                &format!("{identities}{}/featurestates/", identity["id"]),
                own,
            )
            .await;
        self.put("/identities/{identity_id}/featurestates/{id}", "id", &own["id"]);
        let kept = json!({"trait_key": "treasure", "value_type": "unicode", "string_value": "treasure"});
        let kept = self
            .make(app, &format!("{identities}{}/traits/", identity["id"]), kept)
            .await;
        self.put("/traits/{id}", "id", &kept["id"]);
        let states = self
            .find(app, &format!("{environment}featurestates/?feature={feature}"))
            .await;
        let state = &states["results"][0];
        self.put("/v1/features/featurestates/{id}", "id", &state["id"]);
        self.put(
            "/environments/{environment_key}/featurestates/{id}",
            "id",
            &state["id"],
        );
        self.put("/featurestates/get-by-uuid/", "uuid", &state["uuid"]);

        let change = json!({"feature": feature, "enabled": true, "live_from": null, "multivariate_feature_state_values": [],
            "feature_state_value": {"type": "unicode", "string_value": "treasure"}});
        let request = json!({"title": "treasure", "feature_states": [change]});
        let request = self
            .make(app, &format!("{environment}create-change-request/"), request)
            .await;
        self.put("/workflows/change-requests/{id}", "id", &request["id"]);
        let comments = format!("features/workflows/change-requests/{}/comments/", request["id"]);
        let comment = self.make(app, &comments, json!({"text": "treasure"})).await;
        self.put(
            "/workflows/change-requests/{id}/comments/",
            "comment_id",
            &comment["id"],
        );
        let later = json!({"feature": feature, "live_from": "2099-01-01T00:00:00Z", "feature_states_to_update": [
            {"enabled": true, "feature_state_value": {"type": "unicode", "string_value": "treasure"}}]});
        let later = self
            .make(app, &format!("{environment}scheduled-changes/"), later)
            .await;
        self.put("/scheduled-changes/{id}", "id", &later["id"]);
        let connection = json!({"warehouse_type": "clickhouse", "name": "treasure"});
        let connection = self
            .make(app, &format!("{environment}warehouse-connections/"), connection)
            .await;
        self.put(
            "/warehouse-connections/{connection_id}",
            "connection_id",
            &connection["id"],
        );
        let cohort = self
            .make(
                app,
                &format!("{environment}cohorts/"),
                json!({"name": "treasure"}),
            )
            .await;
        self.put("/cohorts/{cohort_id}", "cohort_id", &cohort["id"]);
        self.put("/cohorts/{cohort_uuid}", "cohort_uuid", &cohort["uuid"]);
    }

    pub(super) async fn of_experiments(&mut self, app: &TestApp) {
        let environment = format!("environments/{}/", self.world.key);
        let metric = json!({"name": "treasure", "definition": {"event": "treasure"}});
        let metric = self
            .make(app, &format!("{environment}experiment-metrics/"), metric)
            .await;
        self.put("/experiment-metrics/{id}", "id", &metric["id"]);
        self.field(&["metric"], &metric["id"]);
        let experiment =
            json!({"feature": self.named("feature"), "name": "treasure", "hypothesis": "treasure"});
        let experiment = self
            .make(app, &format!("{environment}experiments/"), experiment)
            .await;
        self.put("/experiments/{experiment_id}", "experiment_id", &experiment["id"]);
        let link = json!({"metric": metric["id"], "expected_direction": "increase"});
        let link = self
            .make(
                app,
                &format!("{environment}experiments/{}/metrics/", experiment["id"]),
                link,
            )
            .await;
        self.put("/experiments/{experiment_id}/metrics/{id}", "id", &link["id"]);
    }

    /// An environment with versions, which changes nothing in place.
    pub(super) async fn of_versions(&mut self, app: &TestApp) {
        let (environment, key) = app
            .environment(&self.world.admin, self.world.project, "treasure-v2")
            .await;
        self.make(
            app,
            &format!("environments/{key}/enable-v2-versioning/"),
            json!({}),
        )
        .await;
        let (feature, segment) = (self.named("feature"), self.named("segment"));
        let over = json!({"enabled": true, "feature_segment": {"segment": segment},
            "feature_state_value": {"type": "unicode", "string_value": "treasure"}});
        let path = format!("environments/{environment}/features/{feature}/versions/");
        let version = self
            .make(app, &path, json!({"feature_states_to_create": [over]}))
            .await;
        let uuid = version["uuid"].as_str().expect("a uuid");
        let states = self.find(app, &format!("{path}{uuid}/featurestates/")).await;
        self.put("/versions/{version_uuid}", "version_uuid", &version["uuid"]);
        self.put(
            "/versions/{version_uuid}/featurestates/{id}",
            "id",
            &states[1]["id"],
        );
        self.put("/environment-feature-versions/{uuid}", "uuid", &version["uuid"]);
        self.put(
            "/features/{feature_id}/versions/",
            "environment_key",
            &json!(environment),
        );
    }

    /// A project with the "edge" set of operations.
    pub(super) async fn of_edge(&mut self, app: &TestApp) {
        let project = app
            .project(&self.world.admin, self.world.organisation, "treasure-edge")
            .await;
        let path = format!("/api/v1/projects/{project}/");
        app.patch(&self.world.admin, &path, &json!({"use_edge_identities": true}))
            .await
            .expect(200);
        let (_, key) = app.environment(&self.world.admin, project, "treasure-edge").await;
        let feature = self
            .make(
                app,
                &format!("projects/{project}/features/"),
                json!({"name": "treasure"}),
            )
            .await;
        let identities = format!("environments/{key}/edge-identities/");
        let identity = self
            .make(app, &identities, json!({"identifier": "treasure"}))
            .await;
        let uuid = identity["identity_uuid"].as_str().expect("a uuid");
        let own = json!({"feature": feature["id"], "enabled": true, "feature_state_value": "treasure"});
        let own = self
            .make(app, &format!("{identities}{uuid}/edge-featurestates/"), own)
            .await;
        self.put(
            "/edge-identities/{identity_uuid}",
            "identity_uuid",
            &identity["identity_uuid"],
        );
        self.put(
            "/edge-featurestates/{featurestate_uuid}",
            "featurestate_uuid",
            &own["featurestate_uuid"],
        );
        self.put("/edge-identities", "environment_key", &json!(key));
        self.put("/edge-identity-overrides", "environment_key", &json!(key));
    }

    pub(super) async fn grants(&mut self, app: &TestApp) {
        let levels = [
            (
                format!("organisations/{}/", self.world.organisation),
                "/organisations/{organisation_id}/",
            ),
            (
                format!("projects/{}/", self.world.project),
                "/projects/{project_id}/",
            ),
            (
                format!("environments/{}/", self.world.key),
                "/environments/{environment_key}/",
            ),
        ];
        let group = self.named("group");
        for (path, pattern) in levels {
            let of_user = json!({"user": self.victim.id, "permissions": []});
            let of_user = self.make(app, &format!("{path}user-permissions/"), of_user).await;
            let of_group = json!({"group": group, "permissions": []});
            let of_group = self
                .make(app, &format!("{path}user-group-permissions/"), of_group)
                .await;
            self.put(&format!("{pattern}user-permissions/"), "grant_id", &of_user["id"]);
            self.put(
                &format!("{pattern}user-group-permissions/"),
                "grant_id",
                &of_group["id"],
            );
        }
    }

    pub(super) async fn audit(&mut self, app: &TestApp) {
        let lines = self
            .find(app, &format!("projects/{}/audit/", self.world.project))
            .await;
        self.put("/audit/{id}", "id", &lines["results"][0]["id"]);
    }
}

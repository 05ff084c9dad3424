//! An organisation with one of everything in it, and where in a path or a body each thing is named.

mod chests;

use burgee_store::grants::Object;
use burgee_testkit::TestApp;
use burgee_testkit::places::{Person, World, id};
use serde_json::{Value, json};

/// One of everything. Whatever can have a name has one with `treasure` in it.
pub(super) struct Treasure {
    pub(super) world: World,
    /// Somebody in the organisation to whom things can be done.
    victim: Person,
    /// What stands for the parameters of a path: a part of the path's pattern, the parameter, and its value. The longest
    /// part that fits counts.
    places: Vec<(String, &'static str, String)>,
    /// What stands for the fields of a body, and for the parameters of a query, that hold the id of something.
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// A uuid that nothing has.
const NO_UUID: &str = "00000000-0000-4000-8000-000000000000";

impl Treasure {
    /// Makes it.
    pub(super) async fn bury(app: &TestApp) -> Self {
        let world = app.world().await;
        let victim = app.person("treasure-victim").await;
        app.join(world.organisation, &victim, "USER").await;
        let mut treasure = Self {
            victim,
            places: Vec::new(),
            fields: Vec::new(),
            world,
        };
        treasure.in_project(app).await;
        treasure.in_organisation(app).await;
        treasure.in_environment(app).await;
        treasure.of_experiments(app).await;
        treasure.of_versions(app).await;
        treasure.of_edge(app).await;
        treasure.grants(app).await;
        treasure.audit(app).await;
        treasure.containers();
        treasure
    }

    async fn make(&self, app: &TestApp, path: &str, body: Value) -> Value {
        let path = format!("/api/v1/{path}");
        let answer = app.post(&self.world.admin, &path, &body).await;
        assert!(
            answer.status.is_success(),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
        answer.body
    }

    async fn find(&self, app: &TestApp, path: &str) -> Value {
        app.get(&self.world.admin, &format!("/api/v1/{path}"))
            .await
            .expect(200)
    }

    /// Notes where a thing stands.
    fn put(&mut self, place: &str, parameter: &'static str, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert!(text != "null", "nothing for {place} {parameter}");
        self.places.push((place.to_owned(), parameter, text));
    }

    /// Notes in which fields of bodies a thing stands.
    fn field(&mut self, names: &[&'static str], value: &Value) {
        self.fields
            .extend(names.iter().map(|name| (*name, value.clone())));
    }

    fn containers(&mut self) {
        let World {
            organisation,
            project,
            environment,
            key,
            ..
        } = self.world.clone();
        self.put("", "organisation_id", &json!(organisation));
        self.put("", "project_id", &json!(project));
        self.put("", "environment_id", &json!(environment));
        for name in ["environment_key", "environment_api_key", "api_key"] {
            self.put("", name, &json!(key));
        }
        for name in ["identifier", "key", "trait_key"] {
            self.put("", name, &json!("treasure"));
        }
        let victim = json!(self.victim.id);
        self.put("", "user_id", &victim);
        self.field(&["user", "user_ids"], &victim);
        self.put("/audience-sync/{kind}/", "kind", &json!("sources"));
        self.field(&["model_name"], &json!("feature"));
        self.field(&["organisation"], &json!(organisation));
        self.field(&["project"], &json!(project));
        self.field(
            &["environment", "environment_id", "source_environment"],
            &json!(environment),
        );
    }

    /// What a field of a body holds.
    pub(super) fn named(&self, field: &str) -> Value {
        let found = self.fields.iter().find(|(name, _)| *name == field);
        found.map_or(Value::Null, |(_, value)| value.clone())
    }

    /// A path with the things in the place of its parameters; for those that `own` has, that.
    pub(super) fn fill(&self, pattern: &str, own: &[(&str, String)]) -> String {
        let fill = |part: &str| {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
                return part.to_owned();
            };
            let own = own.iter().find(|(parameter, _)| *parameter == name);
            let fitting = self
                .places
                .iter()
                .filter(|(place, parameter, _)| *parameter == name && pattern.contains(place.as_str()));
            let found = own.map(|(_, value)| value).or_else(|| {
                fitting
                    .max_by_key(|(place, _, _)| place.len())
                    .map(|(_, _, value)| value)
            });
            found.cloned().unwrap_or_else(|| {
                if name.contains("uuid") {
                    NO_UUID.to_owned()
                } else {
                    "1".to_owned()
                }
            })
        };
        pattern.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// Somebody of the organisation who administers another of its environments, and nothing else.
    pub(super) async fn neighbour(&self, app: &TestApp) -> Person {
        let neighbour = app.person("neighbour").await;
        app.join(self.world.organisation, &neighbour, "USER").await;
        let (environment, key) = app
            .environment(&self.world.admin, self.world.project, "Next door")
            .await;
        let keys = [
            "VIEW_ENVIRONMENT",
            "UPDATE_FEATURE_STATE",
            "MANAGE_IDENTITIES",
            "VIEW_IDENTITIES",
        ];
        app.grant(&neighbour, Object::Environment(environment), &keys)
            .await;
        let grants = format!("/api/v1/environments/{key}/user-permissions/");
        let found = app
            .get(&self.world.admin, &format!("{grants}?user={}", neighbour.id))
            .await
            .expect(200);
        let one = format!("{grants}{}/", id(&found[0]));
        app.patch(&self.world.admin, &one, &json!({"admin": true}))
            .await
            .expect(200);
        neighbour
    }

    /// Makes sure that nothing was changed or deleted by those who may not.
    pub(super) async fn is_untouched(&self, app: &TestApp) {
        let headers = [("x-environment-key", self.world.key.as_str())];
        let path = "/api/v1/identities/?identifier=treasure";
        let answer = app
            .call(axum::http::Method::GET, path, &headers, None)
            .await
            .expect(200);
        assert_eq!(answer["flags"][0]["feature"]["name"], "treasure");
        assert_eq!(answer["flags"][0]["feature_state_value"], "treasure");
        assert_eq!(answer["traits"][0]["trait_value"], "treasure");
    }
}

//! `/api/v1/organisations/{id}/scim/` and SCIM itself.

use axum::http::Method;
use burgee_store::grants::Object;
use burgee_testkit::places::World;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// An identity provider that was let in.
struct Provider<'a> {
    app: &'a TestApp,
    authorization: String,
}

impl<'a> Provider<'a> {
    async fn of(app: &'a TestApp, world: &World) -> Self {
        let path = format!("/api/v1/organisations/{}/scim/", world.organisation);
        let made = app.post(&world.admin, &path, &json!({})).await.expect(200);
        let token = made["token"].as_str().expect("a token");
        Self {
            app,
            authorization: format!("Bearer {token}"),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("content-type", "application/scim+json"),
        ];
        let mut request = axum::http::Request::builder()
            .method(method)
            .uri(format!("/api/v1/scim/v2/{path}"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.app
            .send(
                request
                    .header("host", "testserver")
                    .body(body.into())
                    .expect("a request"),
            )
            .await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// Makes a user and returns his id.
    async fn user(&self, email: &str) -> String {
        let body =
            json!({"schemas": [USER], "userName": email, "name": {"givenName": "Ann", "familyName": "Lee"}});
        let made = self.post("Users", body).await.expect(201);
        made["id"].as_str().expect("an id").to_owned()
    }
}

async fn members(app: &TestApp, world: &World) -> Vec<String> {
    let path = format!("/api/v1/organisations/{}/users/", world.organisation);
    let listed = app.get(&world.admin, &path).await.expect(200);
    let emails = listed
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|user| user["email"].as_str());
    emails.map(str::to_owned).collect()
}

both! {
    async fn scim_is_set_up_once_and_its_token_is_shown_once_and_can_be_replaced(app) {
        let world = app.world().await;
        let path = format!("/api/v1/organisations/{}/scim/", world.organisation);
        app.get(&world.admin, &path).await.expect(404);
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(403);
            app.post(person, &path, &json!({})).await.expect(403);
        }
        let provider = Provider::of(&app, &world).await;
        app.post(&world.admin, &path, &json!({})).await.expect(400);
        let shown = app.get(&world.admin, &path).await.expect(200);
        let fields: Vec<&str> = shown.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, ["organisation", "base_path", "created_at", "token_created_at"]);
        provider.get("Users").await.expect(200);
        app.post(&world.admin, &format!("{path}regenerate-token/"), &json!({})).await.expect(200);
        let refused = provider.get("Users").await;
        assert_eq!(refused.headers["content-type"], "application/scim+json");
        let refused = refused.expect(401);
        assert_eq!((&refused["status"], &refused["schemas"][0]),
            (&json!("401"), &json!("urn:ietf:params:scim:api:messages:2.0:Error")));
        // No other way of signing in opens it.
        let header = format!("Bearer {}", world.admin.token);
        app.call(Method::GET, "/api/v1/scim/v2/Users/", &[("authorization", &header)], None).await.expect(401);
        app.delete(&world.admin, &path).await.expect(204);
        app.get(&world.admin, &path).await.expect(404);
        assert_eq!(app.log("SCIM").await.len(), 3);
    }

    async fn a_user_is_brought_in_found_renamed_put_out_and_brought_in_again(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        let body = json!({"schemas": [USER], "userName": "Ann@Example.com", "externalId": "00u1",
                          "name": {"givenName": "Ann", "familyName": "Lee"}, "active": true});
        let made = provider.post("Users", body.clone()).await.expect(201);
        let uuid = made["id"].as_str().expect("an id");
        assert_eq!((&made["userName"], &made["externalId"], &made["active"]),
            (&json!("ann@example.com"), &json!("00u1"), &json!(true)));
        assert_eq!(made["meta"]["location"], format!("http://testserver/api/v1/scim/v2/Users/{uuid}"));
        assert_eq!(made["emails"], json!([{"value": "ann@example.com", "type": "work", "primary": true}]));
        let twice = provider.post("Users", body).await.expect(409);
        assert_eq!(twice["scimType"], "uniqueness");
        for (filter, count) in [("userName eq \"ANN@example.com\"", 1), ("externalId eq \"00u1\"", 1),
                                ("userName eq \"nobody@example.com\"", 0)] {
            let path = format!("Users?filter={}", filter.replace(' ', "%20").replace('"', "%22"));
            assert_eq!(provider.get(&path).await.expect(200)["totalResults"], count, "{filter}");
        }
        let wrong = provider.get("Users?filter=userName%20like%20%22a%22").await.expect(400);
        assert_eq!(wrong["scimType"], "invalidFilter");
        let all = provider.get("Users?startIndex=2&count=1").await.expect(200);
        assert_eq!((&all["totalResults"], &all["startIndex"], &all["itemsPerPage"]), (&json!(3), &json!(2), &json!(1)));

        let one = format!("Users/{uuid}");
        let renamed = json!([{"op": "replace", "value": {"userName": "anna@example.com", "name.givenName": "Anna"}}]);
        let renamed = provider.patch(&one, renamed).await.expect(200);
        assert_eq!((&renamed["userName"], &renamed["name"]["formatted"]), (&json!("anna@example.com"), &json!("Anna Lee")));
        assert!(members(&app, &world).await.contains(&"anna@example.com".to_owned()));
        let out = provider.patch(&one, json!([{"op": "Replace", "path": "active", "value": "False"}])).await.expect(200);
        assert_eq!(out["active"], false);
        assert!(!members(&app, &world).await.contains(&"anna@example.com".to_owned()));
        assert_eq!(provider.get(&one).await.expect(200)["active"], false);
        let back = json!({"userName": "anna@example.com", "name": {"givenName": "Anna"}, "active": true});
        assert_eq!(provider.call(Method::PUT, &one, Some(back)).await.expect(200)["active"], true);
        assert!(members(&app, &world).await.contains(&"anna@example.com".to_owned()));
        provider.call(Method::DELETE, &one, None).await.expect(204);
        provider.get(&one).await.expect(404);
        assert!(!members(&app, &world).await.contains(&"anna@example.com".to_owned()));
    }

    async fn who_is_put_out_loses_his_permissions_and_is_signed_out_where_he_belongs_nowhere_else(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT"]).await;
        let found = provider.get("Users?filter=userName%20eq%20%22member@example.com%22").await.expect(200);
        let one = format!("Users/{}", found["Resources"][0]["id"].as_str().expect("an id"));
        let project = format!("/api/v1/projects/{}/", world.project);
        app.get(&world.member, &project).await.expect(200);
        provider.patch(&one, json!([{"op": "replace", "path": "active", "value": false}])).await.expect(200);
        app.get(&world.member, &project).await.expect(401);
        provider.patch(&one, json!([{"op": "replace", "path": "active", "value": true}])).await.expect(200);
        let admin = provider.get("Users?filter=userName%20eq%20%22admin@example.com%22").await.expect(200);
        let admin = format!("Users/{}", admin["Resources"][0]["id"].as_str().expect("an id"));
        let refused = provider.patch(&admin, json!([{"op": "replace", "path": "active", "value": false}])).await;
        assert_eq!(refused.expect(400)["scimType"], "mutability");
        app.get(&world.admin, &project).await.expect(200);
    }

    async fn who_was_deleted_and_is_brought_back_can_sign_in_again(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        let id = provider.user("ann@example.com").await;
        let is_active = async || {
            let mut tx = app.app.db().read().await.expect("a transaction");
            let found = burgee_store::users::find_by_email(&mut tx, "ann@example.com").await.expect("an answer");
            found.expect("the account").is_active
        };
        provider.call(Method::DELETE, &format!("Users/{id}"), None).await.expect(204);
        provider.get(&format!("Users/{id}")).await.expect(404);
        assert!(!is_active().await);
        assert_eq!(provider.user("ann@example.com").await, id);
        assert!(is_active().await);
        assert!(members(&app, &world).await.contains(&"ann@example.com".to_owned()));
    }

    async fn other_peoples_accounts_are_brought_in_and_put_out_but_not_taken_over(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        let one = format!("Users/{}", provider.user("stranger@example.com").await);
        assert!(members(&app, &world).await.contains(&"stranger@example.com".to_owned()));
        let mail = json!([{"op": "replace", "path": "userName", "value": "mine@example.com"}]);
        assert_eq!(provider.patch(&one, mail).await.expect(400)["scimType"], "mutability");
        let name = json!([{"op": "replace", "path": "name.givenName", "value": "Mallory"}]);
        assert_eq!(provider.patch(&one, name).await.expect(200)["name"]["givenName"], "Test");
        provider.call(Method::DELETE, &one, None).await.expect(204);
        // He still has his own organisation, and is still signed in to it.
        assert_eq!(app.get(&world.stranger, "/api/v1/organisations/").await.expect(200)["count"], 1);
        let elsewhere = Provider::of(&app, &World { organisation: app.organisation("Third", &world.admin, "ADMIN").await, ..world.clone() }).await;
        let made = provider.user("new@example.com").await;
        elsewhere.get(&format!("Users/{made}")).await.expect(404);
        elsewhere.call(Method::DELETE, &format!("Users/{made}"), None).await.expect(404);
    }

    async fn groups_are_the_organisations_groups_and_their_members_change(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        let (ann, bob) = (provider.user("ann@example.com").await, provider.user("bob@example.com").await);
        let body = json!({"schemas": [GROUP], "displayName": "developers", "externalId": "g1", "members": [{"value": ann}]});
        let made = provider.post("Groups", body.clone()).await.expect(201);
        assert_eq!((&made["displayName"], &made["externalId"]), (&json!("developers"), &json!("g1")));
        assert_eq!(made["members"], json!([{"value": ann, "display": "ann@example.com"}]));
        assert_eq!(provider.post("Groups", body).await.expect(409)["scimType"], "uniqueness");
        let found = provider.get("Groups?filter=displayName%20eq%20%22Developers%22&excludedAttributes=members").await.expect(200);
        assert_eq!((&found["totalResults"], found["Resources"][0].get("members")), (&json!(1), None));
        let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
        let listed = app.get(&world.admin, &groups).await.expect(200);
        assert_eq!((&listed["results"][0]["external_id"], &listed["results"][0]["users"][0]["email"]),
            (&json!("g1"), &json!("ann@example.com")));

        let one = format!("Groups/{}", made["id"].as_str().expect("an id"));
        let emails = |group: Value| -> Vec<String> {
            let members = group["members"].as_array().cloned().unwrap_or_default();
            members.iter().filter_map(|member| member["display"].as_str().map(str::to_owned)).collect()
        };
        let both = provider.patch(&one, json!([{"op": "add", "path": "members", "value": [{"value": bob}]}])).await.expect(200);
        assert_eq!(emails(both), ["ann@example.com", "bob@example.com"]);
        let path = format!("members[value eq \"{ann}\"]");
        let left = provider.patch(&one, json!([{"op": "remove", "path": path}])).await.expect(200);
        assert_eq!(emails(left), ["bob@example.com"]);
        let none = provider.patch(&one, json!([{"op": "remove", "path": "members", "value": [{"value": bob}]}])).await.expect(200);
        assert_eq!(emails(none), Vec::<String>::new());
        let change = json!([{"op": "replace", "value": {"displayName": "devs", "members": [{"value": ann}]}}]);
        let named = provider.patch(&one, change).await.expect(200);
        assert_eq!((&named["displayName"], emails(named.clone())), (&json!("devs"), vec!["ann@example.com".to_owned()]));
        let mine = provider.get(&format!("Users/{ann}")).await.expect(200);
        assert_eq!(mine["groups"][0]["display"], "devs");
        let unknown = provider.patch(&one, json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}])).await;
        assert_eq!(unknown.expect(400)["scimType"], "invalidValue");
        let emptied = provider.call(Method::PUT, &one, Some(json!({"displayName": "devs"}))).await.expect(200);
        assert_eq!((&emptied["members"], &emptied["externalId"]), (&json!([]), &json!("g1")));
        provider.call(Method::DELETE, &one, None).await.expect(204);
        provider.get(&one).await.expect(404);
    }

    async fn permissions_come_with_a_group_that_the_provider_keeps(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        let group = provider.post("Groups", json!({"displayName": "readers"})).await.expect(201);
        let group = group["id"].as_str().expect("an id");
        let body = json!({"group": group.parse::<i64>().expect("a number"), "permissions": ["VIEW_PROJECT"]});
        let path = format!("/api/v1/projects/{}/user-group-permissions/", world.project);
        app.post(&world.admin, &path, &body).await.expect(201);
        let project = format!("/api/v1/projects/{}/", world.project);
        app.get(&world.member, &project).await.expect(404);
        let found = provider.get("Users?filter=userName%20eq%20%22member@example.com%22").await.expect(200);
        let member = json!([{"op": "add", "path": "members", "value": [{"value": found["Resources"][0]["id"]}]}]);
        provider.patch(&format!("Groups/{group}"), member).await.expect(200);
        app.get(&world.member, &project).await.expect(200);
    }

    async fn a_provider_learns_what_it_can_ask_for(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        assert_eq!(provider.get("ServiceProviderConfig").await.expect(200)["patch"]["supported"], true);
        for (path, ids) in [("ResourceTypes", ["User", "Group"]), ("Schemas", [USER, GROUP])] {
            let listed = provider.get(path).await.expect(200);
            for id in ids {
                assert!(listed["Resources"].as_array().is_some_and(|all| all.iter().any(|one| one["id"] == id)), "{id}");
                assert_eq!(provider.get(&format!("{path}/{id}")).await.expect(200)["id"], id);
            }
        }
        provider.get("Schemas/nonsense").await.expect(404);
        for body in [json!({}), json!({"userName": "no address"}), json!({"userName": 7}),
                     json!({"userName": "a@example.com", "active": "perhaps"}),
                     json!({"userName": "a@example.com", "name": {"givenName": "x".repeat(151)}})] {
            assert_eq!(provider.post("Users", body).await.expect(400)["scimType"], "invalidValue");
        }
        provider.call(Method::POST, "Users", None).await.expect(400);
    }

    async fn a_provider_reads_one_of_its_groups_and_none_of_others(app) {
        let world = app.world().await;
        let provider = Provider::of(&app, &world).await;
        let ann = provider.user("ann@example.com").await;
        let body = json!({"schemas": [GROUP], "displayName": "developers", "members": [{"value": ann}]});
        let made = provider.post("Groups", body).await.expect(201);
        let one = format!("Groups/{}", made["id"].as_str().expect("an id"));
        let found = provider.get(&one).await.expect(200);
        assert_eq!((&found["id"], &found["displayName"], &found["members"]),
            (&made["id"], &json!("developers"), &json!([{"value": ann, "display": "ann@example.com"}])));
        let elsewhere = World { organisation: app.organisation("Third", &world.admin, "ADMIN").await, ..world.clone() };
        Provider::of(&app, &elsewhere).await.get(&one).await.expect(404);
        provider.get("Groups/nonsense").await.expect(404);
    }

}

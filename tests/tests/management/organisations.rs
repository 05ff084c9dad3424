//! `/api/v1/organisations/` with members, groups, invitations and keys.

use axum::http::Method;
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

/// A user with a token.
struct Person {
    token: String,
    id: Value,
}

impl Person {
    async fn new(app: &TestApp, email: &str) -> Self {
        let token = app.sign_up(email).await;
        let me = app
            .manage(&token, Method::GET, "/api/v1/auth/users/me/", None)
            .await;
        Self {
            token,
            id: me.expect(200)["id"].clone(),
        }
    }

    async fn get(&self, app: &TestApp, path: &str) -> Answer {
        app.manage(&self.token, Method::GET, &format!("/api/v1/{path}"), None)
            .await
    }

    async fn post(&self, app: &TestApp, path: &str, body: Value) -> Answer {
        app.manage(&self.token, Method::POST, &format!("/api/v1/{path}"), Some(&body))
            .await
    }

    async fn patch(&self, app: &TestApp, path: &str, body: Value) -> Answer {
        app.manage(
            &self.token,
            Method::PATCH,
            &format!("/api/v1/{path}"),
            Some(&body),
        )
        .await
    }

    async fn delete(&self, app: &TestApp, path: &str) -> Answer {
        app.manage(&self.token, Method::DELETE, &format!("/api/v1/{path}"), None)
            .await
    }
}

/// An organisation (its path) with an administrator, an ordinary member and a stranger who has one of his own.
async fn acme(app: &TestApp) -> (String, Person, Person, Person) {
    let ada = Person::new(app, "ada@example.com").await;
    let bob = Person::new(app, "bob@example.com").await;
    let eve = Person::new(app, "eve@example.com").await;
    let created = ada
        .post(app, "organisations/", json!({"name": "Acme"}))
        .await
        .expect(201);
    eve.post(app, "organisations/", json!({"name": "Evil"}))
        .await
        .expect(201);
    let path = format!("organisations/{}", created["id"]);
    let link = ada
        .post(app, &format!("{path}/invite-links/"), json!({"role": "USER"}))
        .await
        .expect(201);
    let hash = link["hash"].as_str().expect("a hash");
    bob.post(app, &format!("users/join/link/{hash}/"), json!({}))
        .await
        .expect(200);
    (path, ada, bob, eve)
}

async fn project(app: &TestApp, owner: &Person, organisation: &str) -> String {
    let id: i64 = organisation
        .rsplit('/')
        .next()
        .and_then(|id| id.parse().ok())
        .expect("an id");
    let created = owner
        .post(app, "projects/", json!({"name": "Web", "organisation": id}))
        .await
        .expect(201);
    format!("projects/{}", created["id"])
}

both! {
    async fn an_organisation_is_created_changed_and_deleted_by_its_administrator(app) {
        let (acme, ada, _, _) = acme(&app).await;
        let list = ada.get(&app, "organisations/").await.expect(200);
        assert_eq!((&list["count"], &list["results"][0]["role"]), (&json!(1), &json!("ADMIN")));
        assert_eq!(list["results"][0]["num_seats"], 2);
        let changed = ada.patch(&app, &format!("{acme}/"), json!({"name": "Acme Inc", "persist_trait_data": false})).await;
        let changed = changed.expect(200);
        assert_eq!((&changed["name"], &changed["persist_trait_data"]), (&json!("Acme Inc"), &json!(true)));
        let uuid = changed["uuid"].as_str().expect("a uuid");
        ada.get(&app, &format!("organisations/get-by-uuid/{uuid}/")).await.expect(200);
        project(&app, &ada, &acme).await;
        ada.delete(&app, &format!("{acme}/")).await.expect(204);
        ada.get(&app, &format!("{acme}/")).await.expect(403);
        assert_eq!(ada.get(&app, "projects/").await.expect(200), json!([]));
    }

    async fn what_no_organisation_can_be_is_refused(app) {
        let (acme, ada, _, _) = acme(&app).await;
        for name in [json!(null), json!(""), json!({"a": 1}), json!("x".repeat(2001)), json!("a\u{0}b")] {
            ada.post(&app, "organisations/", json!({"name": name})).await.expect(400);
        }
        ada.patch(&app, &format!("{acme}/"), json!({"webhook_notification_email": "x"})).await.expect(400);
        let wrong = ada.get(&app, "organisations/abc/").await.expect(400);
        assert_eq!(wrong, json!(["Invalid organisation ID"]));
        ada.get(&app, "organisations/99999999999999999999/").await.expect(400);
        ada.get(&app, "organisations/9223372036854775807/").await.expect(403);
    }

    async fn a_stranger_sees_and_changes_nothing_of_an_organisation(app) {
        let (acme, ada, bob, eve) = acme(&app).await;
        let details = ada.get(&app, &format!("{acme}/")).await.expect(200);
        let group = ada.post(&app, &format!("{acme}/groups/"), json!({"name": "devs"})).await.expect(201)["id"].clone();
        for path in ["", "users/", "groups/", "groups/summaries/", "groups/my-groups/", "invites/", "invite-links/",
                     "master-api-keys/", "my-permissions/", "user-permissions/", "user-group-permissions/", "projects/",
                     "usage/", "usage-data/", "usage-data/total-count/", "get-subscription-metadata/",
                     "api-usage-notification/"] {
            eve.get(&app, &format!("{acme}/{path}")).await.expect(403);
        }
        for (path, body) in [("invite/", json!({"emails": ["x@example.com"]})), ("invite-links/", json!({})),
                             ("groups/", json!({"name": "x"})), ("master-api-keys/", json!({"name": "x"})),
                             ("remove-users/", json!([{"id": bob.id}])),
                             ("user-permissions/", json!({"user": bob.id, "permissions": []}))] {
            eve.post(&app, &format!("{acme}/{path}"), body.clone()).await.expect(403);
            bob.post(&app, &format!("{acme}/{path}"), body).await.expect(403);
        }
        eve.get(&app, &format!("{acme}/groups/{group}/")).await.expect(403);
        eve.patch(&app, &format!("{acme}/"), json!({"name": "hax"})).await.expect(403);
        eve.delete(&app, &format!("{acme}/")).await.expect(403);
        bob.delete(&app, &format!("{acme}/")).await.expect(403);
        let uuid = details["uuid"].as_str().expect("a uuid");
        eve.get(&app, &format!("organisations/get-by-uuid/{uuid}/")).await.expect(404);
        assert_eq!(eve.get(&app, "organisations/").await.expect(200)["count"], 1);
    }

    async fn an_organisation_keeps_an_administrator(app) {
        let (acme, ada, bob, _) = acme(&app).await;
        let role = |person: &Person| format!("{acme}/users/{}/update-role/", person.id);
        ada.post(&app, &role(&ada), json!({"role": "USER"})).await.expect(400);
        ada.post(&app, &format!("{acme}/remove-users/"), json!([{"id": ada.id}])).await.expect(400);
        let body = json!({"current_password": "Correct-Horse-7", "delete_orphan_organisations": true});
        let path = "/api/v1/auth/users/me/";
        app.manage(&ada.token, Method::DELETE, path, Some(&body)).await.expect(400);
        ada.post(&app, &role(&bob), json!({"role": "BOSS"})).await.expect(400);
        bob.post(&app, &role(&bob), json!({"role": "ADMIN"})).await.expect(403);
        assert_eq!(ada.post(&app, &role(&bob), json!({"role": "ADMIN"})).await.expect(200)["role"], "ADMIN");
        ada.post(&app, &role(&ada), json!({"role": "USER"})).await.expect(200);
        ada.patch(&app, &format!("{acme}/"), json!({"name": "x"})).await.expect(403);
    }

    async fn a_removed_member_loses_groups_and_grants_for_good(app) {
        let (acme, ada, bob, _) = acme(&app).await;
        let web = project(&app, &ada, &acme).await;
        let body = json!({"user": bob.id, "permissions": ["VIEW_PROJECT"]});
        ada.post(&app, &format!("{web}/user-permissions/"), body).await.expect(201);
        let group = ada.post(&app, &format!("{acme}/groups/"), json!({"name": "devs"})).await.expect(201)["id"].clone();
        let users = json!({"user_ids": [bob.id]});
        ada.post(&app, &format!("{acme}/groups/{group}/add-users/"), users).await.expect(200);
        bob.get(&app, &format!("{web}/")).await.expect(200);
        let gone = json!([{"id": bob.id}]);
        assert_eq!(ada.post(&app, &format!("{acme}/remove-users/"), gone.clone()).await.expect(200), gone);
        bob.get(&app, &format!("{web}/")).await.expect(404);
        // Coming back does not bring back what he had.
        let link = ada.post(&app, &format!("{acme}/invite-links/"), json!({})).await.expect(201);
        let hash = link["hash"].as_str().expect("a hash");
        bob.post(&app, &format!("users/join/link/{hash}/"), json!({})).await.expect(200);
        bob.get(&app, &format!("{web}/")).await.expect(404);
        assert_eq!(bob.get(&app, &format!("{acme}/groups/my-groups/")).await.expect(200)["count"], 0);
    }

    async fn invitations_are_checked_together(app) {
        let (acme, ada, _, _) = acme(&app).await;
        let path = format!("{acme}/invite/");
        let body = json!({"invites": [{"email": "zoe@example.com"}], "emails": ["Yan@example.com"]});
        let written = ada.post(&app, &path, body).await.expect(201);
        assert_eq!((&written[0]["role"], &written[1]["email"]), (&json!("USER"), &json!("yan@example.com")));
        let body = json!({"invites": [{"email": "new@example.com"}, {"email": "zoe@example.com"}]});
        let wrong = ada.post(&app, &path, body).await.expect(400);
        assert_eq!(wrong, json!({"invites": [{}, {"email": ["Invite for email zoe@example.com already exists"]}]}));
        let body = json!({"invites": [{"email": "x", "role": "BOSS"}]});
        let wrong = ada.post(&app, &path, body).await.expect(400);
        assert_eq!(wrong["invites"][0].as_object().expect("fields").len(), 2);
        ada.post(&app, &path, json!({"invites": [{"email": "bob@example.com"}]})).await.expect(400);
        let body = json!({"invites": [{"email": "q@example.com", "permission_groups": [99]}]});
        ada.post(&app, &path, body).await.expect(400);
        let list = ada.get(&app, &format!("{acme}/invites/")).await.expect(200);
        assert_eq!(list["count"], 2);
        assert!(!list.to_string().contains("hash"));
        let id = &list["results"][0]["id"];
        ada.post(&app, &format!("{acme}/invites/{id}/resend/"), json!({})).await.expect(200);
        ada.delete(&app, &format!("{acme}/invites/{id}/")).await.expect(204);
        ada.delete(&app, &format!("{acme}/invites/{id}/")).await.expect(404);
    }

    async fn an_invitation_is_for_its_address_and_used_up(app) {
        let (acme, ada, _, eve) = acme(&app).await;
        let zoe = Person::new(&app, "zoe@example.com").await;
        let groups = format!("{acme}/groups/");
        let invited = ada.post(&app, &groups, json!({"name": "devs"})).await.expect(201)["id"].clone();
        ada.post(&app, &groups, json!({"name": "all", "is_default": true})).await.expect(201);
        ada.post(&app, &groups, json!({"name": "other"})).await.expect(201);
        let body = json!({"email": "zoe@example.com", "role": "ADMIN", "permission_groups": [invited]});
        ada.post(&app, &format!("{acme}/invites/"), body).await.expect(201);
        let id: i64 = acme.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
        let mut tx = app.app.db().read().await.expect("a transaction");
        let invites = burgee_store::invites::list(&mut tx, id).await.expect("a read");
        drop(tx);
        let url = burgee_app::invites::invite_url(&app.app, &invites[0]);
        let hash = url.rsplit('/').next().expect("a hash");
        eve.post(&app, &format!("users/join/{hash}/"), json!({})).await.expect(400);
        let joined = zoe.post(&app, &format!("users/join/{hash}/"), json!({})).await.expect(200);
        assert_eq!(joined["role"], "ADMIN");
        zoe.post(&app, &format!("users/join/{hash}/"), json!({})).await.expect(404);
        let mine = zoe.get(&app, &format!("{acme}/groups/my-groups/")).await.expect(200);
        assert_eq!(mine["count"], 2);
    }

    async fn a_link_lets_in_until_it_expires_or_goes(app) {
        let (acme, ada, _, eve) = acme(&app).await;
        let links = format!("{acme}/invite-links/");
        let old = ada.post(&app, &links, json!({"role": "USER", "expires_at": "2020-01-01T00:00:00Z"})).await.expect(201);
        let join = |link: &Value| format!("users/join/link/{}/", link["hash"].as_str().expect("a hash"));
        eve.post(&app, &join(&old), json!({})).await.expect(400);
        let link = ada.post(&app, &links, json!({})).await.expect(201);
        let joined = eve.post(&app, &join(&link), json!({})).await.expect(200);
        assert_eq!((&joined["role"], &joined["num_seats"]), (&json!("USER"), &json!(3)));
        // Once more changes nothing: an administrator's role least of all.
        eve.post(&app, &join(&link), json!({})).await.expect(200);
        assert_eq!(ada.post(&app, &join(&link), json!({})).await.expect(200)["role"], "ADMIN");
        ada.delete(&app, &format!("{links}{}/", link["id"])).await.expect(204);
        eve.post(&app, &join(&link), json!({})).await.expect(404);
        eve.post(&app, "users/join/link/%00/", json!({})).await.expect(404);
    }

    async fn groups_are_managed_by_who_may_and_by_their_own_administrators(app) {
        let (acme, ada, bob, eve) = acme(&app).await;
        let groups = format!("{acme}/groups/");
        ada.post(&app, &groups, json!({"name": "x".repeat(201)})).await.expect(400);
        let devs = ada.post(&app, &groups, json!({"name": "devs"})).await.expect(201);
        let one = format!("{groups}{}/", devs["id"]);
        bob.get(&app, &one).await.expect(403);
        let wrong = ada.post(&app, &format!("{one}add-users/"), json!({"user_ids": [eve.id]})).await.expect(400);
        assert_eq!(wrong, json!({"detail": "Users  do not exist in this organisation"}));
        let added = ada.post(&app, &format!("{one}add-users/"), json!({"user_ids": [bob.id]})).await.expect(200);
        assert_eq!(added["users"][0]["group_admin"], false);
        // The dashboard leaves out the last slash here.
        let make = format!("{one}users/{}/make-admin", bob.id);
        bob.post(&app, &make, json!({})).await.expect(403);
        ada.post(&app, &make, json!({})).await.expect(200);
        ada.post(&app, &format!("{one}users/{}/make-admin", eve.id), json!({})).await.expect(404);
        bob.patch(&app, &one, json!({"name": "developers"})).await.expect(200);
        assert_eq!(bob.get(&app, &groups).await.expect(200)["count"], 1);
        bob.post(&app, &groups, json!({"name": "mine"})).await.expect(403);
        ada.post(&app, &format!("{one}users/{}/remove-admin", bob.id), json!({})).await.expect(200);
        bob.patch(&app, &one, json!({"name": "x"})).await.expect(403);
        let body = json!({"user": bob.id, "permissions": ["MANAGE_USER_GROUPS"]});
        ada.post(&app, &format!("{acme}/user-permissions/"), body).await.expect(201);
        bob.post(&app, &groups, json!({"name": "mine"})).await.expect(201);
        ada.post(&app, &format!("{one}remove-users/"), json!({"user_ids": [bob.id]})).await.expect(200);
        bob.delete(&app, &one).await.expect(204);
        ada.get(&app, &one).await.expect(404);
    }

    async fn a_foreign_group_is_not_there(app) {
        let (acme, ada, _, eve) = acme(&app).await;
        let evil = eve.get(&app, "organisations/").await.expect(200)["results"][0]["id"].clone();
        let path = format!("organisations/{evil}/groups/");
        let foreign = eve.post(&app, &path, json!({"name": "evil"})).await.expect(201)["id"].clone();
        ada.get(&app, &format!("{acme}/groups/{foreign}/")).await.expect(404);
        let body = json!({"group": foreign, "permissions": []});
        ada.post(&app, &format!("{acme}/user-group-permissions/"), body).await.expect(400);
    }

    async fn a_master_key_is_shown_once_and_administers_its_organisation_only(app) {
        let (acme, ada, bob, eve) = acme(&app).await;
        let keys = format!("{acme}/master-api-keys/");
        ada.post(&app, &keys, json!({})).await.expect(400);
        ada.post(&app, &keys, json!({"name": "x".repeat(51)})).await.expect(400);
        bob.get(&app, &keys).await.expect(403);
        let made = ada.post(&app, &keys, json!({"name": "ci"})).await.expect(201);
        let text = made["key"].as_str().expect("a key").to_owned();
        let prefix = made["prefix"].as_str().expect("a prefix");
        let listed = ada.get(&app, &keys).await.expect(200);
        assert!(!listed.to_string().contains(&text[9..]));
        let header = format!("Api-Key {text}");
        let headers = [("authorization", header.as_str())];
        let get = |path: String| { let app = &app; async move {
            app.call(Method::GET, &format!("/api/v1/{path}"), &headers, None).await.status.as_u16()
        } };
        assert_eq!(get(format!("{acme}/")).await, 200);
        assert_eq!(get(keys.clone()).await, 401);
        assert_eq!(get(format!("{acme}/my-permissions/")).await, 400);
        assert_eq!(get("auth/users/me/".to_owned()).await, 401);
        let evil = eve.get(&app, "organisations/").await.expect(200)["results"][0]["id"].clone();
        assert_eq!(get(format!("organisations/{evil}/")).await, 403);
        app.call(Method::POST, "/api/v1/organisations/", &headers, Some(&json!({"name": "x"}))).await.expect(401);

        let one = format!("{keys}{prefix}/");
        eve.get(&app, &format!("organisations/{evil}/master-api-keys/{prefix}/")).await.expect(404);
        ada.patch(&app, &one, json!({"expiry_date": "2020-01-01T00:00:00Z"})).await.expect(200);
        assert_eq!(get(format!("{acme}/")).await, 401);
        ada.patch(&app, &one, json!({"expiry_date": null})).await.expect(200);
        assert_eq!(get(format!("{acme}/")).await, 200);
        ada.patch(&app, &one, json!({"revoked": true})).await.expect(200);
        assert_eq!(get(format!("{acme}/")).await, 401);
        ada.patch(&app, &one, json!({"revoked": false})).await.expect(400);
        ada.delete(&app, &one).await.expect(204);
        ada.get(&app, &one).await.expect(404);
    }

    async fn a_grant_opens_exactly_what_it_says(app) {
        let (acme, ada, bob, _) = acme(&app).await;
        let web = project(&app, &ada, &acme).await;
        let grants = format!("{web}/user-permissions/");
        bob.get(&app, &format!("{web}/my-permissions/")).await.expect(404);
        bob.get(&app, &grants).await.expect(404);
        let body = json!({"user": bob.id, "permissions": ["CREATE_FEATURE", "VIEW_PROJECT"]});
        let made = ada.post(&app, &grants, body).await.expect(201);
        assert_eq!(made["admin"], false);
        let mine = bob.get(&app, &format!("{web}/my-permissions/")).await.expect(200);
        assert_eq!(mine, json!({"permissions": ["VIEW_PROJECT", "CREATE_FEATURE"], "admin": false,
                                "tag_based_permissions": []}));
        bob.get(&app, &grants).await.expect(403);
        bob.patch(&app, &format!("{web}/"), json!({"name": "hax"})).await.expect(403);
        let one = format!("{grants}{}/", made["id"]);
        bob.patch(&app, &one, json!({"admin": true})).await.expect(403);
        ada.patch(&app, &one, json!({"admin": true})).await.expect(200);
        bob.patch(&app, &format!("{web}/"), json!({"stale_flags_limit_days": 3})).await.expect(200);
        let detailed = ada.get(&app, &format!("{web}/user-detailed-permissions/{}/", bob.id)).await.expect(200);
        assert_eq!((&detailed["admin"], &detailed["is_directly_granted"]), (&json!(true), &json!(true)));
        ada.delete(&app, &one).await.expect(204);
        bob.get(&app, &format!("{web}/")).await.expect(404);
        ada.get(&app, &one).await.expect(404);
    }

    async fn what_is_granted_to_a_group_reaches_its_members_and_says_so(app) {
        let (acme, ada, bob, _) = acme(&app).await;
        let web = project(&app, &ada, &acme).await;
        let group = ada.post(&app, &format!("{acme}/groups/"), json!({"name": "devs"})).await.expect(201)["id"].clone();
        let users = json!({"user_ids": [bob.id]});
        ada.post(&app, &format!("{acme}/groups/{group}/add-users/"), users).await.expect(200);
        let body = json!({"group": group, "permissions": ["VIEW_PROJECT"]});
        let grants = format!("{web}/user-group-permissions/");
        let made = ada.post(&app, &grants, body.clone()).await.expect(201);
        assert_eq!(made["group"], group);
        ada.post(&app, &grants, body).await.expect(400);
        assert_eq!(ada.get(&app, &grants).await.expect(200)[0]["group"]["users"], json!([bob.id]));
        bob.get(&app, &format!("{web}/")).await.expect(200);
        let detailed = bob.get(&app, &format!("{web}/user-detailed-permissions/{}/", bob.id)).await.expect(200);
        let expected = json!([{"permission_key": "VIEW_PROJECT", "is_directly_granted": false,
                               "derived_from": {"groups": [{"id": group, "name": "devs"}], "roles": []}}]);
        assert_eq!(detailed["permissions"], expected);
        // A grant to a group is not found among those to users.
        ada.get(&app, &format!("{web}/user-permissions/{}/", made["id"])).await.expect(404);
        ada.delete(&app, &format!("{acme}/groups/{group}/")).await.expect(204);
        bob.get(&app, &format!("{web}/")).await.expect(404);
    }

    async fn grants_are_for_members_and_known_keys_only(app) {
        let (acme, ada, bob, eve) = acme(&app).await;
        let web = project(&app, &ada, &acme).await;
        let grants = format!("{web}/user-permissions/");
        let wrong = ada.post(&app, &grants, json!({"user": bob.id, "permissions": ["NOPE"]})).await.expect(400);
        assert_eq!(wrong, json!({"permissions": ["Invalid pk \"NOPE\" - object does not exist."]}));
        ada.post(&app, &grants, json!({"user": bob.id, "permissions": ["VIEW_ENVIRONMENT"]})).await.expect(400);
        ada.post(&app, &grants, json!({"user": bob.id, "permissions": "VIEW_PROJECT"})).await.expect(400);
        ada.post(&app, &grants, json!({"user": bob.id, "permissions": [{}]})).await.expect(400);
        ada.post(&app, &grants, json!({"permissions": []})).await.expect(400);
        ada.post(&app, &grants, json!({"user": eve.id, "permissions": []})).await.expect(400);
        ada.post(&app, &grants, json!({"user": "x", "permissions": []})).await.expect(400);
        let made = ada.post(&app, &grants, json!({"user": bob.id, "permissions": []})).await.expect(201);
        let wrong = ada.post(&app, &grants, json!({"user": bob.id, "permissions": []})).await.expect(400);
        assert!(wrong["user"].is_array());
        let one = format!("{grants}{}/", made["id"]);
        ada.patch(&app, &one, json!({"user": ada.id})).await.expect(400);
        // One of another object is not there, nor is one of a foreign project.
        ada.get(&app, &format!("{acme}/user-permissions/{}/", made["id"])).await.expect(404);
        eve.delete(&app, &one).await.expect(404);
        ada.get(&app, &format!("{web}/user-detailed-permissions/{}/", eve.id)).await.expect(404);
        ada.get(&app, "projects/abc/my-permissions/").await.expect(404);
        ada.get(&app, "environments/nope/my-permissions/").await.expect(404);
    }

    async fn grants_at_an_environment_are_seen_there_and_made_by_its_administrators(app) {
        let (acme, ada, bob, eve) = acme(&app).await;
        let web = project(&app, &ada, &acme).await;
        let id: i64 = web.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
        let made = ada.post(&app, "environments/", json!({"name": "Development", "project": id})).await.expect(201);
        let environment = format!("environments/{}", made["api_key"].as_str().expect("a key"));
        let grants = format!("{environment}/user-permissions/");
        bob.get(&app, &grants).await.expect(403);
        eve.get(&app, &format!("{environment}/my-permissions/")).await.expect(403);
        let body = json!({"user": bob.id, "permissions": ["VIEW_ENVIRONMENT"]});
        eve.post(&app, &grants, body.clone()).await.expect(403);
        let grant = ada.post(&app, &grants, body).await.expect(201);
        let mine = bob.get(&app, &format!("{environment}/my-permissions/")).await.expect(200);
        assert_eq!((&mine["admin"], &mine["permissions"]), (&json!(false), &json!(["VIEW_ENVIRONMENT"])));
        let seen = bob.get(&app, &format!("{grants}?user={}", bob.id)).await.expect(200);
        assert_eq!((seen.as_array().map(Vec::len), &seen[0]["user"]["email"]), (Some(1), &json!("bob@example.com")));
        let one = format!("{grants}{}/", grant["id"]);
        bob.patch(&app, &one, json!({"admin": true})).await.expect(403);
        // An administrator of the project is one of its environments, and it says through what.
        let group = ada.post(&app, &format!("{acme}/groups/"), json!({"name": "leads"})).await.expect(201)["id"].clone();
        let users = json!({"user_ids": [bob.id]});
        ada.post(&app, &format!("{acme}/groups/{group}/add-users/"), users).await.expect(200);
        let body = json!({"group": group, "admin": true});
        ada.post(&app, &format!("{web}/user-group-permissions/"), body).await.expect(201);
        let path = format!("{environment}/user-detailed-permissions/{}/", bob.id);
        let detailed = bob.get(&app, &path).await.expect(200);
        assert_eq!((&detailed["admin"], &detailed["is_directly_granted"]), (&json!(true), &json!(false)));
        assert_eq!(detailed["derived_from"]["groups"][0]["name"], "leads");
        bob.delete(&app, &one).await.expect(204);
    }

    async fn an_organisations_grant_makes_nobody_its_administrator(app) {
        let (acme, ada, bob, _) = acme(&app).await;
        let body = json!({"user": bob.id, "permissions": ["CREATE_PROJECT"], "admin": true});
        let made = ada.post(&app, &format!("{acme}/user-permissions/"), body).await.expect(201);
        assert_eq!(made, json!({"id": made["id"], "user": bob.id, "permissions": ["CREATE_PROJECT"]}));
        let mine = bob.get(&app, &format!("{acme}/my-permissions/")).await.expect(200);
        assert_eq!((&mine["admin"], &mine["permissions"]), (&json!(false), &json!(["CREATE_PROJECT"])));
        bob.get(&app, &format!("{acme}/")).await.expect(403);
        project(&app, &bob, &acme).await;
    }

    async fn each_level_lists_its_permissions(app) {
        let ada = Person::new(&app, "ada@example.com").await;
        for (level, count) in [("organisations", 2), ("projects", 10), ("environments", 7)] {
            let path = format!("{level}/permissions/");
            assert_eq!(ada.get(&app, &path).await.expect(200).as_array().map(Vec::len), Some(count));
            app.call(Method::GET, &format!("/api/v1/{path}"), &[], None).await.expect(401);
        }
    }
}

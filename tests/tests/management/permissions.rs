//! `…/permissions/`, `…/user-permissions/` and `…/user-group-permissions/` on the three levels.

use burgee_testkit::places::{World, id};
use burgee_testkit::{TestApp, both};
use serde_json::{Value, json};

/// An object with permissions: its path, and two keys of its level in the order in which they are served.
struct Place {
    path: String,
    keys: [&'static str; 2],
    /// Whether a grant there can make somebody its administrator.
    has_admins: bool,
}

/// The organisation, the project and the environment of a world. The first key lets its holder see the object.
fn places(world: &World) -> [Place; 3] {
    let place = |path: String, keys, has_admins| Place {
        path: format!("/api/v1/{path}/"),
        keys,
        has_admins,
    };
    [
        place(
            format!("organisations/{}", world.organisation),
            ["CREATE_PROJECT", "MANAGE_USER_GROUPS"],
            false,
        ),
        place(
            format!("projects/{}", world.project),
            ["VIEW_PROJECT", "MANAGE_TAGS"],
            true,
        ),
        place(
            format!("environments/{}", world.key),
            ["VIEW_ENVIRONMENT", "MANAGE_IDENTITIES"],
            true,
        ),
    ]
}

fn fields(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// The group `devs` with the world's member in it.
async fn group(app: &TestApp, world: &World) -> i64 {
    let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
    let made = app.post(&world.admin, &groups, &json!({"name": "devs"})).await;
    let group = id(&made.expect(201));
    let users = json!({"user_ids": [world.member.id]});
    app.post(&world.admin, &format!("{groups}{group}/add-users/"), &users)
        .await
        .expect(200);
    group
}

/// What the world's member may do at a place; nothing when he may not even see it.
async fn mine(app: &TestApp, world: &World, place: &Place) -> Value {
    let answer = app
        .get(&world.member, &format!("{}my-permissions/", place.path))
        .await;
    match answer.status.as_u16() {
        200 => answer.body["permissions"].clone(),
        status => {
            assert!([403, 404].contains(&status), "{}", answer.text);
            json!([])
        }
    }
}

/// A grant to somebody is made, found, changed, and taken back; `field` says whether he is a user or a group.
async fn kept(app: &TestApp, world: &World, place: &Place, field: &str, whom: i64) {
    let [first, second] = place.keys;
    let all = match field {
        "user" => format!("{}user-permissions/", place.path),
        _ => format!("{}user-group-permissions/", place.path),
    };
    let admin = &world.admin;
    let made = app
        .post(admin, &all, &json!({field: whom, "permissions": [first]}))
        .await
        .expect(201);
    if place.has_admins {
        assert_eq!(fields(&made), ["id", "permissions", "admin", field]);
        assert_eq!(made["admin"], false);
    } else {
        assert_eq!(fields(&made), ["id", field, "permissions"]);
    }
    assert_eq!(
        (&made[field], &made["permissions"]),
        (&json!(whom), &json!([first]))
    );
    assert_eq!(mine(app, world, place).await, json!([first]));
    let one = format!("{all}{}/", id(&made));
    assert_eq!(app.get(admin, &one).await.expect(200), made);
    let found = app.get(admin, &format!("{all}?{field}={whom}")).await.expect(200);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(
        (&found[0]["id"], &found[0][field]["id"]),
        (&made["id"], &json!(whom))
    );
    let nobodys = app.get(admin, &format!("{all}?{field}=99999")).await;
    assert_eq!(nobodys.expect(200), json!([]));

    let both = json!({field: whom, "permissions": [first, second]});
    let changed = app.put(admin, &one, &both).await.expect(200);
    assert_eq!(changed["permissions"], json!([first, second]));
    assert_eq!(mine(app, world, place).await, json!([first, second]));
    let whole = app.put(admin, &one, &json!({"permissions": []})).await;
    assert_eq!(whole.expect(400), json!({field: ["This field is required."]}));
    let wrong = app.patch(admin, &one, &json!({"permissions": ["NOPE"]})).await;
    let text = "Invalid pk \"NOPE\" - object does not exist.";
    assert_eq!(wrong.expect(400), json!({"permissions": [text]}));
    let less = app.patch(admin, &one, &json!({"permissions": [first]})).await;
    assert_eq!(less.expect(200)["permissions"], json!([first]));
    assert_eq!(mine(app, world, place).await, json!([first]));

    app.patch(&world.member, &one, &json!({"permissions": [second]}))
        .await
        .expect(403);
    app.put(&world.member, &one, &both).await.expect(403);
    app.delete(&world.member, &one).await.expect(403);
    for refused in [
        app.get(&world.stranger, &one).await,
        app.put(&world.stranger, &one, &both).await,
        app.delete(&world.stranger, &one).await,
    ] {
        let status = refused.status.as_u16();
        assert!([403, 404].contains(&status), "{status} {}", refused.text);
    }
    app.delete(admin, &one).await.expect(204);
    app.get(admin, &one).await.expect(404);
    app.put(admin, &one, &both).await.expect(404);
    assert_eq!(mine(app, world, place).await, json!([]));
}

/// What the change log says of grants since a moment: what was done, and the keys before and after.
async fn told(app: &TestApp, since: usize) -> Vec<(String, Value, Value)> {
    let keys = |text: Option<&String>| {
        let grant: Value = text.map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"));
        grant["permissions"].clone()
    };
    let log = app.log("PERMISSION").await.into_iter().skip(since);
    log.map(|line| {
        (
            line.action.clone(),
            keys(line.before.as_ref()),
            keys(line.after.as_ref()),
        )
    })
    .collect()
}

both! {
    async fn what_is_granted_to_a_user_on_any_level_is_his_until_it_is_taken_back(app) {
        let world = app.world().await;
        for place in places(&world) {
            let since = app.log("PERMISSION").await.len();
            kept(&app, &world, &place, "user", world.member.id).await;
            let [first, second] = place.keys;
            let action = |name: &str, before: Value, after: Value| (name.to_owned(), before, after);
            assert_eq!(told(&app, since).await, [
                action("CREATE", Value::Null, json!([first])),
                action("UPDATE", json!([first]), json!([first, second])),
                action("UPDATE", json!([first, second]), json!([first])),
                action("DELETE", json!([first]), Value::Null),
            ]);
        }
    }

    async fn what_is_granted_to_a_group_on_any_level_is_its_members_until_it_is_taken_back(app) {
        let world = app.world().await;
        let group = group(&app, &world).await;
        for place in places(&world) {
            kept(&app, &world, &place, "group", group).await;
        }
    }

    async fn a_grant_is_found_only_at_its_own_object_and_among_its_own_kind(app) {
        let world = app.world().await;
        let group = group(&app, &world).await;
        let places = places(&world);
        for (n, place) in places.iter().enumerate() {
            let users = format!("{}user-permissions/", place.path);
            let groups = format!("{}user-group-permissions/", place.path);
            let body = json!({"user": world.member.id, "permissions": place.keys});
            let of_user = id(&app.post(&world.admin, &users, &body).await.expect(201));
            let body = json!({"group": group, "permissions": place.keys});
            let of_group = id(&app.post(&world.admin, &groups, &body).await.expect(201));
            for path in [format!("{users}{of_group}/"), format!("{groups}{of_user}/")] {
                app.get(&world.admin, &path).await.expect(404);
                app.delete(&world.admin, &path).await.expect(404);
            }
            let other = &places[(n + 1) % places.len()].path;
            app.get(&world.admin, &format!("{other}user-permissions/{of_user}/")).await.expect(404);
            app.patch(&world.admin, &format!("{other}user-permissions/{of_user}/"), &json!({"permissions": []})).await.expect(404);
            app.delete(&world.admin, &format!("{other}user-group-permissions/{of_group}/")).await.expect(404);
            assert_eq!(mine(&app, &world, place).await, json!(place.keys));
        }
    }

    async fn an_organisation_has_no_grants_to_strangers_or_to_groups_of_others(app) {
        let world = app.world().await;
        let elsewhere = app.organisation("Third", &world.admin, "ADMIN").await;
        let groups = format!("/api/v1/organisations/{elsewhere}/groups/");
        let theirs = id(&app.post(&world.admin, &groups, &json!({"name": "theirs"})).await.expect(201));
        for place in places(&world) {
            for (kind, field, whom) in [("user-permissions", "user", world.stranger.id), ("user-group-permissions", "group", theirs)] {
                let body = json!({field: whom, "permissions": place.keys});
                let refused = app.post(&world.admin, &format!("{}{kind}/", place.path), &body).await.expect(400);
                assert_eq!(refused, json!({field: [format!("Invalid pk \"{whom}\" - object does not exist.")]}));
            }
        }
        assert!(app.log("PERMISSION").await.iter().all(|line| !line.after.as_deref().unwrap_or_default().contains(&format!("\"user\":{}", world.stranger.id))));
    }

    async fn administrators_are_told_what_a_member_may_do_and_why(app) {
        let world = app.world().await;
        let group = group(&app, &world).await;
        let organisation = format!("/api/v1/organisations/{}/", world.organisation);
        let body = json!({"user": world.member.id, "permissions": ["CREATE_PROJECT"]});
        app.post(&world.admin, &format!("{organisation}user-permissions/"), &body).await.expect(201);
        let body = json!({"group": group, "permissions": ["CREATE_PROJECT", "MANAGE_USER_GROUPS"]});
        app.post(&world.admin, &format!("{organisation}user-group-permissions/"), &body).await.expect(201);
        let path = format!("{organisation}user-detailed-permissions/{}/", world.member.id);
        let groups = json!({"groups": [{"id": group, "name": "devs"}], "roles": []});
        let expected = json!({
            "admin": false,
            "permissions": [
                {"permission_key": "CREATE_PROJECT", "is_directly_granted": true, "derived_from": groups},
                {"permission_key": "MANAGE_USER_GROUPS", "is_directly_granted": false, "derived_from": groups},
            ],
            "is_directly_granted": false,
            "derived_from": {"groups": [], "roles": []},
        });
        assert_eq!(app.get(&world.admin, &path).await.expect(200), expected);
        let detailed = app.get(&world.admin, &format!("{organisation}user-detailed-permissions/{}/", world.admin.id)).await;
        assert_eq!(detailed.expect(200)["is_directly_granted"], true);
        app.get(&world.stranger, &path).await.expect(403);
        app.get(&world.admin, &format!("{organisation}user-detailed-permissions/{}/", world.stranger.id)).await.expect(404);

        let project = format!("/api/v1/projects/{}/", world.project);
        let all = format!("{project}all-user-permissions/{}/", world.member.id);
        let none = json!({"permissions": [], "admin": false, "tag_based_permissions": []});
        assert_eq!(app.get(&world.admin, &all).await.expect(200), none);
        let body = json!({"group": group, "permissions": ["MANAGE_TAGS", "VIEW_PROJECT"]});
        app.post(&world.admin, &format!("{project}user-group-permissions/"), &body).await.expect(201);
        let some = json!({"permissions": ["VIEW_PROJECT", "MANAGE_TAGS"], "admin": false, "tag_based_permissions": []});
        assert_eq!(app.get(&world.admin, &all).await.expect(200), some);
        app.get(&world.member, &all).await.expect(403);
        app.get(&world.admin, &format!("{project}all-user-permissions/{}/", world.stranger.id)).await.expect(404);
    }

    async fn the_documented_permissions_are_those_that_are_served(app) {
        let world = app.world().await;
        let document = include_str!("../../../docs/permissions.md");
        for (level, heading) in [("organisations", "an organisation"), ("projects", "a project"), ("environments", "an environment")] {
            let (_, section) = document.split_once(&format!("## Of {heading}\n")).expect("a section");
            let section = section.split("\n## ").next().expect("a section");
            let documented: Vec<(String, bool)> = section.lines().filter_map(|line| {
                let mut cells = line.strip_prefix("| `")?.split(" | ");
                let key = cells.next()?.trim_end_matches('`').to_owned();
                Some((key, cells.next()? == "yes"))
            }).collect();
            let served = app.get(&world.member, &format!("/api/v1/{level}/permissions/")).await.expect(200);
            let served: Vec<(String, bool)> = served.as_array().expect("a list").iter().map(|permission| {
                assert_eq!(fields(permission), ["key", "description", "supports_tag"]);
                assert!(permission["description"].as_str().is_some_and(|text| text.len() > 20), "{permission}");
                (permission["key"].as_str().expect("a key").to_owned(), permission["supports_tag"] == true)
            }).collect();
            assert_eq!(documented, served, "docs/permissions.md, {heading}");
        }
    }
}

//! `…/list-segments/`

use std::io::Write;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use burgee_store::grants::Object;
use burgee_testkit::{Answer, World, both, flag};
use serde_json::{Value, json};

/// Makes a list segment and returns where its members are, and its segment.
async fn list_segment(world: &World, body: Value) -> (String, i64) {
    let path = format!("/api/v1/projects/{}/list-segments/", world.project);
    let made = world.post(&path, body).await;
    let here = format!(
        "/api/v1/environments/{}/list-segments/{}/",
        world.client,
        made["key"].as_str().unwrap()
    );
    (here, made["segment"].as_i64().unwrap())
}

/// Sends a file of members.
async fn upload(world: &World, here: &str, query: &str, kind: &str, file: impl Into<Body>) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{here}members/upload/?{query}"))
        .header("authorization", format!("Token {}", world.token))
        .header("content-type", kind)
        .body(file.into())
        .unwrap();
    world.app.send(request).await
}

async fn get(world: &World, path: &str) -> Value {
    world
        .app
        .manage(&world.token, Method::GET, path, None)
        .await
        .expect(200)
}

/// The value of the flag for somebody, asked with a GET.
async fn value(world: &World, identifier: &str) -> Value {
    let answer = world
        .sdk(
            Method::GET,
            &format!("/api/v1/identities/?identifier={identifier}"),
            None,
        )
        .await
        .expect(200);
    flag(&answer["flags"], "f").unwrap()["feature_state_value"].clone()
}

/// A flag that is `listed` for the members of a segment.
async fn flag_for(world: &World, segment: i64) {
    let feature = world
        .feature(json!({"name": "f", "initial_value": "plain"}))
        .await;
    world.override_for_segment(feature, segment, "listed").await;
}

fn counts(answer: &Value) -> (i64, i64, i64) {
    let count = |name: &str| answer[name].as_i64().unwrap();
    (count("added"), count("removed"), count("unchanged"))
}

/// The members in a downloaded CSV, sorted.
async fn members(world: &World, here: &str) -> Vec<String> {
    let answer = world
        .app
        .manage(&world.token, Method::GET, &format!("{here}members/"), None)
        .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let mut lines: Vec<String> = answer.text.lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    lines
}

both! {
    async fn members_of_a_list_segment_get_its_overrides_from_the_moment_they_are_added(app) {
        let world = World::new(app).await;
        let (here, segment) = list_segment(&world, json!({"name": "Beta testers", "description": "d"})).await;
        flag_for(&world, segment).await;
        let body = json!({"add": ["ann", "bob", "ann", "007"]});
        let answer = world.post(&format!("{here}members/"), body).await;
        assert_eq!(answer, json!({"added": 3, "removed": 0, "unchanged": 0}));
        assert_eq!(value(&world, "ann").await, "listed");
        assert_eq!(value(&world, "007").await, "listed");
        assert_eq!(value(&world, "7").await, "plain");
        let body = json!({"add": ["bob", "eve"], "remove": ["ann", "nobody"]});
        assert_eq!(counts(&world.post(&format!("{here}members/"), body).await), (1, 1, 2));
        assert_eq!(value(&world, "ann").await, "plain");
        assert_eq!(value(&world, "eve").await, "listed");
        // Traits of the request make no difference, and neither does being unknown.
        let answer = world.identify(json!({"identifier": "eve", "traits": [{"trait_key": "a", "trait_value": 1}], "transient": true})).await;
        assert_eq!(flag(&answer["flags"], "f").unwrap()["feature_state_value"], "listed");
        let ofrep = world.sdk(Method::POST, "/ofrep/v1/evaluate/flags/f", Some(json!({"context": {"targetingKey": "eve"}}))).await.expect(200);
        assert_eq!((&ofrep["value"], &ofrep["reason"]), (&json!("listed"), &json!("TARGETING_MATCH")));
    }

    async fn a_list_segment_is_described_with_its_counts(app) {
        let world = World::new(app).await;
        let path = format!("/api/v1/projects/{}/list-segments/", world.project);
        let made = world.post(&path, json!({"name": "Beta testers!", "description": "d"})).await;
        let fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["segment", "uuid", "key", "name", "description", "managed_by", "context_kind", "unbounded",
            "tags", "created_at", "updated_at"]);
        assert_eq!((&made["key"], &made["context_kind"]), (&json!("beta-testers"), &json!("user")));
        assert_eq!(world.post(&path, json!({"name": "Beta testers"})).await["key"], "beta-testers-2");
        assert_eq!(get(&world, &format!("{path}beta-testers/")).await, made);
        assert_eq!(get(&world, &path).await["count"], 2);
        // It is a segment like others.
        let segment = get(&world, &format!("/api/v1/projects/{}/segments/{}/", world.project, made["segment"])).await;
        assert_eq!((&segment["name"], &segment["rules"]), (&json!("Beta testers!"), &json!([])));

        let here = format!("/api/v1/environments/{}/list-segments/", world.client);
        world.post(&format!("{here}beta-testers/members/"), json!({"add": ["a", "b"]})).await;
        world.post(&format!("{here}beta-testers/members/"), json!({"add": ["c"], "side": "excluded", "context_kind": "company"})).await;
        let shown = get(&world, &format!("{here}beta-testers/")).await;
        assert_eq!((&shown["included"], &shown["excluded"], &shown["version"], &shown["in_document"]),
            (&json!(2), &json!(1), &json!(3), &json!(true)));
        assert_eq!(shown["lists"].as_array().unwrap().iter().map(|list| (&list["side"], &list["context_kind"], &list["members"])).collect::<Vec<_>>(),
            [(&json!("included"), &json!("user"), &json!(2)), (&json!("excluded"), &json!("company"), &json!(1))]);
        assert_eq!(get(&world, &here).await["results"][0], shown);
        let log = world.app.log("SEGMENT_MEMBERS").await;
        assert_eq!(log.len(), 2);
        assert!(log[0].message.as_deref().unwrap().contains("Beta testers! (2 added, 0 removed)"), "{log:?}");
        for word in ["\"a\"", "\"b\"", "\"c\""] {
            assert!(!format!("{log:?}").contains(word), "members are not logged: {log:?}");
        }
    }

    async fn what_is_excluded_or_of_another_kind_counts_before_the_rules(app) {
        let world = World::new(app).await;
        let segment = world.segment("pro", "plan", "EQUAL", "pro").await;
        let (here, same) = list_segment(&world, json!({"segment": segment, "key": "pro"})).await;
        assert_eq!(same, segment);
        flag_for(&world, segment).await;
        world.post(&format!("{here}members/"), json!({"add": ["vip"]})).await;
        world.post(&format!("{here}members/"), json!({"add": ["out", "vip"], "side": "excluded"})).await;
        world.post(&format!("{here}members/"), json!({"add": ["acme", "7"], "context_kind": "company"})).await;
        let with = |identifier: &str, key: &str, value: Value| {
            world.identify(json!({"identifier": identifier, "traits": [{"trait_key": key, "trait_value": value}]}))
        };
        let of = |answer: &Value| flag(&answer["flags"], "f").unwrap()["feature_state_value"].clone();
        assert_eq!(of(&with("someone", "plan", json!("pro")).await), "listed", "the rules hold for others");
        assert_eq!(of(&with("out", "plan", json!("pro")).await), "plain", "not for who is excluded");
        assert_eq!(of(&with("vip", "plan", json!("free")).await), "listed", "who is included is in");
        assert_eq!(of(&with("worker", "company", json!("acme")).await), "listed", "by a trait");
        assert_eq!(of(&with("other", "company", json!(7)).await), "listed", "whatever its type");
        assert_eq!(of(&with("third", "company", json!("emca")).await), "plain");
        world.app.manage(&world.token, Method::POST, &format!("/api/v1/projects/{}/list-segments/", world.project),
            Some(&json!({"segment": segment}))).await.expect(400);
    }

    async fn rules_of_other_segments_ask_for_lists_by_key(app) {
        let world = World::new(app).await;
        let (here, _) = list_segment(&world, json!({"name": "Staff"})).await;
        let segment = world.segment("not staff", "$.lists.staff", "IS_NOT_SET", "").await;
        flag_for(&world, segment).await;
        world.post(&format!("{here}members/"), json!({"add": ["ann"]})).await;
        assert_eq!(value(&world, "ann").await, "plain");
        assert_eq!(value(&world, "bob").await, "listed");
        let inner = |property: &str, operator: &str| json!({"type": "ALL", "conditions": [
            {"property": property, "operator": operator, "value": "x"}], "rules": []});
        let path = format!("/api/v1/projects/{}/segments/", world.project);
        for (property, operator, problem) in [
            ("$.lists.nobody", "IS_SET", "The project has no list segment \"nobody\"."),
            ("$.lists.staff", "EQUAL", "Of a list only IS_SET and IS_NOT_SET can be asked."),
        ] {
            let body = json!({"name": "s", "project": world.project, "rules": [inner(property, operator)]});
            let answer = world.app.manage(&world.token, Method::POST, &path, Some(&body)).await.expect(400);
            assert_eq!(answer["rules"][0]["conditions"][0]["property"][0], problem);
        }
        // The document says the same in words that every SDK understands.
        let document = world.sdk_with(&world.server, Method::GET, "/api/v1/environment-document/", None).await.expect(200);
        let shown = document["project"]["segments"].as_array().unwrap().iter().find(|s| s["name"] == "not staff").unwrap();
        let list = &shown["rules"][0]["rules"][0]["rules"][0]["rules"][0];
        assert_eq!(list, &json!({"type": "NONE", "rules": [], "conditions": [
            {"operator": "IN", "value": "ann", "property_": "$.identity.identifier"}]}), "{shown}");
    }

    async fn keys_with_hyphens_are_asked_for_without_brackets(app) {
        let world = World::new(app).await;
        let (here, _) = list_segment(&world, json!({"name": "High value"})).await;
        let segment = world.segment("valued", "$.lists.high-value", "IS_SET", "").await;
        flag_for(&world, segment).await;
        world.post(&format!("{here}members/"), json!({"add": ["ann"]})).await;
        assert_eq!(value(&world, "ann").await, "listed");
        assert_eq!(value(&world, "bob").await, "plain");
    }

    async fn a_file_replaces_a_list_at_once_and_says_what_changed(app) {
        let world = World::new(app).await;
        let (here, segment) = list_segment(&world, json!({"name": "Many"})).await;
        flag_for(&world, segment).await;
        world.post(&format!("{here}members/"), json!({"add": ["user-1", "gone"]})).await;
        let mut csv = "identifier,plan\n".to_owned();
        for n in 0..30_000 {
            csv.extend(["user-", &n.to_string(), ",pro\n"]);
        }
        csv.extend(["user-7,pro\n,\n", &"x".repeat(2001), "\n"]);
        let answer = upload(&world, &here, "mode=replace", "text/csv", csv).await.expect(200);
        assert_eq!(answer, json!({"version": 2, "members": 30_000, "added": 29_999, "removed": 1, "unchanged": 1,
            "ignored": {"empty": 1, "duplicates": 1, "too_long": 1}}));
        assert_eq!(value(&world, "gone").await, "plain");
        for n in [0, 1, 14_999, 29_999] {
            assert_eq!(value(&world, &format!("user-{n}")).await, "listed");
        }
        assert_eq!(value(&world, "user-30000").await, "plain");
        assert_eq!(members(&world, &here).await.len(), 30_000);
        // Edits count from then on; the same file again changes nothing but them.
        world.post(&format!("{here}members/"), json!({"add": ["late"], "remove": ["user-5"]})).await;
        assert_eq!(value(&world, "user-5").await, "plain");
        let lines = (0..30_000).map(|n| format!("{{\"key\": \"user-{n}\"}}\n")).collect::<Vec<_>>().concat();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(lines.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let answer = upload(&world, &here, "mode=replace", "application/gzip", packed.clone()).await.expect(200);
        assert_eq!((counts(&answer), &answer["version"]), ((1, 1, 29_999), &json!(4)));
        let version = get(&world, &here).await["version"].clone();
        let answer = upload(&world, &here, "mode=replace", "application/gzip", packed).await.expect(200);
        assert_eq!((counts(&answer), &answer["version"]), ((0, 0, 30_000), &json!(4)));
        assert_eq!(get(&world, &here).await["version"], version, "nothing changed");
    }

    async fn files_add_and_remove_many_members_as_well_as_few(app) {
        let world = World::new(app).await;
        let (here, segment) = list_segment(&world, json!({"name": "Many"})).await;
        flag_for(&world, segment).await;
        let lines = |range: std::ops::Range<u32>| range.map(|n| format!("u{n}\n")).collect::<Vec<_>>().concat();
        let answer = upload(&world, &here, "mode=add", "text/csv", lines(0..100)).await.expect(200);
        assert_eq!((counts(&answer), &answer["members"]), ((100, 0, 0), &json!(100)));
        let answer = upload(&world, &here, "mode=add", "text/csv", lines(50..40_000)).await.expect(200);
        assert_eq!((counts(&answer), &answer["members"]), ((39_900, 0, 50), &json!(40_000)));
        let answer = upload(&world, &here, "mode=remove", "text/csv", lines(39_990..40_010)).await.expect(200);
        assert_eq!((counts(&answer), &answer["members"]), ((0, 10, 10), &json!(39_990)));
        let answer = upload(&world, &here, "mode=remove", "text/csv", lines(10..39_000)).await.expect(200);
        assert_eq!((counts(&answer), &answer["members"]), ((0, 38_990, 0), &json!(1_000)));
        assert_eq!(value(&world, "u9").await, "listed");
        assert_eq!(value(&world, "u10").await, "plain");
        assert_eq!(value(&world, "u39989").await, "listed");
        let mut expected: Vec<String> = (0..10).chain(39_000..39_990).map(|n| format!("u{n}")).collect();
        expected.sort();
        assert_eq!(members(&world, &here).await, expected);
    }

    async fn folding_edits_into_blocks_changes_nothing_but_how_they_are_kept(app) {
        let world = World::new(app).await;
        let (here, segment) = list_segment(&world, json!({"name": "Many"})).await;
        flag_for(&world, segment).await;
        let csv = (0..5_000).map(|n| format!("u{n}\n")).collect::<Vec<_>>().concat();
        upload(&world, &here, "mode=replace", "text/csv", csv).await.expect(200);
        let (added, removed): (Vec<String>, Vec<String>) =
            ((5_000..9_000).map(|n| format!("u{n}")).collect(), (0..3_000).map(|n| format!("u{n}")).collect());
        world.post(&format!("{here}members/"), json!({"add": added, "remove": removed})).await;
        let node = world.app.second_node().await;
        let before = members(&world, &here).await;
        assert_eq!(before.len(), 6_000);
        let soon = burgee_model::Timestamp::now().0 + 1_000_000;
        burgee_app::list_segments::fold::fold_settled(&world.app.app, soon).await.unwrap();
        burgee_app::list_segments::fold::sweep(&world.app.app, soon).await.unwrap();
        assert_eq!(members(&world, &here).await, before);
        // A node that knew the list before, and one that begins now.
        world.post(&format!("{here}members/"), json!({"add": ["late"], "remove": ["u8999"]})).await;
        let third = world.app.second_node().await;
        for other in [&node, &third] {
            for attempt in 0.. {
                let headers = [("x-environment-key", world.client.as_str())];
                let answer = other.call(Method::GET, "/api/v1/identities/?identifier=late", &headers, None).await.expect(200);
                if flag(&answer["flags"], "f").unwrap()["feature_state_value"] == "listed" {
                    break;
                }
                assert!(attempt < 200, "the other node does not learn of it");
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            for (identifier, expected) in [("u2999", "plain"), ("u3000", "listed"), ("u8998", "listed"), ("u8999", "plain")] {
                let headers = [("x-environment-key", world.client.as_str())];
                let path = format!("/api/v1/identities/?identifier={identifier}");
                let answer = other.call(Method::GET, &path, &headers, None).await.expect(200);
                assert_eq!(flag(&answer["flags"], "f").unwrap()["feature_state_value"], expected, "{identifier}");
            }
        }
        // What a list that is gone leaves behind is swept.
        let path = format!("/api/v1/projects/{}/segments/{segment}/", world.project);
        world.app.manage(&world.token, Method::DELETE, &path, None).await.expect(204);
        burgee_app::list_segments::fold::sweep(&world.app.app, soon).await.unwrap();
        world.app.manage(&world.token, Method::GET, &here, None).await.expect(404);
    }

    async fn one_member_is_looked_up_and_all_are_downloaded_as_they_are(app) {
        let world = World::new(app).await;
        let (here, _) = list_segment(&world, json!({"name": "Odd"})).await;
        let odd = ["a,b", "say \"hi\"", "ünï", "[1]"];
        world.post(&format!("{here}members/"), json!({"add": odd})).await;
        world.post(&format!("{here}members/"), json!({"add": ["x"], "side": "excluded"})).await;
        let found = get(&world, &format!("{here}members/lookup/?member=a%2Cb")).await;
        assert_eq!(found, json!({"member": "a,b", "context_kind": "user", "included": true, "excluded": false}));
        let found = get(&world, &format!("{here}members/lookup/?member=x")).await;
        assert_eq!((&found["included"], &found["excluded"]), (&json!(false), &json!(true)));
        let answer = world.app.manage(&world.token, Method::GET, &format!("{here}members/?format=ndjson"), None).await;
        let mut lines: Vec<String> = answer.text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["identifier"].as_str().unwrap().to_owned()).collect();
        lines.sort();
        let mut expected = odd.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(lines, expected);
        // What was downloaded can be uploaded.
        let csv = world.app.manage(&world.token, Method::GET, &format!("{here}members/"), None).await.text;
        let answer = upload(&world, &here, "mode=replace", "text/csv", csv).await.expect(200);
        assert_eq!(counts(&answer), (0, 0, 4));
    }

    async fn small_lists_are_in_the_document_and_large_ones_say_why_not(app) {
        let world = World::new(app).await;
        let (here, segment) = list_segment(&world, json!({"name": "Few"})).await;
        flag_for(&world, segment).await;
        world.post(&format!("{here}members/"), json!({"add": ["b", "a"]})).await;
        world.post(&format!("{here}members/"), json!({"add": ["acme"], "context_kind": "company"})).await;
        let document = || async {
            let document = world.sdk_with(&world.server, Method::GET, "/api/v1/environment-document/", None).await.expect(200);
            document["project"]["segments"][0].clone()
        };
        let shown = document().await;
        assert_eq!(shown["rules"], json!([{"type": "ANY", "rules": [], "conditions": [
            {"operator": "IN", "value": "a,b", "property_": "$.identity.identifier"},
            {"operator": "IN", "value": "acme", "property_": "company"}]}]));
        assert_eq!(shown["feature_states"][0]["feature_state_value"], "listed");
        let csv = (0..2_000).map(|n| format!("u{n}\n")).collect::<Vec<_>>().concat();
        upload(&world, &here, "mode=add", "text/csv", csv).await.expect(200);
        assert_eq!(document().await["rules"], json!([{"type": "ALL", "rules": [], "conditions": [
            {"operator": "IS_SET", "value": "2003 members: evaluated by the server only", "property_": "$.lists['few']"}]}]));
        assert_eq!(get(&world, &here).await["in_document"], false);
        assert_eq!(value(&world, "u1999").await, "listed");
    }

    async fn bad_input_is_refused_with_the_name_of_the_field_and_nothing_happens(app) {
        let world = World::new(app).await;
        let lists = format!("/api/v1/projects/{}/list-segments/", world.project);
        let refuse = |path: String, body: Value| {
            let world = &world;
            async move { world.app.manage(&world.token, Method::POST, &path, Some(&body)).await.expect(400) }
        };
        assert_eq!(refuse(lists.clone(), json!({})).await, json!({"name": ["This field is required."]}));
        assert!(refuse(lists.clone(), json!({"name": "x", "key": "no spaces"})).await["key"].is_array());
        assert!(refuse(lists.clone(), json!({"name": "x", "context_kind": "a/b"})).await["context_kind"].is_array());
        assert!(refuse(lists.clone(), json!({"segment": 999_999})).await["segment"].is_array());
        let (here, _) = list_segment(&world, json!({"name": "Few"})).await;
        assert!(refuse(lists, json!({"name": "x", "key": "few"})).await["key"].is_array());
        let edits = format!("{here}members/");
        assert!(refuse(edits.clone(), json!({"add": "ann"})).await["add"].is_object());
        assert!(refuse(edits.clone(), json!({"add": ["ann", ""]})).await["add"].is_array());
        assert!(refuse(edits.clone(), json!({"add": ["ann"], "side": "left"})).await["side"].is_array());
        assert!(refuse(edits.clone(), json!({"add": ["ann"], "context_kind": "a b"})).await["context_kind"].is_array());
        let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
        assert!(refuse(edits, json!({"add": many})).await["add"].is_array());
        for (query, kind, file, field) in [
            ("", "text/csv", "a", "mode"),
            ("mode=overwrite", "text/csv", "a", "mode"),
            ("mode=add&side=both", "text/csv", "a", "side"),
            ("mode=add&format=xml", "text/csv", "a", "format"),
            ("mode=add", "application/x-ndjson", "a", "file"),
            ("mode=add", "application/x-ndjson", "{\"name\": \"a\"}", "file"),
            ("mode=replace", "application/gzip", "\u{1f}\u{8b}nothing", "file"),
        ] {
            let file = if kind == "application/gzip" { vec![0x1f, 0x8b, 8, 0, 1] } else { file.as_bytes().to_vec() };
            let answer = upload(&world, &here, query, kind, file).await.expect(400);
            assert!(answer[field].is_array(), "{query}: {answer}");
        }
        assert_eq!(get(&world, &here).await["version"], 1);
        world.app.manage(&world.token, Method::GET, &format!("{here}members/lookup/"), None).await.expect(400);
    }

    async fn members_are_changed_and_seen_only_by_those_who_may(app) {
        let world = World::new(app).await;
        let (here, _) = list_segment(&world, json!({"name": "Few"})).await;
        world.post(&format!("{here}members/"), json!({"add": ["treasure"]})).await;
        let member = world.app.person("member").await;
        world.app.join(world.organisation, &member, "USER").await;
        let edit = json!({"add": ["x"]});
        let refused = |answer: Answer| assert!([403, 404].contains(&answer.status.as_u16()), "{}", answer.text);
        refused(world.app.post(&member, &format!("{here}members/"), &edit).await);
        refused(world.app.get(&member, &here).await);
        world.app.grant(&member, Object::Environment(world.environment), &["VIEW_ENVIRONMENT"]).await;
        world.app.get(&member, &here).await.expect(200);
        refused(world.app.get(&member, &format!("{here}members/")).await);
        refused(world.app.get(&member, &format!("{here}members/lookup/?member=treasure")).await);
        refused(world.app.post(&member, &format!("{here}members/"), &edit).await);
        refused(world.app.post(&member, &format!("{here}members/upload/?mode=replace"), &edit).await);
        refused(world.app.post(&member, &format!("/api/v1/projects/{}/list-segments/", world.project), &json!({"name": "x"})).await);
        world.app.grant(&member, Object::Environment(world.environment), &["MANAGE_SEGMENT_OVERRIDES", "VIEW_IDENTITIES"]).await;
        world.app.post(&member, &format!("{here}members/"), &edit).await.expect(200);
        world.app.get(&member, &format!("{here}members/lookup/?member=treasure")).await.expect(200);
        let stranger = world.app.person("stranger").await;
        world.app.organisation("Elsewhere", &stranger, "ADMIN").await;
        refused(world.app.post(&stranger, &format!("{here}members/"), &edit).await);
        refused(world.app.get(&stranger, &format!("{here}members/")).await);
    }

    async fn a_change_of_members_is_told_in_realtime(app) {
        let world = World::new(app).await;
        world.manage(Method::PATCH, &format!("/api/v1/projects/{}/", world.project), json!({"enable_realtime_updates": true})).await;
        let (here, _) = list_segment(&world, json!({"name": "Few"})).await;
        let served = world.app.app.environments().by_id(world.environment).unwrap();
        let mut changes = served.follow();
        changes.mark_unchanged();
        world.post(&format!("{here}members/"), json!({"add": ["ann"]})).await;
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        world.post(&format!("{here}members/"), json!({"add": ["ann"]})).await;
        assert!(!changes.has_changed().unwrap(), "who was in already changes nothing");
    }
}

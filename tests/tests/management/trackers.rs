//! Issue trackers: GitHub and GitLab are told of linked features, and tell how issues stand.

use axum::http::Method;
use burgee_app::{deliveries, tasks};
use burgee_auth::signatures;
use burgee_store::grants::Object;
use burgee_testkit::places::World;
use burgee_testkit::trackers::{Done, GITLAB_TOKEN, INSTALLATION, Trackers, WEBHOOK_SECRET};
use burgee_testkit::{Answer, TestApp, both, id};
use burgee_worker::queue;
use serde_json::{Value, json};

const ISSUE: &str = "https://github.com/acme/web/issues/7";
const PULL: &str = "https://github.com/Acme/Web/pull/8";

async fn reaching(app: &TestApp) -> (TestApp, Trackers) {
    let trackers = Trackers::start().await;
    (app.node_with(trackers.settings()).await, trackers)
}

/// Reads the log and does what follows from it.
async fn settle(app: &TestApp) {
    deliveries::read_on(&app.app).await.expect("the log is read");
    queue::run_due(&app.app, queue::KINDS)
        .await
        .expect("tasks are done");
}

fn configurations(organisation: i64) -> String {
    format!("/api/v1/organisations/{organisation}/integrations/github/")
}

/// Sets up GitHub with a repository; returns the path of the repository.
async fn set_up(app: &TestApp, world: &World, tagging_enabled: bool) -> String {
    let path = configurations(world.organisation);
    let body = json!({"installation_id": INSTALLATION});
    let made = id(&app.post(&world.admin, &path, &body).await.expect(201));
    let path = format!("{path}{made}/repositories/");
    let body = json!({
        "project": world.project, "repository_owner": "acme", "repository_name": "web", "tagging_enabled": tagging_enabled,
    });
    let repository = id(&app.post(&world.admin, &path, &body).await.expect(201));
    format!("{path}{repository}/")
}

async fn feature(app: &TestApp, world: &World, name: &str) -> i64 {
    let path = format!("/api/v1/projects/{}/features/", world.project);
    let body = json!({"name": name, "initial_value": "blue"});
    let made = id(&app.post(&world.admin, &path, &body).await.expect(201));
    settle(app).await;
    made
}

fn links(world: &World, feature: i64) -> String {
    format!(
        "/api/v1/projects/{}/features/{feature}/feature-external-resources/",
        world.project
    )
}

async fn link(app: &TestApp, world: &World, feature: i64, (url, kind): (&str, &str), metadata: Value) -> i64 {
    let body = json!({"url": url, "type": kind, "feature": feature, "metadata": metadata});
    id(&app
        .post(&world.admin, &links(world, feature), &body)
        .await
        .expect(201))
}

/// The system tags of a feature.
async fn tags(app: &TestApp, world: &World, feature: i64) -> Vec<String> {
    let path = format!("/api/v1/projects/{}/", world.project);
    let carried = app
        .get(&world.admin, &format!("{path}features/{feature}/"))
        .await
        .expect(200)["tags"]
        .clone();
    let all = app.get(&world.admin, &format!("{path}tags/")).await.expect(200);
    let all = all["results"].as_array().expect("tags").clone();
    let carried = all
        .iter()
        .filter(|tag| tag["is_system_tag"] == true && carried.as_array().expect("ids").contains(&tag["id"]));
    let text = |tag: &Value| {
        format!(
            "{} {}",
            tag["type"].as_str().unwrap(),
            tag["label"].as_str().unwrap()
        )
    };
    carried.map(text).collect()
}

/// Toggles a flag for everyone.
async fn toggle(app: &TestApp, world: &World, feature: i64, enabled: bool) {
    let states = format!("/api/v1/environments/{}/featurestates/", world.key);
    let found = app
        .get(&world.admin, &format!("{states}?feature={feature}"))
        .await
        .expect(200);
    let path = format!("{states}{}/", id(&found["results"][0]));
    app.put(
        &world.admin,
        &path,
        &json!({"enabled": enabled, "feature_state_value": "blue"}),
    )
    .await
    .expect(200);
}

/// What GitHub sends of an event.
async fn event(app: &TestApp, kind: &str, body: &Value) -> Answer {
    let signature = format!(
        "sha256={}",
        signatures::hex_hmac(WEBHOOK_SECRET, body.to_string().as_bytes())
    );
    let headers = [("x-github-event", kind), ("x-hub-signature-256", &signature)];
    app.call(Method::POST, "/api/v1/github-webhook/", &headers, Some(body))
        .await
}

fn pull_event(installation: i64, action: &str, more: Value) -> Value {
    let mut pull = json!({
        "html_url": "https://github.com/acme/web/pull/8", "number": 8, "title": "Faster", "state": "open", "merged": false,
        "draft": false,
    });
    for (name, value) in more.as_object().expect("an object") {
        pull[name] = value.clone();
    }
    json!({
        "action": action, "pull_request": pull, "installation": {"id": installation},
        "repository": {"name": "web", "full_name": "acme/web", "owner": {"login": "acme"}},
    })
}

fn summary(done: &[Done]) -> Vec<String> {
    done.iter()
        .map(|done| format!("{} {}", done.method, done.path))
        .collect()
}

#[track_caller]
fn says(done: &Done, words: &str) {
    let text = done.body["body"].as_str().expect("a text");
    assert!(text.contains(words), "{text}");
}

both! {
    async fn an_organisation_names_its_installation_and_its_repositories(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        let path = configurations(world.organisation);
        assert_eq!(app.get(&world.member, &path).await.expect(200)["results"], json!([]));
        let body = json!({"installation_id": INSTALLATION});
        let made = app.post(&world.admin, &path, &body).await.expect(201);
        assert_eq!(made, json!({"id": id(&made), "installation_id": INSTALLATION, "organisation": world.organisation}));
        assert_eq!(app.get(&world.member, &path).await.expect(200)["results"], json!([made]));
        let again = app.post(&world.admin, &path, &body).await.expect(400);
        assert_eq!(again, json!(["This integration already exists for this organisation."]));
        let one = format!("{path}{}/", id(&made));
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        assert_eq!(app.put(&world.admin, &one, &json!({"installation_id": "12"})).await.expect(200)["installation_id"], "12");
        assert_eq!(app.patch(&world.admin, &one, &body).await.expect(200), made);
        assert_eq!(app.patch(&world.admin, &one, &json!({"installation_id": "../.."})).await.expect(400),
            json!({"installation_id": ["Enter the number of an installation."]}));

        let repositories = format!("{one}repositories/");
        let body = json!({"project": world.project, "repository_owner": "acme", "repository_name": "web"});
        let repository = app.post(&world.admin, &repositories, &body).await.expect(201);
        assert_eq!(repository, json!({
            "id": id(&repository), "github_configuration": id(&made), "project": world.project,
            "repository_owner": "acme", "repository_name": "web", "tagging_enabled": false,
        }));
        app.post(&world.admin, &repositories, &body).await.expect(400);
        let odd = json!({"project": world.project, "repository_owner": "acme/..", "repository_name": "web"});
        app.post(&world.admin, &repositories, &odd).await.expect(400);
        assert_eq!(app.get(&world.member, &repositories).await.expect(200)["results"], json!([repository]));
        let single = format!("{repositories}{}/", id(&repository));
        assert_eq!(app.get(&world.admin, &single).await.expect(200), repository);
        assert_eq!(app.put(&world.admin, &single, &body).await.expect(200), repository);
        assert_eq!(app.patch(&world.admin, &single, &json!({"tagging_enabled": true})).await.expect(200)["tagging_enabled"], true);

        for person in [&world.member, &world.stranger] {
            for path in [&one, &single] {
                app.get(person, path).await.expect(403);
                app.patch(person, path, &json!({})).await.expect(403);
                app.delete(person, path).await.expect(403);
            }
        }
        app.get(&world.stranger, &repositories).await.expect(403);
        app.delete(&world.admin, &single).await.expect(204);
        app.get(&world.admin, &single).await.expect(404);

        assert!(trackers.is_installed());
        app.delete(&world.admin, &one).await.expect(204);
        settle(&app).await;
        assert!(!trackers.is_installed(), "the application is taken out of the account");
        assert_eq!(tasks::counts(&app.app).await.expect("counts").dead, 0);
    }

    async fn an_installation_is_one_organisations(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        let repository = set_up(&app, &world, true).await;
        let other = app.organisation("Other", &world.stranger, "ADMIN").await;
        let taken = app.post(&world.stranger, &configurations(other), &json!({"installation_id": INSTALLATION})).await.expect(400);
        assert_eq!(taken, json!({"installation_id": ["This installation belongs to another organisation."]}));
        let own = app.post(&world.stranger, &configurations(other), &json!({"installation_id": "1"})).await.expect(201);
        let moved = json!({"installation_id": INSTALLATION});
        app.patch(&world.stranger, &format!("{}{}/", configurations(other), id(&own)), &moved).await.expect(400);
        let browse = format!("/api/v1/organisations/{other}/github/repositories/?installation_id={INSTALLATION}");
        app.get(&world.stranger, &browse).await.expect(403);
        let theirs = json!({"project": world.project, "repository_owner": "acme", "repository_name": "web"});
        let path = format!("{}{}/repositories/", configurations(other), id(&own));
        app.post(&world.stranger, &path, &theirs).await.expect(400);
        app.get(&world.stranger, &repository.replace(&format!("/{}/", world.organisation), &format!("/{other}/"))).await.expect(404);
        assert_eq!(trackers.take(), vec![]);
    }

    async fn github_is_asked_for_what_can_be_linked_to_features(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        let base = format!("/api/v1/organisations/{}/github/", world.organisation);
        let early = app.get(&world.admin, &format!("{base}repositories/?installation_id={INSTALLATION}")).await.expect(200);
        assert_eq!(early["results"], json!([{"id": 1, "name": "web", "full_name": "acme/web"}]));
        app.get(&world.admin, &format!("{base}repositories/")).await.expect(400);
        let at = "repo_owner=acme&repo_name=web";
        app.get(&world.member, &format!("{base}issues/?{at}")).await.expect(400);
        set_up(&app, &world, false).await;

        let listed = app.get(&world.admin, &format!("{base}repositories/?page_size=5")).await.expect(200);
        assert_eq!((&listed["count"], &listed["total_count"]), (&json!(1), &json!(1)));
        let asked = trackers.take();
        assert_eq!(asked.last().expect("one").path, "/github/installation/repositories?per_page=5&page=1");
        let found = app.get(&world.member, &format!("{base}issues/?{at}&search_text=slow&search_in_body=true&author=ann")).await.expect(200);
        assert_eq!(found["results"], json!([{
            "html_url": ISSUE, "id": 70, "title": "Slow", "number": 7, "state": "open", "merged": false, "draft": false,
        }]));
        assert_eq!(trackers.take()[0].path,
            "/github/search/issues?q=slow+in%3Atitle+in%3Abody+repo%3Aacme%2Fweb+is%3Aissue+is%3Aopen+author%3Aann&per_page=100&page=1");
        let found = app.get(&world.member, &format!("{base}pulls/?{at}&state=closed")).await.expect(200);
        assert_eq!((&found["results"][0]["merged"], &found["results"][0]["number"]), (&json!(true), &json!(8)));
        let found = app.get(&world.member, &format!("{base}repo-contributors/?{at}")).await.expect(200);
        assert_eq!(found["results"], json!([{"id": 5, "login": "ann", "avatar_url": "https://avatars.example/5", "contributions": 9}]));
        trackers.take();

        app.get(&world.member, &format!("{base}issues/?repo_owner=acme")).await.expect(400);
        app.get(&world.member, &format!("{base}issues/?{at}&state=odd")).await.expect(400);
        app.get(&world.member, &format!("{base}repositories/")).await.expect(403);
        for path in ["issues", "pulls", "repo-contributors", "repositories"] {
            app.get(&world.stranger, &format!("{base}{path}/?{at}")).await.expect(403);
        }
        trackers.fail_with(Some(503));
        let away = app.get(&world.member, &format!("{base}issues/?{at}")).await.expect(502);
        assert_eq!(away, json!({"message": "GitHub answered 503: out of order"}));
    }

    async fn without_an_application_nothing_is_asked_and_nothing_told(app) {
        let world = app.world().await;
        set_up(&app, &world, true).await;
        let base = format!("/api/v1/organisations/{}/github/", world.organisation);
        let answer = app.get(&world.admin, &format!("{base}repositories/")).await.expect(400);
        assert_eq!(answer, json!({"detail": "GitHub is not set up on this server: it needs github.app_id and github.private_key."}));
        let feature = feature(&app, &world, "checkout").await;
        link(&app, &world, feature, (ISSUE, "GITHUB_ISSUE"), Value::Null).await;
        settle(&app).await;
        let counts = tasks::counts(&app.app).await.expect("counts");
        assert_eq!((counts.waiting, counts.dead), (0, 0));
        event(&app, "issues", &json!({})).await.expect(400);
    }

    async fn an_issue_is_told_of_the_feature_that_is_linked_to_it(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        set_up(&app, &world, true).await;
        let feature = feature(&app, &world, "checkout").await;
        let made = link(&app, &world, feature, (ISSUE, "GITHUB_ISSUE"), json!({"state": "open", "title": "Slow"})).await;
        assert_eq!(trackers.take(), vec![], "nothing is sent within the request");
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB Issue Open"]);
        settle(&app).await;
        let done = trackers.take();
        assert_eq!(summary(&done), [
            "POST /github/repos/acme/web/issues/7/comments", "POST /github/repos/acme/web/issues/7/labels",
        ]);
        says(&done[0], "This issue is linked to the feature flag `checkout` now.");
        says(&done[0], "| `Development` | everyone | no | `blue` |");
        assert_eq!(done[1].body, json!({"labels": ["Flagsmith Flag"]}));

        toggle(&app, &world, feature, true).await;
        settle(&app).await;
        let done = trackers.take();
        assert_eq!(summary(&done), ["POST /github/repos/acme/web/issues/7/comments"]);
        says(&done[0], "The feature flag `checkout` was changed in `Development`.");
        says(&done[0], "| `Development` | everyone | yes | `blue` |");
        assert!(!done[0].body.to_string().contains("example.com"), "issues may be public: nobody is named");

        // What it is for one identity is nobody else's business.
        let identities = format!("/api/v1/environments/{}/identities/", world.key);
        let bob = id(&app.post(&world.admin, &identities, &json!({"identifier": "bob"})).await.expect(201));
        let path = format!("{identities}{bob}/featurestates/");
        app.post(&world.admin, &path, &json!({"feature": feature, "enabled": false})).await.expect(201);
        settle(&app).await;
        assert_eq!(trackers.take(), vec![]);

        // More known of it changes nothing about the link; another address does.
        let one = format!("{}{made}/", links(&world, feature));
        app.patch(&world.admin, &one, &json!({"metadata": {"state": "closed"}})).await.expect(200);
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB Issue Closed"]);
        settle(&app).await;
        assert_eq!(trackers.take(), vec![]);
        app.patch(&world.admin, &one, &json!({"url": PULL, "type": "GITHUB_PR", "metadata": {"draft": true}})).await.expect(200);
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB PR Draft"]);
        settle(&app).await;
        let done = trackers.take();
        assert_eq!(summary(&done), [
            "POST /github/repos/acme/web/issues/7/comments", "DELETE /github/repos/acme/web/issues/7/labels/Flagsmith%20Flag",
            "POST /github/repos/acme/web/issues/8/comments", "POST /github/repos/acme/web/issues/8/labels",
        ]);
        says(&done[0], "The feature flag `checkout` is no longer linked to this issue.");
        says(&done[2], "This pull request is linked");

        app.delete(&world.admin, &one).await.expect(204);
        assert_eq!(tags(&app, &world, feature).await, Vec::<String>::new());
        settle(&app).await;
        says(&trackers.take()[0], "no longer linked to this pull request");
    }

    async fn a_deleted_feature_is_told_to_all_its_issues(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        set_up(&app, &world, false).await;
        let feature = feature(&app, &world, "checkout").await;
        link(&app, &world, feature, (ISSUE, "GITHUB_ISSUE"), Value::Null).await;
        link(&app, &world, feature, (PULL, "GITHUB_PR"), Value::Null).await;
        link(&app, &world, feature, ("https://github.com/acme/other/issues/1", "GITHUB_ISSUE"), Value::Null).await;
        assert_eq!(tags(&app, &world, feature).await, Vec::<String>::new(), "tagging is off");
        settle(&app).await;
        assert_eq!(trackers.take().len(), 2, "a comment each, no labels, and nothing where nothing is set up");
        app.delete(&world.admin, &format!("/api/v1/projects/{}/features/{feature}/", world.project)).await.expect(204);
        settle(&app).await;
        let done = trackers.take();
        assert_eq!(summary(&done), [
            "POST /github/repos/acme/web/issues/7/comments", "POST /github/repos/acme/web/issues/8/comments",
        ]);
        says(&done[1], "The feature flag `checkout`, which was linked to this pull request, was deleted.");
    }

    async fn a_tracker_that_is_away_is_told_later_and_once(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        set_up(&app, &world, false).await;
        let feature = feature(&app, &world, "checkout").await;
        trackers.fail_with(Some(503));
        link(&app, &world, feature, (ISSUE, "GITHUB_ISSUE"), Value::Null).await;
        settle(&app).await;
        assert_eq!(tasks::counts(&app.app).await.expect("counts").waiting, 1);
        trackers.fail_with(None);
        for _ in 0..100 {
            settle(&app).await;
            if tasks::counts(&app.app).await.expect("counts").waiting == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        settle(&app).await;
        assert_eq!(trackers.take().len(), 1);
    }

    async fn github_tells_how_issues_stand_and_features_are_tagged_by_it(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        let repository = set_up(&app, &world, true).await;
        let feature = feature(&app, &world, "checkout").await;
        link(&app, &world, feature, (PULL, "GITHUB_PR"), json!({"title": "Fast"})).await;
        link(&app, &world, feature, (ISSUE, "GITHUB_ISSUE"), Value::Null).await;
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB PR Open", "GITHUB Issue Open"]);

        let merged = json!({"state": "closed", "merged": true});
        let taken = event(&app, "pull_request", &pull_event(4711, "closed", merged.clone())).await.expect(200);
        assert_eq!(taken, json!({"detail": "The event was taken."}));
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB Issue Open", "GITHUB PR Merged"]);
        let known = app.get(&world.admin, &links(&world, feature)).await.expect(200)["results"][0]["metadata"].clone();
        assert_eq!(known, json!({"title": "Faster", "state": "closed", "merged": true, "draft": false}));
        let closed = json!({
            "action": "closed", "issue": {"html_url": ISSUE, "title": "Slow", "state": "closed"}, "installation": {"id": 4711},
            "repository": {"name": "web", "owner": {"login": "acme"}},
        });
        event(&app, "issues", &closed).await.expect(200);
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB PR Merged", "GITHUB Issue Closed"]);

        // What is another installation's, or nobody's, changes nothing.
        let open = json!({"draft": true});
        for (kind, body) in [
            ("pull_request", pull_event(1, "reopened", open.clone())),
            ("push", json!({"installation": {"id": 4711}})),
            ("ping", json!({"zen": "Keep it logically awesome."})),
        ] {
            let passed = event(&app, kind, &body).await.expect(200);
            assert_eq!(passed, json!({"detail": "Nothing here is concerned by the event."}), "{kind}");
        }
        let body = pull_event(4711, "reopened", open.clone());
        let wrong = format!("sha256={}", signatures::hex_hmac("other", body.to_string().as_bytes()));
        for headers in [vec![], vec![("x-hub-signature-256", wrong.as_str())], vec![("x-hub-signature-256", "sha256=")]] {
            let mut headers = headers;
            headers.push(("x-github-event", "pull_request"));
            let refused = app.call(Method::POST, "/api/v1/github-webhook/", &headers, Some(&body)).await.expect(400);
            assert_eq!(refused, json!({"detail": "The signature is missing or wrong."}));
        }
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB PR Merged", "GITHUB Issue Closed"]);

        app.patch(&world.admin, &repository, &json!({"tagging_enabled": false})).await.expect(200);
        assert_eq!(tags(&app, &world, feature).await, Vec::<String>::new());
        event(&app, "pull_request", &pull_event(4711, "reopened", open)).await.expect(200);
        app.patch(&world.admin, &repository, &json!({"tagging_enabled": true})).await.expect(200);
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB Issue Closed", "GITHUB PR Draft"]);

        let gone = json!({"action": "deleted", "installation": {"id": 4711}});
        event(&app, "installation", &gone).await.expect(200);
        assert_eq!(app.get(&world.admin, &configurations(world.organisation)).await.expect(200)["count"], 0);
        assert_eq!(tags(&app, &world, feature).await, Vec::<String>::new());
        event(&app, "installation", &gone).await.expect(200);
        trackers.take();
    }

    async fn an_issue_asks_for_a_feature_to_be_taken_out_of_code(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        let repository = set_up(&app, &world, true).await;
        let feature = feature(&app, &world, "checkout").await;
        let path = format!("/api/v1/organisations/{}/github/create-cleanup-issue/", world.organisation);
        let body = json!({"feature_id": feature});
        let scan = json!({
            "repository_url": "https://github.com/Acme/Web.git", "revision": "abc",
            "code_references": [{"feature_name": "checkout", "file_path": "src/pay.ts", "line_number": 12}],
        });
        app.post(&world.admin, &format!("/api/v1/projects/{}/code-references/", world.project), &scan).await.expect(201);
        app.post(&world.member, &path, &body).await.expect(403);
        app.post(&world.stranger, &path, &body).await.expect(403);
        app.post(&world.admin, &path, &json!({"feature_id": 999_999})).await.expect(404);

        app.grant(&world.member, Object::Project(world.project), &["VIEW_PROJECT", "CREATE_FEATURE"]).await;
        let made = app.post(&world.member, &path, &body).await.expect(200);
        assert_eq!((&made[0]["type"], &made[0]["feature"]), (&json!("GITHUB_ISSUE"), &json!(feature)));
        assert_eq!(made[0]["url"], "https://github.com/acme/web/issues/101");
        let done = trackers.take();
        assert_eq!(summary(&done), ["POST /github/repos/acme/web/issues"]);
        assert_eq!(done[0].body["title"], "Remove the feature flag checkout");
        says(&done[0], "- [ ] `src/pay.ts:12`");
        assert_eq!(tags(&app, &world, feature).await, ["GITHUB Issue Open"]);
        settle(&app).await;
        says(&trackers.take()[0], "This issue is linked");

        trackers.fail_with(Some(500));
        app.post(&world.admin, &path, &body).await.expect(502);
        trackers.fail_with(None);
        app.delete(&world.admin, &repository).await.expect(204);
        app.post(&world.admin, &path, &body).await.expect(400);
    }

    async fn gitlab_is_told_of_linked_features_and_tells_how_they_stand(app) {
        let (app, trackers) = reaching(&app).await;
        let world = app.world().await;
        let path = format!("/api/v1/projects/{}/integrations/gitlab/", world.project);
        let lab = format!("{}/lab/", trackers.url);
        let body = json!({"gitlab_instance_url": lab, "access_token": GITLAB_TOKEN, "labeling_enabled": true});
        let integration = format!("{path}{}/", id(&app.post(&world.admin, &path, &body).await.expect(201)));
        let feature = feature(&app, &world, "checkout").await;
        let issue = format!("{lab}acme/shop/-/issues/3");
        let merge = format!("{lab}acme/shop/-/merge_requests/4");
        let made = link(&app, &world, feature, (&issue, "GITLAB_ISSUE"), json!({"state": "opened"})).await;
        assert_eq!(tags(&app, &world, feature).await, ["GITLAB Issue Open"]);
        link(&app, &world, feature, (&merge, "GITLAB_MR"), json!({"state": "opened", "draft": true})).await;
        link(&app, &world, feature, ("https://gitlab.com/acme/shop/-/issues/3", "GITLAB_ISSUE"), Value::Null).await;
        settle(&app).await;
        let done = trackers.take();
        let project = "/lab/api/v4/projects/acme%2Fshop";
        assert_eq!(summary(&done), [
            format!("POST {project}/issues/3/notes"), format!("PUT {project}/issues/3"), format!("POST {project}/hooks"),
            format!("POST {project}/merge_requests/4/notes"), format!("PUT {project}/merge_requests/4"),
        ]);
        says(&done[0], "This issue is linked to the feature flag `checkout` now.");
        assert_eq!(done[1].body, json!({"add_labels": "Flagsmith Feature"}));
        says(&done[3], "This merge request is linked");

        // The webhook that was made is recognised by what it brings.
        let (address, token) = (done[2].body["url"].as_str().expect("an address"), done[2].body["token"].as_str().expect("a token"));
        let hook = address.strip_prefix("http://127.0.0.1:8000").expect("an address of this installation");
        let told = json!({
            "object_kind": "merge_request", "project": {"path_with_namespace": "acme/shop"},
            "object_attributes": {"iid": 4, "url": merge, "title": "Fix", "state": "merged", "draft": false, "action": "merge"},
        });
        let call = async |path: &str, token: &str| app.call(Method::POST, path, &[("x-gitlab-token", token)], Some(&told)).await;
        call(hook, "other").await.expect(403);
        call("/api/v1/gitlab-webhook/00000000-0000-4000-8000-000000000000/", token).await.expect(404);
        assert_eq!(tags(&app, &world, feature).await, ["GITLAB Issue Open", "GITLAB MR Draft"]);
        call(hook, token).await.expect(200);
        assert_eq!(tags(&app, &world, feature).await, ["GITLAB Issue Open", "GITLAB MR Merged"]);
        let mut tx = app.app.db().read().await.expect("a transaction");
        for secret in [token, GITLAB_TOKEN] {
            assert_eq!(burgee_store::seeds::tables_with(&mut tx, secret).await.expect("a search"), Vec::<String>::new());
        }
        drop(tx);

        toggle(&app, &world, feature, true).await;
        app.patch(&world.admin, &integration, &json!({"labeling_enabled": false})).await.expect(200);
        app.delete(&world.admin, &format!("{}{made}/", links(&world, feature))).await.expect(204);
        settle(&app).await;
        let done = trackers.take();
        assert_eq!(summary(&done), [format!("POST {project}/merge_requests/4/notes"), format!("POST {project}/issues/3/notes")]);
        says(&done[0], "was changed in `Development`");
        says(&done[1], "no longer linked to this issue");

        app.delete(&world.admin, &integration).await.expect(204);
        assert_eq!(tags(&app, &world, feature).await, Vec::<String>::new());
        settle(&app).await;
        assert_eq!(summary(&trackers.take()), [format!("DELETE {project}/hooks/9")]);
        call(hook, token).await.expect(404);
        assert_eq!(tasks::counts(&app.app).await.expect("counts").dead, 0);
    }
}

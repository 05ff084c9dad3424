//! Flagsmith identities: traits of records, audiences in a trait, each of the ways in.

use std::collections::BTreeMap;

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_sync::destination::Settings;
use burgee_sync::plan::Mode;
use serde_json::{Value, json};

use super::{Rig, fs_settings, users, words};

fn traits(double: &Flagsmith, identifier: &str) -> BTreeMap<String, Value> {
    double.identities().remove(identifier).unwrap_or_default()
}

fn upsert(double: &Flagsmith, columns: &[&str]) -> Rig {
    let mut settings = fs_settings(double);
    settings.traits = columns.iter().map(|&name| name.to_owned()).collect();
    let mut rig = Rig::new(Settings::Flagsmith(settings), Mode::Upsert);
    rig.job.map = columns
        .iter()
        .map(|&name| (name.to_owned(), name.to_owned()))
        .collect();
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_become_traits_of_their_type_and_only_changes_are_sent() {
    for kind in [Kind::Core, Kind::Old] {
        let double = Flagsmith::start(kind, "ser.key").await;
        let rig = upsert(&double, &["plan", "age", "pro", "score", "zip", "big"]);
        rig.csv("id,plan,age,pro,score,zip,big,other\nada,gold,36,true,1.5,007,3000000000,x\ngrace,,85,false,2,1,1,y\n");
        rig.run().await;
        let expected =
            json!({"plan": "gold", "age": 36, "pro": true, "score": 1.5, "zip": "007", "big": "3000000000"});
        assert_eq!(json!(traits(&double, "ada")), expected, "{kind:?}");
        assert_eq!(traits(&double, "grace").get("plan"), None, "no value is no trait");
        rig.csv("id,plan,age,pro,score,zip,big\nada,gold,37,true,1.5,007,3000000000\ngrace,,85,false,2,1,1\nlinus,free,1,true,1,1,1\n");
        let again = rig.run().await;
        assert_eq!(again.progress.delivered, 2, "{kind:?}: one changed, one is new");
        assert_eq!(traits(&double, "ada")["age"], 37);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_is_one_trait_which_leaving_sets_to_false_or_deletes() {
    for (delete, left) in [(false, Some(json!(false))), (true, None)] {
        let double = Flagsmith::start(Kind::Core, "ser.key").await;
        let mut settings = fs_settings(&double);
        settings.trait_prefix = "ss_".to_owned();
        settings.delete_traits_on_remove = delete;
        let rig = Rig::new(Settings::Flagsmith(settings), Mode::Mirror);
        rig.keys(["ada", "grace"]);
        rig.run().await;
        assert_eq!(
            traits(&double, "ada"),
            BTreeMap::from([("ss_in_audience".to_owned(), json!(true))])
        );
        rig.keys(["grace"]);
        let delivered = rig.run().await;
        assert_eq!(traits(&double, "ada").get("ss_in_audience").cloned(), left);
        assert_eq!(traits(&double, "grace")["ss_in_audience"], true);
        assert_eq!(delivered.progress.delivered, 1, "who stays is not touched");
        rig.keys(["ada", "grace"]);
        rig.run().await;
        assert_eq!(traits(&double, "ada")["ss_in_audience"], true, "back again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn add_and_remove_touch_only_the_keys_of_the_model() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Add);
    rig.keys(["ada"]);
    rig.run().await;
    rig.keys(["grace"]);
    rig.run().await;
    assert_eq!(traits(&double, "ada")["in_audience"], true, "add never removes");
    let rig = Rig::flagsmith(&double, Mode::Remove);
    rig.keys(["ada"]);
    rig.run().await;
    assert_eq!(traits(&double, "ada")["in_audience"], false);
    assert_eq!(traits(&double, "grace")["in_audience"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_never_touches_identities_it_did_not_add() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let other = Rig::flagsmith(&double, Mode::Add);
    other.keys(["theirs"]);
    other.run().await;
    let rig = Rig::flagsmith(&double, Mode::Mirror);
    rig.keys(["ada"]);
    rig.run().await;
    assert_eq!(traits(&double, "theirs")["in_audience"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_core_api_is_given_traits_in_bulk_and_an_old_one_identities() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Add);
    rig.keys(users(0..1_200));
    rig.run().await;
    let bulk = double
        .requests()
        .iter()
        .filter(|(path, _)| path == "PUT /api/v1/traits/bulk/")
        .count();
    assert_eq!(bulk, 3, "500 identities each");
    let double = Flagsmith::start(Kind::Old, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Add);
    rig.keys(users(0..60));
    rig.run().await;
    assert_eq!(double.identities().len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_its_cause_and_its_cure() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let plan = |change: fn(&mut burgee_sync::destination::flagsmith::Settings)| {
        let mut settings = fs_settings(&double);
        change(&mut settings);
        async move {
            let rig = Rig::new(Settings::Flagsmith(settings), Mode::Add);
            rig.keys(["ada"]);
            words(&rig.plan().await.unwrap_err())
        }
    };
    let client = plan(|s| s.key = "client-side".to_owned()).await;
    assert!(
        client.contains("client-side") && client.contains("ser."),
        "{client}"
    );
    let unknown = plan(|s| s.key = "ser.unknown".to_owned()).await;
    assert!(
        unknown.contains("Authentication failed") && unknown.contains("API instance"),
        "{unknown}"
    );
    let elsewhere = plan(|s| s.url = s.url.replace("/api/v1", "/wrong")).await;
    assert!(
        elsewhere.contains("no Flagsmith API") && elsewhere.contains("/api/v1"),
        "{elsewhere}"
    );
    let nonsense = plan(|s| s.url = "flagsmith".to_owned()).await;
    assert!(nonsense.contains("no http(s) address"), "{nonsense}");
    let nothing = plan(|s| s.audience_trait = "x".repeat(201)).await;
    assert!(nothing.contains("200 characters"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_yes_and_does_nothing_is_found_out_after_one_batch() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    double.forget_writes();
    let rig = Rig::flagsmith(&double, Mode::Add);
    rig.keys(users(0..5_000));
    let said = words(&rig.try_run().await.unwrap().outcome.unwrap_err());
    assert!(said.contains("does not show it"), "{said}");
    let writes = double
        .requests()
        .iter()
        .filter(|(path, _)| path.starts_with("PUT"))
        .count();
    assert_eq!(writes, 1, "nothing more was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_long_format_a_row_is_one_trait_of_one_identity() {
    for kind in [Kind::Core, Kind::Edge, Kind::Old] {
        let double = Flagsmith::start(kind, "ser.key").await;
        let mut settings = fs_settings(&double);
        settings.any_trait = true;
        settings.trait_prefix = "crm_".to_owned();
        let mut rig = Rig::new(Settings::Flagsmith(settings), Mode::Upsert);
        rig.job.key = "identifier".to_owned();
        rig.job.long = Some(burgee_sync::run::Long {
            trait_key: "trait_key".to_owned(),
            trait_value: "trait_value".to_owned(),
        });
        rig.csv("identifier,trait_key,trait_value\nada,plan,gold\nada,age,36\ngrace,pro,true\n");
        rig.run().await;
        assert_eq!(
            json!(traits(&double, "ada")),
            json!({"crm_plan": "gold", "crm_age": 36}),
            "{kind:?}"
        );
        assert_eq!(
            json!(traits(&double, "grace")),
            json!({"crm_pro": true}),
            "{kind:?}"
        );
        rig.csv("identifier,trait_key,trait_value\nada,plan,silver\nada,age,36\ngrace,pro,true\n");
        assert_eq!(
            rig.run().await.progress.delivered,
            1,
            "{kind:?}: one trait has changed"
        );
        assert_eq!(traits(&double, "ada")["crm_plan"], "silver");
        // Rows that name no trait, name it twice with different values, or name one too long.
        let long = "x".repeat(200);
        rig.job.guards.max_invalid_pct = 100.0;
        rig.csv(&format!(
            "identifier,trait_key,trait_value\nada,,1\nada,plan,a\nada,plan,b\nada,{long},1\n"
        ));
        let prepared = rig.plan().await.unwrap();
        let counts = prepared.plan.counts;
        assert_eq!(
            (counts.invalid, counts.conflicts, counts.to_send()),
            (2, 1, 0),
            "{kind:?}"
        );
        assert_eq!(prepared.plan.conflicts, ["ada (plan)"]);
        assert!(
            prepared.invalid[0].reason.contains("names no trait"),
            "{:?}",
            prepared.invalid
        );
        assert!(
            prepared.invalid[1].reason.contains("200 characters"),
            "{:?}",
            prepared.invalid
        );
    }
}

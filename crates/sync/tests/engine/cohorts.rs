//! Flagsmith's cohorts: members written as such, in place of a trait.

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_sync::destination::{Settings, flagsmith as fs};
use burgee_sync::plan::Mode;

use super::{Rig, fs_settings, users, words};

const COHORT: &str = "7c0cd3a0-6f3e-4a43-8f2e-6b8a1f5f2f10";

fn rig(double: &Flagsmith, mode: Mode, id: &str, key: &str) -> Rig {
    let mut settings = fs_settings(double);
    settings.cohort = Some(fs::Cohort {
        id: id.to_owned(),
        key: key.to_owned(),
    });
    Rig::new(Settings::Flagsmith(settings), mode)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_keeps_the_members_in_step_ten_thousand_a_request() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    double.offer_cohort("cohort-key", COHORT);
    let rig = rig(&double, Mode::Mirror, COHORT, "cohort-key");
    rig.keys(users(0..20_001));
    let delivered = rig.run().await;
    assert_eq!(double.cohort(COHORT).len(), 20_001);
    assert_eq!(delivered.progress.requests, 1 + 3, "one look and three batches");
    rig.keys(users(1..20_002));
    let delivered = rig.run().await;
    assert_eq!(double.cohort(COHORT), users(1..20_002).into_iter().collect());
    assert_eq!(delivered.progress.requests, 1 + 2, "one to remove and one to add");
    assert!(double.identities().is_empty(), "no trait was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_no_cohort_takes_is_told_and_the_others_go_on() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    double.offer_cohort("cohort-key", COHORT);
    double.refuse("user-0000003");
    let mut rig = rig(&double, Mode::Add, COHORT, "cohort-key");
    rig.job.guards.max_invalid_pct = 100.0;
    let long = "ä".repeat(513);
    rig.keys(users(0..10).into_iter().chain([long]));
    let delivered = rig.run().await;
    assert_eq!(
        (delivered.progress.delivered, delivered.progress.rejected),
        (9, 1)
    );
    let errors = rig.ledger.errors();
    let reasons: Vec<(&str, &str)> = errors
        .iter()
        .map(|e| (e.op.as_str(), e.reason.as_str()))
        .collect();
    assert!(
        reasons[0].0 == "invalid" && reasons[0].1.contains("1024 bytes"),
        "{reasons:?}"
    );
    assert_eq!(
        (errors[1].key.as_str(), errors[1].op.as_str()),
        ("user-0000003", "add")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_cohort_is_told_before_anything_is_sent() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    double.offer_cohort("cohort-key", COHORT);
    let cases = [
        (
            Mode::Add,
            COHORT,
            "ser.key",
            ["does not accept this cohort key", "not its server-side key"],
        ),
        (Mode::Add, "0", "cohort-key", ["no cohort \"0\"", "Check its id"]),
        (Mode::Add, "../x", "cohort-key", ["cohort:", "a UUID"]),
        (Mode::Add, COHORT, "", ["cohort_key:", "is needed"]),
        (
            Mode::Upsert,
            COHORT,
            "cohort-key",
            ["mode:", "add, remove or mirror"],
        ),
    ];
    for (mode, id, key, parts) in cases {
        let rig = rig(&double, mode, id, key);
        rig.keys(["ada"]);
        let said = words(&rig.plan().await.unwrap_err());
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    assert!(double.cohort(COHORT).is_empty(), "nobody was added by looking");
}

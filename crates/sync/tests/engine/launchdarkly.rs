//! Segments of LaunchDarkly: modes, batches, kinds of segment, and what is told when something is wrong.

use std::collections::BTreeSet;

use burgee_doubles::launchdarkly::{LaunchDarkly, Segment};
use burgee_sync::destination::{Settings, launchdarkly as ld};
use burgee_sync::plan::Mode;

use super::{Rig, SEGMENT, ld_settings, users, words};

fn set<T: AsRef<str>>(keys: &[T]) -> BTreeSet<String> {
    keys.iter().map(|key| key.as_ref().to_owned()).collect()
}

fn with_members(keys: &[&str]) -> Segment {
    Segment {
        included: [("user".to_owned(), set(keys))].into(),
        ..Segment::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_makes_the_segment_equal_to_the_model() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(["ada", "grace", "münchen ✓"]);
    rig.run().await;
    assert_eq!(double.members(SEGMENT), set(&["ada", "grace", "münchen ✓"]));
    rig.keys(["grace", "linus"]);
    rig.run().await;
    assert_eq!(double.members(SEGMENT), set(&["grace", "linus"]));
    let patch = double
        .requests()
        .into_iter()
        .rfind(|request| request.method == "PATCH")
        .unwrap()
        .body;
    assert_eq!(patch["environmentKey"], "production");
    let kinds: Vec<&str> = patch["instructions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["removeIncludedTargets", "addIncludedTargets"],
        "one patch, removals first"
    );
    assert_eq!(double.patches(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_when_nothing_has_changed() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(["ada"]);
    rig.run().await;
    let before = double.requests().len();
    let again = rig.run().await;
    assert_eq!(double.requests().len() - before, 1, "one look");
    assert_eq!(again.progress.delivered, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn add_only_adds_and_remove_only_removes() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Add);
    double.put(SEGMENT, with_members(&["ada", "old"]));
    rig.keys(["ada", "new"]);
    rig.run().await;
    assert_eq!(double.members(SEGMENT), set(&["ada", "new", "old"]));

    let mut rig = Rig::launchdarkly(&double, Mode::Remove);
    rig.job.mode = Mode::Remove;
    double.put(SEGMENT, with_members(&["ada", "old"]));
    rig.keys(["old", "never-there"]);
    let delivered = rig.run().await;
    assert_eq!(double.members(SEGMENT), set(&["ada"]));
    assert_eq!(delivered.progress.delivered, 1, "only who is there is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_hold_exactly_fifteen_hundred_operations_and_there_are_no_more_than_needed() {
    for (members, patches) in [(1_499, 1), (1_500, 1), (1_501, 2), (4_500, 3)] {
        let double = LaunchDarkly::start("api-token").await;
        let rig = Rig::launchdarkly(&double, Mode::Mirror);
        rig.keys(users(0..members));
        rig.run().await;
        assert_eq!(double.members(SEGMENT).len() as u64, members);
        assert_eq!(double.patches(), patches, "{members} members");
    }
    // Adds and removes share a request.
    let double = LaunchDarkly::start("api-token").await;
    let mut rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.job.guards.max_remove_pct = 100.0;
    rig.keys(users(0..750));
    rig.run().await;
    rig.keys(users(1_000..1_750));
    rig.run().await;
    assert_eq!(double.patches(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_segment_can_be_exchanged_because_removals_go_first() {
    let double = LaunchDarkly::start("api-token").await;
    let mut rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.job.guards.max_remove_pct = 100.0;
    rig.keys(users(0..15_000));
    rig.run().await;
    rig.keys(users(5_000..20_000));
    rig.run().await;
    assert_eq!(
        double.members(SEGMENT),
        users(5_000..20_000).into_iter().collect()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_context_kinds_are_left_alone() {
    let double = LaunchDarkly::start("api-token").await;
    let mut settings = ld_settings(&double);
    settings.context_kind = "device".to_owned();
    let rig = Rig::new(Settings::LaunchDarkly(settings), Mode::Mirror);
    double.put(SEGMENT, with_members(&["ada"]));
    rig.keys(["phone-1"]);
    rig.run().await;
    let segment = double.segment(SEGMENT);
    assert_eq!(segment.included["user"], set(&["ada"]));
    assert_eq!(segment.included["device"], set(&["phone-1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_can_mean_to_be_excluded_and_coming_back_ends_it() {
    let double = LaunchDarkly::start("api-token").await;
    let mut settings = ld_settings(&double);
    settings.on_remove = ld::OnRemove::Exclude;
    let rig = Rig::new(Settings::LaunchDarkly(settings), Mode::Mirror);
    double.put(SEGMENT, Segment::default());
    rig.keys(["ada", "grace"]);
    rig.run().await;
    rig.keys(["grace"]);
    rig.run().await;
    assert_eq!(double.segment(SEGMENT).excluded["user"], set(&["ada"]));
    rig.keys(["ada", "grace"]);
    rig.run().await;
    let segment = double.segment(SEGMENT);
    assert_eq!(
        (&segment.included["user"], &segment.excluded["user"]),
        (&set(&["ada", "grace"]), &BTreeSet::new())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_segment_takes_its_own_instructions_and_is_compared_with_what_was_acknowledged() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    double.put(
        SEGMENT,
        Segment {
            unbounded: Some("user".to_owned()),
            ..Segment::default()
        },
    );
    rig.keys(users(0..16_000));
    rig.run().await;
    assert_eq!(double.members(SEGMENT).len(), 16_000);
    let first = double
        .requests()
        .into_iter()
        .find(|request| request.method == "PATCH")
        .unwrap()
        .body;
    assert_eq!(first["instructions"][0]["kind"], "addBigSegmentIncludedTargets");
    rig.keys(users(10..16_000));
    let delivered = rig.run().await;
    assert_eq!(delivered.progress.delivered, 10);
    assert_eq!(double.members(SEGMENT).len(), 15_990);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_its_cause_and_its_cure() {
    let double = LaunchDarkly::start("api-token").await;
    let change = |change: fn(&mut ld::Settings)| {
        let mut settings = ld_settings(&double);
        change(&mut settings);
        Settings::LaunchDarkly(settings)
    };
    double.put(SEGMENT, Segment::default());
    double.put(
        "shop/production/synced",
        Segment {
            external: Some("hightouch".to_owned()),
            ..Segment::default()
        },
    );
    double.put(
        "shop/production/devices",
        Segment {
            unbounded: Some("device".to_owned()),
            ..Segment::default()
        },
    );
    let cases: [(Settings, [&str; 2]); 5] = [
        (
            change(|s| s.token = "sdk-key".to_owned()),
            ["Authentication failed", "Writer role"],
        ),
        (
            change(|s| s.segment = "typo".to_owned()),
            ["Segment not found", "never created"],
        ),
        (
            change(|s| s.segment = "synced".to_owned()),
            ["synced by", "hightouch"],
        ),
        (
            change(|s| s.segment = "devices".to_owned()),
            ["kind \"device\"", "Set the context kind"],
        ),
        (
            change(|s| s.instance = ld::Instance::parse("http://127.0.0.1:9")),
            ["can't be reached", "onnect"],
        ),
    ];
    for (settings, expected) in cases {
        let rig = Rig::new(settings, Mode::Mirror);
        rig.keys(["ada"]);
        let said = words(&rig.plan().await.unwrap_err());
        assert!(expected.iter().all(|part| said.contains(part)), "{said}");
    }
    double.require_approvals();
    let rig = Rig::new(change(|_| {}), Mode::Mirror);
    rig.keys(["ada"]);
    let said = words(&rig.try_run().await.unwrap().outcome.unwrap_err());
    assert!(
        said.contains("approval") && said.contains("bypassRequiredSegmentApproval"),
        "{said}"
    );
    let rig = Rig::new(change(|_| {}), Mode::Upsert);
    assert!(words(&rig.plan().await.unwrap_err()).contains("add, remove or mirror"));
}

//! Guard rails: what a run does not send.

use burgee_doubles::launchdarkly::{LaunchDarkly, Segment};
use burgee_sync::guard::Hold;
use burgee_sync::plan::Mode;

use super::{Rig, SEGMENT, users};

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_lost_most_of_its_rows_is_held_and_the_target_unchanged() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(users(0..1_000));
    rig.run().await;
    rig.keys(users(0..400));
    let prepared = rig.plan().await.unwrap();
    assert!(
        matches!(
            prepared.holds[..],
            [Hold::Removes {
                removes: 600,
                of: 1_000,
                ..
            }]
        ),
        "{:?}",
        prepared.holds
    );
    assert_eq!(prepared.plan.counts.removes, 600);
    assert_eq!(prepared.plan.samples.removes.len(), 20);
    assert_eq!(double.members(SEGMENT).len(), 1_000, "nothing was sent");
    // Approved, it is sent exactly as it stands.
    assert!(prepared.holds.iter().all(Hold::can_be_approved));
    rig.deliver(prepared).await.outcome.unwrap();
    assert_eq!(double.members(SEGMENT).len(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_model_does_not_empty_the_audience() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(["ada"]);
    rig.run().await;
    rig.csv("id\n");
    let prepared = rig.plan().await.unwrap();
    assert!(
        matches!(prepared.holds[..], [Hold::Empty { acknowledged: 1 }]),
        "{:?}",
        prepared.holds
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_people_added_are_not_removed_without_a_word() {
    let double = LaunchDarkly::start("api-token").await;
    let mut rig = Rig::launchdarkly(&double, Mode::Mirror);
    let by_hand = [("user".to_owned(), ["by-hand".to_owned()].into())].into();
    double.put(
        SEGMENT,
        Segment {
            included: by_hand,
            ..Segment::default()
        },
    );
    rig.keys(["ada"]);
    let prepared = rig.plan().await.unwrap();
    assert!(
        matches!(prepared.holds[..], [Hold::Foreign { removes: 1 }]),
        "{:?}",
        prepared.holds
    );
    rig.job.managed_only = true;
    rig.run().await;
    assert_eq!(
        double.members(SEGMENT),
        ["ada".to_owned(), "by-hand".to_owned()].into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_without_room_is_told_before_anything_is_sent() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(users(0..15_001));
    let prepared = rig.plan().await.unwrap();
    assert!(
        matches!(
            prepared.holds[..],
            [Hold::Capacity {
                adds: 15_001,
                room: 15_000,
                ..
            }]
        ),
        "{:?}",
        prepared.holds
    );
    assert!(!prepared.holds[0].can_be_approved());
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_a_key_twice_or_with_two_values_are_counted_and_change_nothing() {
    let double =
        burgee_doubles::flagsmith::Flagsmith::start(burgee_doubles::flagsmith::Kind::Core, "ser.key").await;
    let mut settings = super::fs_settings(&double);
    settings.traits = vec!["plan".to_owned()];
    let mut rig = Rig::new(
        burgee_sync::destination::Settings::Flagsmith(settings),
        Mode::Upsert,
    );
    rig.job.map = [("plan".to_owned(), "plan".to_owned())].into();
    rig.job.guards.max_invalid_pct = 100.0;
    let long = "x".repeat(2_001);
    rig.csv(&format!(
        "id,plan\nada,a\nada,a\ngrace,a\ngrace,b\n,a\n{long},a\nlinus,{long}\n"
    ));
    let prepared = rig.plan().await.unwrap();
    let counts = prepared.plan.counts;
    assert_eq!(
        (
            counts.rows,
            counts.adds,
            counts.duplicates,
            counts.conflicts,
            counts.invalid
        ),
        (7, 1, 1, 1, 3)
    );
    assert_eq!(prepared.plan.conflicts, ["grace"]);
    let reasons: Vec<&str> = prepared
        .invalid
        .iter()
        .map(|error| error.reason.as_str())
        .collect();
    assert!(
        reasons[0].contains("no key")
            && reasons[1].contains("2000 characters")
            && reasons[2].starts_with("plan has"),
        "{reasons:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_became_invalid_stays_a_member() {
    let double =
        burgee_doubles::flagsmith::Flagsmith::start(burgee_doubles::flagsmith::Kind::Core, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Mirror);
    rig.keys(["ada", "grace"]);
    rig.run().await;
    // The same key with two rows that differ: no removal of it may be planned.
    let mut rig = rig;
    rig.job.map = [("plan".to_owned(), "plan".to_owned())].into();
    rig.job.guards.max_invalid_pct = 100.0;
    rig.csv("id,plan\nada,a\nada,b\n");
    let prepared = rig.plan().await.unwrap();
    assert_eq!(
        (prepared.plan.counts.removes, prepared.plan.counts.conflicts),
        (1, 1)
    );
    assert_eq!(prepared.plan.samples.removes, ["grace"]);
}

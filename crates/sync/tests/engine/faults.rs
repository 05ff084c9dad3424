//! When things go wrong on the way: limits, lost answers, refused rows, deaths.

use std::time::{Duration, Instant};

use burgee_doubles::flagsmith::{self, Flagsmith, Kind};
use burgee_doubles::launchdarkly::{Fault, LaunchDarkly, Limit, Segment};
use burgee_sync::plan::Mode;

use super::{Rig, SEGMENT, users, words};

/// How long 15,000 keys take: 1 look, 10 patches and 1 look at the effect, 12 requests.
async fn fill_a_segment(limit: Option<Limit>, busy: usize) -> (Duration, u64) {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(users(0..15_000));
    if let Some(limit) = limit {
        double.limit(limit);
    }
    double.use_up(busy);
    let began = Instant::now();
    let delivered = rig.run().await;
    assert_eq!(double.members(SEGMENT).len(), 15_000);
    (began.elapsed(), delivered.progress.throttled)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_refusals_is_waited_out_in_about_the_theoretical_time_in_every_header_family() {
    let (without, _) = fill_a_segment(None, 0).await;
    let window = Duration::from_secs(2);
    for family in ["global", "route", "auth-token"] {
        let limit = Limit {
            family,
            requests: 3,
            window,
        };
        let (took, throttled) = fill_a_segment(Some(limit), 0).await;
        assert_eq!(throttled, 0, "{family}: the headers were enough of a warning");
        // Twelve requests, three in a window: three windows have to pass.
        let theory = window * 3;
        assert!(took >= theory, "{family}: {took:?}");
        assert!(
            took <= theory.mul_f64(1.1) + without * 2,
            "{family}: {took:?}, without limits {without:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_use_up_is_told_by_one_refusal_in_a_window() {
    let (without, _) = fill_a_segment(None, 0).await;
    let window = Duration::from_secs(2);
    let limit = Limit {
        family: "route",
        requests: 4,
        window,
    };
    // Others have used the first window up before we came: nobody has told us yet.
    let (took, throttled) = fill_a_segment(Some(limit), 4).await;
    assert_eq!(throttled, 1);
    let theory = window * 3;
    assert!(
        took <= theory.mul_f64(1.1) + without * 2,
        "{took:?}, without limits {without:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_obeyed_and_every_row_arrives() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Add);
    rig.keys(users(0..700));
    double.fail([flagsmith::Fault::RetryAfter(1), flagsmith::Fault::RetryAfter(1)]);
    let began = Instant::now();
    let delivered = rig.run().await;
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert_eq!(
        (delivered.progress.throttled, double.identities().len()),
        (2, 700)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for_again_and_nothing_happens_twice() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(users(0..3_000));
    let prepared = rig.plan().await.unwrap();
    double.fail([
        Fault::Before(502),
        Fault::After(503),
        // The first batch is taken at its third try; then comes the look at its effect.
        Fault::Slow(Duration::ZERO),
        Fault::Slow(Duration::ZERO),
        Fault::After(500),
        Fault::Before(409),
    ]);
    rig.deliver(prepared).await.outcome.unwrap();
    assert_eq!(double.members(SEGMENT).len(), 3_000);
    assert_eq!(
        double.segment(SEGMENT).version,
        2,
        "two changes, whatever was repeated"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_a_lost_one() {
    let double = LaunchDarkly::start("api-token").await;
    let mut rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.patience.request = Duration::from_secs(1);
    rig.keys(["ada"]);
    double.fail([Fault::Slow(Duration::from_secs(5))]);
    rig.run().await;
    assert_eq!(double.members(SEGMENT).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_is_found_and_the_rest_goes_on() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    double.refuse_key("user-0000777");
    rig.keys(users(0..2_000));
    let delivered = rig.run().await;
    assert_eq!(
        (delivered.progress.delivered, delivered.progress.rejected),
        (1_999, 1)
    );
    assert_eq!(double.members(SEGMENT).len(), 1_999);
    let errors = rig.ledger.errors();
    assert_eq!((errors.len(), errors[0].key.as_str()), (1, "user-0000777"));
    assert!(errors[0].reason.contains("invalid context key"), "{errors:?}");
    // What was refused is simply still different.
    assert_eq!(rig.plan().await.unwrap().plan.counts.adds, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_row_is_refused_the_settings_are_blamed() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    for key in users(0..64) {
        double.refuse_key(&key);
    }
    rig.keys(users(0..64));
    let said = words(&rig.try_run().await.unwrap().outcome.unwrap_err());
    assert!(
        said.contains("refuses every row") && said.contains("settings"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_a_rerun_converges_and_nothing_happens_twice() {
    let double = LaunchDarkly::start("api-token").await;
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    let big = || Segment {
        unbounded: Some("user".to_owned()),
        ..Segment::default()
    };
    for dies_at in 1..12 {
        let rig = Rig::new(rig.job.destination.clone(), Mode::Mirror);
        double.put(SEGMENT, big());
        rig.keys(users(0..6_000));
        rig.ledger.die_at(Some(dies_at));
        let _ = rig.try_run().await.unwrap();
        rig.ledger.die_at(None);
        rig.keys(users(0..6_000));
        rig.run().await;
        assert_eq!(double.members(SEGMENT).len(), 6_000, "died at {dies_at}");
        assert_eq!(
            rig.plan().await.unwrap().plan.counts.to_send(),
            0,
            "died at {dies_at}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_run_delivered_is_not_sent_again() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut rig = Rig::flagsmith(&double, Mode::Add);
    rig.patience.failures = 1;
    rig.keys(users(0..20_000));
    let prepared = rig.plan().await.unwrap();
    double.fail_once_stored(15_000);
    let delivered = rig.deliver(prepared).await;
    double.recover();
    assert!(delivered.outcome.is_err(), "it was meant to fail");
    let prepared = rig.plan().await.unwrap();
    let left = prepared.plan.counts.adds;
    assert!(left < 20_000, "parts that were settled are remembered: {left}");
    rig.deliver(prepared).await.outcome.unwrap();
    assert_eq!(double.identities().len(), 20_000);
}

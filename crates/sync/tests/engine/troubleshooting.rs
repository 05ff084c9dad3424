//! What people run into with such connectors, and what they are told: the cause and the cure.

use burgee_doubles::flagsmith::{Fault, Flagsmith, Kind};
use burgee_doubles::launchdarkly::{self, LaunchDarkly, Segment};
use burgee_sync::destination::{Settings, launchdarkly as ld};
use burgee_sync::guard::Hold;
use burgee_sync::plan::Mode;

use super::{Rig, SEGMENT, fs_settings, ld_settings, users, words};

fn said(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flagsmith_client_side_key_is_told_from_a_server_side_one() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut settings = fs_settings(&double);
    settings.key = "n9fbf9h3v4fFgH3U3ngWhb".to_owned();
    let rig = Rig::new(Settings::Flagsmith(settings), Mode::Add);
    rig.keys(["ada"]);
    let text = words(&rig.plan().await.unwrap_err());
    said(
        &text,
        &[
            "client-side environment key",
            "\"ser.\"",
            "Environment Settings > Keys",
        ],
    );
    assert!(double.requests().is_empty(), "nothing was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_flagsmith_instance_is_told_from_a_wrong_key() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let with = |url: String| {
        let mut settings = fs_settings(&double);
        settings.url = url;
        async move {
            let rig = Rig::new(Settings::Flagsmith(settings), Mode::Add);
            rig.keys(["ada"]);
            words(&rig.plan().await.unwrap_err())
        }
    };
    let without_path = with(double.url.replace("/api/v1", "")).await;
    said(
        &without_path,
        &[
            "no Flagsmith API at",
            "edge.api.flagsmith.com/api/v1",
            "ends in /api/v1",
        ],
    );
    let nobody = with("http://127.0.0.1:9/api/v1".to_owned()).await;
    said(&nobody, &["can't be reached"]);
    let mut settings = fs_settings(&double);
    settings.key = "ser.of-another-environment".to_owned();
    let rig = Rig::new(Settings::Flagsmith(settings), Mode::Add);
    rig.keys(["ada"]);
    said(
        &words(&rig.plan().await.unwrap_err()),
        &["Authentication failed", "right environment", "API instance"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn traits_that_do_not_appear_end_the_run_after_one_batch() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    double.forget_writes();
    let rig = Rig::flagsmith(&double, Mode::Add);
    rig.keys(users(0..2_000));
    let text = words(&rig.try_run().await.unwrap().outcome.unwrap_err());
    said(
        &text,
        &["user-", "acknowledged", "does not show it", "may write here"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prefix_is_on_every_trait_so_a_segment_must_ask_for_it() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut settings = fs_settings(&double);
    settings.trait_prefix = "ss_".to_owned();
    let rig = Rig::new(Settings::Flagsmith(settings), Mode::Mirror);
    rig.keys(["ada"]);
    rig.run().await;
    let traits = double.identities().remove("ada").unwrap();
    assert_eq!(traits.into_keys().collect::<Vec<_>>(), ["ss_in_audience"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flagsmith_that_never_stops_refusing_is_told_with_its_words() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut rig = Rig::flagsmith(&double, Mode::Add);
    rig.patience.throttled = std::time::Duration::from_millis(10);
    rig.keys(["ada"]);
    double.fail(std::iter::repeat_n(Fault::RetryAfter(0), 50));
    said(
        &words(&rig.plan().await.unwrap_err()),
        &["too many requests", "throttled"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_would_remove_too_many_is_held_with_the_numbers() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Mirror);
    rig.keys(users(0..1_000));
    rig.run().await;
    rig.keys(users(0..400));
    let prepared = rig.plan().await.unwrap();
    assert!(matches!(
        prepared.holds[..],
        [Hold::Removes {
            removes: 600,
            of: 1_000,
            ..
        }]
    ));
    said(
        &prepared.holds[0].to_string(),
        &["600 of 1000 members", "needs an approval"],
    );
    let still = double
        .identities()
        .values()
        .filter(|traits| traits["in_audience"] == true)
        .count();
    assert_eq!(still, 1_000, "the target is unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_launchdarkly_does_not_know_and_one_without_the_role() {
    let double = LaunchDarkly::start("api-token").await;
    double.put(SEGMENT, Segment::default());
    let mut settings = ld_settings(&double);
    settings.token = "sdk-1234".to_owned();
    let rig = Rig::new(Settings::LaunchDarkly(settings), Mode::Mirror);
    rig.keys(["ada"]);
    let text = words(&rig.plan().await.unwrap_err());
    said(
        &text,
        &[
            "Authentication failed",
            "not an SDK key, mobile key or client-side id",
            "Writer role",
        ],
    );
    assert_eq!(double.requests().len(), 1, "asking again would not help");
    let rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.keys(["ada"]);
    let prepared = rig.plan().await.unwrap();
    double.fail([launchdarkly::Fault::Before(403)]);
    let text = words(&rig.deliver(prepared).await.outcome.unwrap_err());
    said(
        &text,
        &["may not change the segment", "Writer role", "updateIncluded"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_is_not_there_is_never_made() {
    let double = LaunchDarkly::start("api-token").await;
    let mut settings = ld_settings(&double);
    settings.segment = "hihg-value".to_owned();
    let rig = Rig::new(Settings::LaunchDarkly(settings), Mode::Mirror);
    rig.keys(["ada"]);
    let text = words(&rig.plan().await.unwrap_err());
    said(
        &text,
        &[
            "Segment not found",
            "\"hihg-value\"",
            "project \"shop\"",
            "environment \"production\"",
            "never created",
        ],
    );
    assert!(double.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_context_kind_is_told_where_it_can_be_known() {
    let double = LaunchDarkly::start("api-token").await;
    let devices = Segment {
        unbounded: Some("device".to_owned()),
        ..Segment::default()
    };
    double.put(SEGMENT, devices);
    let rig = Rig::new(Settings::LaunchDarkly(ld_settings(&double)), Mode::Mirror);
    rig.keys(["ada"]);
    let text = words(&rig.plan().await.unwrap_err());
    said(&text, &["kind \"device\"", "\"user\"", "match nobody"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_launchdarkly_instance_is_a_connection_that_fails() {
    let double = LaunchDarkly::start("api-token").await;
    let mut settings = ld_settings(&double);
    settings.instance = ld::Instance::parse("http://127.0.0.1:9");
    let rig = Rig::new(Settings::LaunchDarkly(settings), Mode::Mirror);
    rig.keys(["ada"]);
    said(&words(&rig.plan().await.unwrap_err()), &["can't be reached"]);
    let page = Flagsmith::start(Kind::Core, "ser.key").await;
    let mut settings = ld_settings(&double);
    settings.instance = ld::Instance::parse(page.url.trim_end_matches("/api/v1"));
    let rig = Rig::new(Settings::LaunchDarkly(settings), Mode::Mirror);
    rig.keys(["ada"]);
    let text = words(&rig.plan().await.unwrap_err());
    said(&text, &["API instance"]);
    for (name, address) in [
        ("us", "https://app.launchdarkly.com"),
        ("EU", "https://app.eu.launchdarkly.com"),
        ("federal", "https://app.launchdarkly.us"),
    ] {
        assert_eq!(ld::Instance::parse(name).address(), address);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_others_use_up_are_waited_for_and_told() {
    let double = LaunchDarkly::start("api-token").await;
    let mut rig = Rig::launchdarkly(&double, Mode::Mirror);
    rig.patience.throttled = std::time::Duration::from_millis(10);
    rig.keys(["ada"]);
    double.fail(std::iter::repeat_n(launchdarkly::Fault::Limited(Vec::new()), 20));
    said(
        &words(&rig.plan().await.unwrap_err()),
        &["too many requests", "exceeded the API rate limit"],
    );
}

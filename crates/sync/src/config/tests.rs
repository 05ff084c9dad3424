//! What is accepted, what is refused, and that all of it is told at once.

use super::*;

const GOOD: &str = r#"
sources:
  files: {driver: files, folder: data}
models:
  high_value: {source: files, key: user_id, file: high_value.csv}
destinations:
  ld: {type: launchdarkly, instance: eu, project: shop, environment: production, token: api-123}
  fs: {type: flagsmith, url: "https://flags.example.com/api/v1", key: ser.abc, trait_prefix: ss_}
syncs:
  to_segment: {model: high_value, to: ld, mode: mirror, segment: high-value}
  to_traits: {model: high_value, to: fs, mode: upsert, map: {identifier: user_id, tier: tier}}
  to_audience: {model: high_value, to: fs, mode: mirror, schedule: {cron: "*/15 * * * *", tz: Europe/Berlin}}
"#;

fn loaded(text: &str) -> Result<Project> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("syncs.yaml");
    std::fs::write(&path, text).unwrap();
    load(&path)
}

fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    loaded(&GOOD.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn a_file_becomes_jobs() {
    let project = loaded(GOOD).unwrap();
    let traits = &project.syncs["to_traits"].job;
    assert_eq!(
        (traits.key.as_str(), traits.map["tier"].as_str()),
        ("user_id", "tier")
    );
    assert!(matches!(&traits.source, source::Source::Files { folder } if folder.ends_with("data")));
    assert_eq!(project.syncs["to_segment"].job.mode, Mode::Mirror);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let cases = [
        (
            "key: ser.abc",
            "key: abc",
            "syncs.to_traits.key: this is a client-side",
        ),
        (
            "map: {identifier: user_id, tier: tier}",
            "map: {tier: tier}",
            "`identifier` is required",
        ),
        (
            "mode: mirror, segment: high-value",
            "mode: mirror",
            "syncs.to_segment.segment: is needed",
        ),
        (
            "mode: mirror, segment: high-value",
            "mode: upsert, map: {identifier: a, b: c}, segment: high-value",
            "add, remove or mirror",
        ),
        (
            "model: high_value, to: ld",
            "model: low_value, to: ld",
            "there is no \"low_value\"; there are: high_value",
        ),
        (
            "file: high_value.csv",
            "file: a.csv, sql: select 1",
            "exactly one of",
        ),
        ("instance: eu", "instance: mars", "none of us, eu, federal"),
        ("project: shop", "projekt: shop", "projekt"),
    ];
    for (from, to, told) in cases {
        let said = refused(from, to);
        assert!(said.contains(told), "{said}");
    }
    let both = loaded(
        &GOOD
            .replace("key: ser.abc", "key: abc")
            .replace(", segment: high-value", ""),
    )
    .unwrap_err()
    .to_string();
    assert!(
        both.contains("to_segment.segment") && both.contains("to_traits.key"),
        "all at once: {both}"
    );
}

#[test]
fn two_syncs_may_not_write_to_the_same_thing() {
    let second = "  another: {model: high_value, to: ld, mode: add, segment: high-value}\n";
    let said = loaded(&format!("{GOOD}{second}")).unwrap_err().to_string();
    assert!(
        said.contains("already written by") && said.contains("one owner"),
        "{said}"
    );
    let second =
        "  another: {model: high_value, to: fs, mode: upsert, map: {identifier: user_id, tier: other}}\n";
    assert!(loaded(&format!("{GOOD}{second}")).is_err(), "the same trait");
    let second =
        "  another: {model: high_value, to: fs, mode: upsert, map: {identifier: user_id, plan: plan}}\n";
    assert!(loaded(&format!("{GOOD}{second}")).is_ok(), "another trait");
}

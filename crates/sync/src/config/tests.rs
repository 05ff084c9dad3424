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
    load(&path, &Drivers::default())
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

#[test]
fn one_row_a_trait_is_for_records_and_names_its_columns() {
    let long = GOOD.replace(
        "file: high_value.csv}",
        "file: high_value.csv}\n  traits: {source: files, key: identifier, file: traits.csv, format: long}",
    );
    let sync = "  long: {model: traits, to: fs, mode: upsert, map: {identifier: who, trait_value: v}}\n";
    let project = loaded(&format!("{long}{sync}")).unwrap();
    let job = &project.syncs["long"].job;
    let expected = Long {
        trait_key: "trait_key".to_owned(),
        trait_value: "v".to_owned(),
    };
    assert_eq!((job.key.as_str(), job.long.as_ref()), ("who", Some(&expected)));
    for (sync, told) in [
        ("mode: mirror", "for `mode: upsert`"),
        (
            "mode: upsert, map: {identifier: who, tier: tier}",
            "tier would be ignored",
        ),
    ] {
        let text = format!("{long}  long: {{model: traits, to: fs, {sync}}}\n");
        let said = loaded(&text).unwrap_err().to_string();
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_warehouse_compares_where_it_is_told_to() {
    let text = GOOD.replace(
        "files: {driver: files, folder: data}",
        "files: {driver: files, folder: data}\n  dwh: {driver: postgres, url: \"postgres://x/y\", engine: warehouse, schema: plans}",
    );
    let text = text.replace(
        "high_value: {source: files, key: user_id, file: high_value.csv}",
        "high_value: {source: dwh, key: user_id, table: high_value}",
    );
    let project = loaded(&text).unwrap();
    let warehouse = project.syncs["to_traits"].job.warehouse.as_ref().unwrap();
    assert_eq!(
        (warehouse.dialect, warehouse.schema.as_str()),
        (Dialect::Postgres, "plans")
    );
    let adbc = text.replace(
        "driver: postgres, url: \"postgres://x/y\"",
        "driver: adbc, library: snowflake",
    );
    let said = loaded(&adbc).unwrap_err().to_string();
    assert!(said.contains("audience_sync.drivers"), "{said}");
}

#[test]
fn a_cohort_is_a_target_of_its_own_and_needs_its_key() {
    let cohort = "  members: {model: high_value, to: fs, mode: mirror, cohort: 7c0cd3a0-6f3e-4a43-8f2e-6b8a1f5f2f10}\n";
    let said = loaded(&format!("{GOOD}{cohort}")).unwrap_err().to_string();
    assert!(said.contains("cohort_key: is needed"), "{said}");
    let with_key = GOOD.replace("key: ser.abc,", "key: ser.abc, cohort_key: k,");
    let project = loaded(&format!("{with_key}{cohort}")).unwrap();
    let targets: Vec<&String> = project.syncs["members"].targets.iter().collect();
    assert!(targets[0].contains("cohort 7c0cd3a0"), "{targets:?}");
    let said = loaded(&format!(
        "{GOOD}{}",
        cohort.replace("to: fs", "to: ld, segment: s")
    ))
    .unwrap_err();
    assert!(
        said.to_string().contains("belongs to syncs to Flagsmith"),
        "{said}"
    );
}

/// `BLESS=1` writes it anew.
#[test]
fn the_schema_in_the_documentation_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audience-sync.schema.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, schema()).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        schema() == written,
        "stale: cargo run -- sync schema > docs/audience-sync.schema.json"
    );
}

/// What a program exports is what a file may hold.
#[test]
fn a_document_survives_being_written_and_read() {
    let document: Document = serde_saphyr::from_str(GOOD).unwrap();
    let text = serde_saphyr::to_string(&document).unwrap();
    assert_eq!(
        serde_saphyr::from_str::<Document>(&text).unwrap(),
        document,
        "{text}"
    );
}

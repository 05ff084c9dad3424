//! Who may import whom.

use std::collections::BTreeSet;
use std::path::Path;

/// Each crate and the crates of ours it may import. `testkit`, `doubles` and `scratch` are for tests and benches.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("engine", &["model"]),
    ("store", &["model"]),
    ("outbound", &["model"]),
    ("auth", &["model", "outbound"]),
    ("app", &["model", "engine", "store", "outbound", "auth", "sync"]),
    ("dashboard", &[]),
    ("api", &["model", "engine", "app", "dashboard"]),
    ("worker", &["model", "outbound", "app"]),
    ("sync", &["model", "outbound"]),
    ("import", &["model", "engine", "store", "outbound", "auth", "app"]),
    (
        "burgee",
        &[
            "model", "engine", "store", "outbound", "auth", "app", "api", "worker", "sync", "import",
        ],
    ),
    ("doubles", &["sync"]),
    ("scratch", &[]),
    (
        "testkit",
        &[
            "model", "engine", "store", "outbound", "app", "api", "doubles", "scratch",
        ],
    ),
];

/// Libraries that only one crate may name, so that their job is done in one place.
const WRAPPED: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "sync", "scratch"]),
    ("axum", &["api", "burgee", "doubles", "testkit"]),
    ("argon2", &["auth"]),
    ("bergshamra", &["auth", "testkit"]),
    ("jsonwebtoken", &["auth", "testkit"]),
    ("reqwest", &["outbound"]),
    ("lettre", &["outbound"]),
    ("opentelemetry-otlp", &["burgee"]),
    ("tracing-opentelemetry", &["burgee"]),
];

#[test]
fn crates_import_only_what_their_role_allows() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(&crates).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let imports: Vec<&str> = dependencies(&manifest);
        let allowed = ALLOWED
            .iter()
            .find(|(n, _)| *n == name)
            .unwrap_or_else(|| panic!("{name} is not in the table"))
            .1;
        for import in &imports {
            if let Some(ours) = import.strip_prefix("burgee-") {
                assert!(allowed.contains(&ours), "{name} may not import {ours}");
            }
            if let Some((_, by)) = WRAPPED.iter().find(|(library, _)| library == import) {
                assert!(
                    by.contains(&name.as_str()),
                    "{name} may not import {import}: that is the job of {by:?}"
                );
            }
        }
        seen.insert(name);
    }
    assert_eq!(
        seen.len(),
        ALLOWED.len(),
        "the table names a crate that is not there"
    );
}

/// The names in `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && let Some((name, _)) = line.split_once(['.', '=', ' ']) {
            names.push(name);
        }
    }
    names
}

/// Where the application writes without [`App::begin`], whose acts are held to the change log, and why.
const PAST_THE_LOG: &[(&str, &str)] = &[
    ("analytics/mod.rs", "counts"),
    ("analytics/seen.rs", "when features were last asked for"),
    ("audience_syncs/alerts.rs", "when something was last told"),
    ("audience_syncs/ledger.rs", "the book of audience sync"),
    ("audience_syncs/runner.rs", "the book of audience sync"),
    ("audience_syncs/runs.rs", "the book of audience sync"),
    ("audience_syncs/schedules.rs", "when a sync is due next"),
    (
        "deliveries.rs",
        "how far the log was read, and what is to be sent",
    ),
    ("integrations/deliveries.rs", "what an integration was sent"),
    ("leases.rs", "which node carries out which schedule"),
    (
        "list_segments/fold.rs",
        "members are stored anew, the same as before",
    ),
    (
        "list_segments/replace.rs",
        "a list that nobody uses yet; that it is used from now on is told",
    ),
    (
        "lib.rs",
        "begin itself; what SDKs say of identities, and their counts",
    ),
    ("mail.rs", "a mail that was sent leaves the queue"),
    ("pii.rs", "counts"),
    ("sdk/analytics.rs", "counts"),
    ("sdk/bulk.rs", "what SDKs say of identities"),
    ("served/mod.rs", "that an SDK has asked an environment for flags"),
    ("sessions.rs", "when a session was last used"),
    ("tasks.rs", "work that waits"),
    (
        "trackers/gitlab.rs",
        "which webhooks were made in projects of a GitLab",
    ),
    ("webhook_deliveries.rs", "what was sent to a webhook"),
    ("usage.rs", "counts"),
];

#[test]
fn the_application_writes_past_the_change_log_only_where_it_says_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/app/src");
    let (mut files, mut left) = (vec![folder.clone()], BTreeSet::new());
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("db().begin()") || text.contains("db.begin()") {
            let name = path.strip_prefix(&folder).unwrap();
            left.insert(name.to_string_lossy().replace('\\', "/"));
        }
    }
    let listed: BTreeSet<String> = PAST_THE_LOG.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(left, listed);
}

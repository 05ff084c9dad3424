//! Remembers what the stories of a run have called, for the test that no operation is without a story.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use axum::http::{Method, StatusCode};

/// An operation and the status of an answer to it: `GET /api/v1/flags/ 200`.
pub type Call = String;

/// What a run of a test program has called.
#[derive(Debug)]
pub struct Told {
    /// Whether all its tests were asked for, and not some by name.
    pub all: bool,
    pub calls: BTreeSet<Call>,
}

/// Beside the folder of the test programs. A program's file holds what its last run has called.
fn folder(program: &Path) -> PathBuf {
    program.parent().unwrap_or(Path::new(".")).with_file_name("told")
}

/// Notes a call.
pub(crate) fn note(method: &Method, path: &str, status: StatusCode) {
    static LOG: LazyLock<Mutex<(File, HashSet<Call>)>> =
        LazyLock::new(|| Mutex::new((begin(), HashSet::new())));
    let Some(path) = crate::contract::matched(path).filter(|_| !is_trial()) else {
        return;
    };
    let call = format!("{method} {path} {}", status.as_u16());
    let mut log = LOG.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if log.1.insert(call.clone()) {
        log.0
            .write_all(format!("{call}\n").as_bytes())
            .expect("a call is noted");
    }
}

/// Whether this test calls operations because the document has them, and tells no story. Tests run on threads with their
/// names.
fn is_trial() -> bool {
    std::thread::current()
        .name()
        .is_some_and(|name| name.starts_with("openapi::"))
}

/// Begins the file of this run.
fn begin() -> File {
    let program = std::env::current_exe().expect("the test program");
    let folder = folder(&program);
    fs::create_dir_all(&folder).expect("a folder for what was told");
    let mut file = File::create(folder.join(program.file_name().unwrap_or_default())).expect("a file");
    let harmless = |argument: &String| argument.starts_with('-') && !argument.starts_with("--skip");
    let all = std::env::args().skip(1).all(|argument| harmless(&argument));
    let line: &[u8] = if all { b"all\n" } else { b"some\n" };
    file.write_all(line).expect("the file is begun");
    file
}

/// What the last run of a test program has called; `None` when it has not run.
pub fn last_run(program: &str) -> Option<Told> {
    let prefix = format!("{program}-");
    let folder = folder(&std::env::current_exe().ok()?);
    let runs = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let ours = runs.filter(|run| run.file_name().to_string_lossy().starts_with(&prefix));
    let newest = ours.max_by_key(|run| run.metadata().and_then(|data| data.modified()).ok())?;
    let text = fs::read_to_string(newest.path()).ok()?;
    let mut lines = text.lines();
    let all = lines.next() == Some("all");
    Some(Told {
        all,
        calls: lines.map(str::to_owned).collect(),
    })
}

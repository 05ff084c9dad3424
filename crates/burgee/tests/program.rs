//! The program as its user meets it: exit codes, the one line of an error, start and stop.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The program in a directory of its own, with no environment but what a test adds.
fn burgee(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burgee"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn directory() -> TempDir {
    TempDir::new().unwrap()
}

/// The error, which must be one line.
fn error_line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("burgee: ")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0].to_owned()
}

/// Starts a server on any free port; returns it with the address it tells.
fn start(directory: &TempDir) -> (Child, String) {
    let mut child = burgee(directory, &["serve", "--listen", "127.0.0.1:0"])
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("Burgee is listening on http://");
    let address = address
        .unwrap_or_else(|| panic!("unexpected first line {line:?}"))
        .to_owned();
    (child, address)
}

fn terminate(child: &Child) {
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn it_tells_its_version() {
    let output = burgee(&directory(), &["version"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("burgee {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_default_file_is_itself_a_configuration_that_holds() {
    let directory = directory();
    let file = burgee(&directory, &["config", "default"])
        .output()
        .unwrap()
        .stdout;
    std::fs::write(directory.path().join("burgee.toml"), file).unwrap();
    let output = burgee(&directory, &["config", "check"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.starts_with("configuration ok\n"),
        "{text}"
    );
    assert!(text.contains("# file ./burgee.toml"), "{text}");
}

#[test]
fn a_wrong_setting_ends_it_with_2() {
    let output = burgee(&directory(), &["serve"])
        .env("LOG_FORMAT", "xml")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        error_line(&output),
        "burgee: configuration error: logging.format (from env LOG_FORMAT): must be text or json, not \"xml\""
    );
}

#[test]
fn an_address_in_use_ends_it_with_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = burgee(&directory(), &["serve", "--listen", &address])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = error_line(&output);
    assert!(
        line.starts_with(&format!(
            "burgee: cannot listen on {address} (server.listen, from flag --listen)"
        )),
        "{line}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_made_ends_it_with_1() {
    let directory = directory();
    std::fs::write(directory.path().join("file"), "").unwrap();
    let output = burgee(&directory, &["serve", "--data-dir", "file/data"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = error_line(&output);
    assert!(
        line.starts_with("burgee: cannot write to the data directory file/data (server.data_dir, from flag"),
        "{line}"
    );
}

#[test]
#[cfg(unix)]
fn it_starts_within_a_second_and_stops_on_sigterm() {
    let directory = directory();
    let began = Instant::now();
    let (mut child, address) = start(&directory);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let mut idle = TcpStream::connect(&address).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert_eq!(
        idle.read(&mut [0]).unwrap(),
        0,
        "the idle connection was not closed"
    );
    assert!(directory.path().join("burgee-data").is_dir());
}

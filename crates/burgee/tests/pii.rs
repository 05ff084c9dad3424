//! Personal data that is not to be stored leaves no byte in the logs and in the data directory of the real program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const CANARY: &str = "zq7canary";
const ADDRESS: &str = "zq7canary@pii.example";

/// A request on a connection of its own; the answer's status and body.
fn call(address: &str, head: &str, key: (&str, &str), body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{head} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{}: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        key.0,
        key.1,
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The files below a folder that hold a text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if holds(&std::fs::read(&path).unwrap(), text) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn what_is_transient_refused_or_hashed_is_in_no_log_and_in_no_file() {
    let folder = TempDir::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_burgee"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(&folder)
        .env_clear()
        .env("LOG_LEVEL", "trace")
        .env("BURGEE_LOGGING_ACCESS", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut logs = child.stderr.take().unwrap();
    let logs = std::thread::spawn(move || {
        let mut text = Vec::new();
        logs.read_to_end(&mut text).unwrap();
        text
    });
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("Burgee is listening on http://")
        .unwrap();

    let person = json!({"email": "ada@house.example", "password": "Correct-Horse-7", "first_name": "A", "last_name": "L"});
    let nobody = ("x-nothing", "-");
    let token = call(address, "POST /api/v1/auth/users/", nobody, &person).1["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = format!("Token {token}");
    let post =
        |path: &str, body: Value| call(address, &format!("POST {path}"), ("authorization", &token), &body).1;
    let organisation = post("/api/v1/organisations/", json!({"name": "Acme"}))["id"].clone();
    let project = post(
        "/api/v1/projects/",
        json!({"name": "Web", "organisation": organisation}),
    )["id"]
        .clone();
    let environment = post(
        "/api/v1/environments/",
        json!({"name": "Live", "project": project}),
    );
    let key = ("x-environment-key", environment["api_key"].as_str().unwrap());
    for (mode, status) in [("refuse", 400), ("hash", 200)] {
        let settings = json!({"pii_mode": mode});
        let path = format!("PATCH /api/v1/projects/{project}/");
        assert_eq!(call(address, &path, ("authorization", &token), &settings).0, 200);
        let transient = json!({"identifier": ADDRESS, "transient": true, "traits": [{"trait_key": "mail", "trait_value": ADDRESS}]});
        assert_eq!(call(address, "POST /api/v1/identities/", key, &transient).0, 200);
        let one = json!({"identifier": "somebody", "traits": [{"trait_key": "mail", "trait_value": ADDRESS, "transient": true}]});
        assert_eq!(call(address, "POST /api/v1/identities/", key, &one).0, 200);
        let kept = json!({"identifier": ADDRESS, "traits": [{"trait_key": "mail", "trait_value": ADDRESS}]});
        assert_eq!(
            call(address, "POST /api/v1/identities/", key, &kept).0,
            status,
            "{mode}"
        );
        let get = "GET /api/v1/identities/?identifier=zq7canary%40pii.example";
        assert_eq!(call(address, get, key, &Value::Null).0, status, "{mode}");
        let by_path = "GET /api/v1/identities/zq7canary%40pii.example/";
        assert_eq!(call(address, by_path, key, &Value::Null).0, status, "{mode}");
    }
    // Once while the log of the database is still there, and once after an orderly end.
    assert_eq!(files_with(folder.path(), CANARY), [""; 0]);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());
    assert!(
        !files_with(folder.path(), "somebody").is_empty(),
        "what is stored is looked at"
    );
    assert_eq!(files_with(folder.path(), CANARY), [""; 0]);
    let logs = logs.join().unwrap();
    assert!(holds(&logs, "/api/v1/identities/"), "the log is looked at");
    assert!(!holds(&logs, CANARY), "it is in the log");
}

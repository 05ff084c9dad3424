//! Traces, request ids and metrics of the running program, as collectors see them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use tempfile::TempDir;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector: hands over the path and the body of each request, and answers it with 200.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(request) = request(&mut stream) {
                    stream
                        .get_mut()
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")
                        .unwrap();
                    if sender.send(request).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, received)
}

/// The first line and the body of a request; `None` at the end.
fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    if stream.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let (mut length, mut protobuf) = (0, false);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        protobuf |= line == "content-type: application/x-protobuf";
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    assert!(protobuf, "{first} is no protobuf");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first.trim().to_owned(), body))
}

struct Server {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl Server {
    fn start(variables: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_burgee"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(&directory)
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Burgee is listening on http://");
        let address = address
            .unwrap_or_else(|| panic!("unexpected first line {line:?}"))
            .to_owned();
        Self {
            child,
            address,
            _directory: directory,
        }
    }

    /// The whole answer to a GET, head and body.
    fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it, and returns what it has logged.
    fn end(mut self) -> String {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        assert!(self.child.wait().unwrap().success());
        log
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn attribute(attributes: &[KeyValue], name: &str) -> String {
    let value = attributes.iter().find(|each| each.key == name);
    match value.and_then(|each| each.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{name} is {other:?} in {attributes:?}"),
    }
}

#[test]
fn a_request_is_a_span_in_the_trace_of_whoever_asks_and_tells_nothing_of_people() {
    let (url, received) = collector();
    let server = Server::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ("BURGEE_LOGGING_FORMAT", "json"),
        ("BURGEE_LOGGING_ACCESS", "true"),
    ]);
    let parent = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    let path = "/api/v1/identities/?identifier=ada.lovelace@example.com";
    let secret = "x-environment-key: secret-key\r\nauthorization: Token secret-token\r\n";
    let answer = server.get(path, &format!("{parent}{secret}"));
    assert!(
        answer.starts_with("HTTP/1.1 401") || answer.starts_with("HTTP/1.1 403"),
        "{answer}"
    );
    let log = server.end();

    let mut spans: Vec<Span> = Vec::new();
    while let Ok((first, body)) = received.recv_timeout(Duration::from_secs(5)) {
        assert_eq!(first, "POST /v1/traces HTTP/1.1");
        for word in ["ada.lovelace", "secret-key", "secret-token"] {
            assert!(
                !body.windows(word.len()).any(|part| part == word.as_bytes()),
                "{word} is told"
            );
        }
        let export = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        for resource in export.resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            assert_eq!(attribute(&attributes, "service.name"), "burgee");
            assert_eq!(attribute(&attributes, "deployment.environment"), "test");
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        if spans.iter().any(|span| hex(&span.trace_id) == TRACE) {
            break;
        }
    }
    let span = spans
        .iter()
        .find(|span| hex(&span.trace_id) == TRACE)
        .expect("the span of the request");
    assert_eq!(hex(&span.parent_span_id), PARENT);
    assert_eq!(span.name, "GET /api/v1/identities/");
    assert_eq!(attribute(&span.attributes, "http.route"), "/api/v1/identities/");
    assert_eq!(attribute(&span.attributes, "http.request.method"), "GET");
    let status = attribute(&span.attributes, "http.response.status_code");
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{status}");

    let line = log
        .lines()
        .find(|line| line.contains("/api/v1/identities/"))
        .expect("the line of the request");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["span"]["trace_id"], TRACE);
    for word in ["ada.lovelace", "secret-key", "secret-token"] {
        assert!(!log.contains(word), "{word} in {log}");
    }
}

#[test]
fn a_request_has_an_id_which_is_answered_and_logged() {
    let server = Server::start(&[
        ("BURGEE_LOGGING_FORMAT", "json"),
        ("BURGEE_LOGGING_ACCESS", "true"),
    ]);
    let given = server.get("/version/", "x-request-id: from-the-proxy-1\r\n");
    assert!(
        given.contains("\r\nx-request-id: from-the-proxy-1\r\n"),
        "{given}"
    );
    let made = server.get("/version/", "");
    let id = made
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .expect("an id")
        .to_owned();
    let page = server.get("/metrics/", "");
    for metric in [
        "burgee_http_requests_total{method=\"GET\",route=\"/version/\",status=\"200\"} 2",
        "burgee_http_request_seconds_count{route=\"/version/\"} 2",
        "burgee_evaluations_reported_total 0",
        "burgee_database_connections{state=\"used\"} ",
        "burgee_changes_lag_seconds ",
        "burgee_build_info{version=",
        "# HELP burgee_http_requests_total ",
    ] {
        assert!(page.contains(metric), "{metric} in {page}");
    }
    let log = server.end();
    for id in ["from-the-proxy-1", &id] {
        let lines: Vec<serde_json::Value> = log
            .lines()
            .filter(|line| line.contains(id))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 1, "{id} in {log}");
        assert_eq!(
            (&lines[0]["span"]["request_id"], &lines[0]["route"]),
            (&id.into(), &"/version/".into())
        );
    }
}

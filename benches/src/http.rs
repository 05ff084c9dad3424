//! CPU per request of the SDK API, as ratios to a bare axum server that returns the same bytes, in one run.
//!
//!     cargo build --release -p burgee && cargo run --release -p burgee-benches --bin http [-- path/to/burgee]
//!
//! The server is held on core 0 and the load on core 1 (with `taskset`, when it is there). What counts is the CPU time
//! of the server process over the requests it answered; rates drift with whatever else the machine does, this does not.
//! Rounds alternate between the two servers, and the medians are compared.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--bare") => bare(&arguments[2], &arguments[3]),
        Some("--load") => load(&arguments[2], &arguments[3]),
        burgee => compare(burgee.unwrap_or("target/release/burgee")),
    }
}

/// One thing to ask for, over and over.
struct Case {
    name: &'static str,
    method: &'static str,
    path: String,
    key: String,
    gzip: bool,
    /// `%N` is replaced by a running number, so that every request writes.
    body: Option<String>,
    goal: &'static str,
}

fn compare(burgee: &str) -> Fallible<()> {
    let folder = std::env::temp_dir().join(format!("burgee-bench-{}", std::process::id()));
    let address: SocketAddr = "127.0.0.1:18700".parse()?;
    let data = folder.display().to_string();
    let mut server = Server::start(
        &[
            burgee,
            "serve",
            "--listen",
            "127.0.0.1:18700",
            "--data-dir",
            &data,
        ],
        address,
    )?;
    let keys = fixture(address)?;
    println!(
        "{:34} {:>9} {:>9} {:>7} {:>9}  aim",
        "case", "bare µs", "burgee µs", "ratio", "requests/s"
    );
    let cases = cases(&keys);
    for (number, case) in cases.iter().enumerate() {
        measure(&server, address, case, number as u16)?;
    }
    // The same again where what would be stored is looked through for personal data.
    call(
        address,
        &keys.token,
        "PATCH",
        &keys.project,
        &json!({"pii_mode": "refuse"}),
    )?;
    println!("with pii_mode: refuse");
    let stored = cases.iter().filter(|case| case.path.contains("/identities/"));
    for (number, case) in stored.enumerate() {
        measure(&server, address, case, (cases.len() + number) as u16)?;
    }
    server.stop();
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn cases(keys: &Keys) -> Vec<Case> {
    let case = |name, method, path: &str, key: &str, body: Option<String>, goal| Case {
        name,
        method,
        path: path.to_owned(),
        key: key.to_owned(),
        gzip: false,
        body,
        goal,
    };
    let traits = r#"[{"trait_key":"plan","trait_value":"pro"},{"trait_key":"age","trait_value":30}]"#;
    let unchanged = format!(r#"{{"identifier":"hot","traits":{traits}}}"#);
    let transient = format!(r#"{{"identifier":"hot","transient":true,"traits":{traits}}}"#);
    let changed = r#"{"identifier":"w%I","traits":[{"trait_key":"n","trait_value":%N}]}"#.to_owned();
    vec![
        case("GET flags", "GET", "/api/v1/flags/", &keys.client, None, "≤ 1.15"),
        Case {
            gzip: true,
            ..case("GET flags, gzip", "GET", "/api/v1/flags/", &keys.client, None, "")
        },
        case(
            "GET environment document",
            "GET",
            "/api/v1/environment-document/",
            &keys.server,
            None,
            "≤ 1.15",
        ),
        case(
            "GET identity, stored traits",
            "GET",
            "/api/v1/identities/?identifier=hot",
            &keys.client,
            None,
            "≤ 2",
        ),
        case(
            "POST identity, transient",
            "POST",
            "/api/v1/identities/",
            &keys.client,
            Some(transient),
            "",
        ),
        case(
            "POST identity, traits unchanged",
            "POST",
            "/api/v1/identities/",
            &keys.client,
            Some(unchanged),
            "",
        ),
        case(
            "POST identity, durable traits",
            "POST",
            "/api/v1/identities/",
            &keys.client,
            Some(changed),
            "≤ 5",
        ),
    ]
}

fn measure(server: &Server, address: SocketAddr, case: &Case, number: u16) -> Fallible<()> {
    let sample = send(address, &request(case, 0, 0))?;
    let size = sample.body.len().to_string();
    let bare_address: SocketAddr = format!("127.0.0.1:{}", 18701 + number).parse()?;
    let own = std::env::current_exe()?.display().to_string();
    let mut bare = Server::start(&[&own, "--bare", &bare_address.to_string(), &size], bare_address)?;
    let (mut theirs, mut ours, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(round(&bare, bare_address, case)?.0);
        let (cost, rate) = round(server, address, case)?;
        ours.push(cost);
        rates.push(rate);
    }
    bare.stop();
    let (theirs, ours, rate) = (median(theirs), median(ours), median(rates));
    let name = format!("{} ({} B)", case.name, sample.body.len());
    println!(
        "{name:34} {theirs:9.1} {ours:9.1} {:7.2} {rate:9.0}  {}",
        ours / theirs,
        case.goal
    );
    Ok(())
}

/// CPU microseconds per request of the server, and requests per second.
fn round(server: &Server, address: SocketAddr, case: &Case) -> Fallible<(f64, f64)> {
    let own = std::env::current_exe()?.display().to_string();
    let case = json!([case.method, case.path, case.key, case.gzip, case.body]).to_string();
    let before = server.cpu()?;
    let output = pinned("1", &[&own, "--load", &address.to_string(), &case]).output()?;
    let spent = server.cpu()?.saturating_sub(before);
    let answered: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok((
        spent.as_secs_f64() * 1e6 / answered,
        answered / ROUND.as_secs_f64(),
    ))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A server process on core 0.
struct Server(Child);

impl Server {
    fn start(command: &[&str], address: SocketAddr) -> Fallible<Self> {
        let child = pinned("0", command)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        for _ in 0..200 {
            if TcpStream::connect(address).is_ok() {
                return Ok(Self(child));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{command:?} does not answer on {address}").into())
    }

    /// User and system time so far. The kernel counts in hundredths of a second.
    fn cpu(&self) -> Fallible<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    fn stop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    /// Nothing is left running, however the comparison ends.
    fn drop(&mut self) {
        self.stop();
    }
}

fn pinned(core: &str, command: &[&str]) -> Command {
    let has_taskset = Command::new("taskset")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    if has_taskset {
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", core]).args(command);
        return pinned;
    }
    let mut plain = Command::new(command[0]);
    plain.args(&command[1..]);
    plain
}

/// The bare server: one route, constant bytes.
#[tokio::main]
async fn bare(address: &str, size: &str) -> Fallible<()> {
    let body = bytes::Bytes::from(vec![b'x'; size.parse()?]);
    let answer = move || {
        let body = body.clone();
        async move { ([("content-type", "application/json")], body) }
    };
    let router = axum::Router::new().fallback(answer);
    axum::serve(tokio::net::TcpListener::bind(address).await?, router).await?;
    Ok(())
}

/// Keeps a number of connections busy for one round and prints how many requests were answered.
fn load(address: &str, case: &str) -> Fallible<()> {
    let address: SocketAddr = address.parse()?;
    let (method, path, key, gzip, body): (String, String, String, bool, Option<String>) =
        serde_json::from_str(case)?;
    let case = Case {
        name: "",
        method: if method == "GET" { "GET" } else { "POST" },
        path,
        key,
        gzip,
        body,
        goal: "",
    };
    let end = Instant::now() + ROUND;
    let answered: u64 = std::thread::scope(|scope| {
        let case = &case;
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|i| scope.spawn(move || work(address, case, i, end)))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(0)).sum()
    });
    println!("{answered}");
    Ok(())
}

fn work(address: SocketAddr, case: &Case, connection: usize, end: Instant) -> u64 {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return 0;
    };
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::new();
    let mut answered = 0;
    let salt = u64::from(std::process::id()) << 20;
    while Instant::now() < end {
        let request = request(case, connection, salt + answered);
        if stream.write_all(request.as_bytes()).is_err() || read_answer(&mut stream, &mut buffer).is_err() {
            break;
        }
        answered += 1;
    }
    answered
}

fn request(case: &Case, connection: usize, number: u64) -> String {
    let gzip = if case.gzip {
        "accept-encoding: gzip\r\n"
    } else {
        ""
    };
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: bench\r\nx-environment-key: {}\r\n{gzip}",
        case.method, case.path, case.key
    );
    match &case.body {
        None => format!("{head}\r\n"),
        Some(body) => {
            let body = body
                .replace("%I", &connection.to_string())
                .replace("%N", &number.to_string());
            format!(
                "{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    }
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Fallible<Answer> {
    buffer.clear();
    let mut chunk = vec![0; 65536];
    loop {
        if let Some(head) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|l| l.strip_prefix("content-length:"))
                .map_or(Ok(0), |l| l.trim().parse())?;
            while buffer.len() < head + 4 + length {
                let read = stream.read(&mut chunk)?;
                if read == 0 {
                    return Err("the connection was closed".into());
                }
                buffer.extend_from_slice(&chunk[..read]);
            }
            let status = text.split_whitespace().nth(1).unwrap_or("0").parse()?;
            return Ok(Answer {
                status,
                body: buffer[head + 4..head + 4 + length].to_vec(),
            });
        }
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err("the connection was closed".into());
        }
        buffer.extend_from_slice(&chunk[..read]);
    }
}

fn send(address: SocketAddr, request: &str) -> Fallible<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let answer = read_answer(&mut stream, &mut Vec::new())?;
    if answer.status >= 300 {
        return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
    }
    Ok(answer)
}

struct Keys {
    /// The administrator's, and where the project is.
    token: String,
    project: String,
    client: String,
    server: String,
}

/// The full fixture: 100 features, 17 of them splits, 10 overridden by segments; 50 segments with lists of 1,000 values,
/// patterns, versions and percentage splits.
fn fixture(address: SocketAddr) -> Fallible<Keys> {
    let person = json!({"email": "bench@example.com", "password": "Correct-Horse-7", "first_name": "B", "last_name": "B"});
    let token = call(address, "", "POST", "/api/v1/auth/users/", &person)?["key"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let post = |path: &str, body: Value| call(address, &token, "POST", path, &body);
    let organisation = post("/api/v1/organisations/", json!({"name": "Bench"}))?["id"].clone();
    let project = post(
        "/api/v1/projects/",
        json!({"name": "Bench", "organisation": organisation}),
    )?["id"]
        .clone();
    let environment = post(
        "/api/v1/environments/",
        json!({"name": "Bench", "project": project}),
    )?;
    let client = environment["api_key"].as_str().unwrap_or_default().to_owned();
    let server = post(
        &format!("/api/v1/environments/{client}/api-keys/"),
        json!({"name": "bench"}),
    )?;
    let mut features = Vec::new();
    for i in 0..100 {
        let name = format!("feature_{i}");
        let body =
            json!({"name": name, "initial_value": format!("value {i}"), "default_enabled": i % 2 == 0});
        let feature = post(&format!("/api/v1/projects/{project}/features/"), body)?["id"].clone();
        if i % 6 == 0 {
            for (key, share) in [("a", 30.0), ("b", 20.0)] {
                let option = json!({"feature": feature, "type": "unicode", "string_value": key, "key": key, "default_percentage_allocation": share});
                post(
                    &format!("/api/v1/projects/{project}/features/{feature}/mv-options/"),
                    option,
                )?;
            }
        }
        features.push(feature);
    }
    for (i, feature) in features.iter().enumerate().take(50) {
        let segment = json!({"name": format!("segment_{i}"), "project": project, "rules": [
            {"type": "ALL", "conditions": [], "rules": [{"type": "ANY", "rules": [], "conditions": conditions(i)}]}]});
        let segment = post(&format!("/api/v1/projects/{project}/segments/"), segment)?["id"].clone();
        if i % 5 == 0 {
            let path = format!("/api/v1/environments/{client}/features/{feature}/create-segment-override/");
            let value = json!({"type": "unicode", "string_value": format!("override {i}")});
            post(
                &path,
                json!({"enabled": true, "feature_segment": {"segment": segment}, "feature_state_value": value}),
            )?;
        }
    }
    let traits =
        json!([{"trait_key": "plan", "trait_value": "pro"}, {"trait_key": "age", "trait_value": 30}]);
    let hot = json!({"identifier": "hot", "traits": traits}).to_string();
    let head = format!("POST /api/v1/identities/ HTTP/1.1\r\nhost: bench\r\nx-environment-key: {client}\r\n");
    send(
        address,
        &format!(
            "{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{hot}",
            hot.len()
        ),
    )?;
    Ok(Keys {
        project: format!("/api/v1/projects/{project}/"),
        token,
        client,
        server: server["key"].as_str().unwrap_or_default().to_owned(),
    })
}

fn conditions(i: usize) -> Value {
    match i % 5 {
        0 => json!([{"property": "plan", "operator": "EQUAL", "value": "pro"}]),
        1 => {
            // As long as a condition's value may be.
            let list: Vec<String> = (0..110).map(|n| format!("u{i}x{n}")).collect();
            json!([{"property": "user", "operator": "IN", "value": list.join(",")}])
        }
        2 => json!([{"property": "email", "operator": "REGEX", "value": "^[a-z]+@example\\.com$"}]),
        3 => json!([{"property": "version", "operator": "GREATER_THAN", "value": "2.1.0:semver"}]),
        _ => json!([{"property": null, "operator": "PERCENTAGE_SPLIT", "value": "30"}]),
    }
}

fn call(address: SocketAddr, token: &str, method: &str, path: &str, body: &Value) -> Fallible<Value> {
    let body = body.to_string();
    let authorization = if token.is_empty() {
        String::new()
    } else {
        format!("authorization: Token {token}\r\n")
    };
    let head = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n{authorization}");
    let answer = send(
        address,
        &format!(
            "{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    )?;
    Ok(serde_json::from_slice(&answer.body)?)
}

//! How many identities a server takes in by bulk, and how many members by file, and what of it is the server's own time.
//!
//!     cargo run --release -p burgee-benches --bin intake -- http://127.0.0.1:8000 SERVER_KEY [IDENTITIES]
//!
//! It sends `bulk-identities/` and `traits/bulk/` over a few connections and prints identities a second of each, and of
//! identifying one by one beside them, in the same run: the ratios are what to compare.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

const CONNECTIONS: usize = 4;

/// A connection that is kept.
struct Client {
    stream: TcpStream,
    key: String,
    host: String,
}

impl Client {
    fn open(host: &str, key: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            key: key.to_owned(),
            host: host.to_owned(),
        })
    }

    /// Sends a request and reads its answer; the status.
    fn send(&mut self, method: &str, path: &str, body: &Value) -> std::io::Result<u16> {
        let body = body.to_string();
        write!(
            self.stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nX-Environment-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.host,
            self.key,
            body.len()
        )?;
        self.stream.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        let mut piece = [0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut piece)?;
            answer.extend_from_slice(&piece[..read]);
            let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|length| length.trim().parse::<usize>().ok())
                .unwrap_or_default();
            if answer.len() >= head + 4 + length {
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
                return Ok(status.unwrap_or_default());
            }
            if read == 0 {
                return Err(std::io::Error::other("the answer broke off"));
            }
        }
    }
}

fn traits(number: usize) -> Value {
    json!([
        {"trait_key": "plan", "trait_value": if number.is_multiple_of(3) { "pro" } else { "free" }},
        {"trait_key": "visits", "trait_value": number},
        {"trait_key": "active", "trait_value": number.is_multiple_of(2)},
    ])
}

/// Sends batches until all identities were sent; identities a second.
fn rate(
    host: &str,
    key: &str,
    identities: usize,
    batch: usize,
    send: impl Fn(&mut Client, std::ops::Range<usize>) -> std::io::Result<u16> + Send + Sync,
) -> std::io::Result<f64> {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (next, send) = (next.clone(), &send);
                scope.spawn(move || -> std::io::Result<()> {
                    let mut client = Client::open(host, key)?;
                    loop {
                        let from = next.fetch_add(batch, Ordering::Relaxed);
                        if from >= identities {
                            return Ok(());
                        }
                        let status = send(&mut client, from..(from + batch).min(identities))?;
                        if !(200..300).contains(&status) {
                            return Err(std::io::Error::other(format!("answered {status}")));
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            worker
                .join()
                .unwrap_or_else(|_| Err(std::io::Error::other("a sender panicked")))?;
        }
        Ok(identities as f64 / began.elapsed().as_secs_f64())
    })
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, rest @ ..] = arguments.as_slice() else {
        return Err(std::io::Error::other("needs a URL and a server-side key"));
    };
    let identities: usize = rest
        .first()
        .and_then(|count| count.parse().ok())
        .unwrap_or(100_000);
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let name = |what: &str, number: usize| format!("{what}-{number:09}");
    let entry =
        |what: &str, number: usize| json!({"identifier": name(what, number), "traits": traits(number)});

    let bulk = |method: &'static str, what: &'static str| {
        move |client: &mut Client, range: std::ops::Range<usize>| {
            let data: Vec<Value> = range.map(|number| entry(what, number)).collect();
            client.send(method, "/api/v1/bulk-identities/", &json!({ "data": data }))
        }
    };
    let new = rate(host, key, identities, 100, bulk("PUT", "new"))?;
    let same = rate(host, key, identities, 100, bulk("PUT", "new"))?;
    let whole = rate(host, key, identities, 100, bulk("POST", "whole"))?;
    let traits_bulk = rate(host, key, identities, 1_000, |client, range| {
        let items: Vec<Value> = range
            .map(|number| json!({"identity": {"identifier": name("bulk", number)}, "trait_key": "in_audience", "trait_value": true}))
            .collect();
        client.send("PUT", "/api/v1/traits/bulk/", &json!(items))
    })?;
    let single = rate(host, key, identities / 20, 1, |client, range| {
        client.send("POST", "/api/v1/identities/", &entry("single", range.start))
    })?;
    for (what, each) in [
        ("bulk-identities/ PUT, new, 3 traits", new),
        ("bulk-identities/ PUT, unchanged", same),
        ("bulk-identities/ POST, new, 3 traits", whole),
        ("traits/bulk/ PUT, new, 1 trait", traits_bulk),
        ("identities/ POST, one by one", single),
    ] {
        println!(
            "{what:40} {each:9.0} identities/s   {:5.1} × one by one",
            each / single
        );
    }
    Ok(())
}

//! Looking for personal data in what an SDK sends, beside parsing the same request as JSON, in one run.
//!
//! Rounds of the two alternate, so that a busy machine slows both; the shortest round of each counts. Run with
//! `cargo bench -p burgee-benches --bench pii`; a number as argument sets the rounds.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use burgee_model::TraitValue;
use burgee_model::pii::AllowList;
use serde_json::{Value, json};

/// Requests of a round.
const REQUESTS: usize = 2_000;

/// Who identifies himself, and with what.
struct Request {
    identifier: String,
    traits: Vec<(String, TraitValue)>,
    text: String,
}

fn request(number: usize, identifier: String, value: &str) -> Request {
    let traits = vec![
        ("plan".to_owned(), TraitValue::from("pro")),
        ("age".to_owned(), TraitValue::Int(30)),
        (
            "signed_up_at".to_owned(),
            TraitValue::from("2024-01-31T12:34:56Z"),
        ),
        ("app_version".to_owned(), TraitValue::from("4.12.1")),
        ("account".to_owned(), TraitValue::Text(format!("{value}{number}"))),
    ];
    let list: Vec<Value> = traits
        .iter()
        .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
        .collect();
    Request {
        text: json!({"identifier": identifier, "traits": list}).to_string(),
        identifier,
        traits,
    }
}

fn look(allowed: &AllowList, request: &Request) -> usize {
    let mut found = usize::from(allowed.find(&request.identifier, "").is_some());
    for (key, value) in &request.traits {
        found += usize::from(allowed.find_in_value(value, key).is_some());
        found += usize::from(allowed.find(key, "").is_some());
    }
    found
}

fn timed(requests: &[Request], mut act: impl FnMut(&Request) -> usize) -> (Duration, usize) {
    let began = Instant::now();
    let done = requests.iter().map(|request| act(black_box(request))).sum();
    (began.elapsed(), done)
}

fn main() {
    let rounds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(200);
    let allowed = AllowList {
        traits: vec!["support".to_owned()],
        values: vec!["*@example.com".to_owned(), "10.*".to_owned()],
    };
    let uuid = |n: usize| {
        format!(
            "{:08x}-0000-4000-8000-{n:012x}",
            n.wrapping_mul(0x9e37_79b9) as u32
        )
    };
    let kinds: [(&str, Vec<Request>); 2] = [
        (
            "UUIDs, nothing to find",
            (0..REQUESTS).map(|n| request(n, uuid(n), "acct_")).collect(),
        ),
        (
            "addresses, all found",
            (0..REQUESTS)
                .map(|n| request(n, format!("p{n}@example.org"), "+49 170 1"))
                .collect(),
        ),
    ];
    for (name, requests) in &kinds {
        let mut best = [Duration::MAX; 2];
        let mut found = 0;
        for _ in 0..rounds {
            let (looked, count) = timed(requests, |request| look(&allowed, request));
            let parse = |request: &Request| {
                let value: Value = serde_json::from_str(&request.text).unwrap_or_default();
                black_box(value.is_object()).into()
            };
            let (parsed, _) = timed(requests, parse);
            best = [best[0].min(looked), best[1].min(parsed)];
            found = count;
        }
        let each = best.map(|time| time.as_nanos() as f64 / REQUESTS as f64);
        println!(
            "{name:24} guard {:5.0} ns, parsing the request {:5.0} ns: {:.2} of it; {found} found",
            each[0],
            each[1],
            each[0] / each[1]
        );
    }
}

//! Looking somebody up in a list of ten million members, beside the hash set of the standard library, in one run.
//!
//! Rounds of the two alternate, so that a busy machine slows both; the shortest round of each counts. Run with
//! `cargo bench -p burgee-benches --bench lists`; numbers as arguments set the members and the rounds.
#![expect(clippy::print_stdout, reason = "a benchmark's output is its result")]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use burgee_engine::{
    Definition, Environment, Identity, MemberSet, Membership, Memberships, SegmentDefinition, member_hash,
};

/// Look-ups of a round: half of them of members.
const LOOKUPS: usize = 200_000;

/// Identifiers as long as a UUID, spread over the list.
fn name(number: u64) -> String {
    format!(
        "{:08x}-0000-4000-8000-{number:012x}",
        number.wrapping_mul(0x9e37_79b9)
    )
}

/// The list as an evaluation asks it.
#[derive(Debug)]
struct One<'a>(&'a MemberSet, i64);

impl Memberships for One<'_> {
    fn membership(&self, _: usize) -> Membership {
        if self.0.contains(self.1) {
            Membership::Included
        } else {
            Membership::Unlisted
        }
    }
}

/// The time of one round, and how many were found.
fn timed(names: &[String], mut is_in: impl FnMut(&str) -> bool) -> (Duration, usize) {
    let began = Instant::now();
    let found = names
        .iter()
        .filter(|name| is_in(black_box(name.as_str())))
        .count();
    (began.elapsed(), found)
}

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let members = numbers.first().copied().unwrap_or(10_000_000);
    let rounds = numbers.get(1).copied().unwrap_or(7);

    let began = Instant::now();
    let mut hashes: Vec<i64> = (0..members).map(|number| member_hash(&name(number))).collect();
    hashes.sort_unstable();
    let set = MemberSet::from_sorted(hashes);
    let built = began.elapsed();
    // Edits that came after the list was written, as many as are kept beside it.
    let edits: Vec<(i64, bool)> = (0..1_000)
        .map(|n| (member_hash(&name(members * 3 + n)), true))
        .collect();
    let began = Instant::now();
    let set = set.with(&edits);
    let edited = began.elapsed();
    let whole: HashSet<String> = (0..members).map(name).collect();

    // Every other one is no member; in an order that no cache foresees.
    let step = members / LOOKUPS as u64 * 2 + 1;
    let names: Vec<String> = (0..LOOKUPS as u64)
        .map(|n| name(n * step % (members * 2)))
        .collect();
    let environment = Environment::compile(Definition {
        lists: vec!["list".to_owned()],
        segments: vec![SegmentDefinition {
            list: Some(0),
            ..SegmentDefinition::default()
        }],
        ..Definition::default()
    });
    let evaluate = |name: &str| {
        let lists = One(&set, member_hash(name));
        let identity = Identity {
            memberships: Some(&lists),
            ..Identity::new(name, &[])
        };
        environment.matches(0, Some(&identity))
    };
    let mut best = [Duration::MAX; 3];
    let mut found = [0; 3];
    for _ in 0..rounds {
        let round = [
            timed(&names, |name| set.contains(member_hash(name))),
            timed(&names, evaluate),
            timed(&names, |name| whole.contains(name)),
        ];
        for (at, (time, members)) in round.into_iter().enumerate() {
            best[at] = best[at].min(time);
            found[at] = members;
        }
    }
    let each = best.map(|time| time.as_nanos() as f64 / LOOKUPS as f64);
    println!(
        "{members} members, {LOOKUPS} look-ups a round, {} of them members",
        found[0]
    );
    println!("look-up, hash included   {:6.0} ns", each[0]);
    println!("segment evaluated        {:6.0} ns", each[1]);
    println!(
        "HashSet<String>          {:6.0} ns   {:.2} × the look-up",
        each[2],
        each[2] / each[0]
    );
    println!("built in {built:.1?}, a thousand edits in {edited:.1?}");
    assert!(found[0] == found[2] && found[1] == found[2], "all three agree");
}

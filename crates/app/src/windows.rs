//! Requests counted in windows of ten seconds, as LaunchDarkly counts them and tells its callers. Each node counts for
//! itself.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// A window, in microseconds.
const WINDOW: i64 = 10_000_000;
/// Counters remembered; beyond it those of past windows are forgotten.
const MOST: usize = 10_000;

/// How much of a limit is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub limit: u32,
    pub remaining: u32,
    /// When the window ends, in milliseconds since 1970.
    pub reset: i64,
    /// Whether this request was one too many.
    pub is_exceeded: bool,
}

/// The counters. Who is counted is remembered by a hash only.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    hasher: RandomState,
    counts: Mutex<HashMap<u64, (i64, u32)>>,
}

impl Windows {
    /// Counts a request.
    pub(crate) fn count(&self, what: (&str, &str), limit: u32, now: i64) -> Left {
        let window = now.div_euclid(WINDOW);
        let key = self.hasher.hash_one(what);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST {
            counts.retain(|_, (counted, _)| *counted == window);
        }
        let entry = counts.entry(key).or_insert((window, 0));
        if entry.0 != window {
            *entry = (window, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        Left {
            limit,
            remaining: limit.saturating_sub(entry.1),
            reset: (window + 1) * WINDOW / 1_000,
            is_exceeded: entry.1 > limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_through_so_many_and_the_next_one_begins_anew() {
        let windows = Windows::default();
        let now = 1_000 * WINDOW + 3;
        let left: Vec<(u32, bool)> = (0..3)
            .map(|_| windows.count(("token", "a"), 2, now))
            .map(|left| (left.remaining, left.is_exceeded))
            .collect();
        assert_eq!(left, [(1, false), (0, false), (0, true)]);
        assert!(!windows.count(("token", "b"), 2, now).is_exceeded);
        let next = windows.count(("token", "a"), 2, now + WINDOW);
        assert_eq!((next.remaining, next.reset), (1, 1_002 * 10_000));
    }
}

//! Limits on attempts: a sliding window for each caller, in the memory of this process.
//!
//! Works like Django REST framework's: a refused attempt does not count, and the answer says after how
//! many seconds the oldest counted attempt leaves the window. Each process counts for itself.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// How many attempts one [`Throttle`] remembers unless told otherwise: about 2 MB.
pub const DEFAULT_MAX_ATTEMPTS: usize = 100_000;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// So many attempts in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Attempts allowed within the window; 0 refuses all.
    pub attempts: u32,
    /// Length of the window in seconds, at least 1.
    pub seconds: u32,
}

/// A rate nobody can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a rate: write a whole number, a slash and one of s, sec, second, m, min, minute, h, hour, d, day, \
     month, for example `20/min`, or nothing for no limit"
)]
pub struct RateError(String);

impl Rate {
    /// Reads `20/min` and the like. Blank text and `None` mean no limit. Units are seconds, minutes, hours,
    /// days and months of 30 days, in full or abbreviated, singular or plural, in any case.
    ///
    /// (The reference looks at the first letter only, so that its `500/month` is 500 a minute.)
    pub fn parse(text: &str) -> Result<Option<Self>, RateError> {
        let trimmed = text.trim().to_ascii_lowercase();
        if trimmed.is_empty() || trimmed == "none" {
            return Ok(None);
        }
        let error = || RateError(text.to_owned());
        let (attempts, unit) = trimmed.split_once('/').ok_or_else(error)?;
        let seconds = match unit.trim() {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 60 * 60,
            "d" | "day" | "days" => 24 * 60 * 60,
            "month" | "months" => 30 * 24 * 60 * 60,
            _ => return Err(error()),
        };
        let attempts = attempts.trim().parse().map_err(|_| error())?;
        Ok(Some(Self { attempts, seconds }))
    }
}

/// Counts the attempts of each key (an address, a user id) against one [`Rate`]. Share it between threads.
///
/// Keys are remembered by a hash only. Memory is bounded by the number of attempts remembered in total;
/// beyond it the keys that were quiet longest are forgotten first, and start anew.
#[derive(Debug)]
pub struct Throttle {
    rate: Option<Rate>,
    max_attempts: usize,
    hasher: RandomState,
    attempts: Mutex<Attempts>,
}

#[derive(Debug, Default)]
struct Attempts {
    /// Times in microseconds of each key's attempts, oldest first; never empty.
    by_key: HashMap<u64, VecDeque<i64>>,
    /// The number of all times in `by_key`.
    total: usize,
}

impl Throttle {
    /// Applies `rate` (`None`: no limit) and remembers [`DEFAULT_MAX_ATTEMPTS`] attempts.
    pub fn new(rate: Option<Rate>) -> Self {
        Self::with_max_attempts(rate, DEFAULT_MAX_ATTEMPTS)
    }

    /// As [`Self::new`], with a limit on the attempts remembered over all keys. It is raised to what one
    /// key needs.
    pub fn with_max_attempts(rate: Option<Rate>, max_attempts: usize) -> Self {
        let needed = rate.map_or(0, |rate| rate.attempts as usize);
        Self {
            rate,
            max_attempts: max_attempts.max(needed).max(1),
            hasher: RandomState::new(),
            attempts: Mutex::default(),
        }
    }

    /// Counts an attempt of `key` at `now_micros` (microseconds since 1970), or refuses it with the number
    /// of whole seconds (at least 1) after which the next may pass.
    pub fn check(&self, key: &str, now_micros: i64) -> Result<(), u64> {
        let Some(rate) = self.rate else {
            return Ok(());
        };
        let window = i64::from(rate.seconds.max(1)) * MICROS_PER_SECOND;
        if rate.attempts == 0 {
            return Err(seconds_up(window));
        }
        let key = self.hasher.hash_one(key);
        // A panic elsewhere leaves at worst a wrong count behind, which is no reason to stop throttling.
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.forget_expired(key, now_micros - window);
        if let Some(times) = attempts.by_key.get(&key)
            && times.len() >= rate.attempts as usize
        {
            let oldest = times.front().copied().unwrap_or(now_micros);
            return Err(seconds_up((oldest + window - now_micros).clamp(1, window)));
        }
        if attempts.total >= self.max_attempts {
            attempts.make_room(now_micros - window, self.max_attempts);
        }
        attempts.add(key, now_micros);
        Ok(())
    }

    /// How many attempts are remembered, for a gauge.
    pub fn remembered(&self) -> usize {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Attempts {
    fn add(&mut self, key: u64, now: i64) {
        let times = self.by_key.entry(key).or_default();
        // A clock that is set back must not break the order.
        times.push_back(times.back().map_or(now, |&newest| newest.max(now)));
        self.total += 1;
    }

    fn forget_expired(&mut self, key: u64, until: i64) {
        let Some(times) = self.by_key.get_mut(&key) else {
            return;
        };
        let expired = times.partition_point(|&time| time <= until);
        times.drain(..expired);
        self.total -= expired;
        if times.is_empty() {
            self.by_key.remove(&key);
        }
    }

    /// Forgets what is expired and, if that is not enough, the keys quiet longest, down to three quarters
    /// of the limit: sweeping is dear, so it must be rare.
    fn make_room(&mut self, until: i64, max_attempts: usize) {
        self.by_key
            .retain(|_, times| times.back().is_some_and(|&newest| newest > until));
        self.total = self.by_key.values().map(VecDeque::len).sum();
        let wanted = max_attempts / 4 * 3;
        if self.total <= wanted {
            return;
        }
        let mut keys: Vec<_> = self
            .by_key
            .iter()
            .map(|(&key, times)| (times.back().copied(), key))
            .collect();
        keys.sort_unstable();
        for (_, key) in keys {
            if self.total <= wanted {
                break;
            }
            self.total -= self.by_key.remove(&key).map_or(0, |times| times.len());
        }
    }
}

fn seconds_up(micros: i64) -> u64 {
    micros.unsigned_abs().div_ceil(MICROS_PER_SECOND.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = MICROS_PER_SECOND;
    const NOW: i64 = 1_800_000_000 * SECOND;

    fn throttle(rate: &str) -> Throttle {
        Throttle::new(Rate::parse(rate).expect("a rate"))
    }

    #[test]
    fn rates_are_read_in_the_spellings_of_the_settings() {
        let rate = |attempts, seconds| Ok(Some(Rate { attempts, seconds }));
        assert_eq!(Rate::parse("20/min"), rate(20, 60));
        assert_eq!(Rate::parse("20/m"), rate(20, 60));
        assert_eq!(Rate::parse(" 5 / Second "), rate(5, 1));
        assert_eq!(Rate::parse("7/h"), rate(7, 3_600));
        assert_eq!(Rate::parse("5/day"), rate(5, 86_400));
        assert_eq!(Rate::parse("500/month"), rate(500, 2_592_000));
        assert_eq!(Rate::parse(""), Ok(None));
        assert_eq!(Rate::parse("None"), Ok(None));
        for bad in [
            "20",
            "/min",
            "20/",
            "x/min",
            "-1/min",
            "1.5/min",
            "20/year",
            "99999999999/s",
        ] {
            assert!(Rate::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_attempt_after_the_last_allowed_waits_for_the_oldest_to_leave() {
        let throttle = throttle("20/min");
        for attempt in 0..20 {
            assert_eq!(throttle.check("10.0.0.1", NOW + attempt * SECOND), Ok(()));
        }
        assert_eq!(throttle.check("10.0.0.1", NOW + 20 * SECOND), Err(40));
        assert_eq!(throttle.check("10.0.0.1", NOW + 20 * SECOND + 1), Err(40));
        assert_eq!(throttle.check("10.0.0.1", NOW + 60 * SECOND - 1), Err(1));
        assert_eq!(throttle.check("10.0.0.1", NOW + 60 * SECOND), Ok(()));
        assert_eq!(throttle.check("10.0.0.1", NOW + 60 * SECOND), Err(1));
    }

    #[test]
    fn refused_attempts_do_not_count() {
        let throttle = throttle("1/s");
        assert_eq!(throttle.check("a", NOW), Ok(()));
        for _ in 0..100 {
            assert_eq!(throttle.check("a", NOW + SECOND / 2), Err(1));
        }
        assert_eq!(throttle.check("a", NOW + SECOND), Ok(()));
    }

    #[test]
    fn keys_are_counted_apart() {
        let throttle = throttle("1/min");
        assert_eq!(throttle.check("a", NOW), Ok(()));
        assert_eq!(throttle.check("b", NOW), Ok(()));
        assert_eq!(throttle.check("a", NOW), Err(60));
    }

    #[test]
    fn no_rate_means_no_limit_and_zero_means_never() {
        let off = Throttle::new(None);
        for _ in 0..1_000 {
            assert_eq!(off.check("a", NOW), Ok(()));
        }
        assert_eq!(off.remembered(), 0);
        assert_eq!(throttle("0/min").check("a", NOW), Err(60));
    }

    #[test]
    fn memory_is_bounded_when_keys_never_repeat() {
        let throttle = Throttle::with_max_attempts(Rate::parse("5/min").expect("a rate"), 100);
        for key in 0..10_000 {
            assert_eq!(throttle.check(&key.to_string(), NOW + key), Ok(()));
            assert!(throttle.remembered() <= 100);
        }
    }

    #[test]
    fn a_key_that_keeps_trying_is_not_forgotten_for_others_sake() {
        let throttle = Throttle::with_max_attempts(Rate::parse("2/min").expect("a rate"), 100);
        for key in 0..90 {
            assert_eq!(throttle.check(&key.to_string(), NOW), Ok(()));
        }
        assert_eq!(throttle.check("busy", NOW + 1), Ok(()));
        assert_eq!(throttle.check("busy", NOW + 2), Ok(()));
        for key in 100..115 {
            assert_eq!(throttle.check(&key.to_string(), NOW + 3), Ok(()));
        }
        assert_eq!(throttle.check("busy", NOW + 4), Err(60));
    }

    #[test]
    fn expired_attempts_make_room_first() {
        let throttle = Throttle::with_max_attempts(Rate::parse("1/s").expect("a rate"), 10);
        for key in 0..10 {
            assert_eq!(throttle.check(&key.to_string(), NOW), Ok(()));
        }
        assert_eq!(throttle.check("late", NOW + SECOND), Ok(()));
        assert_eq!(throttle.remembered(), 1);
    }

    #[test]
    fn a_clock_set_back_neither_panics_nor_locks_out_for_longer_than_the_window() {
        let throttle = throttle("2/min");
        assert_eq!(throttle.check("a", NOW), Ok(()));
        assert_eq!(throttle.check("a", NOW - 3_600 * SECOND), Ok(()));
        assert_eq!(throttle.check("a", NOW - 3_600 * SECOND), Err(60));
    }

    #[test]
    fn parallel_attempts_do_not_slip_through() {
        let throttle = throttle("50/min");
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..50).filter(|_| throttle.check("a", NOW).is_ok()).count()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .sum()
        });
        assert_eq!(passed, 50);
    }
}

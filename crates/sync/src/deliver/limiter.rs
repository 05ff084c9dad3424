//! How fast a destination may be asked: what its answers say of its limits.
//!
//! LaunchDarkly counts over the whole account, over one route, over one token and over one address, all at once, in
//! windows of ten seconds, and tells of each family in headers of its own; others send `Retry-After`. The limiter keeps
//! the last word of every family, holds a share back for people and other tools, and adds a little chance to every wait so
//! that several senders do not come back at the same instant.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::HeaderMap;
use rand::RngExt as _;

/// The share of every limit that is left to others.
const RESERVE: f64 = 0.1;

/// No window is longer; a reset further away is a clock that is wrong.
const LONGEST_WINDOW: Duration = Duration::from_mins(1);

/// The longest `Retry-After` that is obeyed to the letter.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(15);

/// The first wait when there was no word of how long; it doubles with each failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// A family of limits: its header names, without `-Limit` and `-Remaining`, and where its reset is told.
struct Family {
    limit: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

const FAMILIES: [Family; 3] = [
    Family {
        limit: "x-ratelimit-global-limit",
        remaining: "x-ratelimit-global-remaining",
        reset: "x-ratelimit-reset",
    },
    Family {
        limit: "x-ratelimit-route-limit",
        remaining: "x-ratelimit-route-remaining",
        reset: "x-ratelimit-reset",
    },
    Family {
        limit: "x-ratelimit-auth-token-limit",
        remaining: "x-ratelimit-auth-token-remaining",
        reset: "x-ratelimit-auth-token-reset",
    },
];

/// What is known of the limits of one account at one destination.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: [Option<Window>; FAMILIES.len()],
    /// Nothing may be sent before.
    closed_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    limit: Option<u64>,
    remaining: u64,
    ends: Instant,
}

impl Limiter {
    /// How long to wait before the next request, without the chance that is added to it. Counts the request when there is
    /// nothing to wait for.
    pub fn admit(&mut self, now: Instant) -> Option<Duration> {
        let mut until = self.closed_until.filter(|&closed| closed > now);
        for window in self.windows.iter().flatten() {
            let reserve = window.limit.map_or(0, |limit| (limit as f64 * RESERVE) as u64);
            if window.ends > now && window.remaining <= reserve {
                until = until.max(Some(window.ends));
            }
        }
        if let Some(until) = until {
            return Some(until - now);
        }
        // Answers to what is under way have not come yet; count it against what is left.
        for window in self.windows.iter_mut().flatten() {
            window.remaining = window.remaining.saturating_sub(1);
        }
        None
    }

    /// Takes in what an answer says of the limits.
    pub fn learn(&mut self, headers: &HeaderMap, now: Instant, clock: SystemTime) {
        for (known, family) in self.windows.iter_mut().zip(&FAMILIES) {
            let Some(remaining) = number(headers, family.remaining) else {
                continue;
            };
            let ends = reset(headers, family.reset, now, clock);
            // Answers overtake each other: within one window, the smallest number is the latest.
            let same_window = |w: &Window| w.ends + Duration::from_millis(500) > ends && w.ends > now;
            let remaining = known
                .filter(same_window)
                .map_or(remaining, |w| w.remaining.min(remaining));
            *known = Some(Window {
                limit: number(headers, family.limit),
                remaining,
                ends,
            });
        }
    }

    /// Takes in a refusal for too many requests; `failures` counts those in a row. Returns how long nobody may send.
    pub fn refused(
        &mut self,
        headers: &HeaderMap,
        failures: u32,
        now: Instant,
        clock: SystemTime,
    ) -> Duration {
        self.learn(headers, now, clock);
        let asked = retry_after(headers, clock);
        let exhausted = self
            .windows
            .iter()
            .flatten()
            .filter(|w| w.remaining == 0 && w.ends > now);
        let window = exhausted.map(|w| w.ends - now).max();
        // A word of the server is obeyed; without one, or with one that is over already, the wait grows by itself.
        let wait = match asked.max(window) {
            Some(told) if !told.is_zero() => told,
            _ => backoff(failures),
        };
        self.closed_until = self.closed_until.max(Some(now + wait));
        wait
    }
}

/// The wait after `failures` failures in a row, when nobody said how long.
pub fn backoff(failures: u32) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    doubled.min(LONGEST_BACKOFF)
}

/// A wait with a little chance added: never shorter, at most a twentieth longer and never more than a quarter second.
pub fn with_jitter(wait: Duration) -> Duration {
    let most = (wait / 20).clamp(Duration::from_millis(5), Duration::from_millis(250));
    wait + most.mul_f64(rand::rng().random::<f64>())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// When a window ends, by this machine's clock. Servers tell it in milliseconds since 1970 by theirs.
fn reset(headers: &HeaderMap, name: &str, now: Instant, clock: SystemTime) -> Instant {
    let Some(reset) = number(headers, name) else {
        return now;
    };
    let reset = UNIX_EPOCH + Duration::from_millis(reset);
    // The server's clock, where it tells it and it is far from ours.
    let theirs = http_date(headers, "date").filter(|theirs| {
        let apart = theirs
            .duration_since(clock)
            .unwrap_or_else(|early| early.duration());
        apart > Duration::from_secs(5)
    });
    let left = reset.duration_since(theirs.unwrap_or(clock)).unwrap_or_default();
    now + left.min(LONGEST_WINDOW)
}

fn retry_after(headers: &HeaderMap, clock: SystemTime) -> Option<Duration> {
    let seconds = number(headers, "retry-after").map(Duration::from_secs);
    let wait = seconds.or_else(|| {
        let when = http_date(headers, "retry-after")?;
        Some(when.duration_since(clock).unwrap_or_default())
    });
    wait.map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

fn http_date(headers: &HeaderMap, name: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    fn millis(at: SystemTime) -> String {
        at.duration_since(UNIX_EPOCH).unwrap().as_millis().to_string()
    }

    #[test]
    fn each_family_closes_the_gate_until_its_own_reset() {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let families = [
            ("x-ratelimit-global-remaining", "x-ratelimit-reset"),
            ("x-ratelimit-route-remaining", "x-ratelimit-reset"),
            ("x-ratelimit-auth-token-remaining", "x-ratelimit-auth-token-reset"),
        ];
        for (remaining, reset) in families {
            let mut limiter = Limiter::default();
            let answer = headers(&[
                (remaining, "0".into()),
                (reset, millis(clock + Duration::from_secs(7))),
            ]);
            limiter.learn(&answer, now, clock);
            let wait = limiter.admit(now).expect("a wait");
            assert!(
                wait > Duration::from_secs(6) && wait <= Duration::from_secs(7),
                "{remaining}: {wait:?}"
            );
            assert_eq!(
                limiter.admit(now + Duration::from_secs(8)),
                None,
                "{remaining}: open again"
            );
        }
    }

    #[test]
    fn a_tenth_of_a_limit_is_left_to_people() {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let mut limiter = Limiter::default();
        let answer = headers(&[
            ("x-ratelimit-global-limit", "100".into()),
            ("x-ratelimit-global-remaining", "12".into()),
            ("x-ratelimit-reset", millis(clock + Duration::from_secs(5))),
        ]);
        limiter.learn(&answer, now, clock);
        assert_eq!(limiter.admit(now), None);
        assert_eq!(limiter.admit(now), None);
        assert!(limiter.admit(now).is_some(), "ten are left");
    }

    #[test]
    fn retry_after_is_obeyed_and_without_a_word_the_wait_doubles() {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let asked =
            |value: String| Limiter::default().refused(&headers(&[("retry-after", value)]), 1, now, clock);
        assert_eq!(asked("3".into()), Duration::from_secs(3));
        let date = asked(httpdate::fmt_http_date(clock + Duration::from_secs(9)));
        assert!(
            date > Duration::from_secs(7) && date <= Duration::from_secs(9),
            "{date:?}"
        );
        let waits: Vec<u64> = (1..=8)
            .map(|n| {
                Limiter::default()
                    .refused(&HeaderMap::new(), n, now, clock)
                    .as_millis() as u64
            })
            .collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    #[test]
    fn a_reset_in_the_past_and_a_wrong_clock_do_not_stop_the_sync() {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let mut limiter = Limiter::default();
        let past = headers(&[
            ("x-ratelimit-route-remaining", "0".into()),
            ("x-ratelimit-reset", millis(clock - Duration::from_mins(1))),
        ]);
        assert_eq!(limiter.refused(&past, 1, now, clock), Duration::from_millis(500));
        let mut limiter = Limiter::default();
        let theirs = clock + Duration::from_hours(1);
        let ahead = headers(&[
            ("x-ratelimit-route-remaining", "0".into()),
            ("x-ratelimit-reset", millis(theirs + Duration::from_secs(8))),
            ("date", httpdate::fmt_http_date(theirs)),
        ]);
        limiter.learn(&ahead, now, clock);
        let wait = limiter.admit(now).expect("a wait");
        assert!(wait <= Duration::from_secs(9), "{wait:?}");
    }
}

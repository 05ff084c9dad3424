//! Short-lived signed tokens about a user, without any stored row: the step between password and second
//! factor, and (through [`crate::reset`]) password resets and activations.
//!
//! A token reads `<user id>-<issue time, seconds since 1970 in base 36>-<40 hexadecimal digits>`. It is
//! tied to a purpose and to a *state*: texts that are not part of the token but must be the same when it is
//! checked. A state that changes with each use makes the token single-use.

use crate::tokens::{constant_time_eq, hex, mac};

/// Seconds for which the token between password and second factor holds: 15 minutes.
pub const MFA_TOKEN_SECONDS: u64 = 15 * 60;
/// Clocks of several servers may differ by this much before a token counts as issued in the future.
const CLOCK_TOLERANCE_SECONDS: u64 = 60;
/// 160 bits.
const SIGNATURE_BYTES: usize = 20;

/// Issues and checks signed tokens. All servers of an installation share its key.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
}

impl Signer {
    /// Signs with this key, for example `derive_key(secret, "signed")`.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A token for `user_id`, good for `purpose` only. `now` is in seconds since 1970.
    pub fn issue(&self, purpose: &str, user_id: i64, state: &[&str], now: u64) -> String {
        format!("{user_id}-{}", self.stamp(purpose, user_id, state, now))
    }

    /// The user a token *claims* to be about, unchecked: for loading the state that [`Self::check`] needs.
    pub fn claimed_user(token: &str) -> Option<i64> {
        parse_id(token.split_once('-')?.0)
    }

    /// The user of a genuine token that was issued for `purpose` and this state at most `max_age` seconds
    /// before `now`; `None` for any other.
    pub fn check(&self, purpose: &str, token: &str, state: &[&str], max_age: u64, now: u64) -> Option<i64> {
        let (user, stamp) = token.split_once('-')?;
        let user_id = parse_id(user)?;
        self.check_stamp(purpose, user_id, state, stamp, max_age, now)
            .then_some(user_id)
    }

    /// The part after the user id: `<time>-<signature>`.
    pub(crate) fn stamp(&self, purpose: &str, user_id: i64, state: &[&str], time: u64) -> String {
        format!(
            "{}-{}",
            to_base36(time),
            self.signature(purpose, user_id, state, time)
        )
    }

    pub(crate) fn check_stamp(
        &self,
        purpose: &str,
        user_id: i64,
        state: &[&str],
        stamp: &str,
        max_age: u64,
        now: u64,
    ) -> bool {
        let Some((time, signature)) = stamp.split_once('-') else {
            return false;
        };
        let Some(time) = from_base36(time) else {
            return false;
        };
        let genuine = constant_time_eq(&self.signature(purpose, user_id, state, time), signature);
        genuine && time <= now.saturating_add(CLOCK_TOLERANCE_SECONDS) && now.saturating_sub(time) <= max_age
    }

    fn signature(&self, purpose: &str, user_id: i64, state: &[&str], time: u64) -> String {
        // Each part goes in with its length, so that no two lists of parts give the same message.
        let mut message = Vec::new();
        let (user_id, time) = (user_id.to_string(), time.to_string());
        for part in [purpose, &user_id, &time].iter().chain(state) {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        hex(&mac(&self.key, &message)[..SIGNATURE_BYTES])
    }
}

/// A positive decimal id in its one spelling: no sign, no leading zero.
pub(crate) fn parse_id(text: &str) -> Option<i64> {
    let id: i64 = text.parse().ok()?;
    (id > 0 && !text.starts_with(['+', '0'])).then_some(id)
}

fn to_base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[(number % 36) as usize]);
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().map(char::from).collect();
        }
    }
}

/// Takes only what [`to_base36`] writes.
fn from_base36(text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text, 36).ok()?;
    (to_base36(number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const STATE: &[&str] = &["$argon2id$x", "2026-11-21"];

    fn signer() -> Signer {
        Signer::new([3; 32])
    }

    #[test]
    fn a_token_names_its_user_in_the_observed_shape() {
        let token = signer().issue("mfa", 3, STATE, NOW);
        let parts: Vec<_> = token.split('-').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0], "3");
        assert_eq!(parts[2].len(), 40);
        assert_eq!(Signer::claimed_user(&token), Some(3));
        assert_eq!(
            signer().check("mfa", &token, STATE, MFA_TOKEN_SECONDS, NOW),
            Some(3)
        );
    }

    #[test]
    fn a_token_expires_after_its_age_and_not_before() {
        let token = signer().issue("mfa", 3, STATE, NOW);
        let check = |now| signer().check("mfa", &token, STATE, MFA_TOKEN_SECONDS, now);
        assert_eq!(check(NOW + MFA_TOKEN_SECONDS), Some(3));
        assert_eq!(check(NOW + MFA_TOKEN_SECONDS + 1), None);
    }

    #[test]
    fn a_token_from_the_future_is_refused_beyond_the_clock_tolerance() {
        let token = signer().issue("mfa", 3, STATE, NOW);
        let check = |now| signer().check("mfa", &token, STATE, MFA_TOKEN_SECONDS, now);
        assert_eq!(check(NOW - 60), Some(3));
        assert_eq!(check(NOW - 61), None);
    }

    #[test]
    fn a_token_is_refused_for_another_purpose_user_state_or_key() {
        let token = signer().issue("mfa", 3, STATE, NOW);
        let check = |signer: Signer, purpose, token: &str, state: &[&str]| {
            signer.check(purpose, token, state, MFA_TOKEN_SECONDS, NOW)
        };
        assert_eq!(check(signer(), "reset", &token, STATE), None);
        assert_eq!(check(signer(), "mfa", &token.replacen('3', "4", 1), STATE), None);
        assert_eq!(check(signer(), "mfa", &token, &["$argon2id$x", ""]), None);
        assert_eq!(
            check(signer(), "mfa", &token, &["$argon2id$", "x2026-11-21"]),
            None
        );
        assert_eq!(check(Signer::new([4; 32]), "mfa", &token, STATE), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for token in [
            "",
            "x",
            "-",
            "--",
            "3-",
            "3--",
            "x-y-z",
            "3-tou3t0-337e8eec63790032ad5c8d68d9c7847a33330579",
            "99999999999999999999-1-1",
            "3-zzzzzzzzzzzzzzzzzzzzz-1",
            "\u{e9}-1-1",
        ] {
            assert_eq!(
                signer().check("mfa", token, STATE, MFA_TOKEN_SECONDS, NOW),
                None,
                "{token}"
            );
        }
        assert_eq!(Signer::claimed_user("+3-x"), None);
        assert_eq!(Signer::claimed_user("-3-x"), None);
    }

    #[test]
    fn base_36_is_read_in_one_spelling() {
        assert_eq!(to_base36(0), "0");
        assert_eq!(from_base36(&to_base36(u64::MAX)), Some(u64::MAX));
        assert_eq!(to_base36(35 * 36 + 10), "za");
        for bad in ["", "ZA", "0za", "+za", "-1"] {
            assert_eq!(from_base36(bad), None, "{bad}");
        }
    }
}

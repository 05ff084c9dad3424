//! Password reset links, as stateless as Django's: a signature over what a reset changes.
//!
//! The link is `<site>/password-reset/confirm/{uid}/{token}`. A token holds for a configurable time, and
//! only until the user's password hash, last log-in or e-mail address changes, so it works once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::signed::{Signer, parse_id};

/// Seconds for which a reset link holds unless configured otherwise: 24 hours.
pub const DEFAULT_RESET_SECONDS: u64 = 24 * 60 * 60;

const PURPOSE: &str = "password reset";

/// What a reset token is bound to: the user's row as it is now.
#[derive(Clone, Copy)]
pub struct ResetSubject<'a> {
    /// The user's id.
    pub user_id: i64,
    /// The stored password hash; empty if the user has none.
    pub password_hash: &'a str,
    /// The last log-in in microseconds since 1970; `None` if there was none.
    pub last_login_micros: Option<i64>,
    /// The e-mail address as stored.
    pub email: &'a str,
}

/// Issues and checks password reset tokens.
#[derive(Clone)]
pub struct ResetTokens {
    signer: Signer,
    max_age: u64,
}

impl ResetTokens {
    /// Signs with this key, for example `derive_key(secret, "reset")`; tokens hold for `max_age` seconds
    /// ([`DEFAULT_RESET_SECONDS`]).
    pub fn new(key: [u8; 32], max_age: u64) -> Self {
        Self {
            signer: Signer::new(key),
            max_age,
        }
    }

    /// A token for this user. `now` is in seconds since 1970.
    pub fn issue(&self, subject: &ResetSubject<'_>, now: u64) -> String {
        let last_login = last_login_text(subject);
        self.signer
            .stamp(PURPOSE, subject.user_id, &state(subject, &last_login), now)
    }

    /// Whether this token was issued for this user, is not too old, and nothing it is bound to changed.
    pub fn check(&self, subject: &ResetSubject<'_>, token: &str, now: u64) -> bool {
        let last_login = last_login_text(subject);
        let state = state(subject, &last_login);
        self.signer
            .check_stamp(PURPOSE, subject.user_id, &state, token, self.max_age, now)
    }
}

fn last_login_text(subject: &ResetSubject<'_>) -> String {
    subject
        .last_login_micros
        .map_or_else(String::new, |micros| micros.to_string())
}

fn state<'a>(subject: &ResetSubject<'a>, last_login: &'a str) -> [&'a str; 3] {
    [subject.password_hash, last_login, subject.email]
}

/// The `uid` of a link: base64url without padding of the decimal id, as Django writes it (1 is `MQ`).
pub fn encode_uid(user_id: i64) -> String {
    URL_SAFE_NO_PAD.encode(user_id.to_string())
}

/// The user id of a `uid`; `None` for anything [`encode_uid`] does not write.
pub fn decode_uid(uid: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(uid.trim_end_matches('=')).ok()?;
    parse_id(std::str::from_utf8(&bytes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const SUBJECT: ResetSubject<'static> = ResetSubject {
        user_id: 1,
        password_hash: "$argon2id$old",
        last_login_micros: Some(1_700_000_000_000_000),
        email: "ada@example.com",
    };

    fn tokens() -> ResetTokens {
        ResetTokens::new([5; 32], DEFAULT_RESET_SECONDS)
    }

    #[test]
    fn a_token_holds_for_a_day() {
        let token = tokens().issue(&SUBJECT, NOW);
        assert!(tokens().check(&SUBJECT, &token, NOW));
        assert!(tokens().check(&SUBJECT, &token, NOW + DEFAULT_RESET_SECONDS));
        assert!(!tokens().check(&SUBJECT, &token, NOW + DEFAULT_RESET_SECONDS + 1));
        let short = ResetTokens::new([5; 32], 60);
        assert!(!short.check(&SUBJECT, &token, NOW + 61));
    }

    #[test]
    fn a_token_works_once_because_the_password_hash_changes() {
        let token = tokens().issue(&SUBJECT, NOW);
        let changed = ResetSubject {
            password_hash: "$argon2id$new",
            ..SUBJECT
        };
        assert!(!tokens().check(&changed, &token, NOW));
    }

    #[test]
    fn a_token_dies_with_a_log_in_a_new_address_or_another_user() {
        let token = tokens().issue(&SUBJECT, NOW);
        for other in [
            ResetSubject {
                last_login_micros: None,
                ..SUBJECT
            },
            ResetSubject {
                email: "eve@example.com",
                ..SUBJECT
            },
            ResetSubject {
                user_id: 2,
                ..SUBJECT
            },
        ] {
            assert!(!tokens().check(&other, &token, NOW));
        }
    }

    #[test]
    fn nonsense_is_no_token() {
        for token in [
            "",
            "x-y",
            "-",
            "tou3t0-",
            "tou3t0-337e8eec63790032ad5c8d68d9c7847a33330579",
        ] {
            assert!(!tokens().check(&SUBJECT, token, NOW), "{token}");
        }
    }

    #[test]
    fn the_uid_is_djangos() {
        assert_eq!(encode_uid(1), "MQ");
        assert_eq!(decode_uid("MQ"), Some(1));
        assert_eq!(decode_uid("MQ=="), Some(1));
        assert_eq!(decode_uid(&encode_uid(i64::MAX)), Some(i64::MAX));
        for bad in ["", "M", "x y", "LTE", "MDE", "\u{e9}"] {
            assert_eq!(decode_uid(bad), None, "{bad}");
        }
    }
}

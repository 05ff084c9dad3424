//! The second factor: time-based codes (SHA-1, 6 digits, 30 seconds) and backup codes.

use std::fmt::Write as _;

use burgee_model::keys;
use rand::Rng;
use totp_rs::{Algorithm, Builder, Secret};

/// Seconds for which one code is shown.
pub const STEP_SECONDS: u64 = 30;
/// How many steps a code may be early or late by default. (The reference takes 30, a quarter of an hour
/// each way, which makes guessing thirty times easier.)
pub const DEFAULT_WINDOW: u16 = 1;
/// How many backup codes a user gets.
pub const BACKUP_CODES: usize = 5;
/// Length of a backup code in characters.
pub const BACKUP_CODE_LENGTH: usize = 10;

const DIGITS: u8 = 6;

/// A new shared secret: 160 bits as 32 base32 characters. Store it sealed.
pub fn new_secret() -> String {
    let mut bytes = [0; 20];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new_stack(bytes).to_base32()
}

/// The URL behind the QR code:
/// `otpauth://totp/<issuer>:<account>?secret=<secret>&issuer=<issuer>`, texts percent-encoded.
pub fn otpauth_url(issuer: &str, account: &str, secret: &str) -> String {
    let issuer = percent_encode(issuer);
    let account = percent_encode(account);
    let secret = percent_encode(secret);
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}")
}

/// The step whose code this is, if it is the current one or at most `window` steps away; `None` if the
/// code is wrong or the secret unreadable (not base32, or under 128 bits).
///
/// `now` is in seconds since 1970. A caller that wants each code to work once remembers the step and
/// refuses this one and earlier ones.
pub fn check(secret: &str, code: &str, now: u64, window: u16) -> Option<u64> {
    if code.len() != usize::from(DIGITS) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    totp(secret, window)?.check(code, now)
}

/// The code an authenticator shows at `now` (seconds since 1970); `None` if the secret is unreadable.
pub fn code_at(secret: &str, now: u64) -> Option<String> {
    Some(totp(secret, 0)?.generate(now).to_string())
}

/// A new set of backup codes: [`BACKUP_CODES`] times [`BACKUP_CODE_LENGTH`] letters and digits (59 bits).
/// They are shown once; store their [`crate::tokens::keyed_hash`] and delete each on its use.
pub fn backup_codes() -> Vec<String> {
    (0..BACKUP_CODES)
        .map(|_| keys::alphanumeric(BACKUP_CODE_LENGTH))
        .collect()
}

fn totp(secret: &str, window: u16) -> Option<totp_rs::Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP_SECONDS)
        .with_skew(window)
        .with_secret(Secret::try_from_base32(secret).ok()?)
        .build()
        .ok()
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// `12345678901234567890`, the secret of RFC 6238's test vectors.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_rfc_6238() {
        assert_eq!(code_at(SECRET, 59).as_deref(), Some("287082"));
        assert_eq!(code_at(SECRET, 1_111_111_109).as_deref(), Some("081804"));
        assert_eq!(code_at(SECRET, 2_000_000_000).as_deref(), Some("279037"));
    }

    #[test]
    fn a_code_holds_within_the_window_and_names_its_step() {
        assert_eq!(check(SECRET, "287082", 59, 0), Some(1));
        assert_eq!(check(SECRET, "287082", 59 + 30, 0), None);
        assert_eq!(check(SECRET, "287082", 59 + 30, DEFAULT_WINDOW), Some(1));
        assert_eq!(check(SECRET, "287082", 59 + 60, DEFAULT_WINDOW), None);
        assert_eq!(check(SECRET, "287082", 59 + 900, 30), Some(1));
        assert_eq!(check(SECRET, "287082", 59 + 930, 30), None);
    }

    #[test]
    fn a_code_from_a_clock_ahead_holds_too() {
        let early = code_at(SECRET, 1_000_030).expect("a readable secret");
        assert!(check(SECRET, &early, 1_000_000, 1).is_some());
        assert_eq!(check(SECRET, &early, 1_000_000, 0), None);
    }

    #[test]
    fn nonsense_codes_and_secrets_are_refused() {
        for code in [
            "",
            "28708",
            "2870820",
            "28708x",
            "287 082",
            "+87082",
            "\u{661}\u{661}\u{661}",
        ] {
            assert_eq!(check(SECRET, code, 59, 1), None, "{code}");
        }
        for secret in ["", "GEZDG", "not base32!", "\u{e9}"] {
            assert_eq!(check(secret, "287082", 59, 1), None, "{secret}");
        }
    }

    #[test]
    fn a_new_secret_is_32_base32_characters_and_usable() {
        let secret = new_secret();
        assert_eq!(secret.len(), 32);
        assert!(
            secret
                .bytes()
                .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
        );
        let code = code_at(&secret, 59).expect("a readable secret");
        assert_eq!(check(&secret, &code, 59, 0), Some(1));
        assert_ne!(secret, new_secret());
    }

    #[test]
    fn the_url_is_the_one_authenticators_were_given_before() {
        assert_eq!(
            otpauth_url(
                "Flagsmith",
                "carol@example.com",
                "JA7A4LZ2L67XQXGCIFCM3LWQQVL5BHAG"
            ),
            "otpauth://totp/Flagsmith:carol%40example.com?secret=JA7A4LZ2L67XQXGCIFCM3LWQQVL5BHAG&issuer=Flagsmith"
        );
        assert!(otpauth_url("My Flags", "a&b", "X").starts_with("otpauth://totp/My%20Flags:a%26b?"));
    }

    #[test]
    fn backup_codes_are_five_different_texts_of_ten_characters() {
        let codes: HashSet<_> = backup_codes().into_iter().collect();
        assert_eq!(codes.len(), 5);
        for code in codes {
            assert_eq!(code.len(), 10);
            assert!(code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }
}

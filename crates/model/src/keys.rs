//! Random keys and identifiers in the formats clients of Flagsmith expect.
//!
//! Everything here comes from one cryptographically secure generator ([`rand::rng`], seeded by the
//! operating system) and is unguessable. Uniqueness is a matter of probability (at least 122 bits each,
//! except [`master_api_key_prefix`]); the unique index of the table has the last word.

use rand::{Rng, RngExt};
use uuid::Uuid;

/// Bytes as lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// The 57 characters of a short UUID: digits and letters without those that look alike (`0 1 I O l`).
pub const SHORT_UUID_ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Length of a short UUID in characters; all of them are ASCII.
pub const SHORT_UUID_LENGTH: usize = 22;
/// What a server-side environment key starts with, and a client-side key never does (it has no full stop).
pub const SERVER_KEY_PREFIX: &str = "ser.";
/// Length of the public half of a master API key, before the full stop.
pub const MASTER_API_KEY_PREFIX_LENGTH: usize = 8;
/// Length of the secret half of a master API key, after the full stop.
pub const MASTER_API_KEY_SECRET_LENGTH: usize = 32;
/// Length of a user token: 20 random bytes in hexadecimal.
pub const USER_TOKEN_LENGTH: usize = 40;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER_HEX: &[u8; 16] = b"0123456789abcdef";

/// A new client-side environment key: 22 characters of [`SHORT_UUID_ALPHABET`].
pub fn client_key() -> String {
    short_uuid()
}

/// A new server-side environment key: [`SERVER_KEY_PREFIX`] and 22 characters of [`SHORT_UUID_ALPHABET`].
pub fn server_key() -> String {
    format!("{SERVER_KEY_PREFIX}{}", short_uuid())
}

/// Whether a presented environment key claims to be a server-side one. Says nothing about its validity.
pub fn is_server_key(key: &str) -> bool {
    key.starts_with(SERVER_KEY_PREFIX)
}

/// A new user token: 40 lower-case hexadecimal digits (160 bits).
pub fn user_token() -> String {
    random_text(&mut rand::rng(), LOWER_HEX, USER_TOKEN_LENGTH)
}

/// The unguessable part of an invitation's URL, for invitations by mail and by link: 22 characters of
/// [`SHORT_UUID_ALPHABET`].
pub fn invite_hash() -> String {
    short_uuid()
}

/// A new master API key. The whole key is shown once, on creation; the server keeps the prefix and a hash.
pub fn master_api_key() -> MasterApiKey {
    MasterApiKey {
        prefix: master_api_key_prefix(),
        secret: alphanumeric(MASTER_API_KEY_SECRET_LENGTH),
    }
}

/// The public half of a master API key: 8 alphanumeric characters. It identifies the key in URLs and lists
/// and must be unique; with 47 bits a collision is unlikely but possible, so the caller retries on one.
pub fn master_api_key_prefix() -> String {
    alphanumeric(MASTER_API_KEY_PREFIX_LENGTH)
}

/// A master API key in its two halves. It has no `Debug`, so that it cannot reach a log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterApiKey {
    /// The public half, by which the key is found.
    pub prefix: String,
    /// The secret half.
    pub secret: String,
}

impl MasterApiKey {
    /// Reads a presented key. `None` unless it is 8 and 32 ASCII letters and digits joined by a full stop,
    /// so that nothing else is ever hashed or looked up.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, secret) = text.split_once('.')?;
        let is_half =
            |half: &str, length| half.len() == length && half.bytes().all(|b| b.is_ascii_alphanumeric());
        (is_half(prefix, MASTER_API_KEY_PREFIX_LENGTH) && is_half(secret, MASTER_API_KEY_SECRET_LENGTH)).then(
            || Self {
                prefix: prefix.to_owned(),
                secret: secret.to_owned(),
            },
        )
    }

    /// The key as its owner sends it: `<prefix>.<secret>`.
    pub fn to_text(&self) -> String {
        format!("{}.{}", self.prefix, self.secret)
    }
}

/// 22 random characters of [`SHORT_UUID_ALPHABET`] (128 bits).
pub fn short_uuid() -> String {
    random_text(&mut rand::rng(), SHORT_UUID_ALPHABET, SHORT_UUID_LENGTH)
}

/// `length` random characters out of `A-Z a-z 0-9` (just under 6 bits each).
pub fn alphanumeric(length: usize) -> String {
    random_text(&mut rand::rng(), ALPHANUMERIC, length)
}

/// A random UUID (version 4), as nearly every entity carries one.
pub fn uuid() -> Uuid {
    Uuid::new_v4()
}

/// Reads a UUID the way Flagsmith's look-ups do: hyphenated or bare hexadecimal digits, either case.
/// `None` for anything else.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// What a clear bit pattern of an identity's UUID is mixed with, so that neighbours don't look alike.
const IDENTITY_MIX: u64 = 0x9E37_79B9_7F4A_7C15;

/// The UUID an identity is known by to clients of the "edge" operations: made of its id, so it needs no column, never
/// changes and is found without a search. Version 8, which is for such things.
pub fn identity_uuid(id: i64) -> Uuid {
    let id = u64::try_from(id).unwrap_or_default();
    Uuid::new_v8(((u128::from(id.wrapping_mul(IDENTITY_MIX)) << 64) | u128::from(id)).to_be_bytes())
}

/// The id in the UUID of an identity; `None` for any other UUID and for what is none.
pub fn identity_of_uuid(text: &str) -> Option<i64> {
    let uuid = parse_uuid(text)?;
    // The two highest bits of the lower half say which kind of UUID it is; ids don't reach them.
    let id = i64::try_from(uuid.as_u128() as u64 & (u64::MAX >> 2)).ok()?;
    (identity_uuid(id) == uuid).then_some(id)
}

fn random_text(rng: &mut impl Rng, alphabet: &[u8], length: usize) -> String {
    (0..length)
        .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn is_made_of(text: &str, alphabet: &[u8]) -> bool {
        text.bytes().all(|byte| alphabet.contains(&byte))
    }

    #[test]
    fn a_client_key_is_a_short_uuid() {
        let key = client_key();
        assert_eq!(key.len(), 22);
        assert!(is_made_of(&key, SHORT_UUID_ALPHABET), "{key}");
        assert!(!is_server_key(&key));
    }

    #[test]
    fn a_server_key_is_told_by_its_prefix() {
        let key = server_key();
        assert!(is_server_key(&key));
        assert_eq!(key.len(), 26);
        assert!(is_made_of(&key[4..], SHORT_UUID_ALPHABET), "{key}");
    }

    #[test]
    fn a_user_token_is_forty_hexadecimal_digits() {
        let token = user_token();
        assert_eq!(token.len(), 40);
        assert!(is_made_of(&token, LOWER_HEX), "{token}");
    }

    #[test]
    fn an_invitation_hash_fits_the_dashboards_url() {
        let hash = invite_hash();
        assert_eq!(hash.len(), 22);
        assert!(is_made_of(&hash, SHORT_UUID_ALPHABET), "{hash}");
    }

    #[test]
    fn a_master_api_key_has_a_public_and_a_secret_half() {
        let key = master_api_key();
        let text = key.to_text();
        assert_eq!(text.len(), 8 + 1 + 32);
        assert_eq!(
            text.split_once('.'),
            Some((key.prefix.as_str(), key.secret.as_str()))
        );
        assert!(is_made_of(&key.prefix, ALPHANUMERIC) && is_made_of(&key.secret, ALPHANUMERIC));
    }

    #[test]
    fn a_presented_master_api_key_is_read_only_in_its_exact_form() {
        let text = "CQ8Yr8Dr.bkuBYPSSqeylJZ3A0XU8qIrErSFbqvwC";
        assert_eq!(
            MasterApiKey::parse(text).map(|key| key.to_text()).as_deref(),
            Some(text)
        );
        for bad in [
            "",
            ".",
            "bogus",
            "CQ8Yr8Dr.",
            "CQ8Yr8D.bkuBYPSSqeylJZ3A0XU8qIrErSFbqvwC",
            "CQ8Yr8Dr.bkuBYPSSqeylJZ3A0XU8qIrErSFbqvwCx",
            "CQ8Yr8Dr.bkuBYPSSqeylJZ3A0XU8qIrErSFbqv.C",
            "CQ8Yr8Dr.bkuBYPSSqeylJZ3A0XU8qIrErSFbqv\u{e9}",
        ] {
            assert!(MasterApiKey::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn keys_do_not_repeat() {
        let keys: HashSet<_> = (0..1_000).map(|_| client_key()).collect();
        assert_eq!(keys.len(), 1_000);
    }

    #[test]
    fn every_character_of_the_alphabet_is_used() {
        let text = random_text(&mut rand::rng(), SHORT_UUID_ALPHABET, 10_000);
        let used: HashSet<_> = text.bytes().collect();
        assert_eq!(used.len(), SHORT_UUID_ALPHABET.len());
    }

    #[test]
    fn uuids_are_read_with_and_without_hyphens_and_nothing_else_is() {
        let uuid = uuid();
        assert_eq!(parse_uuid(&uuid.to_string()), Some(uuid));
        assert_eq!(parse_uuid(&uuid.simple().to_string().to_uppercase()), Some(uuid));
        assert_eq!(parse_uuid("not-a-uuid"), None);
        assert_eq!(parse_uuid(""), None);
    }

    #[test]
    fn the_uuid_of_an_identity_leads_back_to_it_and_no_other_uuid_does() {
        for id in [1, 2, 4096, i64::from(i32::MAX), 1 << 61] {
            let uuid = identity_uuid(id);
            assert_eq!(identity_of_uuid(&uuid.to_string()), Some(id));
            assert_eq!(uuid.get_version_num(), 8);
        }
        assert_ne!(identity_uuid(1), identity_uuid(2));
        for other in [uuid().to_string(), Uuid::nil().to_string(), "x".to_owned()] {
            assert_eq!(identity_of_uuid(&other), None);
        }
    }
}

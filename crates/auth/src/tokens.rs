//! Long random secrets: how they are stored, looked up and compared.
//!
//! User tokens, server keys and master API keys are at least 128 random bits. Nobody can guess or list
//! them, so one round of SHA-256 protects their stored form fully, and a request pays a microsecond. (Slow
//! hashing such as argon2 exists for *passwords*, which people choose and attackers can list; the reference
//! spends 0.4 s of CPU on every request made with a master API key that way.)
//!
//! A secret that must be shown or sent again (a user token, which each log-in returns anew; a webhook
//! secret; an integration's key) is stored sealed by [`Sealer`], next to its [`lookup_hash`] if it is
//! looked up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use hmac::{Hmac, Mac};
use rand::Rng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a sealed text starts with: the version of its format.
const SEALED_PREFIX: &str = "s1.";
/// Bytes of the nonce of `XChaCha20`; long enough to be drawn at random for any number of texts.
const NONCE_LENGTH: usize = 24;

/// The stored form of a long random secret: its SHA-256 as 64 lower-case hexadecimal digits.
///
/// Not for passwords and other short or chosen texts; see the module's description.
pub fn lookup_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// The stored form of a short random secret, such as a backup code: its HMAC-SHA256 under a key of the
/// server as 64 lower-case hexadecimal digits. Without the key the code cannot be searched for.
pub fn keyed_hash(key: &[u8; 32], text: &str) -> String {
    hex(&mac(key, text.as_bytes()))
}

/// Compares two texts in a time that depends on their lengths only.
pub fn constant_time_eq(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// Derives an independent key for one purpose (such as `"seal"` or `"reset"`) from the server's secret.
///
/// The secret must be random and long (32 bytes or more); a chosen phrase would be open to guessing.
pub fn derive_key(secret: &[u8], purpose: &str) -> [u8; 32] {
    mac(secret, format!("burgee {purpose}").as_bytes())
}

/// Encrypts secrets at rest (`XChaCha20-Poly1305`, a random nonce for each text).
///
/// It hides and authenticates the text, not its length nor the row it belongs to.
#[derive(Clone)]
pub struct Sealer {
    current: XChaCha20Poly1305,
    previous: Vec<XChaCha20Poly1305>,
}

impl Sealer {
    /// Seals and opens with this key, for example `derive_key(secret, "seal")`.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            current: XChaCha20Poly1305::new(&key.into()),
            previous: Vec::new(),
        }
    }

    /// Also opens what was sealed with this earlier key; for a change of keys. May be called repeatedly.
    #[must_use]
    pub fn and_open_with(mut self, earlier_key: [u8; 32]) -> Self {
        self.previous.push(XChaCha20Poly1305::new(&earlier_key.into()));
        self
    }

    /// The sealed form of a text: `s1.` and base64url, 57 characters plus 4/3 of the text's bytes.
    /// It differs on each call, so it cannot be looked up; use [`lookup_hash`] for that.
    pub fn seal(&self, text: &str) -> String {
        let mut nonce = [0; NONCE_LENGTH];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: text.as_bytes(),
            aad: SEALED_PREFIX.as_bytes(),
        };
        let sealed = self
            .current
            .encrypt(&nonce.into(), payload)
            .expect("only texts of 256 GiB and more are refused");
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&sealed);
        format!("{SEALED_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text of a sealed form; `None` if it was not sealed by one of our keys or was altered.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(SEALED_PREFIX)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LENGTH>()?;
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find_map(|cipher| {
                let payload = Payload {
                    msg: sealed,
                    aad: SEALED_PREFIX.as_bytes(),
                };
                cipher.decrypt(&(*nonce).into(), payload).ok()
            })
            .and_then(|text| String::from_utf8(text).ok())
    }
}

/// HMAC-SHA256.
pub(crate) fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_look_up_hash_is_plain_sha256_in_hexadecimal() {
        assert_eq!(
            lookup_hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_keyed_hash_is_hmac_and_depends_on_the_key() {
        // RFC 4231, test case 2.
        assert_eq!(
            hex(&mac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_ne!(keyed_hash(&[1; 32], "code"), keyed_hash(&[2; 32], "code"));
    }

    #[test]
    fn keys_derived_for_different_purposes_differ() {
        let secret = [7; 32];
        assert_eq!(derive_key(&secret, "seal"), derive_key(&secret, "seal"));
        assert_ne!(derive_key(&secret, "seal"), derive_key(&secret, "reset"));
    }

    #[test]
    fn comparing_tells_equal_texts_from_others() {
        assert!(constant_time_eq("abc", "abc"));
        assert!(!constant_time_eq("abc", "abd"));
        assert!(!constant_time_eq("abc", "abcd"));
        assert!(constant_time_eq("", ""));
    }

    #[test]
    fn what_was_sealed_opens_again() {
        let sealer = Sealer::new([1; 32]);
        for text in [
            "",
            "b870da34955cd9fd6da56e31d02aed8115ae9077",
            "gr\u{fc}n \u{1f6a9}",
        ] {
            let stored = sealer.seal(text);
            assert!(text.is_empty() || !stored.contains(text));
            assert_eq!(sealer.open(&stored).as_deref(), Some(text));
        }
    }

    #[test]
    fn sealing_twice_gives_different_texts() {
        let sealer = Sealer::new([1; 32]);
        assert_ne!(sealer.seal("same"), sealer.seal("same"));
    }

    #[test]
    fn a_foreign_key_and_an_altered_text_do_not_open() {
        let sealer = Sealer::new([1; 32]);
        let stored = sealer.seal("secret");
        assert_eq!(Sealer::new([2; 32]).open(&stored), None);
        for index in 0..stored.len() {
            let mut altered = stored.clone().into_bytes();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("ASCII");
            assert_eq!(sealer.open(&altered), None, "{altered}");
        }
        for bad in ["", "s1.", "s1.AAAA", "secret", "s1.\u{e9}"] {
            assert_eq!(sealer.open(bad), None, "{bad}");
        }
    }

    #[test]
    fn after_a_change_of_keys_old_texts_still_open() {
        let old = Sealer::new([1; 32]).seal("kept");
        let sealer = Sealer::new([2; 32]).and_open_with([1; 32]);
        assert_eq!(sealer.open(&old).as_deref(), Some("kept"));
        let new = sealer.seal("new");
        assert_eq!(Sealer::new([2; 32]).open(&new).as_deref(), Some("new"));
    }
}

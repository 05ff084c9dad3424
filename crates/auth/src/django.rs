//! Hashes that Django made of passwords and of API keys: they come with people who come from Flagsmith.
//!
//! [`verify`] blocks, as [`crate::passwords`] does.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::tokens::{constant_time_eq, hex};

/// Bounds on the work a stored hash may ask for, far above what Django ever used; beyond them it counts as damaged.
const MAXIMUM_ROUNDS: u32 = 10_000_000;
const MAXIMUM_MEMORY_KIB: u32 = 1024 * 1024;
const MAXIMUM_PASSES: u32 = 32;
const MAXIMUM_BCRYPT_COST: u32 = 16;

/// The algorithms, by what the stored text begins with.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// `pbkdf2_sha256$<rounds>$<salt>$<base64 of 32 bytes>`
    Pbkdf2,
    /// `argon2$argon2id$v=19$…`: a PHC string without its first `$`
    Argon2,
    /// `bcrypt_sha256$$2b$…`, of the password's SHA-256 as hexadecimal digits
    BcryptSha256,
    /// `bcrypt$$2b$…`, of the password
    Bcrypt,
    /// `sha512$$<hexadecimal digits>`, which only API keys are stored as
    Sha512,
}

const FORMATS: [(&str, Format); 5] = [
    ("pbkdf2_sha256$", Format::Pbkdf2),
    ("argon2$", Format::Argon2),
    ("bcrypt_sha256$", Format::BcryptSha256),
    ("bcrypt$", Format::Bcrypt),
    ("sha512$$", Format::Sha512),
];

fn format_of(stored: &str) -> Option<(Format, &str)> {
    FORMATS
        .iter()
        .find_map(|(prefix, format)| Some((*format, stored.strip_prefix(prefix)?)))
}

/// Whether this is a hash of Django's in a format that [`verify`] reads.
pub fn is_known(stored: &str) -> bool {
    format_of(stored).is_some()
}

/// Whether this password, or API key, is the one the hash was made of.
pub fn verify(password: &str, stored: &str) -> bool {
    match format_of(stored) {
        Some((Format::Pbkdf2, rest)) => verify_pbkdf2(password, rest),
        Some((Format::Argon2, rest)) => verify_argon2(password, &format!("${rest}")),
        Some((Format::BcryptSha256, rest)) => verify_bcrypt(&hex(&Sha256::digest(password.as_bytes())), rest),
        Some((Format::Bcrypt, rest)) => verify_bcrypt(password, rest),
        Some((Format::Sha512, rest)) => constant_time_eq(&hex(&Sha512::digest(password.as_bytes())), rest),
        None => false,
    }
}

fn verify_pbkdf2(password: &str, rest: &str) -> bool {
    let mut parts = rest.split('$');
    let (Some(rounds), Some(salt), Some(expected), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(rounds), Ok(expected)) = (rounds.parse::<u32>(), STANDARD.decode(expected)) else {
        return false;
    };
    (1..=MAXIMUM_ROUNDS).contains(&rounds)
        && pbkdf2(password.as_bytes(), salt.as_bytes(), rounds)
            .ct_eq(&expected)
            .into()
}

/// The first block (32 bytes) of PBKDF2 with HMAC-SHA256.
fn pbkdf2(password: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let keyed = Hmac::<Sha256>::new_from_slice(password).expect("HMAC takes keys of any length");
    let mut first = keyed.clone();
    first.update(salt);
    first.update(&1_u32.to_be_bytes());
    let mut block: [u8; 32] = first.finalize().into_bytes().into();
    let mut sum = block;
    for _ in 1..rounds {
        let mut next = keyed.clone();
        next.update(&block);
        block = next.finalize().into_bytes().into();
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

/// The parameters are those of the stored text, whatever ours are.
fn verify_argon2(password: &str, stored: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(stored) else {
        return false;
    };
    let Ok(params) = Params::try_from(&parsed) else {
        return false;
    };
    if params.m_cost() > MAXIMUM_MEMORY_KIB || params.t_cost() > MAXIMUM_PASSES {
        return false;
    }
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
        .verify_password(password.as_bytes(), &parsed)
        .is_ok()
}

/// Django passes what is longer than bcrypt's 72 bytes on, and bcrypt ignores the rest.
fn verify_bcrypt(password: &str, stored: &str) -> bool {
    let cost = stored.split('$').nth(2).and_then(|cost| cost.parse::<u32>().ok());
    let Some(true) = cost.map(|cost| cost <= MAXIMUM_BCRYPT_COST) else {
        return false;
    };
    let bytes = password.as_bytes();
    bcrypt::verify(&bytes[..bytes.len().min(72)], stored).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Django 5.2 of one password, with fewer rounds than usual so that tests don't wait.
    const HASHES: [&str; 4] = [
        "pbkdf2_sha256$1000$CWNuSqVCQ9VkCjNEErTAUT$fLd1M2hEvQaQfyqum9bC4NRxy/t37VTCV1CKyEQpxNQ=",
        "argon2$argon2id$v=19$m=1024,t=2,p=8$T29ESHV3NEtWaGswTVdSaTk0eEwxcA$vIgk+8ZP0ZqwAvZRLrdrje9Pc+QP9V2+Oyn65Y/ncs4",
        "bcrypt_sha256$$2b$06$t/dwJrKCBsTfsIs6p7aJJeg3T3tSCcfn/.LZisDIoRbh9.sbSoTKe",
        "bcrypt$$2b$06$zMSCdCQAL9.laxydnv1dROiU3owxpujEEH8TXlpkdgbsrU0kt0aeu",
    ];

    #[test]
    fn passwords_that_django_hashed_are_verified_in_every_format() {
        for stored in HASHES {
            assert!(is_known(stored), "{stored}");
            assert!(verify("Correct-Horse-7", stored), "{stored}");
            assert!(!verify("Correct-Horse-8", stored), "{stored}");
            assert!(!verify("", stored), "{stored}");
        }
    }

    /// Made by djangorestframework-api-key: by version 2 as a password, by version 3 with one round of SHA-512.
    #[test]
    fn api_keys_are_verified_in_both_formats() {
        let key = "Ab3dEf6h.0123456789abcdefghijklmnopqrstuv";
        for stored in [
            "pbkdf2_sha256$1000$ZdXJb9MjepcVbfkr3mjOBv$KpEQj/3afASDHZgD4u0EY4UnVITPfYv8wBPnqtW9M4M=",
            "sha512$$77e4d3821f99af847a4da843e30e48fb0fd69701ef541e3100f5e34f22d6152a19d3af12330315515d4b54c6f499846850c835300d54929c25cca8b9bade3415",
        ] {
            assert!(verify(key, stored), "{stored}");
            assert!(
                !verify("Ab3dEf6h.0123456789abcdefghijklmnopqrstuw", stored),
                "{stored}"
            );
        }
    }

    #[test]
    fn damaged_and_boundless_hashes_are_refused() {
        for stored in [
            "",
            "!",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$1000$salt",
            "pbkdf2_sha256$0$salt$AAAA",
            "pbkdf2_sha256$4000000000$salt$AAAA",
            "argon2$",
            "argon2$argon2id$v=19$m=4194304,t=2,p=8$T29ESHV3NEtWaGswTVdSaTk0eEwxcA$vIgk+8ZP0ZqwAvZRLrdrje9Pc+QP9V2+Oyn65Y/ncs4",
            "bcrypt$",
            "bcrypt$$2b$31$zMSCdCQAL9.laxydnv1dROiU3owxpujEEH8TXlpkdgbsrU0kt0aeu",
            "sha512$$",
        ] {
            assert!(!verify("x", stored), "{stored}");
            assert!(!verify("", stored), "{stored}");
        }
    }
}

//! Passwords: storing, checking and judging them.
//!
//! [`hash`] and [`verify`] take tens of milliseconds of CPU and 19 MiB of memory on purpose (imported
//! Django hashes up to half a second and 100 MiB). They block: call them through `tokio::task::spawn_blocking`, and
//! bound how many run at once.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use burgee_model::keys;

use crate::django;

/// Memory of one hashing in KiB: 19 MiB.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
pub const PASSES: u32 = 2;
/// The fewest characters a password may have.
pub const MINIMUM_LENGTH: usize = 8;

/// From this share of common characters on a password counts as similar to an attribute of the user.
const MAXIMUM_SIMILARITY: f64 = 0.7;

/// Well-known passwords in lower case, one a line.
static COMMON_PASSWORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A hash that no password is known for, to spend the same time on a user who does not exist.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| hash(&keys::alphanumeric(32)));

/// The stored form of a password: argon2id with a random salt as a PHC string (`$argon2id$v=19$…`).
/// Blocks; see the module's description.
pub fn hash(password: &str) -> String {
    hasher()
        .hash_password(password.as_bytes())
        .expect("the system gives random bytes and the parameters are valid")
        .to_string()
}

/// Whether this is the password. `stored` is what [`hash`] made or one of Django's (see [`django`]); pass `None`
/// if there is no such user or no password, so that the answer takes as long as for anybody else.
/// Blocks; see the module's description.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    match stored {
        Some(stored) if django::is_known(stored) => django::verify(password, stored),
        Some(stored) if let Ok(parsed) = PasswordHash::new(stored) => {
            hasher().verify_password(password.as_bytes(), &parsed).is_ok()
        }
        _ => {
            verify(password, Some(&NOBODYS_HASH));
            false
        }
    }
}

/// Whether a stored hash should be replaced by a new [`hash`] at the next log-in: it was imported or made
/// with other parameters than today's.
pub fn needs_rehash(stored: &str) -> bool {
    PasswordHash::new(stored).map_or(true, |parsed| {
        let params = Params::try_from(&parsed).ok();
        parsed.algorithm.as_str() != "argon2id"
            || params.is_none_or(|params| (params.m_cost(), params.t_cost()) != (MEMORY_KIB, PASSES))
    })
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What a password must not resemble. Empty texts are passed over.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserAttributes<'a> {
    /// The user's first name.
    pub first_name: &'a str,
    /// The user's last name.
    pub last_name: &'a str,
    /// The user's e-mail address.
    pub email: &'a str,
}

/// What is wrong with a new password, in Django's words and order; empty if it may be used.
/// Quick; does not block.
pub fn validate(password: &str, user: &UserAttributes<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let attributes = [
        ("first name", user.first_name),
        ("last name", user.last_name),
        ("email", user.email),
    ];
    if let Some((name, _)) = attributes.iter().find(|(_, value)| is_similar(password, value)) {
        faults.push(format!("The password is too similar to the {name}."));
    }
    if password.chars().count() < MINIMUM_LENGTH {
        faults.push(format!(
            "This password is too short. It must contain at least {MINIMUM_LENGTH} characters."
        ));
    }
    if COMMON_PASSWORDS.contains(password.to_lowercase().trim()) {
        faults.push("This password is too common.".to_owned());
    }
    if !password.is_empty() && password.chars().all(char::is_numeric) {
        faults.push("This password is entirely numeric.".to_owned());
    }
    faults
}

/// Whether the password resembles the attribute or one of its words.
fn is_similar(password: &str, attribute: &str) -> bool {
    if attribute.is_empty() {
        return false;
    }
    let password: Vec<char> = password.to_lowercase().chars().collect();
    let attribute = attribute.to_lowercase();
    attribute
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .chain([attribute.as_str()])
        .map(|part| part.chars().collect::<Vec<_>>())
        .any(|part| {
            !is_much_longer(password.len(), part.len()) && similarity(&password, &part) >= MAXIMUM_SIMILARITY
        })
}

/// A part this short within a password this long says nothing.
fn is_much_longer(password: usize, part: usize) -> bool {
    password >= 10 * part && (part as f64) < MAXIMUM_SIMILARITY / 2.0 * password as f64
}

/// Python's `SequenceMatcher.quick_ratio`: twice the number of common characters, in any order, over the
/// number of all characters.
fn similarity(left: &[char], right: &[char]) -> f64 {
    if left.is_empty() && right.is_empty() {
        return 1.0;
    }
    let mut available: HashMap<char, usize> = HashMap::new();
    for &c in right {
        *available.entry(c).or_default() += 1;
    }
    let mut common = 0;
    for c in left {
        if let Some(count @ 1..) = available.get_mut(c) {
            *count -= 1;
            common += 1;
        }
    }
    2.0 * f64::from(common) / (left.len() + right.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEAK: UserAttributes<'static> = UserAttributes {
        first_name: "A",
        last_name: "B",
        email: "weak@example.com",
    };

    #[test]
    fn a_password_is_verified_against_its_hash_only() {
        let stored = hash("Str0ng-pass-1");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("Str0ng-pass-1", Some(&stored)));
        assert!(!verify("Str0ng-pass-2", Some(&stored)));
        assert!(!verify("", Some(&stored)));
        assert!(!needs_rehash(&stored));
    }

    #[test]
    fn the_same_password_is_stored_differently_each_time() {
        assert_ne!(hash("Str0ng-pass-1"), hash("Str0ng-pass-1"));
    }

    #[test]
    fn an_absent_user_and_a_damaged_hash_are_refused() {
        assert!(!verify("x", None));
        for stored in [
            "",
            "!",
            "!unusable",
            "plain",
            "$argon2id$",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$1000$salt",
            "pbkdf2_sha256$x$salt$AAAA",
            "pbkdf2_sha256$0$salt$AAAA",
            "pbkdf2_sha256$4000000000$salt$AAAA",
        ] {
            assert!(!verify("x", Some(stored)), "{stored}");
            assert!(!verify("", Some(stored)), "{stored}");
        }
    }

    #[test]
    fn an_absent_user_costs_as_much_time_as_a_wrong_password() {
        let stored = hash("Str0ng-pass-1");
        verify("warm up", None);
        let time = |stored| {
            (0..5)
                .map(|_| {
                    let start = std::time::Instant::now();
                    verify("wrong", stored);
                    start.elapsed()
                })
                .min()
                .expect("five runs")
        };
        let (present, absent) = (time(Some(stored.as_str())), time(None));
        // Far from a measurement, but an answer without any hashing would be thousands of times quicker.
        assert!(absent * 4 > present, "{present:?} {absent:?}");
    }

    #[test]
    fn djangos_hashes_are_verified_and_marked_for_replacement() {
        let stored = "pbkdf2_sha256$1000$xFe2ITUr0YjWsTPDrWiHeb$S+AECQgFWyMejLBg4+SxklwyrCsdv91iYzlXZvUCKow=";
        assert!(verify("Str0ng-pass-1", Some(stored)));
        assert!(!verify("Str0ng-pass-2", Some(stored)));
        assert!(needs_rehash(stored));
    }

    #[test]
    fn recorded_answers_to_weak_passwords_are_given_word_for_word() {
        assert_eq!(validate("password", &WEAK), ["This password is too common."]);
        assert_eq!(
            validate("1234", &WEAK),
            [
                "This password is too short. It must contain at least 8 characters.",
                "This password is too common.",
                "This password is entirely numeric."
            ]
        );
        let weakling = UserAttributes {
            email: "weakling@example.com",
            ..WEAK
        };
        assert_eq!(
            validate("weakling1", &weakling),
            ["The password is too similar to the email."]
        );
    }

    #[test]
    fn recorded_good_passwords_pass() {
        for (password, first_name, last_name, email) in [
            ("Str0ng-pass-1", "Ada", "Admin", "admin@example.com"),
            ("Str0ng-pass-2", "Bob", "Builder", "bob@example.com"),
            ("Str0ng-pass-9", "Carol", "Clark", "carol@example.com"),
            ("Str0ng-pass-4", "Dan", "D", "dan@example.com"),
        ] {
            let user = UserAttributes {
                first_name,
                last_name,
                email,
            };
            assert!(validate(password, &user).is_empty(), "{password}");
        }
    }

    #[test]
    fn similarity_names_the_first_attribute_it_finds() {
        let user = UserAttributes {
            first_name: "Alexandra",
            last_name: "Montgomery",
            email: "alexandra@example.com",
        };
        assert_eq!(
            validate("alexandra7", &user),
            ["The password is too similar to the first name."]
        );
        assert_eq!(
            validate("MONTGOMERY", &user),
            ["The password is too similar to the last name."]
        );
        assert_eq!(
            validate("yremogtnom", &user),
            ["The password is too similar to the last name."]
        );
        assert!(validate("quiet-harbour-lamp", &user).is_empty());
    }

    #[test]
    fn similarity_is_pythons_quick_ratio() {
        let ratio = |left: &str, right: &str| {
            similarity(
                &left.chars().collect::<Vec<_>>(),
                &right.chars().collect::<Vec<_>>(),
            )
        };
        assert!((ratio("abcd", "bcde") - 0.75).abs() < f64::EPSILON);
        assert!((ratio("aaaa", "a") - 0.4).abs() < f64::EPSILON);
        assert!((ratio("", "") - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_short_word_in_a_long_password_says_nothing() {
        let user = UserAttributes {
            first_name: "x",
            ..UserAttributes::default()
        };
        assert!(validate("xxxxxxxxxx", &user).is_empty());
    }

    #[test]
    fn length_counts_characters_and_digits_of_any_script_are_digits() {
        let nobody = UserAttributes::default();
        assert!(validate("\u{fc}\u{f6}\u{e4}\u{fc}\u{f6}\u{e4}\u{1f6a9}\u{2693}", &nobody).is_empty());
        assert_eq!(
            validate(
                "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}",
                &nobody
            ),
            ["This password is entirely numeric."]
        );
        assert_eq!(
            validate("", &nobody),
            ["This password is too short. It must contain at least 8 characters."]
        );
    }

    #[test]
    fn common_passwords_are_found_in_any_case_and_with_blanks_around() {
        for password in ["PassWord1", " qwertyuiop ", "12345678", "iloveyou", "football"] {
            assert!(
                validate(password, &UserAttributes::default())
                    .contains(&"This password is too common.".to_owned()),
                "{password}"
            );
        }
    }

    #[test]
    fn the_list_of_common_passwords_is_lower_case_sorted_and_without_repeats() {
        let lines: Vec<_> = include_str!("common_passwords.txt").lines().collect();
        assert!(lines.len() >= 1_000, "{}", lines.len());
        assert!(lines.is_sorted_by(|a, b| a < b));
        assert!(
            lines
                .iter()
                .all(|line| !line.is_empty() && line.trim() == *line && line.to_lowercase() == *line)
        );
    }
}

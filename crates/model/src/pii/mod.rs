//! Personal data that should not be kept: what a text holds of it, and what a project wants done about it.
//!
//! Looked for are e-mail addresses, phone numbers, payment cards, IBANs and IP addresses: what can be told by its form
//! alone. Names and the like can't. Ids must never be taken for any of these, so a string of digits alone is nothing; it
//! is a card or a phone number only where the key of its trait says so. `docs/pii.md` has the rules for users.

mod digits;
mod find;
mod iban;

use crate::Problems;
use crate::limits;
use crate::traits::TraitValue;

/// What a project wants done about personal data that would be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Nobody looks.
    #[default]
    Off,
    /// It is stored, and counted.
    Warn,
    /// A keyed hash is stored in its place.
    Hash,
    /// The request is refused.
    Refuse,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Warn, Self::Hash, Self::Refuse];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Hash => "hash",
            Self::Refuse => "refuse",
        }
    }

    /// The mode with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Email,
    Phone,
    Card,
    Iban,
    Ip,
}

impl Kind {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Ip => "ip",
        }
    }

    /// What it is called in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Phone => "a phone number",
            Self::Card => "a payment card number",
            Self::Iban => "an IBAN",
            Self::Ip => "an IP address",
        }
    }
}

/// What the key of a trait tells of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Hints {
    /// Digits alone are a phone number.
    phone: bool,
    /// Digits alone may be a card.
    card: bool,
    /// Four numbers with dots are a version.
    version: bool,
}

impl Hints {
    /// What the words of a key say: `mobilePhone`, `card_number`, `app.version`.
    fn of(key: &str) -> Self {
        const PHONE: &[&str] = &["phone", "telephone", "mobile", "msisdn", "tel", "fax", "whatsapp"];
        const CARD: &[&str] = &["card", "creditcard", "cardnumber", "pan", "ccn"];
        const VERSION: &[&str] = &["version", "ver", "release", "build", "firmware"];
        let mut hints = Self::default();
        let ends_with = |word: &str, end: &str| {
            let start = word.len().checked_sub(end.len());
            start.is_some_and(|start| word[start..].eq_ignore_ascii_case(end))
        };
        for word in words(key) {
            let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
            hints.phone |= is(PHONE) || ends_with(word, "phone");
            hints.card |= is(CARD);
            hints.version |= is(VERSION) || ends_with(word, "version");
        }
        hints
    }
}

/// The words of a key, which small and large letters, digits or other characters part.
fn words(key: &str) -> impl Iterator<Item = &str> {
    let bytes = key.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        while from < bytes.len() && !bytes[from].is_ascii_alphabetic() {
            from += 1;
        }
        let start = from;
        while from < bytes.len() && bytes[from].is_ascii_alphabetic() {
            from += 1;
            let ends = from < bytes.len()
                && bytes[from - 1].is_ascii_lowercase()
                && bytes[from].is_ascii_uppercase();
            if ends {
                break;
            }
        }
        key.get(start..from).filter(|word| !word.is_empty())
    })
}

/// What is no personal data in a project although it looks like it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    /// Keys of traits that are not looked at, nor are members of lists of this context kind.
    pub traits: Vec<String>,
    /// Values: the found piece of a text, whole and whatever its case. `*` stands for any characters.
    pub values: Vec<String>,
}

impl AllowList {
    /// Says what is wrong with it, by the fields of a project.
    pub fn check(&self) -> Result<(), Problems> {
        let too_many = format!("No more than {} entries.", limits::PII_ALLOWED);
        for (field, entries) in [
            ("pii_allowed_traits", &self.traits),
            ("pii_allowed_values", &self.values),
        ] {
            if entries.len() > limits::PII_ALLOWED {
                return Err(Problems::field(field, too_many));
            }
            let wrong = |entry: &&String| entry.trim().is_empty() || entry.contains('\0');
            if entries.iter().any(|entry| wrong(&entry)) {
                return Err(Problems::field(field, "An entry may not be blank."));
            }
            if entries
                .iter()
                .any(|entry| entry.chars().count() > limits::TRAIT_KEY_LENGTH)
            {
                let text = format!(
                    "An entry has no more than {} characters.",
                    limits::TRAIT_KEY_LENGTH
                );
                return Err(Problems::field(field, text));
            }
        }
        let means_all = |entry: &&String| entry.chars().all(|c| c == '*');
        if self.values.iter().any(|entry| means_all(&entry)) {
            let text = "\"*\" would allow everything: set pii_mode to \"off\" instead.";
            return Err(Problems::field("pii_allowed_values", text));
        }
        Ok(())
    }

    /// Whether traits of this key are not looked at.
    pub fn allows_trait(&self, key: &str) -> bool {
        self.traits.iter().any(|allowed| allowed == key)
    }

    fn allows(&self, piece: &str) -> bool {
        self.values
            .iter()
            .any(|pattern| is_like(piece.as_bytes(), pattern.as_bytes()))
    }

    /// The first personal data in a text that is not allowed. The key of the trait it is the value of tells what its digits
    /// are; other texts have none.
    pub fn find(&self, text: &str, key: &str) -> Option<Kind> {
        find::find(text, key, &|piece| self.allows(piece))
    }

    /// The same in the value of a trait.
    pub fn find_in_value(&self, value: &TraitValue, key: &str) -> Option<Kind> {
        match value {
            TraitValue::Text(text) => self.find(text, key),
            TraitValue::Int(number) if *number >= LEAST => self.find(&number.to_string(), key),
            TraitValue::Int(_) | TraitValue::Float(_) | TraitValue::Bool(_) => None,
        }
    }
}

/// The least integer that may be a phone number.
const LEAST: i64 = 1_000_000;

/// Whether a text is like a pattern with `*` for any characters, whatever the case of ASCII letters. Takes time in
/// proportion to both lengths at most.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    // Where the last `*` was, and how far its characters reach.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                star = Some((in_pattern, at));
                in_pattern += 1;
            }
            Some(c) if c.eq_ignore_ascii_case(&text[at]) => {
                at += 1;
                in_pattern += 1;
            }
            _ => match star {
                Some((place, reach)) => {
                    star = Some((place, reach + 1));
                    at = reach + 1;
                    in_pattern = place + 1;
                }
                None => return false,
            },
        }
    }
    pattern[in_pattern..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<Kind> {
        AllowList::default().find(text, "")
    }

    fn under(key: &str, text: &str) -> Option<Kind> {
        AllowList::default().find(text, key)
    }

    #[test]
    fn personal_data_is_found_wherever_it_stands_in_a_text() {
        let found = [
            (Kind::Email, "ada@example.com"),
            (Kind::Email, "Ada Lovelace <ada.lovelace+news@mail.example.co.uk>"),
            (Kind::Email, "user:ada@example.com"),
            (Kind::Email, "ÄDA@exämple.de"),
            (Kind::Email, "x@163.com"),
            (Kind::Email, "o'brien@example.com, and others"),
            (Kind::Phone, "+491701234567"),
            (Kind::Phone, "+1 (555) 123-4567"),
            (Kind::Phone, "call +44 20 7946 0958 now"),
            (Kind::Phone, "+1.5551234567"),
            (Kind::Phone, "555-123-4567"),
            (Kind::Phone, "(555) 123-4567"),
            (Kind::Phone, "1-555-123-4567"),
            (Kind::Phone, "555.123.4567"),
            (Kind::Phone, "030 1234567"),
            (Kind::Phone, "0171/2345678"),
            (Kind::Phone, "06 12 34 56 78"),
            (Kind::Phone, "0049 30 1234567"),
            (Kind::Card, "4111 1111 1111 1111"),
            (Kind::Card, "5500-0000-0000-0004"),
            (Kind::Card, "3782 822463 10005"),
            (Kind::Card, "paid with 6011 0009 9013 9424."),
            (Kind::Iban, "DE89370400440532013000"),
            (Kind::Iban, "DE89 3704 0044 0532 0130 00"),
            (Kind::Iban, "gb82 west 1234 5698 7654 32"),
            (Kind::Iban, "NL91ABNA0417164300 is the account"),
            (Kind::Ip, "192.168.1.20"),
            (Kind::Ip, "1.2.3.4"),
            (Kind::Ip, "from 203.0.113.9:8080"),
            (Kind::Ip, "203.0.113.0/24"),
            (Kind::Ip, "2001:db8::8a2e:370:7334"),
            (Kind::Ip, "[2001:db8:0:0:0:0:0:1]:443"),
            (Kind::Ip, "fe80::1ff:fe23:4567:890a%eth2"),
            (Kind::Ip, "::ffff:203.0.113.9"),
        ];
        for (expected, text) in found {
            assert_eq!(kind(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_resembles_it_is_left_alone() {
        let fine = [
            "",
            "user-123",
            "user_000123",
            "507f1f77bcf86cd799439011",
            "550e8400-e29b-41d4-a716-446655440000",
            "a1b2c3de-0123-4567-8901-abcdef123456",
            "12345678-1234-4123-8123-123456789012",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "cus_NffrFeUfNV2Hib",
            "auth0|5f7c8ec7c33c6c004bbafe82",
            "google-oauth2|108204268033311374519",
            "arn:aws:iam::123456789012:user/Development",
            "2024-01-31",
            "31.01.2024",
            "01.02.2024 12:30",
            "2024-01-31T12:34:56.789012Z",
            "2024-01-31T12:34:56+02:00",
            "20240131T123456Z",
            "1706704496789",
            "4111111111111111",
            "491701234567",
            "-12345678901",
            "1.2.3",
            "v1.2.3.4",
            "1.2.3.4-beta",
            "1.2.3.4.5",
            "1.2.300.4",
            "127.0.0.1",
            "0.0.0.0",
            "::1",
            "0.1234567891",
            "12345.6789",
            "+48.8583701",
            "12:34:56",
            "aa:bb:cc:dd:ee:ff",
            "01:23:45:67:89:ab:cd:ef",
            "Feed::Cafe1",
            "std::vec::Vec",
            "user@host",
            "@scope/package",
            "lodash@4.17.21",
            "a @ b.com",
            "4111 1111 1111 1112",
            "9111 1111 1111 1111",
            "41111111 11111111",
            "DE88370400440532013000",
            "DE8937040044053201300",
            "XDE89370400440532013000",
            "10 000 000",
            "123 456 789",
            "order 2024-000123-44",
            "eu-west-1",
            "{\"a\": 1}",
        ];
        for text in fine {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn the_key_of_a_trait_says_what_digits_alone_are() {
        assert_eq!(under("phone", "491701234567"), Some(Kind::Phone));
        assert_eq!(under("workPhone", "5551234567"), Some(Kind::Phone));
        assert_eq!(under("microphone_id", "5551234567"), Some(Kind::Phone));
        assert_eq!(under("card_number", "4111111111111111"), Some(Kind::Card));
        assert_eq!(under("card_number", "4111111111111112"), None);
        assert_eq!(under("hotel", "491701234567"), None);
        assert_eq!(under("app_version", "1.2.3.4"), None);
        assert_eq!(under("appVersion", "1.2.3.4"), None);
        assert_eq!(under("address", "1.2.3.4"), Some(Kind::Ip));
        let list = AllowList::default();
        let number = TraitValue::Int(491_701_234_567);
        assert_eq!(list.find_in_value(&number, "mobile"), Some(Kind::Phone));
        assert_eq!(list.find_in_value(&number, "balance"), None);
    }

    #[test]
    fn what_is_allowed_does_not_hide_what_is_not() {
        let list = AllowList {
            traits: vec!["support".to_owned()],
            values: vec!["*@example.com".to_owned(), "10.*".to_owned()],
        };
        let find = |text| list.find(text, "");
        assert_eq!(find("Ada@EXAMPLE.com"), None);
        assert_eq!(find("10.1.2.3"), None);
        assert_eq!(find("ada@example.com.evil.org"), Some(Kind::Email));
        assert_eq!(find("ada@example.com bob@example.org"), Some(Kind::Email));
        assert_eq!(find("bob@example.org, ada@example.com"), Some(Kind::Email));
        assert!(list.allows_trait("support") && !list.allows_trait("Support"));
    }

    #[test]
    fn an_allow_list_that_can_t_be_meant_is_refused() {
        let check = |traits: &[&str], values: &[&str]| {
            let list = |entries: &[&str]| entries.iter().map(|&entry| entry.to_owned()).collect();
            AllowList {
                traits: list(traits),
                values: list(values),
            }
            .check()
        };
        assert!(check(&["email"], &["*@example.com"]).is_ok());
        assert!(check(&[" "], &[]).is_err());
        assert!(check(&[], &["**"]).is_err());
        assert!(check(&[], &["x".repeat(201).as_str()]).is_err());
        assert!(check(&vec!["x"; limits::PII_ALLOWED + 1], &[]).is_err());
    }

    #[test]
    fn patterns_match_whole_texts() {
        let like = |text: &str, pattern: &str| is_like(text.as_bytes(), pattern.as_bytes());
        assert!(like("abc", "a*c") && like("abc", "*") && like("", "*") && like("ABC", "abc"));
        assert!(like("aXbXc", "a*b*c") && like("aab", "*ab"));
        assert!(!like("abc", "a*b") && !like("abc", "ab") && !like("abc", ""));
    }
}

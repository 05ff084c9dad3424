//! List segments: their keys, and whom a member stands for.

use std::fmt;

use crate::limits;

/// The context kind whose keys are the identifiers of identities. A member of any other kind stands for all identities
/// whose trait of that name has the member as its value.
pub const USER: &str = "user";

/// A side of a list segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Its members are in the segment, whatever the rules say.
    Included,
    /// Its members are not, unless they are included as well.
    Excluded,
}

impl Side {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::Excluded => "excluded",
        }
    }

    /// The side with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Included, Self::Excluded]
            .into_iter()
            .find(|side| side.as_str() == name)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_plain(text: &str, max: usize) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !text.is_empty() && text.len() <= max && text.chars().all(plain) && !text.starts_with(['.', '-'])
}

/// Whether a list segment may be called so.
pub fn is_key(text: &str) -> bool {
    is_plain(text, limits::LIST_KEY_LENGTH)
}

/// Whether a context kind may be called so.
pub fn is_context_kind(text: &str) -> bool {
    is_plain(text, limits::CONTEXT_KIND_LENGTH) && text != "kind"
}

/// A key made of a name: small letters and digits, with a hyphen for everything between. Empty if the name has none.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(limits::LIST_KEY_LENGTH);
    slug.trim_end_matches('-').to_owned()
}

/// What is wrong with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberProblem {
    Empty,
    TooLong,
    /// It holds a null character.
    NotText,
}

/// Whether a text may be a member.
pub fn check_member(member: &str) -> Result<(), MemberProblem> {
    if member.is_empty() {
        return Err(MemberProblem::Empty);
    }
    if member.contains('\0') {
        return Err(MemberProblem::NotText);
    }
    // Most are short: bytes need not be counted as characters.
    let is_long =
        member.len() > limits::IDENTIFIER_LENGTH && member.chars().count() > limits::IDENTIFIER_LENGTH;
    if is_long {
        Err(MemberProblem::TooLong)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_keys() {
        assert_eq!(slug("  Beta testers (EU) "), "beta-testers-eu");
        assert_eq!(slug("Ünï"), "n");
        assert_eq!(slug("…"), "");
        assert!(is_key("high-value_2.0") && is_key(&slug(&"a b".repeat(400))));
        assert!(!is_key("") && !is_key("-a") && !is_key("a b") && !is_key("é"));
        assert!(is_context_kind("user") && !is_context_kind("kind"));
    }

    #[test]
    fn a_member_is_a_text_of_bounded_length() {
        assert_eq!(check_member(""), Err(MemberProblem::Empty));
        assert_eq!(check_member("a\0"), Err(MemberProblem::NotText));
        assert_eq!(check_member(&"é".repeat(2000)), Ok(()));
        assert_eq!(check_member(&"é".repeat(2001)), Err(MemberProblem::TooLong));
    }
}

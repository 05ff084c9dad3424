//! Custom fields: kinds of value, and kinds of object that can have them.

/// What a value of a custom field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    Integer,
    Text,
    Boolean,
    Url,
    MultilineText,
}

impl FieldType {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Integer,
        Self::Text,
        Self::Boolean,
        Self::Url,
        Self::MultilineText,
    ];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "int",
            Self::Text => "str",
            Self::Boolean => "bool",
            Self::Url => "url",
            Self::MultilineText => "multiline_str",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a text is such a value.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Integer => text.trim().parse::<i64>().is_ok(),
            Self::Boolean => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
            Self::Url => is_url(text),
            Self::Text | Self::MultilineText => true,
        }
    }
}

/// Whether a text is an absolute address on the web: scheme, host, no blanks.
pub fn is_url(text: &str) -> bool {
    let rest = ["http://", "https://", "ftp://", "ftps://"]
        .iter()
        .find_map(|scheme| {
            let head = text.get(..scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
        });
    let Some(rest) = rest else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match host.strip_prefix('[') {
        // An IPv6 address in brackets.
        Some(bracketed) => match bracketed.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", port),
            _ => return false,
        },
        None => match host.find(':') {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        },
    };
    let port_is_fine = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    let labels_are_fine = host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    });
    port_is_fine && labels_are_fine && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// A kind of object that custom fields speak of: what has them, or where having them is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContentType {
    Organisation,
    Project,
    Environment,
    Feature,
    Segment,
}

impl ContentType {
    /// Every kind, in the order of their ids.
    pub const ALL: [Self; 5] = [
        Self::Organisation,
        Self::Project,
        Self::Environment,
        Self::Feature,
        Self::Segment,
    ];

    /// Its number on the wire: the same in every installation.
    pub fn id(self) -> i64 {
        match self {
            Self::Organisation => 1,
            Self::Project => 2,
            Self::Environment => 3,
            Self::Feature => 4,
            Self::Segment => 5,
        }
    }

    /// The kind with this number.
    pub fn from_id(id: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Its word on the wire.
    pub fn model(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Feature => "feature",
            Self::Segment => "segment",
        }
    }

    /// The kind with this word.
    pub fn from_model(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.model() == word)
    }

    /// The name of the group it is listed under.
    pub fn app_label(self) -> &'static str {
        match self {
            Self::Organisation => "organisations",
            Self::Project => "projects",
            Self::Environment => "environments",
            Self::Feature => "features",
            Self::Segment => "segments",
        }
    }

    /// Whether objects of this kind have values of custom fields.
    pub fn has_values(self) -> bool {
        matches!(self, Self::Environment | Self::Feature | Self::Segment)
    }

    /// Where fields of this kind of object can be required.
    pub fn required_in(self) -> &'static [Self] {
        if self.has_values() {
            &[Self::Organisation, Self::Project]
        } else {
            &[]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_takes_what_it_names() {
        for (kind, good, bad) in [
            (
                FieldType::Integer,
                vec!["1", "-5", " 7 "],
                vec!["", "1.5", "x", "1e3"],
            ),
            (FieldType::Boolean, vec!["true", "False"], vec!["", "1", "yes"]),
            (
                FieldType::Url,
                vec![
                    "https://example.com/a?b=c",
                    "http://localhost:8000",
                    "http://[::1]:80/x",
                ],
                vec![
                    "",
                    "example.com",
                    "https://",
                    "http://a b",
                    "javascript:alert(1)",
                    "http://a:x/",
                    "http://-a",
                ],
            ),
            (FieldType::Text, vec!["", "anything"], vec![]),
        ] {
            for text in good {
                assert!(kind.accepts(text), "{kind:?} {text}");
            }
            for text in bad {
                assert!(!kind.accepts(text), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn numbers_and_words_lead_back_to_their_kind() {
        for kind in ContentType::ALL {
            assert_eq!(ContentType::from_id(kind.id()), Some(kind));
            assert_eq!(ContentType::from_model(kind.model()), Some(kind));
        }
        for kind in FieldType::ALL {
            assert_eq!(FieldType::parse(kind.as_str()), Some(kind));
        }
    }
}

//! Patterns of `REGEX` conditions: Python's `re.match`, with a bound on the work.
//!
//! Most patterns run on the linear-time engine. Look-around and back-references need the backtracking one, whose
//! steps are counted: a match that takes too long is no match.

use std::sync::OnceLock;

mod size;
mod translate;

use translate::Translation;

/// Bytes of pattern. The API stores at most 1,000 characters.
const MAX_PATTERN: usize = 8_192;
/// Bytes of compiled pattern.
const MAX_COMPILED: usize = 2 << 20;
/// Elements of a pattern whose counted repetitions (`a{100}`) are written out; beyond, the backtracking engine's own
/// arithmetic can overflow.
const MAX_ELEMENTS: u64 = 1_000_000;
/// Instructions of a compiled pattern that needs backtracking; each takes some dozens of bytes.
const MAX_INSTRUCTIONS: usize = 50_000;
/// Steps back that the backtracking engine may take, a few milliseconds' worth.
const MAX_BACKTRACKS: usize = 100_000;

/// Whether a `REGEX` condition with this pattern can ever match: it is Python's syntax, and small enough.
pub fn is_valid_pattern(source: &str) -> bool {
    Pattern::new(source).is_valid()
}

/// A pattern, compiled when it is first matched.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: Box<str>,
    plain: OnceLock<Program>,
    /// For texts that end in a newline, before which Python's `$` matches too.
    newline: OnceLock<Program>,
}

#[derive(Debug)]
enum Program {
    Invalid,
    /// Boxed, as are the next: most environments hold more patterns than are ever compiled.
    Linear(Box<regex::Regex>),
    Backtracking(Box<fancy_regex::Regex>),
}

impl Pattern {
    pub(crate) fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            plain: OnceLock::new(),
            newline: OnceLock::new(),
        }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the text matches from its start on. An invalid pattern matches nothing.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let program = if text.ends_with('\n') {
            self.newline.get_or_init(|| Program::compile(&self.source, true))
        } else {
            self.plain.get_or_init(|| Program::compile(&self.source, false))
        };
        match program {
            Program::Invalid => false,
            Program::Linear(regex) => regex.is_match(text),
            Program::Backtracking(regex) => regex.is_match(text).unwrap_or(false),
        }
    }

    /// Whether the pattern compiles; compiles it.
    pub(crate) fn is_valid(&self) -> bool {
        !matches!(
            self.plain.get_or_init(|| Program::compile(&self.source, false)),
            Program::Invalid
        )
    }
}

impl Program {
    fn compile(source: &str, before_newline: bool) -> Self {
        if source.len() > MAX_PATTERN || size::elements(source) > MAX_ELEMENTS {
            return Self::Invalid;
        }
        let Some(Translation { pattern, backtracks }) = translate::translate(source, before_newline) else {
            return Self::Invalid;
        };
        if !backtracks
            && let Ok(regex) = regex::RegexBuilder::new(&pattern)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED)
                .build()
        {
            return Self::Linear(Box::new(regex));
        }
        if !backtracks {
            return Self::Invalid;
        }
        fancy_regex::RegexBuilder::new(&pattern)
            .backtrack_limit(MAX_BACKTRACKS)
            .max_prog_size(MAX_INSTRUCTIONS)
            .delegate_size_limit(MAX_COMPILED)
            .delegate_dfa_size_limit(MAX_COMPILED)
            .build()
            .map_or(Self::Invalid, |regex| Self::Backtracking(Box::new(regex)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_people_write_pass_and_bombs_do_not() {
        for fine in [
            "^[a-z]{2,50}@[a-z]{2,50}\\.com$",
            "(?=a)(?P<x>a)(?P=x)",
            "^(a+)+$",
            "",
            "é{3}[é]",
        ] {
            assert!(is_valid_pattern(fine), "{fine}");
        }
        for wrong in [
            "(",
            "[a-",
            "*",
            "\\",
            "(?P<x",
            "((((a{1000}){1000}){1000}){1000}){1000}",
            "(?:(?:(?=a){1000}){900})",
            "\u{0}{99999999999999999999}",
        ] {
            assert!(!is_valid_pattern(wrong), "{wrong}");
        }
    }
}

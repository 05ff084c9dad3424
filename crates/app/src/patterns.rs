//! Patterns of conditions, on their way in: whether they can be compiled within bounds.

/// Bytes of a compiled pattern.
const COMPILED: usize = 2 << 20;
/// Steps of a pattern that needs backtracking; each takes some dozens of bytes.
const STEPS: usize = 50_000;
/// Elements of a pattern whose counted repetitions (`a{100}`) are written out.
const ELEMENTS: u64 = 1_000_000;

/// What is wrong with a pattern, if anything.
pub(crate) fn problem(pattern: &str) -> Option<&'static str> {
    // Beyond this the library's own arithmetic can overflow.
    if elements(pattern) > ELEMENTS {
        return Some("The repetitions of this regular expression make it too large.");
    }
    fancy_regex::RegexBuilder::new(pattern)
        .delegate_size_limit(COMPILED)
        .max_prog_size(STEPS)
        .build()
        .err()
        .map(|_| "Must be a valid regular expression.")
}

/// How many elements a pattern has when its counted repetitions are written out; roughly, never much too few.
fn elements(pattern: &str) -> u64 {
    let mut open: Vec<u64> = Vec::new();
    // Of the group we are in: all elements but the last, and the last, which a repetition would multiply.
    let (mut before, mut last) = (0_u64, 0_u64);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '(' => {
                open.push(before.saturating_add(last));
                (before, last) = (0, 0);
            }
            ')' => {
                last = last.saturating_add(before).max(1);
                before = open.pop().unwrap_or(0);
            }
            '{' if let Some((count, after)) = repetition(rest) => {
                last = last.saturating_mul(count.max(1));
                rest = after;
            }
            '*' | '+' | '?' | '|' => {}
            _ => {
                rest = match c {
                    '\\' => rest
                        .get(rest.chars().next().map_or(0, char::len_utf8)..)
                        .unwrap_or_default(),
                    '[' => after_class(rest),
                    _ => rest,
                };
                before = before.saturating_add(last);
                last = 1;
            }
        }
    }
    open.into_iter()
        .fold(before.saturating_add(last), u64::saturating_add)
}

/// The greater number of `n}`, `n,}` or `n,m}`, and what comes after it.
fn repetition(text: &str) -> Option<(u64, &str)> {
    let (inside, after) = text.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let number = |text: &str| match text.trim() {
        "" => Some(0),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().unwrap_or(u64::MAX)),
        _ => None,
    };
    Some((number(least)?.max(number(most)?), after))
}

/// What comes after a set of characters, whose `[` has been read.
fn after_class(text: &str) -> &str {
    let mut depth = 1;
    let mut characters = text.char_indices().peekable();
    let mut first = true;
    while let Some((at, c)) = characters.next() {
        match c {
            '^' if first => continue,
            ']' if first => {}
            '\\' => drop(characters.next()),
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        first = false;
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_counted_where_they_multiply() {
        assert_eq!(elements("abc"), 3);
        assert_eq!(elements("a{2,5}b{3}"), 8);
        assert_eq!(elements("(a{10}b){10}c"), 111);
        assert_eq!(elements("[(){9}]]\\({3}"), 5);
        assert_eq!(elements("[]{9}]{3}"), 3);
        assert_eq!(elements("a{x}"), 4);
        assert_eq!(elements("((("), 0);
        assert_eq!(elements(")))"), 1);
        let bomb = format!("{}a{}", "(".repeat(20), "{100})".repeat(20));
        assert_eq!(elements(&bomb), u64::MAX);
    }

    #[test]
    fn patterns_that_people_write_pass_and_bombs_do_not() {
        for fine in [
            "^[a-z]{2,50}@[a-z]{2,50}\\.com$",
            "(?=a)(?P<x>a)(?P=x)",
            "^(a+)+$",
            "",
            "é{3}[é]",
        ] {
            assert_eq!(problem(fine), None, "{fine}");
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
            assert!(problem(wrong).is_some(), "{wrong}");
        }
    }
}

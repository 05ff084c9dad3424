//! Numbers in groups: payment cards and phone numbers.
//!
//! Digits alone are ids. What makes them a number of somebody is how people write them: a card in the groups that are
//! embossed on it, a phone number with `+`, with the leading 0 of national numbers, or as three, three and four digits.

use super::{Hints, Kind};

/// The fewest digits of a phone number.
pub(super) const FEWEST: usize = 7;
/// The most digits of a card; a phone number has fewer.
const MOST: usize = 19;
const MOST_OF_PHONE: usize = 15;

/// A stretch of digits in groups, at most [`MOST`] of them.
struct Number<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    digits: [u8; MOST],
    count: usize,
    /// How long each group is.
    groups: [u8; MOST],
    group_count: usize,
    /// The bytes between groups, if they are the same everywhere and single.
    gap: Option<u8>,
    gaps: usize,
    plus: bool,
}

/// The first card or phone number that is not allowed.
pub(super) fn find(text: &str, key: &str, is_allowed: &dyn Fn(&str) -> bool) -> Option<Kind> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(next) = bytes[from..].iter().position(u8::is_ascii_digit) {
        let start = from + next;
        let (number, end) = read(text, start);
        from = end;
        let Some(number) = number.filter(|number| number.count >= FEWEST) else {
            continue;
        };
        let hints = Hints::of(key);
        let kind = if is_card(&number, hints) {
            Kind::Card
        } else if is_phone(&number, hints) {
            Kind::Phone
        } else {
            continue;
        };
        if !is_allowed(&text[number.start..number.end]) {
            return Some(kind);
        }
    }
    None
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')')
}

/// Reads a number from its first digit on; the end is where to look on. None is part of something longer: a word, a time,
/// an id with hyphens.
fn read(text: &str, start: usize) -> (Option<Number<'_>>, usize) {
    let bytes = text.as_bytes();
    let Some(plus) = begins(bytes, start) else {
        let rest = bytes[start..].iter();
        let length = rest
            .take_while(|byte| byte.is_ascii_digit() || is_gap(**byte))
            .count();
        return (None, start + length);
    };
    let mut number = Number {
        text,
        start,
        end: start,
        digits: [0; MOST],
        count: 0,
        groups: [0; MOST],
        group_count: 0,
        gap: None,
        gaps: 0,
        plus,
    };
    let (mut at, mut uniform, mut fits) = (start, true, true);
    let mut before: Option<usize> = None;
    while at < bytes.len() && (bytes[at].is_ascii_digit() || is_gap(bytes[at])) {
        if !bytes[at].is_ascii_digit() {
            before = before.or(Some(at));
            at += 1;
            continue;
        }
        let gap = before.take();
        if let Some(gap_start) = gap {
            number.gaps += 1;
            uniform &= at - gap_start == 1 && number.gap.is_none_or(|gap| gap == bytes[gap_start]);
            number.gap = Some(bytes[gap_start]);
        }
        fits &= number.count < MOST;
        if fits {
            if gap.is_some() || number.count == 0 {
                number.group_count += 1;
            }
            number.digits[number.count] = bytes[at] - b'0';
            number.groups[number.group_count - 1] += 1;
            number.count += 1;
        }
        at += 1;
        number.end = at;
    }
    if !uniform {
        number.gap = None;
    }
    let after = bytes.get(number.end);
    let ends_sentence =
        after == Some(&b'.') && !bytes.get(number.end + 1).is_some_and(u8::is_ascii_alphanumeric);
    let ends = !joins(after) || ends_sentence;
    ((ends && fits).then_some(number), at)
}

/// Whether a number can begin here, and then whether with a `+`.
fn begins(bytes: &[u8], start: usize) -> Option<bool> {
    let mut before = bytes[..start].iter().rev().skip_while(|byte| **byte == b'(');
    let mut previous = before.next();
    let plus = previous == Some(&b'+');
    if plus {
        previous = before.next();
    }
    // A label may stand before it: `tel:030 1234567`.
    (!joins(previous) || previous == Some(&b':')).then_some(plus)
}

/// Whether a character makes what stands beside it part of something longer.
fn joins(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"-_/.+#:@".contains(byte))
}

impl Number<'_> {
    fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    fn groups(&self) -> &[u8] {
        &self.groups[..self.group_count]
    }
}

/// In the groups of cards, of a known issuer, with a right check digit.
fn is_card(number: &Number<'_>, hints: Hints) -> bool {
    let is_grouped = matches!(number.groups(), [4, 4, 4, 4] | [4, 6, 4 | 5] | [4, 4, 4, 4, 3])
        && matches!(number.gap, Some(b' ' | b'-'));
    let is_bare = hints.card && number.group_count == 1;
    (is_grouped || is_bare) && !number.plus && is_issued(number.digits()) && is_luhn(number.digits())
}

fn is_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether a network of cards issues numbers that begin like this and are as long.
fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits
        .iter()
        .take(4)
        .fold(0_u32, |prefix, digit| prefix * 10 + u32::from(*digit));
    match (prefix, digits.len()) {
        // Visa.
        (4000..=4999, 13 | 16 | 19)
        // Mastercard.
        | (5100..=5599 | 2221..=2720, 16)
        // American Express.
        | (3400..=3499 | 3700..=3799, 15)
        // Diners Club.
        | (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19)
        // JCB, UnionPay, Discover.
        | (3528..=3589 | 6200..=6299 | 6011 | 6440..=6599, 16..=19)
        // Maestro.
        | (5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763, 13..=19) => true,
        _ => false,
    }
}

fn is_phone(number: &Number<'_>, hints: Hints) -> bool {
    if number.count > MOST_OF_PHONE {
        return false;
    }
    let groups = number.groups();
    if number.plus {
        // One point alone is that of a decimal number, unless what follows is too long for one.
        let is_decimal = number.gaps == 1 && number.gap == Some(b'.') && groups[1] < 9;
        return number.count >= 8 && number.digits[0] != 0 && !is_decimal;
    }
    if hints.phone && number.count >= FEWEST {
        return true;
    }
    let is_american = matches!(groups, [3, 3, 4] | [1, 3, 3, 4]) && (groups[0] == 3 || number.digits[0] == 1);
    is_american || is_national(number)
}

/// With the 0 that is dialled first inside a country, or the 00 to other countries.
fn is_national(number: &Number<'_>) -> bool {
    let is_parted = number.gaps > 0 && number.groups[0] >= 2;
    match number.digits {
        [0, 0, 1..=9, ..] => is_parted && number.count >= 11,
        [0, 1..=9, ..] => is_parted && (9..=12).contains(&number.count) && !is_date(number.text, number),
        _ => false,
    }
}

/// Days and months with two digits each, and a year.
fn is_date(text: &str, number: &Number<'_>) -> bool {
    let starts_with_date = matches!(number.groups(), [2, 2, 4, ..]);
    starts_with_date && !text[number.start..number.end].starts_with("0 ")
}

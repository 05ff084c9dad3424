//! Looking through a text. Most texts are ids, so a first pass over the bytes says what can't be there at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Hints, Kind, digits, iban};

/// What a byte may be part of, as bits.
mod class {
    pub(super) const AT: u8 = 1;
    pub(super) const DOT: u8 = 2;
    pub(super) const COLON: u8 = 4;
    pub(super) const LETTER: u8 = 8;
    pub(super) const DIGIT: u8 = 16;
}

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'@' => class::AT,
            b'.' => class::DOT,
            b':' => class::COLON,
            b'a'..=b'z' | b'A'..=b'Z' => class::LETTER,
            b'0'..=b'9' => class::DIGIT,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// The first personal data in a text, by kind, that is not allowed.
pub(super) fn find(text: &str, key: &str, is_allowed: &dyn Fn(&str) -> bool) -> Option<Kind> {
    let bytes = text.as_bytes();
    let (mut seen, mut digits) = (0, 0);
    for byte in bytes {
        let class = CLASSES[usize::from(*byte)];
        seen |= class;
        digits += usize::from(class >> 4);
    }
    let has = |classes: u8| seen & classes == classes;
    let counts = |(start, end)| text.get(start..end).is_some_and(|piece| !is_allowed(piece));
    if has(class::AT | class::DOT) && emails(text).any(counts) {
        return Some(Kind::Email);
    }
    if has(class::LETTER) && digits >= 4 && bytes.len() >= iban::SHORTEST && iban::all(bytes).any(counts) {
        return Some(Kind::Iban);
    }
    if digits >= digits::FEWEST
        && let Some(kind) = digits::find(text, key, is_allowed)
    {
        return Some(kind);
    }
    if has(class::DOT) && digits >= 4 && ipv4(text).any(counts) && !Hints::of(key).version {
        return Some(Kind::Ip);
    }
    if has(class::COLON) && ipv6(text).any(counts) {
        return Some(Kind::Ip);
    }
    None
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

/// Addresses with a dot in their domain, and a last label of letters.
fn emails(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let is_local = |byte: &u8| is_word(Some(byte)) || b".!#$%&'*+-=?^_`{|}~".contains(byte);
    let is_domain = |byte: &u8| is_word(Some(byte)) || matches!(byte, b'.' | b'-');
    let at_signs = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@');
    at_signs.filter_map(move |(at, _)| {
        let local = bytes[..at].iter().rev().take_while(|byte| is_local(byte)).count();
        let domain = bytes[at + 1..].iter().take_while(|byte| is_domain(byte)).count();
        let name = &bytes[at + 1..at + 1 + domain];
        // A full stop or a hyphen after an address is not part of it.
        let trimmed = name.iter().rposition(|byte| is_word(Some(byte)))? + 1;
        let name = &name[..trimmed];
        let last = name.rsplit(|byte| *byte == b'.').next()?;
        let is_name = last.len() >= 2
            && last.len() < name.len()
            && (last.iter().all(|byte| !byte.is_ascii_digit() && *byte != b'-') || last.starts_with(b"xn--"))
            && name.split(|byte| *byte == b'.').all(|label| !label.is_empty());
        (local > 0 && is_word(bytes[at - local..at].iter().find(|byte| is_word(Some(byte)))) && is_name)
            .then_some((at - local, at + 1 + trimmed))
    })
}

/// Four numbers up to 255. Those that mean no machine in particular, and what is part of something longer, are not.
fn ipv4(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    runs(bytes, part).filter(move |(start, end)| {
        let before = start.checked_sub(1).map(|at| &bytes[at]);
        let after = bytes.get(*end);
        let goes_on = |byte: Option<&u8>| is_word(byte) || byte.is_some_and(|byte| b"-_+".contains(byte));
        !goes_on(before)
            && !goes_on(after)
            && text[*start..*end]
                .trim_end_matches('.')
                .parse()
                .is_ok_and(|address| is_somebody(IpAddr::V4(address)))
    })
}

fn ipv6(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    runs(bytes, part).filter(move |(start, end)| {
        let piece = &text[*start..*end];
        let before = start.checked_sub(1).map(|at| &bytes[at]);
        if is_word(before) || is_word(bytes.get(*end)) || piece.matches(':').count() < 2 {
            return false;
        }
        // Hardware addresses of eight bytes.
        let is_hardware = piece.split(':').all(|group| group.len() == 2);
        !is_hardware
            && piece
                .trim_end_matches(':')
                .parse()
                .is_ok_and(|address| is_somebody(IpAddr::V6(address)))
    })
}

fn is_somebody(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !address.is_loopback() && address.octets()[0] != 0 && address != Ipv4Addr::BROADCAST
        }
        IpAddr::V6(address) => is_assigned(address),
    }
}

/// Of the addresses that machines have: global, local to a site, or local to a link.
fn is_assigned(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    (0x2000..0x4000).contains(&first)
        || (0xfc00..0xfe00).contains(&first)
        || (0xfe80..0xfec0).contains(&first)
}

/// The longest stretches of such bytes.
fn runs(bytes: &[u8], part: impl Fn(&u8) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + bytes[from..].iter().position(&part)?;
        let length = bytes[start..].iter().take_while(|byte| part(byte)).count();
        from = start + length;
        Some((start, from))
    })
}

//! IBANs: a country, its length, and a remainder of 1 modulo 97 (ISO 13616).

/// The fewest characters of one.
pub(super) const SHORTEST: usize = 15;
const LONGEST: usize = 34;

/// How long an IBAN is, by country, as the registry has it.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Where IBANs stand: in one piece with large letters, or in groups of four with letters of any size.
pub(super) fn all(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let starts = |at: usize| {
        bytes[at].is_ascii_alphabetic()
            && bytes[at + 1].is_ascii_alphabetic()
            && bytes[at + 2].is_ascii_digit()
            && bytes[at + 3].is_ascii_digit()
            && !(at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] >= 0x80))
    };
    let last = bytes.len().saturating_sub(SHORTEST - 1);
    (0..last)
        .filter(move |at| starts(*at))
        .filter_map(move |start| Some((start, start + length_at(&bytes[start..])?)))
}

/// How many bytes of a text, from its beginning, are an IBAN.
fn length_at(bytes: &[u8]) -> Option<usize> {
    let [first, second, _, _, fifth, ..] = *bytes else {
        return None;
    };
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let length = LENGTHS.iter().find(|(code, _)| **code == country)?.1;
    let gap = Some(fifth).filter(|byte| matches!(byte, b' ' | b'-'));
    let mut compact = [0; LONGEST];
    let (mut count, mut at) = (0, 0);
    while count < length {
        if let Some(gap) = gap
            && count > 0
            && count % 4 == 0
        {
            (bytes.get(at) == Some(&gap)).then_some(())?;
            at += 1;
        }
        let byte = *bytes.get(at)?;
        let belongs = byte.is_ascii_digit()
            || byte.is_ascii_uppercase()
            || (gap.is_some() && byte.is_ascii_lowercase());
        belongs.then_some(())?;
        compact[count] = byte.to_ascii_uppercase();
        count += 1;
        at += 1;
    }
    let ends = !bytes
        .get(at)
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    (ends && is_checked(&compact[..length])).then_some(at)
}

fn is_checked(compact: &[u8]) -> bool {
    let (head, rest) = compact.split_at(4);
    let remainder = rest.iter().chain(head).fold(0_u32, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        letter => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    remainder == 1
}

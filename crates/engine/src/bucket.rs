//! Where an identity falls between 0 and 100 %.

use smallvec::SmallVec;

use crate::md5::{self, LANES};

/// Holds the text that is hashed; longer texts spill to the heap.
type Text = SmallVec<[u8; 128]>;

/// The percentage, 0 ≤ p < 100, of `key` (a feature state's or a segment's) and `id` (an identity's).
///
/// It is the MD5 of `key,id` as a 128-bit number, modulo 9999, over 9998, in hundredths; division before
/// multiplication, for the last bit to agree with the reference implementation.
pub(crate) fn percentage(key: &str, id: &str) -> f64 {
    percentage_of(md5::digest(&text(key, id)), key, id)
}

/// [`percentage`] of several keys for one id, hashed side by side.
pub(crate) fn percentages(keys: &[&str; LANES], id: &str) -> [f64; LANES] {
    let mut blocks = [[0; 16]; LANES];
    for (block, key) in blocks.iter_mut().zip(keys) {
        let Some(padded) = md5::pad([key.as_bytes(), b",", id.as_bytes()]) else {
            return keys.map(|key| percentage(key, id));
        };
        *block = padded;
    }
    let digests = md5::digests(&blocks);
    std::array::from_fn(|lane| percentage_of(digests[lane], keys[lane], id))
}

fn percentage_of(digest: (u64, u64), key: &str, id: &str) -> f64 {
    match remainder(digest) {
        9998 => repeated(key, id),
        remainder => in_percent(remainder),
    }
}

fn text(key: &str, id: &str) -> Text {
    let mut text = Text::new();
    text.extend_from_slice(key.as_bytes());
    text.push(b',');
    text.extend_from_slice(id.as_bytes());
    text
}

/// The digest modulo 9999, in 64-bit steps: a 128-bit division costs half as much as the digest itself.
fn remainder((high, low): (u64, u64)) -> u64 {
    const HALF: u64 = ((1_u128 << 64) % 9999) as u64;
    (high % 9999 * HALF + low % 9999) % 9999
}

fn in_percent(remainder: u64) -> f64 {
    remainder as f64 / 9998.0 * 100.0
}

/// A remainder of 9998 would be 100 %, so both ids are written once more and hashed again.
#[cold]
fn repeated(key: &str, id: &str) -> f64 {
    let once = text(key, id);
    let mut text = once.clone();
    loop {
        text.push(b',');
        text.extend_from_slice(&once);
        match remainder(md5::digest(&text)) {
            9998 => {}
            remainder => return in_percent(remainder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "the last bit decides who is in a bucket")]
    fn percentages_are_those_of_the_reference_implementation() {
        for (key, id, percent) in [
            ("1", "2", 26.595_319_063_812_76),
            ("78986", "32103813", 49.279_855_971_194_24),
            ("12", "93", 27.655_531_106_221_243),
            ("é", "x", 27.295_459_091_818_365),
            ("12", "18753", 53.890_778_155_631_125),
            ("12", "19707", 96.559_311_862_372_48),
            ("12", "24574", 75.625_125_025_005),
        ] {
            assert_eq!(percentage(key, id), percent, "{key},{id}");
            assert_eq!(percentages(&[key; LANES], id), [percent; LANES], "{key},{id}");
        }
        let long = "x".repeat(60);
        let mixed = percentages(&["1", &long, "1", "1", "1", "1", "1", &long], "2");
        assert_eq!(
            (mixed[0], mixed[7]),
            (percentage("1", "2"), percentage(&long, "2"))
        );
    }
}

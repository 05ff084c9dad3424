//! MD5 over several messages at once, for bucketing only: it spreads identities, it secures nothing.
//!
//! Eight messages in vector registers take as long as two or three one after the other. The round constants are
//! those of RFC 1321.

#![expect(
    clippy::inline_always,
    reason = "a call per step would cost more than the step, and hide the vectors"
)]

use std::ops::{BitAnd, BitOr, BitXor, Not};

use wide::u32x8;

/// Messages hashed side by side.
pub(crate) const LANES: usize = 8;

/// Bytes of message that fit one block beside the padding and the length.
pub(crate) const SINGLE_BLOCK: usize = 55;

/// One padded block as sixteen little-endian words.
pub(crate) type Block = [u32; 16];

const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// A word of the state: of one message, or of several side by side.
trait Word:
    Copy + Not<Output = Self> + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self>
{
    fn all(word: u32) -> Self;
    fn plus(self, other: Self) -> Self;
    fn rotate<const SHIFT: u32>(self) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn all(word: u32) -> Self {
        word
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn rotate<const SHIFT: u32>(self) -> Self {
        self.rotate_left(SHIFT)
    }
}

impl Word for u32x8 {
    #[inline(always)]
    fn all(word: u32) -> Self {
        Self::splat(word)
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn rotate<const SHIFT: u32>(self) -> Self {
        (self << SHIFT) | (self >> (32 - SHIFT))
    }
}

/// Mixes a block into the state.
#[inline(always)]
fn compress<W: Word>(state: &mut [W; 4], block: &[W; 16]) {
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! round {
        ($round:literal, $stride:literal, $offset:literal, $mix:expr) => {
            round!($round, $stride, $offset, $mix; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
        };
        ($round:literal, $stride:literal, $offset:literal, $mix:expr; $($step:literal)*) => { $(
            let word = block[($step * $stride + $offset) % 16].plus(W::all(SINES[$round * 16 + $step]));
            let sum = a.plus($mix(b, c, d)).plus(word);
            let next = sum.rotate::<{ SHIFTS[$round][$step % 4] }>().plus(b);
            (a, d, c, b) = (d, c, b, next);
        )* };
    }
    round!(0, 1, 0, |x: W, y: W, z: W| z ^ (x & (y ^ z)));
    round!(1, 5, 1, |x: W, y: W, z: W| y ^ (z & (x ^ y)));
    round!(2, 3, 5, |x: W, y: W, z: W| x ^ y ^ z);
    round!(3, 7, 0, |x: W, y: W, z: W| y ^ (x | !z));
    for (word, mixed) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.plus(mixed);
    }
}

/// The digest of one message, of any length, as a big-endian integer in two halves.
pub(crate) fn digest(message: &[u8]) -> (u64, u64) {
    let mut state = START;
    let (blocks, rest) = message.as_chunks::<64>();
    for block in blocks {
        compress(&mut state, &words(block));
    }
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    if rest.len() > SINGLE_BLOCK {
        compress(&mut state, &words(&last));
        last = [0; 64];
    }
    last[56..].copy_from_slice(&(message.len() as u64).wrapping_mul(8).to_le_bytes());
    compress(&mut state, &words(&last));
    halves(state)
}

/// The digests of messages that [`pad`] has made into one block each.
pub(crate) fn digests(blocks: &[Block; LANES]) -> [(u64, u64); LANES] {
    let mut state = START.map(u32x8::splat);
    let block = std::array::from_fn(|word| u32x8::new(std::array::from_fn(|lane| blocks[lane][word])));
    compress(&mut state, &block);
    let state = state.map(u32x8::to_array);
    std::array::from_fn(|lane| halves(std::array::from_fn(|word| state[word][lane])))
}

/// A message of at most [`SINGLE_BLOCK`] bytes as its only block; `None` if it is longer. The message is the three
/// parts one after the other.
pub(crate) fn pad([first, second, third]: [&[u8]; 3]) -> Option<Block> {
    let length = first.len() + second.len() + third.len();
    if length > SINGLE_BLOCK {
        return None;
    }
    let mut block = [0; 64];
    block[..first.len()].copy_from_slice(first);
    block[first.len()..][..second.len()].copy_from_slice(second);
    block[first.len() + second.len()..][..third.len()].copy_from_slice(third);
    block[length] = 0x80;
    block[56..].copy_from_slice(&(length as u64 * 8).to_le_bytes());
    Some(words(&block))
}

fn words(block: &[u8; 64]) -> Block {
    let (words, _) = block.as_chunks::<4>();
    std::array::from_fn(|index| u32::from_le_bytes(words[index]))
}

/// The digest is the state in little-endian bytes; read as a big-endian number, every word turns around.
fn halves(state: [u32; 4]) -> (u64, u64) {
    let [a, b, c, d] = state.map(|word| u64::from(word.swap_bytes()));
    (a << 32 | b, c << 32 | d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest as _, Md5};

    fn expected(message: &[u8]) -> (u64, u64) {
        let number = u128::from_be_bytes(Md5::digest(message).into());
        ((number >> 64) as u64, number as u64)
    }

    #[test]
    fn digests_of_every_length_agree_with_the_md5_crate() {
        let message: Vec<u8> = (0..300_u32).map(|n| (n * 7) as u8).collect();
        for length in 0..=message.len() {
            let message = &message[..length];
            assert_eq!(digest(message), expected(message), "length {length}");
            assert_eq!(pad([message, b"", b""]).is_some(), length <= SINGLE_BLOCK);
            assert_eq!(pad([b"", message, b""]), pad([message, b"", b""]));
            if let Some(block) = pad([message, b"", b""]) {
                assert_eq!(digests(&[block; LANES]), [expected(message); LANES]);
            }
        }
    }

    #[test]
    fn lanes_do_not_mix() {
        let messages: [Vec<u8>; 8] = std::array::from_fn(|lane| vec![lane as u8; lane * 7]);
        let blocks: [Block; 8] = std::array::from_fn(|lane| pad([&messages[lane], b"", b""]).unwrap());
        assert_eq!(
            digests(&blocks),
            std::array::from_fn(|lane| expected(&messages[lane]))
        );
    }
}

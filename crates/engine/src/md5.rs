//! MD5 over several messages at once, for bucketing only: it spreads identities, it secures nothing.
//!
//! The loops over lanes are plain array code that the compiler turns into vector instructions; a message alone
//! takes one lane. The round constants are those of RFC 1321.

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

/// Mixes one block of each lane into that lane's state.
fn compress<const LANES: usize>(state: &mut [[u32; LANES]; 4], block: &[[u32; LANES]; 16]) {
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! round {
        ($round:literal, $mix:expr, $word:expr) => {
            for step in 0..16 {
                let word = &block[$word(step) % 16];
                let (sine, shift) = (SINES[$round * 16 + step], SHIFTS[$round][step % 4]);
                let mut next = [0; LANES];
                for lane in 0..LANES {
                    let mixed: u32 = $mix(b[lane], c[lane], d[lane]);
                    let sum = a[lane]
                        .wrapping_add(mixed)
                        .wrapping_add(word[lane])
                        .wrapping_add(sine);
                    next[lane] = b[lane].wrapping_add(sum.rotate_left(shift));
                }
                (a, d, c, b) = (d, c, b, next);
            }
        };
    }
    round!(0, |x: u32, y: u32, z: u32| z ^ (x & (y ^ z)), |step: usize| step);
    round!(1, |x: u32, y: u32, z: u32| y ^ (z & (x ^ y)), |step: usize| step
        * 5
        + 1);
    round!(2, |x: u32, y: u32, z: u32| x ^ y ^ z, |step: usize| step * 3 + 5);
    round!(3, |x: u32, y: u32, z: u32| y ^ (x | !z), |step: usize| step * 7);
    for lane in 0..LANES {
        state[0][lane] = state[0][lane].wrapping_add(a[lane]);
        state[1][lane] = state[1][lane].wrapping_add(b[lane]);
        state[2][lane] = state[2][lane].wrapping_add(c[lane]);
        state[3][lane] = state[3][lane].wrapping_add(d[lane]);
    }
}

/// The digest of one message, of any length, as a big-endian integer in two halves.
pub(crate) fn digest(message: &[u8]) -> (u64, u64) {
    let mut state = START.map(|word| [word]);
    let (blocks, rest) = message.as_chunks::<64>();
    for block in blocks {
        compress(&mut state, &words(block).map(|word| [word]));
    }
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    if rest.len() > SINGLE_BLOCK {
        compress(&mut state, &words(&last).map(|word| [word]));
        last = [0; 64];
    }
    last[56..].copy_from_slice(&(message.len() as u64).wrapping_mul(8).to_le_bytes());
    compress(&mut state, &words(&last).map(|word| [word]));
    halves(state.map(|[word]| word))
}

/// The digests of `LANES` messages that [`pad`] has made into one block each.
pub(crate) fn digests<const LANES: usize>(blocks: &[Block; LANES]) -> [(u64, u64); LANES] {
    let mut state = START.map(|word| [word; LANES]);
    let block = std::array::from_fn(|word| std::array::from_fn(|lane| blocks[lane][word]));
    compress(&mut state, &block);
    std::array::from_fn(|lane| halves(std::array::from_fn(|word| state[word][lane])))
}

/// A message of at most [`SINGLE_BLOCK`] bytes as its only block; `None` if it is longer.
pub(crate) fn pad(message: &[u8]) -> Option<Block> {
    let mut block = [0; 64];
    block.get_mut(..message.len())?.copy_from_slice(message);
    if message.len() > SINGLE_BLOCK {
        return None;
    }
    block[message.len()] = 0x80;
    block[56..].copy_from_slice(&(message.len() as u64 * 8).to_le_bytes());
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
            assert_eq!(pad(message).is_some(), length <= SINGLE_BLOCK);
            if let Some(block) = pad(message) {
                assert_eq!(digests(&[block]), [expected(message)]);
            }
        }
    }

    #[test]
    fn lanes_do_not_mix() {
        let messages: [Vec<u8>; 8] = std::array::from_fn(|lane| vec![lane as u8; lane * 7]);
        let blocks: [Block; 8] = std::array::from_fn(|lane| pad(&messages[lane]).unwrap());
        assert_eq!(
            digests(&blocks),
            std::array::from_fn(|lane| expected(&messages[lane]))
        );
    }
}

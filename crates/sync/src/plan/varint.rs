//! Small numbers in few bytes: seven bits each, the lowest first.

/// Appends a number.
pub(super) fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads the number at `at` and moves on; `None` when the bytes end before it does, or it is too large.
pub(super) fn read(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if shift == 63 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers: Vec<u64>) {
            let mut bytes = Vec::new();
            for number in &numbers {
                super::write(&mut bytes, *number);
            }
            let mut at = 0;
            for number in &numbers {
                prop_assert_eq!(super::read(&bytes, &mut at), Some(*number));
            }
            prop_assert_eq!(super::read(&bytes, &mut at), None);
        }
    }
}

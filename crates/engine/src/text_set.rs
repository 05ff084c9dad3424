//! A read-only set of texts: one allocation for all of them and a probe table of indices.
//!
//! A list of 1,000 values costs its text plus some 12 bytes a value, less than half of what a hash set of
//! owned strings takes, and compiles with three allocations.

/// An open-addressing hash set over texts stored end to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextSet {
    text: Box<str>,
    /// Where each text ends; it begins where its predecessor ends.
    ends: Box<[u32]>,
    /// Index + 1 of the text in each bucket; 0 is empty. The length is a power of two, at least twice the texts.
    table: Box<[u32]>,
}

impl TextSet {
    /// Builds the set; later repeats of a text are dropped. The index of a text is its place among the rest.
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let texts: Vec<&str> = texts.into_iter().collect();
        let mut set = Self {
            text: String::new().into(),
            ends: Box::default(),
            table: vec![0; (texts.len() * 2).next_power_of_two().max(2)].into(),
        };
        let mut text = String::with_capacity(texts.iter().map(|text| text.len()).sum());
        let mut ends: Vec<u32> = Vec::with_capacity(texts.len());
        let mask = set.table.len() - 1;
        'texts: for candidate in texts {
            let mut bucket = hash(candidate.as_bytes()) as usize & mask;
            while set.table[bucket] != 0 {
                let index = set.table[bucket] as usize - 1;
                let start = if index == 0 { 0 } else { ends[index - 1] as usize };
                if &text[start..ends[index] as usize] == candidate {
                    continue 'texts;
                }
                bucket = (bucket + 1) & mask;
            }
            text.push_str(candidate);
            ends.push(text.len() as u32);
            set.table[bucket] = ends.len() as u32;
        }
        set.text = text.into();
        set.ends = ends.into();
        set
    }

    /// The index of `text`, in the order of insertion.
    pub(crate) fn position(&self, text: &str) -> Option<usize> {
        if self.ends.is_empty() {
            return None;
        }
        let mask = self.table.len() - 1;
        let mut bucket = hash(text.as_bytes()) as usize & mask;
        loop {
            let index = (self.table[bucket] as usize).checked_sub(1)?;
            if self.get(index) == Some(text) {
                return Some(index);
            }
            bucket = (bucket + 1) & mask;
        }
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.position(text).is_some()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 {
            0
        } else {
            self.ends[index - 1] as usize
        };
        self.text.get(start..end)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|index| self.get(index))
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// A fast hash. Only administrators choose what is in a set, so it need not resist floods.
fn hash(bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = (state.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        state = (state.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    state ^ (state >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_found_at_its_index_and_no_other_is() {
        let texts: Vec<String> = (0..2000).map(|n| format!("user-{n}")).collect();
        let set = TextSet::new(texts.iter().map(String::as_str).chain(["user-7", ""]));
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(set.position(text), Some(index));
        }
        assert_eq!(set.position(""), Some(2000));
        assert_eq!(set.len(), 2001);
        assert!(!set.contains("user-2000"));
        assert!(!TextSet::new([]).contains(""));
        assert!(!TextSet::default().contains("a"));
    }
}

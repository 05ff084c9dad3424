//! A set of members of a list, by the tens of millions: a hash of each in memory, and nothing else of them.
//!
//! A member is known by 64 bits. That somebody who is in no list of ten million is taken for a member has a chance of
//! 1 in 10¹², and his identifier must be made for it: identifiers are told by the application, which might as well tell
//! that of a member. In return ten million members take 90 MB, and looking one up is two reads of memory.
//!
//! A set is never changed. [`MemberSet::with`] makes the next one, which shares what is the same.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

/// How a member is known. Stored lists are in the order of it: the function and the order are never to change.
pub fn member_hash(member: &str) -> i64 {
    xxh3_64(member.as_bytes()) as i64
}

/// Edits that are kept beside the sorted hashes, at least; beyond it, one in so many members.
const FEW_EDITS: usize = 1_024;
const EDITS_SHARE: usize = 64;
/// Hashes in a bucket of the index, about.
const BUCKET: u64 = 4;

/// A set of member hashes.
#[derive(Debug, Clone, Default)]
pub struct MemberSet {
    base: Arc<Sorted>,
    /// In order, and not in the base.
    added: Arc<[i64]>,
    /// In order, and in the base.
    removed: Arc<[i64]>,
}

/// Hashes in ascending order, with an index by their first bits.
#[derive(Debug, Default)]
struct Sorted {
    hashes: Box<[i64]>,
    /// Where the hashes of each bucket begin, and at the end their number.
    starts: Box<[u32]>,
    /// How many bits a hash has behind those that number its bucket.
    shift: u32,
}

impl MemberSet {
    /// A set of hashes in ascending order; repeats are dropped.
    pub fn from_sorted(mut hashes: Vec<i64>) -> Self {
        hashes.dedup();
        Self {
            base: Arc::new(Sorted::new(hashes)),
            ..Self::default()
        }
    }

    /// Whether the member with this hash is in the set.
    pub fn contains(&self, hash: i64) -> bool {
        if self.base.contains(hash) {
            self.removed.is_empty() || self.removed.binary_search(&hash).is_err()
        } else {
            !self.added.is_empty() && self.added.binary_search(&hash).is_ok()
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.base.hashes.len() + self.added.len() - self.removed.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set after these edits: each a hash and whether it is in from now on. Of several for one hash the last counts.
    #[must_use]
    pub fn with(&self, edits: &[(i64, bool)]) -> Self {
        let mut edits = edits.to_vec();
        // Stable, so that the last of several stays the last.
        edits.sort_by_key(|(hash, _)| *hash);
        let edits: Vec<(i64, bool)> = edits
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|same| same.last().copied())
            .collect();
        let touched = |hash: &i64| edits.binary_search_by_key(hash, |(edited, _)| *edited).is_ok();
        let kept =
            |side: &[i64]| -> Vec<i64> { side.iter().copied().filter(|hash| !touched(hash)).collect() };
        let (mut added, mut removed) = (kept(&self.added), kept(&self.removed));
        for (hash, present) in &edits {
            match (self.base.contains(*hash), present) {
                (false, true) => added.push(*hash),
                (true, false) => removed.push(*hash),
                _ => {}
            }
        }
        added.sort_unstable();
        removed.sort_unstable();
        let next = Self {
            base: self.base.clone(),
            added: added.into(),
            removed: removed.into(),
        };
        if next.added.len() + next.removed.len() > FEW_EDITS.max(next.base.hashes.len() / EDITS_SHARE) {
            Self::from_sorted(next.iter().collect())
        } else {
            next
        }
    }

    /// The hashes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        let (mut added, mut removed) = (self.added.iter().peekable(), self.removed.iter().peekable());
        let mut base = self.base.hashes.iter().peekable();
        std::iter::from_fn(move || {
            loop {
                let next = match (base.peek(), added.peek()) {
                    (Some(own), Some(new)) if new < own => return added.next().copied(),
                    (None, _) => return added.next().copied(),
                    (Some(own), _) => **own,
                };
                base.next();
                if removed.peek().is_none_or(|gone| **gone != next) {
                    return Some(next);
                }
                removed.next();
            }
        })
    }
}

impl Sorted {
    fn new(hashes: Vec<i64>) -> Self {
        let buckets = (hashes.len() as u64 / BUCKET).next_power_of_two();
        let shift = u64::BITS - buckets.trailing_zeros();
        let mut sorted = Self {
            hashes: hashes.into_boxed_slice(),
            starts: Box::default(),
            shift,
        };
        let mut starts = Vec::with_capacity(buckets as usize + 1);
        let mut at = 0;
        for bucket in 0..buckets as usize {
            while at < sorted.hashes.len() && sorted.bucket(sorted.hashes[at]) < bucket {
                at += 1;
            }
            starts.push(at as u32);
        }
        starts.push(sorted.hashes.len() as u32);
        sorted.starts = starts.into_boxed_slice();
        sorted
    }

    /// The first bits, as they stand in the order of signed numbers.
    fn bucket(&self, hash: i64) -> usize {
        let ordered = hash as u64 ^ (1 << 63);
        ordered.checked_shr(self.shift).unwrap_or_default() as usize
    }

    fn contains(&self, hash: i64) -> bool {
        let bucket = self.bucket(hash);
        let (Some(start), Some(end)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else {
            return false;
        };
        self.hashes[*start as usize..*end as usize].contains(&hash)
    }
}

/// Where somebody stands towards a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Membership {
    /// The list says nothing of him: rules decide.
    #[default]
    Unlisted,
    Included,
    Excluded,
}

/// What lists say of somebody: given to an evaluation by whoever holds the lists. It is asked only for lists that may
/// make a difference.
pub trait Memberships: std::fmt::Debug + Sync {
    /// By the index of the list in [`Definition::lists`](crate::Definition::lists).
    fn membership(&self, list: usize) -> Membership;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn hashes(members: std::ops::Range<u32>) -> Vec<i64> {
        let mut hashes: Vec<i64> = members.map(|n| member_hash(&format!("user-{n}"))).collect();
        hashes.sort_unstable();
        hashes
    }

    #[test]
    fn members_are_known_by_hashes_that_never_change() {
        assert_eq!(member_hash("user-1"), 8_968_379_626_967_066_057);
        assert_eq!(member_hash(""), 3_244_421_341_483_603_138);
    }

    #[test]
    fn every_member_is_found_and_nobody_else() {
        for size in [0, 1, 2, 3, 100, 5_000] {
            let set = MemberSet::from_sorted(hashes(0..size));
            assert_eq!(set.len(), size as usize);
            assert!((0..size).all(|n| set.contains(member_hash(&format!("user-{n}")))));
            assert!((size..size + 1000).all(|n| !set.contains(member_hash(&format!("user-{n}")))));
        }
        let edges = MemberSet::from_sorted(vec![i64::MIN, -1, 0, 1, i64::MAX]);
        assert!(
            [i64::MIN, -1, 0, 1, i64::MAX]
                .into_iter()
                .all(|hash| edges.contains(hash))
        );
        assert!(!edges.contains(2) && !edges.contains(i64::MIN + 1));
    }

    #[test]
    fn edits_lead_to_the_set_that_a_plain_set_would_be() {
        let mut set = MemberSet::from_sorted(hashes(0..2_000));
        let mut model: BTreeSet<i64> = hashes(0..2_000).into_iter().collect();
        for round in 0..40_u32 {
            let edits: Vec<(i64, bool)> = (0..300)
                .map(|n| (round * 7_919 + n * 104_729) % 4_000)
                .map(|n| (member_hash(&format!("user-{n}")), (n + round) % 3 != 0))
                .collect();
            for (hash, present) in &edits {
                if *present {
                    model.insert(*hash);
                } else {
                    model.remove(hash);
                }
            }
            set = set.with(&edits);
            assert_eq!(set.len(), model.len());
            assert!(set.iter().eq(model.iter().copied()));
            assert!(
                hashes(0..4_000)
                    .into_iter()
                    .all(|hash| set.contains(hash) == model.contains(&hash))
            );
        }
    }

    #[test]
    fn of_several_edits_of_one_member_the_last_counts() {
        let set = MemberSet::default().with(&[(5, true), (5, false), (7, false), (7, true)]);
        assert!(set.iter().eq([7]));
    }
}

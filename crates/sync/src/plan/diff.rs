//! The difference between what a model says and what a destination has acknowledged, one part at a time.

use std::collections::HashSet;

use super::block::{BadBlock, BlockReader, BlockWriter};
use super::ops::{self, Op, OpKind};
use super::spool::{SortedRows, SpooledRow};

/// What a sync does with the rows of its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Rows become identities with traits; rows that leave the model are left alone.
    Upsert,
    /// Keys of the model become members; keys that leave it stay members.
    Add,
    /// Keys of the model stop being members.
    Remove,
    /// The members are the keys of the model: others that this sync added are removed.
    Mirror,
}

impl Mode {
    fn arrival(self) -> OpKind {
        match self {
            Self::Remove => OpKind::Remove,
            Self::Upsert | Self::Add | Self::Mirror => OpKind::Add,
        }
    }

    fn departure(self) -> OpKind {
        match self {
            Self::Mirror => OpKind::Remove,
            Self::Upsert | Self::Add | Self::Remove => OpKind::Forget,
        }
    }
}

/// What the model is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// What the destination has acknowledged in earlier runs.
    Acknowledged,
    /// The members as they are now.
    Live {
        /// Those of this part that earlier runs of this sync added.
        managed: HashSet<String>,
        /// Whether a mirror leaves the others alone.
        managed_only: bool,
    },
}

impl Basis {
    fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }
}

/// What a plan amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Rows the source gave.
    pub rows: u64,
    /// Rows that can't be sent: no key, a key or value too long.
    pub invalid: u64,
    /// Rows beyond the first of their key, with the same values.
    pub duplicates: u64,
    /// Keys that came several times with different values: left as they are at the destination.
    pub conflicts: u64,
    pub adds: u64,
    pub updates: u64,
    pub removes: u64,
    pub unchanged: u64,
    /// Keys only forgotten; nothing is sent for them.
    pub forgotten: u64,
    /// Keys the destination had acknowledged before this run.
    pub acknowledged: u64,
}

impl Counts {
    /// How many operations are to be sent.
    pub fn to_send(&self) -> u64 {
        self.adds + self.updates + self.removes
    }

    /// Counts of two parts, together.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.invalid += other.invalid;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.adds += other.adds;
        self.updates += other.updates;
        self.removes += other.removes;
        self.unchanged += other.unchanged;
        self.forgotten += other.forgotten;
        self.acknowledged += other.acknowledged;
    }
}

/// What one part comes to.
#[derive(Debug, Default)]
pub struct PartPlan {
    /// The operations, written down in the order of their keys.
    pub bytes: Vec<u8>,
    pub counts: Counts,
    /// Removals of members this sync did not add.
    pub foreign: u64,
    /// Keys that came with different values.
    pub conflicts: Vec<String>,
}

impl PartPlan {
    /// A key is known to the destination and not in the model.
    fn depart(&mut self, mode: Mode, basis: &Basis, key: &str, print: u64) {
        if let Basis::Live {
            managed,
            managed_only,
        } = basis
        {
            let ours = managed.contains(key);
            if mode != Mode::Mirror || (*managed_only && !ours) {
                return;
            }
            self.foreign += u64::from(!ours);
        }
        self.push(mode.departure(), left(key, print));
    }

    /// A key is in the model and not known to the destination.
    fn arrive(&mut self, mode: Mode, basis: &Basis, row: SpooledRow<'_>) {
        if mode == Mode::Remove && basis.is_live() {
            self.counts.unchanged += 1;
        } else {
            self.push(mode.arrival(), row);
        }
    }

    /// A key is in both.
    fn meet(&mut self, mode: Mode, basis: &Basis, print: u64, row: SpooledRow<'_>) {
        match basis {
            Basis::Live { .. } if mode == Mode::Remove => self.push(OpKind::Remove, row),
            Basis::Acknowledged if print != row.print => self.push(OpKind::Update, row),
            Basis::Live { .. } | Basis::Acknowledged => self.counts.unchanged += 1,
        }
    }

    fn push(&mut self, kind: OpKind, row: SpooledRow<'_>) {
        match kind {
            OpKind::Add => self.counts.adds += 1,
            OpKind::Update => self.counts.updates += 1,
            OpKind::Remove => self.counts.removes += 1,
            OpKind::Forget => self.counts.forgotten += 1,
        }
        ops::write(&mut self.bytes, kind, row.key, row.print, row.payload);
    }
}

/// Compares one part of the model with the same part of the acknowledged state.
///
/// A key that comes with different values, or in a row that can't be sent, counts as present, so that a mirror does not
/// remove it, but is not changed.
pub fn diff_part(
    mode: Mode,
    rows: &SortedRows,
    mut state: BlockReader,
    basis: &Basis,
) -> Result<PartPlan, BadBlock> {
    let mut plan = PartPlan::default();
    plan.counts.acknowledged = state.len();
    let mut known = next(&mut state)?;
    let mut index = 0;
    while let Some(row) = rows.get(index) {
        let group = group_of(rows, index);
        index += group.length;
        // Keys that were acknowledged and come before this one have left the model.
        while let Some((key, print)) = known.as_ref().filter(|(key, _)| key.as_str() < row.key) {
            plan.depart(mode, basis, key, *print);
            known = next(&mut state)?;
        }
        let before = match known.take() {
            Some((key, print)) if key == row.key => {
                known = next(&mut state)?;
                Some(print)
            }
            other => {
                known = other;
                None
            }
        };
        if !group.valid {
            continue;
        }
        if group.conflict {
            plan.counts.conflicts += 1;
            plan.conflicts.push(row.key.to_owned());
            continue;
        }
        plan.counts.duplicates += group.length as u64 - 1;
        match before {
            Some(print) => plan.meet(mode, basis, print, row),
            None => plan.arrive(mode, basis, row),
        }
    }
    while let Some((key, print)) = known {
        plan.depart(mode, basis, &key, print);
        known = next(&mut state)?;
    }
    Ok(plan)
}

fn next(state: &mut BlockReader) -> Result<Option<(String, u64)>, BadBlock> {
    Ok(state.next_entry()?.map(|(key, print)| (key.to_owned(), print)))
}

fn left(key: &str, print: u64) -> SpooledRow<'_> {
    SpooledRow {
        key,
        print,
        valid: true,
        payload: &[],
    }
}

/// The rows of one key.
struct Group {
    length: usize,
    conflict: bool,
    valid: bool,
}

fn group_of(rows: &SortedRows, start: usize) -> Group {
    let mut group = Group {
        length: 0,
        conflict: false,
        valid: true,
    };
    let first = rows.get(start);
    while let (Some(first), Some(row)) = (first, rows.get(start + group.length)) {
        if row.key != first.key {
            break;
        }
        group.conflict |= row.print != first.print;
        group.valid &= row.valid;
        group.length += 1;
    }
    group
}

/// The state after some operations were acknowledged: the block before, with those of `ops` that `confirmed` names.
///
/// In mode [`Mode::Remove`] the state is the set of keys whose removal was acknowledged.
pub fn apply(
    mode: Mode,
    block: &[u8],
    ops: &[Op],
    mut confirmed: impl FnMut(usize) -> bool,
) -> Result<BlockWriter, BadBlock> {
    let mut state = BlockReader::open(block)?;
    let mut after = BlockWriter::default();
    let mut known = next(&mut state)?;
    for (index, op) in ops.iter().enumerate() {
        while let Some((key, print)) = known.take_if(|(key, _)| *key < op.key) {
            after.push(&key, print);
            known = next(&mut state)?;
        }
        let before = known.take_if(|(key, _)| *key == op.key);
        if before.is_some() {
            known = next(&mut state)?;
        }
        let gone = op.kind == OpKind::Forget || (op.kind == OpKind::Remove && mode != Mode::Remove);
        if !confirmed(index) {
            if let Some((key, print)) = before {
                after.push(&key, print);
            }
        } else if !gone {
            after.push(&op.key, op.print);
        }
    }
    while let Some((key, print)) = known {
        after.push(&key, print);
        known = next(&mut state)?;
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::block::part_of;
    use super::super::spool::Spool;
    use super::*;

    fn block(state: &BTreeMap<String, u64>) -> Vec<u8> {
        let mut writer = BlockWriter::default();
        for (key, print) in state {
            writer.push(key, *print);
        }
        writer.finish().unwrap()
    }

    fn entries(block: &[u8]) -> BTreeMap<String, u64> {
        let mut reader = BlockReader::open(block).unwrap();
        let mut found = BTreeMap::new();
        while let Some((key, print)) = reader.next_entry().unwrap() {
            found.insert(key.to_owned(), print);
        }
        found
    }

    /// Everything in one part: the parts do not matter here.
    fn plan(mode: Mode, rows: &[(String, u64)], state: &BTreeMap<String, u64>) -> PartPlan {
        let mut by_part: BTreeMap<usize, Vec<&(String, u64)>> = BTreeMap::new();
        for row in rows {
            by_part.entry(part_of(&row.0)).or_default().push(row);
        }
        let mut whole = PartPlan::default();
        let parts: BTreeSet<usize> = by_part
            .keys()
            .copied()
            .chain(state.keys().map(|key| part_of(key)))
            .collect();
        for part in parts {
            let mut spool = Spool::default();
            for (key, print) in by_part.get(&part).into_iter().flatten() {
                spool
                    .push(SpooledRow {
                        key,
                        print: *print,
                        valid: true,
                        payload: b"{}",
                    })
                    .unwrap();
            }
            let state = state.iter().filter(|(key, _)| part_of(key) == part);
            let state = block(&state.map(|(key, print)| (key.clone(), *print)).collect());
            let one = diff_part(
                mode,
                &spool.take(part).unwrap(),
                BlockReader::open(&state).unwrap(),
                &Basis::Acknowledged,
            )
            .unwrap();
            whole.bytes.extend_from_slice(&one.bytes);
            whole.counts.add(&one.counts);
            whole.conflicts.extend(one.conflicts);
        }
        whole
    }

    fn names(plan: &PartPlan, kind: OpKind) -> BTreeSet<String> {
        let ops = ops::read_all(&plan.bytes).unwrap();
        ops.into_iter()
            .filter(|op| op.kind == kind)
            .map(|op| op.key)
            .collect()
    }

    fn set(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|&key| key.to_owned()).collect()
    }

    fn state(keys: &[(&str, u64)]) -> BTreeMap<String, u64> {
        keys.iter().map(|&(key, print)| (key.to_owned(), print)).collect()
    }

    fn rows(keys: &[(&str, u64)]) -> Vec<(String, u64)> {
        keys.iter().map(|&(key, print)| (key.to_owned(), print)).collect()
    }

    #[test]
    fn a_mirror_adds_changes_and_removes() {
        let plan = plan(
            Mode::Mirror,
            &rows(&[("new", 1), ("same", 1), ("changed", 2)]),
            &state(&[("same", 1), ("changed", 1), ("gone", 1)]),
        );
        assert_eq!(names(&plan, OpKind::Add), set(&["new"]));
        assert_eq!(names(&plan, OpKind::Update), set(&["changed"]));
        assert_eq!(names(&plan, OpKind::Remove), set(&["gone"]));
        assert_eq!((plan.counts.unchanged, plan.counts.acknowledged), (1, 3));
    }

    #[test]
    fn only_a_mirror_removes_what_left_the_model_and_only_what_was_acknowledged() {
        for mode in [Mode::Add, Mode::Upsert] {
            let plan = plan(mode, &rows(&[("a", 1)]), &state(&[("gone", 1)]));
            assert_eq!(names(&plan, OpKind::Forget), set(&["gone"]));
            assert_eq!(plan.counts.removes, 0);
        }
        let plan = plan(
            Mode::Remove,
            &rows(&[("a", 1), ("done", 1)]),
            &state(&[("done", 1)]),
        );
        assert_eq!(names(&plan, OpKind::Remove), set(&["a"]));
    }

    #[test]
    fn a_key_with_two_values_is_neither_changed_nor_removed() {
        let plan = plan(
            Mode::Mirror,
            &rows(&[("twice", 1), ("twice", 2), ("same", 5), ("same", 5)]),
            &state(&[("twice", 9)]),
        );
        assert_eq!(plan.conflicts, ["twice"]);
        assert_eq!((plan.counts.to_send(), plan.counts.duplicates), (1, 1));
        assert_eq!(names(&plan, OpKind::Add), set(&["same"]));
    }

    proptest! {
        /// Whatever part of a plan is acknowledged, planning again and acknowledging all leads to the model.
        #[test]
        fn any_interrupted_run_converges(
            model: BTreeMap<u8, u64>, before: BTreeMap<u8, u64>, accepted: Vec<bool>,
        ) {
            let name = |n: &u8| format!("user-{n}");
            let model: Vec<(String, u64)> = model.iter().map(|(n, print)| (name(n), *print)).collect();
            let mut state: BTreeMap<String, u64> = before.iter().map(|(n, print)| (name(n), *print)).collect();
            for round in 0..2 {
                let planned = plan(Mode::Mirror, &model, &state);
                let mut ops = ops::read_all(&planned.bytes).unwrap();
                ops.sort_by(|a, b| a.key.cmp(&b.key));
                let confirmed = |n: usize| round == 1 || accepted.get(n).copied().unwrap_or(false);
                let after = apply(Mode::Mirror, &block(&state), &ops, confirmed).unwrap();
                state = entries(&after.finish().unwrap());
            }
            prop_assert_eq!(&state, &model.iter().cloned().collect::<BTreeMap<_, _>>());
            prop_assert_eq!(plan(Mode::Mirror, &model, &state).counts.to_send(), 0);
        }
    }
}

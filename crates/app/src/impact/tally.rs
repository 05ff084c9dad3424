//! How identities answer before and after a change, counted.

use std::collections::HashMap;

use burgee_engine::{Outcome, VariantChoice};
use burgee_store::identities::Identity;
use rand::RngExt;
use serde_json::Value;

use super::Impact;
use super::estimate::{Basis, Count};
use super::proposal::Concerned;
use crate::sdk::evaluation::with_engine_identity;
use crate::sdk::identities::Identified;
use crate::served::{Rows, Snapshot};

/// Identities that are shown.
const SHOWN: usize = 20;
/// Answers, and changes of answers, of one feature that are listed.
const LISTED: usize = 50;

/// A feature or a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// None of a segment that is not there yet.
    pub id: Option<i64>,
    pub name: String,
}

/// What a flag answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub enabled: bool,
    pub value: Value,
    /// The variation's key, `control`, or nothing where there are no variations.
    pub variant: Option<String>,
}

/// How many get an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerCount {
    pub answer: Answer,
    pub before: Count,
    pub after: Count,
}

/// How many get another answer in place of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub before: Answer,
    pub after: Answer,
    pub identities: Count,
}

/// What becomes of a feature's answers.
#[derive(Debug, Clone)]
pub struct FeatureImpact {
    pub feature: Named,
    /// Identities that get another answer.
    pub changed: Count,
    /// Most frequent first; at most 50.
    pub answers: Vec<AnswerCount>,
    /// Most frequent first; at most 50.
    pub transitions: Vec<Transition>,
    /// Whether there are more answers than are listed.
    pub is_cut: bool,
}

/// What becomes of a segment's members.
#[derive(Debug, Clone)]
pub struct SegmentImpact {
    pub segment: Named,
    pub before: Count,
    pub after: Count,
    pub joining: Count,
    pub leaving: Count,
}

/// A feature that answers an identity differently.
#[derive(Debug, Clone)]
pub struct Difference {
    pub feature: Named,
    pub before: Answer,
    pub after: Answer,
}

/// An identity that would notice.
#[derive(Debug, Clone)]
pub struct Affected {
    pub id: i64,
    pub identifier: String,
    pub features: Vec<Difference>,
    pub joining: Vec<Named>,
    pub leaving: Vec<Named>,
}

/// Two states of an environment, and what of them is compared.
#[derive(Debug)]
pub(super) struct Comparison {
    before: Snapshot,
    after: Snapshot,
    features: Vec<ComparedFeature>,
    segments: Vec<ComparedSegment>,
}

#[derive(Debug)]
struct ComparedFeature {
    name: Named,
    before: usize,
    after: usize,
    /// Whether it is reported on even when nobody's answer changes.
    is_concerned: bool,
}

#[derive(Debug)]
struct ComparedSegment {
    name: Named,
    /// None when it is not there yet.
    before: Option<usize>,
    after: Option<usize>,
}

impl Comparison {
    /// Compiles both states. Takes a while where there is much in them.
    pub(super) fn new(before: &Rows, after: &Rows, concerned: &Concerned) -> Self {
        let (before, after) = (Snapshot::build(before), Snapshot::build(after));
        let places: HashMap<i64, usize> = after
            .features
            .iter()
            .enumerate()
            .map(|(place, feature)| (feature.id, place))
            .collect();
        let features = before.features.iter().enumerate().filter_map(|(place, feature)| {
            Some(ComparedFeature {
                name: Named {
                    id: Some(feature.id),
                    name: feature.name.clone(),
                },
                before: place,
                after: *places.get(&feature.id)?,
                is_concerned: concerned.features.contains(&feature.id),
            })
        });
        let position = |snapshot: &Snapshot, id| snapshot.segments.iter().position(|s| s.id == id);
        let segments = concerned.segments.iter().map(|id| {
            let (was, is) = (position(&before, *id), position(&after, *id));
            let name = is.map(|place| after.segments[place].name.clone());
            ComparedSegment {
                name: Named {
                    id: was.map(|_| *id),
                    name: name.unwrap_or_default(),
                },
                before: was,
                after: is,
            }
        });
        Self {
            features: features.collect(),
            segments: segments.collect(),
            before,
            after,
        }
    }
}

/// Answers of one feature, each with a number. What was seen once is found by state and variation, without comparing.
#[derive(Debug, Default)]
struct Answers {
    known: Vec<Answer>,
    /// By side, reference of the state and place of the variation.
    numbers: HashMap<(bool, i64, Option<usize>), u32>,
    /// How many had the first before and have the second after.
    pairs: HashMap<(u32, u32), u64>,
}

impl Answers {
    fn number(&mut self, is_after: bool, outcome: Outcome<'_>) -> u32 {
        let place = match outcome.choice() {
            VariantChoice::Variant { position, .. } => Some(position),
            // Of one state, identities get one of the two: there is always somebody to split by.
            VariantChoice::None | VariantChoice::Control => None,
        };
        let known = &mut self.known;
        *self
            .numbers
            .entry((is_after, outcome.reference(), place))
            .or_insert_with(|| {
                let answer = Answer {
                    enabled: outcome.enabled(),
                    value: outcome.value().clone(),
                    variant: outcome.variant().map(str::to_owned),
                };
                let number = known.iter().position(|one| *one == answer).unwrap_or_else(|| {
                    known.push(answer);
                    known.len() - 1
                });
                number as u32
            })
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Membership {
    before: u64,
    after: u64,
    joining: u64,
    leaving: u64,
}

/// What was counted so far.
#[derive(Debug)]
pub(super) struct Tally {
    evaluated: u64,
    changed: u64,
    features: Vec<Answers>,
    segments: Vec<Membership>,
    /// Those that notice, and some of them.
    affected: u64,
    sample: Vec<Affected>,
}

impl Tally {
    pub(super) fn new(comparison: &Comparison) -> Self {
        Self {
            evaluated: 0,
            changed: 0,
            features: comparison.features.iter().map(|_| Answers::default()).collect(),
            segments: vec![Membership::default(); comparison.segments.len()],
            affected: 0,
            sample: Vec::new(),
        }
    }

    pub(super) fn evaluated(&self) -> u64 {
        self.evaluated
    }

    /// Evaluates an identity under both states.
    pub(super) fn add(&mut self, comparison: &Comparison, identity: &Identity) {
        let Comparison { before, after, .. } = comparison;
        let identified = Identified::stored(identity);
        let mut affected = Affected {
            id: identity.id,
            identifier: String::new(),
            features: Vec::new(),
            joining: Vec::new(),
            leaving: Vec::new(),
        };
        with_engine_identity(before, &identified, |was| {
            with_engine_identity(after, &identified, |is| {
                let was_answers = before.engine.evaluate(Some(was));
                let is_answers = after.engine.evaluate(Some(is));
                for (feature, answers) in comparison.features.iter().zip(&mut self.features) {
                    let outcomes = was_answers.get(feature.before).zip(is_answers.get(feature.after));
                    let Some((was, is)) = outcomes else { continue };
                    let pair = (answers.number(false, was), answers.number(true, is));
                    *answers.pairs.entry(pair).or_default() += 1;
                    if pair.0 != pair.1 {
                        affected.features.push(Difference {
                            feature: feature.name.clone(),
                            before: answers.known[pair.0 as usize].clone(),
                            after: answers.known[pair.1 as usize].clone(),
                        });
                    }
                }
                for (segment, counted) in comparison.segments.iter().zip(&mut self.segments) {
                    let was_in = segment
                        .before
                        .is_some_and(|at| before.engine.matches(at, Some(was)));
                    let is_in = segment.after.is_some_and(|at| after.engine.matches(at, Some(is)));
                    counted.before += u64::from(was_in);
                    counted.after += u64::from(is_in);
                    if is_in && !was_in {
                        counted.joining += 1;
                        affected.joining.push(segment.name.clone());
                    } else if was_in && !is_in {
                        counted.leaving += 1;
                        affected.leaving.push(segment.name.clone());
                    }
                }
            });
        });
        self.evaluated += 1;
        self.changed += u64::from(!affected.features.is_empty());
        if !(affected.features.is_empty() && affected.joining.is_empty() && affected.leaving.is_empty()) {
            affected.identifier.clone_from(&identity.identifier);
            self.show(affected);
        }
    }

    /// Keeps a uniform sample of those that notice: of n, the last one stands in it with a chance of its size to n.
    fn show(&mut self, affected: Affected) {
        // Those of a random sample may come twice.
        if self.sample.iter().any(|shown| shown.id == affected.id) {
            return;
        }
        self.affected += 1;
        if self.sample.len() < SHOWN {
            self.sample.push(affected);
            return;
        }
        let place = rand::rng().random_range(0..self.affected);
        if let Some(shown) = self.sample.get_mut(place as usize) {
            *shown = affected;
        }
    }

    /// What was counted, of all identities or of a sample of so many.
    pub(super) fn report(mut self, comparison: &Comparison, sample_of: Option<u64>) -> Impact {
        let basis = sample_of.map_or(Basis::All, |identities| Basis::Sample {
            of: self.evaluated,
            identities,
        });
        self.sample.sort_by(|a, b| a.identifier.cmp(&b.identifier));
        let features = comparison.features.iter().zip(self.features);
        let features = features.filter_map(|(feature, answers)| feature_impact(feature, &answers, basis));
        let segments = comparison.segments.iter().zip(self.segments);
        let segments = segments.map(|(segment, counted)| SegmentImpact {
            segment: segment.name.clone(),
            before: basis.count(counted.before),
            after: basis.count(counted.after),
            joining: basis.count(counted.joining),
            leaving: basis.count(counted.leaving),
        });
        Impact {
            exact: sample_of.is_none(),
            identities: sample_of.unwrap_or(self.evaluated),
            evaluated: self.evaluated,
            changed: basis.count(self.changed),
            features: features.collect(),
            segments: segments.collect(),
            sample: self.sample,
        }
    }
}

/// `None` of a feature that nobody changes and whose answers stay as they are.
fn feature_impact(feature: &ComparedFeature, answers: &Answers, basis: Basis) -> Option<FeatureImpact> {
    let mut transitions: Vec<((u32, u32), u64)> = answers
        .pairs
        .iter()
        .filter(|((was, is), _)| was != is)
        .map(|(pair, count)| (*pair, *count))
        .collect();
    let changed = transitions.iter().map(|(_, count)| count).sum();
    if changed == 0 && !feature.is_concerned {
        return None;
    }
    let mut counts = vec![(0_u64, 0_u64); answers.known.len()];
    for ((was, is), count) in &answers.pairs {
        counts[*was as usize].0 += count;
        counts[*is as usize].1 += count;
    }
    let mut counts: Vec<_> = counts.into_iter().enumerate().collect();
    counts.sort_by_key(|(number, (before, after))| (std::cmp::Reverse((*before).max(*after)), *number));
    transitions.sort_by_key(|(pair, count)| (std::cmp::Reverse(*count), *pair));
    let answer = |number: usize| answers.known[number].clone();
    Some(FeatureImpact {
        feature: feature.name.clone(),
        changed: basis.count(changed),
        is_cut: counts.len() > LISTED || transitions.len() > LISTED,
        answers: counts
            .iter()
            .take(LISTED)
            .map(|(number, (before, after))| AnswerCount {
                answer: answer(*number),
                before: basis.count(*before),
                after: basis.count(*after),
            })
            .collect(),
        transitions: transitions
            .iter()
            .take(LISTED)
            .map(|((was, is), count)| Transition {
                before: answer(*was as usize),
                after: answer(*is as usize),
                identities: basis.count(*count),
            })
            .collect(),
    })
}

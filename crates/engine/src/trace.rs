//! Why the answer is what it is: an ordered trace, written by the code that evaluates.

use burgee_model::segments::{Operator, RuleType};
use serde::Serialize;
use serde_json::Value;

use crate::bucket;
use crate::condition::{Condition, Test};
use crate::dependencies::Verdict;
use crate::environment::{Environment, Origin, Rule};
use crate::evaluate::Tracer;
use crate::inputs::{Identity, Inputs};
use crate::members::Membership;
use crate::outcome::{Choice, Decision, Outcome};
use crate::property::Properties;
use crate::scalar::Scalar;

/// How an evaluation came about. Its JSON form is stable: fields may be added, not changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// `None` when nobody in particular asked.
    pub identity: Option<IdentityTrace>,
    /// In the order of the definition.
    pub flags: Vec<FlagTrace>,
    /// In the order of the definition. Of one flag: the segments that override it.
    pub segments: Vec<SegmentTrace>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdentityTrace {
    pub identifier: String,
    /// What is hashed for splits.
    pub key: String,
}

/// How one flag was decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlagTrace {
    /// Index into the definition's features.
    #[serde(skip)]
    pub feature: usize,
    pub name: String,
    pub enabled: bool,
    pub value: Value,
    pub variant: Option<String>,
    pub reason: String,
    /// All states that could have been served, strongest first, the environment default last.
    pub candidates: Vec<CandidateTrace>,
    /// The winning state's split, if it has one and there is an identity to split by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitTrace>,
}

/// A state that could have been served.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateTrace {
    pub source: CandidateSource,
    /// The segment's name, of a segment's override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_key: Option<String>,
    /// Index into the definition's segments, of a segment's override.
    #[serde(skip)]
    pub segment_index: Option<usize>,
    /// Lower wins. `None`: weaker than any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    pub reference: i64,
    pub enabled: bool,
    /// Served if the state wins and no variant is chosen.
    pub value: Value,
    /// Whether the identity is in the segment; always true of the other sources.
    pub matched: bool,
    pub won: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateSource {
    Identity,
    Segment,
    Environment,
}

/// How a split fell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitTrace {
    /// The text that was hashed.
    pub hashed: String,
    /// Percent.
    pub bucket: f64,
    pub shares: Vec<ShareTrace>,
}

/// A variant's share of the percentages: from `start` on, up to but without `end`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShareTrace {
    pub variant: Option<String>,
    pub value: Value,
    pub start: f64,
    pub end: f64,
    pub chosen: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentTrace {
    /// Index into the definition's segments.
    #[serde(skip)]
    pub index: usize,
    pub key: String,
    pub name: String,
    pub matched: bool,
    /// What its list of members says of the identity: `included` or `excluded`; then rules were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<&'static str>,
    /// Its conditions read flags that depend on one another in a circle, so it does not match.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub circular: bool,
    /// Up to the first that did not match.
    pub rules: Vec<RuleTrace>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleTrace {
    #[serde(rename = "type")]
    pub kind: RuleType,
    pub matched: bool,
    /// Up to the one that settled the matter.
    pub conditions: Vec<ConditionTrace>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleTrace>,
    /// Conditions and sub-rules that were not looked at, the matter being settled.
    #[serde(skip_serializing_if = "is_zero")]
    pub skipped: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConditionTrace {
    pub property: String,
    /// `None`: an operator that this version does not know.
    pub operator: Option<&'static str>,
    /// The right-hand side; long lists are cut. `None` for operators that have none.
    pub expected: Option<String>,
    /// The value found, after coercion; null when not set.
    pub actual: Value,
    pub matched: bool,
    /// Settled its rule by itself: the first that failed of `ALL`, the first that held of `ANY` and `NONE`. Where there is
    /// no such condition, all of them together did.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
    /// Percent, of a percentage split: it must not exceed the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<f64>,
    /// Percent, of a percentage split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The right-hand side makes no sense for the operator, so the condition never matches.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invalid: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Environment {
    /// How [`Self::evaluate`] decides every flag, and who is in which segment.
    pub fn explain(&self, identity: Option<&Identity<'_>>) -> Explanation {
        self.with_inputs(identity, |inputs| {
            let decisions = inputs.decide_all();
            let segments: Vec<_> = (0..self.segments.len())
                .map(|index| inputs.trace_segment(index))
                .collect();
            let is_in = |segment: u32| segments.get(segment as usize).is_some_and(|trace| trace.matched);
            let flags = (0..)
                .zip(decisions)
                .map(|(index, decision)| inputs.trace_flag(index, decision, is_in));
            Explanation {
                identity: inputs.trace_identity(),
                flags: flags.collect(),
                segments,
            }
        })
    }

    /// How [`Self::evaluate_feature`] decides one flag. `None` if there is no such feature.
    pub fn explain_feature(&self, feature: usize, identity: Option<&Identity<'_>>) -> Option<Explanation> {
        let overrides = &self.features.get(feature)?.overrides;
        Some(self.with_inputs(identity, |inputs| {
            let decision = inputs.decide(feature as u32);
            let mut indices: Vec<u32> = overrides
                .iter()
                .filter_map(|state| match self.states[*state as usize].origin {
                    Origin::Segment(segment) => Some(segment),
                    Origin::Default | Origin::Identity => None,
                })
                .collect();
            indices.dedup();
            let segments: Vec<_> = indices
                .iter()
                .map(|index| inputs.trace_segment(*index as usize))
                .collect();
            let is_in = |segment: u32| {
                indices
                    .iter()
                    .position(|index| *index == segment)
                    .is_some_and(|at| segments[at].matched)
            };
            let flags = vec![inputs.trace_flag(feature as u32, decision, is_in)];
            Explanation {
                identity: inputs.trace_identity(),
                flags,
                segments,
            }
        }))
    }

    /// Why the identity is in the segment at this index, or is not. `None` if there is no such segment.
    pub fn explain_segment(&self, segment: usize, identity: Option<&Identity<'_>>) -> Option<SegmentTrace> {
        (segment < self.segments.len())
            .then(|| self.with_inputs(identity, |inputs| inputs.trace_segment(segment)))
    }
}

impl Inputs<'_> {
    fn trace_identity(&self) -> Option<IdentityTrace> {
        let identity = self.identity?;
        Some(IdentityTrace {
            identifier: identity.identifier.to_owned(),
            key: self.key.unwrap_or_default().to_owned(),
        })
    }

    fn trace_segment(&self, index: usize) -> SegmentTrace {
        let segment = &self.environment.segments[index];
        let mut recorder = Recorder {
            properties: &self.environment.properties,
            membership: Membership::Unlisted,
            open: Vec::new(),
            done: Vec::new(),
        };
        let verdict = self.verdict_alone(index as u32, &mut recorder);
        SegmentTrace {
            index,
            key: segment.key.clone(),
            name: segment.name.clone(),
            matched: verdict == Verdict::Matches,
            list: match recorder.membership {
                Membership::Included => Some("included"),
                Membership::Excluded => Some("excluded"),
                Membership::Unlisted => None,
            },
            circular: verdict == Verdict::Cut,
            rules: recorder.done,
        }
    }

    fn trace_flag(&self, feature: u32, decision: Decision, is_in: impl Fn(u32) -> bool) -> FlagTrace {
        let outcome = Outcome {
            environment: self.environment,
            decision,
        };
        let mut states: Vec<u32> = self
            .identity_states()
            .map(|state| state as u32)
            .filter(|state| self.environment.states[*state as usize].feature == feature)
            .collect();
        let mut overrides = self.environment.features[feature as usize].overrides.clone();
        let priority = |state: &u32| self.environment.states[*state as usize].priority;
        overrides.sort_by(|a, b| priority(a).total_cmp(&priority(b)));
        states.extend(overrides);
        states.push(feature);
        FlagTrace {
            feature: feature as usize,
            name: outcome.name().to_owned(),
            enabled: outcome.enabled(),
            value: outcome.value().clone(),
            variant: outcome.variant().map(str::to_owned),
            reason: outcome.reason().to_string(),
            candidates: states
                .into_iter()
                .map(|state| self.trace_candidate(state, decision, &is_in))
                .collect(),
            split: self.trace_split(decision),
        }
    }

    fn trace_candidate(&self, index: u32, decision: Decision, is_in: impl Fn(u32) -> bool) -> CandidateTrace {
        let state = &self.environment.states[index as usize];
        let segment = match state.origin {
            Origin::Segment(segment) => Some((segment, &self.environment.segments[segment as usize])),
            Origin::Default | Origin::Identity => None,
        };
        CandidateTrace {
            source: match state.origin {
                Origin::Default => CandidateSource::Environment,
                Origin::Segment(_) => CandidateSource::Segment,
                Origin::Identity => CandidateSource::Identity,
            },
            segment: segment.map(|(_, segment)| segment.name.clone()),
            segment_key: segment.map(|(_, segment)| segment.key.clone()),
            segment_index: segment.map(|(index, _)| index as usize),
            priority: segment
                .map(|_| state.priority)
                .filter(|priority| priority.is_finite()),
            reference: state.reference,
            enabled: state.enabled,
            value: state.value.clone(),
            matched: segment.is_none_or(|(index, _)| is_in(index)),
            won: index == decision.state,
        }
    }

    fn trace_split(&self, decision: Decision) -> Option<SplitTrace> {
        let state = &self.environment.states[decision.state as usize];
        let key = self.key.filter(|_| decision.choice != Choice::Unsplit)?;
        let shares = (0..)
            .zip(&state.variants)
            .map(|(index, share)| ShareTrace {
                variant: share.key.as_deref().map(str::to_owned),
                value: share.value.clone(),
                start: share.start,
                end: share.end,
                chosen: decision.choice == Choice::Variant(index),
            })
            .collect();
        Some(SplitTrace {
            hashed: format!("{},{key}", state.hash_key),
            bucket: bucket::percentage(&state.hash_key, key),
            shares,
        })
    }
}

/// Writes down what happens while a segment is evaluated.
struct Recorder<'a> {
    properties: &'a Properties,
    membership: Membership,
    /// The rules entered and not left, outermost first.
    open: Vec<RuleTrace>,
    done: Vec<RuleTrace>,
}

impl Tracer for Recorder<'_> {
    fn membership(&mut self, membership: Membership) {
        self.membership = membership;
    }

    fn enter_rule(&mut self, kind: RuleType) {
        self.open.push(RuleTrace {
            kind,
            matched: false,
            conditions: Vec::new(),
            rules: Vec::new(),
            skipped: 0,
        });
    }

    fn leave_rule(&mut self, rule: &Rule, matched: bool) {
        let Some(mut trace) = self.open.pop() else { return };
        trace.matched = matched;
        let all = rule.conditions.len() + rule.rules.len();
        trace.skipped = all - trace.conditions.len() - trace.rules.len();
        match self.open.last_mut() {
            Some(parent) => parent.rules.push(trace),
            None => self.done.push(trace),
        }
    }

    fn condition(&mut self, condition: &Condition, actual: Scalar<'_>, bucket: Option<f64>, matched: bool) {
        let Some(rule) = self.open.last_mut() else { return };
        rule.conditions.push(ConditionTrace {
            property: self.properties.key(condition.property).to_owned(),
            operator: condition.operator.map(Operator::as_str),
            expected: condition.test.expected(),
            actual: actual.to_json(),
            matched,
            decided: matched != matches!(rule.kind, RuleType::All),
            bucket,
            threshold: match condition.test {
                Test::Split { threshold } => Some(threshold),
                _ => None,
            },
            invalid: match &condition.test {
                Test::Never(_) => true,
                Test::Regex(pattern) => !pattern.is_valid(),
                _ => false,
            },
        });
    }
}

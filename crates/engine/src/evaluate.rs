//! Evaluation: who is in which segment, which override wins, which variant is served.

use burgee_model::segments::RuleType;
use smallvec::SmallVec;

use crate::bucket;
use crate::condition::{Condition, Test, split_bucket};
use crate::dependencies::Verdict;
use crate::environment::{Environment, Origin, Rule, State};
use crate::inputs::{Identity, Inputs, KeyBuffer, hashing_key};
use crate::md5::LANES;
use crate::members::Membership;
use crate::outcome::{Choice, Decision, Evaluation, Outcome};
use crate::scalar::Scalar;

/// Listens in on the evaluation of segments. The silent implementation compiles to nothing.
pub(crate) trait Tracer {
    const IS_SILENT: bool = false;
    fn membership(&mut self, membership: Membership);
    fn enter_rule(&mut self, kind: RuleType);
    fn leave_rule(&mut self, rule: &Rule, matched: bool);
    fn condition(&mut self, condition: &Condition, actual: Scalar<'_>, bucket: Option<f64>, matched: bool);
}

/// Does not listen.
pub(crate) struct NoTrace;

impl Tracer for NoTrace {
    const IS_SILENT: bool = true;
    fn membership(&mut self, _: Membership) {}
    fn enter_rule(&mut self, _: RuleType) {}
    fn leave_rule(&mut self, _: &Rule, _: bool) {}
    fn condition(&mut self, _: &Condition, _: Scalar<'_>, _: Option<f64>, _: bool) {}
}

impl Environment {
    /// Every flag for an identity, or for nobody in particular: without one, conditions on the environment still
    /// hold and nothing is split.
    pub fn evaluate(&self, identity: Option<&Identity<'_>>) -> Evaluation<'_> {
        let decisions = self.with_inputs(identity, |inputs: &Inputs<'_>| inputs.decide_all());
        Evaluation {
            environment: self,
            decisions,
        }
    }

    /// One flag: only the segments that override it are looked at. `None` if there is no such feature.
    pub fn evaluate_feature(&self, feature: usize, identity: Option<&Identity<'_>>) -> Option<Outcome<'_>> {
        self.features.get(feature)?;
        let decision = self.with_inputs(identity, |inputs| inputs.decide(feature as u32));
        Some(Outcome {
            environment: self,
            decision,
        })
    }

    /// The environment defaults: what `GET /flags/` serves. No segment is looked at.
    pub fn defaults(&self) -> Evaluation<'_> {
        let decisions = (0..self.features.len() as u32).map(Decision::unsplit).collect();
        Evaluation {
            environment: self,
            decisions,
        }
    }

    /// The indices of all segments the identity is in, whether they override anything or not, ascending.
    pub fn matching_segments(&self, identity: Option<&Identity<'_>>) -> Vec<usize> {
        self.with_inputs(identity, |inputs| {
            (0..self.segments.len())
                .filter(|index| inputs.matches(*index as u32))
                .collect()
        })
    }

    /// Whether the identity is in the segment at this index; false if there is none.
    pub fn matches(&self, segment: usize, identity: Option<&Identity<'_>>) -> bool {
        segment < self.segments.len() && self.with_inputs(identity, |inputs| inputs.matches(segment as u32))
    }

    /// Flags and all matching segments in one pass over the inputs.
    pub fn evaluate_with_segments(&self, identity: Option<&Identity<'_>>) -> (Evaluation<'_>, Vec<usize>) {
        let (decisions, segments) = self.with_inputs(identity, |inputs| {
            let decisions = inputs.decide_all();
            (
                decisions,
                (0..self.segments.len())
                    .filter(|index| inputs.matches(*index as u32))
                    .collect(),
            )
        });
        (
            Evaluation {
                environment: self,
                decisions,
            },
            segments,
        )
    }

    pub(crate) fn with_inputs<R>(
        &self,
        identity: Option<&Identity<'_>>,
        read: impl FnOnce(&Inputs<'_>) -> R,
    ) -> R {
        let mut buffer = KeyBuffer::new();
        let key = hashing_key(self, identity, &mut buffer);
        read(&Inputs::new(self, identity, key))
    }
}

impl Decision {
    fn unsplit(state: u32) -> Self {
        Self {
            state,
            choice: Choice::Unsplit,
            is_circular: false,
        }
    }
}

impl Inputs<'_> {
    pub(crate) fn decide_all(&self) -> SmallVec<[Decision; 128]> {
        let features = self.environment.features.len() as u32;
        if self.environment.has_flag_dependencies {
            return (0..features).map(|feature| self.resolve_alone(feature)).collect();
        }
        let mut decisions: SmallVec<[Decision; 128]> = (0..features).map(Decision::unsplit).collect();
        for segment in &self.environment.overriding {
            if self.is_in_segment(*segment, &mut NoTrace) {
                self.apply_overrides(*segment, &mut decisions);
            }
        }
        for state in self.identity_states() {
            let feature = self.environment.states[state].feature;
            decisions[feature as usize].state = state as u32;
        }
        self.choose_all(&mut decisions);
        decisions
    }

    /// A flag by itself.
    pub(crate) fn decide(&self, feature: u32) -> Decision {
        if self.environment.has_flag_dependencies {
            return self.resolve_alone(feature);
        }
        self.choose(self.winner(feature))
    }

    /// Whether the identity is in the segment.
    pub(crate) fn matches(&self, segment: u32) -> bool {
        self.verdict_alone(segment, &mut NoTrace) == Verdict::Matches
    }

    fn apply_overrides(&self, segment: u32, decisions: &mut [Decision]) {
        let states = &self.environment.states;
        let (start, end) = self.environment.segments[segment as usize].states;
        for index in start..end {
            let state = &states[index as usize];
            let incumbent = &mut decisions[state.feature as usize].state;
            if wins(state, &states[*incumbent as usize]) {
                *incumbent = index;
            }
        }
    }

    pub(crate) fn identity_states(&self) -> std::ops::Range<usize> {
        self.identity
            .filter(|identity| !identity.ignores_overrides)
            .map_or(0..0, |identity| {
                self.environment
                    .identity_states(identity.kept_as.unwrap_or(identity.identifier))
            })
    }

    /// The state that wins a feature.
    pub(crate) fn winner(&self, feature: u32) -> u32 {
        let states = &self.environment.states;
        // Of two overrides for the same feature the later counts, as in `decide_all`.
        if let Some(own) = self
            .identity_states()
            .rev()
            .find(|index| states[*index].feature == feature)
        {
            return own as u32;
        }
        let mut winner = feature;
        for index in &self.environment.features[feature as usize].overrides {
            let state = &states[*index as usize];
            let Origin::Segment(segment) = state.origin else {
                continue;
            };
            // A segment that cannot win still counts where it may close a cycle.
            if !self.environment.has_flag_dependencies && !wins(state, &states[winner as usize]) {
                continue;
            }
            let matches = if self.environment.has_flag_dependencies {
                self.is_in_segment_once(segment)
            } else {
                self.is_in_segment(segment, &mut NoTrace)
            };
            if matches && wins(state, &states[winner as usize]) {
                winner = *index;
            }
        }
        winner
    }

    /// Settles on a share of the state's split.
    pub(crate) fn choose(&self, index: u32) -> Decision {
        let state = &self.environment.states[index as usize];
        let choice = match self.key {
            Some(key) if !state.variants.is_empty() => {
                choice(state, bucket::percentage(&state.hash_key, key))
            }
            _ => Choice::Unsplit,
        };
        Decision {
            state: index,
            choice,
            is_circular: false,
        }
    }

    /// [`Self::choose`] for all decisions, hashing several at a time.
    fn choose_all(&self, decisions: &mut [Decision]) {
        let Some(key) = self.key else { return };
        for features in self.environment.split.chunks(LANES) {
            self.choose_lanes(decisions, features, key);
        }
    }

    fn choose_lanes(&self, decisions: &mut [Decision], features: &[u32], key: &str) {
        let state_of = |feature: u32| &self.environment.states[decisions[feature as usize].state as usize];
        // Lanes to spare hash nothing of interest.
        let mut keys = [""; LANES];
        for (hashed, feature) in keys.iter_mut().zip(features) {
            *hashed = &state_of(*feature).hash_key;
        }
        let buckets = bucket::percentages(&keys, key);
        for (feature, bucket) in features.iter().zip(buckets) {
            let decision = &mut decisions[*feature as usize];
            let state = &self.environment.states[decision.state as usize];
            if !state.variants.is_empty() {
                decision.choice = choice(state, bucket);
            }
        }
    }

    /// Whether the segment's list includes the identity, or else all rules match; false if there are none.
    pub(crate) fn is_in_segment<T: Tracer>(&self, segment: u32, tracer: &mut T) -> bool {
        let segment = &self.environment.segments[segment as usize];
        if let Some(list) = segment.list {
            let membership = self.membership(list);
            tracer.membership(membership);
            match membership {
                Membership::Included => return true,
                Membership::Excluded => return false,
                Membership::Unlisted => {}
            }
        }
        !segment.rules.is_empty()
            && segment
                .rules
                .iter()
                .all(|rule| self.rule_matches(rule, &segment.key, tracer))
    }

    fn rule_matches<T: Tracer>(&self, rule: &Rule, segment_key: &str, tracer: &mut T) -> bool {
        tracer.enter_rule(rule.kind);
        let mut matched = !rule.is_cut
            && combine(rule.kind, &rule.conditions, |condition| {
                self.condition_matches(condition, segment_key, tracer)
            });
        // Where flags depend on flags, sub-rules are looked at regardless: they may close a cycle.
        if matched || self.environment.has_flag_dependencies {
            matched &= combine(rule.kind, &rule.rules, |rule| {
                self.rule_matches(rule, segment_key, tracer)
            });
        }
        tracer.leave_rule(rule, matched);
        matched
    }

    fn condition_matches<T: Tracer>(&self, condition: &Condition, segment_key: &str, tracer: &mut T) -> bool {
        let value = self.value(condition.property);
        let bucket = match condition.test {
            Test::Split { .. } => split_bucket(segment_key, value),
            _ => None,
        };
        let matched = match condition.test {
            Test::Split { threshold } => bucket.is_some_and(|bucket| bucket <= threshold),
            _ => condition.test.accepts(value),
        };
        if !T::IS_SILENT {
            tracer.condition(condition, value, bucket, matched);
        }
        matched
    }
}

/// A list combined by the type of its rule. Nothing to combine is true, even for `ANY`.
fn combine<I>(kind: RuleType, items: &[I], mut matches: impl FnMut(&I) -> bool) -> bool {
    items.is_empty()
        || match kind {
            RuleType::All => items.iter().all(matches),
            RuleType::Any => items.iter().any(matches),
            RuleType::None => !items.iter().any(&mut matches),
        }
}

/// Whether a segment's override takes precedence over the state that holds the feature so far: the lower priority
/// does, on a tie the segment that came first.
fn wins(candidate: &State, incumbent: &State) -> bool {
    incumbent.origin == Origin::Default || candidate.priority < incumbent.priority
}

fn choice(state: &State, bucket: f64) -> Choice {
    state
        .variants
        .iter()
        .position(|share| share.start <= bucket && bucket < share.end)
        .map_or(Choice::Control, |index| Choice::Variant(index as u32))
}

//! What evaluation answers.

use std::fmt;

use serde_json::Value;
use smallvec::SmallVec;

use crate::environment::{Environment, Origin, State, Variant};
use crate::number::Number;

/// The name of the virtual segment that stands for overrides of single identities, as SDKs call it.
pub const IDENTITY_OVERRIDES: &str = "identity_overrides";

/// Which state won a feature, and which share of its split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) state: u32,
    pub(crate) choice: Choice,
    pub(crate) is_circular: bool,
}

/// The share of a split that an identity fell into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Nothing was split, or there is no identity to split by.
    Unsplit,
    Control,
    /// Index into the variants of the state.
    Variant(u32),
}

/// The outcomes for every feature of an environment, in the order of its definition.
///
/// Takes no heap for up to 128 features.
#[derive(Debug, Clone)]
pub struct Evaluation<'e> {
    pub(crate) environment: &'e Environment,
    pub(crate) decisions: SmallVec<[Decision; 128]>,
}

impl<'e> Evaluation<'e> {
    pub fn len(&self) -> usize {
        self.decisions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
    }

    /// The outcome for the feature at this index.
    pub fn get(&self, feature: usize) -> Option<Outcome<'e>> {
        let decision = *self.decisions.get(feature)?;
        Some(Outcome {
            environment: self.environment,
            decision,
        })
    }

    /// The outcomes in the order of the definition.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Outcome<'e>> + '_ {
        self.decisions.iter().map(|decision| Outcome {
            environment: self.environment,
            decision: *decision,
        })
    }
}

/// The answer for one feature. Borrows from the environment; nothing is formatted or copied until asked for.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'e> {
    pub(crate) environment: &'e Environment,
    pub(crate) decision: Decision,
}

/// Where the winning state comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    /// The environment default.
    Default,
    Segment {
        /// Index into the definition's segments.
        segment: usize,
        /// Index into the overrides of that segment, not counting those of unknown features.
        position: usize,
    },
    /// The identity's own override.
    Identity,
}

/// The variant an identity was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariantChoice<'e> {
    /// The feature has no variants, or there is no identity.
    None,
    /// Outside every variant's share.
    Control,
    Variant {
        /// Index into the variants as they stand in the definition.
        position: usize,
        key: Option<&'e str>,
    },
}

impl<'e> Outcome<'e> {
    fn state(&self) -> &'e State {
        &self.environment.states[self.decision.state as usize]
    }

    fn share(&self) -> Option<&'e Variant> {
        match self.decision.choice {
            Choice::Variant(index) => self.state().variants.get(index as usize),
            Choice::Unsplit | Choice::Control => None,
        }
    }

    /// Index of the feature in the definition.
    pub fn feature(&self) -> usize {
        self.state().feature as usize
    }

    /// The name of the feature.
    pub fn name(&self) -> &'e str {
        &self.environment.features[self.feature()].name
    }

    pub fn winner(&self) -> Winner {
        match self.state().origin {
            Origin::Default => Winner::Default,
            Origin::Identity => Winner::Identity,
            Origin::Segment(segment) => {
                let start = self.environment.segments[segment as usize].states.0;
                Winner::Segment {
                    segment: segment as usize,
                    position: (self.decision.state - start) as usize,
                }
            }
        }
    }

    /// The reference of the winning state, as the definition gave it.
    pub fn reference(&self) -> i64 {
        self.state().reference
    }

    pub fn enabled(&self) -> bool {
        self.state().enabled
    }

    /// The value, after the choice of a variant.
    pub fn value(&self) -> &'e Value {
        self.share().map_or(&self.state().value, |share| &share.value)
    }

    pub fn choice(&self) -> VariantChoice<'e> {
        match (self.decision.choice, self.share()) {
            (_, Some(share)) => VariantChoice::Variant {
                position: share.position as usize,
                key: share.key.as_deref(),
            },
            (Choice::Control, None) => VariantChoice::Control,
            _ => VariantChoice::None,
        }
    }

    /// The `variant` field of answers: the key of the variant, `control`, or nothing for a feature without
    /// variants and for a variant without a key.
    pub fn variant(&self) -> Option<&'e str> {
        match self.choice() {
            VariantChoice::None => None,
            VariantChoice::Control => Some("control"),
            VariantChoice::Variant { key, .. } => key,
        }
    }

    /// Why. Formatted when displayed.
    pub fn reason(&self) -> Reason<'e> {
        if self.decision.is_circular {
            return Reason::CircularDependency;
        }
        if let Some(share) = self.share() {
            return Reason::Split { weight: share.weight };
        }
        match self.state().origin {
            Origin::Default => Reason::Default,
            Origin::Identity => Reason::TargetingMatch {
                segment: IDENTITY_OVERRIDES,
            },
            Origin::Segment(segment) => Reason::TargetingMatch {
                segment: &self.environment.segments[segment as usize].name,
            },
        }
    }

    /// The metadata of the winning state, if truthy.
    pub fn metadata(&self) -> Option<&'e Value> {
        self.state().metadata.as_deref()
    }
}

/// Why a flag is what it is. Its display is the `reason` of evaluation results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason<'e> {
    Default,
    /// A segment, or the identity itself, is targeted.
    TargetingMatch {
        segment: &'e str,
    },
    /// The identity fell into a variant of this weight.
    Split {
        weight: Number,
    },
    /// The flag depends on itself through segments that read flags.
    CircularDependency,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("DEFAULT"),
            Self::TargetingMatch { segment } => write!(f, "TARGETING_MATCH; segment={segment}"),
            Self::Split { weight } => write!(f, "SPLIT; weight={weight}"),
            Self::CircularDependency => f.write_str("ERROR; code=CIRCULAR_DEPENDENCY"),
        }
    }
}

//! Evaluation.
mod bucket;
mod condition;
pub mod context;
mod definition;
mod dependencies;
mod environment;
mod evaluate;
mod inputs;
mod md5;
mod number;
mod outcome;
mod pattern;
mod property;
mod python;
mod scalar;
mod text_set;
pub mod trace;

pub use definition::{
    ConditionDefinition, ConditionValue, Definition, FeatureDefinition, OverrideDefinition, RuleDefinition,
    SegmentDefinition, StateDefinition, VariantDefinition,
};
pub use environment::{Environment, MAX_RULE_DEPTH};
pub use inputs::Identity;
pub use number::Number;
pub use outcome::{Evaluation, IDENTITY_OVERRIDES, Outcome, Reason, VariantChoice, Winner};
pub use pattern::is_valid_pattern;
pub use python::value_text as python_text;
pub use scalar::ContextValue;

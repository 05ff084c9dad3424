//! Flag evaluation: which flags an identity gets, with which value and variant, and why.
//!
//! It follows the reference implementation of Flagsmith (the Python package `flagsmith-flag-engine`, 10.x, with the
//! flag dependencies of 11.1), coercions included, because that is what answers behind Flagsmith's own API. It does
//! no I/O, knows no clock and no database, and must stay so: the same definition and identity always give the same
//! answer, on a server, on the command line and in a test.
//!
//! # Use
//!
//! Describe an environment as a [`Definition`], compile it once, share it, and evaluate it for every request:
//!
//! ```
//! use burgee_engine::{ContextValue, Definition, Environment, FeatureDefinition, Identity, StateDefinition};
//!
//! let environment = Environment::compile(Definition {
//!     environment_key: "8KzETdDeMY7xkqkSkY3Gsg".to_owned(),
//!     features: vec![FeatureDefinition {
//!         name: "checkout".to_owned(),
//!         state: StateDefinition { reference: 7, enabled: true, value: "v2".into(), ..Default::default() },
//!     }],
//!     ..Default::default()
//! });
//! let traits = [("plan", ContextValue::Text("premium"))];
//! let evaluation = environment.evaluate(Some(&Identity::new("user-1", &traits)));
//! let outcome = evaluation.get(0).unwrap();
//! assert_eq!((outcome.reference(), outcome.enabled(), outcome.value().as_str()), (7, true, Some("v2")));
//! assert_eq!(outcome.reason().to_string(), "DEFAULT");
//! ```
//!
//! - [`Environment::evaluate`]: all flags; [`Environment::evaluate_feature`]: one, looking only at the segments that
//!   override it; [`Environment::defaults`]: all, for nobody.
//! - [`Environment::matching_segments`], [`Environment::matches`]: who is in which segment.
//! - [`Environment::explain`] and its kin: the same evaluation, with a trace that serialises to JSON.
//! - [`context`]: contexts and results as the SDKs write them.
//! - [`MemberSet`], [`Memberships`]: lists of members, which whoever evaluates holds and lends to [`Identity`].
//!
//! Features and segments are addressed by their index in the definition. An [`Outcome`] borrows from the environment
//! and formats nothing by itself. Evaluating allocates nothing for up to 128 features and 64 distinct properties,
//! unless a condition uses a JSON path beyond the identity's and the environment's fields, reads a flag, or compares
//! a float as text.
//!
//! # Limits
//!
//! Nothing here panics or runs away, whatever is in a definition. What cannot be made sense of never matches:
//! patterns beyond 8,192 bytes, 100 nested groups or 100,000 steps back; rules beyond [`MAX_RULE_DEPTH`] levels;
//! chains of more than 32 flags that depend on one another. JSON paths beyond 1,000 bytes, 16 brackets or three
//! wildcards are taken for trait keys.
//!
//! # To add an operator
//!
//! Name it in `burgee_model::segments::Operator`, compile it in `condition.rs` (`Test::compile`) and answer it there
//! (`Test::accepts`). Existing SDKs refuse operators they do not know, so it must not reach their documents.

mod bucket;
mod condition;
pub mod context;
mod definition;
mod dependencies;
mod environment;
mod evaluate;
mod inputs;
mod md5;
mod members;
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
pub use members::{MemberSet, Membership, Memberships, member_hash};
pub use number::Number;
pub use outcome::{Evaluation, IDENTITY_OVERRIDES, Outcome, Reason, VariantChoice, Winner};
pub use pattern::is_valid_pattern;
pub use property::{FlagInPath, flag_in_path, list_in_path};
pub use python::value_text as python_text;
pub use scalar::ContextValue;

/// Whether a text is a semantic version, as a condition with `:semver` takes it.
pub fn is_version(text: &str) -> bool {
    semver::Version::parse(text).is_ok()
}

//! `/api/v1/environments/{key}/explain/`: why an identity gets the flags it gets.

use axum::Json;
use axum::extract::State;
use burgee_app::explanations::{self, Explained, Question};
use burgee_app::{App, Error};
use burgee_engine::trace::{
    CandidateSource, CandidateTrace, ConditionTrace, FlagTrace, RuleTrace, SegmentTrace, SplitTrace,
};
use burgee_model::{TraitValue, limits};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::segment_rules::RuleKind;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Text};
use crate::params::Path;
use crate::sdk::identities::{Identifier, IdentifyTrait};
use crate::sdk::shapes::{FlagScalar, TraitScalar};
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(explain_flags))
}

input! {
    /// Whose flags to explain. Traits are laid over those that are stored, null takes one away; nothing is stored. Without
    /// an identifier it is somebody anonymous with these traits.
    pub struct ExplainBody {
        pub identifier: Identifier,
        pub traits: Given<Vec<IdentifyTrait>>,
        /// The name of a feature: only it is explained.
        pub feature: Option<Text<2000>>,
    }
}

impl From<ExplainBody> for Question {
    fn from(body: ExplainBody) -> Self {
        let traits = body.traits.0.unwrap_or_default();
        Self {
            identifier: body.identifier.0,
            traits: traits.into_iter().map(Into::into).collect(),
            feature: body.feature.map(|name| name.0),
        }
    }
}

/// How an identity's flags came about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplanationView {
    pub identity: ExplainedIdentity,
    /// Whether values of traits are left out, because the environment hides sensitive data.
    pub sensitive_data_hidden: bool,
    /// In the order in which flags are served.
    pub flags: Vec<FlagExplanation>,
    /// Of one feature: the segments that override it.
    pub segments: Vec<SegmentExplanation>,
}

/// Who was evaluated, with all traits that counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedIdentity {
    /// None when it is not stored.
    pub id: Option<i64>,
    pub identifier: String,
    /// What splits are computed from.
    pub hashing_key: String,
    pub traits: Vec<ExplainedTrait>,
}

/// A feature or a segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectName {
    pub id: i64,
    pub name: String,
}

/// A trait that counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedTrait {
    pub trait_key: String,
    #[schema(value_type = TraitScalar, inline)]
    pub trait_value: TraitValue,
    /// Whether it is stored, or of the request.
    pub stored: bool,
}

choices! {
    /// Whose override a state is; `ENVIRONMENT` is the default for everybody.
    pub enum StateSource { Identity = "IDENTITY", Segment = "SEGMENT", Environment = "ENVIRONMENT" }
}

/// How one flag came about.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlagExplanation {
    pub feature: ObjectName,
    pub enabled: bool,
    #[schema(value_type = FlagScalar, inline)]
    pub feature_state_value: Value,
    /// The variation's key, `control`, or nothing where there are no variations.
    pub variant: Option<String>,
    /// As evaluation results of SDKs have it, like `TARGETING_MATCH; segment=beta`.
    pub reason: String,
    /// The reason in a sentence, for people.
    pub summary: String,
    /// Whether client-side keys are told of the flag.
    pub served_to_clients: bool,
    /// Whether server-side keys are told of the flag.
    pub served_to_servers: bool,
    pub is_server_key_only: bool,
    /// All states it could have had, strongest first: the identity's own, those of segments by priority, the
    /// environment default. One of them won.
    pub candidates: Vec<CandidateExplanation>,
    /// How the winning state was split, if it was.
    pub split: Option<SplitExplanation>,
}

/// A state that a flag could have had.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateExplanation {
    pub source: StateSource,
    /// Of a segment's override.
    pub segment: Option<ObjectName>,
    /// Of a segment's override; the lowest wins.
    pub priority: Option<f64>,
    pub enabled: bool,
    #[schema(value_type = FlagScalar, inline)]
    pub feature_state_value: Value,
    /// Whether it applies to the identity. What is in `segments` tells why.
    pub matched: bool,
    pub won: bool,
}

/// How a state with variations was split.
#[derive(Debug, Serialize, ToSchema)]
pub struct SplitExplanation {
    /// The text that was hashed.
    pub hashed: String,
    /// Where the identity fell, in per cent.
    pub bucket: f64,
    /// What lies beyond the last share is the control value's.
    pub shares: Vec<ShareExplanation>,
}

/// The buckets of a variation: from `start` up to but without `end`, in per cent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareExplanation {
    pub variant: Option<String>,
    #[schema(value_type = FlagScalar, inline)]
    pub feature_state_value: Value,
    pub start: f64,
    pub end: f64,
    pub chosen: bool,
}

choices! {
    /// What a list of members says of an identity.
    pub enum ListVerdict { Included = "included", Excluded = "excluded" }
}

/// Why an identity is in a segment, or is not.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentExplanation {
    pub segment: ObjectName,
    pub matched: bool,
    /// What its list of members says of the identity; then rules were not looked at.
    pub list: Option<ListVerdict>,
    /// Its conditions read flags that depend on one another in a circle, so it does not match.
    pub circular: bool,
    /// All must match. Up to the first that did not.
    pub rules: Vec<RuleExplanation>,
}

/// How a rule came out.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleExplanation {
    pub r#type: RuleKind,
    pub matched: bool,
    /// In order, up to the one that settled the rule.
    pub conditions: Vec<ConditionExplanation>,
    #[schema(no_recursion)]
    pub rules: Vec<RuleExplanation>,
    /// Conditions and rules inside it that were not looked at, because it was settled.
    pub skipped: usize,
}

/// How a condition came out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionExplanation {
    /// The trait's key, or a path; empty for a split by the identity itself.
    pub property: String,
    /// None: one that this version does not know.
    #[schema(value_type = Option<crate::words::ConditionOperator>)]
    pub operator: Option<&'static str>,
    /// The value of the condition; of a long list the beginning.
    pub expected: Option<String>,
    /// The value that was found; null when there is none, or values are hidden.
    pub actual: Value,
    pub matched: bool,
    /// Settled its rule by itself.
    pub decided: bool,
    /// Of a percentage split: where the identity fell, in per cent.
    pub bucket: Option<f64>,
    /// Of a percentage split: the highest bucket that matches.
    pub threshold: Option<f64>,
    /// Its value makes no sense for the operator, so it never matches.
    pub invalid: bool,
}

/// Explains the flags of an identity: which states it could have had, which one won, and why. Nothing is stored.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/explain/", tag = "explanations",
    request_body = ExplainBody, responses((status = 200, body = ExplanationView)))]
async fn explain_flags(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<ExplanationView>> {
    let environment = explanations::require_view(&app, &caller, &key).await?;
    let question = Question::from(body.parse::<ExplainBody>()?);
    if question.identifier.is_none() && question.traits.is_empty() {
        let text = format!(
            "An identifier of at most {} characters, or traits.",
            limits::IDENTIFIER_LENGTH
        );
        return Err(Error::field("identifier", text).into());
    }
    let explained = explanations::explain(&app, environment, question).await?;
    Ok(Json(view(explained)))
}

fn view(explained: Explained) -> ExplanationView {
    let Explained {
        snapshot,
        identity,
        explanation,
    } = explained;
    let named = |index: usize| {
        snapshot.segments.get(index).map(|segment| ObjectName {
            id: segment.id,
            name: segment.name.clone(),
        })
    };
    let hashing_key = identity.hashing_key(&snapshot);
    let flags = explanation.flags.into_iter().filter_map(|flag| {
        let feature = snapshot.features.get(flag.feature)?;
        let served = |server_key| snapshot.shows(feature, flag.enabled, server_key);
        Some(FlagExplanation {
            summary: summary(&flag, feature.is_server_key_only, served(true)),
            feature: ObjectName {
                id: feature.id,
                name: feature.name.clone(),
            },
            served_to_clients: served(false),
            served_to_servers: served(true),
            is_server_key_only: feature.is_server_key_only,
            enabled: flag.enabled,
            feature_state_value: flag.value,
            variant: flag.variant,
            reason: flag.reason,
            candidates: flag
                .candidates
                .into_iter()
                .map(|one| candidate(one, named))
                .collect(),
            split: flag.split.map(SplitExplanation::from),
        })
    });
    ExplanationView {
        flags: flags.collect(),
        segments: explanation
            .segments
            .into_iter()
            .filter_map(|trace| Some(segment(named(trace.index)?, trace)))
            .collect(),
        sensitive_data_hidden: snapshot.hide_sensitive_data,
        identity: ExplainedIdentity {
            id: identity.id,
            identifier: identity.identifier,
            hashing_key,
            traits: identity
                .traits
                .into_iter()
                .map(|one| ExplainedTrait {
                    stored: one.id.is_some(),
                    trait_key: one.key,
                    trait_value: one.value,
                })
                .collect(),
        },
    }
}

fn candidate(trace: CandidateTrace, named: impl Fn(usize) -> Option<ObjectName>) -> CandidateExplanation {
    CandidateExplanation {
        source: match trace.source {
            CandidateSource::Identity => StateSource::Identity,
            CandidateSource::Segment => StateSource::Segment,
            CandidateSource::Environment => StateSource::Environment,
        },
        segment: trace.segment_index.and_then(named),
        priority: trace.priority,
        enabled: trace.enabled,
        feature_state_value: trace.value,
        matched: trace.matched,
        won: trace.won,
    }
}

fn segment(segment: ObjectName, trace: SegmentTrace) -> SegmentExplanation {
    SegmentExplanation {
        segment,
        matched: trace.matched,
        list: trace.list.map(|verdict| match verdict {
            "included" => ListVerdict::Included,
            _ => ListVerdict::Excluded,
        }),
        circular: trace.circular,
        rules: trace.rules.into_iter().map(RuleExplanation::from).collect(),
    }
}

impl From<RuleTrace> for RuleExplanation {
    fn from(trace: RuleTrace) -> Self {
        Self {
            r#type: trace.kind.into(),
            matched: trace.matched,
            conditions: trace
                .conditions
                .into_iter()
                .map(ConditionExplanation::from)
                .collect(),
            rules: trace.rules.into_iter().map(Self::from).collect(),
            skipped: trace.skipped,
        }
    }
}

impl From<ConditionTrace> for ConditionExplanation {
    fn from(trace: ConditionTrace) -> Self {
        Self {
            property: trace.property,
            operator: trace.operator,
            expected: trace.expected,
            actual: trace.actual,
            matched: trace.matched,
            decided: trace.decided,
            bucket: trace.bucket,
            threshold: trace.threshold,
            invalid: trace.invalid,
        }
    }
}

impl From<SplitTrace> for SplitExplanation {
    fn from(trace: SplitTrace) -> Self {
        let shares = trace.shares.into_iter().map(|share| ShareExplanation {
            variant: share.variant,
            feature_state_value: share.value,
            start: share.start,
            end: share.end,
            chosen: share.chosen,
        });
        Self {
            hashed: trace.hashed,
            bucket: trace.bucket,
            shares: shares.collect(),
        }
    }
}

/// Why a flag is what it is, in words.
fn summary(flag: &FlagTrace, is_server_key_only: bool, is_served: bool) -> String {
    let winner = flag.candidates.iter().find(|one| one.won);
    let mut words = match winner.map(|one| (one.source, one.segment.as_deref())) {
        Some((CandidateSource::Identity, _)) => "The identity's own override decides.".to_owned(),
        Some((CandidateSource::Segment, Some(segment))) => {
            format!("The override for the segment \"{segment}\" decides, in which the identity is.")
        }
        _ if flag.candidates.len() > 1 => {
            "No override applies to the identity, so the environment default decides.".to_owned()
        }
        _ => "Nothing overrides the environment default.".to_owned(),
    };
    if let Some(split) = &flag.split {
        words.push_str(&split_words(split));
    }
    if !is_served {
        words.push_str(" It is off, and the environment does not serve flags that are off.");
    } else if is_server_key_only {
        words.push_str(" Only server-side keys are told of it.");
    }
    words
}

fn split_words(split: &SplitTrace) -> String {
    let bucket = split.bucket;
    match split.shares.iter().position(|share| share.chosen) {
        Some(index) => {
            let share = &split.shares[index];
            let name = share
                .variant
                .as_ref()
                .map_or_else(|| format!("number {}", index + 1), |key| format!("\"{key}\""));
            format!(
                " Its bucket, {bucket:.2} %, is that of variation {name} ({} to {} %).",
                share.start, share.end
            )
        }
        None => format!(" Its bucket, {bucket:.2} %, is of no variation, so it gets the control value."),
    }
}

//! `/api/v1/environments/{key}/impact/`: what a change would do, before it is made.

use axum::Json;
use axum::extract::State;
use burgee_app::impact::{
    self, Affected, Answer, Count, Difference, Impact, Named, Proposal, SegmentProposal,
};
use burgee_app::segments::SegmentEdit;
use burgee_app::{App, Error};
use burgee_model::{Problems, limits};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change_sets::ChangeSetBody;
use super::segment_rules::RuleBody;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Pk, Text};
use crate::input;
use crate::params::Path;
use crate::sdk::shapes::FlagScalar;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_impact))
}

input! {
    /// A segment as it is to become.
    pub struct PreviewedSegmentBody {
        /// Which segment; a new one without it.
        pub id: Option<Pk>,
        pub name: Given<Text<2000>>,
        /// As they are sent to change the segment.
        pub rules: Vec<RuleBody>,
    }
}

input! {
    /// A change, all of it at once: features as change requests and scheduled changes have them, and segments.
    pub struct ImpactBody {
        pub change_sets: Option<Vec<ChangeSetBody>>,
        pub segments: Option<Vec<PreviewedSegmentBody>>,
    }
}

impl From<ImpactBody> for Proposal {
    fn from(body: ImpactBody) -> Self {
        let sets = body.change_sets.unwrap_or_default();
        let segments = body.segments.unwrap_or_default();
        Self {
            change_sets: sets.into_iter().map(Into::into).collect(),
            segments: segments.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<PreviewedSegmentBody> for SegmentProposal {
    fn from(body: PreviewedSegmentBody) -> Self {
        Self {
            id: body.id.map(|pk| pk.0),
            edit: SegmentEdit {
                name: body.name.0.map(|text| text.0),
                rules: Some(body.rules.into_iter().map(Into::into).collect()),
                ..SegmentEdit::default()
            },
        }
    }
}

/// What a change would do to the answers that stored identities get.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImpactView {
    /// Whether every stored identity was evaluated. If not, a uniform random sample was, and numbers are estimates with
    /// bounds that hold in 95 of 100 previews, each by itself.
    pub exact: bool,
    /// Stored identities of the environment.
    pub identities: u64,
    /// Identities that were evaluated.
    pub evaluated: u64,
    /// Identities that would get another answer for some feature.
    pub changed: CountView,
    /// Features that are changed, or whose answers are.
    pub features: Vec<FeatureImpactView>,
    /// The segments of the request.
    pub segments: Vec<SegmentImpactView>,
    /// At most 20 identities that would get another answer, or join or leave a segment of the request; drawn at random.
    pub sample: Vec<AffectedView>,
}

/// A number of identities; all three are the same where it is exact.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountView {
    pub count: u64,
    pub low: u64,
    pub high: u64,
}

/// A feature or a segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImpactedName {
    /// None of a segment that is not there yet.
    pub id: Option<i64>,
    pub name: String,
}

/// What a flag answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerView {
    pub enabled: bool,
    #[schema(value_type = FlagScalar, inline)]
    pub feature_state_value: Value,
    /// The variation's key, `control`, or nothing where there are no variations.
    pub variant: Option<String>,
}

/// How many identities get an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerCountView {
    pub answer: AnswerView,
    pub before: CountView,
    pub after: CountView,
}

/// How many identities get another answer in place of one.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransitionView {
    pub before: AnswerView,
    pub after: AnswerView,
    pub identities: CountView,
}

/// What becomes of the answers of a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureImpactView {
    pub feature: ImpactedName,
    pub changed: CountView,
    /// Most frequent first; at most 50.
    pub answers: Vec<AnswerCountView>,
    /// Most frequent first; at most 50.
    pub transitions: Vec<TransitionView>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
}

/// What becomes of the members of a segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentImpactView {
    pub segment: ImpactedName,
    pub before: CountView,
    pub after: CountView,
    pub joining: CountView,
    pub leaving: CountView,
}

/// An identity that would notice.
#[derive(Debug, Serialize, ToSchema)]
pub struct AffectedView {
    pub id: i64,
    pub identifier: String,
    pub features: Vec<AnswerChangeView>,
    /// Segments that it would be in.
    pub joining: Vec<ImpactedName>,
    /// Segments that it would not be in any more.
    pub leaving: Vec<ImpactedName>,
}

/// A feature that answers an identity differently.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerChangeView {
    pub feature: ImpactedName,
    pub before: AnswerView,
    pub after: AnswerView,
}

/// Says what a change would do: how many stored identities would get other answers, and some of them. Nothing is changed.
///
/// Everybody who sees the environment and its identities may ask, also where the change needs approval. Large environments
/// are looked at by a sample. Previews take turns; 429 when one waited too long for it.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/impact/", tag = "explanations",
    request_body = ImpactBody, responses((status = 200, body = ImpactView)))]
async fn preview_impact(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<ImpactView>> {
    impact::require_view(&app, &caller, &key).await?;
    let proposal = Proposal::from(body.parse::<ImpactBody>()?);
    check_size(&proposal)?;
    Ok(Json(impact::preview(&app, &caller, &key, proposal).await?.into()))
}

fn check_size(proposal: &Proposal) -> Result<(), Error> {
    if proposal.change_sets.is_empty() && proposal.segments.is_empty() {
        return Err(Problems::whole("There is nothing to change.").into());
    }
    for (field, count) in [
        ("change_sets", proposal.change_sets.len()),
        ("segments", proposal.segments.len()),
    ] {
        if count > limits::PREVIEWED_CHANGES {
            let text = format!("No more than {} at once.", limits::PREVIEWED_CHANGES);
            return Err(Error::field(field, text));
        }
    }
    Ok(())
}

impl From<Impact> for ImpactView {
    fn from(impact: Impact) -> Self {
        Self {
            exact: impact.exact,
            identities: impact.identities,
            evaluated: impact.evaluated,
            changed: impact.changed.into(),
            features: impact.features.into_iter().map(Into::into).collect(),
            segments: impact.segments.into_iter().map(Into::into).collect(),
            sample: impact.sample.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Count> for CountView {
    fn from(count: Count) -> Self {
        Self {
            count: count.count,
            low: count.low,
            high: count.high,
        }
    }
}

impl From<Named> for ImpactedName {
    fn from(named: Named) -> Self {
        Self {
            id: named.id,
            name: named.name,
        }
    }
}

impl From<Answer> for AnswerView {
    fn from(answer: Answer) -> Self {
        Self {
            enabled: answer.enabled,
            feature_state_value: answer.value,
            variant: answer.variant,
        }
    }
}

impl From<impact::FeatureImpact> for FeatureImpactView {
    fn from(feature: impact::FeatureImpact) -> Self {
        let answers = feature.answers.into_iter().map(|answer| AnswerCountView {
            answer: answer.answer.into(),
            before: answer.before.into(),
            after: answer.after.into(),
        });
        let transitions = feature.transitions.into_iter().map(|transition| TransitionView {
            before: transition.before.into(),
            after: transition.after.into(),
            identities: transition.identities.into(),
        });
        Self {
            feature: feature.feature.into(),
            changed: feature.changed.into(),
            answers: answers.collect(),
            transitions: transitions.collect(),
            is_cut: feature.is_cut,
        }
    }
}

impl From<impact::SegmentImpact> for SegmentImpactView {
    fn from(segment: impact::SegmentImpact) -> Self {
        Self {
            segment: segment.segment.into(),
            before: segment.before.into(),
            after: segment.after.into(),
            joining: segment.joining.into(),
            leaving: segment.leaving.into(),
        }
    }
}

impl From<Affected> for AffectedView {
    fn from(affected: Affected) -> Self {
        Self {
            id: affected.id,
            identifier: affected.identifier,
            features: affected.features.into_iter().map(Into::into).collect(),
            joining: affected.joining.into_iter().map(Into::into).collect(),
            leaving: affected.leaving.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Difference> for AnswerChangeView {
    fn from(difference: Difference) -> Self {
        Self {
            feature: difference.feature.into(),
            before: difference.before.into(),
            after: difference.after.into(),
        }
    }
}

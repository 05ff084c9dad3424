//! What change requests look like: those of environments, and the parts they share with those of projects.

use burgee_app::change_requests::{
    Approval, ConflictDetails, Document, Part, ProposedVersion, Request, RequestDetails, StateDocument,
};
use burgee_app::feature_states::{ValueEdit, Weight};
use burgee_app::version_states::OptionShare;
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::change_sets::{ChangeSetView, ValueEditView};
use super::segments::SegmentView;

/// A user who is asked to approve a change request, or did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalView {
    pub id: i64,
    pub user: i64,
    /// Null while he did not, and again when the request was edited afterwards.
    pub approved_at: Option<String>,
}

impl From<&Approval> for ApprovalView {
    fn from(approval: &Approval) -> Self {
        Self {
            id: approval.id,
            user: approval.user_id,
            approved_at: moment(approval.approved_at),
        }
    }
}

/// A group any member of which is asked to approve a change request.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupAssignmentView {
    pub group: i64,
}

/// What was published since a change request was written and would be overwritten by it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictView {
    /// The change request that did it; null when it was none.
    pub original_cr_id: Option<i64>,
    pub segment_id: Option<i64>,
    pub is_environment_default: bool,
    /// Null when something was deleted.
    pub published_at: Option<String>,
}

impl From<&ConflictDetails> for ConflictView {
    fn from(conflict: &ConflictDetails) -> Self {
        Self {
            original_cr_id: conflict.request_id,
            segment_id: conflict.segment_id,
            is_environment_default: conflict.is_environment_default,
            published_at: conflict.published_at.map(Timestamp::rest),
        }
    }
}

/// The share of the traffic that an option is to get.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedWeight {
    pub id: i64,
    pub multivariate_feature_option: i64,
    pub percentage_allocation: f64,
}

/// What a feature state is to become.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedState {
    pub id: i64,
    pub feature: i64,
    pub feature_segment: Option<i64>,
    pub enabled: bool,
    pub feature_state_value: ValueEditView,
    pub multivariate_feature_state_values: Vec<ProposedWeight>,
    pub live_from: Option<String>,
}

impl ProposedState {
    fn new(part: &Part, document: &StateDocument) -> Self {
        let change = document.set.update.iter().chain(&document.set.create).next();
        let edit = change.map(|change| change.edit.clone()).unwrap_or_default();
        Self {
            id: part.id,
            feature: document.set.feature_id,
            feature_segment: document.feature_segment,
            enabled: edit.enabled.unwrap_or_default(),
            feature_state_value: edit.value.unwrap_or_default().into(),
            multivariate_feature_state_values: numbered(edit.weights.unwrap_or_default()),
            live_from: document.set.live_from.map(Timestamp::rest),
        }
    }
}

/// Allocations that are no rows yet are numbered as they stand.
fn numbered(weights: Vec<Weight>) -> Vec<ProposedWeight> {
    let numbered = (1..).zip(weights).map(|(id, weight)| ProposedWeight {
        id,
        multivariate_feature_option: weight.option_id,
        percentage_allocation: weight.percentage,
    });
    numbered.collect()
}

/// What is to change of one feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedChangeSet {
    pub id: i64,
    #[serde(flatten)]
    pub set: ChangeSetView,
}

/// A draft version that is to be published.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionProposal {
    pub uuid: String,
    pub feature_states: Vec<ProposedState>,
    pub live_from: Option<String>,
}

/// A change request as it answers being written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeRequestView {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub title: String,
    pub description: Option<String>,
    pub feature_states: Vec<ProposedState>,
    pub deleted_at: Option<String>,
    pub environment: Option<i64>,
    pub committed_at: Option<String>,
    pub approvals: Vec<ApprovalView>,
    pub user: Option<i64>,
    pub committed_by: Option<i64>,
    pub group_assignments: Vec<GroupAssignmentView>,
    pub environment_feature_versions: Vec<String>,
    pub change_sets: Vec<ProposedChangeSet>,
    pub ignore_conflicts: bool,
}

/// A change request with where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeRequestDetails {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub environment: Option<i64>,
    pub title: String,
    pub description: Option<String>,
    pub feature_states: Vec<ProposedState>,
    pub user: Option<i64>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub deleted_at: Option<String>,
    pub approvals: Vec<ApprovalView>,
    pub is_approved: bool,
    pub is_committed: bool,
    pub group_assignments: Vec<GroupAssignmentView>,
    pub environment_feature_versions: Vec<VersionProposal>,
    pub segments: Vec<SegmentView>,
    pub change_sets: Vec<ProposedChangeSet>,
    pub conflicts: Vec<ConflictView>,
    pub ignore_conflicts: bool,
}

/// A change request in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedChangeRequest {
    pub id: i64,
    pub created_at: String,
    pub updated_at: String,
    pub title: String,
    pub description: Option<String>,
    pub user: Option<i64>,
    pub committed_at: Option<String>,
    pub committed_by: Option<i64>,
    pub deleted_at: Option<String>,
    /// When the first of it that has a time of its own goes live.
    pub live_from: Option<String>,
    pub environment_feature_versions: Vec<String>,
    pub ignore_conflicts: bool,
}

pub(super) fn moment(at: Option<i64>) -> Option<String> {
    at.map(|at| Timestamp(at).rest())
}

/// When the first of the parts that have a time of their own goes live.
pub(super) fn first_live_from(parts: &[Part]) -> Option<String> {
    moment(parts.iter().filter_map(|part| part.live_from).min())
}

pub(super) fn approvals(details: &RequestDetails) -> Vec<ApprovalView> {
    details.approvals.iter().map(ApprovalView::from).collect()
}

pub(super) fn groups(details: &RequestDetails) -> Vec<GroupAssignmentView> {
    let groups = details.groups.iter();
    groups
        .map(|group| GroupAssignmentView { group: *group })
        .collect()
}

fn states(details: &RequestDetails) -> Vec<ProposedState> {
    let parts = details
        .parts
        .iter()
        .filter_map(|(part, document)| match document {
            Document::State(state) => Some(ProposedState::new(part, state)),
            _ => None,
        });
    parts.collect()
}

fn version(proposed: &ProposedVersion) -> VersionProposal {
    let states = proposed.states.iter().map(|state| ProposedState {
        id: state.id,
        feature: proposed.version.feature_id,
        feature_segment: state.segment.as_ref().map(|segment| segment.id),
        enabled: state.enabled,
        feature_state_value: ValueEdit::from(state.value()).into(),
        multivariate_feature_state_values: numbered(shares(&state.options)),
        live_from: moment(proposed.version.live_from),
    });
    VersionProposal {
        uuid: proposed.version.uuid.clone(),
        feature_states: states.collect(),
        live_from: moment(proposed.version.live_from),
    }
}

fn shares(options: &[OptionShare]) -> Vec<Weight> {
    let shares = options.iter().map(|share| Weight {
        option_id: share.option_id,
        percentage: share.percentage,
    });
    shares.collect()
}

fn sets(details: &RequestDetails) -> Vec<ProposedChangeSet> {
    let parts = details
        .parts
        .iter()
        .filter_map(|(part, document)| match document {
            Document::Set(set) => Some(ProposedChangeSet {
                id: part.id,
                set: set.clone().into(),
            }),
            _ => None,
        });
    parts.collect()
}

impl From<RequestDetails> for ChangeRequestView {
    fn from(details: RequestDetails) -> Self {
        let uuids = details
            .parts
            .iter()
            .filter_map(|(part, _)| part.version_uuid.clone());
        Self {
            feature_states: states(&details),
            approvals: approvals(&details),
            group_assignments: groups(&details),
            environment_feature_versions: uuids.collect(),
            change_sets: sets(&details),
            id: details.request.id,
            created_at: Timestamp(details.request.created_at).rest(),
            updated_at: Timestamp(details.request.updated_at).rest(),
            title: details.request.title,
            description: details.request.description,
            deleted_at: moment(details.request.deleted_at),
            environment: details.request.environment_id,
            committed_at: moment(details.request.committed_at),
            user: details.request.user_id,
            committed_by: details.request.committed_by,
            ignore_conflicts: details.request.ignore_conflicts,
        }
    }
}

impl From<RequestDetails> for ChangeRequestDetails {
    fn from(details: RequestDetails) -> Self {
        Self {
            feature_states: states(&details),
            approvals: approvals(&details),
            group_assignments: groups(&details),
            environment_feature_versions: details.versions.iter().map(version).collect(),
            segments: Vec::new(),
            change_sets: sets(&details),
            conflicts: details.conflicts.iter().map(ConflictView::from).collect(),
            is_approved: details.is_approved,
            is_committed: details.request.committed_at.is_some(),
            id: details.request.id,
            created_at: Timestamp(details.request.created_at).rest(),
            updated_at: Timestamp(details.request.updated_at).rest(),
            environment: details.request.environment_id,
            title: details.request.title,
            description: details.request.description,
            user: details.request.user_id,
            committed_at: moment(details.request.committed_at),
            committed_by: details.request.committed_by,
            deleted_at: moment(details.request.deleted_at),
            ignore_conflicts: details.request.ignore_conflicts,
        }
    }
}

impl From<(Request, Vec<Part>)> for ListedChangeRequest {
    fn from((request, parts): (Request, Vec<Part>)) -> Self {
        Self {
            id: request.id,
            created_at: Timestamp(request.created_at).rest(),
            updated_at: Timestamp(request.updated_at).rest(),
            title: request.title,
            description: request.description,
            user: request.user_id,
            committed_at: moment(request.committed_at),
            committed_by: request.committed_by,
            deleted_at: moment(request.deleted_at),
            live_from: first_live_from(&parts),
            environment_feature_versions: parts.into_iter().filter_map(|part| part.version_uuid).collect(),
            ignore_conflicts: request.ignore_conflicts,
        }
    }
}

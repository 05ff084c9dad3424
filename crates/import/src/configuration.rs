//! Everything but identities and their overrides: it fits into memory, and is written in one transaction.

use std::collections::{BTreeMap, HashMap};

use burgee_model::segments::Rule;
use burgee_store::bulk::Table;

use crate::history::History;
use crate::integrations::Listeners;
use crate::records::{
    ContentTypeRow, Environment, Feature, FeatureLink, FeatureSegment, FeatureState, FlagOption, Grant,
    Group, GroupMember, Invite, InviteGroup, InviteLink, MasterApiKey, Membership, MetadataField,
    MetadataModelField, MetadataOf, MfaMethod, Organisation, Project, Segment, ServerKey, Tag, Token, User,
    Weight,
};
use crate::release_pipelines::Pipelines;
use crate::surroundings::Surroundings;

/// What a source has. `None` where the source does not tell: what was taken of it before stays as it is then.
#[derive(Debug, Default)]
pub struct Configuration {
    pub users: Vec<User>,
    pub tokens: Option<Vec<Token>>,
    pub mfa_methods: Option<Vec<MfaMethod>>,
    pub organisations: Vec<Organisation>,
    pub memberships: Vec<Membership>,
    pub groups: Vec<Group>,
    pub group_members: Vec<GroupMember>,
    pub invites: Option<Vec<Invite>>,
    pub invite_groups: Vec<InviteGroup>,
    pub invite_links: Option<Vec<InviteLink>>,
    pub master_api_keys: Option<Vec<MasterApiKey>>,
    pub grants: Vec<Grant>,
    pub projects: Vec<Project>,
    pub environments: Vec<Environment>,
    pub server_keys: Vec<ServerKey>,
    pub tags: Vec<Tag>,
    pub features: Vec<Feature>,
    pub feature_tags: Vec<FeatureLink>,
    pub feature_owners: Vec<FeatureLink>,
    pub feature_group_owners: Vec<FeatureLink>,
    pub metadata: Option<Metadata>,
    pub options: Vec<FlagOption>,
    pub segments: Vec<Segment>,
    /// By segment.
    pub rules: HashMap<i64, Vec<Rule>>,
    pub links: Vec<FeatureSegment>,
    /// The live ones, of environments and of segments.
    pub states: Vec<FeatureState>,
    pub weights: Vec<Weight>,
    /// What is not served.
    pub history: Option<History>,
    pub pipelines: Option<Pipelines>,
    pub surroundings: Option<Surroundings>,
    pub listeners: Option<Listeners>,
    /// The greatest ids there ever were, of what may be deleted by now.
    pub last_ids: Vec<(&'static Table, i64)>,
    /// What there is and is not taken: how many, by what it is called.
    pub not_taken: BTreeMap<String, i64>,
}

/// Custom fields and what objects say in them.
#[derive(Debug, Default)]
pub struct Metadata {
    /// The numbers that kinds of objects have in this one database.
    pub content_types: Vec<ContentTypeRow>,
    pub fields: Vec<MetadataField>,
    pub model_fields: Vec<MetadataModelField>,
    pub requirements: Vec<MetadataOf>,
    pub values: Vec<MetadataOf>,
}

impl Configuration {
    /// Sorts everything by id and leaves out what belongs to something that is not there.
    pub fn tidy(&mut self) {
        self.environments.sort_by_key(|e| e.id);
        self.features.sort_by_key(|f| f.id);
        self.options.sort_by_key(|o| o.id);
        self.segments.sort_by_key(|s| s.id);
        self.links.sort_by_key(|l| l.id);
        self.states.sort_by_key(|s| s.id);
        self.weights.sort_by_key(|w| w.id);
    }
}

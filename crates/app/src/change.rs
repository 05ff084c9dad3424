//! Writing down what an act changed.

use burgee_model::Timestamp;
use burgee_store::changes::NewChange;
use burgee_store::projects::Project;
use serde_json::Value;

use crate::author::Author;
use crate::caller::Place;

/// The kinds of object the log speaks of, as `related_object_type` of the audit log spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Organisation,
    Project,
    Environment,
    ServerKey,
    Feature,
    FeatureState,
    FeatureVersion,
    ScheduledChange,
    Segment,
    /// Who is in a list segment: counts, never members.
    SegmentMembers,
    Identity,
    User,
    Group,
    Permission,
    Role,
    TrustRelationship,
    Scim,
    Tag,
    MasterApiKey,
    Invite,
    MetadataField,
    FeatureExport,
    FeatureImport,
    FeatureHealth,
    CodeReferences,
    ExternalResource,
    ImportRequest,
    Experiment,
    Metric,
    Cohort,
    WarehouseConnection,
    ChangeRequest,
    ChangeRequestComment,
    ReleasePipeline,
    SamlConfiguration,
    AudienceSync,
    Webhook,
    Integration,
}

impl Kind {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "ORGANISATION",
            Self::Project => "PROJECT",
            Self::Environment => "ENVIRONMENT",
            Self::ServerKey => "SERVER_KEY",
            Self::Feature => "FEATURE",
            Self::FeatureState => "FEATURE_STATE",
            Self::FeatureVersion => "EF_VERSION",
            Self::ScheduledChange => "SCHEDULED_CHANGE",
            Self::Segment => "SEGMENT",
            Self::SegmentMembers => "SEGMENT_MEMBERS",
            Self::Identity => "IDENTITY",
            Self::User => "USER",
            Self::Group => "GROUP",
            Self::Permission => "PERMISSION",
            Self::Role => "ROLE",
            Self::TrustRelationship => "TRUST_RELATIONSHIP",
            Self::Scim => "SCIM",
            Self::Tag => "TAG",
            Self::MasterApiKey => "MASTER_API_KEY",
            Self::Invite => "INVITE",
            Self::MetadataField => "METADATA_FIELD",
            Self::FeatureExport => "FEATURE_EXPORT",
            Self::FeatureImport => "FEATURE_IMPORT",
            Self::FeatureHealth => "FEATURE_HEALTH",
            Self::CodeReferences => "CODE_REFERENCES",
            Self::ExternalResource => "EXTERNAL_RESOURCE",
            Self::ImportRequest => "IMPORT_REQUEST",
            Self::Experiment => "EXPERIMENT",
            Self::Metric => "METRIC",
            Self::Cohort => "COHORT",
            Self::WarehouseConnection => "WAREHOUSE_CONNECTION",
            Self::ChangeRequest => "CHANGE_REQUEST",
            Self::ChangeRequestComment => "CHANGE_REQUEST_COMMENT",
            Self::ReleasePipeline => "RELEASE_PIPELINE",
            Self::SamlConfiguration => "SAML_CONFIGURATION",
            Self::AudienceSync => "AUDIENCE_SYNC",
            Self::Webhook => "WEBHOOK",
            Self::Integration => "INTEGRATION",
        }
    }
}

/// What happened to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
}

/// Builds one entry of the change log. Scope and audit line are added with the methods.
#[derive(Debug, Clone)]
pub struct Change(NewChange);

impl Change {
    /// A change by this author (mostly a [`Caller`](crate::Caller)) to this object, now.
    pub fn new<'a>(author: impl Into<Author<'a>>, kind: Kind, action: Action, id: i64) -> Self {
        let author = author.into();
        let mut change = Self::by_nobody(kind, action, id);
        change.0.user_id = author.user_id;
        change.0.api_key_id = author.api_key_id;
        change
    }

    /// A change nobody signed for: sign-up, set-up, the product itself.
    pub fn by_nobody(kind: Kind, action: Action, id: i64) -> Self {
        Self(NewChange {
            at: Timestamp::now().0,
            object_type: kind.as_str(),
            object_id: id,
            action: match action {
                Action::Create => "CREATE",
                Action::Update => "UPDATE",
                Action::Delete => "DELETE",
            },
            ..NewChange::default()
        })
    }

    /// Who did it after all, where no [`Caller`] is at hand: somebody who just signed up.
    #[must_use]
    pub fn by_user(mut self, user_id: i64) -> Self {
        self.0.user_id = Some(user_id);
        self
    }

    /// It concerns the organisation as a whole.
    #[must_use]
    pub fn in_organisation(mut self, organisation_id: i64) -> Self {
        self.0.organisation_id = Some(organisation_id);
        self
    }

    /// It concerns the project, that is all its environments.
    #[must_use]
    pub fn in_project(mut self, project: &Project) -> Self {
        self.0.organisation_id = Some(project.organisation_id);
        self.0.project_id = Some(project.id);
        self
    }

    /// It concerns one environment.
    #[must_use]
    pub fn in_environment(mut self, place: &Place) -> Self {
        self = self.in_project(&place.project);
        self.0.environment_id = Some(place.environment.id);
        self
    }

    /// Its uuid, where it has one.
    #[must_use]
    pub fn uuid(mut self, uuid: &str) -> Self {
        self.0.object_uuid = Some(uuid.to_owned());
        self
    }

    /// Its line in the audit log, where the reference has one. Without, it gets a plain one of ours.
    #[must_use]
    pub fn says(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// An answer of the SDK API may differ because of it.
    #[must_use]
    pub fn serves(mut self) -> Self {
        self.0.serves = true;
        self
    }

    /// [`Change::serves`], when it is so.
    #[must_use]
    pub fn serves_if(mut self, serves: bool) -> Self {
        self.0.serves = serves;
        self
    }

    /// What the object was before.
    #[must_use]
    pub fn before(mut self, value: Value) -> Self {
        self.0.before = Some(value);
        self
    }

    /// What the object is now.
    #[must_use]
    pub fn after(mut self, value: Value) -> Self {
        self.0.after = Some(value);
        self
    }
}

impl From<Change> for NewChange {
    fn from(change: Change) -> Self {
        let mut change = change.0;
        if change.message.is_none() {
            change.message = Some(plain_line(&change));
        }
        change
    }
}

/// Where an object's name stands in what the log keeps of it.
const NAMES: [&str; 7] = ["name", "label", "title", "email", "identifier", "trait", "role"];

/// What the audit log says of a change for which nobody found words: `Tag created: beta`.
fn plain_line(change: &NewChange) -> String {
    let noun = change.object_type.to_lowercase().replace('_', " ");
    let (first, rest) = noun.split_at_checked(1).unwrap_or_default();
    let verb = match change.action {
        "CREATE" => "created",
        "DELETE" => "deleted",
        _ => "updated",
    };
    let name = [&change.after, &change.before]
        .into_iter()
        .flatten()
        .find_map(|value| NAMES.iter().find_map(|key| value.get(key)?.as_str()));
    let line = format!("{}{rest} {verb}", first.to_uppercase());
    name.map_or(line.clone(), |name| format!("{line}: {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_without_words_of_its_own_still_gets_a_line() {
        let made = |change: Change| NewChange::from(change).message.unwrap_or_default();
        let tag = Change::by_nobody(Kind::Tag, Action::Create, 1).after(json!({"label": "beta"}));
        assert_eq!(made(tag), "Tag created: beta");
        let key = Change::by_nobody(Kind::MasterApiKey, Action::Delete, 1).before(json!({"name": "ci"}));
        assert_eq!(made(key), "Master api key deleted: ci");
        let nameless = Change::by_nobody(Kind::Permission, Action::Update, 1);
        assert_eq!(made(nameless), "Permission updated");
        let said = Change::by_nobody(Kind::Segment, Action::Update, 1).says("Segment updated: s");
        assert_eq!(made(said), "Segment updated: s");
    }
}

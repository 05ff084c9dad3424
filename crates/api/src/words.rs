//! Closed sets of words that answers are made of and no body is read as. Those that bodies are read as are declared
//! beside them; the document has both as enumerations.

use burgee_model::permissions::{EnvironmentPermission, OrganisationPermission, ProjectPermission};
use utoipa::openapi::{RefOr, Schema};

use crate::choices;
use crate::fields::one_of;

choices! {
    /// What happened to an object.
    pub enum AuditChangeType { Create = "CREATE", Update = "UPDATE", Delete = "DELETE", Unknown = "UNKNOWN" }
}

choices! {
    /// Where the members of a cohort come from.
    pub enum CohortSource { Csv = "csv" }
}

choices! {
    /// How far the copy of identity overrides to the "edge" store is.
    pub enum EdgeV2MigrationStatus {
        NotStarted = "NOT_STARTED",
        InProgress = "IN_PROGRESS",
        Complete = "COMPLETE",
        Incomplete = "INCOMPLETE",
    }
}

choices! {
    /// How far the move of identities to the "edge" store is.
    pub enum EdgeMigrationStatus {
        NotApplicable = "NOT_APPLICABLE",
        NotStarted = "MIGRATION_NOT_STARTED",
        Scheduled = "MIGRATION_SCHEDULED",
        InProgress = "MIGRATION_IN_PROGRESS",
        Completed = "MIGRATION_COMPLETED",
    }
}

choices! {
    /// How far an experiment is.
    pub enum ExperimentStatus { Created = "created", Running = "running", Paused = "paused", Completed = "completed" }
}

choices! {
    /// How far a file of features is.
    pub enum FeatureFileStatus { Success = "SUCCESS", Processing = "PROCESSING", Failed = "FAILED" }
}

choices! {
    /// A stage in the life of a feature.
    pub enum FeatureLifecycleStage {
        New = "new",
        Live = "live",
        Stale = "stale",
        Permanent = "permanent",
        NeedsMonitoring = "needs_monitoring",
        ToRemove = "to_remove",
    }
}

choices! {
    /// What an event says of a feature's health.
    pub enum HealthEventType { Unhealthy = "UNHEALTHY", Healthy = "HEALTHY" }
}

choices! {
    /// How taking over a project went; `incomplete` when something could not be taken over.
    pub enum ImportResult { Success = "success", Failure = "failure", Incomplete = "incomplete" }
}

choices! {
    /// Why OpenFeature's evaluation came out as it did.
    pub enum OfrepReason {
        Fixed = "STATIC",
        TargetingMatch = "TARGETING_MATCH",
        Split = "SPLIT",
        Disabled = "DISABLED",
    }
}

choices! {
    /// A kind of event stream.
    pub enum OfrepStreamType { Sse = "sse" }
}

choices! {
    /// A second factor.
    pub enum SecondFactorMethod { App = "app" }
}

choices! {
    /// What keeps a segment; people do where it is empty.
    pub enum SegmentManager { Cohort = "cohort", People = "" }
}

choices! {
    /// What puts a tag on features; people do where it is `NONE`.
    pub enum TagType {
        None = "NONE",
        Stale = "STALE",
        Github = "GITHUB",
        Unhealthy = "UNHEALTHY",
        Gitlab = "GITLAB",
    }
}

choices! {
    /// How a connection to a data warehouse is.
    pub enum WarehouseStatus {
        Created = "created",
        Pending = "pending_connection",
        Connected = "connected",
        Errored = "errored",
    }
}

/// Declares the name of a schema that is made of what the model has.
macro_rules! of_model {
    ($(#[doc = $doc:literal])* pub struct $name:ident: $words:expr;) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of(concat!($($doc),*), &$words)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

of_model! {
    /// A permission of any level.
    pub struct PermissionKey: {
        let organisation = OrganisationPermission::ALL.iter().map(|permission| permission.key());
        let project = ProjectPermission::ALL.iter().map(|permission| permission.key());
        let environment = EnvironmentPermission::ALL.iter().map(|permission| permission.key());
        organisation.chain(project).chain(environment).collect::<Vec<_>>()
    };
}

of_model! {
    /// How a condition compares.
    pub struct ConditionOperator: {
        burgee_model::segments::Operator::ALL.iter().map(|operator| operator.as_str()).collect::<Vec<_>>()
    };
}

//! The permission keys of each level, with the texts the dashboard shows in its permission editor.
//!
//! `ALL` of each level is in the order in which `GET …/permissions/` serves it. Flagsmith also has a
//! constant `EDIT_FEATURE`, which nothing grants, checks or serves; it is left out.

use serde::{Deserialize, Serialize};

/// Declares one level: the enum, its wire keys, descriptions and whether a grant can be limited to tags.
macro_rules! permission_level {
    ($(#[$doc:meta])* $level:ident { $($(#[$variant_doc:meta])* $variant:ident = $key:literal, $description:literal, $tag:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $level {
            $($(#[$variant_doc])* #[serde(rename = $key)] $variant,)+
        }

        impl $level {
            /// All keys of this level, in the served order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The key on the wire and in the database.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)+ }
            }

            /// What the dashboard says about it.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }

            /// Whether a grant can be limited to features that carry certain tags.
            pub const fn supports_tag(self) -> bool {
                match self { $(Self::$variant => $tag,)+ }
            }

            /// The permission of a wire key (exact, case-sensitive); `None` for a key this level does not have.
            pub fn from_key(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $level {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.key())
            }
        }
    };
}

permission_level! {
    /// What a member may do in an organisation. Its administrators may do everything.
    OrganisationPermission {
        /// Create projects.
        CreateProject = "CREATE_PROJECT", "Allows the user to create projects in this organisation.", false;
        /// Create, change and delete groups and their members.
        ManageUserGroups = "MANAGE_USER_GROUPS", "Allows the user to manage the groups in the organisation and their members.", false;
    }
}

permission_level! {
    /// What a member may do in a project. Its administrators may do everything in it and its environments.
    ProjectPermission {
        /// See the project at all; not implied by any other key.
        ViewProject = "VIEW_PROJECT", "View permission for the given project.", false;
        /// Create environments.
        CreateEnvironment = "CREATE_ENVIRONMENT", "Ability to create an environment in the given project.", false;
        /// Delete features.
        DeleteFeature = "DELETE_FEATURE", "Ability to delete features in the given project.", true;
        /// Create features.
        CreateFeature = "CREATE_FEATURE", "Ability to create features in the given project.", false;
        /// Create, change and delete segments.
        ManageSegments = "MANAGE_SEGMENTS", "Ability to manage segments in the given project.", false;
        /// Create, delete and publish change requests of the project.
        ManageProjectLevelChangeRequests = "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ability to create, delete, and publish change requests associated with a project.", false;
        /// Approve change requests of the project.
        ApproveProjectLevelChangeRequests = "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ability to approve project level change requests.", false;
        /// Create change requests of the project.
        CreateProjectLevelChangeRequests = "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ability to create project level change requests.", false;
        /// Create, change and delete tags.
        ManageTags = "MANAGE_TAGS", "Allows the user to manage tags in the given project.", false;
        /// Read the audit log.
        ViewAuditLog = "VIEW_AUDIT_LOG", "Allows the user to view the audit logs for this project.", false;
    }
}

permission_level! {
    /// What a member may do in an environment. Its administrators may do everything in it.
    EnvironmentPermission {
        /// See the environment at all; not implied by any other key.
        ViewEnvironment = "VIEW_ENVIRONMENT", "View permission for the given environment.", false;
        /// Change the state and value of features.
        UpdateFeatureState = "UPDATE_FEATURE_STATE", "Update the state or value for a given feature state.", true;
        /// Create, change and delete identities and their overrides.
        ManageIdentities = "MANAGE_IDENTITIES", "Manage identities in the given environment.", false;
        /// Create change requests.
        CreateChangeRequest = "CREATE_CHANGE_REQUEST", "Permission to create change requests in the given environment.", true;
        /// Approve change requests.
        ApproveChangeRequest = "APPROVE_CHANGE_REQUEST", "Permission to approve change requests in the given environment.", true;
        /// Read identities.
        ViewIdentities = "VIEW_IDENTITIES", "View identities in the given environment.", false;
        /// Create, change and delete segment overrides.
        ManageSegmentOverrides = "MANAGE_SEGMENT_OVERRIDES", "Permission to manage segment overrides in the given environment", true;
    }
}

/// Whether the permission with this key, of whichever level, can be limited to features with certain tags.
pub fn supports_tag(key: &str) -> bool {
    ProjectPermission::from_key(key).is_some_and(ProjectPermission::supports_tag)
        || EnvironmentPermission::from_key(key).is_some_and(EnvironmentPermission::supports_tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_served_in_the_recorded_order() {
        let keys: Vec<_> = OrganisationPermission::ALL.iter().map(|p| p.key()).collect();
        assert_eq!(keys, ["CREATE_PROJECT", "MANAGE_USER_GROUPS"]);
        let keys: Vec<_> = ProjectPermission::ALL.iter().map(|p| p.key()).collect();
        assert_eq!(
            keys,
            [
                "VIEW_PROJECT",
                "CREATE_ENVIRONMENT",
                "DELETE_FEATURE",
                "CREATE_FEATURE",
                "MANAGE_SEGMENTS",
                "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS",
                "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS",
                "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS",
                "MANAGE_TAGS",
                "VIEW_AUDIT_LOG",
            ]
        );
        let keys: Vec<_> = EnvironmentPermission::ALL.iter().map(|p| p.key()).collect();
        assert_eq!(
            keys,
            [
                "VIEW_ENVIRONMENT",
                "UPDATE_FEATURE_STATE",
                "MANAGE_IDENTITIES",
                "CREATE_CHANGE_REQUEST",
                "APPROVE_CHANGE_REQUEST",
                "VIEW_IDENTITIES",
                "MANAGE_SEGMENT_OVERRIDES",
            ]
        );
    }

    #[test]
    fn only_five_permissions_can_be_limited_to_tags() {
        let project: Vec<_> = ProjectPermission::ALL
            .iter()
            .filter(|p| p.supports_tag())
            .collect();
        assert_eq!(project, [&ProjectPermission::DeleteFeature]);
        let environment: Vec<_> = EnvironmentPermission::ALL
            .iter()
            .filter(|p| p.supports_tag())
            .collect();
        assert_eq!(
            environment,
            [
                &EnvironmentPermission::UpdateFeatureState,
                &EnvironmentPermission::CreateChangeRequest,
                &EnvironmentPermission::ApproveChangeRequest,
                &EnvironmentPermission::ManageSegmentOverrides,
            ]
        );
        assert!(!OrganisationPermission::ALL.iter().any(|p| p.supports_tag()));
    }

    #[test]
    fn keys_are_read_back_exactly() {
        for permission in ProjectPermission::ALL {
            assert_eq!(ProjectPermission::from_key(permission.key()), Some(*permission));
            let json = serde_json::to_string(permission).expect("a string");
            assert_eq!(json, format!("\"{permission}\""));
            assert_eq!(
                serde_json::from_str::<ProjectPermission>(&json).ok(),
                Some(*permission)
            );
        }
        assert_eq!(ProjectPermission::from_key("view_project"), None);
        assert_eq!(ProjectPermission::from_key("VIEW_ENVIRONMENT"), None);
    }
}

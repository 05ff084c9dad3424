//! `[limits]`: how much a new project may hold, and how much an organisation may ask.

use serde::Deserialize;

use super::values::between;

/// How much a new project may hold; 0: as much as it likes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Features of a project.
    #[serde(deserialize_with = "between::<0, 1_000_000_000, _, _>")]
    pub features_per_project: u32,
    /// Segments of a project.
    #[serde(deserialize_with = "between::<0, 1_000_000_000, _, _>")]
    pub segments_per_project: u32,
    /// Segment overrides in an environment.
    #[serde(deserialize_with = "between::<0, 1_000_000_000, _, _>")]
    pub segment_overrides_per_environment: u32,
    /// Calls of the SDK API in 30 days.
    #[serde(deserialize_with = "between::<0, 1_000_000_000_000, _, _>")]
    api_calls_per_organisation: u64,
    /// Members of an organisation.
    #[serde(deserialize_with = "between::<0, 1_000_000, _, _>")]
    seats_per_organisation: u32,
}

impl Limits {
    /// Members that an organisation has seats for.
    pub fn seats(&self) -> Option<i64> {
        (self.seats_per_organisation > 0).then_some(i64::from(self.seats_per_organisation))
    }

    /// Calls of the SDK API that an organisation may make in 30 days before its administrators are told.
    pub fn api_calls(&self) -> Option<i64> {
        let limit = i64::try_from(self.api_calls_per_organisation).ok()?;
        (limit > 0).then_some(limit)
    }

    /// The same in the words of the application.
    pub fn of_projects(&self) -> burgee_app::settings::ProjectLimits {
        let limit = |most: u32| (most > 0).then_some(i64::from(most));
        burgee_app::settings::ProjectLimits {
            features: limit(self.features_per_project),
            segments: limit(self.segments_per_project),
            segment_overrides: limit(self.segment_overrides_per_environment),
        }
    }
}

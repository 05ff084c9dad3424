//! What is not served: versions that were, that are to be, and drafts; and what is to change at its time.

use super::{Snapshot, VERSIONS_TABLE};
use crate::Result;

/// The feature states of a history, as their ids: of environments with versions, those of every version; of the others,
/// those that begin later or belong to a change request.
const STATES: &str = "
    SELECT s.id FROM features_featurestate s JOIN environments_environment e ON e.id = s.environment_id
    WHERE s.identity_id IS NULL AND {not_deleted}
      AND CASE WHEN e.use_v2_feature_versioning
          THEN s.environment_feature_version_id IN (
              SELECT uuid FROM feature_versioning_environmentfeatureversion WHERE deleted_at IS NULL)
          ELSE s.environment_feature_version_id IS NULL
               AND ((s.version IS NOT NULL AND s.live_from > now()) OR s.change_request_id IS NOT NULL) END";

impl Snapshot<'_> {
    /// Whether it is of a version that keeps a history.
    pub fn has_history(&self) -> bool {
        self.flagsmith.has(VERSIONS_TABLE)
            && self
                .flagsmith
                .has_column("environments_environment", "use_v2_feature_versioning")
            && [
                "version",
                "live_from",
                "change_request_id",
                "environment_feature_version_id",
            ]
            .into_iter()
            .all(|column| self.flagsmith.has_column("features_featurestate", column))
    }

    /// Versions of environments that have versions, as JSON texts, in the order in which they were made; `has_begun`
    /// says whether they are, or were, served.
    pub async fn versions(&mut self) -> Result<Vec<String>> {
        let text = format!(
            "SELECT CAST(row_to_json(r) AS TEXT) FROM (
                 SELECT v.*, (v.published_at IS NOT NULL AND COALESCE(v.live_from <= now(), FALSE)) AS has_begun
                 FROM {VERSIONS_TABLE} v JOIN environments_environment e ON e.id = v.environment_id
                 WHERE v.deleted_at IS NULL AND e.use_v2_feature_versioning
                 ORDER BY v.created_at, v.uuid) r"
        );
        self.fetch(text).await
    }

    fn history(&self) -> String {
        STATES.replace(
            "{not_deleted}",
            &self.flagsmith.not_deleted("features_featurestate", "s"),
        )
    }

    /// The feature states of the history, with their values.
    pub async fn states_of_history(&mut self) -> Result<Vec<String>> {
        let condition = format!("s.id IN ({})", self.history());
        self.fetch(self.flagsmith.states(&condition)).await
    }

    /// The option weights of those.
    pub async fn weights_of_history(&mut self) -> Result<Vec<String>> {
        let text = format!(
            "SELECT CAST(row_to_json(t) AS TEXT) FROM multivariate_multivariatefeaturestatevalue t
             WHERE feature_state_id IN ({}) ORDER BY id",
            self.history()
        );
        self.fetch(text).await
    }

    /// The links to segments of those.
    pub async fn links_of_history(&mut self) -> Result<Vec<String>> {
        let text = format!(
            "SELECT CAST(row_to_json(t) AS TEXT) FROM features_featuresegment t
             WHERE id IN (SELECT feature_segment_id FROM features_featurestate WHERE id IN ({})) ORDER BY id",
            self.history()
        );
        self.fetch(text).await
    }

    /// Change sets that are not applied yet or belong to a change request, as JSON texts.
    pub async fn change_sets(&mut self) -> Result<Vec<String>> {
        const TABLE: &str = "feature_versioning_versionchangeset";
        if !self.flagsmith.has(TABLE) {
            return Ok(Vec::new());
        }
        self.fetch(format!(
            "SELECT CAST(row_to_json(r) AS TEXT) FROM (
                 SELECT c.*, (c.published_at IS NOT NULL AND COALESCE(c.live_from > now(), FALSE)) AS is_later
                 FROM {TABLE} c JOIN environments_environment e ON e.id = c.environment_id
                 WHERE c.deleted_at IS NULL AND e.use_v2_feature_versioning
                   AND (c.change_request_id IS NOT NULL
                        OR (c.published_at IS NOT NULL AND COALESCE(c.live_from > now(), FALSE)))
                 ORDER BY c.id) r"
        ))
        .await
    }
}

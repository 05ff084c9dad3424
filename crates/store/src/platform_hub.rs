//! Sums over whole organisations.

use crate::db::id_list;
use crate::release_pipelines::StageAction;
use crate::{Result, Tx, row, sql};

row! {
    /// What an organisation has of everything.
    pub struct OrganisationSums {
        pub id: i64,
        pub name: String,
        pub created_at: i64,
        pub users: i64,
        pub projects: i64,
        pub environments: i64,
        pub features: i64,
        pub segments: i64,
    }
}

/// What organisations have of everything; by id.
pub async fn sums(tx: &mut Tx, organisation_ids: &[i64]) -> Result<Vec<OrganisationSums>> {
    let ids = id_list(organisation_ids);
    sql!(
        tx,
        fetch_all as OrganisationSums,
        sqlite: "SELECT o.id AS id, o.name AS name, o.created_at AS created_at,
                   (SELECT COUNT(*) FROM organisation_members m WHERE m.organisation_id = o.id) AS users,
                   (SELECT COUNT(*) FROM projects p WHERE p.organisation_id = o.id) AS projects,
                   (SELECT COUNT(*) FROM environments e JOIN projects p ON p.id = e.project_id
                    WHERE p.organisation_id = o.id) AS environments,
                   (SELECT COUNT(*) FROM features f JOIN projects p ON p.id = f.project_id
                    WHERE p.organisation_id = o.id) AS features,
                   (SELECT COUNT(*) FROM segments s JOIN projects p ON p.id = s.project_id
                    WHERE p.organisation_id = o.id) AS segments
                 FROM organisations o WHERE o.id IN (SELECT value FROM json_each($1)) ORDER BY o.id",
        postgres: "SELECT o.id AS id, o.name AS name, o.created_at AS created_at,
                   (SELECT COUNT(*) FROM organisation_members m WHERE m.organisation_id = o.id) AS users,
                   (SELECT COUNT(*) FROM projects p WHERE p.organisation_id = o.id) AS projects,
                   (SELECT COUNT(*) FROM environments e JOIN projects p ON p.id = e.project_id
                    WHERE p.organisation_id = o.id) AS environments,
                   (SELECT COUNT(*) FROM features f JOIN projects p ON p.id = f.project_id
                    WHERE p.organisation_id = o.id) AS features,
                   (SELECT COUNT(*) FROM segments s JOIN projects p ON p.id = s.project_id
                    WHERE p.organisation_id = o.id) AS segments
                   FROM organisations o WHERE o.id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))) ORDER BY o.id",
        ids.as_str()
    )
}

row! {
    /// How often a kind of integration is set up, at one level of an organisation.
    pub struct IntegrationSums {
        pub organisation_id: i64,
        pub organisation_name: String,
        pub kind: String,
        /// `organisation`, `project` or `environment`.
        pub scope: String,
        pub count: i64,
    }
}

/// The integrations of organisations, by kind and level.
pub async fn integrations(tx: &mut Tx, organisation_ids: &[i64]) -> Result<Vec<IntegrationSums>> {
    let ids = id_list(organisation_ids);
    sql!(
        tx,
        fetch_all as IntegrationSums,
        sqlite: "SELECT organisation_id, organisation_name, kind, scope, COUNT(*) AS count
                 FROM (SELECT o.id AS organisation_id, o.name AS organisation_name, i.kind AS kind,
                           CASE WHEN i.environment_id IS NOT NULL THEN 'environment'
                                WHEN i.project_id IS NOT NULL THEN 'project' ELSE 'organisation' END AS scope
                       FROM integrations i LEFT JOIN environments e ON e.id = i.environment_id
                       LEFT JOIN projects p ON p.id = COALESCE(i.project_id, e.project_id)
                       JOIN organisations o ON o.id = COALESCE(i.organisation_id, p.organisation_id)) AS found
                 WHERE organisation_id IN (SELECT value FROM json_each($1))
                 GROUP BY organisation_id, organisation_name, kind, scope ORDER BY organisation_id, kind, scope",
        postgres: "SELECT organisation_id, organisation_name, kind, scope, COUNT(*) AS count
                   FROM (SELECT o.id AS organisation_id, o.name AS organisation_name, i.kind AS kind,
                             CASE WHEN i.environment_id IS NOT NULL THEN 'environment'
                                  WHEN i.project_id IS NOT NULL THEN 'project' ELSE 'organisation' END AS scope
                         FROM integrations i LEFT JOIN environments e ON e.id = i.environment_id
                         LEFT JOIN projects p ON p.id = COALESCE(i.project_id, e.project_id)
                         JOIN organisations o ON o.id = COALESCE(i.organisation_id, p.organisation_id)) AS found
                   WHERE organisation_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   GROUP BY organisation_id, organisation_name, kind, scope ORDER BY organisation_id, kind, scope",
        ids.as_str()
    )
}

row! {
    /// A release pipeline, with how many features are in it and how many of them have been through.
    pub struct PipelineSums {
        pub organisation_id: i64,
        pub organisation_name: String,
        pub project_id: i64,
        pub project_name: String,
        pub id: i64,
        pub name: String,
        pub published_at: Option<i64>,
        pub features: i64,
        pub completed: i64,
    }
}

row! {
    /// A stage, with how many features are in it and how many have left it.
    pub struct StageSums {
        pub id: i64,
        pub pipeline_id: i64,
        pub name: String,
        pub environment_name: String,
        pub position: i64,
        pub trigger_type: String,
        /// JSON, as it was given.
        pub trigger_body: String,
        pub features: i64,
        pub completed: i64,
    }
}

/// The release pipelines of organisations, oldest first.
pub async fn pipelines(tx: &mut Tx, organisation_ids: &[i64]) -> Result<Vec<PipelineSums>> {
    let ids = id_list(organisation_ids);
    sql!(
        tx,
        fetch_all as PipelineSums,
        sqlite: "SELECT o.id AS organisation_id, o.name AS organisation_name, p.id AS project_id,
                     p.name AS project_name, r.id AS id, r.name AS name, r.published_at AS published_at,
                     COUNT(f.id) AS features, COUNT(f.completed_at) AS completed
                 FROM release_pipelines r JOIN projects p ON p.id = r.project_id
                 JOIN organisations o ON o.id = p.organisation_id
                 LEFT JOIN pipeline_features f ON f.pipeline_id = r.id
                 WHERE o.id IN (SELECT value FROM json_each($1))
                 GROUP BY o.id, o.name, p.id, p.name, r.id, r.name, r.published_at ORDER BY r.id",
        postgres: "SELECT o.id AS organisation_id, o.name AS organisation_name, p.id AS project_id,
                       p.name AS project_name, r.id AS id, r.name AS name, r.published_at AS published_at,
                       COUNT(f.id) AS features, COUNT(f.completed_at) AS completed
                   FROM release_pipelines r JOIN projects p ON p.id = r.project_id
                   JOIN organisations o ON o.id = p.organisation_id
                   LEFT JOIN pipeline_features f ON f.pipeline_id = r.id
                   WHERE o.id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   GROUP BY o.id, o.name, p.id, p.name, r.id, r.name, r.published_at ORDER BY r.id",
        ids.as_str()
    )
}

/// The stages of these pipelines, in their order. A feature has left the stages before its own, and all when it is
/// through.
pub async fn stages(tx: &mut Tx, pipeline_ids: &[i64]) -> Result<Vec<StageSums>> {
    let ids = id_list(pipeline_ids);
    sql!(
        tx,
        fetch_all as StageSums,
        sqlite: "SELECT s.id AS id, s.pipeline_id AS pipeline_id, s.name AS name, e.name AS environment_name,
                     s.position AS position, s.trigger_type AS trigger_type, s.trigger_body AS trigger_body,
                     COUNT(CASE WHEN f.completed_at IS NULL AND f.position = s.position THEN 1 END) AS features,
                     COUNT(CASE WHEN f.completed_at IS NOT NULL OR f.position > s.position THEN 1 END) AS completed
                 FROM pipeline_stages s JOIN environments e ON e.id = s.environment_id
                 LEFT JOIN pipeline_features f ON f.pipeline_id = s.pipeline_id
                 WHERE s.pipeline_id IN (SELECT value FROM json_each($1))
                 GROUP BY s.id, s.pipeline_id, s.name, e.name, s.position, s.trigger_type, s.trigger_body
                 ORDER BY s.pipeline_id, s.position",
        postgres: "SELECT s.id AS id, s.pipeline_id AS pipeline_id, s.name AS name, e.name AS environment_name,
                       s.position AS position, s.trigger_type AS trigger_type, s.trigger_body AS trigger_body,
                       COUNT(CASE WHEN f.completed_at IS NULL AND f.position = s.position THEN 1 END) AS features,
                       COUNT(CASE WHEN f.completed_at IS NOT NULL OR f.position > s.position THEN 1 END) AS completed
                   FROM pipeline_stages s JOIN environments e ON e.id = s.environment_id
                   LEFT JOIN pipeline_features f ON f.pipeline_id = s.pipeline_id
                   WHERE s.pipeline_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   GROUP BY s.id, s.pipeline_id, s.name, e.name, s.position, s.trigger_type, s.trigger_body
                   ORDER BY s.pipeline_id, s.position",
        ids.as_str()
    )
}

/// What the stages of these pipelines do, in the order in which it was given.
pub async fn actions(tx: &mut Tx, pipeline_ids: &[i64]) -> Result<Vec<StageAction>> {
    let ids = id_list(pipeline_ids);
    sql!(
        tx,
        fetch_all as StageAction,
        sqlite: "SELECT a.* FROM pipeline_actions a JOIN pipeline_stages s ON s.id = a.stage_id
                 WHERE s.pipeline_id IN (SELECT value FROM json_each($1)) ORDER BY a.id",
        postgres: "SELECT a.* FROM pipeline_actions a JOIN pipeline_stages s ON s.id = a.stage_id
                   WHERE s.pipeline_id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON))) ORDER BY a.id",
        ids.as_str()
    )
}

row! {
    /// How many features of a project are stale.
    pub struct Staleness {
        pub organisation_id: i64,
        pub organisation_name: String,
        pub project_id: i64,
        pub project_name: String,
        pub features: i64,
        pub stale: i64,
    }
}

/// How many features are marked stale, by project.
pub async fn staleness(tx: &mut Tx, organisation_ids: &[i64]) -> Result<Vec<Staleness>> {
    let ids = id_list(organisation_ids);
    sql!(
        tx,
        fetch_all as Staleness,
        sqlite: "SELECT o.id AS organisation_id, o.name AS organisation_name, p.id AS project_id,
                     p.name AS project_name, COUNT(DISTINCT f.id) AS features,
                     COUNT(DISTINCT CASE WHEN t.type = 'STALE' THEN f.id END) AS stale
                 FROM projects p JOIN organisations o ON o.id = p.organisation_id
                 LEFT JOIN features f ON f.project_id = p.id
                 LEFT JOIN feature_tags l ON l.feature_id = f.id LEFT JOIN tags t ON t.id = l.tag_id
                 WHERE o.id IN (SELECT value FROM json_each($1))
                 GROUP BY o.id, o.name, p.id, p.name ORDER BY p.id",
        postgres: "SELECT o.id AS organisation_id, o.name AS organisation_name, p.id AS project_id,
                       p.name AS project_name, COUNT(DISTINCT f.id) AS features,
                       COUNT(DISTINCT CASE WHEN t.type = 'STALE' THEN f.id END) AS stale
                   FROM projects p JOIN organisations o ON o.id = p.organisation_id
                   LEFT JOIN features f ON f.project_id = p.id
                   LEFT JOIN feature_tags l ON l.feature_id = f.id LEFT JOIN tags t ON t.id = l.tag_id
                   WHERE o.id IN
                   (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   GROUP BY o.id, o.name, p.id, p.name ORDER BY p.id",
        ids.as_str()
    )
}

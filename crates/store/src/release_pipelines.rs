//! Release pipelines: their stages, what these do, and where features are on their way.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// The way of features through environments.
    pub struct Pipeline {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub name: String,
        pub description: Option<String>,
        pub created_at: i64,
        /// Without it: a draft.
        pub published_at: Option<i64>,
        pub published_by: Option<i64>,
    }
}

row! {
    /// A stop on the way.
    pub struct Stage {
        pub id: i64,
        pub pipeline_id: i64,
        pub environment_id: i64,
        pub name: String,
        pub position: i64,
        /// `ON_ENTER` or `WAIT_FOR`.
        pub trigger_type: String,
        /// JSON, as it was given.
        pub trigger_body: String,
    }
}

row! {
    /// What a stage does.
    pub struct StageAction {
        pub id: i64,
        pub stage_id: i64,
        pub action_type: String,
        /// JSON, as it was given.
        pub action_body: String,
    }
}

row! {
    /// A feature on its way.
    pub struct Traveller {
        pub id: i64,
        pub pipeline_id: i64,
        pub feature_id: i64,
        /// The position of the stage it is in.
        pub position: i64,
        pub entered_at: i64,
        /// When the stage acts. Without it: it has.
        pub due_at: Option<i64>,
        pub completed_at: Option<i64>,
        /// Why it goes no further.
        pub failure: Option<String>,
        pub user_id: Option<i64>,
        pub api_key_id: Option<i64>,
    }
}

row! {
    /// A feature that is on for more and more people.
    pub struct Rollout {
        pub id: i64,
        pub pipeline_feature_id: i64,
        pub stage_id: i64,
        pub environment_id: i64,
        pub segment_id: Option<i64>,
        pub initial_split: f64,
        pub increase_by: f64,
        /// Seconds.
        pub increase_every: i64,
        pub current_split: f64,
        /// When it grows next. Without it: it is complete.
        pub next_at: Option<i64>,
        pub updated_at: i64,
    }
}

/// The pipelines of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Pipeline>> {
    sql!(
        tx,
        fetch_all as Pipeline,
        "SELECT * FROM release_pipelines WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// One pipeline of a project.
pub async fn find(tx: &mut Tx, project_id: i64, id: i64) -> Result<Option<Pipeline>> {
    sql!(
        tx,
        fetch_optional as Pipeline,
        "SELECT * FROM release_pipelines WHERE project_id = $1 AND id = $2",
        project_id,
        id
    )
}

/// Writes a new pipeline (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, p: &Pipeline) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO release_pipelines (uuid, project_id, name, description, created_at, published_at, published_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        &p.uuid,
        p.project_id,
        &p.name,
        p.description.as_deref(),
        p.created_at,
        p.published_at,
        p.published_by
    )?;
    Ok(id)
}

/// Writes what may change of a pipeline.
pub async fn update(tx: &mut Tx, p: &Pipeline) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE release_pipelines SET name = $2, description = $3, published_at = $4, published_by = $5 WHERE id = $1",
        p.id,
        &p.name,
        p.description.as_deref(),
        p.published_at,
        p.published_by
    )
}

/// Deletes a pipeline with its stages.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM release_pipelines WHERE id = $1", id)
}

/// The stages of all pipelines of a project, in their order.
pub async fn stages_of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<Stage>> {
    sql!(
        tx,
        fetch_all as Stage,
        "SELECT s.* FROM pipeline_stages s JOIN release_pipelines p ON p.id = s.pipeline_id
         WHERE p.project_id = $1 ORDER BY s.pipeline_id, s.position",
        project_id
    )
}

/// The stages of a pipeline, in their order.
pub async fn stages(tx: &mut Tx, pipeline_id: i64) -> Result<Vec<Stage>> {
    sql!(
        tx,
        fetch_all as Stage,
        "SELECT * FROM pipeline_stages WHERE pipeline_id = $1 ORDER BY position",
        pipeline_id
    )
}

/// What the stages of a pipeline do, in the order in which it was given.
pub async fn actions(tx: &mut Tx, pipeline_id: i64) -> Result<Vec<StageAction>> {
    sql!(
        tx,
        fetch_all as StageAction,
        "SELECT a.* FROM pipeline_actions a JOIN pipeline_stages s ON s.id = a.stage_id
         WHERE s.pipeline_id = $1 ORDER BY a.id",
        pipeline_id
    )
}

/// Writes a new stage (its `id` is ignored) and returns its id.
pub async fn insert_stage(tx: &mut Tx, s: &Stage) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO pipeline_stages (pipeline_id, environment_id, name, position, trigger_type, trigger_body)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        s.pipeline_id,
        s.environment_id,
        &s.name,
        s.position,
        &s.trigger_type,
        &s.trigger_body
    )?;
    Ok(id)
}

/// Writes a new action (its `id` is ignored) and returns its id.
pub async fn insert_action(tx: &mut Tx, a: &StageAction) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO pipeline_actions (stage_id, action_type, action_body) VALUES ($1, $2, $3) RETURNING id",
        a.stage_id,
        &a.action_type,
        &a.action_body
    )?;
    Ok(id)
}

/// Deletes the stages of a pipeline with what they do.
pub async fn delete_stages(tx: &mut Tx, pipeline_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM pipeline_stages WHERE pipeline_id = $1",
        pipeline_id
    )
}

/// The features of all pipelines of a project, first those that were added first.
pub async fn travellers_of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<Traveller>> {
    sql!(
        tx,
        fetch_all as Traveller,
        "SELECT f.* FROM pipeline_features f JOIN release_pipelines p ON p.id = f.pipeline_id
         WHERE p.project_id = $1 ORDER BY f.id",
        project_id
    )
}

/// The features of a pipeline, first those that were added first.
pub async fn travellers(tx: &mut Tx, pipeline_id: i64) -> Result<Vec<Traveller>> {
    sql!(
        tx,
        fetch_all as Traveller,
        "SELECT * FROM pipeline_features WHERE pipeline_id = $1 ORDER BY id",
        pipeline_id
    )
}

/// Where a feature is in the pipelines it was added to.
pub async fn of_feature(tx: &mut Tx, feature_id: i64) -> Result<Vec<Traveller>> {
    sql!(
        tx,
        fetch_all as Traveller,
        "SELECT * FROM pipeline_features WHERE feature_id = $1 ORDER BY id",
        feature_id
    )
}

/// One feature on its way.
pub async fn find_traveller(tx: &mut Tx, id: i64) -> Result<Option<Traveller>> {
    sql!(
        tx,
        fetch_optional as Traveller,
        "SELECT * FROM pipeline_features WHERE id = $1",
        id
    )
}

/// The ids of those for whom something is to be done now.
pub async fn due(tx: &mut Tx, now: i64) -> Result<Vec<i64>> {
    let rows: Vec<Id> = sql!(
        tx,
        fetch_all as Id,
        "SELECT f.id FROM pipeline_features f
         WHERE f.completed_at IS NULL AND f.failure IS NULL
           AND (f.due_at <= $1
                OR EXISTS (SELECT 1 FROM pipeline_rollouts r WHERE r.pipeline_feature_id = f.id AND r.next_at <= $1)
                OR (f.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM pipeline_rollouts r
                        WHERE r.pipeline_feature_id = f.id AND r.next_at IS NOT NULL)))
         ORDER BY f.id",
        now
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Writes a feature that begins its way (its `id` is ignored) and returns its id.
pub async fn insert_traveller(tx: &mut Tx, t: &Traveller) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO pipeline_features (pipeline_id, feature_id, position, entered_at, due_at, completed_at, failure,
             user_id, api_key_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
        t.pipeline_id,
        t.feature_id,
        t.position,
        t.entered_at,
        t.due_at,
        t.completed_at,
        t.failure.as_deref(),
        t.user_id,
        t.api_key_id
    )?;
    Ok(id)
}

/// Writes where a feature is.
pub async fn update_traveller(tx: &mut Tx, t: &Traveller) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE pipeline_features SET position = $2, entered_at = $3, due_at = $4, completed_at = $5, failure = $6
         WHERE id = $1",
        t.id,
        t.position,
        t.entered_at,
        t.due_at,
        t.completed_at,
        t.failure.as_deref()
    )
}

/// Takes a feature off its way.
pub async fn delete_traveller(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM pipeline_features WHERE id = $1", id)
}

/// The rollouts of a pipeline, oldest first.
pub async fn rollouts(tx: &mut Tx, pipeline_id: i64) -> Result<Vec<Rollout>> {
    sql!(
        tx,
        fetch_all as Rollout,
        "SELECT r.* FROM pipeline_rollouts r JOIN pipeline_features f ON f.id = r.pipeline_feature_id
         WHERE f.pipeline_id = $1 ORDER BY r.id",
        pipeline_id
    )
}

/// The rollouts of one feature that are not complete.
pub async fn open_rollouts(tx: &mut Tx, traveller_id: i64) -> Result<Vec<Rollout>> {
    sql!(
        tx,
        fetch_all as Rollout,
        "SELECT * FROM pipeline_rollouts WHERE pipeline_feature_id = $1 AND next_at IS NOT NULL ORDER BY id",
        traveller_id
    )
}

/// Writes a new rollout (its `id` is ignored) and returns its id.
pub async fn insert_rollout(tx: &mut Tx, r: &Rollout) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO pipeline_rollouts (pipeline_feature_id, stage_id, environment_id, segment_id, initial_split,
             increase_by, increase_every, current_split, next_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        r.pipeline_feature_id,
        r.stage_id,
        r.environment_id,
        r.segment_id,
        r.initial_split,
        r.increase_by,
        r.increase_every,
        r.current_split,
        r.next_at,
        r.updated_at
    )?;
    Ok(id)
}

/// Writes how far a rollout is.
pub async fn update_rollout(tx: &mut Tx, r: &Rollout) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE pipeline_rollouts SET segment_id = $2, current_split = $3, next_at = $4, updated_at = $5 WHERE id = $1",
        r.id,
        r.segment_id,
        r.current_split,
        r.next_at,
        r.updated_at
    )
}

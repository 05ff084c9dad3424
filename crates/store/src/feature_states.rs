//! Feature states: environment defaults, segment overrides and identity overrides.

use burgee_model::FlagValue;

use crate::db::{Id, id_list};
use crate::{Result, Tx, row, sql};

row! {
    /// What a feature is in an environment, for everyone, for a segment or for an identity.
    pub struct FeatureState {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub environment_id: i64,
        pub identity_id: Option<i64>,
        pub feature_segment_id: Option<i64>,
        pub enabled: bool,
        /// `unicode`, `int` or `bool`: which of the three values counts. The others keep what they last held.
        pub r#type: String,
        pub string_value: Option<String>,
        pub integer_value: Option<i64>,
        pub boolean_value: Option<bool>,
        pub hash_seed: Option<i64>,
        pub version: i64,
        pub live_from: i64,
        pub created_at: i64,
        pub updated_at: i64,
        /// The version it is served from, in an environment that has them.
        pub version_uuid: Option<String>,
        /// The change request that made it what it is.
        pub change_request_id: Option<i64>,
    }
}

row! {
    /// How much of the traffic a feature state gives to an option.
    pub struct StateOption {
        pub id: i64,
        pub uuid: String,
        pub feature_state_id: i64,
        pub option_id: i64,
        /// Percent, 0 to 100.
        pub percentage_allocation: f64,
    }
}

row! {
    /// An identity that has overrides, as the environment document lists it.
    pub struct OverriddenIdentity {
        pub id: i64,
        pub identifier: String,
        pub created_at: i64,
        pub hash_seed: Option<i64>,
    }
}

row! {
    /// How many overrides a feature has in an environment.
    pub struct OverrideCount {
        pub feature_id: i64,
        pub segments: i64,
        pub identities: i64,
    }
}

/// The value of three typed columns: the one that `type` names.
pub fn typed_value(kind: &str, text: Option<&str>, number: Option<i64>, truth: Option<bool>) -> FlagValue {
    match kind {
        "int" => number.map_or(FlagValue::Null, FlagValue::Int),
        "bool" => truth.map_or(FlagValue::Null, FlagValue::Bool),
        _ => text.map_or(FlagValue::Null, |t| FlagValue::Text(t.to_owned())),
    }
}

impl FeatureState {
    /// The value this state serves.
    pub fn value(&self) -> FlagValue {
        typed_value(
            &self.r#type,
            self.string_value.as_deref(),
            self.integer_value,
            self.boolean_value,
        )
    }

    /// What buckets are computed from: stable across copies of the state.
    pub fn hash_seed(&self) -> i64 {
        self.hash_seed.unwrap_or(self.id)
    }
}

/// Every live feature state of an environment, in the order of their ids.
pub async fn list(tx: &mut Tx, environment_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states WHERE environment_id = $1 ORDER BY id",
        environment_id
    )
}

/// The option weights of every feature state of an environment, in the order of their ids.
pub async fn options_of_environment(tx: &mut Tx, environment_id: i64) -> Result<Vec<StateOption>> {
    sql!(
        tx,
        fetch_all as StateOption,
        "SELECT o.* FROM feature_state_options o JOIN feature_states s ON s.id = o.feature_state_id
         WHERE s.environment_id = $1 ORDER BY o.id",
        environment_id
    )
}

/// The identities of an environment that have overrides.
pub async fn overridden_identities(tx: &mut Tx, environment_id: i64) -> Result<Vec<OverriddenIdentity>> {
    sql!(
        tx,
        fetch_all as OverriddenIdentity,
        "SELECT id, identifier, created_at, hash_seed FROM identities
         WHERE id IN (SELECT identity_id FROM feature_states WHERE environment_id = $1 AND identity_id IS NOT NULL)
         ORDER BY id",
        environment_id
    )
}

/// One feature state.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<FeatureState>> {
    sql!(
        tx,
        fetch_optional as FeatureState,
        "SELECT * FROM feature_states WHERE id = $1",
        id
    )
}

/// One feature state by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<FeatureState>> {
    sql!(
        tx,
        fetch_optional as FeatureState,
        "SELECT * FROM feature_states WHERE uuid = $1",
        uuid
    )
}

/// The states of an environment that concern everyone or a segment, not those of identities, in the order of their ids.
pub async fn of_environment(tx: &mut Tx, environment_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states WHERE environment_id = $1 AND identity_id IS NULL ORDER BY id",
        environment_id
    )
}

/// The states a feature has in an environment, for everyone or for a segment, in the order of their ids.
pub async fn of_feature(tx: &mut Tx, environment_id: i64, feature_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states
         WHERE environment_id = $1 AND feature_id = $2 AND identity_id IS NULL ORDER BY id",
        environment_id,
        feature_id
    )
}

/// The states of a feature that concern everyone or a segment, in all environments, in the order of their ids.
pub async fn shared_of_feature(tx: &mut Tx, feature_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states WHERE feature_id = $1 AND identity_id IS NULL ORDER BY id",
        feature_id
    )
}

/// The environment defaults a feature has, in the order of their ids.
pub async fn defaults_of_feature(tx: &mut Tx, feature_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states
         WHERE feature_id = $1 AND identity_id IS NULL AND feature_segment_id IS NULL ORDER BY id",
        feature_id
    )
}

/// The overrides a feature has for identities, in all environments, in the order of their ids; at most so many.
pub async fn identities_of_feature(tx: &mut Tx, feature_id: i64, limit: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states WHERE feature_id = $1 AND identity_id IS NOT NULL ORDER BY id LIMIT $2",
        feature_id,
        limit
    )
}

/// The overrides for a segment, of all features in all environments, in the order of their ids.
pub async fn of_segment(tx: &mut Tx, segment_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT s.* FROM feature_states s JOIN feature_segments l ON l.id = s.feature_segment_id
         WHERE l.segment_id = $1 ORDER BY s.id",
        segment_id
    )
}

/// The state of a segment override.
pub async fn of_feature_segment(tx: &mut Tx, feature_segment_id: i64) -> Result<Option<FeatureState>> {
    sql!(
        tx,
        fetch_optional as FeatureState,
        "SELECT * FROM feature_states WHERE feature_segment_id = $1",
        feature_segment_id
    )
}

/// The overrides of one identity, in the order of their ids.
pub async fn of_identity(tx: &mut Tx, identity_id: i64) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states WHERE identity_id = $1 ORDER BY id",
        identity_id
    )
}

/// One page of the identity overrides of an environment, of one feature or of all.
pub async fn identity_overrides(
    tx: &mut Tx,
    environment_id: i64,
    feature_id: Option<i64>,
    limit: i64,
    offset: i64,
) -> Result<Vec<FeatureState>> {
    sql!(
        tx,
        fetch_all as FeatureState,
        "SELECT * FROM feature_states
         WHERE environment_id = $1 AND identity_id IS NOT NULL
           AND (CAST($2 AS BIGINT) IS NULL OR feature_id = $2)
         ORDER BY id LIMIT $3 OFFSET $4",
        environment_id,
        feature_id,
        limit,
        offset
    )
}

/// How many identity overrides an environment has, of one feature or of all.
pub async fn count_identity_overrides(
    tx: &mut Tx,
    environment_id: i64,
    feature_id: Option<i64>,
) -> Result<i64> {
    let (count,): (i64,) = sql!(
        tx,
        fetch_one as (i64,),
        "SELECT COUNT(*) AS count FROM feature_states
         WHERE environment_id = $1 AND identity_id IS NOT NULL
           AND (CAST($2 AS BIGINT) IS NULL OR feature_id = $2)",
        environment_id,
        feature_id
    )?;
    Ok(count)
}

/// How many overrides the features of an environment have; features without any are left out.
pub async fn count_overrides(tx: &mut Tx, environment_id: i64) -> Result<Vec<OverrideCount>> {
    sql!(
        tx,
        fetch_all as OverrideCount,
        "SELECT feature_id, CAST(COUNT(feature_segment_id) AS BIGINT) AS segments,
                CAST(COUNT(identity_id) AS BIGINT) AS identities
         FROM feature_states
         WHERE environment_id = $1 AND (feature_segment_id IS NOT NULL OR identity_id IS NOT NULL)
         GROUP BY feature_id",
        environment_id
    )
}

/// Writes a new feature state (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, s: &FeatureState) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_states (uuid, feature_id, environment_id, identity_id, feature_segment_id, enabled, type,
             string_value, integer_value, boolean_value, hash_seed, version, live_from, created_at, updated_at,
             version_uuid, change_request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id",
        &s.uuid,
        s.feature_id,
        s.environment_id,
        s.identity_id,
        s.feature_segment_id,
        s.enabled,
        &s.r#type,
        s.string_value.as_deref(),
        s.integer_value,
        s.boolean_value,
        s.hash_seed,
        s.version,
        s.live_from,
        s.created_at,
        s.updated_at,
        s.version_uuid.as_deref(),
        s.change_request_id
    )?;
    Ok(id)
}

/// An id for a state that is written later, with [`insert_as`].
pub async fn reserve_id(tx: &mut Tx) -> Result<i64> {
    crate::db::reserve_id(tx, "feature_states").await
}

/// Writes a new feature state under the id it has already.
pub async fn insert_as(tx: &mut Tx, s: &FeatureState) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO feature_states (id, uuid, feature_id, environment_id, identity_id, feature_segment_id, enabled,
             type, string_value, integer_value, boolean_value, hash_seed, version, live_from, created_at, updated_at,
             version_uuid, change_request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        s.id,
        &s.uuid,
        s.feature_id,
        s.environment_id,
        s.identity_id,
        s.feature_segment_id,
        s.enabled,
        &s.r#type,
        s.string_value.as_deref(),
        s.integer_value,
        s.boolean_value,
        s.hash_seed,
        s.version,
        s.live_from,
        s.created_at,
        s.updated_at,
        s.version_uuid.as_deref(),
        s.change_request_id
    )
}

/// Deletes the default and the segment overrides of a feature in an environment, the links of these as well.
pub async fn delete_shared(tx: &mut Tx, environment_id: i64, feature_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_segments WHERE environment_id = $1 AND feature_id = $2",
        environment_id,
        feature_id
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM feature_states WHERE environment_id = $1 AND feature_id = $2 AND identity_id IS NULL",
        environment_id,
        feature_id
    )
}

/// Writes which version the default and the segment overrides of a feature are served from.
pub async fn set_version(
    tx: &mut Tx,
    (environment_id, feature_id): (i64, i64),
    version_uuid: &str,
) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_states SET version_uuid = $3
         WHERE environment_id = $1 AND feature_id = $2 AND identity_id IS NULL",
        environment_id,
        feature_id,
        version_uuid
    )
}

/// The states of an environment come from no version any more.
pub async fn clear_versions(tx: &mut Tx, environment_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_states SET version_uuid = NULL WHERE environment_id = $1",
        environment_id
    )
}

/// Writes state and value of a feature state.
pub async fn update(tx: &mut Tx, s: &FeatureState) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_states SET enabled = $2, type = $3, string_value = $4, integer_value = $5,
             boolean_value = $6, updated_at = $7, version = $8, live_from = $9, change_request_id = $10
         WHERE id = $1",
        s.id,
        s.enabled,
        &s.r#type,
        s.string_value.as_deref(),
        s.integer_value,
        s.boolean_value,
        s.updated_at,
        s.version,
        s.live_from,
        s.change_request_id
    )
}

/// Deletes a feature state with its allocations.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM feature_states WHERE id = $1", id)
}

row! {
    /// An identity by name.
    pub struct Identifier {
        pub id: i64,
        pub identifier: String,
    }
}

/// The identifiers of these identities.
pub async fn identifiers(tx: &mut Tx, identity_ids: &[i64]) -> Result<Vec<Identifier>> {
    sql!(
        tx,
        fetch_all as Identifier,
        sqlite: "SELECT id, identifier FROM identities WHERE id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT id, identifier FROM identities
                   WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))",
        id_list(identity_ids)
    )
}

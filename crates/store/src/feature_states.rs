//! Feature states: environment defaults, segment overrides and identity overrides.

use burgee_model::FlagValue;

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
        "SELECT id, identifier, created_at FROM identities
         WHERE id IN (SELECT identity_id FROM feature_states WHERE environment_id = $1 AND identity_id IS NOT NULL)
         ORDER BY id",
        environment_id
    )
}

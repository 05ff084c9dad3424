//! Features and their multivariate options.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A feature of a project.
    pub struct Feature {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub name: String,
        /// The name in lower case: names are unique whatever their case.
        pub name_key: String,
        /// `STANDARD` or `MULTIVARIATE`.
        pub r#type: String,
        pub default_enabled: bool,
        pub initial_value: Option<String>,
        pub description: Option<String>,
        pub is_archived: bool,
        pub is_server_key_only: bool,
        pub created_at: i64,
    }
}

row! {
    /// A value that a multivariate feature may serve instead of its control value.
    pub struct MultivariateOption {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub key: Option<String>,
        /// `unicode`, `int` or `bool`: which of the three values counts.
        pub r#type: String,
        pub string_value: Option<String>,
        pub integer_value: Option<i64>,
        pub boolean_value: Option<bool>,
        /// Percent, 0 to 100.
        pub default_percentage_allocation: f64,
    }
}

/// The features of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Feature>> {
    sql!(
        tx,
        fetch_all as Feature,
        "SELECT * FROM features WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// One feature.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Feature>> {
    sql!(
        tx,
        fetch_optional as Feature,
        "SELECT * FROM features WHERE id = $1",
        id
    )
}

/// The multivariate options of all features of a project, in the order of their ids.
pub async fn options_of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<MultivariateOption>> {
    sql!(
        tx,
        fetch_all as MultivariateOption,
        "SELECT o.* FROM multivariate_options o JOIN features f ON f.id = o.feature_id
         WHERE f.project_id = $1 ORDER BY o.id",
        project_id
    )
}

impl MultivariateOption {
    /// The value it serves.
    pub fn value(&self) -> burgee_model::FlagValue {
        crate::feature_states::typed_value(
            &self.r#type,
            self.string_value.as_deref(),
            self.integer_value,
            self.boolean_value,
        )
    }
}

/// One feature by its uuid.
pub async fn find_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<Feature>> {
    sql!(
        tx,
        fetch_optional as Feature,
        "SELECT * FROM features WHERE uuid = $1",
        uuid
    )
}

/// One feature of a project by its name, whatever its case.
pub async fn find_by_name(tx: &mut Tx, project_id: i64, name_key: &str) -> Result<Option<Feature>> {
    sql!(
        tx,
        fetch_optional as Feature,
        "SELECT * FROM features WHERE project_id = $1 AND name_key = $2",
        project_id,
        name_key
    )
}

/// Writes a new feature (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, f: &Feature) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO features (uuid, project_id, name, name_key, type, default_enabled, initial_value, description,
             is_archived, is_server_key_only, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        &f.uuid,
        f.project_id,
        &f.name,
        &f.name_key,
        &f.r#type,
        f.default_enabled,
        f.initial_value.as_deref(),
        f.description.as_deref(),
        f.is_archived,
        f.is_server_key_only,
        f.created_at
    )?;
    Ok(id)
}

/// Writes what may change of a feature.
pub async fn update(tx: &mut Tx, f: &Feature) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE features SET type = $2, description = $3, is_archived = $4, is_server_key_only = $5 WHERE id = $1",
        f.id,
        &f.r#type,
        f.description.as_deref(),
        f.is_archived,
        f.is_server_key_only
    )
}

/// Deletes a feature with its options and states.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM features WHERE id = $1", id)
}

/// The multivariate options of one feature, in the order of their ids.
pub async fn options(tx: &mut Tx, feature_id: i64) -> Result<Vec<MultivariateOption>> {
    sql!(
        tx,
        fetch_all as MultivariateOption,
        "SELECT * FROM multivariate_options WHERE feature_id = $1 ORDER BY id",
        feature_id
    )
}

/// One option by its uuid.
pub async fn find_option_by_uuid(tx: &mut Tx, uuid: &str) -> Result<Option<MultivariateOption>> {
    sql!(
        tx,
        fetch_optional as MultivariateOption,
        "SELECT * FROM multivariate_options WHERE uuid = $1",
        uuid
    )
}

/// Writes a new option (its `id` is ignored) and returns its id.
pub async fn insert_option(tx: &mut Tx, o: &MultivariateOption) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO multivariate_options (uuid, feature_id, key, type, string_value, integer_value, boolean_value,
             default_percentage_allocation)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        &o.uuid,
        o.feature_id,
        o.key.as_deref(),
        &o.r#type,
        o.string_value.as_deref(),
        o.integer_value,
        o.boolean_value,
        o.default_percentage_allocation
    )?;
    Ok(id)
}

/// Writes every changeable column of an option.
pub async fn update_option(tx: &mut Tx, o: &MultivariateOption) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE multivariate_options SET key = $2, type = $3, string_value = $4, integer_value = $5,
             boolean_value = $6, default_percentage_allocation = $7
         WHERE id = $1",
        o.id,
        o.key.as_deref(),
        &o.r#type,
        o.string_value.as_deref(),
        o.integer_value,
        o.boolean_value,
        o.default_percentage_allocation
    )
}

/// Deletes an option with its allocations.
pub async fn delete_option(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM multivariate_options WHERE id = $1", id)
}

/// Makes other writers of this feature's options and priorities wait until the transaction ends.
///
/// Sums over several rows (percentages, priorities) hold only when one writer at a time changes them.
pub async fn lock(tx: &mut Tx, id: i64) -> Result<()> {
    let _: Option<(i64,)> = sql!(
        tx,
        fetch_optional as (i64,),
        sqlite: "SELECT id FROM features WHERE id = $1",
        postgres: "SELECT id FROM features WHERE id = $1 FOR UPDATE",
        id
    )?;
    Ok(())
}

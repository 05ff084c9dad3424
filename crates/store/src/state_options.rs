//! How feature states share out their traffic to multivariate options.

use crate::db::{Id, id_list};
use crate::feature_states::StateOption;
use crate::{Result, Tx, sql};

/// The allocations of these feature states, in the order of their ids.
pub async fn of_states(tx: &mut Tx, state_ids: &[i64]) -> Result<Vec<StateOption>> {
    if state_ids.is_empty() {
        return Ok(Vec::new());
    }
    sql!(
        tx,
        fetch_all as StateOption,
        sqlite: "SELECT * FROM feature_state_options
                 WHERE feature_state_id IN (SELECT value FROM json_each($1)) ORDER BY id",
        postgres: "SELECT * FROM feature_state_options
                   WHERE feature_state_id IN
                         (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($1 AS JSON)))
                   ORDER BY id",
        id_list(state_ids)
    )
}

/// Writes a new allocation (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, o: &StateOption) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO feature_state_options (uuid, feature_state_id, option_id, percentage_allocation)
         VALUES ($1, $2, $3, $4) RETURNING id",
        &o.uuid,
        o.feature_state_id,
        o.option_id,
        o.percentage_allocation
    )?;
    Ok(id)
}

/// An id for an allocation that is written later, with [`insert_as`].
pub async fn reserve_id(tx: &mut Tx) -> Result<i64> {
    crate::db::reserve_id(tx, "feature_state_options").await
}

/// Writes a new allocation under the id it has already.
pub async fn insert_as(tx: &mut Tx, o: &StateOption) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO feature_state_options (id, uuid, feature_state_id, option_id, percentage_allocation)
         VALUES ($1, $2, $3, $4, $5)",
        o.id,
        &o.uuid,
        o.feature_state_id,
        o.option_id,
        o.percentage_allocation
    )
}

/// Writes the percentage of an allocation.
pub async fn set_percentage(tx: &mut Tx, id: i64, percentage: f64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_state_options SET percentage_allocation = $2 WHERE id = $1",
        id,
        percentage
    )
}

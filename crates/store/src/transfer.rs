//! Statements that only moving whole projects needs: rows under the numbers they had, and many identities at once.

use crate::{Result, Tx, row, sql};

row! {
    /// An identity with all that is stored of it.
    pub struct WholeIdentity {
        pub id: i64,
        pub identifier: String,
        pub traits: String,
        pub created_at: i64,
        pub dashboard_alias: Option<String>,
        pub hash_seed: Option<i64>,
    }
}

/// Some identities of an environment after the one with an id, in the order of their ids.
pub async fn identities(
    tx: &mut Tx,
    environment_id: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<WholeIdentity>> {
    sql!(
        tx,
        fetch_all as WholeIdentity,
        "SELECT id, identifier, traits, created_at, dashboard_alias, hash_seed FROM identities
         WHERE environment_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        environment_id,
        after,
        limit
    )
}

/// Writes new identities under the numbers they had, where those and their identifiers are free. `rows` is a JSON list
/// of `[id, identifier, traits as text, created_at, alias, seed]`. The seed is what buckets are computed from where they
/// are not from identifiers; it is kept only where it is not the number of the row itself.
pub async fn keep_identities(tx: &mut Tx, environment_id: i64, rows: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO identities (id, environment_id, identifier, traits, created_at, dashboard_alias, hash_seed)
                 SELECT r.value ->> 0, $1, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4,
                        NULLIF(r.value ->> 5, r.value ->> 0)
                 FROM json_each($2) r WHERE r.value ->> 0 > 0
                 ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO identities (id, environment_id, identifier, traits, created_at, dashboard_alias, hash_seed)
                   SELECT CAST(r.value ->> 0 AS BIGINT), $1, r.value ->> 1, r.value ->> 2,
                          CAST(r.value ->> 3 AS BIGINT), r.value ->> 4,
                          NULLIF(CAST(r.value ->> 5 AS BIGINT), CAST(r.value ->> 0 AS BIGINT))
                   FROM json_array_elements(CAST($2 AS JSON)) r WHERE CAST(r.value ->> 0 AS BIGINT) > 0
                   ON CONFLICT DO NOTHING",
        environment_id,
        rows
    )
}

/// Writes identities, over those of the same identifier that are there. `rows` is as above.
pub async fn put_identities(tx: &mut Tx, environment_id: i64, rows: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        sqlite: "INSERT INTO identities (environment_id, identifier, traits, created_at, dashboard_alias, hash_seed)
                 SELECT $1, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5
                 FROM json_each($2) r WHERE TRUE
                 ON CONFLICT (environment_id, identifier) DO UPDATE
                 SET traits = excluded.traits, dashboard_alias = excluded.dashboard_alias,
                     hash_seed = NULLIF(COALESCE(excluded.hash_seed, identities.hash_seed), identities.id)",
        postgres: "INSERT INTO identities (environment_id, identifier, traits, created_at, dashboard_alias, hash_seed)
                   SELECT DISTINCT ON (r.value ->> 1) $1, r.value ->> 1, r.value ->> 2,
                          CAST(r.value ->> 3 AS BIGINT), r.value ->> 4, CAST(r.value ->> 5 AS BIGINT)
                   FROM json_array_elements(CAST($2 AS JSON)) r
                   ON CONFLICT (environment_id, identifier) DO UPDATE
                   SET traits = excluded.traits, dashboard_alias = excluded.dashboard_alias,
                       hash_seed = NULLIF(COALESCE(excluded.hash_seed, identities.hash_seed), identities.id)",
        environment_id,
        rows
    )
}

/// Sets what the buckets of an identity are computed from, where they are not from its identifier.
pub async fn set_identity_seed(tx: &mut Tx, id: i64, seed: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE identities SET hash_seed = NULLIF($2, id) WHERE id = $1",
        id,
        seed
    )
}

/// Lets further rows be numbered after those that were written under numbers of their own. SQLite does so by itself.
pub async fn catch_up_numbers(tx: &mut Tx) -> Result<()> {
    sql!(
        tx,
        execute,
        sqlite: "SELECT 0 AS next",
        postgres: "SELECT setval(pg_get_serial_sequence('segments', 'id'), GREATEST(MAX(id),
                       nextval(pg_get_serial_sequence('segments', 'id')))) AS next FROM segments"
    )?;
    sql!(
        tx,
        execute,
        sqlite: "SELECT 0 AS next",
        postgres: "SELECT setval(pg_get_serial_sequence('identities', 'id'), GREATEST(MAX(id),
                       nextval(pg_get_serial_sequence('identities', 'id')))) AS next FROM identities"
    )?;
    Ok(())
}

/// Sets what the buckets of a state are computed from.
pub async fn set_hash_seed(tx: &mut Tx, state_id: i64, seed: Option<i64>) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE feature_states SET hash_seed = $2 WHERE id = $1",
        state_id,
        seed
    )
}

/// Takes the weights of a state away.
pub async fn clear_weights(tx: &mut Tx, state_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_state_options WHERE feature_state_id = $1",
        state_id
    )
}

/// Whether some environment has this server-side key.
pub async fn server_key_exists(tx: &mut Tx, key: &str) -> Result<bool> {
    let row: Option<(i64,)> = sql!(
        tx,
        fetch_optional as (i64,),
        "SELECT id FROM server_keys WHERE key = $1",
        key
    )?;
    Ok(row.is_some())
}

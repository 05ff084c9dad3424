//! Trust relationships: whose tokens are taken in exchange for tokens of ours.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// A trust relationship with how its key is named and whether that administers the organisation.
    pub struct TrustRelationship {
        pub id: i64,
        pub organisation_id: i64,
        pub name: String,
        pub issuer: String,
        pub audience: String,
        /// A JSON list of `{"claim", "values"}`.
        pub claim_rules: String,
        pub master_api_key_id: i64,
        pub created_by: Option<i64>,
        pub created_at: i64,
        pub prefix: String,
        pub is_admin: bool,
    }
}

/// The trust relationships of an organisation, oldest first.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<TrustRelationship>> {
    sql!(
        tx,
        fetch_all as TrustRelationship,
        "SELECT t.*, k.prefix AS prefix, k.is_admin AS is_admin
         FROM trust_relationships t JOIN master_api_keys k ON k.id = t.master_api_key_id
         WHERE t.organisation_id = $1 ORDER BY t.id",
        organisation_id
    )
}

/// All that trust an issuer, oldest first.
pub async fn of_issuer(tx: &mut Tx, issuer: &str) -> Result<Vec<TrustRelationship>> {
    sql!(
        tx,
        fetch_all as TrustRelationship,
        "SELECT t.*, k.prefix AS prefix, k.is_admin AS is_admin
         FROM trust_relationships t JOIN master_api_keys k ON k.id = t.master_api_key_id
         WHERE t.issuer = $1 ORDER BY t.id",
        issuer
    )
}

/// One of an organisation.
pub async fn find(tx: &mut Tx, organisation_id: i64, id: i64) -> Result<Option<TrustRelationship>> {
    sql!(
        tx,
        fetch_optional as TrustRelationship,
        "SELECT t.*, k.prefix AS prefix, k.is_admin AS is_admin
         FROM trust_relationships t JOIN master_api_keys k ON k.id = t.master_api_key_id
         WHERE t.organisation_id = $1 AND t.id = $2",
        organisation_id,
        id
    )
}

/// Writes a new one (its `id`, `prefix` and `is_admin` are ignored) and returns its id.
pub async fn insert(tx: &mut Tx, t: &TrustRelationship) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO trust_relationships (organisation_id, name, issuer, audience, claim_rules, master_api_key_id,
             created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        t.organisation_id,
        &t.name,
        &t.issuer,
        &t.audience,
        &t.claim_rules,
        t.master_api_key_id,
        t.created_by,
        t.created_at
    )?;
    Ok(id)
}

/// Writes the changeable columns of one.
pub async fn update(tx: &mut Tx, t: &TrustRelationship) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE trust_relationships SET name = $2, issuer = $3, audience = $4, claim_rules = $5 WHERE id = $1",
        t.id,
        &t.name,
        &t.issuer,
        &t.audience,
        &t.claim_rules
    )
}

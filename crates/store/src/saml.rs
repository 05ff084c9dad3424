//! SAML: identity providers of organisations, and what of their answers must be remembered.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

row! {
    /// An identity provider of an organisation.
    pub struct SamlConfiguration {
        pub id: i64,
        pub organisation_id: i64,
        /// Unique in the installation: it stands in the addresses.
        pub name: String,
        /// Where the browser goes once it is signed in.
        pub frontend_url: String,
        pub idp_metadata_xml: Option<String>,
        pub allow_idp_initiated: bool,
        /// Whether a superuser vouches for it.
        pub trusted: bool,
        pub created_at: i64,
    }
}

row! {
    /// Which attribute of the provider says what of a user.
    pub struct SamlAttributeMapping {
        pub id: i64,
        pub saml_configuration_id: i64,
        pub django_attribute_name: String,
        pub idp_attribute_name: String,
    }
}

/// The configurations of an organisation, oldest first.
pub async fn list(tx: &mut Tx, organisation_id: i64) -> Result<Vec<SamlConfiguration>> {
    sql!(
        tx,
        fetch_all as SamlConfiguration,
        "SELECT * FROM saml_configurations WHERE organisation_id = $1 ORDER BY id",
        organisation_id
    )
}

/// The configuration with this name.
pub async fn find_by_name(tx: &mut Tx, name: &str) -> Result<Option<SamlConfiguration>> {
    sql!(
        tx,
        fetch_optional as SamlConfiguration,
        "SELECT * FROM saml_configurations WHERE name = $1",
        name
    )
}

/// The configuration with this id.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<SamlConfiguration>> {
    sql!(
        tx,
        fetch_optional as SamlConfiguration,
        "SELECT * FROM saml_configurations WHERE id = $1",
        id
    )
}

/// Writes a new configuration (its `id` is ignored) and returns its id.
pub async fn insert(tx: &mut Tx, c: &SamlConfiguration) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO saml_configurations
             (organisation_id, name, frontend_url, idp_metadata_xml, allow_idp_initiated, trusted, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        c.organisation_id,
        &c.name,
        &c.frontend_url,
        c.idp_metadata_xml.as_deref(),
        c.allow_idp_initiated,
        c.trusted,
        c.created_at
    )?;
    Ok(id)
}

/// Writes what can be changed of a configuration.
pub async fn update(tx: &mut Tx, c: &SamlConfiguration) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE saml_configurations
         SET organisation_id = $2, name = $3, frontend_url = $4, idp_metadata_xml = $5, allow_idp_initiated = $6,
             trusted = $7
         WHERE id = $1",
        c.id,
        c.organisation_id,
        &c.name,
        &c.frontend_url,
        c.idp_metadata_xml.as_deref(),
        c.allow_idp_initiated,
        c.trusted
    )
}

/// Deletes a configuration with its mappings.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(tx, execute, "DELETE FROM saml_configurations WHERE id = $1", id)
}

/// The mappings of a configuration, oldest first.
pub async fn mappings(tx: &mut Tx, configuration_id: i64) -> Result<Vec<SamlAttributeMapping>> {
    sql!(
        tx,
        fetch_all as SamlAttributeMapping,
        "SELECT * FROM saml_attribute_mappings WHERE saml_configuration_id = $1 ORDER BY id",
        configuration_id
    )
}

/// One mapping.
pub async fn find_mapping(tx: &mut Tx, id: i64) -> Result<Option<SamlAttributeMapping>> {
    sql!(
        tx,
        fetch_optional as SamlAttributeMapping,
        "SELECT * FROM saml_attribute_mappings WHERE id = $1",
        id
    )
}

/// Writes a new mapping (its `id` is ignored) and returns its id.
pub async fn insert_mapping(tx: &mut Tx, m: &SamlAttributeMapping) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO saml_attribute_mappings (saml_configuration_id, django_attribute_name, idp_attribute_name)
         VALUES ($1, $2, $3) RETURNING id",
        m.saml_configuration_id,
        &m.django_attribute_name,
        &m.idp_attribute_name
    )?;
    Ok(id)
}

/// Writes a mapping.
pub async fn update_mapping(tx: &mut Tx, m: &SamlAttributeMapping) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE saml_attribute_mappings
         SET saml_configuration_id = $2, django_attribute_name = $3, idp_attribute_name = $4 WHERE id = $1",
        m.id,
        m.saml_configuration_id,
        &m.django_attribute_name,
        &m.idp_attribute_name
    )
}

/// Deletes a mapping.
pub async fn delete_mapping(tx: &mut Tx, id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM saml_attribute_mappings WHERE id = $1",
        id
    )
}

/// Remembers a request until it is answered.
pub async fn insert_request(tx: &mut Tx, id: &str, configuration_id: i64, expires_at: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO saml_requests (id, saml_configuration_id, expires_at) VALUES ($1, $2, $3)",
        id,
        configuration_id,
        expires_at
    )
}

/// Takes a request that is answered. Whether it was open: it can't be answered again.
pub async fn take_request(tx: &mut Tx, id: &str, configuration_id: i64, now: i64) -> Result<bool> {
    let taken = sql!(
        tx,
        execute,
        "DELETE FROM saml_requests WHERE id = $1 AND saml_configuration_id = $2 AND expires_at > $3",
        id,
        configuration_id,
        now
    )?;
    Ok(taken == 1)
}

/// Remembers an assertion. Whether it is new: one that is not was used before.
pub async fn use_assertion(
    tx: &mut Tx,
    configuration_id: i64,
    assertion: &str,
    expires_at: i64,
) -> Result<bool> {
    let written = sql!(
        tx,
        execute,
        "INSERT INTO saml_assertions (saml_configuration_id, assertion, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (saml_configuration_id, assertion) DO NOTHING",
        configuration_id,
        assertion,
        expires_at
    )?;
    Ok(written == 1)
}

/// Forgets requests and assertions whose time is over.
pub async fn forget_old(tx: &mut Tx, now: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM saml_requests WHERE expires_at <= $1",
        now
    )?;
    sql!(
        tx,
        execute,
        "DELETE FROM saml_assertions WHERE expires_at <= $1",
        now
    )
}

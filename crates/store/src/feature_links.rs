//! What features are linked to: tags, owners and groups that own them.

use crate::db::id_list;
use crate::{Result, Tx, row, sql};

row! {
    /// A feature carries a tag.
    pub struct TagLink {
        pub feature_id: i64,
        pub tag_id: i64,
    }
}

row! {
    /// A user owns a feature.
    pub struct Owner {
        pub feature_id: i64,
        pub id: i64,
        pub uuid: String,
        pub email: String,
        pub first_name: String,
        pub last_name: String,
        pub last_login: Option<i64>,
    }
}

row! {
    /// A group owns a feature.
    pub struct GroupOwner {
        pub feature_id: i64,
        pub id: i64,
        pub name: String,
    }
}

/// The tags of one feature, or of all features of the project.
pub async fn tags(tx: &mut Tx, project_id: i64, feature_id: Option<i64>) -> Result<Vec<TagLink>> {
    sql!(
        tx,
        fetch_all as TagLink,
        "SELECT l.feature_id AS feature_id, l.tag_id AS tag_id
         FROM feature_tags l JOIN features f ON f.id = l.feature_id
         WHERE f.project_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR f.id = $2)
         ORDER BY l.feature_id, l.tag_id",
        project_id,
        feature_id
    )
}

/// The ids of the tags a feature carries.
pub async fn tag_ids(tx: &mut Tx, feature_id: i64) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sql!(
        tx,
        fetch_all as (i64,),
        "SELECT tag_id FROM feature_tags WHERE feature_id = $1 ORDER BY tag_id",
        feature_id
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The users that own one feature, or any feature of the project.
pub async fn owners(tx: &mut Tx, project_id: i64, feature_id: Option<i64>) -> Result<Vec<Owner>> {
    sql!(
        tx,
        fetch_all as Owner,
        "SELECT l.feature_id AS feature_id, u.id AS id, u.uuid AS uuid, u.email AS email,
                u.first_name AS first_name, u.last_name AS last_name, u.last_login AS last_login
         FROM feature_owners l JOIN features f ON f.id = l.feature_id JOIN users u ON u.id = l.user_id
         WHERE f.project_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR f.id = $2)
         ORDER BY l.feature_id, u.id",
        project_id,
        feature_id
    )
}

/// The groups that own one feature, or any feature of the project.
pub async fn group_owners(tx: &mut Tx, project_id: i64, feature_id: Option<i64>) -> Result<Vec<GroupOwner>> {
    sql!(
        tx,
        fetch_all as GroupOwner,
        "SELECT l.feature_id AS feature_id, g.id AS id, g.name AS name
         FROM feature_group_owners l JOIN features f ON f.id = l.feature_id JOIN groups g ON g.id = l.group_id
         WHERE f.project_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR f.id = $2)
         ORDER BY l.feature_id, g.id",
        project_id,
        feature_id
    )
}

/// Of these users, the ones that are members of the organisation.
pub async fn members(tx: &mut Tx, organisation_id: i64, user_ids: &[i64]) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sql!(
        tx,
        fetch_all as (i64,),
        sqlite: "SELECT user_id FROM organisation_members
                 WHERE organisation_id = $1 AND user_id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT user_id FROM organisation_members
                   WHERE organisation_id = $1
                     AND user_id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON)))",
        organisation_id,
        id_list(user_ids)
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Of these groups, the ones of the organisation.
pub async fn groups(tx: &mut Tx, organisation_id: i64, group_ids: &[i64]) -> Result<Vec<i64>> {
    let rows: Vec<(i64,)> = sql!(
        tx,
        fetch_all as (i64,),
        sqlite: "SELECT id FROM groups
                 WHERE organisation_id = $1 AND id IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id FROM groups
                   WHERE organisation_id = $1
                     AND id IN (SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($2 AS JSON)))",
        organisation_id,
        id_list(group_ids)
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Gives a feature exactly these tags.
pub async fn set_tags(tx: &mut Tx, feature_id: i64, tag_ids: &[i64]) -> Result<()> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_tags WHERE feature_id = $1",
        feature_id
    )?;
    for tag_id in tag_ids {
        sql!(
            tx,
            execute,
            "INSERT INTO feature_tags (feature_id, tag_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            feature_id,
            *tag_id
        )?;
    }
    Ok(())
}

/// Gives a feature one more tag.
pub async fn add_tag(tx: &mut Tx, feature_id: i64, tag_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO feature_tags (feature_id, tag_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        feature_id,
        tag_id
    )
}

/// Takes a tag from a feature.
pub async fn remove_tag(tx: &mut Tx, feature_id: i64, tag_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_tags WHERE feature_id = $1 AND tag_id = $2",
        feature_id,
        tag_id
    )
}

/// Adds an owner; one that is there already stays.
pub async fn add_owner(tx: &mut Tx, feature_id: i64, user_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO feature_owners (feature_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        feature_id,
        user_id
    )
}

/// Takes an owner away.
pub async fn remove_owner(tx: &mut Tx, feature_id: i64, user_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_owners WHERE feature_id = $1 AND user_id = $2",
        feature_id,
        user_id
    )
}

/// Adds a group as owner; one that is there already stays.
pub async fn add_group_owner(tx: &mut Tx, feature_id: i64, group_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "INSERT INTO feature_group_owners (feature_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        feature_id,
        group_id
    )
}

/// Takes a group away from the owners.
pub async fn remove_group_owner(tx: &mut Tx, feature_id: i64, group_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "DELETE FROM feature_group_owners WHERE feature_id = $1 AND group_id = $2",
        feature_id,
        group_id
    )
}

//! What tests write and read behind the back of the product: rows to begin with, the change log.

use crate::db::Id;
use crate::{Result, Tx, row, sql};

/// A user who is signed in with the token of this hash; returns the id.
pub async fn user(tx: &mut Tx, email: &str, token_hash: &str) -> Result<i64> {
    let (id,): Id = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO users (uuid, email, first_name, last_name, is_active, is_superuser, marketing_consent_given,
             date_joined)
         VALUES ($1, $2, 'Test', 'Person', TRUE, FALSE, FALSE, 0) RETURNING id",
        uuid::Uuid::new_v4().to_string(),
        email
    )?;
    sql!(
        tx,
        execute,
        "INSERT INTO user_tokens (hash, user_id, created_at) VALUES ($1, $2, 0)",
        token_hash,
        id
    )?;
    Ok(id)
}

/// An organisation without members; returns the id.
pub async fn organisation(tx: &mut Tx, name: &str) -> Result<i64> {
    let (id,) = sql!(
        tx,
        fetch_one as Id,
        "INSERT INTO organisations (uuid, name, created_at, subscription_uuid, persist_trait_data,
             block_access_to_admin, restrict_project_create_to_admin, force_2fa, feature_analytics,
             stop_serving_flags)
         VALUES ($1, $2, 0, $1, TRUE, FALSE, FALSE, FALSE, FALSE, FALSE) RETURNING id",
        uuid::Uuid::new_v4().to_string(),
        name
    )?;
    Ok(id)
}

/// A membership with this role.
pub async fn member(tx: &mut Tx, organisation_id: i64, user_id: i64, role: &str) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO organisation_members (organisation_id, user_id, role, date_joined) VALUES ($1, $2, $3, 0)",
        organisation_id,
        user_id,
        role
    )?;
    Ok(())
}

row! {
    /// An entry of the change log, as a test looks at it.
    pub struct LogEntry {
        pub object_type: String,
        pub action: String,
        pub environment_id: Option<i64>,
        pub message: Option<String>,
        pub serves: bool,
        pub before: Option<String>,
        pub after: Option<String>,
    }
}

/// The change log about one kind of object, oldest first.
pub async fn log(tx: &mut Tx, object_type: &str) -> Result<Vec<LogEntry>> {
    sql!(
        tx,
        fetch_all as LogEntry,
        "SELECT object_type, action, environment_id, message, serves, before, after FROM changes
         WHERE object_type = $1 ORDER BY id",
        object_type
    )
}

/// Runs a script of statements on a Postgres database that is not one of ours.
pub async fn script(url: &str, text: String) -> Result<()> {
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await?;
    Ok(())
}

/// Sets how an environment may be changed, which no call of the product sets yet.
pub async fn restrict_environment(
    tx: &mut Tx,
    id: i64,
    approvals: Option<i64>,
    versioned: bool,
) -> Result<()> {
    sql!(
        tx,
        execute,
        "UPDATE environments SET minimum_change_request_approvals = $2, use_v2_feature_versioning = $3 WHERE id = $1",
        id,
        approvals,
        versioned
    )?;
    Ok(())
}

/// Makes every task due now.
pub async fn make_tasks_due(tx: &mut Tx) -> Result<u64> {
    sql!(tx, execute, "UPDATE tasks SET due_at = 0")
}

/// Gives every integration of a kind settings that the product may refuse, such as the address of a receiver on this machine.
pub async fn set_integrations(tx: &mut Tx, kind: &str, settings: &str) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE integrations SET settings = $2 WHERE kind = $1",
        kind,
        settings
    )
}

/// Lets no mail wait any longer.
pub async fn make_mail_due(tx: &mut Tx) -> Result<u64> {
    sql!(tx, execute, "UPDATE mails SET due_at = 0")
}

/// Lets no import from LaunchDarkly wait any longer.
pub async fn make_imports_due(tx: &mut Tx) -> Result<u64> {
    sql!(tx, execute, "UPDATE launch_darkly_imports SET claimed_until = 0")
}

/// Gives a user an active second factor, whose secret nobody knows.
pub async fn second_factor(tx: &mut Tx, user_id: i64) -> Result<()> {
    sql!(
        tx,
        execute,
        "INSERT INTO user_mfa (user_id, secret, is_active, backup_codes, last_step, created_at)
         VALUES ($1, '', TRUE, '[]', 0, 0)",
        user_id
    )?;
    Ok(())
}

/// Blocks the management API for an organisation.
pub async fn block(tx: &mut Tx, organisation_id: i64) -> Result<()> {
    sql!(
        tx,
        execute,
        "UPDATE organisations SET block_access_to_admin = TRUE WHERE id = $1",
        organisation_id
    )?;
    Ok(())
}

/// Lets features, their states and what the log says of them be so many microseconds older.
pub async fn age_features(tx: &mut Tx, by: i64) -> Result<()> {
    sql!(
        tx,
        execute,
        "UPDATE features SET created_at = created_at - $1",
        by
    )?;
    sql!(
        tx,
        execute,
        "UPDATE feature_states SET created_at = created_at - $1, updated_at = updated_at - $1",
        by
    )?;
    sql!(tx, execute, "UPDATE changes SET at = at - $1", by)?;
    Ok(())
}

/// The tables in which some row holds this text, in whatever column.
pub async fn tables_with(tx: &mut Tx, text: &str) -> Result<Vec<String>> {
    let tables: Vec<(String,)> = sql!(
        tx,
        fetch_all as (String,),
        sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        postgres: "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
                   WHERE table_schema = 'public' ORDER BY table_name"
    )?;
    let mut found = Vec::new();
    for (table,) in tables {
        if holds(tx, &table, text).await? {
            found.push(table);
        }
    }
    Ok(found)
}

/// Names of tables and columns can't be bound; these come from the schema itself.
async fn holds(tx: &mut Tx, table: &str, text: &str) -> Result<bool> {
    let pattern = format!("%{text}%");
    let found: Option<(i64,)> = match tx {
        Tx::Sqlite(connection) => {
            let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info($1)")
                .bind(table)
                .fetch_all(&mut **connection)
                .await?;
            let conditions: Vec<String> = columns
                .iter()
                .map(|(name,)| format!("CAST(\"{name}\" AS TEXT) LIKE $1"))
                .collect();
            let statement = format!(
                "SELECT 1 FROM \"{table}\" WHERE {} LIMIT 1",
                conditions.join(" OR ")
            );
            sqlx::query_as(sqlx::AssertSqlSafe(statement))
                .bind(pattern)
                .fetch_optional(&mut **connection)
                .await?
        }
        Tx::Postgres(connection) => {
            let statement =
                format!("SELECT CAST(1 AS BIGINT) FROM \"{table}\" t WHERE CAST(t AS TEXT) LIKE $1 LIMIT 1");
            sqlx::query_as(sqlx::AssertSqlSafe(statement))
                .bind(pattern)
                .fetch_optional(&mut **connection)
                .await?
        }
    };
    Ok(found.is_some())
}

/// The tokens that imports from LaunchDarkly keep, as they are stored.
pub async fn launch_darkly_tokens(tx: &mut Tx) -> Result<Vec<Option<String>>> {
    let rows: Vec<(Option<String>,)> = sql!(
        tx,
        fetch_all as (Option<String>,),
        "SELECT token FROM launch_darkly_imports ORDER BY id"
    )?;
    Ok(rows.into_iter().map(|(token,)| token).collect())
}

/// Makes a user an administrator of the installation.
pub async fn make_superuser(tx: &mut Tx, user_id: i64) -> Result<u64> {
    sql!(
        tx,
        execute,
        "UPDATE users SET is_superuser = TRUE WHERE id = $1",
        user_id
    )
}

//! Connections to data warehouses. What is needed to connect is kept, sealed; there is no driver for any warehouse here,
//! and a test says so.

use burgee_model::Timestamp;
use burgee_store::{Tx, warehouse_connections};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::warehouse_connections::WarehouseConnection;

use crate::change::{Action, Change, Kind};
use crate::experiments::administered;
use crate::{App, Caller, Error, Place, Result};

/// What a client may set of a connection. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ConnectionEdit {
    pub warehouse_type: Option<&'static str>,
    pub name: Option<String>,
    pub config: Option<Option<Value>>,
    pub credentials: Option<Option<Value>>,
}

/// How a test of a connection went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: &'static str,
    pub detail: Option<String>,
}

/// Why a connection of this type can't be made.
pub fn test(warehouse_type: &str) -> Outcome {
    let name = match warehouse_type {
        "snowflake" => "Snowflake",
        "clickhouse" => "ClickHouse",
        _ => "the Flagsmith warehouse",
    };
    Outcome {
        status: "errored",
        detail: Some(format!("This server has no driver for {name}.")),
    }
}

fn missing() -> Error {
    Error::no_match("WarehouseConnection")
}

/// Fails unless the caller administers the environment: asked before an input is looked at.
pub async fn require(app: &App, caller: &Caller, key: &str) -> Result<()> {
    let mut tx = app.db().read().await?;
    administered(&mut tx, caller, key).await.map(drop)
}

/// The connections of an environment.
pub async fn list(tx: &mut Tx, caller: &Caller, key: &str) -> Result<Vec<WarehouseConnection>> {
    let place = administered(tx, caller, key).await?;
    Ok(warehouse_connections::list(tx, place.environment.id).await?)
}

/// One connection.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<WarehouseConnection> {
    let found = list(tx, caller, key).await?;
    found
        .into_iter()
        .find(|connection| connection.id == id)
        .ok_or_else(missing)
}

/// Writes down a connection.
pub async fn create(
    app: &App,
    caller: &Caller,
    key: &str,
    edit: ConnectionEdit,
) -> Result<WarehouseConnection> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let mut connection = WarehouseConnection {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        environment_id: place.environment.id,
        warehouse_type: String::new(),
        status: "created".to_owned(),
        status_detail: None,
        name: String::new(),
        config: None,
        credentials: None,
        created_at: Timestamp::now().0,
    };
    apply(app, &mut connection, edit)?;
    connection.id = warehouse_connections::insert(&mut tx, &connection).await?;
    let change = line(caller, &place, Action::Create, &connection).after(as_json(&connection));
    app.commit(tx, vec![change.into()]).await?;
    Ok(connection)
}

/// Changes a connection; what was found out about the old one is forgotten.
pub async fn update(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    edit: ConnectionEdit,
) -> Result<WarehouseConnection> {
    change(app, caller, key, id, |connection| {
        apply(app, connection, edit)?;
        "created".clone_into(&mut connection.status);
        connection.status_detail = None;
        Ok(())
    })
    .await
}

/// Tries a connection and keeps how it went.
pub async fn test_one(app: &App, caller: &Caller, key: &str, id: i64) -> Result<WarehouseConnection> {
    change(app, caller, key, id, |connection| {
        let outcome = test(&connection.warehouse_type);
        outcome.status.clone_into(&mut connection.status);
        connection.status_detail = outcome.detail;
        Ok(())
    })
    .await
}

async fn change(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    edit: impl FnOnce(&mut WarehouseConnection) -> Result<()>,
) -> Result<WarehouseConnection> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let found = warehouse_connections::list(&mut tx, place.environment.id).await?;
    let before = found
        .into_iter()
        .find(|connection| connection.id == id)
        .ok_or_else(missing)?;
    let mut connection = before.clone();
    edit(&mut connection)?;
    warehouse_connections::update(&mut tx, &connection).await?;
    let change = line(caller, &place, Action::Update, &connection)
        .before(as_json(&before))
        .after(as_json(&connection));
    app.commit(tx, vec![change.into()]).await?;
    Ok(connection)
}

/// Forgets a connection.
pub async fn delete(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let place = administered(&mut tx, caller, key).await?;
    let found = warehouse_connections::list(&mut tx, place.environment.id).await?;
    let connection = found
        .into_iter()
        .find(|connection| connection.id == id)
        .ok_or_else(missing)?;
    warehouse_connections::delete(&mut tx, id).await?;
    let change = line(caller, &place, Action::Delete, &connection).before(as_json(&connection));
    app.commit(tx, vec![change.into()]).await
}

fn apply(app: &App, connection: &mut WarehouseConnection, edit: ConnectionEdit) -> Result<()> {
    if let Some(kind) = edit.warehouse_type {
        kind.clone_into(&mut connection.warehouse_type);
    }
    if let Some(name) = edit.name {
        connection.name = name;
    }
    let object = |name: &str, value: &Option<Value>| match value {
        Some(value) if !value.is_object() => Err(Error::field(name, "Must be an object.")),
        Some(value) if value.to_string().len() > 20_000 => Err(Error::field(name, "Must be smaller.")),
        _ => Ok(()),
    };
    if let Some(config) = edit.config {
        object("config", &config)?;
        connection.config = config.map(|value| value.to_string());
    }
    if let Some(credentials) = edit.credentials {
        object("credentials", &credentials)?;
        connection.credentials = credentials.map(|value| app.sealer().seal(&value.to_string()));
    }
    Ok(())
}

fn line(caller: &Caller, place: &Place, action: Action, connection: &WarehouseConnection) -> Change {
    Change::new(caller, Kind::WarehouseConnection, action, connection.id)
        .in_environment(place)
        .uuid(&connection.uuid)
}

/// What the log keeps: that there are credentials, never which.
fn as_json(connection: &WarehouseConnection) -> Value {
    json!({
        "warehouse_type": connection.warehouse_type,
        "status": connection.status,
        "name": connection.name,
        "config": connection.config.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()),
        "has_credentials": connection.credentials.is_some(),
    })
}

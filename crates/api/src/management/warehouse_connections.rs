//! `/api/v1/environments/{environment_key}/warehouse-connections/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::warehouse_connections::{self, ConnectionEdit, WarehouseConnection};
use burgee_app::{App, Error};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Given};
use crate::params::Path;
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_warehouse_connections, create_warehouse_connection))
        .routes(routes!(test_new_warehouse_connection))
        .routes(routes!(
            get_warehouse_connection,
            update_warehouse_connection,
            patch_warehouse_connection,
            delete_warehouse_connection
        ))
        .routes(routes!(test_warehouse_connection))
        .routes(routes!(list_warehouse_events))
}

/// How a data warehouse is reached. Credentials are never told.
#[derive(Debug, Serialize, ToSchema)]
pub struct WarehouseConnectionView {
    pub id: i64,
    #[schema(value_type = WarehouseType)]
    pub warehouse_type: String,
    #[schema(value_type = crate::words::WarehouseStatus)]
    pub status: String,
    pub status_detail: Option<String>,
    pub name: String,
    pub config: Option<Value>,
    pub created_at: String,
    /// Nothing stands for not known.
    pub total_events_received: Option<i64>,
    pub unique_events_count: Option<i64>,
}

impl From<WarehouseConnection> for WarehouseConnectionView {
    fn from(connection: WarehouseConnection) -> Self {
        Self {
            id: connection.id,
            warehouse_type: connection.warehouse_type,
            status: connection.status,
            status_detail: connection.status_detail,
            name: connection.name,
            config: connection
                .config
                .and_then(|text| serde_json::from_str(&text).ok()),
            created_at: Timestamp(connection.created_at).rest(),
            total_events_received: None,
            unique_events_count: None,
        }
    }
}

/// How a test went.
#[derive(Debug, Serialize, ToSchema)]
pub struct WarehouseTestResult {
    #[schema(value_type = crate::words::WarehouseStatus)]
    pub status: &'static str,
    pub status_detail: Option<String>,
}

choices! {
    /// A kind of data warehouse.
    pub enum WarehouseType { Flagsmith = "flagsmith", Snowflake = "snowflake", Clickhouse = "clickhouse" }
}

input! {
    /// How a data warehouse is reached.
    pub struct WarehouseConnectionBody {
        pub warehouse_type: Given<WarehouseType>,
        pub name: Given<Blank<255>>,
        pub config: Given<Option<Value>>,
        /// Kept encrypted, and never told.
        pub credentials: Given<Option<Value>>,
    }
}

required! {
    /// A connection to write anew.
    pub struct WholeWarehouseConnectionBody(WarehouseConnectionBody) with warehouse_type;
}

impl From<WarehouseConnectionBody> for ConnectionEdit {
    fn from(body: WarehouseConnectionBody) -> Self {
        Self {
            warehouse_type: body.warehouse_type.0.map(WarehouseType::as_str),
            name: body.name.0.map(|text| text.0),
            config: body.config.0,
            credentials: body.credentials.0,
        }
    }
}

/// The connections of an environment.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/warehouse-connections/", tag = "warehouses",
    responses((status = 200, body = Vec<WarehouseConnectionView>)))]
async fn list_warehouse_connections(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
) -> ApiResult<Json<Vec<WarehouseConnectionView>>> {
    let mut tx = app.db().read().await?;
    let found = warehouse_connections::list(&mut tx, &caller, &key).await?;
    Ok(Json(
        found.into_iter().map(WarehouseConnectionView::from).collect(),
    ))
}

/// Writes down a connection.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/warehouse-connections/", tag = "warehouses",
    request_body = WholeWarehouseConnectionBody, responses((status = 201, body = WarehouseConnectionView)))]
async fn create_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<(StatusCode, Json<WarehouseConnectionView>)> {
    let WholeWarehouseConnectionBody(input) = body.parse()?;
    let made = warehouse_connections::create(&app, &caller, &key, input.into()).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Tries a connection that is not written down.
#[utoipa::path(post,
    path = "/api/v1/environments/{environment_key}/warehouse-connections/test-warehouse-connection/",
    tag = "warehouses", request_body = WholeWarehouseConnectionBody, responses((status = 200, body = WarehouseTestResult)))]
async fn test_new_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(key): Path<String>,
    body: Body,
) -> ApiResult<Json<WarehouseTestResult>> {
    warehouse_connections::require(&app, &caller, &key).await?;
    let WholeWarehouseConnectionBody(input) = body.parse()?;
    let kind = input
        .warehouse_type
        .0
        .map(WarehouseType::as_str)
        .unwrap_or_default();
    let outcome = warehouse_connections::test(kind);
    Ok(Json(WarehouseTestResult {
        status: outcome.status,
        status_detail: outcome.detail,
    }))
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/warehouse-connections/{connection_id}/",
    tag = "warehouses", responses((status = 200, body = WarehouseConnectionView)))]
async fn get_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<WarehouseConnectionView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(
        warehouse_connections::get(&mut tx, &caller, &key, id)
            .await?
            .into(),
    ))
}

/// Replaces a connection; credentials that are not given stay.
#[utoipa::path(put, path = "/api/v1/environments/{environment_key}/warehouse-connections/{connection_id}/",
    tag = "warehouses", request_body = WholeWarehouseConnectionBody,
    responses((status = 200, body = WarehouseConnectionView)))]
async fn update_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<WarehouseConnectionView>> {
    let WholeWarehouseConnectionBody(input) = body.parse()?;
    Ok(Json(
        warehouse_connections::update(&app, &caller, &key, id, input.into())
            .await?
            .into(),
    ))
}

/// Changes single things of a connection.
#[utoipa::path(patch, path = "/api/v1/environments/{environment_key}/warehouse-connections/{connection_id}/",
    tag = "warehouses", request_body = WarehouseConnectionBody,
    responses((status = 200, body = WarehouseConnectionView)))]
async fn patch_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<WarehouseConnectionView>> {
    let input: WarehouseConnectionBody = body.parse()?;
    Ok(Json(
        warehouse_connections::update(&app, &caller, &key, id, input.into())
            .await?
            .into(),
    ))
}

/// Forgets a connection.
#[utoipa::path(delete, path = "/api/v1/environments/{environment_key}/warehouse-connections/{connection_id}/",
    tag = "warehouses", responses((status = 204)))]
async fn delete_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<StatusCode> {
    warehouse_connections::delete(&app, &caller, &key, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries a connection and keeps how it went.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/warehouse-connections/{connection_id}/test-warehouse-connection/",
    tag = "warehouses", responses((status = 200, body = WarehouseConnectionView)))]
async fn test_warehouse_connection(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<Json<WarehouseConnectionView>> {
    Ok(Json(
        warehouse_connections::test_one(&app, &caller, &key, id)
            .await?
            .into(),
    ))
}

/// The names of the events in a warehouse. No warehouse can be asked from here: always 400.
#[utoipa::path(get, path = "/api/v1/environments/{environment_key}/warehouse-connections/{connection_id}/events/",
    tag = "warehouses", responses((status = 400)))]
async fn list_warehouse_events(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, id)): Path<(String, i64)>,
) -> ApiResult<()> {
    let mut tx = app.db().read().await?;
    let connection = warehouse_connections::get(&mut tx, &caller, &key, id).await?;
    let outcome = warehouse_connections::test(&connection.warehouse_type);
    Err(ApiError(Error::detail(&outcome.detail.unwrap_or_default())))
}

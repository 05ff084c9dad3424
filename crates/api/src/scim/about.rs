//! What this provider of SCIM can: `ServiceProviderConfig`, `ResourceTypes` and `Schemas`.

use axum::http::StatusCode;
use burgee_app::App;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{LIST, PAGE, Provider, Refusal, Scim, ScimResult, found};
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_scim_configuration_of_provider))
        .routes(routes!(list_scim_resource_types))
        .routes(routes!(get_scim_resource_type))
        .routes(routes!(list_scim_schemas))
        .routes(routes!(get_scim_schema))
}

fn all(resources: &[Value]) -> Scim<Value> {
    let count = resources.len();
    Scim(
        StatusCode::OK,
        json!({"schemas": [LIST], "totalResults": count, "startIndex": 1, "itemsPerPage": count, "Resources": resources}),
    )
}

fn by_id(resources: Vec<Value>, id: &str) -> ScimResult<Scim<Value>> {
    let one = resources.into_iter().find(|resource| resource["id"] == id);
    Ok(found(one.ok_or(Refusal::NotFound)?))
}

/// What can be asked for.
#[utoipa::path(get, path = "/api/v1/scim/v2/ServiceProviderConfig/", tag = "scim",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
async fn get_scim_configuration_of_provider(provider: Provider) -> Scim<Value> {
    let no = json!({ "supported": false });
    found(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": PAGE},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The token of the organisation's SCIM configuration",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig",
                 "location": format!("{}/ServiceProviderConfig", provider.base)},
    }))
}

fn types(provider: &Provider) -> Vec<Value> {
    let one = |name: &str, about: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": format!("/{name}s"),
            "description": about,
            "schema": format!("urn:ietf:params:scim:schemas:core:2.0:{name}"),
            "meta": {"resourceType": "ResourceType", "location": format!("{}/ResourceTypes/{name}", provider.base)},
        })
    };
    vec![
        one("User", "A member of the organisation"),
        one("Group", "A group of members"),
    ]
}

/// What resources there are.
#[utoipa::path(get, path = "/api/v1/scim/v2/ResourceTypes/", tag = "scim",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
async fn list_scim_resource_types(provider: Provider) -> Scim<Value> {
    all(&types(&provider))
}

/// One kind of resource.
#[utoipa::path(get, path = "/api/v1/scim/v2/ResourceTypes/{name}/", tag = "scim",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
async fn get_scim_resource_type(provider: Provider, Path(name): Path<String>) -> ScimResult<Scim<Value>> {
    by_id(types(&provider), &name)
}

fn attribute(name: &str, kind: &str, required: bool, mutability: &str, inner: Value) -> Value {
    let mut attribute = json!({
        "name": name, "type": kind, "multiValued": false, "required": required, "caseExact": false,
        "mutability": mutability, "returned": "default", "uniqueness": "none",
    });
    if inner.is_array() {
        attribute["subAttributes"] = inner;
    }
    attribute
}

fn several(mut attribute: Value) -> Value {
    attribute["multiValued"] = json!(true);
    attribute
}

fn schemas(provider: &Provider) -> Vec<Value> {
    const WRITE: &str = "readWrite";
    const READ: &str = "readOnly";
    let plain = |name: &str, mutability: &str| attribute(name, "string", false, mutability, Value::Null);
    let references = |name: &str, mutability: &str| {
        let inner = json!([plain("value", mutability), plain("display", READ)]);
        several(attribute(name, "complex", false, mutability, inner))
    };
    let mut user_name = attribute("userName", "string", true, WRITE, Value::Null);
    user_name["uniqueness"] = json!("server");
    let name = json!([
        plain("formatted", READ),
        plain("givenName", WRITE),
        plain("familyName", WRITE)
    ]);
    let addresses = json!([
        plain("value", READ),
        plain("type", READ),
        attribute("primary", "boolean", false, READ, Value::Null)
    ]);
    let one = |name: &str, attributes: Value| {
        let id = format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "name": name,
            "description": name,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": format!("{}/Schemas/{id}", provider.base)},
            "id": id,
        })
    };
    vec![
        one(
            "User",
            json!([
                user_name,
                attribute("name", "complex", false, WRITE, name),
                plain("displayName", READ),
                several(attribute("emails", "complex", false, READ, addresses)),
                attribute("active", "boolean", false, WRITE, Value::Null),
                references("groups", READ),
            ]),
        ),
        one(
            "Group",
            json!([
                attribute("displayName", "string", true, WRITE, Value::Null),
                references("members", WRITE),
            ]),
        ),
    ]
}

/// What resources consist of.
#[utoipa::path(get, path = "/api/v1/scim/v2/Schemas/", tag = "scim",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
async fn list_scim_schemas(provider: Provider) -> Scim<Value> {
    all(&schemas(&provider))
}

/// What one kind of resource consists of.
#[utoipa::path(get, path = "/api/v1/scim/v2/Schemas/{id}/", tag = "scim",
    responses((status = 200, body = Value, content_type = "application/scim+json")))]
async fn get_scim_schema(provider: Provider, Path(id): Path<String>) -> ScimResult<Scim<Value>> {
    by_id(schemas(&provider), &id)
}

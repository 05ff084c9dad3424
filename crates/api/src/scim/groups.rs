//! `/api/v1/scim/v2/Groups`

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::groups::GroupDetails;
use burgee_app::scim::{self, MemberEdit, Person, ScimGroupEdit};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::patch::{self, Does};
use super::users::Reference;
use super::{
    ListResponse, Meta, Provider, Scim, ScimBody, ScimError, ScimResult, checked, found, list, text,
};
use crate::params::{Path, Query};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_scim_groups, create_scim_group))
        .routes(routes!(
            get_scim_group,
            update_scim_group,
            patch_scim_group,
            delete_scim_group
        ))
}

/// A group of the organisation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimGroup {
    schemas: [&'static str; 1],
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    external_id: Option<String>,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    members: Option<Vec<Reference>>,
    meta: Meta,
}

/// The uuids of people, by their ids.
fn uuids(people: Vec<Person>) -> HashMap<i64, String> {
    people
        .into_iter()
        .map(|person| (person.id, person.uuid))
        .collect()
}

fn view(provider: &Provider, details: GroupDetails, uuids: &HashMap<i64, String>) -> ScimGroup {
    let members = details.members.iter().filter_map(|member| {
        Some(Reference {
            value: uuids.get(&member.id)?.clone(),
            display: member.email.clone(),
        })
    });
    ScimGroup {
        schemas: [SCHEMA],
        members: Some(members.collect()),
        meta: Meta {
            resource_type: "Group",
            created: None,
            location: format!("{}/Groups/{}", provider.base, details.group.id),
        },
        id: details.group.id.to_string(),
        external_id: details.group.external_id,
        display_name: details.group.name,
    }
}

/// A whole group, as POST and PUT send one.
fn whole(body: &Value) -> ScimResult<ScimGroupEdit> {
    let name = text(body, "displayName", 200)?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ScimError::invalid("displayName is missing"))?;
    let members = body.get("members").map(patch::values);
    Ok(ScimGroupEdit {
        name: Some(name),
        external_id: text(body, "externalId", 255)?.map(Some),
        members: members.map(MemberEdit::Replace).into_iter().collect(),
    })
}

fn changed(body: &Value) -> ScimResult<ScimGroupEdit> {
    let mut edit = ScimGroupEdit::default();
    for operation in patch::operations(body)? {
        let word = |max| match &operation.value {
            Value::String(text) => checked(&operation.path, text, max),
            _ => Err(ScimError::invalid(format!("{} is no text", operation.path))),
        };
        match (operation.path.as_str(), operation.does) {
            ("displayname", Does::Add | Does::Replace) => {
                let name = word(200)?;
                if name.is_empty() {
                    return Err(ScimError::invalid("displayName is empty"));
                }
                edit.name = Some(name);
            }
            ("externalid", Does::Remove) => edit.external_id = Some(None),
            ("externalid", _) => edit.external_id = Some(Some(word(255)?)),
            ("members", Does::Add) => edit
                .members
                .push(MemberEdit::Add(patch::values(&operation.value))),
            ("members", Does::Replace) => {
                edit.members
                    .push(MemberEdit::Replace(patch::values(&operation.value)));
            }
            // Without a value all of them are meant.
            ("members", Does::Remove) if operation.value.is_null() => {
                edit.members.push(MemberEdit::Replace(Vec::new()));
            }
            ("members", Does::Remove) => {
                edit.members
                    .push(MemberEdit::Remove(patch::values(&operation.value)));
            }
            (path, Does::Remove) if path.starts_with("members[") => {
                let uuid =
                    patch::selected(path).ok_or_else(|| ScimError::invalid("the path can't be read"))?;
                edit.members.push(MemberEdit::Remove(vec![uuid.to_owned()]));
            }
            _ => {}
        }
    }
    Ok(edit)
}

/// The groups of an organisation.
#[utoipa::path(get, path = "/api/v1/scim/v2/Groups/", tag = "scim",
    params(("filter" = Option<String>, Query, description = "Such as `displayName eq \"developers\"`"),
           ("excludedAttributes" = Option<String>, Query, description = "`members`, to leave them out"),
           ("startIndex" = Option<i64>, Query, description = "From 1"),
           ("count" = Option<i64>, Query, description = "At most 200")),
    responses((status = 200, body = ListResponse<ScimGroup>, content_type = "application/scim+json")))]
async fn list_scim_groups(
    State(app): State<App>,
    provider: Provider,
    query: Query,
) -> ScimResult<Scim<ListResponse<ScimGroup>>> {
    let mut tx = app.db().read().await?;
    let people = uuids(scim::people(&mut tx, provider.organisation_id).await?);
    let groups = scim::list_groups(&mut tx, provider.organisation_id).await?;
    let views = groups
        .into_iter()
        .map(|details| view(&provider, details, &people));
    let mut page = list(views.collect(), &query)?;
    if without_members(&query) {
        for group in &mut page.1.resources {
            group.members = None;
        }
    }
    Ok(page)
}

fn without_members(query: &Query) -> bool {
    let excluded = query.text("excludedAttributes").unwrap_or_default();
    excluded
        .split(',')
        .any(|name| name.trim().eq_ignore_ascii_case("members"))
}

async fn one(app: &App, provider: &Provider, details: GroupDetails) -> ScimResult<ScimGroup> {
    let mut tx = app.db().read().await?;
    let people = uuids(scim::people(&mut tx, provider.organisation_id).await?);
    Ok(view(provider, details, &people))
}

/// Creates a group.
#[utoipa::path(post, path = "/api/v1/scim/v2/Groups/", tag = "scim", request_body = Value,
    responses((status = 201, body = ScimGroup, content_type = "application/scim+json")))]
async fn create_scim_group(
    State(app): State<App>,
    provider: Provider,
    ScimBody(body): ScimBody,
) -> ScimResult<Scim<ScimGroup>> {
    let details = scim::create_group(&app, provider.organisation_id, whole(&body)?).await?;
    Ok(Scim(StatusCode::CREATED, one(&app, &provider, details).await?))
}

/// One group.
#[utoipa::path(get, path = "/api/v1/scim/v2/Groups/{group_id}/", tag = "scim",
    responses((status = 200, body = ScimGroup, content_type = "application/scim+json")))]
async fn get_scim_group(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
    query: Query,
) -> ScimResult<Scim<ScimGroup>> {
    let mut tx = app.db().read().await?;
    let details = scim::group(&mut tx, provider.organisation_id, number(&id)).await?;
    drop(tx);
    let mut group = one(&app, &provider, details).await?;
    if without_members(&query) {
        group.members = None;
    }
    Ok(found(group))
}

/// What is no number names no group.
fn number(id: &str) -> i64 {
    id.parse().unwrap_or_default()
}

/// Changes a group and who is in it.
#[utoipa::path(put, path = "/api/v1/scim/v2/Groups/{group_id}/", tag = "scim", request_body = Value,
    responses((status = 200, body = ScimGroup, content_type = "application/scim+json")))]
async fn update_scim_group(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
    ScimBody(body): ScimBody,
) -> ScimResult<Scim<ScimGroup>> {
    let mut edit = whole(&body)?;
    if edit.members.is_empty() {
        edit.members.push(MemberEdit::Replace(Vec::new()));
    }
    let details = scim::update_group(&app, provider.organisation_id, number(&id), edit).await?;
    Ok(found(one(&app, &provider, details).await?))
}

/// Changes parts of a group, or who is in it.
#[utoipa::path(patch, path = "/api/v1/scim/v2/Groups/{group_id}/", tag = "scim", request_body = Value,
    responses((status = 200, body = ScimGroup, content_type = "application/scim+json")))]
async fn patch_scim_group(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
    ScimBody(body): ScimBody,
) -> ScimResult<Scim<ScimGroup>> {
    let edit = changed(&body)?;
    let details = scim::update_group(&app, provider.organisation_id, number(&id), edit).await?;
    Ok(found(one(&app, &provider, details).await?))
}

/// Deletes a group with what was granted to it.
#[utoipa::path(delete, path = "/api/v1/scim/v2/Groups/{group_id}/", tag = "scim", responses((status = 204)))]
async fn delete_scim_group(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
) -> ScimResult<StatusCode> {
    scim::delete_group(&app, provider.organisation_id, number(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

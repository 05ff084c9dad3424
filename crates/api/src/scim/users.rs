//! `/api/v1/scim/v2/Users`

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::App;
use burgee_app::groups::GroupDetails;
use burgee_app::scim::{self, Person, PersonEdit};
use burgee_model::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::patch::{self, Does};
use super::{
    ListResponse, Meta, Provider, Scim, ScimBody, ScimError, ScimResult, checked, found, list, text,
};
use crate::fields::{Email, Field};
use crate::params::{Path, Query};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_scim_users, create_scim_user))
        .routes(routes!(
            get_scim_user,
            update_scim_user,
            patch_scim_user,
            delete_scim_user
        ))
}

/// The parts of a name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonName {
    formatted: String,
    given_name: String,
    family_name: String,
}

/// An address.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScimAddress {
    value: String,
    r#type: &'static str,
    primary: bool,
}

/// Something that is referred to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reference {
    pub value: String,
    pub display: String,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimUser {
    schemas: [&'static str; 1],
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    external_id: Option<String>,
    /// The address he signs in with.
    user_name: String,
    name: PersonName,
    display_name: String,
    emails: Vec<ScimAddress>,
    /// Whether he is a member of the organisation.
    active: bool,
    groups: Vec<Reference>,
    meta: Meta,
}

/// The groups of an organisation by their members.
type Belonging = HashMap<i64, Vec<Reference>>;

fn belonging(groups: &[GroupDetails]) -> Belonging {
    let mut by_member = Belonging::new();
    for details in groups {
        for member in &details.members {
            by_member.entry(member.id).or_default().push(Reference {
                value: details.group.id.to_string(),
                display: details.group.name.clone(),
            });
        }
    }
    by_member
}

fn view(provider: &Provider, person: Person, groups: &mut Belonging) -> ScimUser {
    let formatted = format!("{} {}", person.first_name, person.last_name)
        .trim()
        .to_owned();
    ScimUser {
        schemas: [SCHEMA],
        meta: Meta {
            resource_type: "User",
            created: Some(Timestamp(person.date_joined).rest()),
            location: format!("{}/Users/{}", provider.base, person.uuid),
        },
        groups: groups.remove(&person.id).unwrap_or_default(),
        id: person.uuid,
        external_id: person.external_id,
        user_name: person.email.clone(),
        display_name: formatted.clone(),
        name: PersonName {
            formatted,
            given_name: person.first_name,
            family_name: person.last_name,
        },
        emails: vec![ScimAddress {
            value: person.email,
            r#type: "work",
            primary: true,
        }],
        active: person.active,
    }
}

fn email(value: &str) -> Option<String> {
    let value = Value::String(value.to_owned());
    Email::read(Some(&value)).ok().map(|email| email.0)
}

/// The address of a user: his name, or where that is none, the first of his addresses, the primary one before others.
fn address(body: &Value) -> ScimResult<String> {
    let name = text(body, "userName", 254)?.unwrap_or_default();
    let listed = body.get("emails").and_then(Value::as_array);
    let mut listed: Vec<&Value> = listed.into_iter().flatten().collect();
    listed.sort_by_key(|address| address.get("primary") != Some(&Value::Bool(true)));
    let others = listed
        .into_iter()
        .filter_map(|address| address.get("value")?.as_str());
    std::iter::once(name.as_str())
        .chain(others)
        .find_map(email)
        .ok_or_else(|| ScimError::invalid("neither userName nor emails hold an address"))
}

/// A whole user, as POST and PUT send one.
fn whole(body: &Value) -> ScimResult<PersonEdit> {
    let name = body.get("name").cloned().unwrap_or_default();
    Ok(PersonEdit {
        email: Some(address(body)?),
        first_name: text(&name, "givenName", 150)?,
        last_name: text(&name, "familyName", 150)?,
        external_id: text(body, "externalId", 255)?.map(Some),
        active: body.get("active").map(patch::truth).transpose()?,
    })
}

/// What is not kept here is passed over: providers send whatever they have.
fn changed(body: &Value) -> ScimResult<PersonEdit> {
    let mut edit = PersonEdit::default();
    for operation in patch::operations(body)? {
        let removed = operation.does == Does::Remove;
        let word = |max| match &operation.value {
            _ if removed => Ok(String::new()),
            Value::String(text) => checked(&operation.path, text, max),
            _ => Err(ScimError::invalid(format!("{} is no text", operation.path))),
        };
        match operation.path.as_str() {
            "active" => edit.active = Some(!removed && patch::truth(&operation.value)?),
            "username" => {
                let address = email(&word(254)?);
                edit.email = Some(address.ok_or_else(|| ScimError::invalid("userName is no address"))?);
            }
            "name.givenname" => edit.first_name = Some(word(150)?),
            "name.familyname" => edit.last_name = Some(word(150)?),
            "externalid" => edit.external_id = Some(Some(word(255)?).filter(|id| !id.is_empty())),
            _ => {}
        }
    }
    Ok(edit)
}

/// The users of an organisation.
#[utoipa::path(get, path = "/api/v1/scim/v2/Users/", tag = "scim",
    params(("filter" = Option<String>, Query, description = "Such as `userName eq \"ann@example.com\"`"),
           ("startIndex" = Option<i64>, Query, description = "From 1"),
           ("count" = Option<i64>, Query, description = "At most 200")),
    responses((status = 200, body = ListResponse<ScimUser>, content_type = "application/scim+json")))]
async fn list_scim_users(
    State(app): State<App>,
    provider: Provider,
    query: Query,
) -> ScimResult<Scim<ListResponse<ScimUser>>> {
    let mut tx = app.db().read().await?;
    let mut groups = belonging(&scim::list_groups(&mut tx, provider.organisation_id).await?);
    let people = scim::people(&mut tx, provider.organisation_id).await?;
    let views = people
        .into_iter()
        .map(|person| view(&provider, person, &mut groups));
    list(views.collect(), &query)
}

async fn one(app: &App, provider: &Provider, person: Person) -> ScimResult<ScimUser> {
    let mut tx = app.db().read().await?;
    let mut groups = belonging(&scim::list_groups(&mut tx, provider.organisation_id).await?);
    Ok(view(provider, person, &mut groups))
}

/// Brings a user in.
#[utoipa::path(post, path = "/api/v1/scim/v2/Users/", tag = "scim", request_body = Value,
    responses((status = 201, body = ScimUser, content_type = "application/scim+json")))]
async fn create_scim_user(
    State(app): State<App>,
    provider: Provider,
    ScimBody(body): ScimBody,
) -> ScimResult<Scim<ScimUser>> {
    let person = scim::create_person(&app, provider.organisation_id, whole(&body)?).await?;
    Ok(Scim(StatusCode::CREATED, one(&app, &provider, person).await?))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/scim/v2/Users/{user_id}/", tag = "scim",
    responses((status = 200, body = ScimUser, content_type = "application/scim+json")))]
async fn get_scim_user(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
) -> ScimResult<Scim<ScimUser>> {
    let mut tx = app.db().read().await?;
    let person = scim::person(&mut tx, provider.organisation_id, &id).await?;
    drop(tx);
    Ok(found(one(&app, &provider, person).await?))
}

/// Changes a user; `active: false` puts him out of the organisation.
#[utoipa::path(put, path = "/api/v1/scim/v2/Users/{user_id}/", tag = "scim", request_body = Value,
    responses((status = 200, body = ScimUser, content_type = "application/scim+json")))]
async fn update_scim_user(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
    ScimBody(body): ScimBody,
) -> ScimResult<Scim<ScimUser>> {
    let person = scim::update_person(&app, provider.organisation_id, &id, whole(&body)?).await?;
    Ok(found(one(&app, &provider, person).await?))
}

/// Changes parts of a user; `active: false` puts him out of the organisation.
#[utoipa::path(patch, path = "/api/v1/scim/v2/Users/{user_id}/", tag = "scim", request_body = Value,
    responses((status = 200, body = ScimUser, content_type = "application/scim+json")))]
async fn patch_scim_user(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
    ScimBody(body): ScimBody,
) -> ScimResult<Scim<ScimUser>> {
    let person = scim::update_person(&app, provider.organisation_id, &id, changed(&body)?).await?;
    Ok(found(one(&app, &provider, person).await?))
}

/// Puts a user out of the organisation.
#[utoipa::path(delete, path = "/api/v1/scim/v2/Users/{user_id}/", tag = "scim", responses((status = 204)))]
async fn delete_scim_user(
    State(app): State<App>,
    provider: Provider,
    Path(id): Path<String>,
) -> ScimResult<StatusCode> {
    scim::delete_person(&app, provider.organisation_id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

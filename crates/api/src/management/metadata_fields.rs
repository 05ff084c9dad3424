//! `/api/v1/metadata/fields/` and `/api/v1/organisations/{id}/metadata-model-fields/`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::metadata_fields::{self, FieldDetails, FieldEdit, ModelFieldDetails, ModelFieldEdit, Place};
use burgee_app::{App, Error, organisations};
use burgee_model::metadata::ContentType;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::features::whole;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::{ApiError, ApiResult};
use crate::fields::{Blank, Given, Pk, Text, Whole};
use crate::page::{Page, Paging};
use crate::params::{Path, Query};
use crate::{choices, input, required};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_metadata_fields, create_metadata_field))
        .routes(routes!(
            get_metadata_field,
            update_metadata_field,
            patch_metadata_field,
            delete_metadata_field
        ))
        .routes(routes!(list_metadata_fields_of_project))
        .routes(routes!(get_metadata_field_of_project))
        .routes(routes!(list_metadata_model_fields, create_metadata_model_field))
        .routes(routes!(list_supported_content_types))
        .routes(routes!(list_supported_required_for_models))
        .routes(routes!(
            get_metadata_model_field,
            update_metadata_model_field,
            patch_metadata_model_field,
            delete_metadata_model_field
        ))
}

/// Where a custom field is required.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequirementView {
    pub content_type: i64,
    pub object_id: i64,
}

impl From<Place> for RequirementView {
    fn from(place: Place) -> Self {
        Self {
            content_type: place.content_type,
            object_id: place.object_id,
        }
    }
}

/// A kind of object that has a custom field.
#[derive(Debug, Serialize, ToSchema)]
pub struct NestedModelFieldView {
    pub id: i64,
    pub content_type: i64,
    pub is_required_for: Vec<RequirementView>,
}

/// A custom field.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetadataFieldView {
    pub id: i64,
    pub name: String,
    #[schema(value_type = MetadataFieldType)]
    pub r#type: String,
    pub description: Option<String>,
    pub organisation: i64,
    pub project: Option<i64>,
    pub model_fields: Vec<NestedModelFieldView>,
}

impl From<FieldDetails> for MetadataFieldView {
    fn from(details: FieldDetails) -> Self {
        let model_fields = details.model_fields.into_iter().map(|of| NestedModelFieldView {
            id: of.model_field.id,
            content_type: of.model_field.content_type,
            is_required_for: of.required_in.into_iter().map(RequirementView::from).collect(),
        });
        Self {
            id: details.field.id,
            name: details.field.name,
            r#type: details.field.r#type,
            description: details.field.description,
            organisation: details.field.organisation_id,
            project: details.field.project_id,
            model_fields: model_fields.collect(),
        }
    }
}

/// That a kind of object has a custom field.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetadataModelFieldView {
    pub id: i64,
    pub field: i64,
    pub content_type: i64,
    pub is_required_for: Vec<RequirementView>,
}

impl From<ModelFieldDetails> for MetadataModelFieldView {
    fn from(details: ModelFieldDetails) -> Self {
        Self {
            id: details.model_field.id,
            field: details.model_field.field_id,
            content_type: details.model_field.content_type,
            is_required_for: details
                .required_in
                .into_iter()
                .map(RequirementView::from)
                .collect(),
        }
    }
}

/// A kind of object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContentTypeView {
    pub id: i64,
    pub app_label: &'static str,
    pub model: &'static str,
}

impl From<ContentType> for ContentTypeView {
    fn from(kind: ContentType) -> Self {
        Self {
            id: kind.id(),
            app_label: kind.app_label(),
            model: kind.model(),
        }
    }
}

choices! {
    /// What the values of a custom field are.
    pub enum MetadataFieldType {
        Integer = "int",
        Text = "str",
        Boolean = "bool",
        Url = "url",
        MultilineText = "multiline_str",
    }
}

input! {
    /// A custom field to be created.
    pub struct NewMetadataFieldBody {
        pub name: Text<255>,
        pub r#type: Given<MetadataFieldType>,
        pub description: Given<Option<Blank<20000>>>,
        pub organisation: Pk,
        pub project: Option<Pk>,
    }
}

input! {
    /// What may change of a custom field. Where it belongs stays, whatever is sent.
    pub struct MetadataFieldBody {
        pub name: Given<Text<255>>,
        pub r#type: Given<MetadataFieldType>,
        pub description: Given<Option<Blank<20000>>>,
    }
}

required! {
    /// A custom field to write anew.
    pub struct WholeMetadataFieldBody(MetadataFieldBody) with name;
}

impl From<MetadataFieldBody> for FieldEdit {
    fn from(body: MetadataFieldBody) -> Self {
        Self {
            name: body.name.0.map(|text| text.0),
            kind: body.r#type.0.map(MetadataFieldType::as_str),
            description: body.description.0.map(|text| text.map(|text| text.0)),
        }
    }
}

input! {
    /// Where a custom field is required.
    pub struct RequirementBody {
        pub content_type: Pk,
        pub object_id: Whole<0, { i64::MAX }>,
    }
}

input! {
    /// That a kind of object has a custom field.
    pub struct MetadataModelFieldBody {
        pub field: Given<Pk>,
        pub content_type: Given<Pk>,
        pub is_required_for: Given<Vec<RequirementBody>>,
    }
}

required! {
    /// The kind of object and the custom field it is to have.
    pub struct WholeMetadataModelFieldBody(MetadataModelFieldBody) with field, content_type;
}

impl From<MetadataModelFieldBody> for ModelFieldEdit {
    fn from(body: MetadataModelFieldBody) -> Self {
        let places = body.is_required_for.0.map(|places| {
            let places = places.into_iter().map(|place| Place {
                content_type: place.content_type.0,
                object_id: place.object_id.0,
            });
            places.collect()
        });
        Self {
            field: body.field.0.map(|pk| pk.0),
            content_type: body.content_type.0.map(|pk| pk.0),
            required_in: places,
        }
    }
}

/// The custom fields of an organisation.
#[utoipa::path(get, path = "/api/v1/metadata/fields/", tag = "metadata",
    params(("organisation" = i64, Query, description = "The organisation"),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Page<MetadataFieldView>)))]
async fn list_metadata_fields(
    State(app): State<App>,
    Signed(caller): Signed,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<MetadataFieldView>>> {
    let organisation = whole(&query, "organisation")?
        .ok_or_else(|| ApiError(Error::field("organisation", "This field is required.")))?;
    let mut tx = app.db().read().await?;
    let found = metadata_fields::list(&mut tx, &caller, organisation).await?;
    Ok(Json(paging.cut(found)?.map(MetadataFieldView::from)))
}

/// Creates a custom field of an organisation, or of one of its projects.
#[utoipa::path(post, path = "/api/v1/metadata/fields/", tag = "metadata", request_body = NewMetadataFieldBody,
    responses((status = 201, body = MetadataFieldView)))]
async fn create_metadata_field(
    State(app): State<App>,
    Signed(caller): Signed,
    body: Body,
) -> ApiResult<(StatusCode, Json<MetadataFieldView>)> {
    let input: NewMetadataFieldBody = body.parse()?;
    let edit = FieldEdit {
        name: Some(input.name.0),
        kind: input.r#type.0.map(MetadataFieldType::as_str),
        description: input.description.0.map(|text| text.map(|text| text.0)),
    };
    let project = input.project.map(|pk| pk.0);
    let created = metadata_fields::create(&app, &caller, input.organisation.0, project, edit).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// One custom field.
#[utoipa::path(get, path = "/api/v1/metadata/fields/{id}/", tag = "metadata",
    responses((status = 200, body = MetadataFieldView)))]
async fn get_metadata_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<Json<MetadataFieldView>> {
    let mut tx = app.db().read().await?;
    Ok(Json(metadata_fields::get(&mut tx, &caller, id).await?.into()))
}

/// Changes a custom field.
#[utoipa::path(put, path = "/api/v1/metadata/fields/{id}/", tag = "metadata", request_body = WholeMetadataFieldBody,
    responses((status = 200, body = MetadataFieldView)))]
async fn update_metadata_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<MetadataFieldView>> {
    let WholeMetadataFieldBody(input) = body.parse()?;
    Ok(Json(
        metadata_fields::update(&app, &caller, id, input.into())
            .await?
            .into(),
    ))
}

/// Changes single things of a custom field.
#[utoipa::path(patch, path = "/api/v1/metadata/fields/{id}/", tag = "metadata", request_body = MetadataFieldBody,
    responses((status = 200, body = MetadataFieldView)))]
async fn patch_metadata_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
    body: Body,
) -> ApiResult<Json<MetadataFieldView>> {
    let input: MetadataFieldBody = body.parse()?;
    Ok(Json(
        metadata_fields::update(&app, &caller, id, input.into())
            .await?
            .into(),
    ))
}

/// Deletes a custom field with all its values.
#[utoipa::path(delete, path = "/api/v1/metadata/fields/{id}/", tag = "metadata", responses((status = 204)))]
async fn delete_metadata_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<i64>,
) -> ApiResult<StatusCode> {
    metadata_fields::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A kind of object in a parameter.
fn kind(query: &Query, name: &str) -> ApiResult<Option<ContentType>> {
    match query.text(name) {
        None => Ok(None),
        Some(word) => {
            let kind = ContentType::from_model(word).filter(|kind| kind.has_values());
            let wrong = || Error::field(name, format!("\"{word}\" is not a valid choice."));
            Ok(Some(kind.ok_or_else(wrong)?))
        }
    }
}

/// The custom fields of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/metadata/fields/", tag = "metadata",
    params(("entity" = Option<String>, Query, description = "`feature`, `segment` or `environment`"),
        ("include_organisation" = Option<bool>, Query,
            description = "With those of the organisation whose name no field of the project has"),
        ("page" = Option<i64>, Query), ("page_size" = Option<i64>, Query)),
    responses((status = 200, body = Page<MetadataFieldView>)))]
async fn list_metadata_fields_of_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<MetadataFieldView>>> {
    let entity = kind(&query, "entity")?;
    let inherited = query.truth("include_organisation").unwrap_or(false);
    let mut tx = app.db().read().await?;
    let found = metadata_fields::list_of_project(&mut tx, &caller, project_id, entity, inherited).await?;
    Ok(Json(paging.cut(found)?.map(MetadataFieldView::from)))
}

/// One custom field that a project has or inherits.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/metadata/fields/{id}/", tag = "metadata",
    responses((status = 200, body = MetadataFieldView)))]
async fn get_metadata_field_of_project(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<MetadataFieldView>> {
    let mut tx = app.db().read().await?;
    let found = metadata_fields::get_of_project(&mut tx, &caller, project_id, id).await?;
    Ok(Json(found.into()))
}

/// Which kinds of object have which custom fields.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/", tag = "metadata",
    responses((status = 200, body = Page<MetadataModelFieldView>)))]
async fn list_metadata_model_fields(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    paging: Paging,
) -> ApiResult<Json<Page<MetadataModelFieldView>>> {
    let mut tx = app.db().read().await?;
    let found = metadata_fields::list_model_fields(&mut tx, &caller, organisation_id).await?;
    Ok(Json(paging.cut(found)?.map(MetadataModelFieldView::from)))
}

/// Gives a custom field to a kind of object.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/", tag = "metadata",
    request_body = WholeMetadataModelFieldBody, responses((status = 201, body = MetadataModelFieldView)))]
async fn create_metadata_model_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<MetadataModelFieldView>)> {
    let WholeMetadataModelFieldBody(input) = body.parse()?;
    let created = metadata_fields::create_model_field(&app, &caller, organisation_id, input.into()).await?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/{id}/", tag = "metadata",
    responses((status = 200, body = MetadataModelFieldView)))]
async fn get_metadata_model_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<MetadataModelFieldView>> {
    let mut tx = app.db().read().await?;
    let found = metadata_fields::get_model_field(&mut tx, &caller, organisation_id, id).await?;
    Ok(Json(found.into()))
}

/// Changes which kind of object has a custom field, and where it is required.
#[utoipa::path(put, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/{id}/", tag = "metadata",
    request_body = WholeMetadataModelFieldBody, responses((status = 200, body = MetadataModelFieldView)))]
async fn update_metadata_model_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<MetadataModelFieldView>> {
    let WholeMetadataModelFieldBody(input) = body.parse()?;
    let edit = input.into();
    let changed = metadata_fields::update_model_field(&app, &caller, organisation_id, id, edit).await?;
    Ok(Json(changed.into()))
}

/// Changes single things of it.
#[utoipa::path(patch, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/{id}/", tag = "metadata",
    request_body = MetadataModelFieldBody, responses((status = 200, body = MetadataModelFieldView)))]
async fn patch_metadata_model_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<MetadataModelFieldView>> {
    let input: MetadataModelFieldBody = body.parse()?;
    let edit = input.into();
    let changed = metadata_fields::update_model_field(&app, &caller, organisation_id, id, edit).await?;
    Ok(Json(changed.into()))
}

/// Takes a custom field away from a kind of object, with its values there.
#[utoipa::path(delete, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/{id}/", tag = "metadata",
    responses((status = 204)))]
async fn delete_metadata_model_field(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation_id, id)): Path<(i64, i64)>,
) -> ApiResult<StatusCode> {
    metadata_fields::delete_model_field(&app, &caller, organisation_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The kinds of object that custom fields speak of.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/supported-content-types/",
    tag = "metadata", responses((status = 200, body = Vec<ContentTypeView>)))]
async fn list_supported_content_types(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
) -> ApiResult<Json<Vec<ContentTypeView>>> {
    let mut tx = app.db().read().await?;
    organisations::for_member(&mut tx, &caller, organisation_id).await?;
    Ok(Json(
        ContentType::ALL.into_iter().map(ContentTypeView::from).collect(),
    ))
}

/// Where a custom field of a kind of object can be required.
#[utoipa::path(get,
    path = "/api/v1/organisations/{organisation_id}/metadata-model-fields/supported-required-for-models/",
    tag = "metadata", params(("model_name" = String, Query, description = "`feature`, `segment` or `environment`")),
    responses((status = 200, body = Vec<ContentTypeView>)))]
async fn list_supported_required_for_models(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation_id): Path<i64>,
    query: Query,
) -> ApiResult<Json<Vec<ContentTypeView>>> {
    let mut tx = app.db().read().await?;
    organisations::for_member(&mut tx, &caller, organisation_id).await?;
    let kind = kind(&query, "model_name")?
        .ok_or_else(|| ApiError(Error::field("model_name", "This field is required.")))?;
    Ok(Json(
        kind.required_in()
            .iter()
            .copied()
            .map(ContentTypeView::from)
            .collect(),
    ))
}

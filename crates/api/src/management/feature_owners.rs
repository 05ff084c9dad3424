//! `/api/v1/projects/{project_id}/features/{feature_id}/add-owners/` and its three like.

use axum::Json;
use axum::extract::State;
use burgee_app::feature_list::FeatureDetails;
use burgee_app::feature_owners::OwnerChange;
use burgee_app::{App, Caller, feature_owners};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feature_values::Ids;
use super::groups::GroupSummary;
use super::users::UserView;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::input;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(add_owners))
        .routes(routes!(remove_owners))
        .routes(routes!(add_group_owners))
        .routes(routes!(remove_group_owners))
}

/// A feature with its owners.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnedFeature {
    pub id: i64,
    pub name: String,
    pub created_date: String,
    pub description: Option<String>,
    pub initial_value: Option<String>,
    pub default_enabled: bool,
    #[schema(value_type = super::features::FeatureType)]
    pub r#type: String,
    pub owners: Vec<UserView>,
    pub group_owners: Vec<GroupSummary>,
    pub is_server_key_only: bool,
}

impl From<FeatureDetails> for OwnedFeature {
    fn from(details: FeatureDetails) -> Self {
        let feature = details.feature;
        Self {
            id: feature.id,
            name: feature.name,
            created_date: Timestamp(feature.created_at).rest(),
            description: feature.description,
            initial_value: feature.initial_value,
            default_enabled: feature.default_enabled,
            r#type: feature.r#type,
            owners: details.owners.into_iter().map(UserView::from).collect(),
            group_owners: details.group_owners.into_iter().map(GroupSummary::from).collect(),
            is_server_key_only: feature.is_server_key_only,
        }
    }
}

input! {
    /// Users.
    pub struct UserIds {
        pub user_ids: Ids,
    }
}

input! {
    /// Groups.
    pub struct GroupIds {
        pub group_ids: Ids,
    }
}

async fn change(
    app: &App,
    caller: &Caller,
    at: (i64, i64),
    what: OwnerChange,
    ids: &Ids,
) -> ApiResult<Json<OwnedFeature>> {
    Ok(Json(
        feature_owners::change(app, caller, at, what, &ids.0)
            .await?
            .into(),
    ))
}

/// Adds users to the owners of a feature.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/{feature_id}/add-owners/", tag = "features",
    request_body = UserIds, responses((status = 200, body = OwnedFeature)))]
async fn add_owners(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<OwnedFeature>> {
    let input: UserIds = body.parse()?;
    change(&app, &caller, at, OwnerChange::AddUsers, &input.user_ids).await
}

/// Removes users from the owners of a feature.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/{feature_id}/remove-owners/", tag = "features",
    request_body = UserIds, responses((status = 200, body = OwnedFeature)))]
async fn remove_owners(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<OwnedFeature>> {
    let input: UserIds = body.parse()?;
    change(&app, &caller, at, OwnerChange::RemoveUsers, &input.user_ids).await
}

/// Adds groups to the owners of a feature.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/{feature_id}/add-group-owners/",
    tag = "features", request_body = GroupIds, responses((status = 200, body = OwnedFeature)))]
async fn add_group_owners(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<OwnedFeature>> {
    let input: GroupIds = body.parse()?;
    change(&app, &caller, at, OwnerChange::AddGroups, &input.group_ids).await
}

/// Removes groups from the owners of a feature.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/features/{feature_id}/remove-group-owners/",
    tag = "features", request_body = GroupIds, responses((status = 200, body = OwnedFeature)))]
async fn remove_group_owners(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(at): Path<(i64, i64)>,
    body: Body,
) -> ApiResult<Json<OwnedFeature>> {
    let input: GroupIds = body.parse()?;
    change(&app, &caller, at, OwnerChange::RemoveGroups, &input.group_ids).await
}

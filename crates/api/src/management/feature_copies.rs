//! `/api/v1/environments/{key}/features/{feature_id}/copy/`

use axum::Json;
use axum::extract::State;
use burgee_app::feature_copies::{CopyChange, CopyOptions};
use burgee_app::{App, feature_copies};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::ChangeDetail;
use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Given, Text};
use crate::input;
use crate::params::Path;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(copy_feature))
}

input! {
    /// Where a feature's state is copied to.
    pub struct CopyFeatureBody {
        /// The client-side key of the environment to copy to.
        pub to: Text<100>,
        /// What the feature is for single identities, too.
        pub identity_overrides: Given<bool>,
        /// Only tells what would change.
        pub dry_run: Given<bool>,
    }
}

/// A change that a copy makes.
#[derive(Debug, Serialize, ToSchema)]
pub struct CopiedChange {
    pub log: String,
    pub change_details: Vec<ChangeDetail>,
}

impl From<CopyChange> for CopiedChange {
    fn from(change: CopyChange) -> Self {
        Self {
            log: change.line,
            change_details: change.details.into_iter().map(ChangeDetail::from).collect(),
        }
    }
}

/// What a copy changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct CopiedFeature {
    pub dry_run: bool,
    pub changes: Vec<CopiedChange>,
}

/// Makes a feature in another environment what it is in this one.
#[utoipa::path(post, path = "/api/v1/environments/{environment_key}/features/{feature_id}/copy/",
    tag = "feature states", request_body = CopyFeatureBody, responses((status = 200, body = CopiedFeature)))]
async fn copy_feature(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((key, feature)): Path<(String, i64)>,
    body: Body,
) -> ApiResult<Json<CopiedFeature>> {
    let input: CopyFeatureBody = body.parse()?;
    let options = CopyOptions {
        to: input.to.0,
        identity_overrides: input.identity_overrides.0.unwrap_or(false),
        dry_run: input.dry_run.0.unwrap_or(false),
    };
    let changes = feature_copies::copy(&app, &caller, &key, feature, &options).await?;
    Ok(Json(CopiedFeature {
        dry_run: options.dry_run,
        changes: changes.into_iter().map(CopiedChange::from).collect(),
    }))
}

//! `/api/v1/admin/dashboard/`: sums over the organisations that the caller administers.

use axum::Json;
use axum::extract::State;
use burgee_app::App;
use burgee_app::platform_hub::{self, IntegrationSums, OrganisationSums, StageOverview, Staleness};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::caller::Signed;
use crate::error::ApiResult;

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_platform_summary))
        .routes(routes!(list_platform_organisations))
        .routes(routes!(list_platform_usage_trends))
        .routes(routes!(list_platform_stale_flags))
        .routes(routes!(list_platform_release_pipelines))
        .routes(routes!(list_platform_integrations))
}

/// Everything together. API calls are those of the last 30 days.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PlatformSummary {
    pub total_organisations: i64,
    pub total_users: i64,
    pub total_projects: i64,
    pub total_environments: i64,
    pub total_features: i64,
    pub total_segments: i64,
    pub total_api_calls: i64,
}

/// One organisation. API calls are those of the last 30 days.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformOrganisation {
    pub id: i64,
    pub name: String,
    pub created_date: String,
    pub user_count: i64,
    pub project_count: i64,
    pub environment_count: i64,
    pub feature_count: i64,
    pub segment_count: i64,
    pub api_calls: i64,
}

impl From<(OrganisationSums, i64)> for PlatformOrganisation {
    fn from((sums, api_calls): (OrganisationSums, i64)) -> Self {
        Self {
            id: sums.id,
            name: sums.name,
            created_date: Timestamp(sums.created_at).rest(),
            user_count: sums.users,
            project_count: sums.projects,
            environment_count: sums.environments,
            feature_count: sums.features,
            segment_count: sums.segments,
            api_calls,
        }
    }
}

/// The calls of SDKs on one day.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PlatformUsage {
    pub date: String,
    pub flags: i64,
    pub identities: i64,
    pub traits: i64,
    pub environment_document: i64,
    pub total: i64,
}

/// The stale features of one project.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformStaleFlags {
    pub organisation_id: i64,
    pub organisation_name: String,
    pub project_id: i64,
    pub project_name: String,
    pub total_flags: i64,
    pub stale_flags: i64,
}

impl From<Staleness> for PlatformStaleFlags {
    fn from(row: Staleness) -> Self {
        Self {
            organisation_id: row.organisation_id,
            organisation_name: row.organisation_name,
            project_id: row.project_id,
            project_name: row.project_name,
            total_flags: row.features,
            stale_flags: row.stale,
        }
    }
}

/// How often a kind of integration is set up at one level of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformIntegration {
    pub organisation_id: i64,
    pub organisation_name: String,
    pub integration_type: String,
    /// `organisation`, `project` or `environment`.
    pub scope: String,
    pub count: i64,
}

impl From<IntegrationSums> for PlatformIntegration {
    fn from(sums: IntegrationSums) -> Self {
        Self {
            organisation_id: sums.organisation_id,
            organisation_name: sums.organisation_name,
            integration_type: sums.kind,
            scope: sums.scope,
            count: sums.count,
        }
    }
}

/// A release pipeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformPipeline {
    pub organisation_id: i64,
    pub organisation_name: String,
    pub project_id: i64,
    pub project_name: String,
    pub pipeline_id: i64,
    pub pipeline_name: String,
    pub is_published: bool,
    pub total_features: i64,
    pub completed_features: i64,
    pub stages: Vec<PlatformStage>,
}

/// A stage of a release pipeline, with where its features are.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformStage {
    pub stage_name: String,
    pub environment_name: String,
    pub order: i64,
    pub features_in_stage: i64,
    pub features_completed: i64,
    pub action_description: String,
    pub trigger_description: String,
}

impl From<StageOverview> for PlatformStage {
    fn from(stage: StageOverview) -> Self {
        Self {
            stage_name: stage.sums.name,
            environment_name: stage.sums.environment_name,
            order: stage.sums.position,
            features_in_stage: stage.sums.features,
            features_completed: stage.sums.completed,
            action_description: stage.does,
            trigger_description: stage.when,
        }
    }
}

/// Everything together.
#[utoipa::path(get, path = "/api/v1/admin/dashboard/summary/", tag = "platform hub",
    responses((status = 200, body = PlatformSummary)))]
async fn get_platform_summary(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<PlatformSummary>> {
    let mut total = PlatformSummary::default();
    for (sums, calls) in platform_hub::sums(&app, &caller).await? {
        total.total_organisations += 1;
        total.total_users += sums.users;
        total.total_projects += sums.projects;
        total.total_environments += sums.environments;
        total.total_features += sums.features;
        total.total_segments += sums.segments;
        total.total_api_calls = total.total_api_calls.saturating_add(calls);
    }
    Ok(Json(total))
}

/// The organisations, each with what it has.
#[utoipa::path(get, path = "/api/v1/admin/dashboard/organisations/", tag = "platform hub",
    responses((status = 200, body = Vec<PlatformOrganisation>)))]
async fn list_platform_organisations(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<Vec<PlatformOrganisation>>> {
    let all = platform_hub::sums(&app, &caller).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// The calls of SDKs by day, for the days of the last 30 that have any.
#[utoipa::path(get, path = "/api/v1/admin/dashboard/usage-trends/", tag = "platform hub",
    responses((status = 200, body = Vec<PlatformUsage>)))]
async fn list_platform_usage_trends(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<Vec<PlatformUsage>>> {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    let mut days: Vec<PlatformUsage> = Vec::new();
    for row in platform_hub::usage(&app, &caller).await? {
        let date: String = Timestamp(row.day * DAY).iso().chars().take(10).collect();
        if days.last().is_none_or(|day| day.date != date) {
            days.push(PlatformUsage {
                date,
                ..PlatformUsage::default()
            });
        }
        if let Some(day) = days.last_mut() {
            let place = match row.resource {
                1 => &mut day.flags,
                2 => &mut day.identities,
                3 => &mut day.traits,
                _ => &mut day.environment_document,
            };
            *place += row.count;
            day.total += row.count;
        }
    }
    Ok(Json(days))
}

/// How many flags are stale, by project.
#[utoipa::path(get, path = "/api/v1/admin/dashboard/stale-flags/", tag = "platform hub",
    responses((status = 200, body = Vec<PlatformStaleFlags>)))]
async fn list_platform_stale_flags(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<Vec<PlatformStaleFlags>>> {
    let mut tx = app.db().read().await?;
    let all = platform_hub::staleness(&mut tx, &caller).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

/// The release pipelines, with where their features are.
#[utoipa::path(get, path = "/api/v1/admin/dashboard/release-pipelines/", tag = "platform hub",
    responses((status = 200, body = Vec<PlatformPipeline>)))]
async fn list_platform_release_pipelines(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<Vec<PlatformPipeline>>> {
    let mut tx = app.db().read().await?;
    let all = platform_hub::pipelines(&mut tx, &caller).await?;
    let views = all.into_iter().map(|(pipeline, stages)| PlatformPipeline {
        organisation_id: pipeline.organisation_id,
        organisation_name: pipeline.organisation_name,
        project_id: pipeline.project_id,
        project_name: pipeline.project_name,
        pipeline_id: pipeline.id,
        pipeline_name: pipeline.name,
        is_published: pipeline.published_at.is_some(),
        total_features: pipeline.features,
        completed_features: pipeline.completed,
        stages: stages.into_iter().map(Into::into).collect(),
    });
    Ok(Json(views.collect()))
}

/// The integrations, by kind and by where they are set up.
#[utoipa::path(get, path = "/api/v1/admin/dashboard/integrations/", tag = "platform hub",
    responses((status = 200, body = Vec<PlatformIntegration>)))]
async fn list_platform_integrations(
    State(app): State<App>,
    Signed(caller): Signed,
) -> ApiResult<Json<Vec<PlatformIntegration>>> {
    let mut tx = app.db().read().await?;
    let all = platform_hub::integrations(&mut tx, &caller).await?;
    Ok(Json(all.into_iter().map(Into::into).collect()))
}

//! `/api/v1/organisations/{organisation_id}/audience-sync/runs/`, and what begins one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use burgee_app::App;
use burgee_app::audience_syncs::runs::{self, RunFilter, RunOfSync, Wish};
use burgee_app::audience_syncs::{Counts, Hold, Progress, RefusedRow, Samples, errors_as_csv};
use burgee_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::organisations::OrganisationId;
use crate::caller::Signed;
use crate::choices;
use crate::error::ApiResult;
use crate::page::{Page, Paging};
use crate::params::{Path, Query};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(plan_audience_sync))
        .routes(routes!(run_audience_sync))
        .routes(routes!(list_audience_sync_runs))
        .routes(routes!(get_audience_sync_run))
        .routes(routes!(list_audience_sync_errors))
        .routes(routes!(approve_audience_sync_run))
        .routes(routes!(drop_audience_sync_run))
        .routes(routes!(stop_audience_sync_run))
}

choices! {
    /// How a run is, or how it ended: `partial` is done but for rows that were refused, `skipped` came due while the run before was under way.
    pub enum AudienceSyncState {
        Planning = "planning",
        Running = "running",
        Planned = "planned",
        Held = "held",
        Dropped = "dropped",
        Done = "done",
        Partial = "partial",
        Failed = "failed",
        Stopped = "stopped",
        Skipped = "skipped",
    }
}

/// What a plan has, by number of rows or operations.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PlanCounts {
    /// What the source gave.
    pub rows: u64,
    pub adds: u64,
    pub updates: u64,
    pub removes: u64,
    pub unchanged: u64,
    /// Rows that can't be sent.
    pub invalid: u64,
    /// Rows that came twice, alike.
    pub duplicates: u64,
    /// Keys that came with different values; nothing is sent of them.
    pub conflicts: u64,
    /// What the destination had acknowledged before.
    pub acknowledged: u64,
}

/// How far the delivery is.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct DeliveryProgress {
    pub delivered: u64,
    pub rejected: u64,
    pub requests: u64,
    /// Requests that were answered with "too many".
    pub throttled: u64,
}

/// Some keys of each kind of operation.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct PlanSamples {
    pub adds: Vec<String>,
    pub updates: Vec<String>,
    pub removes: Vec<String>,
}

/// A reason why a plan is held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldView {
    /// Which guard rail: `removes`, `empty`, `invalid`, `foreign`, `capacity`.
    pub rail: String,
    pub reason: String,
    /// Whether an approval lets it pass.
    pub can_be_approved: bool,
}

impl From<Hold> for HoldView {
    fn from(hold: Hold) -> Self {
        Self {
            rail: hold.rail().to_owned(),
            reason: hold.to_string(),
            can_be_approved: hold.can_be_approved(),
        }
    }
}

/// One run of a sync.
#[derive(Debug, Serialize, ToSchema)]
pub struct AudienceSyncRun {
    pub id: i64,
    pub sync: String,
    #[schema(inline, value_type = AudienceSyncState)]
    pub state: String,
    pub started_at: String,
    pub ended_at: Option<String>,
    /// The user who asked for it; of a schedule, nobody.
    pub started_by: Option<i64>,
    pub counts: PlanCounts,
    pub progress: DeliveryProgress,
    /// Why it is held.
    pub holds: Vec<HoldView>,
    pub samples: PlanSamples,
    /// What an approval is bound to: the digest of the whole plan.
    pub seal: Option<String>,
    pub error: Option<String>,
}

impl From<RunOfSync> for AudienceSyncRun {
    fn from(RunOfSync { run, sync }: RunOfSync) -> Self {
        let counts: Counts = serde_json::from_str(&run.counts).unwrap_or_default();
        let progress: Progress = serde_json::from_str(&run.progress).unwrap_or_default();
        let holds: Vec<Hold> = serde_json::from_str(&run.holds).unwrap_or_default();
        let samples: Samples = serde_json::from_str(&run.samples).unwrap_or_default();
        Self {
            id: run.id,
            sync,
            state: run.state,
            started_at: Timestamp(run.started_at).rest(),
            ended_at: run.ended_at.map(|at| Timestamp(at).rest()),
            started_by: run.started_by,
            counts: PlanCounts {
                rows: counts.rows,
                adds: counts.adds,
                updates: counts.updates,
                removes: counts.removes,
                unchanged: counts.unchanged,
                invalid: counts.invalid,
                duplicates: counts.duplicates,
                conflicts: counts.conflicts,
                acknowledged: counts.acknowledged,
            },
            progress: DeliveryProgress {
                delivered: progress.delivered,
                rejected: progress.rejected,
                requests: progress.requests,
                throttled: progress.throttled,
            },
            holds: holds.into_iter().map(Into::into).collect(),
            samples: PlanSamples {
                adds: samples.adds,
                updates: samples.updates,
                removes: samples.removes,
            },
            seal: run.seal,
            error: run.error,
        }
    }
}

/// A row that was refused, or could not be sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedRowView {
    pub key: String,
    /// `add`, `update`, `remove`; `invalid` for one that was never sent.
    pub op: String,
    pub reason: String,
}

impl From<RefusedRow> for RefusedRowView {
    fn from(row: RefusedRow) -> Self {
        Self {
            key: row.key,
            op: row.op,
            reason: row.reason,
        }
    }
}

type Begun = ApiResult<(StatusCode, Json<AudienceSyncRun>)>;

/// Plans a sync and sends nothing. The answer is the run that has begun.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/audience-sync/syncs/{name}/plan/",
    tag = "audience sync", responses((status = 202, body = AudienceSyncRun),
        (status = 429, description = "This node runs as many syncs as it can")))]
async fn plan_audience_sync(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, name)): Path<(OrganisationId, String)>,
) -> Begun {
    let run = runs::start(&app, &caller, organisation.get()?, &name, Wish::Plan).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// Runs a sync. The answer is the run that has begun.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/audience-sync/syncs/{name}/trigger/",
    tag = "audience sync", responses((status = 202, body = AudienceSyncRun),
        (status = 409, description = "It is running already"),
        (status = 429, description = "This node runs as many syncs as it can")))]
async fn run_audience_sync(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, name)): Path<(OrganisationId, String)>,
) -> Begun {
    let run = runs::start(&app, &caller, organisation.get()?, &name, Wish::Run).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// The runs of an organisation's syncs, newest first.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audience-sync/runs/", tag = "audience sync",
    params(("sync" = Option<String>, Query, description = "Of this sync only"),
        ("state" = inline(Option<AudienceSyncState>), Query, description = "In this state only")),
    responses((status = 200, body = Page<AudienceSyncRun>)))]
async fn list_audience_sync_runs(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(organisation): Path<OrganisationId>,
    query: Query,
    paging: Paging,
) -> ApiResult<Json<Page<AudienceSyncRun>>> {
    let filter = RunFilter {
        sync: query.text("sync"),
        state: query.text("state"),
    };
    let window = (paging.limit(), paging.offset()?);
    let (count, found) = runs::list(&app, &caller, organisation.get()?, filter, window).await?;
    Ok(Json(
        paging.page(count, found.into_iter().map(Into::into).collect())?,
    ))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/", tag = "audience sync",
    responses((status = 200, body = AudienceSyncRun)))]
async fn get_audience_sync_run(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<AudienceSyncRun>> {
    Ok(Json(
        runs::get(&app, &caller, organisation.get()?, id).await?.into(),
    ))
}

/// The rows of a run that were refused or could not be sent; all of them as CSV for those that accept `text/csv`.
#[utoipa::path(get, path = "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/errors/",
    tag = "audience sync",
    responses((status = 200, content((Page<RefusedRowView> = "application/json"), (String = "text/csv")))))]
async fn list_audience_sync_errors(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
    headers: HeaderMap,
    paging: Paging,
) -> ApiResult<Response> {
    let organisation = organisation.get()?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.starts_with("text/csv")) {
        let (_, rows) = runs::errors(&app, &caller, organisation, id, (i64::MAX, 0)).await?;
        let kind = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"run-{id}-errors.csv\""),
            ),
        ];
        return Ok((kind, errors_as_csv(&rows)).into_response());
    }
    let window = (paging.limit(), paging.offset()?);
    let (count, rows) = runs::errors(&app, &caller, organisation, id, window).await?;
    let rows: Vec<RefusedRowView> = rows.into_iter().map(Into::into).collect();
    Ok(Json(paging.page(count, rows)?).into_response())
}

/// Sends a held plan, if it still is exactly the one that was held. The answer is the run that has begun.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/approve/",
    tag = "audience sync", responses((status = 202, body = AudienceSyncRun),
        (status = 409, description = "It is not held, or its sync is running"),
        (status = 429, description = "This node runs as many syncs as it can")))]
async fn approve_audience_sync_run(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> Begun {
    let run = runs::approve(&app, &caller, organisation.get()?, id).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// Drops a held plan: nothing of it is sent.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/drop/",
    tag = "audience sync",
    responses((status = 200, body = AudienceSyncRun), (status = 409, description = "It is not held")))]
async fn drop_audience_sync_run(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<AudienceSyncRun>> {
    Ok(Json(
        runs::discard(&app, &caller, organisation.get()?, id)
            .await?
            .into(),
    ))
}

/// Stops a run: requests that are under way are answered, and no more are sent.
#[utoipa::path(post, path = "/api/v1/organisations/{organisation_id}/audience-sync/runs/{id}/stop/",
    tag = "audience sync",
    responses((status = 200, body = AudienceSyncRun), (status = 409, description = "It is not under way")))]
async fn stop_audience_sync_run(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((organisation, id)): Path<(OrganisationId, i64)>,
) -> ApiResult<Json<AudienceSyncRun>> {
    Ok(Json(
        runs::stop(&app, &caller, organisation.get()?, id).await?.into(),
    ))
}

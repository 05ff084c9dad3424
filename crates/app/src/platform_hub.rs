//! Sums over the organisations that somebody administers; over all of them for a superuser.

use std::collections::HashMap;

use burgee_model::Timestamp;
use burgee_store::{Tx, organisations, platform_hub};

pub use burgee_store::platform_hub::{IntegrationSums, OrganisationSums, PipelineSums, StageSums, Staleness};

use crate::analytics::{Calls, Scope, or_nothing};
use crate::{App, Caller, Result, release_pipelines};

/// Days that usage is shown for.
pub const DAYS: i64 = 30;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The organisations whose sums somebody sees.
async fn administered(tx: &mut Tx, caller: &Caller) -> Result<Vec<i64>> {
    if caller.user().is_ok_and(|user| user.is_superuser) {
        let all = organisations::all(tx).await?;
        return Ok(all.into_iter().map(|organisation| organisation.id).collect());
    }
    crate::organisations::administered(tx, caller).await
}

/// What each organisation has of everything, with its calls of the last days.
pub async fn sums(app: &App, caller: &Caller) -> Result<Vec<(OrganisationSums, i64)>> {
    let mut tx = app.db().read().await?;
    let ids = administered(&mut tx, caller).await?;
    let sums = platform_hub::sums(&mut tx, &ids).await?;
    drop(tx);
    let mut counts: HashMap<i64, i64> = HashMap::new();
    for row in calls(app, ids).await? {
        let count = counts.entry(row.organisation_id).or_default();
        *count = count.saturating_add(row.count);
    }
    let count = |id: i64| counts.get(&id).copied().unwrap_or(0);
    Ok(sums
        .into_iter()
        .map(|sums| {
            let calls = count(sums.id);
            (sums, calls)
        })
        .collect())
}

/// The calls of SDKs, oldest day first.
pub async fn usage(app: &App, caller: &Caller) -> Result<Vec<Calls>> {
    let mut tx = app.db().read().await?;
    let ids = administered(&mut tx, caller).await?;
    drop(tx);
    let mut calls = calls(app, ids).await?;
    calls.sort_by_key(|row| row.day);
    Ok(calls)
}

async fn calls(app: &App, organisation_ids: Vec<i64>) -> Result<Vec<Calls>> {
    let scope = Scope {
        organisation_ids,
        ..Scope::default()
    };
    let since = Timestamp::now().0 - DAYS * DAY;
    or_nothing(app.analytics().calls(app.db(), &scope, (since, i64::MAX)).await)
}

/// How many features are stale, by project.
pub async fn staleness(tx: &mut Tx, caller: &Caller) -> Result<Vec<Staleness>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::staleness(tx, &ids).await?)
}

/// The integrations, by kind and by where they are set up.
pub async fn integrations(tx: &mut Tx, caller: &Caller) -> Result<Vec<IntegrationSums>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::integrations(tx, &ids).await?)
}

/// A stage of a release pipeline, in words and numbers.
#[derive(Debug, Clone)]
pub struct StageOverview {
    pub sums: StageSums,
    /// What it does, in words.
    pub does: String,
    /// When it does it, in words.
    pub when: String,
}

/// The release pipelines, each with its stages.
pub async fn pipelines(tx: &mut Tx, caller: &Caller) -> Result<Vec<(PipelineSums, Vec<StageOverview>)>> {
    let organisations = administered(tx, caller).await?;
    let pipelines = platform_hub::pipelines(tx, &organisations).await?;
    let ids: Vec<i64> = pipelines.iter().map(|pipeline| pipeline.id).collect();
    let actions = platform_hub::actions(tx, &ids).await?;
    let mut stages = platform_hub::stages(tx, &ids).await?;
    let with_stages = pipelines.into_iter().map(|pipeline| {
        let own = stages.extract_if(.., |stage| stage.pipeline_id == pipeline.id);
        let overviews = own.map(|sums| {
            let does = actions.iter().filter(|action| action.stage_id == sums.id);
            StageOverview {
                does: does
                    .map(release_pipelines::action_in_words)
                    .collect::<Vec<_>>()
                    .join(", "),
                when: release_pipelines::trigger_in_words(&sums.trigger_type, &sums.trigger_body),
                sums,
            }
        });
        let overviews: Vec<StageOverview> = overviews.collect();
        (pipeline, overviews)
    });
    Ok(with_stages.collect())
}

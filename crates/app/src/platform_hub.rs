//! Sums over the organisations that somebody administers; over all of them for a superuser.

use burgee_model::Timestamp;
use burgee_store::{Tx, organisations, platform_hub};

pub use burgee_store::platform_hub::{
    DayOfUsage, IntegrationSums, OrganisationSums, PipelineSums, StageSums, Staleness,
};

use crate::{Caller, Result, release_pipelines};

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

fn since() -> i64 {
    Timestamp::now().0 - DAYS * DAY
}

/// What each organisation has of everything.
pub async fn sums(tx: &mut Tx, caller: &Caller) -> Result<Vec<OrganisationSums>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::sums(tx, &ids, since()).await?)
}

/// The calls of SDKs, by day and resource.
pub async fn usage(tx: &mut Tx, caller: &Caller) -> Result<Vec<DayOfUsage>> {
    let ids = administered(tx, caller).await?;
    Ok(platform_hub::usage(tx, &ids, since()).await?)
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

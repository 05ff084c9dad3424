//! Features on their way through a release pipeline.
//!
//! Everything a stage does happens in the transaction that moves the feature on, so it happens once, on whichever node
//! is first. What came due while no node was up is made good, and the times that follow count from then.

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::projects::Project;
use burgee_store::release_pipelines::{self as rows, Pipeline, Stage, Traveller};

use super::stages::{Deed, stored_deed, wait};
use super::{log, rollouts};
use crate::change::Action;
use crate::change_sets::{self, ChangeSet, StateChange, Target};
use crate::feature_states::StateEdit;
use crate::{App, Author, Caller, Error, Place, Result};

/// One feature on its way, with all that is needed to move it.
pub(super) struct Journey<'a> {
    pub author: Author<'a>,
    pub project: &'a Project,
    pub pipeline: &'a Pipeline,
    pub feature: &'a Feature,
    pub now: Timestamp,
}

/// Puts a feature into the first stage and does what is to be done at once.
pub(super) async fn start(
    tx: &mut Tx,
    caller: &Caller,
    project: &Project,
    pipeline: &Pipeline,
    feature: &Feature,
) -> Result<Vec<NewChange>> {
    let now = Timestamp::now();
    let stages = rows::stages(tx, pipeline.id).await?;
    let mut traveller = Traveller {
        id: 0,
        pipeline_id: pipeline.id,
        feature_id: feature.id,
        position: stages.first().map_or(0, |stage| stage.position),
        entered_at: now.0,
        due_at: stages.first().map(|stage| due_at(stage, now)),
        completed_at: None,
        failure: None,
        user_id: caller.user_id(),
        api_key_id: caller.api_key_id(),
    };
    traveller.id = rows::insert_traveller(tx, &traveller).await?;
    let journey = Journey {
        author: caller.into(),
        project,
        pipeline,
        feature,
        now,
    };
    move_on(tx, &journey, traveller).await
}

fn due_at(stage: &Stage, now: Timestamp) -> i64 {
    now.plus_seconds(wait(stage)).0
}

/// Moves every feature on for which something is due, each in a transaction of its own.
pub async fn advance(app: &App, now: Timestamp) -> Result<()> {
    let due = rows::due(&mut app.db().read().await?, now.0).await?;
    let mut failure = None;
    for id in due {
        match advance_one(app, id, now).await {
            Ok(()) => {}
            Err(error @ Error::Unavailable(_)) => return Err(error),
            // A fault of ours with one of them must not hold up the others.
            Err(error) => {
                tracing::error!(%error, pipeline_feature = id, "a release pipeline could not go on");
                failure = Some(error);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn advance_one(app: &App, id: i64, now: Timestamp) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    // Another node may have been faster, or somebody took it out.
    if !rows::due(&mut tx, now.0).await?.contains(&id) {
        return Ok(());
    }
    let Some(traveller) = rows::find_traveller(&mut tx, id).await? else {
        return Ok(());
    };
    let Some((project, pipeline, feature)) = around(&mut tx, &traveller).await? else {
        return Ok(());
    };
    let journey = Journey {
        author: Author {
            user_id: traveller.user_id,
            api_key_id: traveller.api_key_id,
            ..Author::default()
        },
        project: &project,
        pipeline: &pipeline,
        feature: &feature,
        now,
    };
    match move_on(&mut tx, &journey, traveller.clone()).await {
        Ok(changes) => app.commit(tx, changes).await,
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => Err(error),
        Err(refusal) => {
            drop(tx);
            stop(app, &journey, traveller, &refusal).await
        }
    }
}

async fn around(tx: &mut Tx, traveller: &Traveller) -> Result<Option<(Project, Pipeline, Feature)>> {
    let Some(feature) = features::find(tx, traveller.feature_id).await? else {
        return Ok(None);
    };
    let Some(project) = burgee_store::projects::find(tx, feature.project_id).await? else {
        return Ok(None);
    };
    let pipeline = rows::find(tx, project.id, traveller.pipeline_id).await?;
    Ok(pipeline.map(|pipeline| (project, pipeline, feature)))
}

/// A feature that can't go on stays where it is, until it is taken out.
async fn stop(app: &App, journey: &Journey<'_>, mut traveller: Traveller, why: &Error) -> Result<()> {
    let mut tx = app.begin().await?;
    tracing::warn!(%why, feature = journey.feature.name, pipeline = journey.pipeline.name, "a feature was stopped");
    traveller.failure = Some(why.to_string());
    rows::update_traveller(&mut tx, &traveller).await?;
    let line = format!(
        "Feature: {} stopped in Release Pipeline: {}",
        journey.feature.name, journey.pipeline.name
    );
    app.commit(tx, vec![journey.line(line)]).await
}

impl Journey<'_> {
    fn line(&self, text: String) -> NewChange {
        log(self.author, Action::Update, self.project, self.pipeline)
            .says(text)
            .into()
    }

    /// The environment of a stage, for its writers: what is done there was decided when the pipeline was published.
    async fn place(&self, tx: &mut Tx, environment_id: i64) -> Result<Place> {
        let place = Place::by_id(tx, environment_id).await?;
        Ok(place.ok_or_else(Error::not_found)?.approved())
    }

    /// Changes the feature in an environment.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        environment_id: i64,
        set: &ChangeSet,
    ) -> Result<Vec<NewChange>> {
        let place = self.place(tx, environment_id).await?;
        change_sets::apply(tx, self.author, &place, self.feature, set, self.now).await
    }
}

/// Does what is due, stage after stage, as far as nothing has to be waited for.
async fn move_on(tx: &mut Tx, journey: &Journey<'_>, mut traveller: Traveller) -> Result<Vec<NewChange>> {
    let stages = rows::stages(tx, journey.pipeline.id).await?;
    let mut changes = Vec::new();
    // The stage it is in, or the next one if that is gone with its environment.
    while let Some(stage) = stages.iter().find(|stage| stage.position >= traveller.position) {
        if stage.position != traveller.position {
            enter(&mut traveller, stage, journey.now);
        }
        if let Some(due) = traveller.due_at {
            if due > journey.now.0 {
                break;
            }
            changes.extend(act(tx, journey, &traveller, stage).await?);
            traveller.due_at = None;
        }
        changes.extend(rollouts::grow(tx, journey, &traveller).await?);
        if !rows::open_rollouts(tx, traveller.id).await?.is_empty() {
            break;
        }
        let Some(next) = stages.iter().find(|next| next.position > stage.position) else {
            break;
        };
        enter(&mut traveller, next, journey.now);
        changes.push(journey.line(format!(
            "Feature: {} moved to stage: {} of Release Pipeline: {}",
            journey.feature.name, next.name, journey.pipeline.name
        )));
    }
    let last = stages.last().map(|stage| stage.position);
    let rolling = !rows::open_rollouts(tx, traveller.id).await?.is_empty();
    let at_the_end = last.is_some_and(|last| last <= traveller.position) && traveller.due_at.is_none();
    // With their environments stages go, and there may be none left.
    let beyond = last.is_none_or(|last| last < traveller.position);
    if (at_the_end && !rolling) || beyond {
        traveller.completed_at = Some(journey.now.0);
        changes.push(journey.line(format!(
            "Feature: {} completed Release Pipeline: {}",
            journey.feature.name, journey.pipeline.name
        )));
    }
    rows::update_traveller(tx, &traveller).await?;
    Ok(changes)
}

fn enter(traveller: &mut Traveller, stage: &Stage, now: Timestamp) {
    traveller.position = stage.position;
    traveller.entered_at = now.0;
    traveller.due_at = Some(due_at(stage, now));
}

/// Does what a stage does.
async fn act(
    tx: &mut Tx,
    journey: &Journey<'_>,
    traveller: &Traveller,
    stage: &Stage,
) -> Result<Vec<NewChange>> {
    let actions = rows::actions(tx, journey.pipeline.id).await?;
    let own = actions.iter().filter(|action| action.stage_id == stage.id);
    let mut set = ChangeSet {
        feature_id: journey.feature.id,
        ..ChangeSet::default()
    };
    let mut plan = None;
    for deed in own.filter_map(stored_deed) {
        match deed {
            Deed::Toggle { segment_id, enabled } => state(&mut set, segment_id).enabled = Some(enabled),
            Deed::SetValue { segment_id, value } => state(&mut set, segment_id).value = Some(value),
            Deed::Rollout(rollout) => plan = Some(rollout),
        }
    }
    let mut changes = Vec::new();
    if !set.is_empty() {
        changes.extend(journey.apply(tx, stage.environment_id, &set).await?);
    }
    if let Some(plan) = plan {
        changes.extend(rollouts::begin(tx, journey, traveller, stage, plan).await?);
    }
    Ok(changes)
}

/// The edit of a state in a set; several actions of a stage make one edit.
fn state(set: &mut ChangeSet, segment_id: Option<i64>) -> &mut StateEdit {
    let is_it = |change: &StateChange| change.segment.map(|target| target.segment_id) == segment_id;
    let index = set.update.iter().position(is_it).unwrap_or_else(|| {
        set.update.push(StateChange {
            segment: segment_id.map(|segment_id| Target {
                segment_id,
                priority: None,
            }),
            edit: StateEdit::default(),
        });
        set.update.len() - 1
    });
    &mut set.update[index].edit
}

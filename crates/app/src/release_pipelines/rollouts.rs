//! Phased rollouts: a feature is on for a segment of its own, which grows until it is everybody.

use burgee_model::Timestamp;
use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use burgee_store::changes::NewChange;
use burgee_store::release_pipelines::{self as rows, Rollout, Stage, Traveller};
use burgee_store::segments::Segment;
use burgee_store::{Tx, db, segments as segment_rows};

use super::run::Journey;
use super::stages::RolloutPlan;
use crate::change_sets::{ChangeSet, StateChange, Target};
use crate::feature_states::StateEdit;
use crate::metadata::Write;
use crate::{Error, Result, segments};

/// Turns the feature on for the first ones.
pub(super) async fn begin(
    tx: &mut Tx,
    journey: &Journey<'_>,
    traveller: &Traveller,
    stage: &Stage,
    plan: RolloutPlan,
) -> Result<Vec<NewChange>> {
    let mut rollout = Rollout {
        id: 0,
        pipeline_feature_id: traveller.id,
        stage_id: stage.id,
        environment_id: stage.environment_id,
        segment_id: None,
        initial_split: plan.initial_split,
        increase_by: plan.increase_by,
        increase_every: plan.increase_every,
        current_split: plan.initial_split,
        next_at: Some(next_at(journey.now, plan.increase_every)),
        updated_at: journey.now.0,
    };
    rollout.id = rows::insert_rollout(tx, &rollout).await?;
    if rollout.current_split >= 100.0 {
        return complete(tx, journey, rollout).await;
    }
    let mut segment = segments::blank(journey.project.id);
    segment.name = format!("Rollout of {} in {}", journey.feature.name, stage.name);
    segment.feature_id = Some(journey.feature.id);
    segment.rules = segments::to_text(&[Rule {
        id: db::next_numbers(tx, "rule", 1).await?,
        kind: RuleType::All,
        rules: Vec::new(),
        conditions: vec![Condition {
            id: db::next_numbers(tx, "condition", 1).await?,
            operator: Operator::PercentageSplit,
            property: None,
            value: Some(rollout.current_split.to_string()),
            description: None,
        }],
    }]);
    segments::insert(tx, journey.project, &mut segment).await?;
    rollout.segment_id = Some(segment.id);
    rows::update_rollout(tx, &rollout).await?;
    let mut changes = vec![segments::created(tx, journey.author, journey.project, &segment).await?];
    let set = ChangeSet {
        feature_id: journey.feature.id,
        create: vec![StateChange {
            segment: Some(Target {
                segment_id: segment.id,
                priority: None,
            }),
            edit: turned_on(),
        }],
        ..ChangeSet::default()
    };
    changes.extend(journey.apply(tx, stage.environment_id, &set).await?);
    Ok(changes)
}

fn turned_on() -> StateEdit {
    StateEdit {
        enabled: Some(true),
        ..StateEdit::default()
    }
}

fn next_at(now: Timestamp, seconds: i64) -> i64 {
    now.plus_seconds(seconds).0
}

/// Lets what is due grow, by one step.
pub(super) async fn grow(
    tx: &mut Tx,
    journey: &Journey<'_>,
    traveller: &Traveller,
) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    for mut rollout in rows::open_rollouts(tx, traveller.id).await? {
        if rollout.next_at.is_none_or(|at| at > journey.now.0) {
            continue;
        }
        rollout.current_split = (rollout.current_split + rollout.increase_by).min(100.0);
        rollout.updated_at = journey.now.0;
        if rollout.current_split >= 100.0 {
            changes.extend(complete(tx, journey, rollout).await?);
            continue;
        }
        let before = segment_of(tx, journey, &rollout).await?;
        let segment = with_split(before.clone(), rollout.current_split, journey.now);
        let change = segments::rewrite(
            tx,
            journey.author,
            journey.project,
            (&before, &segment),
            (None, Write::Part),
        );
        changes.push(change.await?);
        rollout.next_at = Some(next_at(journey.now, rollout.increase_every));
        rows::update_rollout(tx, &rollout).await?;
    }
    Ok(changes)
}

async fn segment_of(tx: &mut Tx, journey: &Journey<'_>, rollout: &Rollout) -> Result<Segment> {
    let segment = match rollout.segment_id {
        Some(id) => segment_rows::find_in(tx, journey.project.id, id).await?,
        None => None,
    };
    segment.ok_or_else(|| Error::NotFound("the segment of the rollout is gone".to_owned()))
}

fn with_split(mut segment: Segment, split: f64, now: Timestamp) -> Segment {
    let mut rules = segment.parsed_rules();
    for condition in rules.iter_mut().flat_map(|rule| &mut rule.conditions) {
        if condition.operator == Operator::PercentageSplit {
            condition.value = Some(split.to_string());
        }
    }
    segment.rules = segments::to_text(&rules);
    segment.updated_at = now.0;
    segment
}

/// Turns the feature on for everybody; its segment has done its work.
async fn complete(tx: &mut Tx, journey: &Journey<'_>, mut rollout: Rollout) -> Result<Vec<NewChange>> {
    let set = ChangeSet {
        feature_id: journey.feature.id,
        update: vec![StateChange {
            segment: None,
            edit: turned_on(),
        }],
        delete_segments: rollout.segment_id.into_iter().collect(),
        ..ChangeSet::default()
    };
    let mut changes = journey.apply(tx, rollout.environment_id, &set).await?;
    if rollout.segment_id.is_some() {
        let segment = segment_of(tx, journey, &rollout).await?;
        changes.push(segments::remove(tx, journey.author, journey.project, &segment).await?);
    }
    (rollout.segment_id, rollout.next_at) = (None, None);
    rows::update_rollout(tx, &rollout).await?;
    Ok(changes)
}

//! Taking release pipelines: their stages, with when and what they do. Features that are on their way are not taken.

use std::collections::{HashMap, HashSet};

use burgee_store::bulk::{Cell, tables};
use burgee_store::imports;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::configuration::Configuration;
use crate::people::uuid;
use crate::records::moment;
use crate::taking::{How, Incoming, Taker};
use crate::{Result, noun};

/// Pipelines with all that they are made of.
#[derive(Debug, Default)]
pub struct Pipelines {
    pub pipelines: Vec<Pipeline>,
    pub stages: Vec<Stage>,
    pub triggers: Vec<Trigger>,
    pub actions: Vec<Action>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Pipeline {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub published_at: Option<i64>,
    #[serde(default)]
    pub published_by_id: Option<i64>,
    pub project_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Stage {
    pub id: i64,
    pub name: String,
    pub order: i64,
    pub environment_id: i64,
    pub pipeline_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Trigger {
    pub trigger_type: String,
    #[serde(default)]
    pub trigger_body: Value,
    pub stage_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Action {
    pub id: i64,
    pub action_type: String,
    #[serde(default)]
    pub action_body: Value,
    pub stage_id: i64,
}

/// Takes the pipelines, if the source tells of them.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(all) = &from.pipelines else { return Ok(()) };
    let rows = all.pipelines.iter().filter_map(|p| {
        Some(Incoming::new(
            p.id,
            vec![
                uuid(p.uuid.as_deref(), noun::PIPELINE, p.id).into(),
                taker.id(noun::PROJECT, p.project_id)?.into(),
                p.name.as_str().into(),
                p.description.as_deref().into(),
                p.created_at.unwrap_or_default().into(),
                p.published_at.into(),
                taker.id_if(noun::USER, p.published_by_id).into(),
            ],
        ))
    });
    let rows = rows.collect();
    taker
        .rows(noun::PIPELINE, &tables::RELEASE_PIPELINES, rows, How::default())
        .await?;
    take_stages(taker, all).await?;
    let rows = all.actions.iter().filter_map(|a| {
        Some(Incoming::new(
            a.id,
            vec![
                taker.id(noun::PIPELINE_STAGE, a.stage_id)?.into(),
                a.action_type.as_str().into(),
                body(taker, &a.action_body).to_string().into(),
            ],
        ))
    });
    let rows = rows.collect();
    taker
        .rows(
            noun::PIPELINE_ACTION,
            &tables::PIPELINE_ACTIONS,
            rows,
            How::default(),
        )
        .await
}

async fn take_stages(taker: &mut Taker<'_>, all: &Pipelines) -> Result<()> {
    let triggers: HashMap<i64, &Trigger> = all.triggers.iter().map(|t| (t.stage_id, t)).collect();
    let rows = all.stages.iter().filter_map(|s| {
        let trigger = triggers.get(&s.id);
        Some(Incoming::new(
            s.id,
            vec![
                taker.id(noun::PIPELINE, s.pipeline_id)?.into(),
                taker.id(noun::ENVIRONMENT, s.environment_id)?.into(),
                s.name.as_str().into(),
                s.order.into(),
                trigger
                    .map_or("ON_ENTER", |trigger| trigger.trigger_type.as_str())
                    .into(),
                trigger
                    .map_or(Value::Null, |trigger| trigger.trigger_body.clone())
                    .to_string()
                    .into(),
            ],
        ))
    });
    let rows: Vec<Incoming> = rows.collect();
    make_way(taker, &rows).await?;
    taker
        .rows(
            noun::PIPELINE_STAGE,
            &tables::PIPELINE_STAGES,
            rows,
            How::default(),
        )
        .await
}

/// Moves stages aside that are to be at other positions: no two of a pipeline may share one, not even for a moment.
async fn make_way(taker: &mut Taker<'_>, rows: &[Incoming]) -> Result<()> {
    let table = &tables::PIPELINE_STAGES;
    let ids: Vec<i64> = rows.iter().map(|row| row.source).collect();
    let known = imports::origins_of(taker.tx, taker.import.id, noun::PIPELINE_STAGE, &ids).await?;
    let here: HashMap<i64, i64> = known
        .iter()
        .map(|origin| (origin.source_id, origin.row_id))
        .collect();
    let present = table
        .read(taker.tx, &here.values().copied().collect::<Vec<_>>())
        .await?;
    let position = table.position("position").unwrap_or_default();
    let moves: HashSet<i64> = (rows.iter())
        .filter_map(|row| {
            let id = here.get(&row.source)?;
            (present.get(id)?[position] != row.cells[position]).then_some(*id)
        })
        .collect();
    for id in moves {
        let Some(mut cells) = present.get(&id).cloned() else {
            continue;
        };
        if let Cell::Int(Some(at)) = cells[position] {
            cells[position] = (-1 - at).into();
            table.update(taker.tx, id, &cells).await?;
        }
    }
    Ok(())
}

/// What an action does, with the segment it names as it is called here.
fn body(taker: &Taker<'_>, body: &Value) -> Value {
    let mut body = body.clone();
    for name in ["segment_id", "segment"] {
        if let Some(id) = body[name].as_i64().and_then(|id| taker.id(noun::SEGMENT, id)) {
            body[name] = json!(id);
        }
    }
    body
}

//! The stages of a release pipeline on their way in, and what their triggers and actions mean.

use burgee_model::{FlagValue, durations};
use burgee_store::projects::Project;
use burgee_store::release_pipelines::{self as rows, Stage, StageAction};
use burgee_store::{Tx, environments, segments};
use serde_json::{Map, Value, json};

use crate::feature_states::{ValueEdit, ValueKind};
use crate::{Error, Result};

/// When a stage acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerType {
    OnEnter,
    WaitFor,
}

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionType {
    Toggle,
    UpdateValue,
    ToggleForSegment,
    UpdateValueForSegment,
    PhasedRollout,
}

impl TriggerType {
    const WAIT_FOR: &str = "WAIT_FOR";

    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnEnter => "ON_ENTER",
            Self::WaitFor => Self::WAIT_FOR,
        }
    }
}

impl ActionType {
    const ALL: [Self; 5] = [
        Self::Toggle,
        Self::UpdateValue,
        Self::ToggleForSegment,
        Self::UpdateValueForSegment,
        Self::PhasedRollout,
    ];

    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Toggle => "TOGGLE_FEATURE",
            Self::UpdateValue => "UPDATE_FEATURE_VALUE",
            Self::ToggleForSegment => "TOGGLE_FEATURE_FOR_SEGMENT",
            Self::UpdateValueForSegment => "UPDATE_FEATURE_VALUE_FOR_SEGMENT",
            Self::PhasedRollout => "PHASED_ROLLOUT",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A stage as a client sends it.
#[derive(Debug, Clone)]
pub struct StageEdit {
    pub name: String,
    pub environment_id: i64,
    pub order: i64,
    pub trigger: TriggerType,
    pub trigger_body: Value,
    pub actions: Vec<ActionEdit>,
}

/// An action as a client sends it.
#[derive(Debug, Clone)]
pub struct ActionEdit {
    pub kind: ActionType,
    pub body: Value,
}

/// What an action means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    Toggle {
        segment_id: Option<i64>,
        enabled: bool,
    },
    SetValue {
        segment_id: Option<i64>,
        value: ValueEdit,
    },
    Rollout(RolloutPlan),
}

/// How a feature is to be turned on bit by bit. Shares are percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RolloutPlan {
    pub initial_split: f64,
    pub increase_by: f64,
    /// Seconds.
    pub increase_every: i64,
}

/// Writes the stages of a pipeline that has none.
pub(super) async fn write(
    tx: &mut Tx,
    project: &Project,
    pipeline_id: i64,
    stages: Vec<StageEdit>,
) -> Result<()> {
    let mut wrong = Vec::with_capacity(stages.len());
    for (index, stage) in stages.iter().enumerate() {
        let mut problems = problems(tx, project, stage).await?;
        if stages.iter().take(index).any(|other| other.order == stage.order) {
            problems.insert("order".to_owned(), json!(["Another stage has this order."]));
        }
        wrong.push(problems);
    }
    if wrong.iter().any(|problems| !problems.is_empty()) {
        return Err(Error::Rejected(json!({ "stages": wrong })));
    }
    for edit in stages {
        let stage = Stage {
            id: 0,
            pipeline_id,
            environment_id: edit.environment_id,
            name: edit.name,
            position: edit.order,
            trigger_type: edit.trigger.as_str().to_owned(),
            trigger_body: edit.trigger_body.to_string(),
        };
        let stage_id = rows::insert_stage(tx, &stage).await?;
        for action in edit.actions {
            let action = StageAction {
                id: 0,
                stage_id,
                action_type: action.kind.as_str().to_owned(),
                action_body: action.body.to_string(),
            };
            rows::insert_action(tx, &action).await?;
        }
    }
    Ok(())
}

/// What is wrong with a stage, by field.
async fn problems(tx: &mut Tx, project: &Project, stage: &StageEdit) -> Result<Map<String, Value>> {
    let mut problems = Map::new();
    let environment = environments::find(tx, stage.environment_id).await?;
    if environment.is_none_or(|environment| environment.project_id != project.id) {
        let text = format!("Invalid pk \"{}\" - object does not exist.", stage.environment_id);
        problems.insert("environment".to_owned(), json!([text]));
    }
    if stage.trigger == TriggerType::WaitFor
        && let Err(text) = wait_of(&stage.trigger_body)
    {
        problems.insert("trigger".to_owned(), json!({ "trigger_body": [text] }));
    }
    let mut wrong = Vec::with_capacity(stage.actions.len());
    for action in &stage.actions {
        wrong.push(match action_problem(tx, project, action).await? {
            Some(text) => json!({ "action_body": [text] }),
            None => json!({}),
        });
    }
    let rollouts = stage
        .actions
        .iter()
        .filter(|action| action.kind == ActionType::PhasedRollout);
    if rollouts.count() > 1 {
        let text = "A stage has at most one phased rollout.";
        problems.insert("actions".to_owned(), json!([text]));
    } else if wrong.iter().any(|problem| *problem != json!({})) {
        problems.insert("actions".to_owned(), Value::Array(wrong));
    }
    Ok(problems)
}

async fn action_problem(tx: &mut Tx, project: &Project, action: &ActionEdit) -> Result<Option<String>> {
    let deed = match deed(action.kind, &action.body) {
        Ok(deed) => deed,
        Err(text) => return Ok(Some(text)),
    };
    let segment_id = match deed {
        Deed::Toggle { segment_id, .. } | Deed::SetValue { segment_id, .. } => segment_id,
        Deed::Rollout(_) => None,
    };
    if let Some(id) = segment_id
        && segments::find_in(tx, project.id, id).await?.is_none()
    {
        return Ok(Some(format!(
            "segment_id: Invalid pk \"{id}\" - object does not exist."
        )));
    }
    Ok(None)
}

/// How long a stage waits before it acts, in seconds.
pub(super) fn wait(stage: &Stage) -> i64 {
    stored_wait(&stage.trigger_type, &stage.trigger_body)
}

fn stored_wait(trigger_type: &str, trigger_body: &str) -> i64 {
    if trigger_type != TriggerType::WAIT_FOR {
        return 0;
    }
    let body: Value = serde_json::from_str(trigger_body).unwrap_or_default();
    wait_of(&body).unwrap_or(0)
}

/// When a stage acts, for people.
pub(crate) fn trigger_in_words(trigger_type: &str, trigger_body: &str) -> String {
    match stored_wait(trigger_type, trigger_body) {
        0 => "When the feature enters".to_owned(),
        seconds => format!("{} after the feature enters", durations::words(seconds)),
    }
}

/// What an action does, for people.
pub(crate) fn action_in_words(action: &StageAction) -> String {
    let for_whom = |segment_id: Option<i64>| match segment_id {
        Some(id) => format!(" for segment {id}"),
        None => String::new(),
    };
    match stored_deed(action) {
        Some(Deed::Toggle { segment_id, enabled }) => {
            let verb = if enabled {
                "Turns the feature on"
            } else {
                "Turns the feature off"
            };
            format!("{verb}{}", for_whom(segment_id))
        }
        Some(Deed::SetValue { segment_id, .. }) => format!("Sets the value{}", for_whom(segment_id)),
        Some(Deed::Rollout(plan)) => format!(
            "Turns the feature on for {}%, then {}% more every {}",
            plan.initial_split,
            plan.increase_by,
            durations::words(plan.increase_every)
        ),
        None => action.action_type.clone(),
    }
}

fn wait_of(body: &Value) -> std::result::Result<i64, String> {
    match duration(body.get("wait_for")) {
        Some(seconds) if seconds >= 0 => Ok(seconds),
        _ => {
            Err("wait_for: how long to wait is required, as [D ]HH:MM:SS or a number of seconds.".to_owned())
        }
    }
}

fn duration(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(seconds) => seconds.as_i64(),
        Value::String(text) => durations::parse(text),
        _ => None,
    }
}

/// What a stored action means; nothing, when it can't be read.
pub(super) fn stored_deed(action: &StageAction) -> Option<Deed> {
    let kind = ActionType::parse(&action.action_type)?;
    let body: Value = serde_json::from_str(&action.action_body).ok()?;
    deed(kind, &body).ok()
}

fn deed(kind: ActionType, body: &Value) -> std::result::Result<Deed, String> {
    let segment = || match body
        .get("segment_id")
        .or_else(|| body.get("segment"))
        .and_then(Value::as_i64)
    {
        Some(id) => Ok(Some(id)),
        None => Err("segment_id: This field is required.".to_owned()),
    };
    let enabled = || match body.get("enabled").and_then(Value::as_bool) {
        Some(enabled) => Ok(enabled),
        None => Err("enabled: This field is required.".to_owned()),
    };
    match kind {
        ActionType::Toggle => Ok(Deed::Toggle {
            segment_id: None,
            enabled: enabled()?,
        }),
        ActionType::ToggleForSegment => Ok(Deed::Toggle {
            segment_id: segment()?,
            enabled: enabled()?,
        }),
        ActionType::UpdateValue => Ok(Deed::SetValue {
            segment_id: None,
            value: value(body)?,
        }),
        ActionType::UpdateValueForSegment => Ok(Deed::SetValue {
            segment_id: segment()?,
            value: value(body)?,
        }),
        ActionType::PhasedRollout => rollout(body).map(Deed::Rollout),
    }
}

/// The value an action sets: plain, or an object that says which of the three typed values counts.
fn value(body: &Value) -> std::result::Result<ValueEdit, String> {
    // A typed value may stand in the body itself; it has a `value` of its own then.
    let given = match (
        body.get("feature_state_value"),
        body.get("type"),
        body.get("value"),
    ) {
        (Some(value), _, _) | (None, None, Some(value)) => value,
        (None, Some(_), _) => body,
        (None, None, None) => return Err("feature_state_value: This field is required.".to_owned()),
    };
    let wrong = || "feature_state_value: Not a valid value.".to_owned();
    let plain = match given {
        Value::Null => FlagValue::Null,
        Value::Bool(truth) => FlagValue::Bool(*truth),
        Value::Number(number) => number_value(number.as_i64()).ok_or_else(wrong)?,
        Value::String(text) => text_value(text).ok_or_else(wrong)?,
        Value::Object(typed) => return typed_value(typed).ok_or_else(wrong),
        Value::Array(_) => return Err(wrong()),
    };
    Ok(plain.into())
}

fn number_value(number: Option<i64>) -> Option<FlagValue> {
    let number = i32::try_from(number?).ok()?;
    Some(FlagValue::Int(number.into()))
}

fn text_value(text: &str) -> Option<FlagValue> {
    let fits = !text.contains('\0') && text.chars().count() <= burgee_model::limits::FEATURE_VALUE_LENGTH;
    fits.then(|| FlagValue::Text(text.to_owned()))
}

fn typed_value(typed: &Map<String, Value>) -> Option<ValueEdit> {
    let kind = match typed.get("type")?.as_str()? {
        "unicode" | "string" => ValueKind::Unicode,
        "int" | "integer" => ValueKind::Int,
        "bool" | "boolean" => ValueKind::Bool,
        _ => return None,
    };
    let plain = typed.get("value");
    let value = match kind {
        ValueKind::Unicode => match typed.get("string_value").or(plain)? {
            Value::Null => FlagValue::Null,
            text => text_value(text.as_str()?)?,
        },
        ValueKind::Int => {
            let given = typed.get("integer_value").or(plain)?;
            let text = given.as_str().and_then(|text| text.trim().parse().ok());
            number_value(given.as_i64().or(text))?
        }
        ValueKind::Bool => {
            let given = typed.get("boolean_value").or(plain)?;
            let text = given.as_str().and_then(|text| text.trim().parse().ok());
            FlagValue::Bool(given.as_bool().or(text)?)
        }
    };
    Some(value.into())
}

fn rollout(body: &Value) -> std::result::Result<RolloutPlan, String> {
    let share = |name: &str| match body.get(name).and_then(Value::as_f64) {
        Some(share) if (0.0..=100.0).contains(&share) => Ok(share),
        _ => Err(format!("{name}: Must be a number from 0 to 100.")),
    };
    let plan = RolloutPlan {
        initial_split: share("initial_split")?,
        increase_by: share("increase_by")?,
        increase_every: duration(body.get("increase_every"))
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| {
                "increase_every: Must be a time, as [D ]HH:MM:SS or a number of seconds.".to_owned()
            })?,
    };
    if plan.increase_by <= 0.0 {
        return Err("increase_by: Must be more than 0.".to_owned());
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_plain_and_typed() {
        let read = |body: Value| value(&body).ok();
        let seven = Some(ValueEdit::from(FlagValue::Int(7)));
        assert_eq!(read(json!({"feature_state_value": 7})), seven);
        assert_eq!(read(json!({"value": {"type": "int", "integer_value": 7}})), seven);
        assert_eq!(read(json!({"type": "integer", "value": "7"})), seven);
        let text = Some(ValueEdit::from(FlagValue::Text("on".to_owned())));
        assert_eq!(read(json!({"type": "unicode", "string_value": "on"})), text);
        assert_eq!(read(json!({"value": null})), Some(FlagValue::Null.into()));
        for wrong in [
            json!({}),
            json!({"value": []}),
            json!({"value": 5_000_000_000_i64}),
            json!({"type": "date"}),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn a_rollout_must_grow_and_take_its_time() {
        let body =
            |by: f64, every: Value| json!({"initial_split": 10, "increase_by": by, "increase_every": every});
        assert!(rollout(&body(5.0, json!("00:10:00"))).is_ok());
        assert!(rollout(&body(0.0, json!("00:10:00"))).is_err());
        assert!(rollout(&body(101.0, json!(60))).is_err());
        assert!(rollout(&body(5.0, json!(0))).is_err());
        assert!(rollout(&body(5.0, json!("soon"))).is_err());
    }
}

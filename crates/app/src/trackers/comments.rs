//! What is said below an issue.
//!
//! Issues may be public: nobody's name or address stands here.

use burgee_model::Timestamp;
use burgee_store::feature_states::FeatureState;
use burgee_store::{Tx, environments, feature_segments, feature_states, segments};

use super::links::LinkKind;
use crate::Result;

/// The most rows of a table: trackers take only so much.
const MOST_ROWS: usize = 200;
/// The most characters of a name or a value.
const MOST_CHARACTERS: usize = 100;

/// A text that means nothing to whoever renders the comment, on one line.
fn code(text: &str) -> String {
    let plain = |character: char| match character {
        '`' => '\'',
        '|' => '¦',
        other if other.is_control() => ' ',
        other => other,
    };
    let mut cut: String = text.chars().take(MOST_CHARACTERS).map(plain).collect();
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        cut.push('…');
    }
    if cut.trim().is_empty() {
        return "–".to_owned();
    }
    format!("`{cut}`")
}

/// A feature was linked to it: what the feature is everywhere.
pub(super) async fn linked(
    tx: &mut Tx,
    kind: LinkKind,
    project_id: i64,
    (feature_id, name): (i64, &str),
) -> Result<String> {
    let noun = kind.noun();
    let table = table(tx, project_id, feature_id, None).await?;
    Ok(format!(
        "This {noun} is linked to the feature flag {} now.\n\n{table}",
        code(name)
    ))
}

/// A feature is no longer linked to it.
pub(super) fn unlinked(kind: LinkKind, name: &str) -> String {
    format!(
        "The feature flag {} is no longer linked to this {}.",
        code(name),
        kind.noun()
    )
}

/// The feature that was linked to it is gone.
pub(super) fn deleted(kind: LinkKind, name: &str) -> String {
    format!(
        "The feature flag {}, which was linked to this {}, was deleted.",
        code(name),
        kind.noun()
    )
}

/// The feature is something else now in an environment.
pub(super) async fn changed(
    tx: &mut Tx,
    project_id: i64,
    (feature_id, name): (i64, &str),
    (environment_id, environment): (i64, &str),
) -> Result<String> {
    let table = table(tx, project_id, feature_id, Some(environment_id)).await?;
    let (name, environment) = (code(name), code(environment));
    Ok(format!(
        "The feature flag {name} was changed in {environment}.\n\n{table}"
    ))
}

/// What a feature is, for everyone and for segments, in one environment or in all.
async fn table(tx: &mut Tx, project_id: i64, feature_id: i64, only: Option<i64>) -> Result<String> {
    let mut text =
        "| Environment | For | Enabled | Value | Changed (UTC) |\n|---|---|---|---|---|\n".to_owned();
    let mut states = feature_states::shared_of_feature(tx, feature_id).await?;
    states.sort_by_key(|state| state.feature_segment_id.is_some());
    let mut rows = 0;
    for environment in environments::list(tx, project_id).await? {
        if only.is_some_and(|id| id != environment.id) {
            continue;
        }
        for state in states
            .iter()
            .filter(|state| state.environment_id == environment.id)
        {
            if rows == MOST_ROWS {
                return Ok(text);
            }
            rows += 1;
            let row = row(tx, state, &environment.name).await?;
            text.push_str(&row);
        }
    }
    Ok(text)
}

async fn row(tx: &mut Tx, state: &FeatureState, environment: &str) -> Result<String> {
    let subject = match state.feature_segment_id {
        None => "everyone".to_owned(),
        Some(id) => segment(tx, id).await?.map_or_else(
            || "a segment".to_owned(),
            |name| format!("segment {}", code(&name)),
        ),
    };
    let value = match state.value().to_json() {
        serde_json::Value::Null => "–".to_owned(),
        serde_json::Value::String(text) => code(&text),
        other => code(&other.to_string()),
    };
    let enabled = if state.enabled { "yes" } else { "no" };
    let changed: String = Timestamp(state.updated_at).rest().chars().take(16).collect();
    let environment = code(environment);
    Ok(format!(
        "| {environment} | {subject} | {enabled} | {value} | {} |\n",
        changed.replace('T', " ")
    ))
}

async fn segment(tx: &mut Tx, feature_segment_id: i64) -> Result<Option<String>> {
    let Some(link) = feature_segments::find(tx, feature_segment_id).await? else {
        return Ok(None);
    };
    let found = segments::find(tx, link.segment_id).await?;
    Ok(found.map(|segment| segment.name))
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn what_users_wrote_stays_one_cell_of_a_table() {
        for (text, expected) in [
            ("plain", "`plain`"),
            ("a|b`c\n/close", "`a¦b'c /close`"),
            ("  ", "–"),
        ] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(code(&"x".repeat(500)).chars().count(), 103);
    }
}

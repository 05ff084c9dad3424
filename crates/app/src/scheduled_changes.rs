//! Changes that wait for their time.

use burgee_model::Timestamp;
use burgee_store::Tx;
use burgee_store::changes::NewChange;
use burgee_store::features::Feature;
use burgee_store::scheduled_changes::{self, ScheduledChange};
use serde_json::json;
use uuid::Uuid;

use crate::author::Author;
use crate::change::{Action, Change, Kind};
use crate::change_sets::ChangeSet;
use crate::{Place, Result};

/// Keeps a change set until its time.
pub(crate) async fn schedule(
    tx: &mut Tx,
    author: Author<'_>,
    place: &Place,
    feature: &Feature,
    set: &ChangeSet,
    at: Timestamp,
) -> Result<Vec<NewChange>> {
    let now = Timestamp::now().0;
    let row = ScheduledChange {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id: feature.id,
        environment_id: place.environment.id,
        version_id: None,
        change_set: Some(json!(set).to_string()),
        live_from: at.0,
        user_id: author.user_id,
        api_key_id: author.api_key_id,
        change_request_id: author.request.map(|request| request.id),
        change_request_title: author.request.map(|request| request.title.to_owned()),
        created_at: now,
        updated_at: now,
    };
    let id = scheduled_changes::insert(tx, &row).await?;
    let change = Change::new(author, Kind::ScheduledChange, Action::Create, id)
        .in_environment(place)
        .uuid(&row.uuid)
        .says(author.credited(scheduled_line(at, feature)))
        .after(json!({ "feature": feature.id, "live_from": at.rest(), "change_set": set }));
    Ok(vec![change.into()])
}

fn scheduled_line(at: Timestamp, feature: &Feature) -> String {
    format!(
        "Flag state / Remote Config value update scheduled for {} for feature: {}",
        at.log_text(),
        feature.name
    )
}

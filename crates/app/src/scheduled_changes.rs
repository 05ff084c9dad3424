//! Changes that wait for their time: versions that are to go live, and change sets that are to be applied.
//!
//! [`go_live`] carries out what is due, on whichever node is first; the others find nothing left to do. What can't be
//! done any more is dropped with a line in the log and in the audit log, and never tried again.

use std::collections::HashSet;

use burgee_model::Timestamp;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::scheduled_changes::{self, ScheduledChange};
use burgee_store::{Tx, versions as version_rows};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::author::Author;
use crate::change::{Action, Change, Kind};
use crate::change_sets::{self, ChangeSet, StateChange};
use crate::feature_states::{feature_at, place_by_key, place_for_features};
use crate::versions::FeatureVersion;
use crate::{App, Caller, Error, Place, Result, approvals, change_requests, going_live};

/// What is said of changes to something that was approved as it is.
pub(crate) const APPROVED: &str =
    "This change belongs to a change request that was approved; it can only be cancelled.";
const PAST: &str = "This moment must lie in the future.";

/// Keeps a change set until its time, inside the transaction of a larger act.
pub(crate) async fn schedule(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    set: &ChangeSet,
    at: Timestamp,
) -> Result<(ScheduledChange, NewChange)> {
    let mut row = blank(author, place, feature, at);
    row.change_set = Some(json!(set).to_string());
    insert(tx, author, (place, feature), row).await
}

/// Remembers when a published version is to go live.
pub(crate) async fn schedule_version(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    version: &FeatureVersion,
    at: Timestamp,
) -> Result<NewChange> {
    let mut row = blank(author, place, feature, at);
    row.version_id = Some(version.id);
    Ok(insert(tx, author, (place, feature), row).await?.1)
}

fn blank(author: Author<'_>, place: &Place, feature: &Feature, at: Timestamp) -> ScheduledChange {
    let now = Timestamp::now().0;
    ScheduledChange {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id: feature.id,
        environment_id: place.environment.id,
        version_id: None,
        change_set: None,
        live_from: at.0,
        user_id: author.user_id,
        api_key_id: author.api_key_id,
        change_request_id: author.request.map(|request| request.id),
        change_request_title: author.request.map(|request| request.title.to_owned()),
        created_at: now,
        updated_at: now,
    }
}

async fn insert(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    mut row: ScheduledChange,
) -> Result<(ScheduledChange, NewChange)> {
    row.id = scheduled_changes::insert(tx, &row).await?;
    let change = change(author, (place, feature), &row, Action::Create)
        .says(author.credited(scheduled_line(&row, feature)))
        .after(as_json(&row));
    Ok((row, change.into()))
}

fn change(
    author: Author<'_>,
    (place, _): (&Place, &Feature),
    row: &ScheduledChange,
    action: Action,
) -> Change {
    Change::new(author, Kind::ScheduledChange, action, row.id)
        .in_environment(place)
        .uuid(&row.uuid)
}

fn scheduled_line(row: &ScheduledChange, feature: &Feature) -> String {
    format!(
        "Flag state / Remote Config value update scheduled for {} for feature: {}",
        Timestamp(row.live_from).log_text(),
        feature.name
    )
}

/// Gives it another time, inside the transaction of a larger act.
pub(crate) async fn move_to(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    before: ScheduledChange,
    at: Timestamp,
) -> Result<NewChange> {
    let row = ScheduledChange {
        live_from: at.0,
        ..before.clone()
    };
    rewrite(tx, author, (place, feature), &before, row)
        .await
        .map(|(_, change)| change)
}

async fn rewrite(
    tx: &mut Tx,
    author: Author<'_>,
    (place, feature): (&Place, &Feature),
    before: &ScheduledChange,
    mut row: ScheduledChange,
) -> Result<(ScheduledChange, NewChange)> {
    row.updated_at = Timestamp::now().0;
    scheduled_changes::update(tx, &row).await?;
    let change = change(author, (place, feature), &row, Action::Update)
        .says(author.credited(scheduled_line(&row, feature)))
        .before(as_json(before))
        .after(as_json(&row));
    Ok((row, change.into()))
}

/// What the change log keeps of it.
fn as_json(row: &ScheduledChange) -> Value {
    let set: Option<Value> = row
        .change_set
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    json!({
        "feature": row.feature_id,
        "live_from": Timestamp(row.live_from).rest(),
        "version_id": row.version_id,
        "change_set": set,
        "change_request": row.change_request_id,
    })
}

/// A change that waits for its time.
#[derive(Debug, Clone)]
pub struct Scheduled {
    pub row: ScheduledChange,
    /// What is to change; nothing when it is a version that is to go live.
    pub set: Option<ChangeSet>,
    pub version_uuid: Option<String>,
}

async fn describe(tx: &mut Tx, row: ScheduledChange) -> Result<Scheduled> {
    let version = match row.version_id {
        Some(id) => version_rows::find(tx, id).await?,
        None => None,
    };
    Ok(Scheduled {
        set: row.change_set.as_deref().map(parse).transpose()?,
        version_uuid: version.map(|version| version.uuid),
        row,
    })
}

/// Only this product writes them.
fn parse(text: &str) -> Result<ChangeSet> {
    serde_json::from_str(text).map_err(|error| Error::Internal(format!("a scheduled change set: {error}")))
}

fn missing() -> Error {
    Error::no_match("ScheduledChange")
}

/// What waits in an environment, of one feature or of all, in the order in which it will happen.
pub async fn list(
    tx: &mut Tx,
    caller: &Caller,
    key: &str,
    feature_id: Option<i64>,
) -> Result<Vec<Scheduled>> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let mut found = Vec::new();
    for row in scheduled_changes::list(tx, place.environment.id, feature_id).await? {
        found.push(describe(tx, row).await?);
    }
    Ok(found)
}

/// One of them.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<Scheduled> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let row = scheduled_changes::find_in(tx, place.environment.id, id).await?;
    describe(tx, row.ok_or_else(missing)?).await
}

/// Schedules a change of a feature.
pub async fn create(app: &App, caller: &Caller, key: &str, set: ChangeSet) -> Result<Scheduled> {
    let mut tx = app.begin().await?;
    let permission = EnvironmentPermission::UpdateFeatureState;
    let (place, may) = place_for_features(&mut tx, caller, key, permission).await?;
    let feature = feature_at(&mut tx, &place, set.feature_id).await?;
    let feature = feature.ok_or_else(|| Error::no_such("feature", set.feature_id))?;
    may.require(&mut tx, feature.id).await?;
    approvals::refuse_direct(&place)?;
    let at = set
        .live_from
        .ok_or_else(|| Error::field("live_from", "This field is required."))?;
    check(&mut tx, (&place, &feature), &set, at).await?;
    let (row, change) = schedule(&mut tx, caller.into(), (&place, &feature), &set, at).await?;
    let scheduled = describe(&mut tx, row).await?;
    app.commit(tx, vec![change]).await?;
    Ok(scheduled)
}

async fn check(
    tx: &mut Tx,
    (place, feature): (&Place, &Feature),
    set: &ChangeSet,
    at: Timestamp,
) -> Result<()> {
    if at <= Timestamp::now() {
        return Err(Error::field("live_from", PAST));
    }
    if set.is_empty() {
        return Err(burgee_model::Problems::whole("There is nothing to change.").into());
    }
    change_sets::check(tx, place, feature, set).await
}

/// What is to be different about a scheduled change. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ScheduledEdit {
    pub live_from: Option<Timestamp>,
    pub create: Option<Vec<StateChange>>,
    pub update: Option<Vec<StateChange>>,
    pub delete_segments: Option<Vec<i64>>,
}

/// The one with this id, for somebody who may change what it changes.
async fn open(tx: &mut Tx, caller: &Caller, key: &str, id: i64) -> Result<(Place, Feature, ScheduledChange)> {
    let permission = EnvironmentPermission::UpdateFeatureState;
    let (place, may) = place_for_features(tx, caller, key, permission).await?;
    let row = scheduled_changes::find_in(tx, place.environment.id, id).await?;
    let row = row.ok_or_else(missing)?;
    may.require(tx, row.feature_id).await?;
    let feature = features::find(tx, row.feature_id).await?.ok_or_else(missing)?;
    Ok((place, feature, row))
}

/// Changes what is to happen, or when.
pub async fn update(
    app: &App,
    caller: &Caller,
    key: &str,
    id: i64,
    edit: ScheduledEdit,
) -> Result<Scheduled> {
    let mut tx = app.begin_settled().await?;
    let (place, feature, before) = open(&mut tx, caller, key, id).await?;
    approvals::refuse_direct(&place)?;
    if before.change_request_id.is_some() {
        return Err(Error::detail(APPROVED));
    }
    let at = edit.live_from.unwrap_or(Timestamp(before.live_from));
    let mut row = before.clone();
    row.live_from = at.0;
    if let Some(text) = &before.change_set {
        let mut set = parse(text)?;
        set.live_from = Some(at);
        set.create = edit.create.unwrap_or(set.create);
        set.update = edit.update.unwrap_or(set.update);
        set.delete_segments = edit.delete_segments.unwrap_or(set.delete_segments);
        check(&mut tx, (&place, &feature), &set, at).await?;
        row.change_set = Some(json!(set).to_string());
    } else {
        if edit.create.is_some() || edit.update.is_some() || edit.delete_segments.is_some() {
            let text = "This is a version that is to go live; what it says is not changed here.";
            return Err(Error::detail(text));
        }
        if at <= Timestamp::now() {
            return Err(Error::field("live_from", PAST));
        }
        let version = version_rows::find(&mut tx, before.version_id.unwrap_or_default()).await?;
        let mut version = version.ok_or_else(missing)?;
        version.live_from = Some(at.0);
        version.updated_at = Timestamp::now().0;
        version_rows::update(&mut tx, &version).await?;
    }
    let (row, change) = rewrite(&mut tx, caller.into(), (&place, &feature), &before, row).await?;
    let scheduled = describe(&mut tx, row).await?;
    app.commit(tx, vec![change]).await?;
    Ok(scheduled)
}

/// It will not happen. A version that was to go live goes with it.
pub async fn cancel(app: &App, caller: &Caller, key: &str, id: i64) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (place, feature, row) = open(&mut tx, caller, key, id).await?;
    scheduled_changes::delete(&mut tx, row.id).await?;
    if let Some(version_id) = row.version_id {
        version_rows::delete(&mut tx, version_id).await?;
    }
    let text = format!(
        "Scheduled change to Flag state / Remote config value cancelled for feature: {}",
        feature.name
    );
    let change = change(caller.into(), (&place, &feature), &row, Action::Delete)
        .says(text)
        .before(as_json(&row));
    app.commit(tx, vec![change.into()]).await
}

/// Carries out everything whose time has come, first what was to happen first, each in a transaction of its own.
pub async fn go_live(app: &App, now: Timestamp) -> Result<()> {
    let (mut tried, mut failure) = (HashSet::new(), None);
    loop {
        let mut tx = app.db().read().await?;
        let limit = 100 + tried.len() as i64;
        let mut due = scheduled_changes::due(&mut tx, now.0, limit).await?;
        drop(tx);
        due.retain(|row| !tried.contains(&row.id));
        if due.is_empty() {
            return failure.map_or(Ok(()), Err);
        }
        for row in due {
            tried.insert(row.id);
            match carry_out(app, &row, now).await {
                Ok(()) => {}
                Err(Error::Unavailable(why)) => return Err(Error::Unavailable(why)),
                // A fault of ours with one of them must not hold up the others.
                Err(error) => {
                    tracing::error!(%error, scheduled_change = row.uuid, "could not be carried out");
                    failure = Some(error);
                }
            }
        }
    }
}

async fn carry_out(app: &App, seen: &ScheduledChange, now: Timestamp) -> Result<()> {
    let mut tx = app.begin().await?;
    let row = scheduled_changes::find_in(&mut tx, seen.environment_id, seen.id).await?;
    // Another node was faster, or somebody moved or cancelled it.
    let Some(row) = row.filter(|row| row.live_from <= now.0) else {
        return Ok(());
    };
    match attempt(&mut tx, &row, now).await {
        Ok(changes) => app.commit(tx, changes).await,
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => Err(error),
        Err(refusal) => {
            drop(tx);
            give_up(app, &row, &refusal).await
        }
    }
}

/// In whose name a scheduled change happens.
fn author(row: &ScheduledChange) -> Author<'_> {
    let author = Author {
        user_id: row.user_id,
        api_key_id: row.api_key_id,
        request: None,
        scheduled: true,
    };
    match row.change_request_id {
        Some(id) => author.for_request(id, row.change_request_title.as_deref().unwrap_or_default()),
        None => author,
    }
}

async fn place_of(tx: &mut Tx, row: &ScheduledChange) -> Result<(Place, Feature)> {
    let place = Place::by_id(tx, row.environment_id).await?.ok_or_else(missing)?;
    let feature = features::find(tx, row.feature_id).await?.ok_or_else(missing)?;
    Ok((place, feature))
}

async fn attempt(tx: &mut Tx, row: &ScheduledChange, now: Timestamp) -> Result<Vec<NewChange>> {
    let (place, feature) = place_of(tx, row).await?;
    change_requests::refuse_conflict(tx, row).await?;
    // Whether it had to be approved was asked when it was scheduled.
    let place = place.approved();
    scheduled_changes::delete(tx, row.id).await?;
    let author = author(row);
    if let Some(version_id) = row.version_id {
        let version = version_rows::find(tx, version_id).await?.ok_or_else(missing)?;
        let taken = going_live::take(tx, author, (&place, &feature), version, now).await?;
        return Ok(taken.1);
    }
    let set = parse(row.change_set.as_deref().unwrap_or("{}"))?;
    let (set, lost) = change_sets::without_lost_parts(tx, &feature, &set).await?;
    if !lost.is_empty() {
        tracing::warn!(
            scheduled_change = row.uuid,
            feature = feature.name,
            lost = lost.join(", "),
            "a scheduled change speaks of what is gone: that part of it is dropped"
        );
    }
    if set.is_empty() {
        return Err(Error::detail("What it was about is gone."));
    }
    change_sets::apply(tx, author, &place, &feature, &set, now).await
}

/// Drops a change that can't be made any more.
async fn give_up(app: &App, row: &ScheduledChange, why: &Error) -> Result<()> {
    tracing::warn!(scheduled_change = row.uuid, %why, "a scheduled change can't be made any more and is dropped");
    let mut tx = app.begin().await?;
    let (place, feature) = place_of(&mut tx, row).await?;
    scheduled_changes::delete(&mut tx, row.id).await?;
    if let Some(version_id) = row.version_id {
        version_rows::delete(&mut tx, version_id).await?;
    }
    let text = format!(
        "Scheduled change to Flag state / Remote config value was dropped for feature: {}. {why}",
        feature.name
    );
    let change = change(author(row), (&place, &feature), row, Action::Delete)
        .says(text)
        .before(as_json(row));
    app.commit(tx, vec![change.into()]).await
}

impl App {
    /// [`App::begin`], after what is due has gone live: whoever changes feature states now changes them after that.
    pub async fn begin_settled(&self) -> Result<Tx> {
        if let Err(error) = go_live(self, Timestamp::now()).await {
            // The schedule tries again and says so; this change need not wait for it.
            tracing::debug!(%error, "what is due could not be carried out before a change");
        }
        self.begin().await
    }
}

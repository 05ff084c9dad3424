//! How often the SDK API was asked: read by day, and watched over.

use std::collections::{BTreeMap, HashMap};

use burgee_model::Timestamp;
use burgee_store::usage;
use burgee_store::{Tx, environments, members, organisations, projects};

pub use burgee_store::usage::Notification;

use crate::analytics::{Calls, Scope, or_nothing};
use crate::feature_data::Labels;
use crate::mail::{self, Mail};
use crate::{App, Caller, Error, Result};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// The time that a limit of calls is for, and that is counted unless asked otherwise.
const PERIOD_DAYS: i64 = 30;
/// Counts are stored every ten seconds, with the time they are stored at; a transaction may take a while.
const SETTLED: i64 = 2 * 60 * 1_000_000;
/// How long quarters of an hour are kept: hours say the same.
const QUARTERS_DAYS: i64 = 7;
/// At which shares of its limit an organisation's administrators are told.
const WARNINGS: [i64; 3] = [75, 90, 100];

/// Whose usage: of an organisation, of one of its projects, of one of its environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of {
    pub organisation_id: i64,
    pub project_id: Option<i64>,
    pub environment_id: Option<i64>,
}

impl From<Of> for Scope {
    fn from(of: Of) -> Self {
        Self {
            organisation_ids: vec![of.organisation_id],
            project_id: of.project_id,
            environment_id: of.environment_id,
        }
    }
}

/// The time that usage is counted over. There is no billing: a period of it is 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Current,
    Previous,
    NinetyDays,
}

impl Period {
    /// From when until when.
    fn bounds(self, now: i64) -> (i64, i64) {
        match self {
            Self::Current => (now - PERIOD_DAYS * DAY, i64::MAX),
            Self::Previous => (now - 2 * PERIOD_DAYS * DAY, now - PERIOD_DAYS * DAY),
            Self::NinetyDays => (now - 90 * DAY, i64::MAX),
        }
    }
}

/// Calls on one day by clients of one kind.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// `2026-11-21`.
    pub day: String,
    pub flags: i64,
    pub identities: i64,
    pub traits: i64,
    pub environment_document: i64,
    pub labels: Labels,
}

/// The calls by day. Labels that are given must be equal.
pub async fn by_day(app: &App, caller: &Caller, of: Of, period: Period, wanted: &Labels) -> Result<Vec<Day>> {
    let mut tx = app.db().read().await?;
    crate::organisations::for_admin(&mut tx, caller, of.organisation_id).await?;
    check_place(&mut tx, of).await?;
    drop(tx);
    let range = period.bounds(Timestamp::now().0);
    let calls = app.analytics().calls(app.db(), &of.into(), range).await;
    let mut days: BTreeMap<(i64, Labels), Day> = BTreeMap::new();
    for row in or_nothing(calls)? {
        let labels = row.labels;
        if !labels.satisfies(wanted) {
            continue;
        }
        let day = days.entry((row.day, labels.clone())).or_insert_with(|| Day {
            day: Timestamp(row.day * DAY).date(),
            labels,
            ..Day::default()
        });
        let place = match row.resource {
            1 => &mut day.flags,
            2 => &mut day.identities,
            3 => &mut day.traits,
            _ => &mut day.environment_document,
        };
        *place = place.saturating_add(row.count);
    }
    Ok(days.into_values().collect())
}

/// Fails unless project and environment are those of the organisation.
async fn check_place(tx: &mut Tx, of: Of) -> Result<()> {
    let own = |project: &projects::Project| project.organisation_id == of.organisation_id;
    if let Some(id) = of.project_id
        && !projects::find(tx, id).await?.as_ref().is_some_and(own)
    {
        return Err(Error::no_such("project_id", id));
    }
    if let Some(id) = of.environment_id {
        let project = match environments::find(tx, id).await? {
            Some(environment) => projects::find(tx, environment.project_id).await?,
            None => None,
        };
        if !project.as_ref().is_some_and(own) {
            return Err(Error::no_such("environment_id", id));
        }
    }
    Ok(())
}

/// All calls of an organisation in the last 30 days. For its administrators.
pub async fn total(app: &App, caller: &Caller, organisation_id: i64) -> Result<i64> {
    let mut tx = app.db().read().await?;
    crate::organisations::for_admin(&mut tx, caller, organisation_id).await?;
    drop(tx);
    let calls = or_nothing(calls(app, vec![organisation_id]).await)?;
    Ok(calls
        .iter()
        .fold(0, |sum: i64, row| sum.saturating_add(row.count)))
}

/// The calls of organisations in the last 30 days.
async fn calls(app: &App, organisation_ids: Vec<i64>) -> Result<Vec<Calls>> {
    let scope = Scope {
        organisation_ids,
        ..Scope::default()
    };
    let range = Period::Current.bounds(Timestamp::now().0);
    app.analytics().calls(app.db(), &scope, range).await
}

/// The warnings of the last 30 days. For members.
pub async fn notifications(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<Notification>> {
    crate::organisations::for_member(tx, caller, organisation_id).await?;
    let since = Timestamp::now().0 - PERIOD_DAYS * DAY;
    Ok(usage::notifications(tx, organisation_id, since).await?)
}

/// Adds up what has come in, in quarters of an hour and in hours.
pub async fn add_up(app: &App, now: Timestamp) -> Result<()> {
    let Some(db) = app.analytics().database() else {
        return Ok(());
    };
    let mut tx = db.begin().await?;
    usage::add_up(&mut tx, now.0 - SETTLED).await?;
    Ok(tx.commit().await?)
}

/// Deletes buckets that are older than the operator wants them kept.
pub async fn forget_old(app: &App) -> Result<()> {
    let Some(db) = app.analytics().database() else {
        return Ok(());
    };
    let now = Timestamp::now().0;
    let days = i64::from(app.settings().bucketed_analytics_days);
    let mut tx = db.begin().await?;
    usage::delete_buckets(&mut tx, 15, now - QUARTERS_DAYS.min(days) * DAY).await?;
    usage::delete_buckets(&mut tx, 60, now - days * DAY).await?;
    Ok(tx.commit().await?)
}

/// Tells administrators of organisations that come near to the operator's limit of calls, or are over it; each share of
/// it once in 30 days. Nothing is refused.
pub async fn warn(app: &App) -> Result<()> {
    let Some(limit) = app.settings().api_calls_limit else {
        return Ok(());
    };
    let mut tx = app.db().read().await?;
    let ids = organisations::all(&mut tx).await?;
    drop(tx);
    let mut counts: HashMap<i64, i64> = HashMap::new();
    for row in calls(app, ids.iter().map(|organisation| organisation.id).collect()).await? {
        let count = counts.entry(row.organisation_id).or_default();
        *count = count.saturating_add(row.count);
    }
    let mut tx = app.begin().await?;
    for organisation in organisations::all(&mut tx).await? {
        let count = counts.get(&organisation.id).copied().unwrap_or(0);
        let percent = count.saturating_mul(100) / limit.max(1);
        let Some(reached) = WARNINGS.into_iter().rfind(|warning| percent >= *warning) else {
            continue;
        };
        let now = Timestamp::now().0;
        let told = usage::notifications(&mut tx, organisation.id, now - PERIOD_DAYS * DAY).await?;
        if told.iter().any(|told| told.percent_usage >= reached) {
            continue;
        }
        usage::insert_notification(&mut tx, organisation.id, reached, now).await?;
        tracing::warn!(
            organisation = organisation.id,
            percent,
            "an organisation comes near to its limit of calls, or is over it"
        );
        let warning = Mail::UsageWarning {
            organisation: &organisation.name,
            percent: &reached.to_string(),
            limit: &limit.to_string(),
        };
        let members = members::list(&mut tx, organisation.id).await?;
        for member in members.iter().filter(|member| member.role == "ADMIN") {
            mail::post(&mut tx, app, &member.email, &warning).await?;
        }
    }
    app.commit(tx, Vec::new()).await
}

//! What is known of the use of a feature.

use std::collections::BTreeMap;

use burgee_model::Timestamp;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::{Tx, environments, feature_activity};
use serde_json::Value;

use crate::analytics::or_nothing;
use crate::features::find_in;
use crate::{App, Caller, Error, Place, Result, projects};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The longest period that can be asked for, in days.
const LONGEST: i64 = 3650;

/// What clients say of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    pub client_application_name: Option<String>,
    pub client_application_version: Option<String>,
    pub user_agent: Option<String>,
}

/// How often a feature was evaluated on a day by clients of one kind.
#[derive(Debug, Clone)]
pub struct DayCount {
    /// `2026-11-21`.
    pub day: String,
    pub count: i64,
    pub labels: Labels,
}

/// When a feature was last asked for in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEvaluated {
    pub environment_id: i64,
    pub at: Option<Timestamp>,
}

/// How often a feature was evaluated in an environment, over the last days. Labels that are given must be equal.
pub async fn evaluations(
    app: &App,
    caller: &Caller,
    (project_id, feature_id, environment_id): (i64, i64, i64),
    days: i64,
    wanted: &Labels,
) -> Result<Vec<DayCount>> {
    let mut tx = app.db().read().await?;
    projects::get(&mut tx, caller, project_id).await?;
    let feature = find_in(&mut tx, project_id, feature_id).await?;
    let place = Place::by_id(&mut tx, environment_id).await?;
    let place = place.filter(|place| place.project.id == project_id);
    let place = place.ok_or_else(|| Error::no_such("environment_id", environment_id))?;
    caller
        .require_in_environment(&mut tx, &place, EnvironmentPermission::ViewEnvironment)
        .await?;
    drop(tx);
    let since = Timestamp::now().plus_seconds(-days.clamp(1, LONGEST) * DAY).0;
    let mut counts: BTreeMap<(i64, Labels), i64> = BTreeMap::new();
    let evaluations = app
        .analytics()
        .evaluations(environment_id, &feature.name, since)
        .await;
    for row in or_nothing(evaluations)? {
        if row.labels.satisfies(wanted) {
            let count: &mut i64 = counts.entry((row.day, row.labels)).or_default();
            *count = count.saturating_add(row.count);
        }
    }
    let counts = counts.into_iter().map(|((day, labels), count)| DayCount {
        day: Timestamp(day * DAY * 1_000_000).date(),
        count,
        labels,
    });
    Ok(counts.collect())
}

impl Labels {
    pub(crate) fn parse(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let label = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            client_application_name: label("client_application_name"),
            client_application_version: label("client_application_version"),
            user_agent: label("user_agent"),
        }
    }

    pub(crate) fn satisfies(&self, wanted: &Self) -> bool {
        let same = |have: &Option<String>, want: &Option<String>| want.is_none() || have == want;
        same(&self.client_application_name, &wanted.client_application_name)
            && same(
                &self.client_application_version,
                &wanted.client_application_version,
            )
            && same(&self.user_agent, &wanted.user_agent)
    }
}

/// When programs last told that they asked for a feature, by environment; `None`: never. To the minute. For those who may
/// view the environments.
pub async fn last_evaluated(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    feature_id: i64,
) -> Result<Vec<LastEvaluated>> {
    projects::get(tx, caller, project_id).await?;
    let feature = find_in(tx, project_id, feature_id).await?;
    let found = feature_activity::last_evaluated(tx, feature.id).await?;
    let mut told = Vec::new();
    for environment in environments::list(tx, project_id).await? {
        let Some(place) = Place::by_id(tx, environment.id).await? else {
            continue;
        };
        let access = caller
            .environment_access(tx, &place.project, &place.environment)
            .await?;
        if !access.allows(EnvironmentPermission::ViewEnvironment.key()) {
            continue;
        }
        let last = found.iter().find(|last| last.environment_id == environment.id);
        told.push(LastEvaluated {
            environment_id: environment.id,
            at: last.map(|last| Timestamp(last.at)),
        });
    }
    Ok(told)
}

/// The name of a feature, for a caller who may see it.
pub async fn name(tx: &mut Tx, caller: &Caller, project_id: i64, feature_id: i64) -> Result<String> {
    projects::get(tx, caller, project_id).await?;
    Ok(find_in(tx, project_id, feature_id).await?.name)
}

//! Where counts of calls and evaluations are kept, and how they are read: in the product's database, in another one, in
//! InfluxDB, or nowhere.
//!
//! All of them take the same counts and answer with the same rows, so the acts above know nothing of the difference.

pub mod influx;
pub(crate) mod seen;

use std::collections::HashMap;
use std::time::Duration;

use burgee_model::Timestamp;
use burgee_store::analytics::{self, EvaluationCount, UsageCount};
use burgee_store::usage::{self, Place};
use burgee_store::{Db, experiments};

use crate::batch::Batcher;
use crate::feature_data::Labels;
use crate::{Batch, Error, Result};

pub use influx::InfluxSettings;

use influx::Influx;
use seen::Seen;

/// Where the operator wants counts kept.
#[derive(Debug, Clone, Default)]
pub enum KeptIn {
    /// In the product's database.
    #[default]
    Database,
    /// In a database of their own, which has the same schema.
    OtherDatabase(Db),
    Influx(InfluxSettings),
    /// They are not kept, and nothing is told of usage.
    Nowhere,
}

/// Whose calls: of organisations, or of one project or environment of theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub organisation_ids: Vec<i64>,
    pub project_id: Option<i64>,
    pub environment_id: Option<i64>,
}

/// Calls to one resource on one day by clients of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    pub organisation_id: i64,
    /// Days since 1970.
    pub day: i64,
    /// 1 flags, 2 identities, 3 traits, 4 environment document.
    pub resource: i64,
    pub labels: Labels,
    pub count: i64,
}

/// Evaluations of a feature on one day by clients of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluations {
    /// Days since 1970.
    pub day: i64,
    pub labels: Labels,
    pub count: i64,
}

/// The keeper of counts.
#[derive(Debug)]
pub(crate) struct Analytics {
    keeper: Keeper,
    seen: Seen,
}

#[derive(Debug)]
enum Keeper {
    Database {
        db: Db,
        /// Whether it is not the product's.
        is_other: bool,
        writes: Batcher<Vec<EvaluationCount>, ()>,
    },
    Influx(Influx),
    Nowhere,
}

impl Analytics {
    /// Starts keeping. `batch` and `delay` are those of the writes of SDKs.
    pub(crate) fn start(
        kept_in: &KeptIn,
        own: &Db,
        client: burgee_outbound::http::Client,
        (batch, delay): (usize, Duration),
    ) -> Self {
        let database = |db: &Db, is_other| Keeper::Database {
            db: db.clone(),
            is_other,
            writes: Batcher::start(batch, delay, evaluation_writer(db.clone())),
        };
        let keeper = match kept_in {
            KeptIn::Database => database(own, false),
            KeptIn::OtherDatabase(db) => database(db, true),
            KeptIn::Influx(settings) => Keeper::Influx(Influx::start(settings.clone(), client)),
            KeptIn::Nowhere => Keeper::Nowhere,
        };
        Self {
            keeper,
            seen: Seen::default(),
        }
    }

    /// The database that counts are kept in, where it is one: for adding up and forgetting.
    pub(crate) fn database(&self) -> Option<&Db> {
        match &self.keeper {
            Keeper::Database { db, .. } => Some(db),
            Keeper::Influx(_) | Keeper::Nowhere => None,
        }
    }

    /// When features were last asked for.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How many writes wait for their commit.
    pub(crate) fn waiting(&self) -> usize {
        match &self.keeper {
            Keeper::Database { writes, .. } => writes.waiting(),
            Keeper::Influx(_) | Keeper::Nowhere => 0,
        }
    }

    /// Keeps counts of evaluations. A database has them when this returns; InfluxDB is told of them later, added up.
    pub(crate) async fn record(&self, rows: Vec<EvaluationCount>) -> Result<()> {
        match &self.keeper {
            Keeper::Database { writes, .. } => writes.write(rows).await,
            Keeper::Influx(influx) => {
                influx.count_evaluations(rows);
                Ok(())
            }
            Keeper::Nowhere => Ok(()),
        }
    }

    /// Keeps counts of calls. `own` is the product's database, which knows the names of environments.
    pub(crate) async fn count_calls(&self, own: &Db, rows: &[UsageCount], host: &str) -> Result<()> {
        match &self.keeper {
            Keeper::Database { db, .. } if !rows.is_empty() => {
                let mut tx = db.begin().await?;
                analytics::insert_usage(&mut tx, rows, host).await?;
                Ok(tx.commit().await?)
            }
            Keeper::Influx(influx) => influx.count_calls(own, rows, host).await,
            Keeper::Database { .. } | Keeper::Nowhere => Ok(()),
        }
    }

    /// The calls between two moments, by day. `own` is the product's database.
    pub(crate) async fn calls(
        &self,
        own: &Db,
        scope: &Scope,
        (since, until): (i64, i64),
    ) -> Result<Vec<Calls>> {
        match &self.keeper {
            Keeper::Database { db, .. } => {
                let places = places(own, scope).await?;
                let ids: Vec<i64> = places.keys().copied().collect();
                let mut tx = db.read().await?;
                let rows = usage::by_day(&mut tx, &ids, since, until).await?;
                let calls = rows.into_iter().filter_map(|row| {
                    Some(Calls {
                        organisation_id: places.get(&row.environment_id)?.organisation_id,
                        day: row.day,
                        resource: row.resource,
                        labels: Labels::parse(&row.labels),
                        count: row.count,
                    })
                });
                Ok(calls.collect())
            }
            Keeper::Influx(influx) => influx.calls(scope, (since, until)).await,
            Keeper::Nowhere => Ok(Vec::new()),
        }
    }

    /// The evaluations of a feature in an environment since a moment, by day.
    pub(crate) async fn evaluations(
        &self,
        environment_id: i64,
        feature_name: &str,
        since: i64,
    ) -> Result<Vec<Evaluations>> {
        match &self.keeper {
            Keeper::Database { db, .. } => {
                let mut tx = db.read().await?;
                let rows = usage::evaluations_by_day(&mut tx, environment_id, feature_name, since).await?;
                let rows = rows.into_iter().map(|row| Evaluations {
                    day: row.day,
                    labels: Labels::parse(&row.labels),
                    count: row.count,
                });
                Ok(rows.collect())
            }
            Keeper::Influx(influx) => influx.evaluations(environment_id, feature_name, since).await,
            Keeper::Nowhere => Ok(Vec::new()),
        }
    }

    /// How often a feature was evaluated in an environment since a moment, as far as counts are kept.
    pub(crate) async fn evaluations_since(
        &self,
        environment_id: i64,
        feature_name: &str,
        since: i64,
    ) -> Result<i64> {
        if let Keeper::Database { db, .. } = &self.keeper {
            let mut tx = db.read().await?;
            return Ok(experiments::evaluations_since(&mut tx, environment_id, feature_name, since).await?);
        }
        let days = self.evaluations(environment_id, feature_name, since).await?;
        Ok(days.iter().fold(0, |sum: i64, day| sum.saturating_add(day.count)))
    }

    /// Takes the name of a deleted identity out of counts that are not in the product's database.
    pub(crate) async fn forget_identity(&self, environment_id: i64, identifier: &str) -> Result<()> {
        let Keeper::Database {
            db, is_other: true, ..
        } = &self.keeper
        else {
            return Ok(());
        };
        let mut tx = db.begin().await?;
        analytics::forget_identity(&mut tx, environment_id, identifier).await?;
        Ok(tx.commit().await?)
    }

    /// Ends keeping: what waits for InfluxDB is sent, as far as it is taken within a moment.
    pub(crate) async fn close(&self) {
        match &self.keeper {
            Keeper::Influx(influx) => influx.close().await,
            Keeper::Database {
                db, is_other: true, ..
            } => db.close().await,
            Keeper::Database { .. } | Keeper::Nowhere => {}
        }
    }
}

/// What charts show when whoever keeps the counts is away: nothing, as the reference does. The log and the metrics tell.
pub(crate) fn or_nothing<T>(outcome: Result<Vec<T>>) -> Result<Vec<T>> {
    match outcome {
        Err(Error::Elsewhere(error)) => {
            tracing::warn!(%error, "usage can't be read; charts stay empty");
            Ok(Vec::new())
        }
        outcome => outcome,
    }
}

/// The environments of a scope, by id.
async fn places(own: &Db, scope: &Scope) -> Result<HashMap<i64, Place>> {
    let mut tx = own.read().await?;
    let places = usage::places(&mut tx, &scope.organisation_ids).await?;
    let places = places.into_iter().filter(|place| {
        scope.project_id.is_none_or(|id| id == place.project_id)
            && scope.environment_id.is_none_or(|id| id == place.environment_id)
    });
    Ok(places.map(|place| (place.environment_id, place)).collect())
}

/// Stores reported counts of evaluations in one transaction.
fn evaluation_writer(db: Db) -> impl Fn(Vec<Vec<EvaluationCount>>) -> Batch<()> + Send + Sync + 'static {
    move |reports| {
        let db = db.clone();
        Box::pin(async move {
            let mut tx = db.begin().await?;
            analytics::insert_evaluations(&mut tx, &reports.concat()).await?;
            tx.commit().await?;
            Ok(vec![(); reports.len()])
        })
    }
}

/// Now, in microseconds since 1970.
fn now() -> i64 {
    Timestamp::now().0
}

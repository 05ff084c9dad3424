//! How long features stay: which are stale, and at which stage of its life each one is.

use std::collections::{HashMap, HashSet};

use burgee_model::Timestamp;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::features::Feature;
use burgee_store::projects::{self, Project};
use burgee_store::{Tx, code_references, feature_activity, feature_links, features, tags};
use serde_json::Value;

use crate::feature_states::place_by_id;
use crate::system_tags::{self, SystemTag};
use crate::{App, Caller, Result};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// A feature that was asked for within so many days counts as in use.
const USE_DAYS: i64 = 7;

/// A stage in the life of a feature in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Neither asked for nor found in code yet.
    New,
    /// Asked for, or found in code, and changed not too long ago.
    Live,
    /// Not changed for long, and still in code (or nobody looked).
    Stale,
    /// Meant to stay: it has a permanent tag.
    Permanent,
    /// Stale and in no code any more, but something still asks for it.
    NeedsMonitoring,
    /// Stale, in no code, and nothing asks for it.
    ToRemove,
}

impl Stage {
    /// Every stage, in the order of their counts on the wire.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Live,
        Self::Stale,
        Self::Permanent,
        Self::NeedsMonitoring,
        Self::ToRemove,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Permanent => "permanent",
            Self::NeedsMonitoring => "needs_monitoring",
            Self::ToRemove => "to_remove",
        }
    }

    /// The stage with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// What tells the stages of a project's features in one environment.
#[derive(Debug)]
pub(crate) struct Signs {
    permanent: HashSet<i64>,
    stale: HashSet<i64>,
    evaluated: HashSet<i64>,
    in_code: HashSet<i64>,
    /// Whether any repository was ever searched.
    scanned: bool,
}

impl Signs {
    pub(crate) async fn read(tx: &mut Tx, project_id: i64, environment_id: i64) -> Result<Self> {
        let since = Timestamp::now().0 - USE_DAYS * DAY;
        let (permanent, stale) = tagged(tx, project_id).await?;
        let found = code_references::of_project(tx, project_id).await?;
        Ok(Self {
            permanent,
            stale,
            evaluated: feature_activity::evaluated_since(tx, environment_id, since)
                .await?
                .into_iter()
                .collect(),
            in_code: found
                .iter()
                .filter(|reference| !reference.places().is_empty())
                .map(|reference| reference.feature_id)
                .collect(),
            scanned: !code_references::repositories(tx, project_id).await?.is_empty(),
        })
    }

    pub(crate) fn stage(&self, feature: &Feature) -> Stage {
        let in_code = self.in_code.contains(&feature.id);
        let evaluated = self.evaluated.contains(&feature.id);
        if self.permanent.contains(&feature.id) {
            Stage::Permanent
        } else if self.stale.contains(&feature.id) {
            match (in_code || !self.scanned, evaluated) {
                (true, _) => Stage::Stale,
                (false, true) => Stage::NeedsMonitoring,
                (false, false) => Stage::ToRemove,
            }
        } else if in_code || evaluated {
            Stage::Live
        } else {
            Stage::New
        }
    }
}

/// The features with a permanent tag, and those with the tag for stale ones.
async fn tagged(tx: &mut Tx, project_id: i64) -> Result<(HashSet<i64>, HashSet<i64>)> {
    let known: HashMap<i64, _> = tags::list(tx, project_id)
        .await?
        .into_iter()
        .map(|tag| (tag.id, tag))
        .collect();
    let (mut permanent, mut stale) = (HashSet::new(), HashSet::new());
    for link in feature_links::tags(tx, project_id, None).await? {
        let Some(tag) = known.get(&link.tag_id) else {
            continue;
        };
        if tag.is_permanent {
            permanent.insert(link.feature_id);
        }
        if tag.is_system_tag && tag.r#type == SystemTag::Stale.kind() {
            stale.insert(link.feature_id);
        }
    }
    Ok((permanent, stale))
}

/// How many features are at each stage in an environment; archived ones are past all of them.
pub async fn counts(tx: &mut Tx, caller: &Caller, environment_id: i64) -> Result<HashMap<Stage, i64>> {
    let place = place_by_id(tx, caller, environment_id, EnvironmentPermission::ViewEnvironment).await?;
    let signs = Signs::read(tx, place.project.id, environment_id).await?;
    let mut counts = HashMap::new();
    for feature in features::list(tx, place.project.id).await? {
        if !feature.is_archived {
            *counts.entry(signs.stage(&feature)).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Gives the tag for stale features to those that nobody changed for as long as their project says, and takes it from
/// those that somebody did change.
pub async fn mark_stale(app: &App) -> Result<()> {
    let mut tx = app.db().read().await?;
    let projects = projects::list(&mut tx, None).await?;
    let mut wrong = Vec::new();
    for project in projects {
        // Looked at without holding up writers; most of the time there is nothing to do.
        let (stale, all) = stale_of(&mut tx, &project).await?;
        let (_, tagged) = tagged(&mut tx, project.id).await?;
        if all.iter().any(|id| stale.contains(id) != tagged.contains(id)) {
            wrong.push(project.id);
        }
    }
    drop(tx);
    for id in wrong {
        let mut tx = app.begin().await?;
        let Some(project) = projects::find(&mut tx, id).await? else {
            continue;
        };
        let (stale, all) = stale_of(&mut tx, &project).await?;
        let changes = system_tags::set(&mut tx, &project, SystemTag::Stale, &all, &stale).await?;
        app.commit(tx, changes).await?;
    }
    Ok(())
}

/// The stale features of a project, and all it has.
async fn stale_of(tx: &mut Tx, project: &Project) -> Result<(Vec<i64>, Vec<i64>)> {
    let since = Timestamp::now().0 - project.stale_flags_limit_days.max(1).saturating_mul(DAY);
    let (permanent, _) = tagged(tx, project.id).await?;
    let mut fresh: HashSet<i64> = feature_activity::states_touched(tx, project.id)
        .await?
        .into_iter()
        .filter(|touched| touched.at > since)
        .map(|touched| touched.feature_id)
        .collect();
    for done in feature_activity::done_since(tx, project.id, since).await? {
        let of_state = || {
            let before: Value = serde_json::from_str(done.before.as_deref()?).ok()?;
            before.get("feature")?.as_i64()
        };
        fresh.extend(match done.object_type.as_str() {
            "FEATURE" => Some(done.object_id),
            _ => of_state(),
        });
    }
    let all = features::list(tx, project.id).await?;
    let stale = all
        .iter()
        .filter(|feature| {
            !feature.is_archived && !fresh.contains(&feature.id) && !permanent.contains(&feature.id)
        })
        .map(|feature| feature.id);
    Ok((stale.collect(), all.iter().map(|feature| feature.id).collect()))
}

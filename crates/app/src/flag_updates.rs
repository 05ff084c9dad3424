//! Changing a flag in one call: its environment default and segment overrides together, or not at all.

use burgee_model::Timestamp;
use burgee_model::permissions::EnvironmentPermission;
use burgee_store::changes::NewChange;
use burgee_store::features::{self, Feature};
use burgee_store::{Tx, feature_segments};
use serde_json::json;

use crate::change_sets::{self, ChangeSet, StateChange, Target};
use crate::environment_states::default_of;
use crate::feature_states::{StateDetails, StateEdit, detail, feature_at, place_by_key, place_for_features};
use crate::segment_overrides::{self, Override};
use crate::{App, Caller, Error, Features, Place, Result, approvals};

/// A feature by id or by name.
#[derive(Debug, Clone)]
pub enum FeatureName {
    Id(i64),
    Name(String),
}

/// What a segment override is to be.
#[derive(Debug, Clone)]
pub struct OverrideEdit {
    pub segment_id: i64,
    pub priority: Option<i64>,
    pub edit: StateEdit,
}

/// What a flag is to be.
#[derive(Debug, Clone, Default)]
pub struct FlagEdit {
    pub default: Option<StateEdit>,
    pub overrides: Vec<OverrideEdit>,
    /// Whether overrides that are not listed go.
    pub replace: bool,
}

/// A flag of an environment: its default and its segment overrides.
#[derive(Debug, Clone)]
pub struct Flag {
    pub default: StateDetails,
    pub overrides: Vec<Override>,
}

impl FeatureName {
    /// As the reference quotes it in messages.
    fn quoted(&self) -> String {
        match self {
            Self::Id(id) => format!("{{'id': {id}}}"),
            Self::Name(name) if name.contains('\'') && !name.contains('"') => {
                format!("{{'name': \"{name}\"}}")
            }
            Self::Name(name) => format!("{{'name': '{}'}}", name.replace('\'', "\\'")),
        }
    }
}

/// The environment, for changing flags directly.
async fn open(tx: &mut Tx, caller: &Caller, key: &str) -> Result<(Place, Features)> {
    let permission = EnvironmentPermission::UpdateFeatureState;
    let (place, may) = place_for_features(tx, caller, key, permission).await?;
    approvals::refuse_direct(&place)?;
    Ok((place, may))
}

async fn named(tx: &mut Tx, place: &Place, name: &FeatureName) -> Result<Feature> {
    let found = match name {
        FeatureName::Id(id) => feature_at(tx, place, *id).await?,
        FeatureName::Name(name) => {
            let found = features::find_by_name(tx, place.project.id, &name.to_lowercase()).await?;
            found.filter(|feature| feature.name == *name)
        }
    };
    let text = format!("Feature '{}' not found in project", name.quoted());
    found.ok_or_else(|| Error::Rejected(json!([text])))
}

/// Changes a flag that a body names.
pub async fn update_named(
    app: &App,
    caller: &Caller,
    key: &str,
    name: &FeatureName,
    edit: FlagEdit,
) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = open(&mut tx, caller, key).await?;
    let feature = named(&mut tx, &place, name).await?;
    may.require(&mut tx, feature.id).await?;
    let changes = apply(&mut tx, (caller, &place, &feature), edit).await?;
    app.commit(tx, changes).await
}

/// Deletes a segment override of a feature that a body names.
pub async fn delete_named_override(
    app: &App,
    caller: &Caller,
    key: &str,
    name: &FeatureName,
    segment_id: i64,
) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = open(&mut tx, caller, key).await?;
    let feature = named(&mut tx, &place, name).await?;
    may.require(&mut tx, feature.id).await?;
    let removed = remove(&mut tx, (caller, &place, &feature), segment_id).await?;
    let missing = || {
        Error::NotFound(format!(
            "Segment override for segment {segment_id} does not exist"
        ))
    };
    app.commit(tx, removed.ok_or_else(missing)?).await
}

/// A flag of an environment.
pub async fn get(tx: &mut Tx, caller: &Caller, key: &str, feature_id: i64) -> Result<Flag> {
    let place = place_by_key(tx, caller, key, EnvironmentPermission::ViewEnvironment).await?;
    let feature = feature_at(tx, &place, feature_id)
        .await?
        .ok_or_else(Error::not_found)?;
    read(tx, &place, &feature).await
}

async fn read(tx: &mut Tx, place: &Place, feature: &Feature) -> Result<Flag> {
    let default = default_of(tx, place, feature)
        .await?
        .ok_or_else(Error::not_found)?;
    Ok(Flag {
        default: detail(tx, default).await?,
        overrides: segment_overrides::all_at(tx, place, feature).await?,
    })
}

/// Changes a flag by the id of its feature.
pub async fn update(app: &App, caller: &Caller, key: &str, feature_id: i64, edit: FlagEdit) -> Result<Flag> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = open(&mut tx, caller, key).await?;
    let feature = feature_at(&mut tx, &place, feature_id)
        .await?
        .ok_or_else(Error::not_found)?;
    may.require(&mut tx, feature.id).await?;
    let changes = apply(&mut tx, (caller, &place, &feature), edit).await?;
    let answer = read(&mut tx, &place, &feature).await?;
    app.commit(tx, changes).await?;
    Ok(answer)
}

/// Deletes a segment override by the ids of feature and segment.
pub async fn delete_override(
    app: &App,
    caller: &Caller,
    key: &str,
    feature_id: i64,
    segment_id: i64,
) -> Result<Flag> {
    let mut tx = app.begin_settled().await?;
    let (place, may) = open(&mut tx, caller, key).await?;
    let feature = feature_at(&mut tx, &place, feature_id)
        .await?
        .ok_or_else(Error::not_found)?;
    may.require(&mut tx, feature.id).await?;
    let removed = remove(&mut tx, (caller, &place, &feature), segment_id).await?;
    let missing = || Error::NotFound("Segment override not found.".to_owned());
    let removed = removed.ok_or_else(missing)?;
    let answer = read(&mut tx, &place, &feature).await?;
    app.commit(tx, removed).await?;
    Ok(answer)
}

async fn apply(tx: &mut Tx, at: (&Caller, &Place, &Feature), edit: FlagEdit) -> Result<Vec<NewChange>> {
    let (caller, place, feature) = at;
    let mut set = ChangeSet {
        feature_id: feature.id,
        ..ChangeSet::default()
    };
    set.update
        .extend(edit.default.map(|edit| StateChange { segment: None, edit }));
    if edit.replace {
        let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
        let listed = |segment_id| {
            edit.overrides
                .iter()
                .any(|wanted| wanted.segment_id == segment_id)
        };
        let gone = links.into_iter().map(|link| link.segment_id);
        set.delete_segments
            .extend(gone.filter(|segment_id| !listed(*segment_id)));
    }
    set.update
        .extend(edit.overrides.into_iter().map(|wanted| StateChange {
            segment: Some(Target {
                segment_id: wanted.segment_id,
                priority: wanted.priority,
            }),
            edit: wanted.edit,
        }));
    change_sets::apply(tx, caller.into(), place, feature, &set, Timestamp::now()).await
}

/// Deletes an override; `None` when there is none.
async fn remove(
    tx: &mut Tx,
    (caller, place, feature): (&Caller, &Place, &Feature),
    segment_id: i64,
) -> Result<Option<Vec<NewChange>>> {
    let links = feature_segments::of_feature(tx, place.environment.id, feature.id).await?;
    if !links.iter().any(|link| link.segment_id == segment_id) {
        return Ok(None);
    }
    let set = ChangeSet {
        feature_id: feature.id,
        delete_segments: vec![segment_id],
        ..ChangeSet::default()
    };
    let changes = change_sets::apply(tx, caller.into(), place, feature, &set, Timestamp::now()).await?;
    Ok(Some(changes))
}

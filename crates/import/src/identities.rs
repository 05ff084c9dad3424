//! Taking identities with their traits, and what features are for them: page by page, with a mark of how far it is.

use std::collections::{HashMap, HashSet};

use burgee_app::App;
use burgee_app::pii::{Entrance, Guard, Refused, Spot};
use burgee_model::limits;
use burgee_model::traits::{StoredTrait, TraitSet};
use burgee_model::{FlagValue, TraitValue};
use burgee_store::bulk::{Cell, tables};
use burgee_store::changes::{self, NewChange};
use burgee_store::flagsmith::{Flagsmith, SourceIdentity, SourceTrait};
use burgee_store::imports::{self, Import, PresentIdentity};
use burgee_store::{DbError, Tx, state_options};
use serde_json::{Value, json};

use crate::database::parse;
use crate::flags::state_row;
use crate::people::uuid;
use crate::records::{FeatureState, Weight};
use crate::report::{Count, Report};
use crate::taking::{How, Taker};
use crate::{Error, Result, noun};

/// What became of the rows an identity refers to.
pub(crate) type Maps = HashMap<&'static str, HashMap<i64, i64>>;

/// An identity as it is to be.
#[derive(Debug, Clone)]
pub(crate) struct IncomingIdentity {
    /// Its id in the source: what its buckets may be computed from.
    pub(crate) source: i64,
    /// The environment here.
    pub(crate) environment: i64,
    pub(crate) identifier: String,
    pub(crate) traits: String,
    pub(crate) created_at: i64,
}

/// Some identities that are stored together.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) identities: Vec<IncomingIdentity>,
    /// The ids in the source this page has all identities of; without it nothing is known to be gone.
    pub(crate) range: Option<(i64, i64)>,
    /// How far the run is once this page is stored.
    pub(crate) mark: i64,
}

/// Reads a page of identities with their traits from the database; `None` at the end.
pub(crate) async fn read_page(
    flagsmith: &Flagsmith,
    maps: &Maps,
    after: i64,
    limit: i64,
    report: &mut Report,
) -> Result<Option<Page>> {
    let rows = flagsmith.identities(after, limit).await.map_err(Error::Source)?;
    let Some(last) = rows.last().map(|row| row.id) else {
        return Ok(None);
    };
    let rows = rows.into_iter().filter_map(|row| {
        let environment = *maps.get(noun::ENVIRONMENT)?.get(&row.environment_id)?;
        Some((row, environment))
    });
    let rows: Vec<(SourceIdentity, i64)> = rows.collect();
    let ids: Vec<i64> = rows.iter().map(|(row, _)| row.id).collect();
    let mut traits: HashMap<i64, Vec<SourceTrait>> = HashMap::new();
    for one in flagsmith.traits(&ids).await.map_err(Error::Source)? {
        traits.entry(one.identity_id).or_default().push(one);
    }
    let identities = rows
        .into_iter()
        .map(|(row, environment)| {
            let stored = traits.remove(&row.id).unwrap_or_default();
            let set = trait_set(&row, stored, report);
            IncomingIdentity {
                source: row.id,
                environment,
                identifier: row.identifier,
                traits: set.to_text(),
                created_at: row.created_at,
            }
        })
        .collect();
    Ok(Some(Page {
        identities,
        range: Some((after, last)),
        mark: last,
    }))
}

/// The traits of an identity in the form they are stored in.
pub(crate) fn trait_set(identity: &SourceIdentity, rows: Vec<SourceTrait>, report: &mut Report) -> TraitSet {
    let mut values: Vec<(String, TraitValue, i64)> = Vec::with_capacity(rows.len());
    for row in rows {
        let value = match row.value_type.as_deref() {
            Some("int") => row.integer_value.map(TraitValue::Int),
            Some("bool") => row.boolean_value.map(TraitValue::Bool),
            Some("float") => row.float_value.map(TraitValue::Float),
            _ => row.string_value.map(TraitValue::Text),
        };
        // A trait without a value is as good as none, there as here.
        if let Some(value) = value {
            values.push((row.trait_key, value, row.created_at));
        }
    }
    let system: Option<Value> = identity
        .system_traits
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    for (key, value) in system.as_ref().and_then(Value::as_object).into_iter().flatten() {
        // They win over traits of the same name.
        if let Ok(value) = serde_json::from_value::<TraitValue>(value.clone()) {
            values.retain(|(present, _, _)| present != key);
            values.push((key.clone(), value, identity.created_at));
        }
    }
    let most = limits::TRAITS_PER_IDENTITY as usize;
    if values.len() > most {
        let text = format!("has {} traits: only the first {most} are taken", values.len());
        report.note(noun::IDENTITY, identity.id, text);
        values.truncate(most);
    }
    (0..)
        .zip(values)
        .map(|(slot, (key, value, at))| StoredTrait(slot, key, value, at))
        .collect()
}

/// A page as its projects want it kept, where they want anything of it: without the identities they do not take.
pub(crate) fn kept(app: &App, page: &Page, report: &mut Report) -> Option<Page> {
    let mut guards: HashMap<i64, Option<Guard>> = HashMap::new();
    for identity in &page.identities {
        guards
            .entry(identity.environment)
            .or_insert_with(|| guard(app, identity.environment));
    }
    if guards.values().all(Option::is_none) {
        return None;
    }
    let mut identities = Vec::with_capacity(page.identities.len());
    for identity in &page.identities {
        let mut identity = identity.clone();
        let guard = guards.get(&identity.environment).and_then(Option::as_ref);
        match guard.map(|guard| keep(guard, &mut identity)) {
            Some(Err(refused)) => {
                report.leave_out(noun::IDENTITY, identity.source, &refused.reason());
            }
            Some(Ok(())) | None => identities.push(identity),
        }
    }
    Some(Page { identities, ..*page })
}

fn guard(app: &App, environment: i64) -> Option<Guard> {
    let served = app.environments().by_id(environment)?;
    served.snapshot().guard.clone()
}

fn keep(guard: &Guard, identity: &mut IncomingIdentity) -> std::result::Result<(), Refused> {
    let spot = Spot {
        entrance: Entrance::Imports,
        field: "identifier",
        name: "",
    };
    identity.identifier = guard.keep(spot, &identity.identifier)?.into_owned();
    let Ok(traits) = TraitSet::parse(&identity.traits) else {
        return Ok(());
    };
    let mut kept = Vec::new();
    for StoredTrait(slot, key, value, created_at) in &traits {
        let (mut key, mut value) = (key.clone(), value.clone());
        let fields = ("trait_key", "trait_value");
        guard.keep_trait(Entrance::Imports, fields, &mut key, Some(&mut value))?;
        kept.push(StoredTrait(*slot, key, value, *created_at));
    }
    identity.traits = TraitSet::from_iter(kept).to_text();
    Ok(())
}

/// How often a page is tried that collides with what SDKs write at the same time.
const ATTEMPTS: u32 = 4;

/// Stores a page; whoever asks for one of its identities meanwhile gets it in the one or the other form.
///
/// `is_first`: there were no identities when the run began, so that none of these can be here.
pub(crate) async fn store_page(
    app: &App,
    import: &Import,
    environments: &[i64],
    page: &Page,
    is_first: bool,
    report: &mut Report,
) -> Result<()> {
    let mut attempt = 1;
    loop {
        match try_page(app, import, environments, page, is_first && attempt == 1).await {
            Err(Error::Database(DbError::Conflict(_))) if attempt < ATTEMPTS => attempt += 1,
            outcome => {
                report.count(noun::IDENTITY, &outcome?);
                return Ok(());
            }
        }
    }
}

async fn try_page(
    app: &App,
    import: &Import,
    environments: &[i64],
    page: &Page,
    is_first: bool,
) -> Result<Count> {
    let mut tx = app.db().begin().await?;
    let tx_ref = &mut tx;
    let mut count = Count {
        found: page.identities.len() as u64,
        ..Count::default()
    };
    let mut by_origin = HashMap::new();
    let mut by_name: HashMap<(i64, String), PresentIdentity> = HashMap::new();
    if !is_first {
        if let Some((after, to)) = page.range {
            for row in imports::identities_from(tx_ref, environments, after, to).await? {
                if let Some(seed) = row.hash_seed {
                    by_origin.insert((row.environment_id, seed), row);
                }
            }
        }
        let names: Vec<(i64, &str)> = page
            .identities
            .iter()
            .map(|identity| (identity.environment, identity.identifier.as_str()))
            .collect();
        for row in imports::identities_named(tx_ref, &json!(names).to_string()).await? {
            by_name.insert((row.environment_id, row.identifier.clone()), row);
        }
    }
    let mut updates = Vec::new();
    let mut new = Vec::new();
    // Rows that some identity of the page has now. One deleted there and made anew under the same identifier keeps its row,
    // which then is also that of the one that is gone.
    let mut kept = HashSet::new();
    for identity in &page.identities {
        let origin = by_origin.remove(&(identity.environment, identity.source));
        let named = by_name.remove(&(identity.environment, identity.identifier.clone()));
        let present = match (origin, named) {
            (Some(origin), Some(named)) if origin.id != named.id && !kept.contains(&named.id) => {
                // It has another identifier now, under which SDKs have asked here already.
                tables::IDENTITIES.delete(tx_ref, named.id).await?;
                Some(origin)
            }
            (origin, named) => origin.or(named),
        };
        kept.extend(present.as_ref().map(|row| row.id));
        match present {
            None => new.push(identity),
            Some(row) if is_same(&row, identity) => count.unchanged += 1,
            Some(row) => {
                count.updated += 1;
                updates.push((row.id, &identity.identifier, &identity.traits, identity.source));
            }
        }
    }
    for gone in by_origin.into_values().filter(|row| !kept.contains(&row.id)) {
        count.removed += tables::IDENTITIES.delete(tx_ref, gone.id).await?;
    }
    if !updates.is_empty() {
        imports::update_identities(tx_ref, &json!(updates).to_string()).await?;
    }
    count.created = new.len() as u64;
    insert(tx_ref, import, &new, is_first).await?;
    imports::set_progress(tx_ref, import.id, page.mark, 0).await?;
    tx.commit().await?;
    Ok(count)
}

fn is_same(row: &PresentIdentity, identity: &IncomingIdentity) -> bool {
    row.hash_seed == Some(identity.source)
        && row.identifier == identity.identifier
        && row.traits == identity.traits
}

async fn insert(tx: &mut Tx, import: &Import, new: &[&IncomingIdentity], is_first: bool) -> Result<()> {
    let table = &tables::IDENTITIES;
    let mut taken = HashSet::new();
    if import.keeps_ids && !is_first {
        let wanted: Vec<i64> = new.iter().map(|identity| identity.source).collect();
        taken = table.taken(tx, &wanted).await?;
    }
    let keeps = |identity: &IncomingIdentity| import.keeps_ids && !taken.contains(&identity.source);
    let without = new.iter().filter(|identity| !keeps(identity)).count();
    let mut ids = table.new_ids(tx, without).await?.into_iter();
    let mut rows = Vec::with_capacity(new.len());
    for identity in new {
        let id = if keeps(identity) {
            identity.source
        } else {
            ids.next().ok_or(Error::NoIds)?
        };
        let cells: [Cell; 5] = [
            identity.environment.into(),
            identity.identifier.as_str().into(),
            identity.traits.as_str().into(),
            identity.created_at.into(),
            identity.source.into(),
        ];
        rows.push((id, cells));
    }
    let rows: Vec<(i64, &[Cell])> = rows.iter().map(|(id, cells)| (*id, cells.as_slice())).collect();
    Ok(table.insert_all(tx, &rows).await?)
}

/// Some overrides of identities, read together.
#[derive(Debug, Default)]
pub(crate) struct OverridePage {
    pub(crate) states: Vec<FeatureState>,
    pub(crate) weights: Vec<Weight>,
    /// By id in the source: environment there, and identifier.
    pub(crate) identities: HashMap<i64, (i64, String)>,
    /// The ids of states in the source this page has all of.
    pub(crate) range: (i64, i64),
}

/// Reads a page of overrides from the database; `None` at the end.
pub(crate) async fn read_overrides(
    flagsmith: &Flagsmith,
    after: i64,
    limit: i64,
) -> Result<Option<OverridePage>> {
    let texts = flagsmith
        .identity_overrides(after, limit)
        .await
        .map_err(Error::Source)?;
    let states: Vec<FeatureState> = parse("features_featurestate", &texts)?;
    let Some(last) = states.last().map(|state| state.id) else {
        return Ok(None);
    };
    let ids: Vec<i64> = states.iter().map(|state| state.id).collect();
    let texts = flagsmith.weights_of(&ids).await.map_err(Error::Source)?;
    let weights = parse("multivariate_multivariatefeaturestatevalue", &texts)?;
    let mut wanted: Vec<i64> = states.iter().filter_map(|state| state.identity_id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let identities = flagsmith.identities_by_id(&wanted).await.map_err(Error::Source)?;
    Ok(Some(OverridePage {
        states,
        weights,
        identities: identities
            .into_iter()
            .map(|identity| (identity.id, (identity.environment_id, identity.identifier)))
            .collect(),
        range: (after, last),
    }))
}

/// Stores a page of overrides, and tells the log which environments serve something else now.
pub(crate) async fn store_overrides(
    app: &App,
    import: &Import,
    maps: &Maps,
    page: &OverridePage,
    report: &mut Report,
) -> Result<()> {
    let mut tx = app.begin().await?;
    let mut taker = Taker::new(&mut tx, import, report);
    taker.ids.clone_from(maps);
    let here = identities_here(app, &mut taker, page).await?;
    let mut rows = Vec::with_capacity(page.states.len());
    let mut environments = HashSet::new();
    for state in &page.states {
        let Some(&identity) = state.identity_id.and_then(|id| here.get(&id)) else {
            continue;
        };
        if let Some(row) = state_row(&taker, state, Some(identity)) {
            environments.extend(
                state
                    .environment_id
                    .and_then(|id| taker.id(noun::ENVIRONMENT, id)),
            );
            rows.push(row);
        }
    }
    let how = How {
        range: page.range,
        ..How::default()
    };
    taker
        .rows(noun::IDENTITY_OVERRIDE, &tables::FEATURE_STATES, rows, how)
        .await?;
    take_weights(&mut taker, page).await?;
    let changed = taker.written > 0;
    if taker.removed > 0 {
        // Of which environments those were is not known any more.
        environments.extend(maps.get(noun::ENVIRONMENT).into_iter().flat_map(HashMap::values));
    }
    imports::set_progress(&mut tx, import.id, i64::MAX, page.range.1).await?;
    if changed {
        let log: Vec<NewChange> = environments.into_iter().map(environment_change).collect();
        changes::append(&mut tx, &log).await?;
    }
    Ok(tx.commit().await?)
}

/// Something of this environment is served otherwise.
fn environment_change(environment_id: i64) -> NewChange {
    NewChange {
        at: burgee_model::Timestamp::now().0,
        environment_id: Some(environment_id),
        object_type: "ENVIRONMENT",
        object_id: environment_id,
        action: "UPDATE",
        serves: true,
        ..NewChange::default()
    }
}

/// The identities of a page, by their ids in the source.
async fn identities_here(app: &App, taker: &mut Taker<'_>, page: &OverridePage) -> Result<HashMap<i64, i64>> {
    let mut named: HashMap<(i64, String), i64> = HashMap::new();
    for (source, (environment, identifier)) in &page.identities {
        let Some(environment) = taker.id(noun::ENVIRONMENT, *environment) else {
            continue;
        };
        let hash = guard(app, environment).and_then(|guard| guard.hash_of("", identifier));
        named.extend(hash.map(|hash| ((environment, hash), *source)));
        named.insert((environment, identifier.clone()), *source);
    }
    let keys: Vec<&(i64, String)> = named.keys().collect();
    let rows = imports::identities_named(taker.tx, &json!(keys).to_string()).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let source = named.get(&(row.environment_id, row.identifier))?;
            Some((*source, row.id))
        })
        .collect())
}

/// The weights of options in overrides: there is one of 100 %, as a rule. They are written anew where they differ.
async fn take_weights(taker: &mut Taker<'_>, page: &OverridePage) -> Result<()> {
    let mut wanted: HashMap<i64, Vec<&Weight>> = HashMap::new();
    for weight in &page.weights {
        if let Some(state) = taker.id(noun::IDENTITY_OVERRIDE, weight.feature_state_id) {
            wanted.entry(state).or_default().push(weight);
        }
    }
    let states: Vec<i64> = taker
        .ids
        .get(noun::IDENTITY_OVERRIDE)
        .map(|ids| ids.values().copied().collect())
        .unwrap_or_default();
    let mut present: HashMap<i64, Vec<(i64, f64)>> = HashMap::new();
    let mut rows = Vec::new();
    for chunk in states.chunks(5000) {
        rows.extend(state_options::of_states(taker.tx, chunk).await?);
    }
    for row in &rows {
        present
            .entry(row.feature_state_id)
            .or_default()
            .push((row.option_id, row.percentage_allocation));
    }
    let mut cells: Vec<(i64, Vec<Cell>)> = Vec::new();
    for &state in &states {
        let weights = wanted.remove(&state).unwrap_or_default();
        let coming: Vec<(i64, f64)> = weights
            .iter()
            .filter_map(|w| {
                let option = taker.id(noun::OPTION, w.multivariate_feature_option_id)?;
                Some((option, w.percentage_allocation))
            })
            .collect();
        if present.remove(&state).unwrap_or_default() == coming {
            continue;
        }
        for row in rows.iter().filter(|row| row.feature_state_id == state) {
            tables::STATE_OPTIONS.delete(taker.tx, row.id).await?;
        }
        taker.written += 1;
        for (weight, (option, percentage)) in weights.iter().zip(coming) {
            let row = vec![
                uuid(weight.uuid.as_deref(), "override weight", weight.id).into(),
                state.into(),
                option.into(),
                percentage.into(),
            ];
            cells.push((weight.id, row));
        }
    }
    let table = &tables::STATE_OPTIONS;
    let wanted: Vec<i64> = cells.iter().map(|(id, _)| *id).collect();
    let in_use = table.taken(taker.tx, &wanted).await?;
    let keeps = |id: &i64| taker.import.keeps_ids && !in_use.contains(id);
    let without = wanted.iter().filter(|id| !keeps(id)).count();
    if let Some(last) = wanted.iter().copied().filter(keeps).max() {
        table.move_on(taker.tx, last).await?;
    }
    let mut ids = table.new_ids(taker.tx, without).await?.into_iter();
    let mut rows: Vec<(i64, &[Cell])> = Vec::with_capacity(cells.len());
    for (id, cells) in &cells {
        let id = if keeps(id) {
            *id
        } else {
            ids.next().ok_or(Error::NoIds)?
        };
        rows.push((id, cells));
    }
    Ok(table.insert_all(taker.tx, &rows).await?)
}

/// Overrides that came from above this id in the source are gone.
pub(crate) async fn remove_overrides_after(
    app: &App,
    import: &Import,
    maps: &Maps,
    after: i64,
    report: &mut Report,
) -> Result<()> {
    let mut tx = app.begin().await?;
    let mut taker = Taker::new(&mut tx, import, report);
    let how = How {
        range: (after, i64::MAX),
        ..How::default()
    };
    taker
        .rows(noun::IDENTITY_OVERRIDE, &tables::FEATURE_STATES, Vec::new(), how)
        .await?;
    let mut log = Vec::new();
    if taker.removed > 0 {
        let environments = maps.get(noun::ENVIRONMENT).into_iter().flat_map(HashMap::values);
        log.extend(environments.copied().map(environment_change));
    }
    Ok(app.commit_taken_over(tx, log).await?)
}

/// The three columns of a value, and its type.
pub(crate) fn value_columns(value: &FlagValue) -> (&'static str, Option<String>, Option<i64>, Option<bool>) {
    match value {
        FlagValue::Int(number) => ("int", None, Some(*number), None),
        FlagValue::Bool(truth) => ("bool", None, None, Some(*truth)),
        FlagValue::Text(text) => ("unicode", Some(text.clone()), None, None),
        FlagValue::Null => ("unicode", None, None, None),
    }
}

//! Answers: which state each flag has for an identity, written from prepared texts.

use burgee_engine::{
    ContextValue, Identity, MemberSet, Membership, Memberships, Outcome, Reason, VariantChoice, member_hash,
};
use burgee_model::{TraitValue, lists};
use serde::Serialize;
use serde_json::{Value, json};

use super::identities::{Identified, TraitOutput};
use crate::App;
use crate::error::{Error, Result};
use crate::served::{FlagText, Served, ServedFeature, Snapshot, Subject};

/// `GET` and `POST /identities/`: `{"identifier", "traits", "flags"}`.
pub fn identity_answer(snapshot: &Snapshot, identity: &Identified, server_key: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(snapshot.flags_for_servers.plain.len() + 1024);
    out.extend_from_slice(b"{\"identifier\":");
    write_json(&mut out, &identity.identifier);
    out.extend_from_slice(b",\"traits\":");
    write_traits(&mut out, snapshot, &identity.traits);
    out.extend_from_slice(b",\"flags\":");
    write_flags(&mut out, snapshot, identity, server_key, FlagText::write);
    out.push(b'}');
    out
}

/// `GET /identities/{identifier}/`, of the first generation: flags without variants, and the identity's segments.
pub fn legacy_identity_answer(snapshot: &Snapshot, identity: &Identified, server_key: bool) -> Vec<u8> {
    let mut out = b"{\"flags\":".to_vec();
    write_flags(
        &mut out,
        snapshot,
        identity,
        server_key,
        FlagText::write_without_variant,
    );
    out.extend_from_slice(b",\"traits\":");
    write_traits(&mut out, snapshot, &identity.traits);
    out.extend_from_slice(b",\"segments\":");
    let segments: Vec<Value> = with_engine_identity(snapshot, identity, |context| {
        let matching = snapshot.engine.matching_segments(Some(context));
        let describe = |index: usize| snapshot.segments.get(index);
        matching
            .into_iter()
            .filter_map(describe)
            .map(|s| json!({"id": s.id, "name": s.name, "description": s.description}))
            .collect()
    });
    write_json(&mut out, &segments);
    out.push(b'}');
    out
}

/// The flags of an identity as the endpoints write them that know no variants.
pub fn flags_without_variants(snapshot: &Snapshot, identity: &Identified, server_key: bool) -> Vec<u8> {
    let mut out = Vec::new();
    write_flags(
        &mut out,
        snapshot,
        identity,
        server_key,
        FlagText::write_without_variant,
    );
    out
}

/// One flag of an identity, by the exact name of its feature.
pub fn flag(snapshot: &Snapshot, identity: &Identified, server_key: bool, name: &str) -> Option<Vec<u8>> {
    one_flag(snapshot, identity, server_key, name, FlagText::write)
}

/// The same for the endpoints that know no variants.
pub fn flag_without_variant(
    snapshot: &Snapshot,
    identity: &Identified,
    server_key: bool,
    name: &str,
) -> Option<Vec<u8>> {
    one_flag(
        snapshot,
        identity,
        server_key,
        name,
        FlagText::write_without_variant,
    )
}

/// One flag without an identity. Names are compared whatever their case; an empty name is the first flag there is.
pub fn default_flag(snapshot: &Snapshot, server_key: bool, name: &str) -> Option<Vec<u8>> {
    let wanted =
        |feature: &&ServedFeature| name.is_empty() || feature.name.to_lowercase() == name.to_lowercase();
    let shown = |feature: &&ServedFeature| {
        snapshot.shows(feature, snapshot.states[feature.default].enabled, server_key)
    };
    let feature = snapshot.features.iter().filter(shown).find(wanted)?;
    let mut out = Vec::new();
    snapshot.states[feature.default]
        .control
        .write_without_variant(&mut out);
    Some(out)
}

/// `GET /flags/{feature}/multivariate-options/`.
pub fn multivariate_options(snapshot: &Snapshot, server_key: bool, feature_id: i64) -> Result<Value> {
    let feature = snapshot
        .features
        .iter()
        .find(|f| f.id == feature_id && (server_key || !f.is_server_key_only));
    let feature = feature.ok_or_else(|| Error::no_match("Feature"))?;
    let options: Vec<Value> = feature
        .options
        .iter()
        .map(|value| json!({ "value": value.to_json() }))
        .collect();
    Ok(json!({ "control_value": snapshot.states[feature.default].value.to_json(), "options": options }))
}

/// Remembers, once, that an SDK has asked an environment for flags; the dashboard's first steps look at it.
pub fn note_first(app: &App, served: &Served, user_agent: Option<&str>) {
    let Some(label) = user_agent.filter(|agent| agent.starts_with("flagsmith-")) else {
        return;
    };
    let snapshot = served.snapshot();
    if snapshot.first_evaluated_at.is_some() || !served.note_first_evaluation() {
        return;
    }
    let (app, label, id) = (app.clone(), label.to_owned(), snapshot.environment_id);
    tokio::spawn(async move {
        if let Err(error) = crate::served::store_first_evaluation(&app, id, &label).await {
            tracing::warn!(%error, "the first evaluation of an environment was not noted");
        }
    });
}

fn one_flag(
    snapshot: &Snapshot,
    identity: &Identified,
    server_key: bool,
    name: &str,
    write: fn(&FlagText, &mut Vec<u8>),
) -> Option<Vec<u8>> {
    let index = snapshot
        .features
        .iter()
        .position(|feature| feature.name == name)?;
    with_engine_identity(snapshot, identity, |context| {
        let outcome = snapshot.engine.evaluate_feature(index, Some(context))?;
        let text = chosen(snapshot, outcome, server_key)?;
        let mut out = Vec::new();
        write(text, &mut out);
        Some(out)
    })
}

fn write_flags(
    out: &mut Vec<u8>,
    snapshot: &Snapshot,
    identity: &Identified,
    server_key: bool,
    write: fn(&FlagText, &mut Vec<u8>),
) {
    with_engine_identity(snapshot, identity, |context| {
        out.push(b'[');
        let start = out.len();
        for outcome in snapshot.engine.evaluate(Some(context)).iter() {
            if let Some(text) = chosen(snapshot, outcome, server_key) {
                if out.len() > start {
                    out.push(b',');
                }
                write(text, out);
            }
        }
        out.push(b']');
    });
}

/// The prepared text of an outcome; `None` when this key may not see the flag.
fn chosen<'s>(snapshot: &'s Snapshot, outcome: Outcome<'_>, server_key: bool) -> Option<&'s FlagText> {
    let feature = &snapshot.features[outcome.feature()];
    if !snapshot.shows(feature, outcome.enabled(), server_key) {
        return None;
    }
    written(snapshot, outcome)
}

/// The prepared text of an outcome.
fn written<'s>(snapshot: &'s Snapshot, outcome: Outcome<'_>) -> Option<&'s FlagText> {
    let state = snapshot.states.get(usize::try_from(outcome.reference()).ok()?)?;
    match outcome.choice() {
        VariantChoice::Variant { position, .. } => state.variants.get(position),
        VariantChoice::None | VariantChoice::Control => Some(&state.control),
    }
}

/// Lends an identity to the engine in the engine's own form.
pub(crate) fn with_engine_identity<R>(
    snapshot: &Snapshot,
    identity: &Identified,
    act: impl FnOnce(&Identity<'_>) -> R,
) -> R {
    let key = identity.hashing_key(snapshot);
    let traits: Vec<(&str, ContextValue<'_>)> = identity
        .traits
        .iter()
        .map(|t| (t.key.as_str(), ContextValue::from(&t.value)))
        .collect();
    let memberships = Standing::new(snapshot, identity);
    act(&Identity {
        kept_as: identity.kept_as.as_deref(),
        key: Some(&key),
        memberships: Some(&memberships),
        ignores_overrides: identity.ignores_overrides,
        ..Identity::new(&identity.identifier, &traits)
    })
}

/// Where an identity stands towards the lists of an environment. Nothing is looked up before it is asked for.
#[derive(Debug)]
struct Standing<'a> {
    snapshot: &'a Snapshot,
    identity: &'a Identified,
    identifier: i64,
    /// That of the hash of the identifier, where it is kept by one.
    kept: Option<i64>,
}

impl<'a> Standing<'a> {
    fn new(snapshot: &'a Snapshot, identity: &'a Identified) -> Self {
        let (identifier, kept) = if snapshot.lists.is_empty() {
            (0, None)
        } else {
            let kept = kept_member(snapshot, lists::USER, &identity.identifier);
            (member_hash(&identity.identifier), kept)
        };
        Self {
            snapshot,
            identity,
            identifier,
            kept,
        }
    }

    fn is_in(&self, (subject, members): &(Subject, MemberSet)) -> bool {
        match subject {
            Subject::Identifier => {
                members.contains(self.identifier) || self.kept.is_some_and(|kept| members.contains(kept))
            }
            Subject::Trait(key) => {
                let mut traits = self.identity.traits.iter();
                let value = traits.find(|t| t.key == *key).map(|t| &t.value);
                value.is_some_and(|value| match value {
                    TraitValue::Text(text) => self.has(key, text, members),
                    other => self.has(key, &burgee_engine::python_text(&json!(other)), members),
                })
            }
        }
    }
}

impl Standing<'_> {
    /// Whether a value is a member, by itself or by its hash.
    fn has(&self, key: &str, value: &str, members: &MemberSet) -> bool {
        members.contains(member_hash(value))
            || kept_member(self.snapshot, key, value).is_some_and(|kept| members.contains(kept))
    }
}

/// What a member is kept as in lists, where a hash is kept in place of it.
fn kept_member(snapshot: &Snapshot, context_kind: &str, member: &str) -> Option<i64> {
    let hash = snapshot
        .guard
        .as_ref()?
        .hash_of(crate::pii::trait_of_kind(context_kind), member)?;
    Some(member_hash(&hash))
}

impl Memberships for Standing<'_> {
    fn membership(&self, list: usize) -> Membership {
        let Some(lists) = self.snapshot.lists.get(list) else {
            return Membership::Unlisted;
        };
        if lists.included.iter().any(|list| self.is_in(list)) {
            Membership::Included
        } else if lists.excluded.iter().any(|list| self.is_in(list)) {
            Membership::Excluded
        } else {
            Membership::Unlisted
        }
    }
}

#[derive(Debug, Serialize)]
struct TraitJson<'a> {
    id: Option<i64>,
    trait_key: &'a str,
    trait_value: &'a burgee_model::TraitValue,
    transient: bool,
}

/// Where sensitive data is hidden, traits are not shown even to whoever sent them.
fn write_traits(out: &mut Vec<u8>, snapshot: &Snapshot, traits: &[TraitOutput]) {
    let shown: &[TraitOutput] = if snapshot.hide_sensitive_data { &[] } else { traits };
    let json: Vec<TraitJson<'_>> = shown
        .iter()
        .map(|t| TraitJson {
            id: t.id,
            trait_key: &t.key,
            trait_value: &t.value,
            transient: t.transient,
        })
        .collect();
    write_json(out, &json);
}

/// Writing to memory does not fail.
fn write_json(out: &mut Vec<u8>, value: &impl Serialize) {
    let _ = serde_json::to_writer(out, value);
}

/// A flag with everything that can be said of it, for protocols with a form of their own.
#[derive(Debug, Clone)]
pub struct Evaluated {
    pub feature_id: i64,
    pub name: String,
    pub enabled: bool,
    pub value: burgee_model::FlagValue,
    pub variant: Option<String>,
    /// `STATIC`, `TARGETING_MATCH` or `SPLIT`, as OpenFeature names reasons.
    pub reason: &'static str,
}

/// Every flag this key may see.
pub fn evaluated(snapshot: &Snapshot, identity: &Identified, server_key: bool) -> Vec<Evaluated> {
    with_engine_identity(snapshot, identity, |context| {
        let evaluation = snapshot.engine.evaluate(Some(context));
        let shown = |outcome: &Outcome<'_>| {
            snapshot.shows(
                &snapshot.features[outcome.feature()],
                outcome.enabled(),
                server_key,
            )
        };
        evaluation
            .iter()
            .filter(shown)
            .map(|outcome| describe(snapshot, outcome))
            .collect()
    })
}

fn describe(snapshot: &Snapshot, outcome: Outcome<'_>) -> Evaluated {
    let feature = &snapshot.features[outcome.feature()];
    Evaluated {
        feature_id: feature.id,
        name: feature.name.clone(),
        enabled: outcome.enabled(),
        value: serde_json::from_value(outcome.value().clone()).unwrap_or_default(),
        variant: outcome.variant().map(str::to_owned),
        reason: match outcome.reason() {
            Reason::Default | Reason::CircularDependency => "STATIC",
            Reason::TargetingMatch { .. } => "TARGETING_MATCH",
            Reason::Split { .. } => "SPLIT",
        },
    }
}

/// Everything there is to tell other services of an identity: its traits, its flags with the share of the traffic that
/// their variant gets, and every segment with whether it is in it.
pub(crate) fn for_integrations(
    snapshot: &Snapshot,
    identity: &Identified,
) -> (Value, Vec<Value>, Vec<Value>) {
    let mut traits = Vec::new();
    write_traits(&mut traits, snapshot, &identity.traits);
    let traits = serde_json::from_slice(&traits).unwrap_or_default();
    with_engine_identity(snapshot, identity, |context| {
        let evaluation = snapshot.engine.evaluate(Some(context));
        let flag = |outcome: Outcome<'_>| {
            let share = match outcome.reason() {
                Reason::Split { weight } => weight.to_string().parse::<f64>().ok(),
                _ => None,
            };
            let mut text = Vec::new();
            written(snapshot, outcome)?.write(&mut text);
            let mut flag: Value = serde_json::from_slice(&text).ok()?;
            flag["percentage_allocation"] = json!(share);
            Some(flag)
        };
        let flags = evaluation.iter().filter_map(flag).collect();
        let members = snapshot.engine.matching_segments(Some(context));
        let segment = |(index, segment): (usize, &crate::served::ServedSegment)| json!({ "id": segment.id, "name": segment.name, "member": members.contains(&index) });
        let segments = snapshot.segments.iter().enumerate().map(segment).collect();
        (traits, flags, segments)
    })
}

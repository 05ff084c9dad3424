//! Identifying: an identity, its traits, its flags.

use std::borrow::Cow;
use std::sync::Arc;

use burgee_model::traits::{StoredTrait, TraitChange, TraitError, TraitSet};
use burgee_model::{TraitValue, keys, limits};
use burgee_store::identities::{self, Identity, IdentityWrite, Written};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::App;
use crate::error::{Error, Result};
use crate::pii::{self, Entrance, Guard, Spot};
use crate::served::{Served, Snapshot};

/// A trait as a request names it.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitInput {
    pub key: String,
    /// `None` removes the trait.
    pub value: Option<TraitValue>,
    /// Used for this answer, not stored.
    pub transient: bool,
}

/// Who asks, and what is said of him.
#[derive(Debug, Clone, Default)]
pub struct IdentifyInput {
    /// Without one the identity is anonymous: nothing is stored.
    pub identifier: Option<String>,
    pub traits: Vec<TraitInput>,
    /// Nothing of this request is stored; what is stored is used.
    pub transient: bool,
}

/// A trait in the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitOutput {
    /// `None` for one that is not stored, or was stored just now beside others.
    pub id: Option<i64>,
    pub key: String,
    pub value: TraitValue,
    pub transient: bool,
}

/// An identity as it is evaluated.
#[derive(Debug, Clone)]
pub struct Identified {
    /// `None` when it is not stored.
    pub id: Option<i64>,
    /// The number its buckets are computed from, where they are not computed from its identifier.
    pub hash_seed: Option<i64>,
    /// What was asked for. Rules see it, and buckets may be computed from it.
    pub identifier: String,
    /// The identifier it is stored under, where a hash is stored in place of it.
    pub kept_as: Option<String>,
    pub traits: Vec<TraitOutput>,
    /// Whether overrides made for this identifier are passed over.
    pub ignores_overrides: bool,
}

/// Creates or finds the identity, stores what is to be stored, and says what it is evaluated with.
///
/// `server_key`: traits from client-side keys may be forbidden, those from server-side keys never are.
pub async fn identify(
    app: &App,
    served: &Arc<Served>,
    server_key: bool,
    input: IdentifyInput,
) -> Result<Identified> {
    let snapshot = served.snapshot();
    let mut traits = last_of_each(input.traits);
    if !server_key && !snapshot.allow_client_traits {
        traits.clear();
    }
    let Some(identifier) = input.identifier else {
        return Ok(anonymous(&traits));
    };
    let guard = snapshot.guard.as_ref();
    let mut kept_as = match guard {
        Some(guard) if input.transient => guard.hash_of("", &identifier),
        Some(guard) => match guard.keep(IDENTIFIER, &identifier)? {
            Cow::Owned(hash) => Some(hash),
            Cow::Borrowed(_) => None,
        },
        None => None,
    };
    let stored = find(app, snapshot.environment_id, &identifier, &mut kept_as).await?;
    if input.transient {
        let traits = overlay(stored.as_deref(), &traits, true);
        return Ok(Identified {
            id: stored.as_ref().map(|s| s.id),
            hash_seed: stored.map(|s| s.hash_seed()),
            identifier,
            kept_as,
            traits,
            ignores_overrides: false,
        });
    }
    let persist = snapshot.persist_trait_data;
    if let Some(guard) = guard.filter(|_| persist) {
        for given in traits.iter_mut().filter(|given| !given.transient) {
            keep_trait(guard, given)?;
        }
    }
    let changes: Vec<(String, TraitChange)> = traits
        .iter()
        .filter(|t| persist && !t.transient)
        .map(change_of)
        .collect();
    let before = stored.as_ref().map(|s| s.traits.clone()).unwrap_or_default();
    let identity = match stored {
        Some(identity) if !identity.traits.would_change(&changes) => identity,
        _ => {
            let name = kept_as.as_deref().unwrap_or(&identifier);
            Arc::new(write(app, snapshot.environment_id, name, changes).await?)
        }
    };
    Ok(Identified {
        identifier,
        kept_as,
        ..answer(&identity, &before, &traits, persist)
    })
}

/// Where the identifier stands that an SDK identifies with.
const IDENTIFIER: Spot<'static> = Spot {
    entrance: Entrance::Identities,
    field: "identifier",
    name: "",
};

/// Leaves of a trait what is to be kept of it.
fn keep_trait(guard: &Guard, given: &mut TraitInput) -> Result<()> {
    if given.value.is_none() {
        if let Some(hash) = guard.hash_of("", &given.key) {
            given.key = hash;
        }
        return Ok(());
    }
    let fields = ("traits.trait_key", "traits.trait_value");
    Ok(guard.keep_trait(Entrance::Identities, fields, &mut given.key, given.value.as_mut())?)
}

/// The stored identity: by its hash, where it is kept by one, or by its identifier, under which it then stays.
async fn find(
    app: &App,
    environment_id: i64,
    identifier: &str,
    kept_as: &mut Option<String>,
) -> Result<Option<Arc<Identity>>> {
    if let Some(hash) = kept_as.as_deref()
        && let Some(found) = find_named(app, environment_id, hash).await?
    {
        return Ok(Some(found));
    }
    let found = find_named(app, environment_id, identifier).await?;
    if found.is_some() {
        *kept_as = None;
    }
    Ok(found)
}

/// The stored identity, from memory if it was asked for just now.
async fn find_named(app: &App, environment_id: i64, identifier: &str) -> Result<Option<Arc<Identity>>> {
    let cache = app.identity_cache();
    if let Some(identity) = cache.get(environment_id, identifier) {
        return Ok(Some(identity));
    }
    let ticket = cache.ticket(environment_id, identifier);
    let found = identities::find_by_identifier(app.db(), environment_id, identifier)
        .await?
        .map(Arc::new);
    if let Some(identity) = &found {
        cache.keep_read(ticket, identity);
    }
    Ok(found)
}

/// Finds the identity, or creates it, without touching its traits.
pub async fn get_or_create(app: &App, served: &Arc<Served>, identifier: String) -> Result<Identified> {
    identify(
        app,
        served,
        true,
        IdentifyInput {
            identifier: Some(identifier),
            ..IdentifyInput::default()
        },
    )
    .await
}

/// An identity that is not stored and of which nothing stored is used.
pub fn unknown(identifier: String) -> Identified {
    Identified {
        id: None,
        hash_seed: None,
        identifier,
        kept_as: None,
        traits: Vec::new(),
        ignores_overrides: true,
    }
}

/// Sets or increments one trait of an identity, which is created when it is not there. Gives the identity, and the key
/// that the trait is kept under.
pub async fn set_one(
    app: &App,
    snapshot: &Snapshot,
    identifier: &str,
    key: &str,
    change: TraitChange,
) -> Result<(Identity, String)> {
    let wanted = IdentityWrite {
        environment_id: snapshot.environment_id,
        identifier: identifier.to_owned(),
        changes: vec![(key.to_owned(), change)],
        overwrite: false,
    };
    let kept = pii::keep_writes(app, snapshot.guard.as_ref(), Entrance::Traits, vec![wanted]).await?;
    let Some(IdentityWrite {
        identifier, changes, ..
    }) = kept.into_iter().next()
    else {
        return Err(Error::Internal("a write was lost".to_owned()));
    };
    let key = changes.last().map(|(key, _)| key.clone()).unwrap_or_default();
    let identity = write(app, snapshot.environment_id, &identifier, changes).await?;
    Ok((identity, key))
}

/// Changes traits of an identity, which is created when it is not there.
async fn write(
    app: &App,
    environment_id: i64,
    identifier: &str,
    changes: Vec<(String, TraitChange)>,
) -> Result<Identity> {
    let write = IdentityWrite {
        environment_id,
        identifier: identifier.to_owned(),
        changes,
        overwrite: false,
    };
    match app.identity_writes().write(write).await? {
        Written::Identity { identity, .. } => Ok(identity),
        Written::Refused(TraitError::NotAnInteger) => {
            Err(Error::Rejected(serde_json::json!(["Trait is not an integer."])))
        }
        Written::Refused(TraitError::TooMany) => {
            let text = format!(
                "An identity may have no more than {} traits.",
                limits::TRAITS_PER_IDENTITY
            );
            Err(Error::field("traits", text))
        }
        Written::NoEnvironment => Err(Error::not_found()),
    }
}

/// A trait's value as Python's `str()` writes it.
fn python_text(value: &TraitValue) -> String {
    burgee_engine::python_text(&serde_json::json!(value))
}

fn change_of(input: &TraitInput) -> (String, TraitChange) {
    let change = input.value.clone().map_or(TraitChange::Remove, TraitChange::Set);
    (input.key.clone(), change)
}

/// Of several traits with one key the last counts, in the place of the first.
fn last_of_each(traits: Vec<TraitInput>) -> Vec<TraitInput> {
    let mut kept: Vec<TraitInput> = Vec::with_capacity(traits.len());
    for input in traits {
        match kept.iter_mut().find(|t| t.key == input.key) {
            Some(earlier) => *earlier = input,
            None => kept.push(input),
        }
    }
    kept
}

/// Somebody without an identifier gets one made of his traits, so that he stays in the same buckets.
fn anonymous(traits: &[TraitInput]) -> Identified {
    let mut pairs: Vec<(&str, String)> = traits
        .iter()
        .filter_map(|t| t.value.as_ref().map(|value| (t.key.as_str(), python_text(value))))
        .collect();
    pairs.sort_by(|a, b| a.0.cmp(b.0));
    let identifier = if pairs.is_empty() {
        Uuid::new_v4().simple().to_string()
    } else {
        let mut hash = Sha256::new();
        for (key, value) in &pairs {
            hash.update(key.as_bytes());
            hash.update(value.as_bytes());
        }
        keys::hex(&hash.finalize())
    };
    Identified {
        id: None,
        hash_seed: None,
        identifier,
        kept_as: None,
        traits: overlay(None, traits, true),
        ignores_overrides: false,
    }
}

/// The stored traits with those of the request laid over them: the request's value stands in the place of the stored
/// one, new ones follow.
fn overlay(stored: Option<&Identity>, request: &[TraitInput], transient: bool) -> Vec<TraitOutput> {
    let mut traits: Vec<TraitOutput> = stored
        .iter()
        .flat_map(|identity| identity.traits.iter().map(|t| stored_trait(identity.id, t)))
        .collect();
    for input in request {
        let place = traits.iter().position(|t| t.key == input.key);
        let Some(value) = input.value.clone() else {
            if let Some(place) = place {
                traits.remove(place);
            }
            continue;
        };
        let output = TraitOutput {
            id: None,
            key: input.key.clone(),
            value,
            transient: transient || input.transient,
        };
        match place {
            Some(place) => traits[place] = output,
            None => traits.push(output),
        }
    }
    traits
}

fn stored_trait(identity_id: i64, stored: &StoredTrait) -> TraitOutput {
    TraitOutput {
        id: Some(stored.id(identity_id)),
        key: stored.key().to_owned(),
        value: stored.value().clone(),
        transient: false,
    }
}

/// The answer after the write: what is stored now, with what was not to be stored laid over it.
fn answer(identity: &Identity, before: &TraitSet, request: &[TraitInput], persist: bool) -> Identified {
    let not_stored: Vec<TraitInput> = request
        .iter()
        .filter(|t| t.transient || !persist)
        .cloned()
        .collect();
    let mut traits = overlay(Some(identity), &not_stored, true);
    if !before.is_empty() {
        // As the reference does: a trait that joins others comes back without its id.
        for output in traits.iter_mut().filter(|t| before.get(&t.key).is_none()) {
            output.id = None;
        }
    }
    Identified {
        id: Some(identity.id),
        hash_seed: Some(identity.hash_seed()),
        identifier: identity.identifier.clone(),
        kept_as: None,
        traits,
        ignores_overrides: false,
    }
}

impl Identified {
    /// A stored identity with its stored traits.
    pub fn stored(identity: &Identity) -> Self {
        Self {
            id: Some(identity.id),
            hash_seed: Some(identity.hash_seed()),
            identifier: identity.identifier.clone(),
            kept_as: None,
            traits: overlay(Some(identity), &[], false),
            ignores_overrides: false,
        }
    }

    /// What the identity's buckets are computed from.
    pub fn hashing_key(&self, snapshot: &Snapshot) -> String {
        snapshot.hashing_key(self.hash_seed, &self.identifier)
    }
}

//! Many identities at once, as syncs send them: written in sets, without an answer for each.

use std::collections::HashMap;

use burgee_model::traits::{TraitChange, TraitError};
use burgee_model::{Timestamp, limits};
use burgee_store::identities::{self, IdentityWrite, Written};

use super::identities::IdentifyInput;
use crate::App;
use crate::error::{Error, Result};
use crate::pii::{self, Entrance};
use crate::served::Snapshot;

/// Identities written in one transaction.
const CHUNK: usize = 1_000;

/// What identities are to have from now on: these traits beside their others, or these and no others.
pub fn identities(environment_id: i64, inputs: Vec<IdentifyInput>, overwrite: bool) -> Vec<IdentityWrite> {
    let write = |input: IdentifyInput| {
        let stored = input.traits.into_iter().filter(|given| !given.transient);
        let change = |value: Option<_>| value.map_or(TraitChange::Remove, TraitChange::Set);
        Some(IdentityWrite {
            environment_id,
            identifier: input.identifier.filter(|_| !input.transient)?,
            changes: stored.map(|given| (given.key, change(given.value))).collect(),
            overwrite,
        })
    };
    inputs.into_iter().filter_map(write).collect()
}

/// The same of traits that name their identities one by one: those of one identity are written together.
pub fn traits(
    environment_id: i64,
    inputs: impl IntoIterator<Item = (String, String, TraitChange)>,
) -> Vec<IdentityWrite> {
    let mut writes: Vec<IdentityWrite> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (identifier, key, change) in inputs {
        let place = *places.entry(identifier).or_insert_with_key(|identifier| {
            writes.push(IdentityWrite {
                environment_id,
                identifier: identifier.clone(),
                changes: Vec::new(),
                overwrite: false,
            });
            writes.len() - 1
        });
        writes[place].changes.push((key, change));
    }
    writes
}

/// Carries out writes, a thousand in a transaction. When one is refused, none of its transaction is done.
pub async fn store(
    app: &App,
    snapshot: &Snapshot,
    entrance: Entrance,
    writes: Vec<IdentityWrite>,
) -> Result<()> {
    let writes = pii::keep_writes(app, snapshot.guard.as_ref(), entrance, writes).await?;
    let cache = app.identity_cache();
    for chunk in writes.chunks(CHUNK) {
        let clears = cache.clears();
        let mut tx = app.db().begin().await?;
        let written = identities::write_all(&mut tx, chunk, Timestamp::now().0).await?;
        for (write, outcome) in chunk.iter().zip(&written) {
            match outcome {
                Written::Identity { .. } => {}
                Written::Refused(TraitError::TooMany) => {
                    let text = format!(
                        "An identity may have no more than {} traits: {}.",
                        limits::TRAITS_PER_IDENTITY,
                        write.identifier
                    );
                    return Err(Error::field("traits", text));
                }
                Written::Refused(TraitError::NotAnInteger) => {
                    return Err(Error::Rejected(serde_json::json!(["Trait is not an integer."])));
                }
                Written::NoEnvironment => return Err(Error::not_found()),
            }
        }
        tx.commit().await?;
        for outcome in &written {
            if let Written::Identity { identity, .. } = outcome {
                cache.keep_written(clears, identity);
            }
        }
    }
    Ok(())
}

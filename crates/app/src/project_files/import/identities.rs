//! Identities, many at once.

use std::borrow::Cow;
use std::collections::HashMap;

use burgee_model::traits::StoredTrait;
use burgee_store::environments::Environment;
use burgee_store::{Tx, edge_identities, transfer};
use serde_json::{Value, json};

use super::Imported;
use crate::Result;
use crate::pii::{Entrance, Guard, Spot};
use crate::project_files::{IdentityLine, Reading, check};

/// Identities written at once.
const PIECE: usize = 500;
/// Stays that are told one by one; of more, only how many there are.
const TOLD: usize = 1000;

/// Leaves of an identity what is to be kept of it; the whole import is refused where the project takes no such thing.
async fn keep(
    tx: &mut Tx,
    guard: &Guard,
    environment: Option<&Environment>,
    line: &mut IdentityLine,
) -> Result<()> {
    let spot = Spot {
        entrance: Entrance::Imports,
        field: "identities",
        name: "",
    };
    if let Some(environment) = environment
        && let Cow::Owned(hash) = guard.keep(spot, &line.identifier)?
        && edge_identities::find_named(tx, environment.id, &line.identifier)
            .await?
            .is_none()
    {
        line.identifier = hash;
    }
    if let Some(alias) = &mut line.alias {
        *alias = guard.keep(spot, alias)?.into_owned();
    }
    let fields = ("identities", "identities");
    let mut kept = Vec::new();
    for stored in &line.traits {
        let StoredTrait(place, mut key, mut value, created_at) = stored.clone();
        guard.keep_trait(Entrance::Imports, fields, &mut key, Some(&mut value))?;
        kept.push(StoredTrait(place, key, value, created_at));
    }
    line.traits = kept.into_iter().collect();
    Ok(())
}

/// Reads identities from the file and writes them, a piece at a time.
pub(super) async fn write_identities(
    tx: &mut Tx,
    reading: &mut Reading,
    environments: &HashMap<String, Environment>,
    guard: Option<&Guard>,
    imported: &mut Imported,
) -> Result<i64> {
    let (mut taken, mut untold) = (0, 0);
    loop {
        let lines = reading.identities(PIECE)?;
        if lines.is_empty() {
            break;
        }
        let mut by_environment: HashMap<i64, Vec<Value>> = HashMap::new();
        for mut line in lines {
            if let Some(guard) = guard {
                keep(tx, guard, environments.get(&line.environment), &mut line).await?;
            }
            let environment = environments.get(&line.environment);
            let problem = match (environment, check::identity_problem(&line)) {
                (None, _) => Some("there is no such environment in the file"),
                (_, problem) => problem,
            };
            if let Some(why) = problem {
                if imported.not_taken.len() < TOLD {
                    let what = format!(
                        "identity {:?} of environment {:?}",
                        line.identifier, line.environment
                    );
                    imported.miss(what, why);
                } else {
                    untold += 1;
                }
                continue;
            }
            let Some(environment) = environment else { continue };
            let row = json!([
                line.id,
                line.identifier,
                line.traits.to_text(),
                line.created_at,
                line.alias,
                line.seed.unwrap_or(line.id)
            ]);
            by_environment.entry(environment.id).or_default().push(row);
            taken += 1;
        }
        for (environment_id, rows) in by_environment {
            let rows = Value::Array(rows).to_string();
            transfer::keep_identities(tx, environment_id, &rows).await?;
            transfer::put_identities(tx, environment_id, &rows).await?;
        }
    }
    if untold > 0 {
        imported.miss(format!("{untold} further identities"), "for reasons like these");
    }
    if taken > 0 {
        imported.created.push(("identities", taken));
        transfer::catch_up_numbers(tx).await?;
    }
    Ok(taken)
}

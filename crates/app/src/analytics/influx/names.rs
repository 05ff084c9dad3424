//! The names that counts carry in InfluxDB: of environments, and of what they are in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burgee_store::usage::{self, Place};
use burgee_store::{Db, organisations};

use crate::Result;

/// How long a new name may stay unseen.
const FRESH: Duration = Duration::from_mins(5);

type Places = Arc<HashMap<i64, Place>>;

/// The names as they were read last.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Option<(Instant, Places)>>);

impl Names {
    /// The names of these environments; read anew when they are old, or when one of them is not among them.
    pub(super) async fn of(&self, own: &Db, environment_ids: &[i64]) -> Result<Places> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, places)) = &known
            && read_at.elapsed() < FRESH
            && environment_ids.iter().all(|id| places.contains_key(id))
        {
            return Ok(Arc::clone(places));
        }
        match (read(own).await, known) {
            (Ok(places), _) => {
                let places = Arc::new(places);
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now(), Arc::clone(&places)));
                Ok(places)
            }
            // Old names are better than no counts while the database is away.
            (Err(_), Some((_, places))) => Ok(places),
            (Err(error), None) => Err(error),
        }
    }
}

async fn read(own: &Db) -> Result<HashMap<i64, Place>> {
    let mut tx = own.read().await?;
    let organisations = organisations::all(&mut tx).await?;
    let ids: Vec<i64> = organisations
        .into_iter()
        .map(|organisation| organisation.id)
        .collect();
    let places = usage::places(&mut tx, &ids).await?;
    Ok(places
        .into_iter()
        .map(|place| (place.environment_id, place))
        .collect())
}

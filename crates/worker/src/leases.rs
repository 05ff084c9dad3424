//! Which schedules this node carries out: those whose leases it holds.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use burgee_app::{App, leases};
use uuid::Uuid;

use crate::schedule::SCHEDULES;

/// How often leases are renewed, or asked for; a lease holds for several of these.
const RENEW: Duration = Duration::from_secs(3);
/// For how long after its renewal a lease counts as held: less than it holds, because clocks and answers take their time.
const COUNTS: Duration = Duration::from_secs(8);

/// The leases of this node.
#[derive(Debug)]
pub(crate) struct Leases {
    holder: String,
    held: Mutex<(HashSet<String>, Option<Instant>)>,
}

impl Leases {
    pub(crate) fn new() -> Self {
        Self {
            holder: Uuid::new_v4().to_string(),
            held: Mutex::default(),
        }
    }

    /// Whether this node carries out a schedule now.
    pub(crate) fn holds(&self, name: &str) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.1.is_some_and(|since| since.elapsed() < COUNTS) && held.0.contains(name)
    }

    /// Renews the leases until the app is closing, and gives them back then.
    pub(crate) async fn keep(self: std::sync::Arc<Self>, app: App) {
        let names: Vec<&str> = SCHEDULES.iter().map(|schedule| schedule.name).collect();
        let mut closing = app.closing();
        loop {
            let asked = Instant::now();
            match leases::take(&app, &names, &self.holder).await {
                Ok(held) => {
                    let mut place = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                    *place = (held.into_iter().collect(), Some(asked));
                    metrics::gauge!("burgee_leases_held").set(place.0.len() as f64);
                }
                Err(error) => tracing::debug!(%error, "the leases can't be renewed"),
            }
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => break,
                () = tokio::time::sleep(RENEW) => {}
            }
        }
        if let Err(error) = leases::release(&app, &self.holder).await {
            tracing::debug!(%error, "the leases can't be given back; they run out");
        }
    }
}

//! Reading the change log on, and adding the tasks that follow from it.

use std::panic::AssertUnwindSafe;

use burgee_app::{App, Error, deliveries};
use futures_util::FutureExt as _;

/// Reads on whenever something may be new, until the app is closing.
pub(crate) async fn keep(app: App) {
    let mut closing = app.closing();
    let mut stirred = app.stirred();
    let mut failing = false;
    loop {
        let outcome = AssertUnwindSafe(deliveries::read_on(&app)).catch_unwind().await;
        match outcome.unwrap_or_else(|_| Err(Error::Internal("reading the change log panicked".to_owned()))) {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("deliveries follow the change log again");
            }
            Ok(()) => {}
            Err(error) if failing => tracing::debug!(%error, "deliveries still don't follow the change log"),
            Err(error) => {
                failing = true;
                tracing::warn!(%error, "deliveries don't follow the change log; it will be tried again");
            }
        }
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            changed = stirred.changed() => if changed.is_err() { return },
        }
    }
}

//! Background watches of a node: other nodes' changes, and counts that wait to be stored.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use burgee_store::changes::Listener;
use futures_util::FutureExt;

use crate::integrations::identities;
use crate::sdk::analytics;
use crate::{App, Error, measures};

/// How long a change of another node may stay unseen when the database did not tell.
const POLL: Duration = Duration::from_secs(1);

/// How often counts of API calls are stored.
const FLUSH: Duration = Duration::from_secs(10);

/// Starts the watches. They end when the last other handle of the app is gone or the app is closing.
pub(crate) fn start(app: &App) {
    tokio::spawn(follow_changes(app.clone()));
    tokio::spawn(store_counts(app.clone()));
    tokio::spawn(identities::keep(app.clone()));
    tokio::spawn(see_integrations(app.clone()));
    tokio::spawn(measures::keep(app.clone()));
}

/// Serves what other nodes, or other processes on the same file, have changed.
async fn follow_changes(app: App) {
    let mut closing = app.closing();
    let mut listener = Listener::new(app.db());
    let mut failing = false;
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = listener.wait(POLL) => {}
        }
        app.stir();
        // A fault in compiling one change must not stop this node from seeing the next ones.
        let caught_up = AssertUnwindSafe(app.environments().catch_up(app.db()))
            .catch_unwind()
            .await;
        match caught_up.unwrap_or_else(|_| Err(Error::Internal("catching up panicked".to_owned()))) {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("following the change log again");
            }
            Ok(()) => {}
            Err(error) if failing => tracing::debug!(%error, "the change log can't be read"),
            Err(error) => {
                failing = true;
                tracing::warn!(%error, "the change log can't be read; serving what is in memory");
            }
        }
    }
}

/// Stores counts as they come in.
async fn store_counts(app: App) {
    let mut closing = app.closing();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(FLUSH) => {}
        }
        if let Err(error) = analytics::flush_usage(&app).await {
            tracing::warn!(%error, "counts of API calls are not stored yet");
        }
        if let Err(error) = crate::pii::flush(&app).await {
            tracing::warn!(%error, "findings of personal data are not stored yet");
        }
    }
}

/// Sees which integrations other nodes have set up.
async fn see_integrations(app: App) {
    let mut closing = app.closing();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(identities::REFRESH) => {}
        }
        if let Err(error) = identities::refresh(&app).await {
            tracing::debug!(%error, "the integrations can't be read");
        }
    }
}

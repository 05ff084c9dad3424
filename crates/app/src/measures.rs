//! What a node says of itself every few seconds, beside what is counted where it happens.

use std::time::Duration;

use crate::App;

/// How often.
const EVERY: Duration = Duration::from_secs(5);

/// Says it until the app is closing.
pub(crate) async fn keep(app: App) {
    let mut closing = app.closing();
    loop {
        measure(&app);
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn measure(app: &App) {
    let connections = app.db().connections();
    let used = connections.open.saturating_sub(connections.idle);
    metrics::gauge!("burgee_database_connections", "state" => "used").set(f64::from(used));
    metrics::gauge!("burgee_database_connections", "state" => "idle").set(f64::from(connections.idle));
    metrics::gauge!("burgee_database_connections_max").set(f64::from(connections.most));
    metrics::gauge!("burgee_writes_waiting").set(app.waiting_writes() as f64);
    metrics::gauge!("burgee_environments_served").set(app.environments().all().len() as f64);
    metrics::gauge!("burgee_changes_lag_seconds").set(app.environments().lag().as_secs_f64());
}

//! Background work: what happens at its time and not because of a request.
//!
//! [`schedule`] is the readable table of it. The acts themselves are those of `app`, and each is safe to run on every
//! node at once: it looks, inside its own transaction, whether there is still something to do.
//!
//! To add a recurring act: a function in its noun's file of `app` that takes the app, and one line in the table.

pub mod schedule;

use burgee_app::App;

/// Starts the background work of this node. It ends when the app is closing.
pub fn start(app: &App) {
    for schedule in schedule::SCHEDULES {
        tokio::spawn(schedule::keep(schedule, app.clone()));
    }
}

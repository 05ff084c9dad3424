//! Background work: what happens at its time, or because of a change, and not within a request.
//!
//! * [`schedule`] is the readable table of what recurs; each is carried out by the node that holds its lease.
//! * [`queue`] does the tasks of the task queue, and has the readable table of their kinds.
//! * `reader` reads the change log on and adds the tasks that follow from it.
//!
//! The acts themselves are those of `app`, and each is safe to run on every node at once: it looks, inside its own
//! transaction, whether there is still something to do.
//!
//! To add a recurring act: a function in its noun's file of `app` that takes the app, and one line in the table.

mod leases;
pub mod queue;
mod reader;
pub mod schedule;

use std::sync::Arc;

use burgee_app::App;
use tokio::task::JoinSet;

use leases::Leases;

/// The target of spans that become traces, where those are collected; no log line has it.
pub const TRACE: &str = "burgee::trace";

/// How many tasks a node does at once, unless set otherwise.
pub const CONCURRENCY: usize = 16;

/// The background work of this node.
#[derive(Debug)]
pub struct Worker {
    running: JoinSet<()>,
}

/// Starts the background work of this node. It ends when the app is closing; see [`Worker::end`].
pub fn start(app: &App, concurrency: usize) -> Worker {
    let mut running = JoinSet::new();
    let leases = Arc::new(Leases::new());
    running.spawn(Arc::clone(&leases).keep(app.clone()));
    for schedule in schedule::SCHEDULES {
        running.spawn(schedule::keep(schedule, app.clone(), Arc::clone(&leases)));
    }
    running.spawn(reader::keep(app.clone()));
    running.spawn(queue::keep(app.clone(), queue::KINDS, concurrency));
    Worker { running }
}

impl Worker {
    /// Returns when everything that was begun is done. To be called when the app is closing.
    pub async fn end(mut self) {
        while self.running.join_next().await.is_some() {}
    }
}

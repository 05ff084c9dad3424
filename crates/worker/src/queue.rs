//! Doing the tasks of the queue.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use burgee_app::tasks::{self, Failure, Outcome, PATIENCE, Settled, Task};
use burgee_app::{App, Result, integrations, trackers, webhooks};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::TRACE;

/// How often the queue is looked at when nobody says that there is something.
const LOOK: Duration = Duration::from_secs(1);

/// One kind of task.
#[derive(Debug)]
pub struct Kind {
    /// As the tasks name it.
    pub name: &'static str,
    /// The act. It may be run more than once for a task.
    pub run: fn(App, Task) -> BoxFuture<'static, Outcome>,
    /// What is done once the task was given up, or dropped because its lane was full.
    pub given_up: fn(App, Task) -> BoxFuture<'static, Result<()>>,
}

/// Every kind there is.
pub const KINDS: &[Kind] = &[
    Kind {
        name: webhooks::TASK,
        run: |app, task| Box::pin(async move { webhooks::deliver(&app, &task).await }),
        given_up: |app, task| Box::pin(async move { webhooks::give_up(&app, &task).await }),
    },
    Kind {
        name: integrations::changes::TASK,
        run: |app, task| Box::pin(async move { integrations::changes::deliver(&app, &task).await }),
        given_up: |_, _| Box::pin(async { Ok(()) }),
    },
    Kind {
        name: trackers::TASK,
        run: |app, task| Box::pin(async move { trackers::run(&app, &task).await }),
        given_up: |_, _| Box::pin(async { Ok(()) }),
    },
];

/// Does tasks until the app is closing, then finishes those it has begun.
pub(crate) async fn keep(app: App, kinds: &'static [Kind], concurrency: usize) {
    let mut closing = app.closing();
    let mut stirred = app.stirred();
    let mut running = JoinSet::new();
    let mut failing = false;
    while !*closing.borrow_and_update() {
        let free = concurrency.saturating_sub(running.len());
        let claimed = match tasks::claim(&app, free).await {
            Ok(claimed) => {
                failing = false;
                claimed
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the task queue can't be read; it will be tried again");
                }
                failing = true;
                Vec::new()
            }
        };
        let none = claimed.is_empty();
        for task in claimed {
            running.spawn(run(app.clone(), kinds, task));
        }
        if none {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => break,
                // The end of one makes room for the next of its lane.
                _ = running.join_next(), if !running.is_empty() => {}
                _ = stirred.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
}

/// Does everything that is due now, one after another, and returns how many there were. For tests and single runs.
pub async fn run_due(app: &App, kinds: &'static [Kind]) -> Result<usize> {
    let mut done = 0;
    loop {
        let claimed = tasks::claim(app, crate::CONCURRENCY).await?;
        if claimed.is_empty() {
            return Ok(done);
        }
        for task in claimed {
            run(app.clone(), kinds, task).await;
            done += 1;
        }
    }
}

/// Runs one task and writes down how it ended.
async fn run(app: App, kinds: &'static [Kind], task: Task) {
    let began = Instant::now();
    let kind = kinds.iter().find(|kind| kind.name == task.kind);
    let name = kind.map_or("unknown", |kind| kind.name);
    let span = tracing::info_span!(
        target: TRACE,
        "task",
        otel.name = %format_args!("task {name}"),
        otel.kind = "consumer",
        otel.status_code = tracing::field::Empty,
        task.kind = name,
        task.uuid = task.uuid,
        task.attempts = task.attempts,
        task.outcome = tracing::field::Empty,
    );
    let outcome = match kind {
        // Another version of the program may know it.
        None => Err(Failure::later("this version knows no such kind of task")),
        Some(kind) => {
            attempt(kind, app.clone(), task.clone())
                .instrument(span.clone())
                .await
        }
    };
    let settled = tasks::settle(&app, &task, outcome).await;
    let label = match &settled {
        Ok(Settled::Done) => "done",
        Ok(Settled::Again) => "again",
        Ok(Settled::Dead) => "dead",
        Err(_) => "unknown",
    };
    span.record("task.outcome", label);
    if label != "done" {
        span.record("otel.status_code", "ERROR");
    }
    metrics::counter!("burgee_tasks_total", "kind" => name, "outcome" => label).increment(1);
    metrics::histogram!("burgee_task_seconds", "kind" => name).record(began.elapsed().as_secs_f64());
    match (settled, kind) {
        (Ok(Settled::Dead), Some(kind)) => {
            give_up(&app, kind, task).await;
        }
        // Its claim runs out, and it is done again.
        (Err(error), _) => tracing::warn!(%error, task = task.uuid, "how a task ended was not written down"),
        _ => {}
    }
}

async fn give_up(app: &App, kind: &Kind, task: Task) {
    if let Err(error) = (kind.given_up)(app.clone(), task).await {
        tracing::warn!(%error, kind = kind.name, "nobody was told that a task was given up");
    }
}

/// Drops the oldest tasks of every lane that holds more than so many, and counts them. How many there were.
pub async fn drop_overflow(app: &App, kinds: &'static [Kind], most: i64) -> Result<usize> {
    let dropped = tasks::drop_overflow(app, most).await?;
    let count = dropped.len();
    for task in dropped {
        let kind = kinds.iter().find(|kind| kind.name == task.kind);
        let name = kind.map_or("unknown", |kind| kind.name);
        metrics::counter!("burgee_tasks_total", "kind" => name, "outcome" => "dropped").increment(1);
        if let Some(kind) = kind {
            give_up(app, kind, task).await;
        }
    }
    if count > 0 {
        tracing::error!(
            count,
            "the oldest tasks of receivers with {most} waiting were dropped"
        );
    }
    Ok(count)
}

async fn attempt(kind: &Kind, app: App, task: Task) -> Outcome {
    let work = AssertUnwindSafe((kind.run)(app, task)).catch_unwind();
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Failure::later("it panicked")),
        Err(_) => Err(Failure::away("it took too long")),
    }
}

/// Tells Prometheus how long the queue is.
pub(crate) async fn measure(app: &App) -> Result<()> {
    let counts = tasks::counts(app).await?;
    let now = burgee_model::Timestamp::now().0;
    let late = counts.oldest_due_at.map_or(0, |due| (now - due).max(0));
    metrics::gauge!("burgee_tasks_waiting").set(counts.waiting as f64);
    metrics::gauge!("burgee_tasks_dead").set(counts.dead as f64);
    metrics::gauge!("burgee_tasks_late_seconds").set(late as f64 / 1e6);
    Ok(())
}

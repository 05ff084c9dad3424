//! What runs again and again, and how often.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use burgee_app::{App, Error, Result};
use burgee_model::Timestamp;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::leases::Leases;
use crate::queue;

/// One act that is due again and again.
#[derive(Debug)]
pub struct Schedule {
    /// For logs.
    pub name: &'static str,
    /// The time between two runs, and so the most that the act is late.
    pub every: Duration,
    /// Whether every node does it, and not the one alone that holds the lease: what concerns the node itself.
    pub on_every_node: bool,
    /// The act. It may run on two nodes at once, when a lease changes hands, and must find out in its own transaction
    /// what is left to do.
    pub run: fn(App) -> BoxFuture<'static, Result<()>>,
}

/// Everything that recurs.
pub const SCHEDULES: &[Schedule] = &[
    Schedule {
        name: "take scheduled changes live",
        every: Duration::from_secs(1),
        on_every_node: false,
        run: |app| {
            Box::pin(async move { burgee_app::scheduled_changes::go_live(&app, Timestamp::now()).await })
        },
    },
    Schedule {
        name: "forget old counts",
        every: Duration::from_hours(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::sdk::analytics::forget_old(&app).await }),
    },
    Schedule {
        // They are done right after they were asked for; this finds those a process that ended left undone.
        name: "finish exports and imports of features",
        every: Duration::from_secs(30),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::feature_exports::process(&app).await }),
    },
    Schedule {
        name: "import from LaunchDarkly",
        every: Duration::from_secs(5),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::launch_darkly::process(&app).await }),
    },
    Schedule {
        name: "keep lists of members compact",
        every: Duration::from_mins(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::list_segments::fold::tidy(&app).await }),
    },
    Schedule {
        name: "mark stale features",
        every: Duration::from_hours(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::feature_lifecycle::mark_stale(&app).await }),
    },
    Schedule {
        name: "move features on in release pipelines",
        every: Duration::from_secs(2),
        on_every_node: false,
        run: |app| {
            Box::pin(async move { burgee_app::release_pipelines::advance(&app, Timestamp::now()).await })
        },
    },
    Schedule {
        name: "run audience syncs that are due",
        every: Duration::from_secs(1),
        // Each node runs as many as it has room for.
        on_every_node: true,
        run: |app| Box::pin(async move { burgee_app::audience_syncs::schedules::run_due(&app).await }),
    },
    Schedule {
        name: "forget ended sessions",
        every: Duration::from_hours(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::sessions::forget_old(&app).await }),
    },
    Schedule {
        name: "deliver mail",
        every: Duration::from_secs(2),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::mail::deliver(&app).await }),
    },
    Schedule {
        name: "add up counts of calls and evaluations",
        every: Duration::from_mins(5),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::usage::add_up(&app, Timestamp::now()).await }),
    },
    Schedule {
        name: "forget old sums of counts",
        every: Duration::from_hours(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::usage::forget_old(&app).await }),
    },
    Schedule {
        name: "warn of many calls",
        every: Duration::from_mins(15),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::usage::warn(&app).await }),
    },
    Schedule {
        name: "send telemetry",
        every: Duration::from_hours(8),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::telemetry::send(&app).await }),
    },
    Schedule {
        name: "forget old dead letters",
        every: Duration::from_hours(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::tasks::forget_old(&app).await }),
    },
    Schedule {
        name: "drop the oldest tasks of full lanes",
        every: Duration::from_mins(1),
        on_every_node: false,
        run: |app| {
            Box::pin(async move {
                queue::drop_overflow(&app, queue::KINDS, burgee_app::tasks::LANE_TASKS).await?;
                Ok(())
            })
        },
    },
    Schedule {
        name: "forget old webhook deliveries",
        every: Duration::from_hours(1),
        on_every_node: false,
        run: |app| Box::pin(async move { burgee_app::webhooks::forget_old(&app).await }),
    },
    Schedule {
        name: "measure the task queue",
        every: Duration::from_secs(10),
        on_every_node: true,
        run: |app| Box::pin(async move { queue::measure(&app).await }),
    },
];

/// How often a node looks whether it has become the one that carries out a schedule.
const WAIT_FOR_LEASE: Duration = Duration::from_millis(500);

/// Runs one schedule until the app is closing, first at once: what came due while no node was up is made good.
pub(crate) async fn keep(schedule: &'static Schedule, app: App, leases: Arc<Leases>) {
    let mut closing = app.closing();
    let mut failing = false;
    loop {
        if !schedule.on_every_node && !leases.holds(schedule.name) {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return,
                () = tokio::time::sleep(WAIT_FOR_LEASE) => continue,
            }
        }
        // A fault in one round must not keep the next ones from running.
        let outcome = AssertUnwindSafe((schedule.run)(app.clone())).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Err(Error::Internal(format!("{} panicked", schedule.name))));
        let label = if outcome.is_ok() { "done" } else { "failed" };
        metrics::counter!("burgee_schedule_runs_total", "schedule" => schedule.name, "outcome" => label)
            .increment(1);
        match outcome {
            Ok(()) if failing => {
                failing = false;
                tracing::info!(schedule = schedule.name, "runs again");
            }
            Ok(()) => {}
            Err(error) if failing => tracing::debug!(%error, schedule = schedule.name, "still fails"),
            Err(error) => {
                failing = true;
                tracing::warn!(%error, schedule = schedule.name, "failed; it will be tried again");
            }
        }
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(schedule.every) => {}
        }
    }
}

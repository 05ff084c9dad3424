//! Stopping: the signal everyone watches, and what is written down last.

use std::{pin::Pin, time::Duration};

use tokio::{sync::watch, time::Instant};

/// Becomes `true` once, when Burgee is to stop. Long-lived answers (event streams) watch it and end.
pub type Stopping = watch::Receiver<bool>;

/// The part of the grace period that the hooks get even if requests use up all of theirs.
const HOOKS_SHARE: u32 = 5;

/// Watches for SIGTERM and SIGINT (Ctrl-C). The first makes [`Stopping`] true; a second ends the process at once.
pub fn watch_signals() -> std::io::Result<Stopping> {
    let (stop, stopping) = watch::channel(false);
    let mut signals = Signals::listen()?;
    tokio::spawn(async move {
        let name = signals.next().await;
        tracing::info!("{name}: stopping; once more ends at once");
        stop.send_replace(true);
        let name = signals.next().await;
        tracing::warn!("{name} again: ending at once");
        std::process::exit(1);
    });
    Ok(stopping)
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix one can fail")]
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        // Without a signal to wait for, wait for ever rather than stop at once.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}

/// The time there is for stopping, from the signal on.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// When requests that still run are cut off.
    pub requests: Instant,
    /// When hooks that still run are cut off and the process ends.
    pub end: Instant,
}

impl Deadline {
    /// The deadline of a grace period that begins now. The last fifth of it is kept for the hooks.
    pub fn within(grace: Duration) -> Self {
        let now = Instant::now();
        Self {
            requests: now + grace.saturating_sub(grace / HOOKS_SHARE),
            end: now + grace,
        }
    }
}

/// What is done last, after the last request: counts written, connections closed. In the order added.
#[derive(Default)]
pub struct Hooks(Vec<Hook>);

struct Hook {
    name: &'static str,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Hooks {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds work to be done after the last request and after the hooks added before. `name` says in the log what was cut off.
    pub fn add(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let work = Box::pin(work);
        self.0.push(Hook { name, work });
    }

    /// Does the work, until the deadline. One that panics does not keep the others from theirs. Returns whether all was done.
    pub async fn run(self, deadline: Instant) -> bool {
        let mut done = true;
        for Hook { name, work } in self.0 {
            let task = tokio::spawn(work);
            let abort = task.abort_handle();
            match tokio::time::timeout_at(deadline, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    done = false;
                    tracing::error!("stopping: {name} failed: {error}");
                }
                Err(_) => {
                    done = false;
                    abort.abort();
                    tracing::error!("stopping: no time left for {name}");
                }
            }
        }
        done
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|hook| hook.name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn hooks_run_in_order_and_a_panic_stops_none() {
        let ran = Arc::new(Mutex::new(Vec::new()));
        let mut hooks = Hooks::new();
        for name in ["first", "second", "third"] {
            let ran = Arc::clone(&ran);
            hooks.add(name, async move {
                ran.lock().unwrap().push(name);
                assert!(name != "second", "on purpose");
            });
        }
        let done = hooks.run(Instant::now() + Duration::from_secs(5)).await;
        assert!(!done);
        assert_eq!(*ran.lock().unwrap(), ["first", "second", "third"]);
    }

    #[tokio::test]
    async fn a_hook_that_hangs_is_cut_off_at_the_deadline() {
        let mut hooks = Hooks::new();
        hooks.add("for ever", std::future::pending());
        let began = Instant::now();
        assert!(!hooks.run(began + Duration::from_millis(100)).await);
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn the_hooks_keep_a_share_of_the_grace_period() {
        let deadline = Deadline::within(Duration::from_secs(10));
        assert_eq!(deadline.end - deadline.requests, Duration::from_secs(2));
    }
}

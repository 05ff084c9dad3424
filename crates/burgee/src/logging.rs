//! Logs, on standard error: a line of text for people or a JSON object for machines.
//!
//! What is logged names ids and routes, never e-mail addresses, identifiers, traits, keys or addresses of callers.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter, Layer, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    config::{LogFormat, LogLevel, Logging},
    traces::{TRACE, Traces},
};

/// The target of the line per request.
pub const ACCESS: &str = "access";

/// The target of the span of a request, which gives the lines within it the request's id.
pub const REQUEST: &str = "burgee::request";

/// Starts logging for the whole process, panics included, and hands spans to `traces`. Does nothing when logging was
/// started before.
pub fn start(settings: &Logging, traces: Option<&Traces>) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_ansi(colours).boxed()
        }
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
    };
    // An error here means that a subscriber is set already: in tests, by another test.
    let _already_set = tracing_subscriber::registry()
        .with(lines.with_filter(filter(&settings.level)))
        .with(traces.map(Traces::layer))
        .try_init();
    std::panic::set_hook(Box::new(log_panic));
}

/// The filter for a level. The lines per request have a switch of their own and come through at any level; so do the spans of
/// requests, which are no lines. Those of traces are for others.
fn filter(level: &LogLevel) -> EnvFilter {
    let level = level.directives();
    EnvFilter::builder().parse_lossy(format!("{ACCESS}=info,{REQUEST}=info,{TRACE}=off,{level}"))
}

/// A panic as one log line, so that it is found where the other lines are.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("(no message)");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panic: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_becomes_a_filter() {
        let level = LogLevel::try_from("WARNING,burgee_store=debug".to_owned()).unwrap();
        let filter = filter(&level).to_string();
        assert!(filter.contains("burgee_store=debug"), "{filter}");
        assert!(filter.contains("warn"), "{filter}");
        assert!(filter.contains("access=info"), "{filter}");
    }
}

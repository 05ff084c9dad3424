//! Logs, on standard error: a line of text for people or a JSON object for machines.
//!
//! What is logged names ids and routes, never e-mail addresses, identifiers, traits, keys or addresses of callers.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogLevel, Logging};

/// The target of the line per request.
pub const ACCESS: &str = "access";

/// Starts logging for the whole process, panics included. Does nothing when logging was started before.
pub fn start(settings: &Logging) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.level))
        .with_writer(std::io::stderr);
    // An error here means that a subscriber is set already: in tests, by another test.
    let _already_set = match settings.format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colours).try_init()
        }
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
    std::panic::set_hook(Box::new(log_panic));
}

/// The filter for a level. The lines per request have a switch of their own and come through at any level.
fn filter(level: &LogLevel) -> EnvFilter {
    EnvFilter::builder().parse_lossy(format!("{ACCESS}=info,{}", level.directives()))
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

//! `[logging]`: what is logged and how it looks.

use serde::Deserialize;

/// Flagsmith's names for settings of this section. `ACCESS_LOG_LOCATION` is read in `environment.rs`: it names a file.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] =
    &[("logging.level", "LOG_LEVEL"), ("logging.format", "LOG_FORMAT")];

/// What is logged and how it looks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// From which level on, for all of Burgee or for parts of it.
    pub level: LogLevel,
    /// One line of text, or one JSON object per line.
    pub format: LogFormat,
    /// One line per request: method, route, status, time. Never an identifier or an address.
    pub access: bool,
}

/// `info`, or a list such as `info,burgee_store=debug`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LogLevel(String);

impl LogLevel {
    /// The level as `tracing` filter directives.
    pub fn directives(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogLevel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let directives: Option<Vec<String>> = text.split(',').map(|part| directive(part.trim())).collect();
        match directives {
            Some(directives) => Ok(Self(directives.join(","))),
            None => Err(format!(
                "must be error, warn, info, debug, trace or off, or levels of parts such as info,burgee_store=debug, \
                 not {text:?}"
            )),
        }
    }
}

/// One directive, with Python's level names turned into ours.
fn directive(text: &str) -> Option<String> {
    if let Some((part, level_name)) = text.split_once('=') {
        let is_module = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        if part.is_empty() || !part.chars().all(is_module) {
            return None;
        }
        return Some(format!("{part}={}", level(level_name)?));
    }
    level(text).map(str::to_owned)
}

fn level(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "critical" | "fatal" | "error" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" | "notset" => "trace",
        "off" => "off",
        _ => return None,
    })
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object per line.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            // `generic` is Flagsmith's name for text.
            "text" | "generic" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("must be text or json, not {text:?}")),
        }
    }
}

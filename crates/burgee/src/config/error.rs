//! What is wrong with a setting, in one line.

use std::fmt;

use super::layers::Source;

/// A setting that stops the start: its name, where its value came from and what is allowed instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// `section.key`, or what else could not be read ("the configuration file").
    pub setting: String,
    /// Where the value came from.
    pub source: Source,
    /// What is allowed, or what failed. Never holds a secret.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(setting: impl Into<String>, source: Source, problem: impl Into<String>) -> Self {
        Self {
            setting: setting.into(),
            source,
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (from {}): {}", self.setting, self.source, self.problem)
    }
}

impl std::error::Error for ConfigError {}

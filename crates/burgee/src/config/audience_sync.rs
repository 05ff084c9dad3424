//! `[audience_sync]`: what audience syncs may use of this machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What audience syncs may use of this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceSync {
    /// The folder with files and SQLite databases for those of the server; empty: none.
    pub folder: PathBuf,
    drivers: PathBuf,
}

impl AudienceSync {
    /// The folder, if one is set.
    pub fn folder(&self) -> Option<PathBuf> {
        (!self.folder.as_os_str().is_empty()).then(|| self.folder.clone())
    }

    /// The folder that drivers for ADBC are loaded from.
    pub fn drivers(&self) -> Option<&Path> {
        Some(self.drivers.as_path()).filter(|folder| !folder.as_os_str().is_empty())
    }
}

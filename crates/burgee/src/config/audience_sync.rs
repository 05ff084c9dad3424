//! `[audience_sync]`: what audience syncs of the server may read.

use std::path::PathBuf;

use serde::Deserialize;

/// What audience syncs of the server may read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceSync {
    /// The folder with their files and SQLite databases; empty: none.
    pub folder: PathBuf,
}

impl AudienceSync {
    /// The folder, if one is set.
    pub fn folder(&self) -> Option<PathBuf> {
        (!self.folder.as_os_str().is_empty()).then(|| self.folder.clone())
    }
}

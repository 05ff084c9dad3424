//! Whose words a document is made of, and so what it may refer to.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::refs;
use crate::error::{Result, SyncError};
use crate::source::adbc::{self, Extractor};

/// Where a document comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Files of whoever runs the program: they may refer to its variables and files, and reach its network.
    Operator {
        /// The folder that each source's paths are relative to.
        homes: BTreeMap<String, PathBuf>,
        drivers: Drivers,
    },
    /// Somebody who uses a server that others run: nothing of the machine is within reach but a folder made for it.
    Tenant {
        /// Where files and SQLite databases lie; `None`: there are none.
        folder: Option<PathBuf>,
        /// Whether databases in private networks are out of reach.
        public_only: bool,
    },
}

/// What is known of drivers for ADBC on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drivers {
    /// The folder that they are loaded from.
    pub folder: Option<PathBuf>,
    /// What to start in order to have one in a process of its own.
    pub extractor: Extractor,
}

impl Origin {
    /// A driver by its name, and what has it in a process of its own. Drivers read files and reach networks at will.
    pub(super) fn driver(&self, name: &str) -> Result<(PathBuf, Extractor)> {
        match self {
            Self::Operator { drivers, .. } => {
                let library = adbc::find(drivers.folder.as_deref(), name)?;
                Ok((library, drivers.extractor.clone()))
            }
            Self::Tenant { .. } => {
                let problem = "drivers are for files of the operator";
                Err(SyncError::config("driver", problem))
            }
        }
    }

    /// A text with its references resolved.
    pub(super) fn text(&self, setting: &str, text: &str) -> Result<String> {
        match self {
            Self::Operator { .. } => refs::resolve(setting, text),
            Self::Tenant { .. } if text.contains("${") => {
                let problem = "references to variables and files belong in files of the operator; give the value itself";
                Err(SyncError::config(setting, problem))
            }
            Self::Tenant { .. } => Ok(text.to_owned()),
        }
    }

    /// Where a file or folder of a source is.
    pub(super) fn path(&self, source: &str, setting: &str, text: &str) -> Result<PathBuf> {
        let text = self.text(setting, text)?;
        match self {
            Self::Operator { homes, .. } => Ok(homes
                .get(source)
                .map_or(Path::new("."), PathBuf::as_path)
                .join(text)),
            Self::Tenant { folder: None, .. } => {
                let problem = "this server has no folder for files; its operator can set one";
                Err(SyncError::config(setting, problem))
            }
            Self::Tenant {
                folder: Some(folder), ..
            } => Ok(folder.join(inside(setting, &text)?)),
        }
    }

    /// The name of a file in the folder of its source.
    pub(super) fn file_name(&self, setting: &str, text: &str) -> Result<String> {
        match self {
            Self::Operator { .. } => Ok(text.to_owned()),
            Self::Tenant { .. } => inside(setting, text).map(ToOwned::to_owned),
        }
    }

    /// Whether databases in private networks are out of reach.
    pub(super) fn public_only(&self) -> bool {
        matches!(
            self,
            Self::Tenant {
                public_only: true,
                ..
            }
        )
    }
}

/// A path that can't lead out of the folder it is joined to.
fn inside<'a>(setting: &str, text: &'a str) -> Result<&'a str> {
    let stays = Path::new(text)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if stays && !text.contains('\0') {
        Ok(text)
    } else {
        Err(SyncError::config(setting, "must lie inside the folder for files"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_reaches_nothing_of_the_machine_but_his_folder() {
        let tenant = Origin::Tenant {
            folder: Some(PathBuf::from("/srv/files")),
            public_only: true,
        };
        assert_eq!(
            tenant.path("s", "path", "a/b.db").unwrap(),
            Path::new("/srv/files/a/b.db")
        );
        for text in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "${file:/etc/passwd}",
            "${env:HOME}",
        ] {
            assert!(tenant.path("s", "path", text).is_err(), "{text}");
        }
        assert!(tenant.file_name("file", "../other.csv").is_err());
        assert!(tenant.text("key", "${env:SECRET}").is_err() && tenant.text("key", "ser.x").is_ok());
        let none = Origin::Tenant {
            folder: None,
            public_only: true,
        };
        assert!(none.path("s", "folder", ".").is_err());
        assert!(
            tenant.driver("duckdb").is_err(),
            "native code is the operator's to load"
        );
    }
}

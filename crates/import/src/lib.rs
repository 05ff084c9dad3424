//! Taking over a running Flagsmith: from its database, or through its API when that is out of reach.
//!
//! Everything that is asked for at the old address must be answered alike at the new one: keys, ids, passwords and the
//! buckets that users are in stay. A run can be repeated: it makes what is here as it is there, and writes nothing where
//! nothing changed. One that was cut off is continued.
//!
//! Three steps: the configuration in one transaction ([`configuration`]), identities page by page, their overrides page
//! by page; each page with its mark of how far the run is. Then what was taken is compared with the source.

mod accounts;
pub mod api;
mod audit;
mod change_requests;
mod check;
pub mod configuration;
mod database;
mod flags;
pub mod history;
mod identities;
pub mod integrations;
mod metadata;
pub mod noun;
mod people;
pub mod records;
pub mod release_pipelines;
pub mod report;
mod rules;
mod run;
mod scheduled_changes;
pub mod surroundings;
mod taking;
mod versions;

use burgee_store::DbError;
use burgee_store::flagsmith::Flagsmith;

pub use report::Report;
pub use run::{Options, run};

/// Why an import did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database of Flagsmith can't be read.
    #[error("cannot read Flagsmith's database: {0}")]
    Source(DbError),
    /// The API of Flagsmith did not give what was asked for.
    #[error("Flagsmith's API: {0}")]
    Api(String),
    /// A row of Flagsmith's is not what it must be.
    #[error("a row of {0} can't be read: {1}")]
    Row(&'static str, serde_json::Error),
    /// What was imported under this name came from somewhere else.
    #[error(
        "what was imported as {0:?} before came from another Flagsmith; give this one another name (--source NAME)"
    )]
    OtherSource(String),
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    App(#[from] burgee_app::Error),
    /// A fault of this program.
    #[error("no row fits the table {0}")]
    Shape(&'static str),
    /// A fault of this program.
    #[error("the database gave no ids")]
    NoIds,
}

/// What everything here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Where to take from.
#[derive(Debug)]
pub enum Source {
    Database(Flagsmith),
    Api(api::Api),
}

impl Source {
    /// Opens Flagsmith's database.
    pub async fn database(url: &str) -> Result<Self> {
        Ok(Self::Database(Flagsmith::open(url).await.map_err(Error::Source)?))
    }
}

/// Is told how far an import is.
pub trait Progress: Sync {
    /// Something begins; `total` is how much there is of it, where that is known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// So much of it is done in all.
    fn at(&self, done: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn at(&self, _: u64) {}
}

/// A uuid that is always the same for one row of one kind.
pub(crate) fn stable_uuid(noun: &str, id: i64) -> String {
    let mut digits = burgee_auth::tokens::lookup_hash(&format!("flagsmith {noun} {id}"));
    digits.truncate(32);
    // Marked as a uuid that is computed from something (version 8).
    digits.replace_range(12..13, "8");
    digits.replace_range(16..17, "8");
    for place in [20, 16, 12, 8] {
        digits.insert(place, '-');
    }
    digits
}

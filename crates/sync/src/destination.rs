//! Where a sync sends to.
//!
//! To add a destination: a file in `destination/` that implements [`Destination`], and its line in [`Settings`] and
//! [`Settings::open`].

pub mod burgee;
pub mod flagsmith;
pub mod launchdarkly;

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures_util::future::BoxFuture;

use crate::cell::Cell;
use crate::deliver::transport::Transport;
use crate::error::{Result, SyncError};
use crate::plan::{Mode, Op};

/// How a destination takes operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The most operations in one request.
    pub batch: usize,
    /// The most requests under way at once.
    pub lanes: usize,
    /// Whether removals go first, to make room under a cap.
    pub removes_first: bool,
}

/// What is found at the destination before anything is sent.
#[derive(Debug)]
pub struct Standing {
    pub shape: Shape,
    /// The members as they are now, where the destination can tell: the plan is made against them then.
    pub live: Option<BTreeSet<String>>,
    /// How many more members there is room for; `None`: no cap.
    pub room: Option<u64>,
}

/// Why a batch was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// Something in it is wrong: it is sent again in halves until the wrong rows are found.
    Batch(String),
    /// The whole sync is refused, or nothing answers.
    Run(SyncError),
}

impl From<SyncError> for Refusal {
    fn from(error: SyncError) -> Self {
        Self::Run(error)
    }
}

/// One place to send to, with the settings of one sync.
pub trait Destination: Debug + Send + Sync {
    /// Whether it can take a key; the reason when not.
    fn admits_key(&self, key: &str) -> std::result::Result<(), String>;

    /// What is sent of a row's values: a JSON value per name, or the reason why the row can't be sent.
    fn convert(&self, name: &str, value: &Cell) -> std::result::Result<serde_json::Value, String>;

    /// Looks at credentials, settings and the members there are. Nothing is changed.
    fn preflight(&self) -> BoxFuture<'_, Result<Standing>>;

    /// Sends a batch. Sending one again changes nothing more. `note` names run and batch for logs at the other side.
    fn send<'a>(&'a self, batch: &'a [Op], note: &'a str) -> BoxFuture<'a, std::result::Result<(), Refusal>>;

    /// The first key of a sample of acknowledged operations whose effect can't be seen; none where all can, or where it
    /// can't be looked up.
    fn missing<'a>(&'a self, sample: &'a [Op]) -> BoxFuture<'a, Result<Option<String>>>;
}

/// The settings of a destination together with those of one sync to it.
#[derive(Debug, Clone)]
pub enum Settings {
    Flagsmith(flagsmith::Settings),
    LaunchDarkly(launchdarkly::Settings),
    Burgee(burgee::Settings),
}

impl Settings {
    /// Whose limits count what is sent: the same text for the same account. Secrets are only in it as a hash.
    pub fn account(&self) -> String {
        let (place, secret) = match self {
            Self::Flagsmith(settings) => (settings.url.as_str(), &settings.key),
            Self::LaunchDarkly(settings) => (settings.instance.address(), &settings.token),
            Self::Burgee(_) => return "burgee".to_owned(),
        };
        format!("{place} {:016x}", xxhash_rust::xxh3::xxh3_64(secret.as_bytes()))
    }

    /// Checks the settings and opens the destination for one sync.
    pub fn open(self, mode: Mode, transport: Transport) -> Result<Box<dyn Destination>> {
        match self {
            Self::Flagsmith(settings) => flagsmith::open(settings, mode, transport),
            Self::LaunchDarkly(settings) => launchdarkly::open(settings, mode, transport),
            Self::Burgee(settings) => burgee::open(settings, mode),
        }
    }
}

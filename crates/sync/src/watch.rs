//! Somebody else's eye on what a sync would keep and send: the server's guard against stored personal data.
//!
//! Keys and values go past it before they are compared, written down or sent, so that what it keeps of them is all that
//! the state, the samples and the errors of a sync ever hold.

use std::fmt::Debug;

use serde_json::Value;

/// What looks at the keys and values of a sync.
pub trait Watch: Debug + Send + Sync {
    /// What a key is in place of itself, if it is something else; or why its row is not taken.
    fn key(&self, key: &str) -> Result<Option<String>, String>;

    /// What is sent of a value that goes by this name; or why its row is not taken.
    fn value(&self, name: &str, value: Value) -> Result<Value, String>;

    /// The name a key is shown by, whether its row is taken or not.
    fn shown(&self, key: &str) -> String;
}

//! Why an act was refused or failed, without a word of HTTP.

use burgee_model::Problems;
use burgee_store::DbError;
use serde_json::Value;

/// The outcome of an act that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody known is asking; the text says what is missing or wrong.
    #[error("not authenticated: {0}")]
    Unauthenticated(&'static str),
    /// The caller may not do this.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// The object is not there, or the caller may not know that it is.
    #[error("not found: {0}")]
    NotFound(String),
    /// The input is wrong: what, by field.
    #[error("invalid: {}", .0.clone().into_json())]
    Invalid(Problems),
    /// The input is wrong, said in a shape of its own (a list, or a single `detail`).
    #[error("invalid: {0}")]
    Rejected(Value),
    /// The object is not in the state the caller took it to be in.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Too often; may be tried again after this many seconds.
    #[error("throttled for {0} s")]
    Throttled(u64),
    /// Somebody else's service, which was needed, failed or refused. The text is for the caller.
    #[error("elsewhere: {0}")]
    Elsewhere(String),
    /// The database can't be reached: trying again later may help.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A fault of ours. The text is for the log, never for the caller.
    #[error("internal: {0}")]
    Internal(String),
}

/// What acts return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The refusal most operations give.
    pub fn forbidden() -> Self {
        Self::Forbidden("You do not have permission to perform this action.".to_owned())
    }

    /// The answer for an object that is not there.
    pub fn not_found() -> Self {
        Self::NotFound("Not found.".to_owned())
    }

    /// The answer for an object that is not there, where the reference names its kind (`Feature`, `Segment`, …).
    pub fn no_match(kind: &str) -> Self {
        Self::NotFound(format!("No {kind} matches the given query."))
    }

    /// One wrong field.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Invalid(Problems::field(name, message))
    }

    /// A field names an object that is not there.
    pub fn no_such(field: &str, id: i64) -> Self {
        Self::field(field, format!("Invalid pk \"{id}\" - object does not exist."))
    }

    /// Something wrong with the whole input, under `detail`.
    pub fn detail(message: &str) -> Self {
        Self::Rejected(serde_json::json!({ "detail": message }))
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Invalid(problems)
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(cause) => Self::Unavailable(cause.to_string()),
            // Acts that can meet these check first; what is left is a race that the caller may repeat.
            DbError::Conflict(what) => Self::Invalid(Problems::whole(format!(
                "This conflicts with another change made at the same time ({}).",
                what.as_deref().unwrap_or("unique")
            ))),
            DbError::MissingParent => Self::not_found(),
            DbError::Other(cause) => Self::Internal(cause.to_string()),
        }
    }
}

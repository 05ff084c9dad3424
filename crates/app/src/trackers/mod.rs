//! Issue trackers, GitHub and GitLab: features are linked to what is talked about there.
//!
//! * [`links`]: what the address of a linked issue says, and how the issue stands.
//! * [`destinations`]: where a project is set up to reach them.
//! * [`errands`]: what they are told because of a change: read from the log, done by the task queue.
//! * [`comments`]: the words of it.
//! * [`tags`]: features are tagged with how their issues stand; [`news`] takes what trackers tell.
//! * [`github`], [`gitlab`]: how each is spoken to. GitHub through an application that an organisation installs; GitLab
//!   through the integration of a project.

mod comments;
mod destinations;
pub(crate) mod errands;
pub mod github;
pub mod gitlab;
pub(crate) mod links;
mod news;
pub(crate) mod tags;

use burgee_outbound::http::{Answer, Client, Error as HttpError, Request};

pub(crate) use destinations::Destinations;
pub use errands::{TASK, run};

use crate::Error;
use crate::tasks::Failure;

/// The most characters that are passed on of what a tracker says is wrong.
const WHY_LENGTH: usize = 200;

/// Why a tracker did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// This server lacks what is needed to ask.
    NotSetUp(&'static str),
    /// It can't be asked at all like this.
    Unusable(String),
    /// There was no answer.
    Away(String),
    /// It answered that it won't.
    Refused { status: u16, text: String },
}

/// What a tracker was asked for, or why it did not come.
type Asked<T> = Result<T, Trouble>;

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotSetUp(text) => Self::detail(text),
            Trouble::Unusable(text) | Trouble::Away(text) | Trouble::Refused { text, .. } => {
                Self::Elsewhere(text)
            }
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotSetUp(text) => Self::for_good(text),
            Trouble::Unusable(text) => Self::for_good(text),
            Trouble::Away(text) => Self::away(text),
            Trouble::Refused { status, text } => match status {
                404 | 410 | 422 => Self::for_good(text),
                429 | 500.. => Self::away(text),
                _ => Self::later(text),
            },
        }
    }
}

/// Asks a tracker; an answer that is no success is trouble.
async fn ask(client: &Client, tracker: &str, request: Request) -> Asked<Answer> {
    match client.send(request).await {
        Ok(answer) if answer.is_success() => Ok(answer),
        Ok(answer) => Err(refused(tracker, &answer)),
        Err(error @ (HttpError::Unusable(_) | HttpError::Private(_))) => {
            Err(Trouble::Unusable(format!("{tracker} can't be asked: {error}")))
        }
        Err(error) => Err(Trouble::Away(format!("{tracker} can't be reached: {error}"))),
    }
}

fn refused(tracker: &str, answer: &Answer) -> Trouble {
    let body = answer.json().unwrap_or_default();
    let said = body["message"].as_str().unwrap_or_default();
    let said: String = said.chars().take(WHY_LENGTH).collect();
    let text = if said.is_empty() {
        format!("{tracker} answered {}.", answer.status)
    } else {
        format!("{tracker} answered {}: {said}", answer.status)
    };
    Trouble::Refused {
        status: answer.status,
        text,
    }
}

/// Something that is as good as done when it is not there any more.
fn gone_is_done(outcome: Asked<Answer>) -> Asked<()> {
    match outcome {
        Err(Trouble::Refused {
            status: 404 | 410, ..
        }) => Ok(()),
        outcome => outcome.map(drop),
    }
}

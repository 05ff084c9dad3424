//! Mail: an act posts it within its transaction, the worker delivers it afterwards.
//!
//! So no mail tells of something that was rolled back, and none is lost when the mail server is away. Each mail is sent by
//! one node; when that node dies in the middle, another one sends it again, under the same id. What was not taken for a day
//! is given up.
//!
//! Without a mail server nothing is posted: the acts go on, and whoever runs the installation finds the links where
//! [`post`]'s callers say.

use burgee_auth::tokens::Sealer;
use burgee_model::Timestamp;
use burgee_outbound::mail::{Error as MailError, Mailer, Message};
use burgee_store::Tx;
use burgee_store::mails::{self, Waiting};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{App, Error, Result};

const SECOND: i64 = 1_000_000;
/// How many mails one node takes at once.
const BATCH: i64 = 10;
/// How long a node that took mails has before another one may take them. Longer than a delivery can last.
const CLAIM: i64 = 120 * SECOND;
const FIRST_PAUSE: i64 = 30 * SECOND;
const LONGEST_PAUSE: i64 = 60 * 60 * SECOND;
/// How long a mail is tried.
const GIVE_UP: i64 = 24 * 60 * 60 * SECOND;

/// What mails say. To add one: a variant, its two files in `mail/templates/`, its lines in [`Mail::parts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mail<'a> {
    /// Somebody is invited to an organisation.
    Invitation {
        organisation: &'a str,
        invited_by: &'a str,
        link: &'a str,
    },
    /// A new account waits until its address is confirmed.
    Activation { link: &'a str },
    /// Somebody forgot his password.
    PasswordReset { link: &'a str },
    /// Somebody wants to sign in with another address.
    EmailReset { link: &'a str },
    /// The account now has another address; told to the old one.
    EmailChanged { email: &'a str },
    /// A change request waits for somebody's approval.
    ChangeRequestAssigned {
        title: &'a str,
        author: &'a str,
        link: &'a str,
    },
    /// Somebody approved a change request.
    ChangeRequestApproved {
        title: &'a str,
        approved_by: &'a str,
        link: &'a str,
    },
    /// A run of an audience sync needs somebody.
    AudienceSync { text: &'a str },
    /// An organisation comes near to its limit of calls, or is over it.
    UsageWarning {
        organisation: &'a str,
        percent: &'a str,
        limit: &'a str,
    },
    /// A webhook does not take what it is sent.
    WebhookFailing {
        url: &'a str,
        event: &'a str,
        why: &'a str,
    },
}

/// The texts of one kind of mail, and what is filled in.
struct Parts<'a> {
    kind: &'static str,
    /// Its first line is the subject.
    text: &'static str,
    html: &'static str,
    values: Vec<(&'static str, &'a str)>,
}

macro_rules! parts {
    ($kind:literal, $($name:ident),*) => {
        Parts {
            kind: $kind,
            text: include_str!(concat!("mail/templates/", $kind, ".txt")),
            html: include_str!(concat!("mail/templates/", $kind, ".html")),
            values: vec![$((stringify!($name), *$name)),*],
        }
    };
}

impl<'a> Mail<'a> {
    fn parts(&'a self) -> Parts<'a> {
        match self {
            Self::Invitation {
                organisation,
                invited_by,
                link,
            } => {
                parts!("invitation", organisation, invited_by, link)
            }
            Self::Activation { link } => parts!("activation", link),
            Self::PasswordReset { link } => parts!("password_reset", link),
            Self::EmailReset { link } => parts!("email_reset", link),
            Self::EmailChanged { email } => parts!("email_changed", email),
            Self::ChangeRequestAssigned { title, author, link } => {
                parts!("change_request_assigned", title, author, link)
            }
            Self::ChangeRequestApproved {
                title,
                approved_by,
                link,
            } => {
                parts!("change_request_approved", title, approved_by, link)
            }
            Self::AudienceSync { text } => parts!("audience_sync", text),
            Self::UsageWarning {
                organisation,
                percent,
                limit,
            } => parts!("usage_warning", organisation, percent, limit),
            Self::WebhookFailing { url, event, why } => parts!("webhook_failing", url, event, why),
        }
    }

    fn write(&self) -> Content {
        let parts = self.parts();
        // What users wrote must not break out of its line.
        let one_line = |value: &str| value.replace(char::is_control, " ");
        let text = fill(parts.text, &parts.values, one_line);
        let (subject, text) = text.split_once('\n').unwrap_or_default();
        let inner = fill(parts.html, &parts.values, |value| escape(&one_line(value)));
        Content {
            subject: subject.trim().to_owned(),
            text: text.trim_start().to_owned(),
            html: include_str!("mail/templates/layout.html").replace("{{content}}", inner.trim_end()),
        }
    }
}

/// A mail as it waits.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    subject: String,
    text: String,
    html: String,
}

/// Puts values in the place of `{{name}}`, in one pass: a value that looks like a place stays as it is.
fn fill(template: &str, values: &[(&str, &str)], written: impl Fn(&str) -> String) -> String {
    let mut pieces = template.split("{{");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            filled.push_str(&written(value));
        }
        filled.push_str(rest);
    }
    filled
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Whether mail is sent at all.
pub fn is_configured(app: &App) -> bool {
    app.outbound().mailer().is_some()
}

/// Posts a mail, which is sent once the transaction is committed. Whether it was: without a mail server it is not.
pub async fn post(tx: &mut Tx, app: &App, to: &str, mail: &Mail<'_>) -> Result<bool> {
    if !is_configured(app) {
        return Ok(false);
    }
    let content = serde_json::to_string(&mail.write()).map_err(|error| Error::Internal(error.to_string()))?;
    let sealed = app.sealer().seal(&content);
    let uuid = Uuid::new_v4().to_string();
    let now = Timestamp::now().0;
    mails::insert(tx, &uuid, mail.parts().kind, to, &sealed, now).await?;
    Ok(true)
}

/// Delivers what is due.
pub async fn deliver(app: &App) -> Result<()> {
    while mails::any_due(app.db(), Timestamp::now().0).await? {
        let Some(mailer) = app.outbound().mailer() else {
            // Mail was switched off while some waited; it may come back within the time it is tried.
            let limit = Timestamp::now().0 - GIVE_UP;
            if mails::any_older(app.db(), limit).await? {
                let mut tx = app.begin().await?;
                mails::delete_older(&mut tx, limit).await?;
                app.commit(tx, Vec::new()).await?;
            }
            return Ok(());
        };
        let mut tx = app.begin().await?;
        let now = Timestamp::now().0;
        let claimed = mails::claim(&mut tx, now, now + CLAIM, BATCH).await?;
        app.commit(tx, Vec::new()).await?;
        for outcome in join_all(claimed.iter().map(|mail| deliver_one(app, mailer, mail))).await {
            outcome?;
        }
    }
    Ok(())
}

async fn deliver_one(app: &App, mailer: &Mailer, waiting: &Waiting) -> Result<()> {
    let outcome = match message(&app.sealer(), waiting) {
        Some(message) => mailer.send(&message).await,
        None => Err(MailError::Unusable("its content can't be read".to_owned())),
    };
    let now = Timestamp::now().0;
    let mut tx = app.db().begin().await?;
    match outcome {
        Ok(()) => {
            mails::delete(&mut tx, waiting.id).await?;
            tracing::info!(mail = waiting.uuid, kind = waiting.kind, "a mail was sent");
        }
        Err(MailError::Failed(why)) if now - waiting.created_at < GIVE_UP => {
            mails::put_off(&mut tx, waiting.id, now + pause(waiting.attempts)).await?;
            tracing::warn!(
                mail = waiting.uuid,
                kind = waiting.kind,
                why,
                "a mail was not taken; it will be tried again"
            );
        }
        Err(error) => {
            mails::delete(&mut tx, waiting.id).await?;
            tracing::error!(mail = waiting.uuid, kind = waiting.kind, why = %error, "a mail was given up");
        }
    }
    Ok(tx.commit().await?)
}

/// How long to wait after so many attempts.
fn pause(attempts: i64) -> i64 {
    let doublings = attempts.clamp(1, 10) - 1;
    (FIRST_PAUSE << doublings).min(LONGEST_PAUSE)
}

fn message(sealer: &Sealer, waiting: &Waiting) -> Option<Message> {
    let content: Content = serde_json::from_str(&sealer.open(&waiting.content)?).ok()?;
    Some(Message {
        id: waiting.uuid.clone(),
        to: waiting.recipient.clone(),
        subject: content.subject,
        text: content.text,
        html: content.html,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://flags.example.com/x/1";

    fn all() -> Vec<Mail<'static>> {
        vec![
            Mail::Invitation {
                organisation: "Acme",
                invited_by: "Ada",
                link: LINK,
            },
            Mail::Activation { link: LINK },
            Mail::PasswordReset { link: LINK },
            Mail::EmailReset { link: LINK },
            Mail::EmailChanged {
                email: "new@example.com",
            },
            Mail::ChangeRequestAssigned {
                title: "Ship it",
                author: "Ada",
                link: LINK,
            },
            Mail::ChangeRequestApproved {
                title: "Ship it",
                approved_by: "Ada",
                link: LINK,
            },
            Mail::UsageWarning {
                organisation: "Acme",
                percent: "90",
                limit: "50000",
            },
            Mail::WebhookFailing {
                url: LINK,
                event: "FLAG_UPDATED",
                why: "answered 500",
            },
        ]
    }

    #[test]
    fn every_mail_says_all_it_was_given_in_both_forms() {
        for mail in all() {
            let content = mail.write();
            assert!(!content.subject.is_empty(), "{mail:?}");
            for (name, value) in mail.parts().values {
                assert!(content.text.contains(value), "{name} in the text of {mail:?}");
                assert!(content.html.contains(value), "{name} in the page of {mail:?}");
            }
            for form in [&content.subject, &content.text, &content.html] {
                assert!(!form.contains("{{"), "{form}");
            }
        }
    }

    #[test]
    fn names_cannot_add_markup_headers_or_places_of_their_own() {
        let mail = Mail::Invitation {
            organisation: "<a href='x'>{{link}}</a>\r\nBcc: all@example.com",
            invited_by: "A & B",
            link: LINK,
        };
        let content = mail.write();
        assert!(!content.html.contains("<a href='x'>"));
        assert!(content.html.contains("A &amp; B"));
        assert!(!content.subject.contains(['\r', '\n']));
        assert!(content.text.contains("{{link}}"), "{}", content.text);
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        assert_eq!(pause(1), 30 * SECOND);
        assert_eq!(pause(2), 60 * SECOND);
        assert_eq!(pause(20), 60 * 60 * SECOND);
        assert_eq!(pause(i64::MAX), 60 * 60 * SECOND);
    }
}

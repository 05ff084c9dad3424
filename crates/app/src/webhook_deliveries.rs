//! What is sent to webhooks, and how that went.

use std::time::{Duration, Instant};

use burgee_auth::signatures;
use burgee_model::{Problems, Timestamp};
use burgee_outbound::http::{self, Method, Request};
use burgee_store::webhooks::{self as webhook_rows, Webhook};
use burgee_store::{Tx, organisations, webhook_deliveries};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::webhook_deliveries::Delivery;

use crate::event_payloads::{self as payloads, Event};
use crate::mail::{self, Mail};
use crate::tasks::{self, Failure, NewTask, Outcome, Task};
use crate::webhooks::{At, Of, check_reach, secret};
use crate::{App, Caller, Error, Place, Result, python_json};

/// The kind of its tasks.
pub const TASK: &str = "webhook";
/// How long a receiver has to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most of an answer that is read.
const ANSWER_BYTES: usize = 64 * 1024;
/// The most of an answer that is shown and kept.
const SHOWN_CHARACTERS: usize = 2000;
const HOUR: i64 = 60 * 60 * 1_000_000;
/// How long deliveries are remembered.
const KEEP: i64 = 7 * 24 * HOUR;
/// How many are forgotten at once, so that nobody waits long.
const FORGET_AT_ONCE: i64 = 5000;

/// Adds the delivery of an event to a webhook, with its task.
pub(crate) async fn add(tx: &mut Tx, webhook: &Webhook, event: &Event) -> Result<()> {
    let body = body(event);
    let uuid = Uuid::new_v4().to_string();
    let now = Timestamp::now().0;
    let id = webhook_deliveries::insert(tx, &uuid, webhook.id, (event.event_type, &body), now).await?;
    add_task(tx, webhook.id, id).await
}

async fn add_task(tx: &mut Tx, webhook_id: i64, delivery_id: i64) -> Result<()> {
    let task = NewTask {
        kind: TASK,
        key: delivery_id.to_string(),
        lane: &format!("webhook {webhook_id}"),
        payload: json!({ "delivery": delivery_id }),
    };
    tasks::add(tx, task).await?;
    Ok(())
}

fn body(event: &Event) -> String {
    python_json::text(&json!({ "data": event.data, "event_type": event.event_type }))
}

/// The request of a delivery, signed for this moment.
fn request(url: &str, secret: &str, uuid: &str, body: &str) -> Request {
    let seconds = Timestamp::now().epoch_second();
    let mut request = Request::new(Method::POST, url)
        .header("content-type", "application/json")
        .header("webhook-id", uuid)
        .header("webhook-timestamp", seconds.to_string())
        .body(body.to_owned())
        .within(TIMEOUT)
        .at_most(ANSWER_BYTES);
    if !secret.is_empty() {
        let bytes = body.as_bytes();
        request = request
            .header("X-Flagsmith-Signature", signatures::hex_hmac(secret, bytes))
            .header(
                "webhook-signature",
                signatures::standard_webhook(secret, uuid, seconds, bytes),
            );
    }
    request
}

/// Sends what a task is about, and writes down how it went.
pub async fn deliver(app: &App, task: &Task) -> Outcome {
    let Some((delivery, webhook)) = of_task(app, task).await? else {
        // The webhook is gone, and what was to be sent to it.
        return Ok(());
    };
    if delivery.status == "delivered" {
        return Ok(());
    }
    let began = Instant::now();
    let sent = if webhook.enabled {
        let request = request(
            &webhook.url,
            &secret(app, &webhook),
            &delivery.uuid,
            &delivery.body,
        );
        app.outbound().guarded().send(request).await
    } else {
        Err(http::Error::Unusable("the webhook is switched off".to_owned()))
    };
    let outcome = judge(&sent);
    let noted = Delivery {
        status: if outcome.is_ok() { "delivered" } else { "waiting" }.to_owned(),
        response_status: sent.as_ref().ok().map(|answer| i64::from(answer.status)),
        error: outcome.as_ref().err().map(|failure| failure.why.clone()),
        duration_ms: i64::try_from(began.elapsed().as_millis()).ok(),
        attempted_at: Some(Timestamp::now().0),
        response_body: sent.as_ref().ok().map(beginning),
        ..delivery
    };
    let mut tx = app.db().begin().await?;
    webhook_deliveries::note_attempt(&mut tx, &noted).await?;
    tx.commit().await?;
    outcome
}

/// The beginning of an answer, as text that every database takes.
pub(crate) fn beginning(answer: &http::Answer) -> String {
    String::from_utf8_lossy(&answer.body)
        .chars()
        .map(|character| {
            if character == '\0' {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        })
        .take(SHOWN_CHARACTERS)
        .collect()
}

async fn of_task(app: &App, task: &Task) -> Result<Option<(Delivery, Webhook)>> {
    let payload: Value = serde_json::from_str(&task.payload).unwrap_or_default();
    let id = payload["delivery"].as_i64().unwrap_or_default();
    let mut tx = app.db().read().await?;
    let Some(delivery) = webhook_deliveries::find(&mut tx, id).await? else {
        return Ok(None);
    };
    let webhook = webhook_rows::find(&mut tx, delivery.webhook_id).await?;
    Ok(webhook.map(|webhook| (delivery, webhook)))
}

/// What an answer, or its absence, means for a task.
pub(crate) fn judge(sent: &std::result::Result<http::Answer, http::Error>) -> Outcome {
    match sent {
        Ok(answer) if answer.is_success() => Ok(()),
        Ok(answer) => Err(Failure::later(format!("answered {}", answer.status))),
        Err(error @ (http::Error::TimedOut | http::Error::Failed(_))) => {
            Err(Failure::away(error.to_string()))
        }
        Err(error @ http::Error::TooLarge) => Err(Failure::later(error.to_string())),
        Err(error @ (http::Error::Unusable(_) | http::Error::Private(_))) => {
            Err(Failure::for_good(error.to_string()))
        }
    }
}

/// Marks a delivery as failed, and mails whom the organisation named for that, once an hour at most.
pub async fn give_up(app: &App, task: &Task) -> Result<()> {
    let Some((delivery, webhook)) = of_task(app, task).await? else {
        return Ok(());
    };
    let mut tx = app.db().begin().await?;
    webhook_deliveries::set_status(&mut tx, delivery.id, "failed").await?;
    tell(&mut tx, app, &webhook, &delivery).await?;
    Ok(tx.commit().await?)
}

async fn tell(tx: &mut Tx, app: &App, webhook: &Webhook, delivery: &Delivery) -> Result<()> {
    let organisation_id = match (webhook.organisation_id, webhook.environment_id) {
        (Some(id), _) => Some(id),
        (None, Some(id)) => Place::by_id(tx, id)
            .await?
            .map(|place| place.project.organisation_id),
        (None, None) => None,
    };
    let Some(id) = organisation_id else { return Ok(()) };
    let organisation = organisations::find(tx, id).await?;
    let Some(email) = organisation.and_then(|found| found.webhook_notification_email) else {
        return Ok(());
    };
    let now = Timestamp::now().0;
    if email.is_empty() || !webhook_rows::note_told_failing(tx, webhook.id, now - HOUR, now).await? {
        return Ok(());
    }
    let mail = Mail::WebhookFailing {
        url: webhook.url.split(['?', '#']).next().unwrap_or_default(),
        event: &delivery.event_type,
        why: delivery.error.as_deref().unwrap_or("unknown"),
    };
    mail::post(tx, app, &email, &mail).await?;
    Ok(())
}

/// One page of what was sent to a webhook, newest first, and how many there are. For those who may change it.
pub async fn list(
    app: &App,
    caller: &Caller,
    of: Of<'_>,
    webhook_id: i64,
    (limit, offset): (i64, i64),
) -> Result<(i64, Vec<Delivery>)> {
    let mut tx = app.db().read().await?;
    let at = At::of(&mut tx, caller, of, true).await?;
    let webhook = at.find(&mut tx, webhook_id).await?;
    let count = webhook_deliveries::count(&mut tx, webhook.id).await?;
    Ok((
        count,
        webhook_deliveries::list(&mut tx, webhook.id, limit, offset).await?,
    ))
}

/// Sends a delivery again, under the id it had.
pub async fn retry(app: &App, caller: &Caller, of: Of<'_>, webhook_id: i64, id: i64) -> Result<Delivery> {
    let mut tx = app.begin().await?;
    let at = At::of(&mut tx, caller, of, true).await?;
    let webhook = at.find(&mut tx, webhook_id).await?;
    let found = webhook_deliveries::find(&mut tx, id).await?;
    let found = found.filter(|delivery| delivery.webhook_id == webhook.id);
    let mut delivery = found.ok_or_else(|| Error::no_match("WebhookDelivery"))?;
    if !webhook.enabled {
        return Err(Problems::whole("The webhook is switched off.").into());
    }
    webhook_deliveries::set_status(&mut tx, id, "waiting").await?;
    "waiting".clone_into(&mut delivery.status);
    tasks::restart(&mut tx, TASK, &id.to_string()).await?;
    add_task(&mut tx, webhook.id, id).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(delivery)
}

/// How a test went.
#[derive(Debug, Clone)]
pub struct Tested {
    pub status: u16,
    /// The beginning of what the receiver answered.
    pub body: String,
}

/// Sends an example to an address, at once, and tells how that went.
pub async fn test(app: &App, caller: &Caller, of: Of<'_>, url: &str, secret: &str) -> Result<Tested> {
    crate::webhooks::require(app, caller, of).await?;
    check_reach(app, "webhook_url", Some(url)).await?;
    let event = match of {
        Of::Environment(_) => payloads::sample_flag_event(),
        Of::Organisation(_) => payloads::sample_audit_event(),
    };
    let uuid = Uuid::new_v4().to_string();
    match app
        .outbound()
        .guarded()
        .send(request(url, secret, &uuid, &body(&event)))
        .await
    {
        Ok(answer) => Ok(Tested {
            status: answer.status,
            body: beginning(&answer),
        }),
        Err(error) => Err(Error::Rejected(json!({
            "detail": "Could not connect to webhook URL", "body": error.to_string(), "status": 0,
        }))),
    }
}

/// Forgets old deliveries.
pub async fn forget_old(app: &App) -> Result<()> {
    loop {
        let mut tx = app.db().begin().await?;
        let limit = Timestamp::now().0 - KEEP;
        let count = webhook_deliveries::delete_older(&mut tx, limit, FORGET_AT_ONCE).await?;
        tx.commit().await?;
        if count < FORGET_AT_ONCE as u64 {
            return Ok(());
        }
    }
}

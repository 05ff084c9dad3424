//! What integrations were sent lately, what came of it, and sending an example.

use std::time::Duration;

use burgee_model::{Problems, Timestamp};
use burgee_store::integration_deliveries as rows;
use serde_json::json;

pub use burgee_store::integration_deliveries::IntegrationDelivery;

use super::changes::{ChangeEvent, Named};
use super::configuration::{Home, Owner, config_of, find};
use super::identities::IdentityEvent;
use super::{Call, Integration, Mount, Told};
use crate::tasks::{Failure, Outcome};
use crate::webhook_deliveries::{beginning, judge};
use crate::{App, Caller, Result};

/// How long a service has to answer, unless it is one of many.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// How many of the newest are kept of each integration.
const KEPT: i64 = 50;
/// What an example is called in the list.
const EXAMPLE: &str = "An example";

/// What came of some calls: of the last of them, or of the first that failed.
pub(super) struct Sent {
    pub(super) outcome: Outcome,
    status: Option<i64>,
    body: Option<String>,
}

/// Sends calls one after another, until one fails.
pub(super) async fn send(app: &App, calls: Vec<Call>, within: Duration) -> Sent {
    let mut sent = Sent {
        outcome: Ok(()),
        status: None,
        body: None,
    };
    for call in calls {
        let answer = app.outbound().guarded().send(call.request.within(within)).await;
        sent.outcome = judge(&answer);
        if let Ok(answer) = &answer {
            (sent.status, sent.body) = (Some(answer.status.into()), Some(beginning(answer)));
            let json = || answer.json().unwrap_or_default();
            if sent.outcome.is_ok()
                && let Some(wrong) = call.check.and_then(|check| check(&json()))
            {
                sent.outcome = Err(Failure::later(wrong));
            }
        }
        if sent.outcome.is_err() {
            break;
        }
    }
    sent
}

/// Writes down what came of telling an integration something. That it can't be written down holds up nothing.
pub(super) async fn record(app: &App, integration_id: i64, event: &str, sent: &Sent) {
    if let Err(error) = write(app, of(integration_id, event, sent)).await {
        tracing::debug!(%error, integration = integration_id, "what became of a delivery was not written down");
    }
}

fn of(integration_id: i64, event: &str, sent: &Sent) -> IntegrationDelivery {
    IntegrationDelivery {
        id: 0,
        integration_id,
        event: event.to_owned(),
        delivered: sent.outcome.is_ok(),
        response_status: sent.status,
        response_body: sent.body.clone(),
        error: sent.outcome.as_ref().err().map(|failure| failure.why.clone()),
        created_at: Timestamp::now().0,
    }
}

async fn write(app: &App, mut delivery: IntegrationDelivery) -> Result<Option<IntegrationDelivery>> {
    let mut tx = app.db().begin().await?;
    let id = rows::insert(&mut tx, &delivery, KEPT).await?;
    tx.commit().await?;
    Ok(id.map(|id| {
        delivery.id = id;
        delivery
    }))
}

/// What an integration was sent lately, newest first. For those who may change it.
pub async fn list(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    id: i64,
) -> Result<Vec<IntegrationDelivery>> {
    let mut tx = app.db().read().await?;
    let home = Home::of(&mut tx, caller, mount, owner, true).await?;
    let row = find(&mut tx, integration, mount, &home, id).await?;
    Ok(rows::list(&mut tx, row.id).await?)
}

/// Sends an integration an example, at once, and tells how that went. For those who may change it.
pub async fn test(
    app: &App,
    caller: &Caller,
    (integration, mount): (&Integration, &Mount),
    owner: Owner<'_>,
    id: i64,
) -> Result<IntegrationDelivery> {
    let mut tx = app.db().read().await?;
    let home = Home::of(&mut tx, caller, mount, owner, true).await?;
    let row = find(&mut tx, integration, mount, &home, id).await?;
    let config = config_of(&mut tx, app, integration, &row).await?;
    drop(tx);
    let calls = match integration.told {
        Told::Changes(calls) => calls(&config, &example_of_a_change()),
        Told::Identities { calls, .. } => calls(&config, &[example_of_an_identity()]),
        Told::Nothing => Vec::new(),
    };
    if calls.is_empty() {
        return Err(Problems::whole("Nothing is sent to it as it is set up.").into());
    }
    let sent = send(app, calls, TIMEOUT).await;
    let written = write(app, of(row.id, EXAMPLE, &sent)).await?;
    written.ok_or_else(|| crate::Error::no_match(mount.schema))
}

fn example_of_a_change() -> ChangeEvent {
    ChangeEvent {
        id: 0,
        at: Timestamp::now().0,
        log: "An example: nothing was changed".to_owned(),
        author: "user@example.com".to_owned(),
        project: "Example".to_owned(),
        environment: Some("Production".to_owned()),
        object_type: "FEATURE_STATE".to_owned(),
        object_id: 1,
        action: "UPDATE".to_owned(),
        feature: Some(Named {
            id: 1,
            name: "example_feature".to_owned(),
        }),
        segment: None,
        enabled: Some(true),
        tags: Vec::new(),
    }
}

fn example_of_an_identity() -> IdentityEvent {
    let flag = json!({
        "id": 1, "enabled": true, "feature_state_value": "on", "environment": 1, "identity": null,
        "feature_segment": null, "feature": { "id": 1, "name": "example_feature", "type": "STANDARD" },
    });
    IdentityEvent {
        identifier: "example".to_owned(),
        at: Timestamp::now().0,
        traits: json!([]),
        flags: vec![flag],
        segments: Vec::new(),
    }
}

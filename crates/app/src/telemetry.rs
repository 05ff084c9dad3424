//! Telemetry: how much an installation holds, told to whom its operator names; to nobody until he does.

use std::time::Duration;

use burgee_outbound::http::{Method, Request};
use burgee_store::telemetry;
use serde::Serialize;
use serde_json::json;

use crate::{App, Error, Result};

/// How long the receiver has to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that is told: numbers, and the word the operator gave his installation. No name, no address, no flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub organisations: i64,
    pub projects: i64,
    pub environments: i64,
    pub features: i64,
    pub segments: i64,
    pub users: i64,
    pub debug_enabled: bool,
    pub env: String,
}

/// What would be told now.
pub async fn report(app: &App) -> Result<Report> {
    let counts = telemetry::counts(app.db()).await?;
    Ok(Report {
        organisations: counts.organisations,
        projects: counts.projects,
        environments: counts.environments,
        features: counts.features,
        segments: counts.segments,
        users: counts.users,
        // There is no such mode.
        debug_enabled: false,
        env: app.settings().telemetry.environment.clone(),
    })
}

/// Tells it, where somebody is named to tell.
pub async fn send(app: &App) -> Result<()> {
    let Some(url) = &app.settings().telemetry.url else {
        return Ok(());
    };
    let request = Request::new(Method::POST, url)
        .json(&json!(report(app).await?))
        .within(TIMEOUT);
    match app.outbound().trusted().send(request).await {
        Ok(answer) if answer.is_success() => Ok(()),
        Ok(answer) => Err(Error::Elsewhere(format!(
            "telemetry was answered {}",
            answer.status
        ))),
        Err(error) => Err(Error::Elsewhere(format!("telemetry was not taken: {error}"))),
    }
}

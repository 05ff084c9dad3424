//! Taking who is told of changes: webhooks, and integrations with other services. Their secrets are sealed anew.

use std::collections::HashMap;

use burgee_app::App;
use burgee_app::integrations::{self as kinds, Scope, configuration};
use burgee_auth::tokens::lookup_hash;
use burgee_model::Timestamp;
use burgee_store::bulk::{Cell, tables};
use burgee_store::imports::{self, Origin};
use burgee_store::integrations as rows;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::configuration::Configuration;
use crate::people::number_of;
use crate::records::moment;
use crate::report::Count;
use crate::taking::{How, Incoming, Taker};
use crate::{Result, noun};

/// The kinds, each with its table there and what it belongs to.
pub(crate) const TABLES: [(&str, &str, Scope); 13] = [
    (
        "amplitude",
        "amplitude_amplitudeconfiguration",
        Scope::Environment,
    ),
    ("datadog", "datadog_datadogconfiguration", Scope::Project),
    (
        "dynatrace",
        "dynatrace_dynatraceconfiguration",
        Scope::Environment,
    ),
    ("grafana", "grafana_grafanaconfiguration", Scope::Project),
    (
        "grafana",
        "grafana_grafanaorganisationconfiguration",
        Scope::Organisation,
    ),
    ("heap", "heap_heapconfiguration", Scope::Environment),
    ("mixpanel", "mixpanel_mixpanelconfiguration", Scope::Environment),
    ("new-relic", "new_relic_newrelicconfiguration", Scope::Project),
    (
        "rudderstack",
        "rudderstack_rudderstackconfiguration",
        Scope::Environment,
    ),
    ("segment", "segment_segmentconfiguration", Scope::Environment),
    (
        "sentry",
        "sentry_sentrychangetrackingconfiguration",
        Scope::Environment,
    ),
    ("slack", "slack_slackenvironment", Scope::Environment),
    ("webhook", "webhook_webhookconfiguration", Scope::Environment),
];

/// Who is told of changes.
#[derive(Debug, Default)]
pub struct Listeners {
    pub environment_webhooks: Vec<Webhook>,
    pub organisation_webhooks: Vec<Webhook>,
    /// The rows of each of the tables.
    pub integrations: Vec<(&'static str, Scope, Vec<Value>)>,
    pub slack_workspaces: Vec<SlackWorkspace>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Webhook {
    pub id: i64,
    pub url: String,
    #[serde(default)]
    pub enabled: bool,
    #[serde(default)]
    pub secret: String,
    #[serde(default)]
    pub environment_id: Option<i64>,
    #[serde(default)]
    pub organisation_id: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub updated_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SlackWorkspace {
    pub id: i64,
    pub api_token: String,
    pub project_id: i64,
    #[serde(default, deserialize_with = "moment")]
    pub created_date: Option<i64>,
}

/// Takes all of them, if the source tells of them.
pub(crate) async fn take(taker: &mut Taker<'_>, app: &App, from: &Configuration) -> Result<()> {
    let Some(all) = &from.listeners else { return Ok(()) };
    let written = taker.written;
    take_webhooks(taker, app, all).await?;
    take_workspaces(taker, app, all).await?;
    take_integrations(taker, app, all).await?;
    if taker.written > written {
        let text = "webhooks and integrations are told of what changes here, as they are told by Flagsmith";
        taker.report.note(noun::WEBHOOK, None, text);
    }
    Ok(())
}

fn sealed(app: &App, secret: &str) -> String {
    if secret.is_empty() {
        String::new()
    } else {
        app.sealer().seal(secret)
    }
}

async fn take_webhooks(taker: &mut Taker<'_>, app: &App, all: &Listeners) -> Result<()> {
    // Those of organisations have numbers of their own there, and share them with the others here.
    let lists = [
        (noun::WEBHOOK, &all.environment_webhooks, true),
        (noun::ORGANISATION_WEBHOOK, &all.organisation_webhooks, false),
    ];
    for (name, list, keeps_ids) in lists {
        let rows = list.iter().filter_map(|w| {
            let organisation = taker.id_if(noun::ORGANISATION, w.organisation_id);
            let environment = taker.id_if(noun::ENVIRONMENT, w.environment_id);
            if organisation.is_some() == environment.is_some() {
                return None;
            }
            let created_at = w.created_at.unwrap_or_default();
            let cells = vec![
                organisation.into(),
                environment.into(),
                w.url.as_str().into(),
                w.enabled.into(),
                sealed(app, &w.secret).into(),
                created_at.into(),
                w.updated_at.unwrap_or(created_at).into(),
            ];
            Some(Incoming {
                secret: Some(("secret", lookup_hash(&w.secret))),
                ..Incoming::new(w.id, cells)
            })
        });
        let rows = rows.collect();
        let how = How {
            keeps_ids,
            ..How::default()
        };
        taker.rows(name, &tables::WEBHOOKS, rows, how).await?;
    }
    Ok(())
}

async fn take_workspaces(taker: &mut Taker<'_>, app: &App, all: &Listeners) -> Result<()> {
    let known = imports::origins(
        taker.tx,
        taker.import.id,
        noun::SLACK_WORKSPACE,
        i64::MIN,
        i64::MAX,
    )
    .await?;
    let known: HashMap<i64, Origin> = known
        .into_iter()
        .map(|origin| (origin.source_id, origin))
        .collect();
    let mut count = Count::default();
    for workspace in &all.slack_workspaces {
        let Some(project) = taker.id(noun::PROJECT, workspace.project_id) else {
            continue;
        };
        let digest = Some(lookup_hash(&workspace.api_token));
        let before = known.get(&workspace.id);
        count.found += 1;
        if before.is_some_and(|origin| origin.digest == digest && origin.row_id == project) {
            count.unchanged += 1;
            continue;
        }
        let token = app.sealer().seal(&workspace.api_token);
        let created_at = workspace.created_date.unwrap_or_default();
        rows::set_slack_token(taker.tx, project, &token, created_at).await?;
        let origin = Origin {
            source_id: workspace.id,
            row_id: project,
            other_id: None,
            digest,
        };
        imports::set_origin(taker.tx, taker.import.id, noun::SLACK_WORKSPACE, &origin).await?;
        if before.is_some() {
            count.updated += 1;
        } else {
            count.created += 1;
        }
    }
    taker.written += count.created + count.updated;
    taker.report.count(noun::SLACK_WORKSPACE, &count);
    Ok(())
}

async fn take_integrations(taker: &mut Taker<'_>, app: &App, all: &Listeners) -> Result<()> {
    let mut incoming = Vec::new();
    for (kind, scope, list) in &all.integrations {
        for row in list {
            incoming.extend(integration(taker, app, kind, *scope, row));
        }
    }
    let how = How {
        keeps_ids: false,
        ..How::default()
    };
    taker
        .rows(noun::INTEGRATION, &tables::INTEGRATIONS, incoming, how)
        .await
}

fn integration(taker: &Taker<'_>, app: &App, kind: &str, scope: Scope, row: &Value) -> Option<Incoming> {
    let (column, noun) = match scope {
        Scope::Organisation => ("organisation_id", noun::ORGANISATION),
        Scope::Project => ("project_id", noun::PROJECT),
        Scope::Environment => ("environment_id", noun::ENVIRONMENT),
    };
    let place: Cell = taker.id(noun, row[column].as_i64()?)?.into();
    let nowhere = || Cell::Int(None);
    let places = match scope {
        Scope::Organisation => [place, nowhere(), nowhere()],
        Scope::Project => [nowhere(), place, nowhere()],
        Scope::Environment => [nowhere(), nowhere(), place],
    };
    let integration = kinds::find(kind)?;
    let given: Map<String, Value> = (integration.fields.iter())
        .filter_map(|field| {
            let value = row.get(field.name)?;
            (!value.is_null()).then(|| (field.name.to_owned(), value.clone()))
        })
        .collect();
    let (settings, secrets) = configuration::kept(integration, given);
    let now = Timestamp::now().0;
    let mut cells: Vec<Cell> = vec![kind.into()];
    cells.extend(places);
    cells.extend([
        settings.into(),
        sealed(app, &secrets).into(),
        now.into(),
        now.into(),
    ]);
    let source = number_of(&format!("{kind} {column} {}", row["id"]));
    Some(Incoming {
        secret: Some(("secrets", lookup_hash(&secrets))),
        ..Incoming::new(source, cells)
    })
}

//! `/api/v1/projects/{project_id}/feature-health/` and `/api/v1/feature-health/{path}`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use burgee_app::feature_health::{self, HealthEvent, HealthProvider, Report};
use burgee_app::{App, Error};
use burgee_model::metadata::is_url;
use burgee_model::{Timestamp, limits};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::caller::Signed;
use crate::error::ApiResult;
use crate::fields::{Blank, Field, Given, Text, message};
use crate::params::Path;
use crate::{choices, input};

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_health_providers, create_health_provider))
        .routes(routes!(delete_health_provider))
        .routes(routes!(list_health_events))
        .routes(routes!(dismiss_health_event))
        .routes(routes!(report_health))
}

/// Monitoring that reports how features fare.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthProviderView {
    pub created_by: Option<String>,
    #[schema(example = "Webhook")]
    pub name: String,
    pub project: i64,
    /// Where it reports to. Who has the address may report.
    pub webhook_url: String,
}

fn provider_view(app: &App, provider: HealthProvider) -> HealthProviderView {
    HealthProviderView {
        webhook_url: app.health_address(&provider),
        created_by: provider.created_by,
        name: provider.name,
        project: provider.project_id,
    }
}

/// A report about a feature.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthEventView {
    pub id: i64,
    pub created_at: String,
    pub environment: Option<i64>,
    pub feature: i64,
    pub provider_name: Option<String>,
    pub reason: Option<Value>,
    #[schema(value_type = crate::words::HealthEventType)]
    pub r#type: String,
}

impl From<HealthEvent> for HealthEventView {
    fn from(event: HealthEvent) -> Self {
        Self {
            id: event.id,
            created_at: Timestamp(event.created_at).rest(),
            environment: event.environment_id,
            feature: event.feature_id,
            provider_name: event.provider_name,
            reason: event.reason.and_then(|text| serde_json::from_str(&text).ok()),
            r#type: event.r#type,
        }
    }
}

choices! {
    /// The kinds of monitoring whose reports are understood.
    pub enum HealthProviderName { Webhook = "Webhook", Grafana = "Grafana" }
}

input! {
    /// Monitoring to be set up.
    pub struct HealthProviderBody {
        pub name: HealthProviderName,
    }
}

/// The monitoring that may report on a project's features.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/feature-health/providers/", tag = "feature health",
    responses((status = 200, body = Vec<HealthProviderView>)))]
async fn list_health_providers(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
) -> ApiResult<Json<Vec<HealthProviderView>>> {
    let mut tx = app.db().read().await?;
    let found = feature_health::providers(&mut tx, &caller, project_id).await?;
    Ok(Json(
        found
            .into_iter()
            .map(|provider| provider_view(&app, provider))
            .collect(),
    ))
}

/// Sets up monitoring.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/feature-health/providers/", tag = "feature health",
    request_body = HealthProviderBody, responses((status = 201, body = HealthProviderView)))]
async fn create_health_provider(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
    body: Body,
) -> ApiResult<(StatusCode, Json<HealthProviderView>)> {
    let input: HealthProviderBody = body.parse()?;
    let made = feature_health::create_provider(&app, &caller, project_id, input.name.as_str()).await?;
    Ok((StatusCode::CREATED, Json(provider_view(&app, made))))
}

/// Removes monitoring: its address is good for nothing from then on.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}/feature-health/providers/{name}/",
    tag = "feature health", responses((status = 204)))]
async fn delete_health_provider(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, name)): Path<(i64, String)>,
) -> ApiResult<StatusCode> {
    feature_health::delete_provider(&app, &caller, project_id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last report about each matter of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}/feature-health/events/", tag = "feature health",
    responses((status = 200, body = Vec<HealthEventView>)))]
async fn list_health_events(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(project_id): Path<i64>,
) -> ApiResult<Json<Vec<HealthEventView>>> {
    let mut tx = app.db().read().await?;
    let found = feature_health::events(&mut tx, &caller, project_id).await?;
    Ok(Json(found.into_iter().map(HealthEventView::from).collect()))
}

/// Somebody has seen to it: the matter counts as well again.
#[utoipa::path(post, path = "/api/v1/projects/{project_id}/feature-health/events/{id}/dismiss/",
    tag = "feature health", responses((status = 200, body = HealthEventView)))]
async fn dismiss_health_event(
    State(app): State<App>,
    Signed(caller): Signed,
    Path((project_id, id)): Path<(i64, i64)>,
) -> ApiResult<Json<HealthEventView>> {
    Ok(Json(
        feature_health::dismiss(&app, &caller, project_id, id)
            .await?
            .into(),
    ))
}

choices! {
    /// How a feature fares.
    pub enum HealthStatus { Healthy = "healthy", Unhealthy = "unhealthy" }
}

input! {
    /// A paragraph of a reason.
    pub struct TextBlock {
        pub text: Text<5000>,
        pub title: Option<Blank<500>>,
    }
}

input! {
    /// An address of a reason.
    pub struct UrlBlock {
        pub url: WebAddress,
        pub title: Option<Blank<500>>,
    }
}

/// An address that a browser may be sent to.
#[derive(Debug, Clone)]
pub struct WebAddress(pub String);

impl Field for WebAddress {
    fn read(value: Option<&Value>) -> Result<Self, Value> {
        let Text(text) = Text::<2000>::read(value)?;
        if is_url(&text) {
            Ok(Self(text))
        } else {
            Err(message("Enter a valid URL."))
        }
    }

    fn schema() -> RefOr<Schema> {
        Text::<2000>::schema()
    }
}

input! {
    /// Why a feature fares as it does.
    pub struct ReasonBody {
        pub text_blocks: Given<Vec<TextBlock>>,
        pub url_blocks: Given<Vec<UrlBlock>>,
    }
}

impl ReasonBody {
    fn into_json(self) -> Value {
        let block = |name: &str, text: String, title: Option<String>| {
            let mut block = Map::new();
            block.insert(name.to_owned(), text.into());
            if let Some(title) = title {
                block.insert("title".to_owned(), title.into());
            }
            Value::Object(block)
        };
        let most = limits::HEALTH_REASON_BLOCKS;
        let texts = self.text_blocks.0.unwrap_or_default().into_iter().take(most);
        let urls = self.url_blocks.0.unwrap_or_default().into_iter().take(most);
        let texts = texts.map(|b| block("text", b.text.0, b.title.map(|t| t.0)));
        let urls = urls.map(|b| block("url", b.url.0, b.title.map(|t| t.0)));
        json!({ "text_blocks": texts.collect::<Vec<_>>(), "url_blocks": urls.collect::<Vec<_>>() })
    }
}

input! {
    /// What a `Webhook` provider reports. (`Grafana` sends what Grafana's alerting sends.)
    pub struct HealthReportBody {
        pub feature: Text<2000>,
        pub environment: Option<Text<2000>>,
        pub status: HealthStatus,
        pub reason: Option<ReasonBody>,
    }
}

impl From<HealthReportBody> for Report {
    fn from(body: HealthReportBody) -> Self {
        Self {
            feature: body.feature.0,
            environment: body.environment.map(|text| text.0),
            healthy: body.status == HealthStatus::Healthy,
            reason: body.reason.map(ReasonBody::into_json),
            external_id: None,
        }
    }
}

/// Takes a report. Nobody signs it: the path itself is the secret.
#[utoipa::path(post, path = "/api/v1/feature-health/{path}/", tag = "feature health", security(()),
    request_body = HealthReportBody, responses((status = 200)))]
async fn report_health(
    State(app): State<App>,
    Path(path): Path<String>,
    body: Body,
) -> ApiResult<StatusCode> {
    let provider = feature_health::provider_at(&app, &path).await?;
    let reports = match provider.name.as_str() {
        "Grafana" => grafana(&body.0)?,
        _ => vec![body.parse::<HealthReportBody>()?.into()],
    };
    feature_health::report(&app, &provider, reports).await?;
    Ok(StatusCode::OK)
}

/// The alerts of a message of Grafana's that name a feature in their label `flagsmith_feature`.
fn grafana(body: &Value) -> ApiResult<Vec<Report>> {
    let alerts = body.get("alerts").and_then(Value::as_array);
    let alerts = alerts.ok_or_else(|| Error::field("alerts", "This field is required."))?;
    let reports = alerts.iter().take(limits::HEALTH_REPORTS).filter_map(|alert| {
        let text = |of: &str, name: &str, most: usize| {
            let text = alert.get(of)?.get(name)?.as_str()?;
            Some(text.chars().take(most).collect::<String>())
        };
        // A name that is longer than any can be is nobody's.
        let label = |name: &str| text("labels", name, limits::FEATURE_NAME_LENGTH + 1);
        let own = |name: &str| alert.get(name)?.as_str().filter(|text| !text.is_empty());
        let mut texts = Vec::new();
        for (name, title) in [
            ("description", None),
            ("summary", text("labels", "alertname", 255)),
        ] {
            if let Some(text) = text("annotations", name, 5000).filter(|text| !text.is_empty()) {
                texts.push(match title {
                    Some(title) => json!({ "text": text, "title": title }),
                    None => json!({ "text": text }),
                });
            }
        }
        let urls = [
            ("generatorURL", "Alert"),
            ("dashboardURL", "Dashboard"),
            ("panelURL", "Panel"),
            ("silenceURL", "Silence"),
        ];
        let urls = urls.into_iter().filter_map(|(name, title)| {
            let url = own(name).filter(|url| url.len() <= 2000 && is_url(url))?;
            Some(json!({ "url": url, "title": title }))
        });
        let clean = |text: String| (!text.contains('\0')).then_some(text);
        Some(Report {
            feature: label("flagsmith_feature").and_then(clean)?,
            environment: label("flagsmith_environment").and_then(clean),
            healthy: own("status") == Some("resolved"),
            reason: Some(json!({ "text_blocks": texts, "url_blocks": urls.collect::<Vec<_>>() })),
            external_id: own("fingerprint")
                .map(|text| text.chars().take(255).collect())
                .and_then(clean),
        })
    });
    Ok(reports.collect())
}

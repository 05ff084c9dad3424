//! Traces by OpenTelemetry's protocol (OTLP over HTTP, protobuf): a span for each request and each task. None are made
//! until a collector is named.
//!
//! Spans say routes, kinds and outcomes; never a path as it was sent, an identifier, a trait, a key or an address.

use std::{fmt, pin::Pin, time::Duration};

use anyhow::Context as _;
use axum::http::{HeaderMap, StatusCode};
use burgee_outbound::http::{Client, Reach, Request};
use hyper::body::Bytes;
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator as _,
    trace::{TraceContextExt as _, TraceId, TracerProvider as _},
};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, Tracer},
};
use tokio::runtime::Handle;
use tracing::{Span, Subscriber, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::config;

/// The target of spans that become traces; no log line has it.
pub use burgee_worker::TRACE;

/// How long the collector may take, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise: the exporter itself waits no longer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the end of the process waits for the last spans.
const END_WITHIN: Duration = Duration::from_secs(3);

/// Where spans go.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: Tracer,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traces")
    }
}

impl Traces {
    /// Starts sending, where a collector is named. Within the runtime, which carries the requests to it.
    pub fn start(settings: &config::Traces) -> anyhow::Result<Option<Self>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let of_traces = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value.eq_ignore_ascii_case("none"));
        if is_off || (settings.otlp_endpoint.is_none() && of_traces.is_none()) {
            return Ok(None);
        }
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new())
            .with_protocol(Protocol::HttpBinary);
        // The variable for traces alone names the whole address, and the library reads it.
        if let (None, Some(endpoint)) = (&of_traces, &settings.otlp_endpoint) {
            let base = endpoint.as_str().trim_end_matches('/');
            exporter = exporter.with_endpoint(format!("{base}/v1/traces"));
        }
        let exporter = exporter
            .build()
            .context("cannot set up traces (traces.otlp_endpoint)")?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(variable("OTEL_SERVICE_NAME").is_some()))
            .build();
        let tracer = provider.tracer("burgee");
        Ok(Some(Self { provider, tracer }))
    }

    /// What hands spans over.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| {
                metadata.is_span() && metadata.target() == TRACE
            }))
    }

    /// Sends what was not sent yet.
    pub async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(END_WITHIN));
        if let Ok(Err(error)) = ended.await {
            tracing::debug!(%error, "the last spans were not taken");
        }
    }
}

/// What this process is, unless OpenTelemetry's variables say otherwise.
fn resource(is_named: bool) -> Resource {
    let mut resource = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
    ]);
    let attributes = std::env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    if !is_named && !attributes.contains("service.name=") {
        resource = resource.with_service_name("burgee");
    }
    resource.build()
}

/// The span of a request, which goes on with the trace of whoever asks. It costs next to nothing while nobody collects.
pub fn request(method: &'static str, route: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: TRACE,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    if !span.is_disabled() && headers.contains_key("traceparent") {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // It fails only where no layer collects.
        _ = span.set_parent(parent);
    }
    span
}

/// Notes how a request was answered.
pub fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The id of the trace that a span is part of, where it is collected: logs name it.
pub fn id(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let id = context.span().span_context().trace_id();
    (id != TraceId::INVALID).then(|| id.to_string())
}

/// Carries spans to the collector, from the library's own thread, by way of the runtime.
#[derive(Debug)]
struct Sender {
    client: Client,
    runtime: Handle,
}

impl Sender {
    fn new() -> Self {
        Self {
            client: Client::new(Reach::Everywhere),
            runtime: Handle::current(),
        }
    }
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<hyper::Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Sender {
    fn send_bytes<'a, 'b>(&'a self, request: hyper::Request<Bytes>) -> Sent<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        let (parts, body) = request.into_parts();
        let mut sent = Request::new(parts.method, parts.uri.to_string())
            .body(body)
            .within(TIMEOUT);
        for (name, value) in &parts.headers {
            sent = sent.header(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
        }
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.send(sent).await });
        Box::pin(async move {
            let answer = answer.await??;
            let mut response = hyper::Response::new(answer.body);
            *response.status_mut() = StatusCode::from_u16(answer.status)?;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

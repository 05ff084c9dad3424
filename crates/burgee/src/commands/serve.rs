//! `burgee serve`: configuration, logs, database, socket; then requests until a signal; then an orderly end.

use std::{
    fmt::Write as _,
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use axum::Router;
use burgee_app::settings::KeptIn;
use burgee_app::{App, Settings, users};
use burgee_store::{Db, DbError};
use tokio::net::TcpListener;

use super::beside;
use crate::{
    cli::{SettingFlags, print},
    config::{Config, DatabaseUrl, Loaded, Rate, Store},
    demo,
    http::{self, Patience},
    logging,
    metrics::Metrics,
    requests, secret,
    shutdown::{self, Hooks, Stopping},
    traces::Traces,
};

/// The flags of `burgee serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingFlags,
    /// Start with an organisation, flags and identities to try things on
    #[arg(long)]
    demo: bool,
}

/// What the server is made of, besides its configuration.
#[derive(Debug)]
pub struct Parts {
    /// Fill an empty database with something to try things on.
    pub demo: bool,
    /// The page for Prometheus; `None`: not to be served.
    pub metrics: Option<Metrics>,
    /// Becomes true when Burgee stops; event streams end then, background work winds down.
    pub stopping: Stopping,
    /// The address that is listened on.
    pub address: SocketAddr,
}

/// A server that is ready for its socket.
#[derive(Debug)]
pub struct Started {
    /// Everything that is answered.
    pub router: Router,
    /// What is written down last when Burgee stops.
    pub hooks: Hooks,
    /// What people are told once it listens, a line each: the set-up hint, the demo's log-in.
    pub lines: Vec<String>,
}

/// Runs the server until it is told to stop.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    beside::block_on(async {
        let traces = watch(&loaded)?;
        let outcome = serve(&loaded, args.demo).await;
        end(traces).await;
        outcome
    })
}

/// Starts logs and traces, and says what looks odd in the configuration.
pub(super) fn watch(loaded: &Loaded) -> anyhow::Result<Option<Traces>> {
    let traces = Traces::start(&loaded.config.traces)?;
    logging::start(&loaded.config.logging, traces.as_ref());
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(traces)
}

/// Sends the last spans.
pub(super) async fn end(traces: Option<Traces>) {
    if let Some(traces) = traces {
        traces.end().await;
    }
}

async fn serve(loaded: &Loaded, demo: bool) -> anyhow::Result<ExitCode> {
    let config = &loaded.config;
    prepare_directory(loaded)?;
    let stopping = shutdown::watch_signals().context("cannot watch for signals")?;
    let metrics = metrics(config)?;
    // First, so that links name the address that is really listened on. Whoever connects meanwhile waits.
    let listener = bind(loaded).await?;
    let parts = Parts {
        demo,
        metrics,
        stopping: stopping.clone(),
        address: listener
            .local_addr()
            .context("cannot tell the address listened on")?,
    };
    let started = start(config, parts).await?;
    let router = requests::watch(started.router, config.logging.access);

    announce(&listener, &started.lines)?;
    let grace = config.server.shutdown_grace();
    let ended = http::serve(listener, router, stopping, grace, Patience::default()).await;
    if !ended.all_answered {
        tracing::warn!(
            "some requests were cut off: they ran longer than server.shutdown_grace_seconds allows"
        );
    }
    started.hooks.run(ended.deadline.end).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Opens the store, brings the database up to date and builds the application on it.
async fn start(config: &Config, parts: Parts) -> anyhow::Result<Started> {
    let db = open(config).await?;
    let secret = secret::load(config, &db).await?;
    let mut settings = settings(config, secret, parts.address);
    settings.analytics = analytics(config).await?;
    let app = App::start(db, settings.clone()).await.context("cannot start")?;
    let mut lines = Vec::new();
    let mut has_users = users::presence(&app)
        .await
        .context("cannot read the database")?
        .has_users;
    if config.admin.create_at_start && !has_users {
        lines.push(create_administrator(config, &app).await?);
        has_users = true;
    }
    if !has_users && !parts.demo {
        lines.push(set_up_hint(&settings));
    }
    tokio::spawn(close_streams(app.clone(), parts.stopping));
    let worker = config
        .worker
        .in_server
        .then(|| burgee_worker::start(&app, config.worker.concurrency as usize));
    let router = burgee_api::router(app.clone(), parts.metrics.map(page));
    if parts.demo {
        lines.extend(demo::fill(&app, &router).await?);
    }
    let mut hooks = Hooks::new();
    add_hooks(&mut hooks, app, worker);
    Ok(Started { router, hooks, lines })
}

/// The page for Prometheus as the API takes it.
pub(super) fn page(metrics: Metrics) -> burgee_api::instance::Metrics {
    Arc::new(move || metrics.render())
}

/// What is done last: tasks that run are finished, then what was only counted is stored.
pub(super) fn add_hooks(hooks: &mut Hooks, app: App, worker: Option<burgee_worker::Worker>) {
    if let Some(worker) = worker {
        let mut closing = app.closing();
        // From the stop on, beside the last requests.
        let ended = tokio::spawn(async move {
            let _ = closing.wait_for(|closing| *closing).await;
            worker.end().await;
        });
        hooks.add("background work", async move {
            // What can't be finished is done again after the next start; the counts need their time.
            let _ = tokio::time::timeout(FINISH_TASKS, ended).await;
        });
    }
    hooks.add("counts and database", async move {
        if let Err(error) = app.close().await {
            tracing::error!(%error, "the last counts are not stored");
        }
    });
}

/// How long tasks that still run after the last request are waited for.
const FINISH_TASKS: Duration = Duration::from_secs(1);

/// Makes the first administrator as the configuration says. Returns what to tell whoever runs the program.
async fn create_administrator(config: &Config, app: &App) -> anyhow::Result<String> {
    let email = config.admin.email.as_deref().unwrap_or_default();
    let initial = config.admin.initial_password.expose();
    let made = || format!("{}-1a", burgee_model::keys::alphanumeric(14));
    let password = if initial.is_empty() {
        made()
    } else {
        initial.to_owned()
    };
    users::create_superuser(app, email, &password)
        .await
        .context("cannot make the administrator (admin.*)")?;
    Ok(if initial.is_empty() {
        format!("Administrator: {email} with the password {password} (shown only this once)")
    } else {
        format!("Administrator: {email}")
    })
}

/// How often a database that does not answer yet is asked again at the start, and how long in between.
const ATTEMPTS: u32 = 10;
const BETWEEN: Duration = Duration::from_secs(2);

/// Opens the database of the product.
pub(super) async fn open(config: &Config) -> anyhow::Result<Db> {
    open_database(&config.database.url, config.database.max_connections).await
}

/// Where counts are kept; opens the database of their own, where they have one.
pub(super) async fn analytics(config: &Config) -> anyhow::Result<KeptIn> {
    // Both were checked when the configuration was read.
    Ok(
        match config
            .analytics
            .store(&config.influxdb)
            .map_err(|problem| anyhow!(problem))?
        {
            Store::None => KeptIn::Nowhere,
            Store::Influxdb => KeptIn::Influx(
                config
                    .influxdb
                    .settings()
                    .map_err(|missing| anyhow!("{missing} is not set"))?,
            ),
            Store::Database(Some(url)) if url != config.database.url => {
                KeptIn::OtherDatabase(open_database(&url, config.database.max_connections).await?)
            }
            Store::Database(_) => KeptIn::Database,
        },
    )
}

/// Opens a database. One that starts beside this program is given some time.
async fn open_database(url: &DatabaseUrl, connections: u32) -> anyhow::Result<Db> {
    let mut attempt = 1;
    loop {
        match Db::open(url.expose(), connections).await {
            Err(DbError::Unavailable(error)) if url.sqlite_file().is_none() && attempt < ATTEMPTS => {
                tracing::warn!(%error, "the database does not answer yet ({attempt} of {ATTEMPTS})");
                tokio::time::sleep(BETWEEN).await;
                attempt += 1;
            }
            outcome => return outcome.with_context(|| format!("cannot open the database {url:?}")),
        }
    }
}

/// The address in a form that can be opened: all addresses of the machine include its own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The configuration in the words of the application.
pub(super) fn settings(config: &Config, secret: [u8; 32], address: SocketAddr) -> Settings {
    let registration = &config.registration;
    let public_url = config.server.public_url.as_ref().map_or_else(
        || format!("http://{}", reachable(address)),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    );
    Settings {
        registration_open: registration.allow_without_invite,
        signup_prevented: registration.prevent_signup,
        passwords_prevented: registration.prevent_email_password,
        invite_links_disabled: registration.disable_invite_links,
        organisations_by_superusers: registration.superusers_create_organisations,
        login_rate: config.throttles.login.rate().map(attempts),
        signup_rate: config.throttles.signup.rate().map(attempts),
        user_rate: config.throttles.user.rate().map(attempts),
        master_api_key_rate: config.throttles.master_api_key.rate().map(attempts),
        public_url,
        secret,
        // Whoever can reach the address could otherwise be the first administrator.
        setup_code: (!address.ip().is_loopback()).then(|| burgee_model::keys::alphanumeric(12)),
        realtime_heartbeat: config.sdk.realtime_heartbeat(),
        realtime_retry: config.sdk.realtime_retry(),
        cors_extra_headers: config.server.cors_extra_headers.clone(),
        email_activation: config.sign_in.email_activation,
        cookies: config.sign_in.cookies(),
        github: config.sign_in.github(),
        google: config.sign_in.google(),
        oidc: config.sign_in.oidc(),
        outbound: burgee_outbound::Settings {
            allow_private_addresses: config.outbound.allow_private_addresses,
            mail: config.mail.settings(),
        },
        audience_sync_folder: config.audience_sync.folder(),
        raw_analytics_days: config.analytics.raw_retention_days,
        bucketed_analytics_days: config.analytics.bucketed_retention_days,
        api_calls_limit: config.limits.api_calls(),
        seats: config.limits.seats(),
        telemetry: config.telemetry.settings(),
        launch_darkly_url: config.outbound.launch_darkly_url.trim_end_matches('/').to_owned(),
        project_limits: config.limits.of_projects(),
        impact: config.impact.settings(),
        maintenance: config.server.maintenance,
        own_flags: config.own_flags.settings(),
        github_app: config.github.settings(),
        slack: config.slack.settings(),
        ..Settings::default()
    }
}

fn attempts(rate: Rate) -> burgee_app::settings::Rate {
    burgee_app::settings::Rate {
        attempts: rate.calls,
        seconds: u32::try_from(rate.per.as_secs()).unwrap_or(u32::MAX),
    }
}

/// Where the first administrator is made, and what he must know.
fn set_up_hint(settings: &Settings) -> String {
    let path = if burgee_api::dashboard::is_built() {
        "/setup"
    } else {
        "/api/v1/users/config/init/"
    };
    let page = format!("{}{path}", settings.public_url);
    match &settings.setup_code {
        None => format!("Set up the first administrator: {page}"),
        Some(code) => format!("Set up the first administrator: {page} (one-time code: {code})"),
    }
}

/// Event streams end at once; all other requests are given the time they need.
pub(super) async fn close_streams(app: App, mut stopping: Stopping) {
    let _ = stopping.wait_for(|stop| *stop).await;
    app.begin_closing();
}

pub(super) fn metrics(config: &Config) -> anyhow::Result<Option<Metrics>> {
    if !config.metrics.enabled {
        return Ok(None);
    }
    let metrics = Metrics::install()?;
    tokio::spawn(metrics.clone().keep_up());
    Ok(Some(metrics))
}

/// Makes sure the directory of an embedded database is there and can be written, so that a mistake is told as what it is.
pub(super) fn prepare_directory(loaded: &Loaded) -> anyhow::Result<()> {
    let Some(file) = loaded.config.database.url.sqlite_file() else {
        return Ok(());
    };
    let directory = file.parent().filter(|path| !path.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let setting = match loaded.source_of("database.url") {
        crate::config::Source::Derived(setting) => setting,
        _ => "database.url",
    };
    check_writable(directory).map_err(|error| {
        let source = loaded.source_of(setting);
        let directory = directory.display();
        anyhow!("cannot write to the data directory {directory} ({setting}, from {source}): {error}")
    })
}

fn check_writable(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        // It holds everybody's data.
        builder.mode(0o700);
    }
    builder.create(directory)?;
    let probe = directory.join(format!(".burgee-write-test-{}", std::process::id()));
    fs::write(&probe, b"")?;
    fs::remove_file(&probe)
}

pub(super) async fn bind(loaded: &Loaded) -> anyhow::Result<TcpListener> {
    let address = &loaded.config.server.listen;
    let source = loaded.source_of("server.listen");
    match TcpListener::bind(address.to_string()).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!(
                "cannot listen on {address} (server.listen, from {source}): another program does; \
                 choose another with --listen HOST:PORT"
            )
        }
        Err(error) => bail!("cannot listen on {address} (server.listen, from {source}): {error}"),
    }
}

/// Tells, on standard output, that Burgee can be used.
fn announce(listener: &TcpListener, lines: &[String]) -> anyhow::Result<()> {
    let address = listener
        .local_addr()
        .context("cannot tell the address listened on")?;
    let mut text = format!("Burgee is listening on http://{address}\n");
    for line in lines {
        writeln!(text, "{line}")?;
    }
    print(&text)?;
    tracing::info!("listening on {address}");
    Ok(())
}

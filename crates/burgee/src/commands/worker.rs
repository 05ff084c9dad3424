//! `burgee worker`: the background work of an installation, in a process of its own.

use std::process::ExitCode;

use anyhow::Context as _;
use burgee_app::App;

use super::{beside, serve};
use crate::{
    cli::{SettingFlags, print},
    config::Loaded,
    http::{self, Patience},
    requests, secret,
    shutdown::{self, Hooks},
};

/// The flags of `burgee worker`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingFlags,
}

/// Does background work until it is told to stop.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let loaded = args.settings.load()?;
    beside::block_on(async {
        let traces = serve::watch(&loaded)?;
        let outcome = work(&loaded).await;
        serve::end(traces).await;
        outcome
    })
}

async fn work(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    let config = &loaded.config;
    serve::prepare_directory(loaded)?;
    let stopping = shutdown::watch_signals().context("cannot watch for signals")?;
    let metrics = serve::metrics(config)?;
    // Health and metrics, for whoever watches over it.
    let listener = serve::bind(loaded).await?;
    let address = listener
        .local_addr()
        .context("cannot tell the address listened on")?;
    let db = serve::open(config).await?;
    let secret = secret::load(config, &db).await?;
    let mut settings = serve::settings(config, secret, address);
    settings.analytics = serve::analytics(config).await?;
    let app = App::start(db, settings).await.context("cannot start")?;
    let worker = burgee_worker::start(&app, config.worker.concurrency as usize);
    tokio::spawn(serve::close_streams(app.clone(), stopping.clone()));
    let metrics = metrics.map(serve::page);
    let router = burgee_api::instance_router(app.clone(), metrics);
    let router = requests::watch(router, config.logging.access);
    print(&format!(
        "Burgee works; its health is at http://{address}/health\n"
    ))?;
    let grace = config.server.shutdown_grace();
    let ended = http::serve(listener, router, stopping, grace, Patience::default()).await;
    let mut hooks = Hooks::new();
    serve::add_hooks(&mut hooks, app, Some(worker));
    hooks.run(ended.deadline.end).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

//! Environment variables: `BURGEE_<SECTION>_<KEY>` for every setting, and Flagsmith's own names where they mean the same.
//!
//! An empty variable counts as not set: compose files and charts pass those along by the dozen.

use std::collections::BTreeMap;

use toml::Value;
use url::Url;

use super::{
    error::ConfigError,
    layers::{Settings, Source},
    server::Listen,
    suggest::closest,
};

/// Names and values of environment variables.
pub type Environment = BTreeMap<String, String>;

/// The environment of this process. Variables that are not text are left out.
pub fn of_this_process() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Settings and Flagsmith's names for them, of all sections.
pub(super) fn flagsmith_names() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        super::server::FLAGSMITH_NAMES,
        super::database::FLAGSMITH_NAMES,
        super::logging::FLAGSMITH_NAMES,
        super::registration::FLAGSMITH_NAMES,
        super::admin::FLAGSMITH_NAMES,
        super::mail::FLAGSMITH_NAMES,
        super::sign_in::FLAGSMITH_NAMES,
        super::own_flags::FLAGSMITH_NAMES,
        super::github::FLAGSMITH_NAMES,
        super::slack::FLAGSMITH_NAMES,
        super::throttles::FLAGSMITH_NAMES,
        super::telemetry::FLAGSMITH_NAMES,
        super::analytics::FLAGSMITH_NAMES,
        super::influxdb::FLAGSMITH_NAMES,
        super::metrics::FLAGSMITH_NAMES,
        super::traces::FLAGSMITH_NAMES,
    ]
    .into_iter()
    .flatten()
}

/// Our name for the variable of a setting.
pub(super) fn own_name(setting: &str) -> String {
    format!("BURGEE_{}", setting.replace('.', "_").to_ascii_uppercase())
}

/// Lays the environment on top. Our name of a setting wins over Flagsmith's.
pub(super) fn lay(settings: &mut Settings, environment: &Environment) -> Result<(), ConfigError> {
    for (setting, ending, whole) in [
        ("database.url", "", "DATABASE_URL"),
        ("analytics.database_url", "_ANALYTICS", "ANALYTICS_DATABASE_URL"),
    ] {
        lay_django_database(settings, environment, setting, ending, whole)?;
    }
    lay_analytics(settings, environment)?;
    lay_access_log(settings, environment)?;
    for (setting, name) in flagsmith_names() {
        if let Some(text) = value(environment, name) {
            settings.lay_text(setting, text, from(name))?;
        }
    }
    let names: Vec<String> = settings.names().map(str::to_owned).collect();
    for setting in names {
        let name = own_name(&setting);
        if let Some(text) = value(environment, &name) {
            settings.lay_text(&setting, text, from(&name))?;
        }
    }
    lay_port(settings, environment)
}

/// Variables that look like ours and are not: `BURGEE_SERVER_LISTN`.
///
/// Only near misses are worth a warning, and none may stop the start: Kubernetes adds variables of its own that are named after services.
pub(super) fn near_misses(settings: &Settings, environment: &Environment) -> Vec<String> {
    let own: Vec<String> = settings.names().map(own_name).collect();
    let known = |name: &str| name == "BURGEE_CONFIG" || own.iter().any(|own| own == name);
    environment
        .keys()
        .filter(|name| name.starts_with("BURGEE_") && !known(name))
        .filter_map(|name| {
            let spelling = |name: &str| name.to_ascii_lowercase();
            let spelled: Vec<String> = own.iter().map(|own| spelling(own)).collect();
            let meant = closest(&spelling(name), spelled.iter().map(String::as_str))?;
            let meant = meant.to_ascii_uppercase();
            Some(format!("env {name} is no setting; did you mean {meant}?"))
        })
        .collect()
}

fn value<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment
        .get(name)
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

fn from(name: &str) -> Source {
    Source::Environment(name.to_owned())
}

/// `DJANGO_DB_HOST`, `_NAME`, `_USER`, `_PASSWORD`, `_PORT`, each with an ending, make one Postgres URL: that of `setting`,
/// for which Flagsmith has the name `whole` too.
fn lay_django_database(
    settings: &mut Settings,
    environment: &Environment,
    setting: &str,
    ending: &str,
    whole: &str,
) -> Result<(), ConfigError> {
    let named = |part: &str| format!("DJANGO_DB_{part}{ending}");
    let of = |part: &str| value(environment, &named(part));
    let (host, name, user) = (of("HOST"), of("NAME"), of("USER"));
    if host.or(name).is_none() {
        return Ok(());
    }
    // Whoever names the database in one piece needs none of the parts.
    if value(environment, whole)
        .or(value(environment, &own_name(setting)))
        .is_some()
    {
        return Ok(());
    }
    let wrong = |part: &str, problem: &str| ConfigError::new(setting, from(&named(part)), problem);
    let missing = |part: &str| {
        let problem = format!("must be set too when {} or {} is", named("HOST"), named("NAME"));
        wrong(part, &problem)
    };
    let host = host.ok_or_else(|| missing("HOST"))?;
    let name = name.ok_or_else(|| missing("NAME"))?;
    let user = user.ok_or_else(|| missing("USER"))?;
    let port: u16 = of("PORT")
        .unwrap_or("5432")
        .parse()
        .map_err(|_| wrong("PORT", "must be a port from 1 to 65535"))?;

    let not_a_host = || wrong("HOST", "must be a host name or address");
    let mut url = Url::parse("postgres://localhost/").map_err(|_| not_a_host())?;
    if host.starts_with('/') {
        // A directory is where the server's local socket is.
        url.query_pairs_mut().append_pair("host", host);
    } else {
        url.set_host(Some(host)).map_err(|_| not_a_host())?;
    }
    url.set_port(Some(port)).map_err(|()| not_a_host())?;
    url.set_username(user).map_err(|()| not_a_host())?;
    url.set_password(of("PASSWORD")).map_err(|()| not_a_host())?;
    url.set_path(name);
    settings.lay(setting, Value::String(url.into()), from(&named("HOST")))
}

/// `USE_POSTGRES_FOR_ANALYTICS`: true is a database; false is InfluxDB where that is set up, and otherwise nowhere.
fn lay_analytics(settings: &mut Settings, environment: &Environment) -> Result<(), ConfigError> {
    const NAME: &str = "USE_POSTGRES_FOR_ANALYTICS";
    let Some(text) = value(environment, NAME) else {
        return Ok(());
    };
    let store = match super::values::boolean(text) {
        Some(true) => "database",
        Some(false) => super::analytics::NOT_IN_POSTGRES,
        None => {
            return Err(ConfigError::new(
                "analytics.store",
                from(NAME),
                "must be true or false",
            ));
        }
    };
    settings.lay("analytics.store", Value::String(store.to_owned()), from(NAME))
}

/// `ACCESS_LOG_LOCATION` is a file in Flagsmith; Burgee logs to one place only.
fn lay_access_log(settings: &mut Settings, environment: &Environment) -> Result<(), ConfigError> {
    const NAME: &str = "ACCESS_LOG_LOCATION";
    let logged = match value(environment, NAME) {
        None => return Ok(()),
        Some("-" | "/dev/stdout" | "/dev/stderr") => true,
        Some("/dev/null") => false,
        Some(_) => {
            let problem = "must be - (log requests) or /dev/null (do not); Burgee writes no log files";
            return Err(ConfigError::new("logging.access", from(NAME), problem));
        }
    };
    settings.lay("logging.access", Value::Boolean(logged), from(NAME))
}

/// `PORT` changes the port and leaves the host as the layers below have it.
fn lay_port(settings: &mut Settings, environment: &Environment) -> Result<(), ConfigError> {
    let Some(text) = value(environment, "PORT") else {
        return Ok(());
    };
    let Ok(port) = text.parse() else {
        let problem = format!("must be a port from 1 to 65535, not {text:?}");
        return Err(ConfigError::new("server.listen", from("PORT"), problem));
    };
    // An address that cannot be read is reported as its own error later.
    let Ok(listen) = Listen::try_from(settings.text("server.listen").to_owned()) else {
        return Ok(());
    };
    let listen = listen.with_port(port).to_string();
    settings.lay("server.listen", Value::String(listen), from("PORT"))
}

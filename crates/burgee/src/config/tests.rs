//! Precedence, and one test per kind of mistake.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;

use super::*;

/// What the configuration is made from in a test.
struct Given {
    directory: TempDir,
    environment: Environment,
    flags: Flags,
}

fn given() -> Given {
    Given {
        directory: TempDir::new().unwrap(),
        environment: Environment::new(),
        flags: Flags::default(),
    }
}

impl Given {
    fn file(self, text: &str) -> Self {
        fs::write(self.directory.path().join("burgee.toml"), text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flag(mut self, setting: &'static str, flag: &'static str, value: &str) -> Self {
        self.flags.settings.push((setting, flag, value.to_owned()));
        self
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        load(&self.flags, &self.environment, self.directory.path())
    }

    fn config(&self) -> Config {
        self.load().unwrap().config
    }

    /// The line a wrong setting is reported with; it must be one.
    fn refusal(&self) -> String {
        let line = self.load().unwrap_err().to_string();
        assert!(!line.contains('\n'), "{line}");
        line.replace(&*self.directory.path().to_string_lossy(), "DIR")
    }
}

#[test]
fn the_defaults_hold() {
    let config = given().config();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.database.url.expose(), "sqlite:burgee-data/burgee.db");
    assert_eq!(config.server.shutdown_grace(), Duration::from_secs(10));
    assert_eq!(config.throttles.login.rate().unwrap().calls, 20);
    assert!(config.throttles.user.rate().is_none());
    assert!(config.telemetry.destination().is_none());
}

#[test]
fn later_sources_win() {
    let file = given().file("[server]\nlisten = \"1.1.1.1:1\"\n");
    assert_eq!(file.config().server.listen.to_string(), "1.1.1.1:1");
    let environment = file.env("BURGEE_SERVER_LISTEN", "2.2.2.2:2");
    assert_eq!(environment.config().server.listen.to_string(), "2.2.2.2:2");
    let flag = environment.flag("server.listen", "--listen", "3.3.3.3:3");
    let loaded = flag.load().unwrap();
    assert_eq!(loaded.config.server.listen.to_string(), "3.3.3.3:3");
    assert_eq!(loaded.source_of("server.listen"), Source::Flag("--listen"));
}

#[test]
fn our_name_wins_over_flagsmiths_and_empty_counts_as_not_set() {
    let both = given()
        .env("DATABASE_URL", "postgres://a@b/theirs")
        .env("BURGEE_DATABASE_URL", "postgres://a@b/ours");
    assert_eq!(both.config().database.url.expose(), "postgres://a@b/ours");
    let empty = both.env("BURGEE_DATABASE_URL", "");
    assert_eq!(empty.config().database.url.expose(), "postgres://a@b/theirs");
}

#[test]
fn the_named_file_is_read_instead_of_the_usual_one() {
    let mut given = given().file("[logging]\nformat = \"json\"\n");
    let named = given.directory.path().join("named.toml");
    fs::write(&named, "[metrics]\nenabled = true\n").unwrap();
    given
        .environment
        .insert("BURGEE_CONFIG".into(), named.display().to_string());
    assert_eq!(given.config().logging.format, LogFormat::Text);
    assert!(given.config().metrics.enabled);
    given.flags.file = Some("absent.toml".into());
    let line = given.refusal();
    assert!(
        line.starts_with("the configuration file (from flag --config): cannot read absent.toml"),
        "{line}"
    );
}

#[test]
fn flagsmiths_variables_are_understood() {
    let config = given()
        .env("DJANGO_DB_HOST", "db.example.com")
        .env("DJANGO_DB_NAME", "flags")
        .env("DJANGO_DB_USER", "me")
        .env("DJANGO_DB_PASSWORD", "p@ss/w:rd")
        .env("PREVENT_SIGNUP", "True")
        .env("ALLOW_REGISTRATION_WITHOUT_INVITE", "False")
        .env("LOG_LEVEL", "WARNING")
        .env("LOG_FORMAT", "generic")
        .env("LOGIN_THROTTLE_RATE", "5/hour")
        .env("FLAGSMITH_DOMAIN", "flags.example.com")
        .env("FLAGSMITH_CORS_EXTRA_ALLOW_HEADERS", "X-One, x-two")
        .env("ACCESS_LOG_LOCATION", "-")
        .env("PORT", "9000")
        .config();
    assert_eq!(
        config.database.url.expose(),
        "postgres://me:p%40ss%2Fw%3Ard@db.example.com:5432/flags"
    );
    assert!(config.registration.prevent_signup && !config.registration.allow_without_invite);
    assert_eq!(config.logging.level.directives(), "warn");
    assert_eq!(
        config.throttles.login.rate().unwrap().per,
        Duration::from_hours(1)
    );
    assert_eq!(
        config.server.public_url.unwrap().as_str(),
        "https://flags.example.com/"
    );
    assert_eq!(config.server.cors_extra_headers, ["X-One", "x-two"]);
    assert!(config.logging.access);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:9000");
}

#[test]
fn database_url_wins_over_its_parts() {
    let given = given()
        .env("DATABASE_URL", "sqlite:x.db")
        .env("DJANGO_DB_HOST", "h");
    assert_eq!(given.config().database.url.expose(), "sqlite:x.db");
}

#[test]
fn the_data_directory_moves_the_embedded_database() {
    let loaded = given()
        .flag("server.data_dir", "--data-dir", "/var/lib/100%")
        .load()
        .unwrap();
    let url = &loaded.config.database.url;
    assert_eq!(url.expose(), "sqlite:/var/lib/100%25/burgee.db");
    assert_eq!(url.sqlite_file().unwrap(), Path::new("/var/lib/100%/burgee.db"));
}

#[test]
fn telemetry_needs_both_a_url_and_not_to_be_off() {
    let on = given().env("BURGEE_TELEMETRY_URL", "https://t.example.com/in");
    assert!(on.config().telemetry.destination().is_some());
    assert!(
        on.env("ENABLE_TELEMETRY", "false")
            .config()
            .telemetry
            .destination()
            .is_none()
    );
}

#[test]
fn an_unknown_key_in_the_file_is_refused_with_what_was_meant() {
    assert_eq!(
        given().file("[server]\nlistn = \"a:1\"\n").refusal(),
        "server.listn (from file DIR/burgee.toml): there is no such setting; did you mean server.listen?"
    );
    assert_eq!(
        given().file("[severs]\nlisten = \"a:1\"\n").refusal(),
        "severs.listen (from file DIR/burgee.toml): there is no such setting; did you mean server.listen?"
    );
    assert_eq!(
        given().file("colour = \"red\"\n").refusal(),
        "colour (from file DIR/burgee.toml): there is no such setting; `burgee config default` lists them all"
    );
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line() {
    let line = given().file("[server]\nlisten = oops\n").refusal();
    assert!(
        line.starts_with("the configuration file (from file DIR/burgee.toml): line 2:"),
        "{line}"
    );
}

#[test]
fn a_wrong_kind_is_refused() {
    assert_eq!(
        given().file("[metrics]\nenabled = \"yes\"\n").refusal(),
        "metrics.enabled (from file DIR/burgee.toml): must be true or false"
    );
    assert_eq!(
        given().env("PREVENT_SIGNUP", "maybe").refusal(),
        "registration.prevent_signup (from env PREVENT_SIGNUP): must be true or false, not \"maybe\""
    );
    assert_eq!(
        given().env("BURGEE_DATABASE_MAX_CONNECTIONS", "many").refusal(),
        "database.max_connections (from env BURGEE_DATABASE_MAX_CONNECTIONS): must be a whole number, not \"many\""
    );
}

#[test]
fn a_value_out_of_bounds_is_refused() {
    assert_eq!(
        given().file("[database]\nmax_connections = 0\n").refusal(),
        "database.max_connections (from file DIR/burgee.toml): must be a whole number from 1 to 1000, not 0"
    );
}

#[test]
fn a_malformed_value_is_refused_with_what_is_allowed() {
    let cases = [
        ("PORT", "http", "server.listen"),
        ("BURGEE_SERVER_LISTEN", "localhost", "server.listen"),
        ("BURGEE_SERVER_LISTEN", "::1:80", "server.listen"),
        ("FLAGSMITH_DOMAIN", "https://a.b/path", "server.public_url"),
        (
            "BURGEE_SERVER_CORS_EXTRA_HEADERS",
            "x y",
            "server.cors_extra_headers",
        ),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "database.url"),
        ("DATABASE_URL", "sqlite:", "database.url"),
        ("DJANGO_DB_NAME", "flags", "database.url"),
        ("LOG_LEVEL", "verbose", "logging.level"),
        ("LOG_FORMAT", "xml", "logging.format"),
        ("ACCESS_LOG_LOCATION", "/var/log/x", "logging.access"),
        ("LOGIN_THROTTLE_RATE", "20/month", "throttles.login"),
        ("SIGNUP_THROTTLE_RATE", "0/min", "throttles.signup"),
        ("ADMIN_EMAIL", "admin", "admin.email"),
        ("ALLOW_ADMIN_INITIATION_VIA_CLI", "1", "admin.create_at_start"),
        ("BURGEE_TELEMETRY_URL", "ftp://x", "telemetry.url"),
        (
            "RAW_ANALYTICS_DATA_RETENTION_DAYS",
            "0",
            "analytics.raw_retention_days",
        ),
        (
            "BURGEE_SDK_REALTIME_HEARTBEAT_SECONDS",
            "500",
            "sdk.realtime_heartbeat_seconds",
        ),
    ];
    for (name, value, setting) in cases {
        let line = given().env(name, value).refusal();
        assert!(
            line.starts_with(&format!("{setting} (from env ")),
            "{name}: {line}"
        );
        assert!(line.contains("must") || line.contains("needs"), "{name}: {line}");
        assert!(!line.contains("hunter2"), "{name}: {line}");
    }
}

#[test]
fn secrets_are_masked_wherever_they_are_printed() {
    let loaded = given()
        .env("DATABASE_URL", "postgres://me:hunter2@db/flags")
        .env("ADMIN_INITIAL_PASSWORD", "hunter2")
        .load()
        .unwrap();
    assert!(!loaded.describe().contains("hunter2"), "{}", loaded.describe());
    assert!(!format!("{:?}", loaded.config).contains("hunter2"));
    assert_eq!(loaded.config.admin.initial_password.expose(), "hunter2");
    let domain = given()
        .env("FLAGSMITH_DOMAIN", "flags.example.com")
        .load()
        .unwrap();
    assert!(
        domain
            .describe()
            .contains("server.public_url = \"flags.example.com\"")
    );
    let token = given().env("BURGEE_TELEMETRY_URL", "https://t.example.com/?token=hunter2");
    assert!(!token.load().unwrap().describe().contains("hunter2"));
    let masked = "database.url = \"postgres://me:********@db/flags\"";
    assert!(loaded.describe().contains(masked), "{}", loaded.describe());
}

#[test]
fn a_near_miss_in_the_environment_warns_and_names_of_kubernetes_do_not() {
    let loaded = given()
        .env("BURGEE_SERVER_LISTN", "a:1")
        .env("BURGEE_PORT", "tcp://10.0.0.1:80")
        .env("BURGEE_SERVICE_HOST", "10.0.0.1")
        .load()
        .unwrap();
    assert_eq!(
        loaded.warnings,
        ["env BURGEE_SERVER_LISTN is no setting; did you mean BURGEE_SERVER_LISTEN?"]
    );
}

#[test]
fn every_setting_is_documented() {
    let page = include_str!("../../../../docs/configuration.md");
    let settings = Settings::from_defaults(DEFAULTS).unwrap();
    for name in settings.names() {
        let variable = environment::own_name(name);
        assert!(
            page.contains(&format!("| `{name}` |")),
            "docs/configuration.md lacks {name}"
        );
        assert!(
            page.contains(&format!("`{variable}`")),
            "docs/configuration.md lacks {variable}"
        );
        assert!(
            DEFAULTS.contains(&variable),
            "config.default.toml lacks {variable}"
        );
    }
    for (setting, variable) in environment::flagsmith_names() {
        assert!(settings.get(setting).is_some(), "{setting} is no setting");
        assert!(
            page.contains(&format!("`{variable}`")),
            "docs/configuration.md lacks {variable}"
        );
        assert!(
            DEFAULTS.contains(variable),
            "config.default.toml lacks {variable}"
        );
    }
}

#[test]
fn mail_is_sent_with_flagsmiths_names_of_the_settings() {
    use burgee_outbound::mail::{Carrier, Security};
    assert!(given().config().mail.settings().is_none());
    let smtp = given()
        .env("EMAIL_HOST", "mail.example.com")
        .env("EMAIL_PORT", "25")
        .env("EMAIL_USE_TLS", "False")
        .env("EMAIL_HOST_USER", "burgee")
        .env("EMAIL_HOST_PASSWORD", "hush")
        .env("SENDER_EMAIL", "burgee@example.com");
    let settings = smtp.config().mail.settings().unwrap();
    let Carrier::Smtp(server) = settings.carrier else {
        panic!("SMTP");
    };
    assert_eq!((server.host.as_str(), server.port), ("mail.example.com", 25));
    assert_eq!(server.credentials, Some(("burgee".to_owned(), "hush".to_owned())));
    assert_eq!(server.security, Security::Clear);
    assert!(!smtp.load().unwrap().describe().contains("hush"));

    let sendgrid = given()
        .env("EMAIL_BACKEND", "sgbackend.SendGridBackend")
        .env("SENDGRID_API_KEY", "SG.x")
        .env("SENDER_EMAIL", "burgee@example.com");
    let settings = sendgrid.config().mail.settings().unwrap();
    assert!(matches!(settings.carrier, Carrier::SendGrid { .. }));
    assert!(!sendgrid.load().unwrap().describe().contains("SG.x"));
}

#[test]
fn mail_without_a_sender_or_a_key_is_refused() {
    let refusal = given().env("EMAIL_HOST", "mail.example.com").refusal();
    assert!(
        refusal.contains("mail.sender") && refusal.contains("SENDER_EMAIL"),
        "{refusal}"
    );
    let refusal = given()
        .env("EMAIL_BACKEND", "sendgrid")
        .env("SENDER_EMAIL", "a@example.com")
        .refusal();
    assert!(refusal.contains("SENDGRID_API_KEY"), "{refusal}");
}

#[test]
fn own_flags_are_set_with_flagsmiths_names() {
    let own = given()
        .env("FLAGSMITH_ON_FLAGSMITH_API_KEY", "abc")
        .env(
            "FLAGSMITH_ON_FLAGSMITH_API_URL",
            "https://flags.example.com/api/v1",
        )
        .env("FLAGSMITH_ON_FLAGSMITH_SERVER_KEY", "ser.hush")
        .env("FLAGSMITH_ON_FLAGSMITH_SERVER_OFFLINE_MODE", "False")
        .env("RESTRICT_ORG_CREATE_TO_SUPERUSERS", "True")
        .env("ENABLE_MAINTENANCE_MODE", "True");
    let config = own.config();
    let settings = config.own_flags.settings();
    assert_eq!(settings.environment_key.as_deref(), Some("abc"));
    assert_eq!(
        settings.api_url.as_deref(),
        Some("https://flags.example.com/api/v1/")
    );
    assert_eq!(settings.server_key.as_deref(), Some("ser.hush"));
    assert_eq!((settings.server_api_url, settings.server_offline), (None, false));
    assert!(config.registration.superusers_create_organisations && config.server.maintenance);
    assert!(!own.load().unwrap().describe().contains("hush"));
}

#[test]
fn a_server_side_key_is_not_given_to_browsers() {
    let refusal = given().env("FLAGSMITH_ON_FLAGSMITH_API_KEY", "ser.abc").refusal();
    assert!(refusal.contains("client-side"), "{refusal}");
    assert!(!refusal.contains("ser.abc"), "{refusal}");
}

#[test]
fn counts_are_kept_where_flagsmiths_settings_say() {
    let influx = |given: Given| {
        given
            .env("INFLUXDB_URL", "http://influx:8086/")
            .env("INFLUXDB_TOKEN", "t")
            .env("INFLUXDB_ORG", "acme")
    };
    let store = |given: Given| {
        let config = given.config();
        config.analytics.store(&config.influxdb).unwrap()
    };
    assert_eq!(store(given()), Store::Database(None));
    assert_eq!(store(influx(given())), Store::Influxdb);
    assert_eq!(
        store(given().env("USE_POSTGRES_FOR_ANALYTICS", "False")),
        Store::None
    );
    assert_eq!(
        store(influx(given().env("USE_POSTGRES_FOR_ANALYTICS", "False"))),
        Store::Influxdb
    );
    assert_eq!(
        store(influx(given().env("USE_POSTGRES_FOR_ANALYTICS", "1"))),
        Store::Database(None)
    );
    assert_eq!(
        store(influx(given().env("BURGEE_ANALYTICS_STORE", "none"))),
        Store::None
    );
    let settings = influx(given()).config().influxdb.settings().unwrap();
    assert_eq!(
        (settings.url.as_str(), settings.bucket.as_str()),
        ("http://influx:8086", "default")
    );
    let parts = given()
        .env("USE_POSTGRES_FOR_ANALYTICS", "true")
        .env("DJANGO_DB_HOST_ANALYTICS", "db")
        .env("DJANGO_DB_NAME_ANALYTICS", "counts")
        .env("DJANGO_DB_USER_ANALYTICS", "u")
        .env("DJANGO_DB_PASSWORD_ANALYTICS", "p@ss")
        .env("DJANGO_DB_PORT_ANALYTICS", "6543");
    let url = "postgres://u:p%40ss@db:6543/counts";
    let of = |url: &str| Store::Database(Some(DatabaseUrl::try_from(url.to_owned()).unwrap()));
    assert_eq!(store(parts), of(url));
    assert_eq!(store(given().env("ANALYTICS_DATABASE_URL", url)), of(url));
}

#[test]
fn counts_in_an_influxdb_that_is_half_set_up_are_refused() {
    for (given, setting) in [
        (given().env("INFLUXDB_TOKEN", "t"), "influxdb.url"),
        (
            given()
                .env("INFLUXDB_TOKEN", "t")
                .env("INFLUXDB_URL", "http://i:8086"),
            "influxdb.org",
        ),
        (given().env("BURGEE_ANALYTICS_STORE", "influxdb"), "influxdb.url"),
        (given().env("BURGEE_ANALYTICS_STORE", "redis"), "analytics.store"),
        (
            given().env("USE_POSTGRES_FOR_ANALYTICS", "maybe"),
            "analytics.store",
        ),
        (
            given().env("ANALYTICS_DATABASE_URL", "mysql://x"),
            "analytics.database_url",
        ),
        (
            given().env("DJANGO_DB_HOST_ANALYTICS", "db"),
            "analytics.database_url",
        ),
    ] {
        let refusal = given.refusal();
        assert!(refusal.contains(setting), "{refusal}");
    }
    let shown = given()
        .env("INFLUXDB_TOKEN", "very-secret")
        .env("INFLUXDB_URL", "http://i:8086");
    let shown = shown.env("INFLUXDB_ORG", "o").load().unwrap().describe();
    assert!(!shown.contains("very-secret"), "{shown}");
    // A URL alone decides nothing: a token does.
    let config = given().env("INFLUXDB_URL", "http://i:8086").config();
    assert_eq!(
        config.analytics.store(&config.influxdb),
        Ok(Store::Database(None))
    );
}

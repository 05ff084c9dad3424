//! `[server]`: where Burgee listens and where it keeps its files.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use super::values::{Secret, between, header_names, web_url};

/// Flagsmith's names for settings of this section. `PORT` is read in `environment.rs`: it is half a setting.
pub(super) const FLAGSMITH_NAMES: &[(&str, &str)] = &[
    ("server.public_url", "FLAGSMITH_DOMAIN"),
    ("server.secret_key", "DJANGO_SECRET_KEY"),
    ("server.cors_extra_headers", "FLAGSMITH_CORS_EXTRA_ALLOW_HEADERS"),
    ("server.maintenance", "ENABLE_MAINTENANCE_MODE"),
];

/// Where Burgee listens and where it keeps its files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address of the listening socket.
    pub listen: Listen,
    /// The address people and SDKs reach Burgee at; links in mails use it. `None`: taken from the listen address.
    #[serde(deserialize_with = "public_url")]
    pub public_url: Option<Url>,
    /// Directory of the embedded database. Created at start.
    pub data_dir: PathBuf,
    /// Secret of the installation; empty: made at the first start.
    pub secret_key: Secret,
    /// Seconds between a signal to stop and the end, 0 to 600.
    #[serde(deserialize_with = "between::<0, 600, _, _>")]
    shutdown_grace_seconds: u64,
    /// Headers a browser may send besides those Flagsmith's SDKs send.
    #[serde(deserialize_with = "header_names")]
    pub cors_extra_headers: Vec<String>,
    /// The dashboard says that it is being worked on.
    pub maintenance: bool,
}

impl Server {
    /// How long running requests and last writes may take once Burgee was told to stop.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

/// `HOST:PORT`. The host may be a name; port 0 takes any free port.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Listen {
    host: String,
    port: u16,
}

impl Listen {
    /// The same host with another port.
    pub(super) fn with_port(&self, port: u16) -> Self {
        let host = self.host.clone();
        Self { host, port }
    }
}

impl TryFrom<String> for Listen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("must be HOST:PORT, such as 127.0.0.1:8000, not {text:?}");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let is_bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || is_bare_ipv6 || host.contains(['/', ' ']) {
            return Err(wrong());
        }
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A URL without a path, or a bare domain as `FLAGSMITH_DOMAIN` has it: https, but plain http for the own machine.
fn public_url<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(input)?;
    if text.is_empty() {
        return Ok(None);
    }
    let full = if text.contains("://") {
        text.clone()
    } else if text.starts_with("localhost") || text.starts_with("127.") {
        format!("http://{text}")
    } else {
        format!("https://{text}")
    };
    web_url(&full)
        .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
        .map(Some)
        .ok_or_else(|| {
            let allowed = "must be a URL without a path, such as https://flags.example.com";
            D::Error::custom(format!("{allowed}, not {text:?}"))
        })
}

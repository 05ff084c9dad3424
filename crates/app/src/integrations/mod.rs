//! Integrations: what is told to other services.
//!
//! Each is a file here with an [`Integration`], which says where it is set up, what can be set, and what is sent; and one
//! line in [`ALL`]. Setting it up, sealing its secrets, its tasks and its queue are the same for all:
//!
//! * [`configuration`]: what is set, for the API.
//! * [`changes`]: of changes (the lines of the audit log about features, segments and versions), by the task queue.
//! * [`deliveries`]: what came of it, and sending an example.
//! * [`identities`]: of evaluated identities, from a bounded queue in memory, beside the answers to SDKs.

mod amplitude;
pub mod changes;
pub mod configuration;
mod datadog;
pub mod deliveries;
mod dynatrace;
pub mod gitlab;
mod grafana;
mod heap;
pub mod identities;
mod mixpanel;
mod new_relic;
mod rudderstack;
mod segment;
mod sentry;
pub mod slack;
mod webhook;

use burgee_outbound::http::Request;
use serde_json::{Map, Value};

use changes::ChangeEvent;
use identities::IdentityEvent;

/// What integrations are there.
pub const ALL: &[&Integration] = &[
    &datadog::DATADOG,
    &new_relic::NEW_RELIC,
    &dynatrace::DYNATRACE,
    &grafana::GRAFANA,
    &slack::SLACK,
    &sentry::SENTRY,
    &amplitude::AMPLITUDE,
    &heap::HEAP,
    &mixpanel::MIXPANEL,
    &segment::SEGMENT,
    &rudderstack::RUDDERSTACK,
    &webhook::WEBHOOK,
    &gitlab::GITLAB,
];

/// A kind of integration.
#[derive(Debug)]
pub struct Integration {
    /// In paths and in the database.
    pub name: &'static str,
    /// Where it is set up.
    pub mounts: &'static [Mount],
    /// What can be set, in the order in which it is shown.
    pub fields: &'static [Field],
    pub told: Told,
}

/// Where an integration is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mount {
    /// What it is below in the path.
    pub below: Below,
    /// What it belongs to.
    pub scope: Scope,
    /// What the configuration is called in the API's description.
    pub schema: &'static str,
}

/// What stands in a path before `integrations/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    Organisation,
    Project,
    Environment,
}

/// What an integration belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Organisation,
    Project,
    Environment,
}

/// Something that can be set.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
    pub required: bool,
    /// Kept sealed, and never told.
    pub secret: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum FieldKind {
    /// Text of so many characters.
    Text {
        min: usize,
        max: usize,
    },
    /// An address that is called, or nothing.
    Url,
    /// An address that is called.
    RequiredUrl,
    /// One of these; the first unless given.
    OneOf(&'static [&'static str]),
    Bool(bool),
}

/// Text that must be given.
const fn text(name: &'static str, max: usize) -> Field {
    Field {
        name,
        kind: FieldKind::Text { min: 1, max },
        required: true,
        secret: false,
    }
}

/// A secret that must be given.
const fn secret(name: &'static str, max: usize) -> Field {
    Field {
        secret: true,
        ..text(name, max)
    }
}

/// An address that may be left out.
const fn url(name: &'static str) -> Field {
    Field {
        name,
        kind: FieldKind::Url,
        required: false,
        secret: false,
    }
}

/// An address that must be given.
const fn required_url(name: &'static str) -> Field {
    Field {
        kind: FieldKind::RequiredUrl,
        required: true,
        ..url(name)
    }
}

const fn switch(name: &'static str, unless_given: bool) -> Field {
    Field {
        kind: FieldKind::Bool(unless_given),
        ..url(name)
    }
}

const fn of_environment(schema: &'static str) -> Mount {
    Mount {
        below: Below::Environment,
        scope: Scope::Environment,
        schema,
    }
}

const fn of_project(schema: &'static str) -> Mount {
    Mount {
        below: Below::Project,
        scope: Scope::Project,
        schema,
    }
}

/// What is sent, and of what.
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// Of each change: some requests, none for a change that does not concern it.
    Changes(fn(&Config, &ChangeEvent) -> Vec<Call>),
    /// Nothing; it is asked instead.
    Nothing,
    /// Of evaluated identities, up to so many at once: some requests.
    Identities {
        at_once: usize,
        calls: fn(&Config, &[IdentityEvent]) -> Vec<Call>,
    },
}

/// A request to another service, and how its answer is judged beyond its status.
#[derive(Debug, Clone)]
pub struct Call {
    pub request: Request,
    /// What is wrong with an answer of success, if something is.
    pub check: Option<fn(&Value) -> Option<String>>,
}

impl From<Request> for Call {
    fn from(request: Request) -> Self {
        Self { request, check: None }
    }
}

/// What is set of one integration, secrets included.
#[derive(Debug, Clone)]
pub struct Config {
    values: Map<String, Value>,
    /// Where Slack's API is.
    slack_url: String,
}

impl Config {
    /// A text; empty when it is not set.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn truth(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// An address below `base_url`, or below another one where that is not set.
    fn below_base(&self, otherwise: &str, path: &str) -> String {
        let base = match self.text("base_url") {
            "" => otherwise,
            base => base,
        };
        format!("{}/{path}", base.trim_end_matches('/'))
    }
}

/// An integration by its name.
pub fn find(name: &str) -> Option<&'static Integration> {
    ALL.iter().copied().find(|integration| integration.name == name)
}

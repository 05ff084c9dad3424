//! What is set of a Flagsmith destination, what must be so, and what a sync owns there.

use url::Url;

use crate::error::{Result, SyncError};
use crate::plan::Mode;

/// The API instance when none is set.
pub const DEFAULT_URL: &str = "https://edge.api.flagsmith.com/api/v1";

/// The trait that says whether an identity is in the audience, when no other name is set.
pub const DEFAULT_AUDIENCE_TRAIT: &str = "in_audience";

/// Characters of a trait's key.
pub(super) const LONGEST_TRAIT_KEY: usize = 200;

/// The settings of a Flagsmith destination and of one sync to it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API instance, with its `/api/v1`.
    pub url: String,
    /// A server-side environment key; begins with `ser.`.
    pub key: String,
    /// Put before the name of every trait that is written.
    pub trait_prefix: String,
    /// Whether leaving the audience deletes the trait; otherwise it is set to `false`.
    pub delete_traits_on_remove: bool,
    /// The trait of an audience, without the prefix.
    pub audience_trait: String,
    /// The names of the mapped traits, without the prefix: what an upsert owns.
    pub traits: Vec<String>,
    /// Whether a row is one trait, whatever its name: an upsert owns all names with the prefix then.
    pub any_trait: bool,
    /// The cohort that is written in place of a trait.
    pub cohort: Option<Cohort>,
}

/// A cohort of an environment, and the key its members are written with.
#[derive(Debug, Clone)]
pub struct Cohort {
    pub id: String,
    pub key: String,
}

/// Checks the settings for a mode; returns the address.
pub(crate) fn check(settings: &Settings, mode: Mode) -> Result<Url> {
    check_key(&settings.key)?;
    let url = base_url(&settings.url)?;
    if let Some(cohort) = &settings.cohort {
        return check_cohort(cohort, mode).map(|()| url);
    }
    let names = written(settings, mode);
    if names.is_empty() && !settings.any_trait {
        let problem = "an upsert needs at least one column that becomes a trait";
        return Err(SyncError::config("map", problem));
    }
    for key in names {
        let length = key.chars().count() - settings.trait_prefix.chars().count();
        if length == 0 || key.chars().count() > LONGEST_TRAIT_KEY {
            let problem =
                format!("{key:?} is no trait key: it must have 1 to {LONGEST_TRAIT_KEY} characters");
            return Err(SyncError::config("map", problem));
        }
    }
    Ok(url)
}

fn check_cohort(cohort: &Cohort, mode: Mode) -> Result<()> {
    if mode == Mode::Upsert {
        let problem = "a cohort takes add, remove or mirror: it holds members and no values";
        return Err(SyncError::config("mode", problem));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if cohort.id.is_empty() || !cohort.id.chars().all(plain) {
        return Err(SyncError::config("cohort", "is the id of a cohort, a UUID"));
    }
    if cohort.key.is_empty() {
        let problem = "is needed to write members of cohorts";
        return Err(SyncError::config("cohort_key", problem));
    }
    Ok(())
}

/// The keys of the traits that are written.
fn written(settings: &Settings, mode: Mode) -> Vec<String> {
    let names = match mode {
        Mode::Upsert => settings.traits.as_slice(),
        Mode::Add | Mode::Remove | Mode::Mirror => std::slice::from_ref(&settings.audience_trait),
    };
    let prefix = &settings.trait_prefix;
    names.iter().map(|name| format!("{prefix}{name}")).collect()
}

/// What is written to, a text for each trait of the environment.
pub(crate) fn owned(settings: &Settings, mode: Mode) -> std::collections::BTreeSet<String> {
    // Whoever has the same key writes to the same environment; the key itself is a secret.
    let environment = xxhash_rust::xxh3::xxh3_64(settings.key.as_bytes());
    let url = settings.url.trim_end_matches('/');
    if let Some(cohort) = &settings.cohort {
        return [format!("flagsmith {url} cohort {}", cohort.id)].into();
    }
    let mut keys = written(settings, mode);
    if settings.any_trait {
        keys.push(format!("{}*", settings.trait_prefix));
    }
    let keys = keys.into_iter();
    keys.map(|key| format!("flagsmith {url} {environment:016x} {key}"))
        .collect()
}

/// A client-side key could write traits nowhere, or silently drop them.
fn check_key(key: &str) -> Result<()> {
    if key.starts_with("ser.") {
        return Ok(());
    }
    Err(SyncError::config(
        "key",
        "this is a client-side environment key, with which traits can't be written reliably. \
         Use a server-side one: it begins with \"ser.\" and is made under Environment Settings > Keys",
    ))
}

/// The address with exactly one slash at its end, so that paths can be joined to it.
fn base_url(text: &str) -> Result<Url> {
    let with_slash = format!("{}/", text.trim().trim_end_matches('/'));
    let url = Url::parse(&with_slash)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        SyncError::config(
            "url",
            format!("{text:?} is no http(s) address of an API, like {DEFAULT_URL}"),
        )
    })
}

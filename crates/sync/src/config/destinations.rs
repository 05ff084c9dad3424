//! From what files say of a destination and of a sync to it, to what the destination needs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Destination, Origin, Sync};
use crate::destination::launchdarkly::OnRemove;
use crate::destination::{Settings, burgee, flagsmith, launchdarkly};
use crate::error::{Result, SyncError};
use crate::run::Job;

pub(super) fn destination_of(
    to: &Destination,
    sync: &Sync,
    map: &BTreeMap<String, String>,
    any_trait: bool,
    origin: &Origin,
) -> Result<Settings> {
    match to {
        Destination::Flagsmith { .. } => {
            only_for(sync, "segments", &["segment", "context_kind", "on_remove"])?;
            flagsmith_of(to, sync, map, any_trait, origin).map(Settings::Flagsmith)
        }
        Destination::Launchdarkly { .. } => {
            only_for(sync, "Flagsmith", &["audience_trait", "cohort"])?;
            launchdarkly_of(to, sync, origin).map(Settings::LaunchDarkly)
        }
        Destination::Burgee { .. } => {
            only_for(sync, "Flagsmith", &["audience_trait", "cohort"])?;
            only_for(sync, "LaunchDarkly", &["on_remove"])?;
            burgee_of(to, sync).map(Settings::Burgee)
        }
    }
}

/// Fails when a sync sets what only syncs to other destinations have.
fn only_for(sync: &Sync, whose: &str, names: &[&'static str]) -> Result<()> {
    let is_set = |name: &str| match name {
        "audience_trait" => sync.audience_trait.is_some(),
        "cohort" => sync.cohort.is_some(),
        "segment" => sync.segment.is_some(),
        "context_kind" => sync.context_kind.is_some(),
        _ => sync.on_remove != OnRemove::default(),
    };
    match names.iter().find(|name| is_set(name)) {
        Some(name) => Err(SyncError::config(*name, format!("belongs to syncs to {whose}"))),
        None => Ok(()),
    }
}

fn flagsmith_of(
    to: &Destination,
    sync: &Sync,
    map: &BTreeMap<String, String>,
    any_trait: bool,
    origin: &Origin,
) -> Result<flagsmith::Settings> {
    let Destination::Flagsmith {
        url,
        key,
        trait_prefix,
        delete_traits_on_remove,
        cohort_key,
    } = to
    else {
        return Err(SyncError::config("to", "is no Flagsmith"));
    };
    let audience_trait = sync.audience_trait.clone();
    let settings = flagsmith::Settings {
        url: origin.text("url", url.as_deref().unwrap_or(flagsmith::DEFAULT_URL))?,
        key: origin.text("key", key)?,
        trait_prefix: trait_prefix.clone(),
        delete_traits_on_remove: *delete_traits_on_remove,
        audience_trait: audience_trait.unwrap_or_else(|| flagsmith::DEFAULT_AUDIENCE_TRAIT.to_owned()),
        traits: map.keys().cloned().collect(),
        any_trait,
        cohort: match &sync.cohort {
            None => None,
            Some(id) => Some(flagsmith::Cohort {
                id: id.clone(),
                key: origin.text("cohort_key", cohort_key.as_deref().unwrap_or_default())?,
            }),
        },
    };
    flagsmith::check(&settings, sync.mode)?;
    Ok(settings)
}

fn launchdarkly_of(to: &Destination, sync: &Sync, origin: &Origin) -> Result<launchdarkly::Settings> {
    let Destination::Launchdarkly {
        instance,
        token,
        project,
        environment,
    } = to
    else {
        return Err(SyncError::config("to", "is no LaunchDarkly"));
    };
    let settings = launchdarkly::Settings {
        instance: launchdarkly::Instance::parse(&origin.text("instance", instance)?),
        token: origin.text("token", token)?,
        project: project.clone(),
        environment: environment.clone(),
        segment: segment_of(sync)?,
        context_kind: sync
            .context_kind
            .clone()
            .unwrap_or_else(|| launchdarkly::DEFAULT_CONTEXT_KIND.to_owned()),
        on_remove: sync.on_remove,
    };
    launchdarkly::check(&settings, sync.mode)?;
    Ok(settings)
}

fn burgee_of(to: &Destination, sync: &Sync) -> Result<burgee::Settings> {
    let Destination::Burgee { environment } = to else {
        return Err(SyncError::config("to", "is no list segment of this server"));
    };
    let settings = burgee::Settings {
        list: burgee::List {
            environment: environment.clone(),
            segment: segment_of(sync)?,
            context_kind: sync
                .context_kind
                .clone()
                .unwrap_or_else(|| launchdarkly::DEFAULT_CONTEXT_KIND.to_owned()),
        },
        lists: None,
    };
    burgee::check(&settings, sync.mode)?;
    Ok(settings)
}

fn segment_of(sync: &Sync) -> Result<String> {
    let segment = sync.segment.clone();
    segment.ok_or_else(|| SyncError::config("segment", "is needed: the key of the segment"))
}

/// What a job writes to, each thing on its own: two upserts may share an environment, but no trait.
pub(super) fn owned(job: &Job) -> BTreeSet<String> {
    match &job.destination {
        Settings::Flagsmith(settings) => flagsmith::owned(settings, job.mode),
        Settings::LaunchDarkly(settings) => [launchdarkly::owned(settings)].into(),
        Settings::Burgee(settings) => [burgee::owned(settings)].into(),
    }
}

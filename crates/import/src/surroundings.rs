//! Taking what monitors, scanners and trackers say about features, and whose tokens an organisation takes.

use std::collections::HashMap;

use burgee_store::bulk::tables;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::configuration::Configuration;
use crate::people::{number_of, uuid};
use crate::records::moment;
use crate::taking::{How, Incoming, Taker};
use crate::{Result, noun};

/// What stands around features.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub health_providers: Vec<HealthProvider>,
    pub health_events: Vec<HealthEvent>,
    pub repositories: Vec<Repository>,
    pub scans: Vec<Scan>,
    pub resources: Vec<Resource>,
    pub trust: Vec<Trust>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HealthProvider {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    pub name: String,
    #[serde(default)]
    pub created_by_id: Option<i64>,
    pub project_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HealthEvent {
    pub id: i64,
    #[serde(default)]
    pub uuid: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub provider_name: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub environment_id: Option<i64>,
    pub feature_id: i64,
    #[serde(default)]
    pub external_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Repository {
    pub id: i64,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    pub url: String,
    pub vcs_provider: String,
    #[serde(default, deserialize_with = "moment")]
    pub last_scanned_at: Option<i64>,
    pub project_id: i64,
}

/// What one scan of a repository found of a feature.
#[derive(Debug, Clone, Deserialize)]
pub struct Scan {
    pub id: i64,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    pub revision: String,
    #[serde(default)]
    pub code_references: Value,
    pub feature_id: i64,
    pub repository_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Resource {
    pub id: i64,
    pub url: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub metadata: Option<String>,
    pub feature_id: i64,
}

/// An issuer whose tokens are taken in exchange for tokens of a master API key.
#[derive(Debug, Clone, Deserialize)]
pub struct Trust {
    pub id: i64,
    pub name: String,
    pub issuer: String,
    pub audience: String,
    #[serde(default)]
    pub claim_rules: Value,
    #[serde(default, deserialize_with = "moment")]
    pub created_at: Option<i64>,
    #[serde(default)]
    pub created_by_id: Option<i64>,
    pub master_api_key_id: String,
    pub organisation_id: i64,
}

/// Takes all of it, if the source tells of it.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(all) = &from.surroundings else {
        return Ok(());
    };
    take_health(taker, all).await?;
    take_code_references(taker, all).await?;
    let rows = all.resources.iter().filter_map(|r| {
        Some(Incoming::new(
            r.id,
            vec![
                taker.id(noun::FEATURE, r.feature_id)?.into(),
                r.url.as_str().into(),
                r.kind.as_str().into(),
                r.metadata.as_deref().into(),
            ],
        ))
    });
    let rows = rows.collect();
    let table = &tables::EXTERNAL_RESOURCES;
    taker
        .rows(noun::EXTERNAL_RESOURCE, table, rows, How::default())
        .await?;
    let rows = all.trust.iter().filter_map(|t| {
        Some(Incoming::new(
            t.id,
            vec![
                taker.id(noun::ORGANISATION, t.organisation_id)?.into(),
                t.name.as_str().into(),
                t.issuer.as_str().into(),
                t.audience.as_str().into(),
                t.claim_rules.to_string().into(),
                taker
                    .id(noun::MASTER_API_KEY, number_of(&t.master_api_key_id))?
                    .into(),
                taker.id_if(noun::USER, t.created_by_id).into(),
                t.created_at.unwrap_or_default().into(),
            ],
        ))
    });
    let rows = rows.collect();
    let table = &tables::TRUST_RELATIONSHIPS;
    taker
        .rows(noun::TRUST_RELATIONSHIP, table, rows, How::default())
        .await
}

async fn take_health(taker: &mut Taker<'_>, all: &Surroundings) -> Result<()> {
    let rows = all.health_providers.iter().filter_map(|p| {
        Some(Incoming::new(
            p.id,
            vec![
                uuid(p.uuid.as_deref(), noun::HEALTH_PROVIDER, p.id).into(),
                taker.id(noun::PROJECT, p.project_id)?.into(),
                p.name.as_str().into(),
                taker.id_if(noun::USER, p.created_by_id).into(),
            ],
        ))
    });
    let rows: Vec<Incoming> = rows.collect();
    if !rows.is_empty() {
        let text = "the address that feature health providers write to is another one here: give it to them";
        taker.report.note(noun::HEALTH_PROVIDER, None, text);
    }
    let table = &tables::HEALTH_PROVIDERS;
    taker
        .rows(noun::HEALTH_PROVIDER, table, rows, How::default())
        .await?;
    // Of the events about one matter only the last says how it is.
    let mut last = HashMap::new();
    for event in &all.health_events {
        let matter = (
            event.feature_id,
            event.environment_id,
            event.provider_name.as_deref(),
            event.external_id.as_deref(),
        );
        let present = last.entry(matter).or_insert(event);
        if (present.created_at, present.id) < (event.created_at, event.id) {
            *present = event;
        }
    }
    let mut events: Vec<&HealthEvent> = last.into_values().collect();
    events.sort_by_key(|event| event.id);
    let rows = events.into_iter().filter_map(|e| {
        let environment = match e.environment_id {
            Some(id) => Some(taker.id(noun::ENVIRONMENT, id)?),
            None => None,
        };
        Some(Incoming::new(
            e.id,
            vec![
                uuid(e.uuid.as_deref(), noun::HEALTH_EVENT, e.id).into(),
                taker.id(noun::FEATURE, e.feature_id)?.into(),
                environment.into(),
                e.kind.as_str().into(),
                e.provider_name.as_deref().into(),
                e.reason.as_deref().into(),
                e.external_id.as_deref().into(),
                e.created_at.unwrap_or_default().into(),
            ],
        ))
    });
    let rows = rows.collect();
    taker
        .rows(noun::HEALTH_EVENT, &tables::HEALTH_EVENTS, rows, How::default())
        .await
}

async fn take_code_references(taker: &mut Taker<'_>, all: &Surroundings) -> Result<()> {
    let mut scans: Vec<&Scan> = all.scans.iter().collect();
    scans.sort_by_key(|scan| (scan.created_at, scan.id));
    let newest: HashMap<i64, &Scan> = scans.iter().map(|scan| (scan.repository_id, *scan)).collect();
    let rows = all.repositories.iter().filter_map(|r| {
        let scan = newest.get(&r.id);
        let scanned_at = r.last_scanned_at.or(scan.and_then(|scan| scan.created_at));
        Some(Incoming::new(
            r.id,
            vec![
                taker.id(noun::PROJECT, r.project_id)?.into(),
                r.url.as_str().into(),
                r.vcs_provider.as_str().into(),
                r.created_at.unwrap_or_default().into(),
                scanned_at.or(r.created_at).unwrap_or_default().into(),
                scan.map_or("", |scan| scan.revision.as_str()).into(),
            ],
        ))
    });
    let rows = rows.collect();
    let table = &tables::CODE_REPOSITORIES;
    taker
        .rows(noun::CODE_REPOSITORY, table, rows, How::default())
        .await?;
    // Of the scans of one repository the last with the feature in it counts.
    let last: HashMap<(i64, i64), &Scan> = (scans.iter())
        .map(|scan| ((scan.feature_id, scan.repository_id), *scan))
        .collect();
    let mut last: Vec<&Scan> = last.into_values().collect();
    last.sort_by_key(|scan| scan.id);
    let rows = last.into_iter().filter_map(|s| {
        let places = s.code_references.as_array().into_iter().flatten();
        let places: Vec<Value> = places
            .filter(|place| place["file_path"].is_string())
            .map(|place| {
                json!([
                    place["file_path"],
                    place["line_number"].as_i64().unwrap_or_default()
                ])
            })
            .collect();
        Some(Incoming::new(
            s.id,
            vec![
                taker.id(noun::FEATURE, s.feature_id)?.into(),
                taker.id(noun::CODE_REPOSITORY, s.repository_id)?.into(),
                s.revision.as_str().into(),
                s.created_at.unwrap_or_default().into(),
                json!(places).to_string().into(),
            ],
        ))
    });
    let rows = rows.collect();
    taker
        .rows(
            noun::CODE_REFERENCE,
            &tables::CODE_REFERENCES,
            rows,
            How::default(),
        )
        .await
}

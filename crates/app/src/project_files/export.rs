//! Writing a project into a file.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use burgee_model::Timestamp;
use burgee_store::audit::{self, Scope};
use burgee_store::feature_states::{self, FeatureState, OverriddenIdentity};
use burgee_store::projects::Project;
use burgee_store::users;
use burgee_store::{
    Tx, environments, feature_links, feature_segments, features, list_segments, segments, server_keys, tags,
    transfer,
};
use serde::Serialize;
use serde_json::value::to_raw_value;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::{
    ChangePart, DefaultPart, Document, EndLine, EnvironmentPart, FeaturePart, IdentityLine,
    IdentityOverridePart, ListPart, OptionPart, PROJECT_FORMAT, ProjectPart, SegmentOverridePart,
    SegmentPart, ServerKeyPart, StatePart, TagPart, VERSION, WeightPart, checksum,
};
use crate::feature_states::{StateDetails, details};
use crate::metadata::Owner;
use crate::{App, Caller, Error, Result, projects};

/// What goes into a file beside the project itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// The keys of the environments. Whoever has the file has them.
    pub keys: bool,
    /// The identities with their traits.
    pub identities: bool,
    /// The lines of the change log.
    pub changes: bool,
}

/// Identities read at once.
const PIECE: i64 = 500;
/// Lines of the change log that a file holds at most: the newest.
const CHANGES: i64 = 100_000;

fn unwritable(error: &serde_json::Error) -> Error {
    Error::Internal(error.to_string())
}

/// A file on its way out, a piece at a time.
#[derive(Debug)]
pub struct Export {
    /// What is ready.
    ready: VecDeque<Vec<u8>>,
    /// Environments whose identities are still to come, with the last one that was written.
    left: VecDeque<(i64, String, i64)>,
    identities: i64,
    digest: Sha256,
    /// Whether a last line is due.
    ends: bool,
}

/// Begins the file of a project, for its administrators.
pub async fn export(app: &App, caller: &Caller, project_id: i64, options: ExportOptions) -> Result<Export> {
    let mut tx = app.db().read().await?;
    let project = projects::get(&mut tx, caller, project_id).await?;
    caller.require_project_admin(&mut tx, &project).await?;
    begin(&mut tx, &project, options).await
}

/// The same, for whoever has the database.
pub async fn begin(tx: &mut Tx, project: &Project, options: ExportOptions) -> Result<Export> {
    let part = project_part(tx, project, options).await?;
    let raw = to_raw_value(&part).map_err(|error| unwritable(&error))?;
    let document = Document {
        format: PROJECT_FORMAT.to_owned(),
        version: VERSION,
        exported_at: Timestamp::now().rest(),
        checksum: Some(checksum(raw.get().as_bytes())),
        project: Some(raw),
        organisation: None,
    };
    let mut left = VecDeque::new();
    if options.identities {
        for environment in environments::list(tx, project.id).await? {
            left.push_back((environment.id, environment.name, 0));
        }
    }
    Ok(Export {
        ready: VecDeque::from([line(&document)?]),
        left,
        identities: 0,
        digest: Sha256::new(),
        ends: options.identities,
    })
}

fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value).map_err(|error| unwritable(&error))?;
    text.push(b'\n');
    Ok(text)
}

impl Export {
    /// A whole document, made elsewhere.
    pub(crate) fn of_document(document: &Document) -> Result<Self> {
        Ok(Self {
            ready: VecDeque::from([line(document)?]),
            left: VecDeque::new(),
            identities: 0,
            digest: Sha256::new(),
            ends: false,
        })
    }

    /// The next piece; `None` at the end. Identities are read as they are written, not all at one moment.
    pub async fn next(&mut self, app: &App) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            let Some((environment_id, name, after)) = self.left.pop_front() else {
                if !std::mem::take(&mut self.ends) {
                    return Ok(None);
                }
                let digest = std::mem::take(&mut self.digest).finalize();
                self.ready.push_back(line(&EndLine {
                    identities: self.identities,
                    checksum: format!("sha256:{}", burgee_model::keys::hex(&digest)),
                })?);
                continue;
            };
            let mut tx = app.db().read().await?;
            let rows = transfer::identities(&mut tx, environment_id, after, PIECE).await?;
            let Some(last) = rows.last().map(|row| row.id) else {
                continue;
            };
            let mut piece = Vec::new();
            for row in rows {
                let traits = burgee_model::traits::TraitSet::parse(&row.traits).unwrap_or_default();
                piece.extend(line(&IdentityLine {
                    environment: name.clone(),
                    id: row.id,
                    seed: row.hash_seed,
                    identifier: row.identifier,
                    alias: row.dashboard_alias,
                    created_at: row.created_at,
                    traits,
                })?);
                self.identities += 1;
            }
            self.digest.update(&piece);
            self.ready.push_back(piece);
            self.left.push_front((environment_id, name, last));
        }
    }
}

/// A project as the file has it.
pub(crate) async fn project_part(
    tx: &mut Tx,
    project: &Project,
    options: ExportOptions,
) -> Result<ProjectPart> {
    let fields = Fields::of_project(tx, project).await?;
    let features = feature_parts(tx, project, &fields).await?;
    let names: HashMap<i64, String> = features::list(tx, project.id)
        .await?
        .into_iter()
        .map(|feature| (feature.id, feature.name))
        .collect();
    let tags = tags::list(tx, project.id).await?.into_iter();
    let tags = tags.filter(|tag| !tag.is_system_tag).map(|tag| TagPart {
        label: tag.label,
        color: tag.color,
        description: tag.description,
        is_permanent: tag.is_permanent,
    });
    let mut lists: HashMap<i64, ListPart> = list_segments::list(tx, project.id)
        .await?
        .into_iter()
        .map(|list| {
            let part = ListPart {
                key: list.key,
                context_kind: list.context_kind,
                unbounded: list.unbounded,
            };
            (list.segment_id, part)
        })
        .collect();
    let segments = segments::list(tx, project.id).await?.into_iter();
    let segments = segments.map(|segment| SegmentPart {
        list: lists.remove(&segment.id),
        id: segment.id,
        seed: segment.hash_seed,
        metadata: fields.values(Owner::Segment(segment.id)),
        rules: segment.parsed_rules(),
        feature: segment.feature_id.and_then(|id| names.get(&id).cloned()),
        name: segment.name,
        description: segment.description,
    });
    let (tags, segments) = (tags.collect(), segments.collect());
    let mut environments = Vec::new();
    for environment in environments::list(tx, project.id).await? {
        environments.push(environment_part(tx, environment, (&names, &fields), options).await?);
    }
    Ok(ProjectPart {
        name: project.name.clone(),
        pii_mode: project.pii_mode.clone(),
        pii_allowed_traits: crate::pii::allow_list(project).traits,
        pii_allowed_values: crate::pii::allow_list(project).values,
        pii_salt: (project.pii_mode == "hash")
            .then(|| project.pii_salt.clone().unwrap_or_else(|| project.uuid.clone())),
        hide_disabled_flags: project.hide_disabled_flags,
        prevent_flag_defaults: project.prevent_flag_defaults,
        enable_realtime_updates: project.enable_realtime_updates,
        only_allow_lower_case_feature_names: project.only_allow_lower_case_feature_names,
        feature_name_regex: project.feature_name_regex.clone(),
        stale_flags_limit_days: project.stale_flags_limit_days,
        minimum_change_request_approvals: project.minimum_change_request_approvals,
        enforce_feature_owners: project.enforce_feature_owners,
        use_edge_identities: project.use_edge_identities,
        tags,
        fields: fields.of(project),
        features,
        segments,
        environments,
        changes: if options.changes {
            change_parts(tx, project).await?
        } else {
            Vec::new()
        },
    })
}

async fn feature_parts(tx: &mut Tx, project: &Project, fields: &Fields) -> Result<Vec<FeaturePart>> {
    let labels: HashMap<i64, String> = tags::list(tx, project.id)
        .await?
        .into_iter()
        .filter(|tag| !tag.is_system_tag)
        .map(|tag| (tag.id, tag.label))
        .collect();
    let tagged = feature_links::tags(tx, project.id, None).await?;
    let owners = feature_links::owners(tx, project.id, None).await?;
    let groups = feature_links::group_owners(tx, project.id, None).await?;
    let options = features::options_of_project(tx, project.id).await?;
    let parts = features::list(tx, project.id).await?.into_iter().map(|feature| {
        let id = feature.id;
        let options = options.iter().filter(|option| option.feature_id == id);
        FeaturePart {
            metadata: fields.values(Owner::Feature(id)),
            name: feature.name,
            r#type: feature.r#type,
            default_enabled: feature.default_enabled,
            initial_value: feature.initial_value,
            description: feature.description,
            is_archived: feature.is_archived,
            is_server_key_only: feature.is_server_key_only,
            tags: tagged
                .iter()
                .filter(|link| link.feature_id == id)
                .filter_map(|link| labels.get(&link.tag_id).cloned())
                .collect(),
            owners: owners
                .iter()
                .filter(|owner| owner.feature_id == id)
                .map(|owner| owner.email.clone())
                .collect(),
            group_owners: groups
                .iter()
                .filter(|group| group.feature_id == id)
                .map(|group| group.name.clone())
                .collect(),
            options: options
                .map(|option| OptionPart {
                    id: option.id,
                    key: option.key.clone(),
                    value: option.value(),
                    default_percentage_allocation: option.default_percentage_allocation,
                })
                .collect(),
        }
    });
    Ok(parts.collect())
}

fn state_part(details: &StateDetails) -> StatePart {
    StatePart {
        enabled: details.state.enabled,
        value: details.state.value(),
        seed: details.state.hash_seed(),
        weights: details
            .options
            .iter()
            .map(|option| WeightPart {
                option: option.option_id,
                percentage: option.percentage_allocation,
            })
            .collect(),
    }
}

async fn environment_part(
    tx: &mut Tx,
    environment: environments::Environment,
    (names, fields): (&HashMap<i64, String>, &Fields),
    options: ExportOptions,
) -> Result<EnvironmentPart> {
    let id = environment.id;
    let links: HashMap<i64, _> = feature_segments::list(tx, id)
        .await?
        .into_iter()
        .map(|link| (link.id, link))
        .collect();
    let identities: HashMap<i64, OverriddenIdentity> = feature_states::overridden_identities(tx, id)
        .await?
        .into_iter()
        .map(|identity| (identity.id, identity))
        .collect();
    let mut keys = Vec::new();
    if options.keys {
        for key in server_keys::list(tx, id).await? {
            keys.push(ServerKeyPart {
                name: key.name,
                key: key.key,
                active: key.active,
                expires_at: key.expires_at,
            });
        }
    }
    let mut part = EnvironmentPart {
        api_key: options.keys.then(|| environment.api_key.clone()),
        server_keys: keys,
        metadata: fields.values(Owner::Environment(id)),
        name: environment.name,
        description: environment.description,
        allow_client_traits: environment.allow_client_traits,
        banner_text: environment.banner_text,
        banner_colour: environment.banner_colour,
        hide_disabled_flags: environment.hide_disabled_flags,
        use_identity_composite_key_for_hashing: environment.use_identity_composite_key_for_hashing,
        hide_sensitive_data: environment.hide_sensitive_data,
        use_v2_feature_versioning: environment.use_v2_feature_versioning,
        use_identity_overrides_in_local_eval: environment.use_identity_overrides_in_local_eval,
        minimum_change_request_approvals: environment.minimum_change_request_approvals,
        ..EnvironmentPart::default()
    };
    let states: Vec<FeatureState> = feature_states::list(tx, id).await?;
    for details in details(tx, states).await? {
        let Some(feature) = names.get(&details.state.feature_id).cloned() else {
            continue;
        };
        let state = state_part(&details);
        match (details.state.identity_id, details.state.feature_segment_id) {
            (Some(identity), _) => {
                let found = identities.get(&identity);
                part.identity_overrides.push(IdentityOverridePart {
                    identifier: found.map(|found| found.identifier.clone()).unwrap_or_default(),
                    seed: found.and_then(|found| found.hash_seed),
                    identity,
                    feature,
                    state,
                });
            }
            (None, Some(link)) => {
                if let Some(link) = links.get(&link) {
                    part.segment_overrides.push(SegmentOverridePart {
                        feature,
                        segment: link.segment_id,
                        priority: link.priority,
                        state,
                    });
                }
            }
            (None, None) => part.defaults.push(DefaultPart { feature, state }),
        }
    }
    Ok(part)
}

async fn change_parts(tx: &mut Tx, project: &Project) -> Result<Vec<ChangePart>> {
    let scope = Scope::Project(project.id);
    let entries = audit::list(tx, &scope, &audit::Filter::default(), CHANGES, 0).await?;
    let names: HashMap<i64, String> = environments::list(tx, project.id)
        .await?
        .into_iter()
        .map(|environment| (environment.id, environment.name))
        .collect();
    let mut authors: HashMap<i64, Option<String>> = HashMap::new();
    let mut parts = Vec::with_capacity(entries.len());
    for entry in entries {
        let author = match entry.user_id {
            None => None,
            Some(id) => {
                if let Entry::Vacant(place) = authors.entry(id) {
                    let found = users::find(tx, id).await?;
                    place.insert(found.map(|user| user.email));
                }
                authors.get(&id).cloned().flatten()
            }
        };
        parts.push(ChangePart {
            at: Timestamp(entry.at).rest(),
            author,
            environment: entry.environment_id.and_then(|id| names.get(&id).cloned()),
            object_type: entry.object_type,
            action: entry.action,
            log: entry.message.unwrap_or_default(),
        });
    }
    Ok(parts)
}

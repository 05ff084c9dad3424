//! Reading a Flagsmith through its management API, when its database is out of reach.
//!
//! It gives less: no passwords, no tokens, no master API keys, no second factors; and the seeds of buckets only where an
//! environment has a server-side key, because only its document tells them.

mod versions;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use burgee_model::traits::{StoredTrait, TraitSet};
use burgee_model::{FlagValue, Timestamp, TraitValue};
use burgee_outbound::http::{Answer, Client, Reach, Request};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::configuration::Configuration;
use crate::database::documents;
use crate::identities::value_columns;
use crate::records::{
    Environment, Feature, FeatureLink, FeatureSegment, FeatureState, Grant, Group, GroupMember, Invite,
    InviteLink, Level, Membership, Organisation, Project, User, Weight,
};
use crate::report::Report;
use crate::{Error, Progress, Result, noun};

/// The management API of a Flagsmith, called with the token of somebody who administers what is to be taken.
#[derive(Debug)]
pub struct Api {
    client: Client,
    /// Up to and without `/api/v1`.
    base: String,
    token: String,
    /// What is waited for the first time, where it is not told how long to wait; then twice that, and so on.
    pause: Duration,
}

/// How often a call is tried that fails.
const ATTEMPTS: u32 = 6;
/// How often a call is tried that came too early: a limit of calls is no failure.
const PATIENCE: u32 = 60;
/// How long is waited at most in between.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// Objects on a page.
const PAGE: u32 = 100;
/// The largest answer that is read: environment documents can be long.
const ANSWER_BYTES: usize = 256 * 1024 * 1024;

impl Api {
    /// The API at an address such as `https://flags.example.com`, with or without its `/api/v1/`.
    pub fn new(address: &str, token: &str) -> Self {
        let address = address.trim().trim_end_matches('/');
        Self {
            client: Client::new(Reach::Everywhere),
            base: address.strip_suffix("/api/v1").unwrap_or(address).to_owned(),
            token: token.trim().to_owned(),
            pause: Duration::from_secs(2),
        }
    }

    /// The same, that waits so long before it tries again for the first time.
    #[must_use]
    pub fn pausing(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Sends a GET until it is answered: it waits where it is asked to, and tries again what may succeed later.
    async fn call(&self, url: &str, header: (&str, &str)) -> Result<Answer> {
        let (mut failures, mut refusals) = (0, 0);
        loop {
            let request = Request::get_json(url)
                .header(header.0, header.1)
                .within(Duration::from_mins(2))
                .at_most(ANSWER_BYTES);
            let outcome = self.client.send(request).await;
            let asked = match &outcome {
                Ok(answer) if answer.status == 429 => {
                    refusals += 1;
                    asked_to_wait(answer)
                }
                Ok(answer) if answer.status >= 500 => {
                    failures += 1;
                    asked_to_wait(answer)
                }
                Err(burgee_outbound::http::Error::TimedOut | burgee_outbound::http::Error::Failed(_)) => {
                    failures += 1;
                    None
                }
                _ => return outcome.map_err(|error| Error::Api(error.to_string())),
            };
            if failures == ATTEMPTS || refusals == PATIENCE {
                return outcome.map_err(|error| Error::Api(error.to_string()));
            }
            let doublings = (failures + refusals).clamp(1, ATTEMPTS) - 1;
            let wait = asked.unwrap_or(self.pause * 2_u32.pow(doublings));
            tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
        }
    }

    /// The answer to a GET with the token; a refusal is an error that names the path.
    async fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}/api/v1/{path}", self.base);
        let token = format!("Token {}", self.token);
        let answer = self.call(&url, ("authorization", &token)).await?;
        if !answer.is_success() {
            let path = path.split('?').next().unwrap_or_default();
            return Err(Error::Api(format!("{path} was answered with {}", answer.status)));
        }
        answer
            .json()
            .ok_or_else(|| Error::Api(format!("{path} was not answered with JSON")))
    }

    /// Every object of a list, over all its pages.
    async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut page = 1;
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let answer = self
                .get(&format!("{path}{mark}page={page}&page_size={PAGE}"))
                .await?;
            match answer {
                Value::Array(items) => return Ok(items),
                Value::Object(mut object) => {
                    if let Some(Value::Array(items)) = object.remove("results") {
                        all.extend(items);
                    }
                    if object.get("next").is_none_or(Value::is_null) {
                        return Ok(all);
                    }
                }
                _ => return Err(Error::Api(format!("{path} is no list"))),
            }
            page += 1;
        }
    }

    /// A list that may be refused: then there is none, and the report says so.
    async fn list_if_allowed(&self, path: &str, report: &mut Report) -> Result<Vec<Value>> {
        match self.list(path).await {
            Err(Error::Api(text)) if text.ends_with("403") || text.ends_with("404") => {
                report.note("API", None, text);
                Ok(Vec::new())
            }
            outcome => outcome,
        }
    }

    /// Reads everything but identities and their overrides.
    pub(crate) async fn read(&self, report: &mut Report, progress: &dyn Progress) -> Result<Configuration> {
        let mut read = Configuration::default();
        let mut users: BTreeMap<i64, User> = BTreeMap::new();
        for organisation in self.list("organisations/").await? {
            let organisation: Organisation = record("organisations", organisation)?;
            self.read_people(organisation.id, &mut read, &mut users, report)
                .await?;
            read.organisations.push(organisation);
        }
        let projects = self.list("projects/").await?;
        progress.begin("Reading projects", Some(projects.len() as u64));
        for (number, project) in (1..).zip(projects) {
            let project: Project = record("projects", project)?;
            self.read_project(&project, &mut read, report).await?;
            read.projects.push(project);
            progress.at(number);
        }
        read.users = users.into_values().collect();
        report.note(
            noun::USER,
            None,
            "the API gives no passwords: everybody asks for a new one by mail (\"forgot password\")",
        );
        report.note(
            "API",
            None,
            "not given by the API, or not taken through it: passwords, user tokens, second factors, master API keys, some \
             settings of organisations, change requests, what is scheduled in environments without versions, custom fields, \
             release pipelines, feature health, code references",
        );
        number_links(&mut read);
        versions::hand_on_seeds(&mut read);
        documents(&mut read, report);
        read.tidy();
        Ok(read)
    }

    async fn read_people(
        &self,
        organisation: i64,
        read: &mut Configuration,
        users: &mut BTreeMap<i64, User>,
        report: &mut Report,
    ) -> Result<()> {
        let at = format!("organisations/{organisation}");
        for user in self.list(&format!("{at}/users/")).await? {
            let role = user["role"].as_str().unwrap_or("USER").to_owned();
            let user: User = record("users", user)?;
            read.memberships.push(Membership {
                id: 0,
                organisation_id: organisation,
                user_id: user.id,
                role,
                date_joined: user.date_joined,
            });
            users.insert(user.id, user);
        }
        for group in self.list_if_allowed(&format!("{at}/groups/"), report).await? {
            let group = with(group, "organisation_id", json!(organisation));
            for member in group["users"].as_array().into_iter().flatten() {
                read.group_members.push(GroupMember {
                    id: 0,
                    userpermissiongroup_id: group["id"].as_i64().unwrap_or_default(),
                    ffadminuser_id: member["id"].as_i64().unwrap_or_default(),
                    group_admin: member["group_admin"].as_bool().unwrap_or_default(),
                });
            }
            read.groups.push(record::<Group>("groups", group)?);
        }
        let links = read.invite_links.get_or_insert_default();
        for link in self
            .list_if_allowed(&format!("{at}/invite-links/"), report)
            .await?
        {
            let link = with(link, "organisation_id", json!(organisation));
            links.push(record::<InviteLink>("invite links", link)?);
        }
        // The secret of a mailed invitation is not told to anybody but who gets the mail.
        let invites = self.list_if_allowed(&format!("{at}/invites/"), report).await?;
        for invite in invites.iter().filter(|invite| invite["hash"].is_string()) {
            let mut invite = with(invite.clone(), "organisation_id", json!(organisation));
            if invite["role"].is_null() {
                invite["role"] = json!("USER");
            }
            invite["invited_by_id"] = invite["invited_by"]["id"].clone();
            let invite = record::<Invite>("invites", invite)?;
            read.invites.get_or_insert_default().push(invite);
        }
        if !invites.is_empty() && read.invites.is_none() {
            let text = format!(
                "{} open invitations are not given by the API: send them again",
                invites.len()
            );
            report.note(noun::INVITE, None, text);
        }
        self.read_grants(&at, Level::Organisation, organisation, read, report)
            .await
    }

    async fn read_grants(
        &self,
        at: &str,
        level: Level,
        object_id: i64,
        read: &mut Configuration,
        report: &mut Report,
    ) -> Result<()> {
        for (path, holder) in [("user-permissions", "user"), ("user-group-permissions", "group")] {
            for grant in self.list_if_allowed(&format!("{at}/{path}/"), report).await? {
                let id = |value: &Value| value["id"].as_i64().or_else(|| value.as_i64());
                let keys = grant["permissions"].as_array().into_iter().flatten();
                read.grants.push(Grant {
                    id: grant["id"].as_i64().unwrap_or_default(),
                    level,
                    object_id,
                    user_id: id(&grant[holder]).filter(|_| holder == "user"),
                    group_id: id(&grant[holder]).filter(|_| holder == "group"),
                    admin: grant["admin"].as_bool().unwrap_or_default(),
                    permissions: keys.filter_map(Value::as_str).map(str::to_owned).collect(),
                });
            }
        }
        Ok(())
    }

    async fn read_project(
        &self,
        project: &Project,
        read: &mut Configuration,
        report: &mut Report,
    ) -> Result<()> {
        let id = project.id;
        let at = format!("projects/{id}");
        self.read_grants(&at, Level::Project, id, read, report).await?;
        for tag in self.list(&format!("{at}/tags/")).await? {
            let tag = with(tag, "project_id", json!(id));
            read.tags.push(record("tags", without(tag, "project"))?);
        }
        for feature in self.list(&format!("{at}/features/")).await? {
            read_feature(&feature, id, read)?;
        }
        for segment in self
            .list(&format!("{at}/segments/?include_feature_specific=true"))
            .await?
        {
            read.segments.push(record("segments", segment)?);
        }
        for environment in self.list(&format!("environments/?project={id}")).await? {
            let environment = environment_record(environment)?;
            self.read_environment(&environment, read, report).await?;
            read.environments.push(environment);
        }
        Ok(())
    }

    async fn read_environment(
        &self,
        environment: &Environment,
        read: &mut Configuration,
        report: &mut Report,
    ) -> Result<()> {
        let id = environment.id;
        let at = format!("environments/{}", environment.api_key);
        self.read_grants(&at, Level::Environment, id, read, report)
            .await?;
        let mut server_key = None;
        for key in self.list_if_allowed(&format!("{at}/api-keys/"), report).await? {
            if key["active"] == true && key["expires_at"].is_null() {
                server_key = key["key"].as_str().map(str::to_owned);
            }
            let key = with(key, "environment_id", json!(id));
            read.server_keys.push(record("server-side keys", key)?);
        }
        let seeds = if let Some(key) = server_key {
            self.seeds(&key).await?
        } else {
            let text = "it has no server-side key, so its document can't be read: where buckets were computed from \
                            something else than a feature state's id, users may move";
            report.note(noun::ENVIRONMENT, id, text);
            HashMap::new()
        };
        let mut overridden = std::collections::BTreeSet::new();
        for state in self
            .list(&format!("features/featurestates/?environment={id}"))
            .await?
        {
            if !state["feature_segment"].is_null() {
                overridden.insert(state["feature"].as_i64().unwrap_or_default());
            }
            let seed = state["uuid"].as_str().and_then(|uuid| seeds.get(uuid)).copied();
            read_state(&state, id, None, seed, &mut read.states, &mut read.weights)?;
        }
        for feature in overridden {
            let path = format!("features/feature-segments/?environment={id}&feature={feature}");
            for link in self.list(&path).await? {
                let link = with(with(link, "feature_id", json!(feature)), "environment", json!(id));
                read.links.push(record::<FeatureSegment>(
                    "feature segments",
                    without(link, "feature"),
                )?);
            }
        }
        self.read_versions(environment, read).await
    }

    /// What buckets are computed from, by the uuid of feature states: only an environment's document tells.
    async fn seeds(&self, server_key: &str) -> Result<HashMap<String, i64>> {
        let url = format!("{}/api/v1/environment-document/", self.base);
        let answer = self.call(&url, ("x-environment-key", server_key)).await?;
        let document = answer.json().unwrap_or_default();
        let mut seeds = HashMap::new();
        let mut see = |states: &Value| {
            for state in states.as_array().into_iter().flatten() {
                let uuid = state["featurestate_uuid"].as_str();
                if let (Some(uuid), Some(seed)) = (uuid, state["django_id"].as_i64()) {
                    seeds.insert(uuid.to_owned(), seed);
                }
            }
        };
        see(&document["feature_states"]);
        for segment in document["project"]["segments"].as_array().into_iter().flatten() {
            see(&segment["feature_states"]);
        }
        Ok(seeds)
    }

    /// A page of the identities of an environment with their traits; `None` after the last.
    pub(crate) async fn identities(
        &self,
        environment: &Environment,
        page: u32,
    ) -> Result<Option<Vec<ApiIdentity>>> {
        let at = format!("environments/{}/identities", environment.api_key);
        let answer = match self.get(&format!("{at}/?page={page}&page_size={PAGE}")).await {
            // There is no page after the last.
            Err(Error::Api(text)) if page > 1 && text.ends_with("404") => return Ok(None),
            outcome => outcome?,
        };
        let results = answer["results"].as_array().cloned().unwrap_or_default();
        if results.is_empty() {
            return Ok(None);
        }
        let mut identities = Vec::with_capacity(results.len());
        for identity in results {
            let Some(id) = identity["id"].as_i64() else {
                continue;
            };
            let rows = self.list(&format!("{at}/{id}/traits/")).await?;
            let traits: TraitSet = (0..)
                .zip(rows.iter().filter_map(api_trait))
                .map(|(slot, (key, value, at))| StoredTrait(slot, key, value, at))
                .collect();
            identities.push(ApiIdentity {
                id,
                identifier: identity["identifier"].as_str().unwrap_or_default().to_owned(),
                created_at: moment(&identity["created_date"]),
                traits,
            });
        }
        Ok(Some(identities))
    }

    /// The overrides of identities of an environment, with the identities' identifiers by id.
    pub(crate) async fn overrides(
        &self,
        environment: &Environment,
    ) -> Result<(Vec<FeatureState>, Vec<Weight>, HashMap<i64, String>)> {
        let path = format!(
            "environments/{}/featurestates/?anyIdentity=1",
            environment.api_key
        );
        let (mut states, mut weights, mut identifiers) = (Vec::new(), Vec::new(), HashMap::new());
        for state in self.list(&path).await? {
            let identity = &state["identity"];
            let Some(id) = identity["id"].as_i64() else {
                continue;
            };
            identifiers.insert(id, identity["identifier"].as_str().unwrap_or_default().to_owned());
            read_state(&state, environment.id, Some(id), None, &mut states, &mut weights)?;
        }
        Ok((states, weights, identifiers))
    }
}

/// An identity as the API gives it.
#[derive(Debug)]
pub(crate) struct ApiIdentity {
    pub(crate) id: i64,
    pub(crate) identifier: String,
    pub(crate) created_at: i64,
    pub(crate) traits: TraitSet,
}

/// How long a server asks to be left alone: a number of seconds, or a moment.
fn asked_to_wait(answer: &Answer) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = httpdate::parse_http_date(text).ok()?;
    Some(moment.duration_since(SystemTime::now()).unwrap_or_default())
}

fn record<T: DeserializeOwned>(what: &'static str, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::Row(what, error))
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// Without one of two names of the same thing.
fn without(mut object: Value, name: &str) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.shift_remove(name);
    }
    object
}

fn moment(value: &Value) -> i64 {
    let moment = value.as_str().and_then(Timestamp::parse);
    moment.unwrap_or_else(Timestamp::now).0
}

/// The API has one name for the setting, the database another.
fn environment_record(environment: Value) -> Result<Environment> {
    let composite = environment["use_identity_composite_key_for_hashing"].clone();
    let mut environment = without(environment, "metadata");
    if composite.is_boolean() {
        environment["use_mv_v2_evaluation"] = composite;
    }
    record("environments", environment)
}

fn read_feature(feature: &Value, project: i64, read: &mut Configuration) -> Result<()> {
    let id = feature["id"].as_i64().unwrap_or_default();
    let mut option_rows = feature["multivariate_options"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for option in option_rows.drain(..) {
        let option = without(with(option, "feature_id", json!(id)), "feature");
        read.options.push(record("multivariate options", option)?);
    }
    for (name, links) in [
        ("tags", &mut read.feature_tags),
        ("owners", &mut read.feature_owners),
        ("group_owners", &mut read.feature_group_owners),
    ] {
        let others = feature[name].as_array().into_iter().flatten();
        let ids = others.filter_map(|other| other.as_i64().or_else(|| other["id"].as_i64()));
        links.extend(ids.map(|other_id| FeatureLink {
            id: 0,
            feature_id: id,
            other_id,
        }));
    }
    let feature = without(with(feature.clone(), "project_id", json!(project)), "project");
    read.features.push(record::<Feature>("features", feature)?);
    Ok(())
}

/// A feature state in either dialect of the API, with its weights.
fn read_state(
    state: &Value,
    environment: i64,
    identity: Option<i64>,
    seed: Option<i64>,
    states: &mut Vec<FeatureState>,
    weights: &mut Vec<Weight>,
) -> Result<()> {
    let Some(id) = state["id"].as_i64() else {
        return Ok(());
    };
    let feature = &state["feature"];
    let mut plain = json!({
        "id": id,
        "uuid": state["uuid"],
        "enabled": state["enabled"].as_bool().unwrap_or_default(),
        "environment_id": environment,
        "feature_id": feature.as_i64().or_else(|| feature["id"].as_i64()).unwrap_or_default(),
        "identity_id": identity,
        "feature_segment_id": state["feature_segment"],
        "created_at": state["created_at"],
        "live_from": state["live_from"],
        "updated_at": state["updated_at"],
        "version": state["version"],
        "mv_hashing_salt": seed,
        "environment_feature_version_id": state["environment_feature_version"],
    });
    let value = &state["feature_state_value"];
    if value.is_object() {
        plain["value_type"] = value["type"].clone();
        for name in ["string_value", "integer_value", "boolean_value"] {
            plain[name] = value[name].clone();
        }
    } else {
        let value: FlagValue = serde_json::from_value(value.clone()).unwrap_or_default();
        let (kind, text, number, truth) = value_columns(&value);
        plain["value_type"] = json!(kind);
        plain["string_value"] = json!(text);
        plain["integer_value"] = json!(number);
        plain["boolean_value"] = json!(truth);
    }
    states.push(record("feature states", plain)?);
    for weight in state["multivariate_feature_state_values"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let option = &weight["multivariate_feature_option"];
        weights.push(Weight {
            id: weight["id"].as_i64().unwrap_or_default(),
            uuid: weight["uuid"].as_str().map(str::to_owned),
            percentage_allocation: weight["percentage_allocation"].as_f64().unwrap_or_default(),
            feature_state_id: id,
            multivariate_feature_option_id: option
                .as_i64()
                .or_else(|| option["id"].as_i64())
                .unwrap_or_default(),
        });
    }
    Ok(())
}

/// A trait in the form of the API: its key, its value, when it was made.
fn api_trait(row: &Value) -> Option<(String, TraitValue, i64)> {
    let value = match row["value_type"].as_str() {
        Some("int") => TraitValue::Int(row["integer_value"].as_i64()?),
        Some("bool") => TraitValue::Bool(row["boolean_value"].as_bool()?),
        Some("float") => TraitValue::Float(row["float_value"].as_f64()?),
        _ => TraitValue::Text(row["string_value"].as_str()?.to_owned()),
    };
    Some((
        row["trait_key"].as_str()?.to_owned(),
        value,
        moment(&row["created_date"]),
    ))
}

/// Links have ids in the database only: here they are numbered by what they link.
fn number_links(read: &mut Configuration) {
    let number = |a: i64, b: i64| (a << 32) | (b & 0xffff_ffff);
    for m in &mut read.memberships {
        m.id = number(m.organisation_id, m.user_id);
    }
    for m in &mut read.group_members {
        m.id = number(m.userpermissiongroup_id, m.ffadminuser_id);
    }
    for list in [
        &mut read.feature_tags,
        &mut read.feature_owners,
        &mut read.feature_group_owners,
    ] {
        for link in list {
            link.id = number(link.feature_id, link.other_id);
        }
    }
}

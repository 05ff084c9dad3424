//! SAML: identity providers of organisations, and signing in through them.
//!
//! # Whom a provider can sign in
//!
//! A provider says which address somebody has, and could say any. One that a superuser set up signs in everybody. One
//! that an organisation's administrator set up can sign in only those whom its organisation has for itself: users who
//! belong, or are invited, to it and to no other, and are no superusers; and it can sign up newcomers, where the rules
//! for signing up let them in. Who signs in becomes a member of the organisation.

use burgee_auth::providers::Profile;
use burgee_auth::saml::{self as protocol, Answer, IdentityProvider, ServiceProvider};
use burgee_model::{Problems, Timestamp};
use burgee_store::changes::NewChange;
use burgee_store::saml;
pub use burgee_store::saml::{SamlAttributeMapping, SamlConfiguration};
use burgee_store::users::{self, User};
use burgee_store::{DbError, Tx, groups, invites, members, organisations, provider_accounts};
use serde_json::{Value, json};

use crate::change::{Action, Change, Kind};
use crate::sessions::{self, Client};
use crate::sign_ins::{self, Newcomer};
use crate::{App, Caller, Error, Result};

/// How long somebody may take to sign in, in microseconds.
const REQUEST_MICROS: i64 = 15 * 60 * 1_000_000;

/// What a user's attribute is called where no mapping says otherwise.
const EMAIL: &[&str] = &[
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
];
const FIRST_NAME: &[&str] = &[
    "givenName",
    "first_name",
    "firstName",
    "urn:oid:2.5.4.42",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
];
const LAST_NAME: &[&str] = &[
    "sn",
    "surname",
    "last_name",
    "lastName",
    "urn:oid:2.5.4.4",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
];

fn no_configuration() -> Error {
    Error::no_match("SamlConfiguration")
}

/// The configuration with this name, for an administrator of its organisation.
pub async fn get(tx: &mut Tx, caller: &Caller, name: &str) -> Result<SamlConfiguration> {
    let found = saml::find_by_name(tx, name).await?.ok_or_else(no_configuration)?;
    match caller.require_organisation_admin(tx, found.organisation_id).await {
        // Names are unique in the installation; to strangers there is none.
        Err(Error::Forbidden(_)) => Err(no_configuration()),
        outcome => outcome.map(|()| found),
    }
}

/// The configurations of an organisation.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<SamlConfiguration>> {
    caller.require_organisation_admin(tx, organisation_id).await?;
    Ok(saml::list(tx, organisation_id).await?)
}

/// What can be said of a configuration.
#[derive(Debug, Clone, Default)]
pub struct ConfigurationEdit {
    pub organisation: Option<i64>,
    pub name: Option<String>,
    pub frontend_url: Option<String>,
    pub idp_metadata_xml: Option<Option<String>>,
    pub allow_idp_initiated: Option<bool>,
}

impl ConfigurationEdit {
    fn check(&self) -> Result<()> {
        let mut problems = Problems::new();
        if let Some(Some(xml)) = &self.idp_metadata_xml
            && let Err(why) = protocol::read_metadata(xml)
        {
            problems.add("idp_metadata_xml", format!("Invalid metadata: {why}."));
        }
        let in_addresses = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if let Some(name) = &self.name
            && !name.chars().all(in_addresses)
        {
            let text =
                "Enter letters, digits, hyphens, underscores and dots only: the name stands in addresses.";
            problems.add("name", text);
        }
        if let Some(url) = &self.frontend_url
            && !url::Url::parse(url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        {
            problems.add("frontend_url", "Enter a valid URL.");
        }
        Ok(problems.check()?)
    }

    fn apply(self, configuration: &mut SamlConfiguration) {
        if let Some(id) = self.organisation {
            configuration.organisation_id = id;
        }
        if let Some(name) = self.name {
            configuration.name = name;
        }
        if let Some(url) = self.frontend_url {
            configuration.frontend_url = url;
        }
        if let Some(xml) = self.idp_metadata_xml {
            configuration.idp_metadata_xml = xml.filter(|xml| !xml.trim().is_empty());
        }
        if let Some(allow) = self.allow_idp_initiated {
            configuration.allow_idp_initiated = allow;
        }
    }
}

fn is_superuser(caller: &Caller) -> bool {
    caller.user().is_ok_and(|user| user.is_superuser)
}

fn taken(outcome: std::result::Result<i64, DbError>) -> Result<i64> {
    match outcome {
        Err(DbError::Conflict(_)) => Err(Error::field(
            "name",
            "saml configuration with this name already exists.",
        )),
        other => Ok(other?),
    }
}

/// Sets up an identity provider.
pub async fn create(app: &App, caller: &Caller, edit: ConfigurationEdit) -> Result<SamlConfiguration> {
    edit.check()?;
    let mut tx = app.begin().await?;
    let mut configuration = SamlConfiguration {
        id: 0,
        organisation_id: 0,
        name: String::new(),
        frontend_url: String::new(),
        idp_metadata_xml: None,
        allow_idp_initiated: false,
        trusted: is_superuser(caller),
        created_at: Timestamp::now().0,
    };
    edit.apply(&mut configuration);
    caller
        .require_organisation_admin(&mut tx, configuration.organisation_id)
        .await?;
    configuration.id = taken(saml::insert(&mut tx, &configuration).await)?;
    let change = changed(caller, Action::Create, &configuration).after(as_json(&configuration));
    app.commit(tx, vec![change.into()]).await?;
    Ok(configuration)
}

/// Changes a configuration.
pub async fn update(
    app: &App,
    caller: &Caller,
    name: &str,
    edit: ConfigurationEdit,
) -> Result<SamlConfiguration> {
    edit.check()?;
    let mut tx = app.begin().await?;
    let before = get(&mut tx, caller, name).await?;
    let mut configuration = before.clone();
    edit.apply(&mut configuration);
    if configuration.organisation_id != before.organisation_id {
        caller
            .require_organisation_admin(&mut tx, configuration.organisation_id)
            .await?;
    }
    // What a superuser vouched for was the configuration as it was.
    configuration.trusted = is_superuser(caller);
    let written = saml::update(&mut tx, &configuration).await;
    taken(written.map(|_| configuration.id))?;
    let change = changed(caller, Action::Update, &configuration)
        .before(as_json(&before))
        .after(as_json(&configuration));
    app.commit(tx, vec![change.into()]).await?;
    Ok(configuration)
}

/// Removes a configuration with its mappings.
pub async fn delete(app: &App, caller: &Caller, name: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    let configuration = get(&mut tx, caller, name).await?;
    saml::delete(&mut tx, configuration.id).await?;
    let change = changed(caller, Action::Delete, &configuration).before(as_json(&configuration));
    app.commit(tx, vec![change.into()]).await
}

fn changed(caller: &Caller, action: Action, configuration: &SamlConfiguration) -> Change {
    Change::new(caller, Kind::SamlConfiguration, action, configuration.id)
        .in_organisation(configuration.organisation_id)
}

fn as_json(configuration: &SamlConfiguration) -> Value {
    json!({
        "name": configuration.name,
        "frontend_url": configuration.frontend_url,
        "idp_metadata_xml": configuration.idp_metadata_xml,
        "allow_idp_initiated": configuration.allow_idp_initiated,
        "trusted": configuration.trusted,
    })
}

/// The mappings that the caller may see, of one organisation or configuration.
pub async fn mappings(
    tx: &mut Tx,
    caller: &Caller,
    organisation_id: Option<i64>,
    configuration_id: Option<i64>,
) -> Result<Vec<SamlAttributeMapping>> {
    let configurations = match (configuration_id, organisation_id) {
        (Some(id), _) => vec![configuration_by_id(tx, caller, id).await?],
        (None, Some(id)) => list(tx, caller, id).await?,
        (None, None) => {
            let text = "Either organisation or saml_configuration must be given.";
            return Err(Error::detail(text));
        }
    };
    let mut all = Vec::new();
    for configuration in configurations {
        if organisation_id.is_none_or(|id| id == configuration.organisation_id) {
            all.extend(saml::mappings(tx, configuration.id).await?);
        }
    }
    Ok(all)
}

async fn configuration_by_id(tx: &mut Tx, caller: &Caller, id: i64) -> Result<SamlConfiguration> {
    let found = saml::find(tx, id)
        .await?
        .ok_or_else(|| Error::no_such("saml_configuration", id))?;
    match caller.require_organisation_admin(tx, found.organisation_id).await {
        Err(Error::Forbidden(_)) => Err(Error::no_such("saml_configuration", id)),
        outcome => outcome.map(|()| found),
    }
}

/// One mapping.
pub async fn get_mapping(tx: &mut Tx, caller: &Caller, id: i64) -> Result<SamlAttributeMapping> {
    let missing = || Error::no_match("SamlAttributeMapping");
    let mapping = saml::find_mapping(tx, id).await?.ok_or_else(missing)?;
    match configuration_by_id(tx, caller, mapping.saml_configuration_id).await {
        Err(Error::Invalid(_)) => Err(missing()),
        outcome => outcome.map(|_| mapping),
    }
}

/// What can be said of a mapping.
#[derive(Debug, Clone, Default)]
pub struct MappingEdit {
    pub saml_configuration: Option<i64>,
    pub django_attribute_name: Option<&'static str>,
    pub idp_attribute_name: Option<String>,
}

/// Writes a mapping, a new one without an `id`.
pub async fn save_mapping(
    app: &App,
    caller: &Caller,
    id: Option<i64>,
    edit: MappingEdit,
) -> Result<SamlAttributeMapping> {
    let mut tx = app.begin().await?;
    let before = match id {
        Some(id) => Some(get_mapping(&mut tx, caller, id).await?),
        None => None,
    };
    let mut mapping = before.clone().unwrap_or_else(|| SamlAttributeMapping {
        id: 0,
        saml_configuration_id: 0,
        django_attribute_name: String::new(),
        idp_attribute_name: String::new(),
    });
    if let Some(id) = edit.saml_configuration {
        mapping.saml_configuration_id = id;
    }
    if let Some(name) = edit.django_attribute_name {
        name.clone_into(&mut mapping.django_attribute_name);
    }
    if let Some(name) = edit.idp_attribute_name {
        mapping.idp_attribute_name = name;
    }
    let mut configuration = configuration_by_id(&mut tx, caller, mapping.saml_configuration_id).await?;
    let written = match before {
        Some(_) => saml::update_mapping(&mut tx, &mapping).await.map(|_| mapping.id),
        None => saml::insert_mapping(&mut tx, &mapping).await,
    };
    mapping.id = match written {
        Err(DbError::Conflict(_)) => {
            let text = "The fields saml_configuration, django_attribute_name must make a unique set.";
            return Err(Problems::whole(text).into());
        }
        other => other?,
    };
    // Which attribute is the address decides who is signed in: a superuser's word does not cover another's mapping.
    configuration.trusted &= is_superuser(caller);
    saml::update(&mut tx, &configuration).await?;
    let action = if before.is_some() {
        Action::Update
    } else {
        Action::Create
    };
    let mut change = changed(caller, action, &configuration).after(mapping_json(&mapping));
    if let Some(before) = &before {
        change = change.before(mapping_json(before));
    }
    app.commit(tx, vec![change.into()]).await?;
    Ok(mapping)
}

/// Removes a mapping.
pub async fn delete_mapping(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let mapping = get_mapping(&mut tx, caller, id).await?;
    let mut configuration = configuration_by_id(&mut tx, caller, mapping.saml_configuration_id).await?;
    saml::delete_mapping(&mut tx, id).await?;
    configuration.trusted &= is_superuser(caller);
    saml::update(&mut tx, &configuration).await?;
    let change = changed(caller, Action::Delete, &configuration).before(mapping_json(&mapping));
    app.commit(tx, vec![change.into()]).await
}

fn mapping_json(mapping: &SamlAttributeMapping) -> Value {
    json!({ "mapping": { mapping.django_attribute_name.as_str(): mapping.idp_attribute_name } })
}

/// This installation as the provider of this name knows it.
fn service(app: &App, name: &str) -> ServiceProvider {
    let base = format!("{}/api/v1/auth/saml/{name}", app.settings().public_url);
    ServiceProvider {
        entity_id: format!("{base}/metadata/"),
        acs_url: format!("{base}/response/"),
    }
}

/// This installation's description, for the identity provider.
pub async fn metadata(app: &App, tx: &mut Tx, name: &str) -> Result<String> {
    let configuration = saml::find_by_name(tx, name).await?.ok_or_else(no_configuration)?;
    Ok(service(app, &configuration.name).metadata())
}

fn provider(configuration: &SamlConfiguration) -> Result<IdentityProvider> {
    let xml = configuration.idp_metadata_xml.as_deref();
    let xml = xml.ok_or_else(|| Error::detail("The identity provider's metadata is missing."))?;
    protocol::read_metadata(xml)
        .map_err(|why| Error::detail(&format!("The identity provider's metadata: {why}.")))
}

/// Begins a sign-in. Returns where the browser goes.
pub async fn begin(app: &App, client: &Client, name: &str) -> Result<String> {
    sessions::throttle_address(app, client)?;
    let mut tx = app.begin().await?;
    let configuration = saml::find_by_name(&mut tx, name)
        .await?
        .ok_or_else(no_configuration)?;
    let provider = provider(&configuration)?;
    let now = Timestamp::now();
    let (id, url) = service(app, &configuration.name)
        .request(&provider, now)
        .map_err(|why| Error::detail(&why.to_string()))?;
    saml::insert_request(&mut tx, &id, configuration.id, now.0 + REQUEST_MICROS).await?;
    app.commit(tx, Vec::new()).await?;
    Ok(url)
}

/// Ends it with what the identity provider posted. Returns where the browser goes, with a code for a key.
pub async fn end(app: &App, client: &Client, name: &str, response: &str) -> Result<String> {
    sessions::throttle_address(app, client)?;
    let mut tx = app.begin().await?;
    let configuration = saml::find_by_name(&mut tx, name)
        .await?
        .ok_or_else(no_configuration)?;
    let provider = provider(&configuration)?;
    let service = service(app, &configuration.name);
    let now = Timestamp::now();
    let answer = protocol::check_response(response, &provider, &service, now)
        .map_err(|why| refused(&configuration, &why.to_string()))?;
    match &answer.in_response_to {
        Some(id) => {
            if !saml::take_request(&mut tx, id, configuration.id, now.0).await? {
                return Err(refused(&configuration, "it answers no open request"));
            }
        }
        None if configuration.allow_idp_initiated => {}
        None => return Err(refused(&configuration, "nobody asked for it")),
    }
    if !saml::use_assertion(&mut tx, configuration.id, &answer.assertion_id, answer.expires_at).await? {
        return Err(refused(&configuration, "the assertion was used before"));
    }
    let mappings = saml::mappings(&mut tx, configuration.id).await?;
    let profile =
        profile(&answer, &mappings).ok_or_else(|| refused(&configuration, "it tells no e-mail address"))?;
    let (code, changes) = sign_in(
        app,
        &mut tx,
        &configuration,
        &profile,
        groups_of(&answer, &mappings),
    )
    .await?;
    app.commit(tx, changes).await?;
    Ok(format!(
        "{}/saml?code={code}",
        configuration.frontend_url.trim_end_matches('/')
    ))
}

fn refused(configuration: &SamlConfiguration, why: &str) -> Error {
    tracing::warn!(
        saml.configuration = configuration.id,
        why,
        "a SAML response was refused"
    );
    Error::detail(&format!("The SAML response is refused: {why}."))
}

async fn sign_in(
    app: &App,
    tx: &mut Tx,
    configuration: &SamlConfiguration,
    profile: &Profile,
    groups: Option<Vec<String>>,
) -> Result<(String, Vec<NewChange>)> {
    let key = format!("saml:{}", configuration.id);
    let known = match provider_accounts::user(tx, &key, &profile.subject).await? {
        Some(user) => Some(user),
        None => users::find_by_email(tx, &profile.email).await?,
    };
    if let Some(user) = &known
        && !configuration.trusted
        && !is_own(tx, configuration, user).await?
    {
        return Err(refused(
            configuration,
            "the user is not this organisation's alone",
        ));
    }
    let (arrival, mut changes) =
        sign_ins::find_or_create(app, tx, &key, profile, &Newcomer::default()).await?;
    changes.extend(join(tx, configuration, &arrival.user).await?);
    if let Some(groups) = groups {
        changes.extend(follow_groups(tx, configuration.organisation_id, arrival.user.id, &groups).await?);
    }
    let code = sign_ins::login_code(tx, "saml", &arrival).await?;
    Ok((code, changes))
}

/// Whether a user is the organisation's own, so that its administrators may say who he is.
async fn is_own(tx: &mut Tx, configuration: &SamlConfiguration, user: &User) -> Result<bool> {
    let all = organisations::of_user(tx, user.id).await?;
    let belongs = all
        .iter()
        .any(|organisation| organisation.id == configuration.organisation_id);
    let invited = invites::list(tx, configuration.organisation_id)
        .await?
        .iter()
        .any(|invite| invite.email == user.email);
    let elsewhere = all
        .iter()
        .any(|organisation| organisation.id != configuration.organisation_id);
    Ok(!user.is_superuser && !elsewhere && (belongs || invited))
}

/// Makes the user a member, as he was invited if he was.
async fn join(tx: &mut Tx, configuration: &SamlConfiguration, user: &User) -> Result<Option<NewChange>> {
    let organisation_id = configuration.organisation_id;
    if organisations::role(tx, organisation_id, user.id).await?.is_some() {
        return Ok(None);
    }
    let open = invites::list(tx, organisation_id).await?;
    let invite = open.into_iter().find(|invite| invite.email == user.email);
    let (role, invited_to) = match &invite {
        Some(invite) => {
            invites::delete(tx, invite.id).await?;
            (invite.role.as_str(), invite.groups())
        }
        None => ("USER", Vec::new()),
    };
    members::add(tx, organisation_id, user.id, role, Timestamp::now().0).await?;
    let groups = groups::welcome(tx, organisation_id, user.id, &invited_to).await?;
    let change = Change::by_nobody(Kind::User, Action::Create, user.id)
        .by_user(user.id)
        .in_organisation(organisation_id)
        .after(json!({ "role": role, "groups": groups, "invite": invite.as_ref().map(|invite| invite.id), "via": "saml" }));
    Ok(Some(change.into()))
}

/// Puts the user into the groups whose external ids the provider names, and takes him out of its others.
async fn follow_groups(
    tx: &mut Tx,
    organisation_id: i64,
    user_id: i64,
    named: &[String],
) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    for group in groups::list(tx, organisation_id).await? {
        let Some(external) = &group.external_id else {
            continue;
        };
        let belongs = named.contains(external);
        let moved = if belongs {
            groups::add_users(tx, group.id, &[user_id]).await?
        } else {
            groups::remove_users(tx, group.id, &[user_id]).await?
        };
        if moved > 0 {
            let change = Change::by_nobody(Kind::Group, Action::Update, group.id)
                .by_user(user_id)
                .in_organisation(organisation_id)
                .after(json!({ "user": user_id, "member": belongs, "via": "saml" }));
            changes.push(change.into());
        }
    }
    Ok(changes)
}

fn mapped<'a>(mappings: &'a [SamlAttributeMapping], name: &str) -> Option<&'a str> {
    let found = mappings
        .iter()
        .find(|mapping| mapping.django_attribute_name == name);
    found.map(|mapping| mapping.idp_attribute_name.as_str())
}

fn profile(answer: &Answer, mappings: &[SamlAttributeMapping]) -> Option<Profile> {
    let first = |name: &str, usual: &[&str]| match mapped(mappings, name) {
        Some(attribute) => answer.first(&[attribute]),
        None => answer.first(usual),
    };
    let is_address =
        |text: &&str| text.contains('@') && !text.contains(char::is_whitespace) && text.len() <= 254;
    let email = first("email", EMAIL)
        .or(Some(answer.name_id.as_str()))
        .filter(is_address)?;
    Some(Profile {
        subject: answer.name_id.clone(),
        email: email.to_lowercase(),
        email_verified: true,
        first_name: first("first_name", FIRST_NAME).unwrap_or_default().to_owned(),
        last_name: first("last_name", LAST_NAME).unwrap_or_default().to_owned(),
    })
}

/// The groups the provider names; `None` where no mapping says which attribute does.
fn groups_of(answer: &Answer, mappings: &[SamlAttributeMapping]) -> Option<Vec<String>> {
    let attribute = mapped(mappings, "groups")?;
    Some(answer.attributes.get(attribute).cloned().unwrap_or_default())
}

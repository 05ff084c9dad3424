//! Trust relationships: machines sign in with a token that an identity provider of theirs has given them, for example a
//! CI system. Nothing secret has to be kept anywhere for it.
//!
//! Each has a master API key whose text nobody knows. It has the roles, and with it the tokens act that are given in
//! exchange. They end with the relationship.

use std::net::IpAddr;

use burgee_auth::jwt::{AccessTokens, Claims, is_for, peek};
use burgee_auth::tokens;
use burgee_model::{Timestamp, keys};
use burgee_store::{Tx, master_api_keys, trust_relationships};
use serde_json::{Value, json};

pub use burgee_store::trust_relationships::TrustRelationship;

use crate::change::{Action, Change, Kind};
use crate::master_api_keys::MasterApiKey;
use crate::organisations::for_admin;
use crate::security::{Attempt, now_seconds};
use crate::{App, Caller, Error, Result};

/// How long a token given in exchange holds.
pub const TOKEN_SECONDS: u64 = 60 * 60;
const SUBJECT: &str = "trust-relationship:";

/// A claim of a token and the values it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRule {
    pub claim: String,
    pub values: Vec<String>,
}

/// What may be set of a trust relationship. What is not given stays.
#[derive(Debug, Clone, Default)]
pub struct TrustEdit {
    pub name: Option<String>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub claim_rules: Option<Vec<ClaimRule>>,
    pub is_admin: Option<bool>,
}

/// The claim rules of a trust relationship.
pub fn rules(trust: &TrustRelationship) -> Vec<ClaimRule> {
    let kept: Vec<Value> = serde_json::from_str(&trust.claim_rules).unwrap_or_default();
    let rules = kept.into_iter().filter_map(|rule| {
        Some(ClaimRule {
            claim: rule.get("claim")?.as_str()?.to_owned(),
            values: serde_json::from_value(rule.get("values")?.clone()).ok()?,
        })
    });
    rules.collect()
}

/// People manage trust, as they manage keys: whoever signed in through it must not be able to extend it.
async fn require(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<()> {
    caller.user()?;
    for_admin(tx, caller, organisation_id).await.map(drop)
}

/// The trust relationships of an organisation.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<Vec<TrustRelationship>> {
    require(tx, caller, organisation_id).await?;
    Ok(trust_relationships::list(tx, organisation_id).await?)
}

/// One trust relationship.
pub async fn get(tx: &mut Tx, caller: &Caller, organisation_id: i64, id: i64) -> Result<TrustRelationship> {
    require(tx, caller, organisation_id).await?;
    let found = trust_relationships::find(tx, organisation_id, id).await?;
    found.ok_or_else(|| Error::no_match("TrustRelationship"))
}

/// Creates one.
pub async fn create(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    edit: TrustEdit,
) -> Result<TrustRelationship> {
    let mut tx = app.begin().await?;
    require(&mut tx, caller, organisation_id).await?;
    let now = Timestamp::now().0;
    let mut trust = TrustRelationship {
        id: 0,
        organisation_id,
        name: String::new(),
        issuer: String::new(),
        audience: String::new(),
        claim_rules: "[]".to_owned(),
        master_api_key_id: 0,
        created_by: caller.user_id(),
        created_at: now,
        prefix: String::new(),
        is_admin: false,
    };
    apply(app, &mut trust, edit)?;
    let key = hidden_key(&trust);
    trust.prefix.clone_from(&key.prefix);
    trust.master_api_key_id = master_api_keys::insert(&mut tx, &key).await?;
    trust.id = trust_relationships::insert(&mut tx, &trust).await?;
    let change = change(caller, &trust, Action::Create).after(as_json(&trust));
    app.commit(tx, vec![change.into()]).await?;
    Ok(trust)
}

/// The key a trust relationship acts with. Its text is forgotten at once.
fn hidden_key(trust: &TrustRelationship) -> MasterApiKey {
    let new = keys::master_api_key();
    let hash = tokens::lookup_hash(&new.to_text());
    MasterApiKey {
        id: 0,
        organisation_id: trust.organisation_id,
        prefix: new.prefix,
        hash,
        name: trust.name.chars().take(50).collect(),
        is_admin: trust.is_admin,
        revoked: false,
        created_by: trust.created_by,
        created_at: trust.created_at,
        expires_at: None,
    }
}

/// Changes one.
pub async fn update(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    id: i64,
    edit: TrustEdit,
) -> Result<TrustRelationship> {
    let mut tx = app.begin().await?;
    let before = get(&mut tx, caller, organisation_id, id).await?;
    let mut trust = before.clone();
    apply(app, &mut trust, edit)?;
    trust_relationships::update(&mut tx, &trust).await?;
    if let Some(mut key) = master_api_keys::find(&mut tx, trust.master_api_key_id).await? {
        key.name = trust.name.chars().take(50).collect();
        key.is_admin = trust.is_admin;
        master_api_keys::update(&mut tx, &key).await?;
    }
    let change = change(caller, &trust, Action::Update)
        .before(as_json(&before))
        .after(as_json(&trust));
    app.commit(tx, vec![change.into()]).await?;
    Ok(trust)
}

fn apply(app: &App, trust: &mut TrustRelationship, edit: TrustEdit) -> Result<()> {
    if let Some(name) = edit.name {
        trust.name = name;
    }
    if let Some(issuer) = edit.issuer {
        check_issuer(app, &issuer)?;
        trust.issuer = issuer;
    }
    if let Some(audience) = edit.audience {
        trust.audience = audience;
    }
    if let Some(rules) = edit.claim_rules {
        let rules = rules
            .iter()
            .map(|rule| json!({ "claim": rule.claim, "values": rule.values }));
        trust.claim_rules = rules.collect::<Value>().to_string();
    }
    if let Some(is_admin) = edit.is_admin {
        trust.is_admin = is_admin;
    }
    Ok(())
}

/// What an issuer says can be believed only when nobody on the way could have said it.
fn check_issuer(app: &App, issuer: &str) -> Result<()> {
    let refuse = |text: &str| Err(Error::field("issuer", text));
    let Ok(url) = app.outbound().guarded().check_url(issuer) else {
        return refuse("Enter a valid URL.");
    };
    let plain = url.scheme() != "https";
    if plain && !app.settings().outbound.allow_private_addresses {
        return refuse("The issuer's URL must begin with https://.");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return refuse("The issuer's URL must have no query, fragment or user.");
    }
    Ok(())
}

/// Deletes one. The tokens that were given for it end at once.
pub async fn delete(app: &App, caller: &Caller, organisation_id: i64, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let trust = get(&mut tx, caller, organisation_id, id).await?;
    // The relationship goes with its key.
    master_api_keys::delete(&mut tx, trust.master_api_key_id).await?;
    let change = change(caller, &trust, Action::Delete).before(as_json(&trust));
    app.commit(tx, vec![change.into()]).await
}

/// A token of ours, given in exchange.
#[derive(Debug, Clone)]
pub struct AccessToken {
    pub token: String,
    pub seconds: u64,
}

/// Takes a token of an issuer that is trusted and gives one of ours for it.
pub async fn exchange(app: &App, from: Option<IpAddr>, token: &str) -> Result<AccessToken> {
    let from = from.map(|address| address.to_string()).unwrap_or_default();
    app.throttle(Attempt::TokenExchange, &from)?;
    let refused = Error::Unauthenticated("The token is not accepted by any trust relationship.");
    let Some(claims) = peek(token) else {
        return Err(Error::field("token", "This is no JSON Web Token."));
    };
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    if issuer.is_empty() || issuer.contains('\0') {
        return Err(refused);
    }
    // Nobody is asked for keys whom no relationship names for this audience.
    let trusting = trusting(app, issuer, &claims).await?;
    if trusting.is_empty() {
        return Err(refused);
    }
    let claims = app.issuers().verify(app, issuer, token).await?;
    // Looked up again: asking the issuer took its time, and now the claims are known to be true.
    let trusting = self::trusting(app, issuer, &claims).await?;
    // Where several do, the one that asks for most is meant.
    let best = trusting
        .into_iter()
        .max_by_key(|trust| (rules(trust).len(), -trust.id));
    let best = best.ok_or(refused)?;
    let ours = app
        .access_tokens()
        .issue(&format!("{SUBJECT}{}", best.id), TOKEN_SECONDS, now_seconds());
    let token = ours.ok_or_else(|| Error::Internal("a token could not be signed".to_owned()))?;
    Ok(AccessToken {
        token,
        seconds: TOKEN_SECONDS,
    })
}

/// The relationships that accept these claims.
async fn trusting(app: &App, issuer: &str, claims: &Claims) -> Result<Vec<TrustRelationship>> {
    let mut tx = app.db().read().await?;
    let mut all = trust_relationships::of_issuer(&mut tx, issuer).await?;
    all.retain(|trust| {
        is_for(claims, &trust.audience) && rules(trust).iter().all(|rule| holds(rule, claims))
    });
    Ok(all)
}

/// Whether a claim, or one of its items if it is a list, is one of the values. A dot leads into an object.
fn holds(rule: &ClaimRule, claims: &Claims) -> bool {
    let whole = claims.get(&rule.claim);
    let inner = || {
        let mut parts = rule.claim.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    let is_one = |value: &Value| match value {
        Value::String(text) => rule.values.contains(text),
        Value::Number(number) => rule.values.contains(&number.to_string()),
        Value::Bool(truth) => rule.values.contains(&truth.to_string()),
        _ => false,
    };
    match whole.or_else(inner) {
        Some(Value::Array(items)) => items.iter().any(is_one),
        Some(value) => is_one(value),
        None => false,
    }
}

/// Who asks with a token that was given in exchange; `None` when it is no such token, or not any more.
pub(crate) async fn caller(tx: &mut Tx, app: &App, token: &str) -> Result<Option<Caller>> {
    let Some(subject) = app.access_tokens().check(token, now_seconds()) else {
        return Ok(None);
    };
    let Some(id) = subject.strip_prefix(SUBJECT).and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let key = master_api_keys::find_usable_of_trust(tx, id, Timestamp::now().0).await?;
    Ok(key.map(Caller::ApiKey))
}

impl App {
    /// Issues and checks the tokens that are given in exchange.
    fn access_tokens(&self) -> AccessTokens {
        AccessTokens::new(self.key("access tokens"))
    }
}

fn change(caller: &Caller, trust: &TrustRelationship, action: Action) -> Change {
    Change::new(caller, Kind::TrustRelationship, action, trust.id).in_organisation(trust.organisation_id)
}

/// What the change log keeps of a trust relationship.
fn as_json(trust: &TrustRelationship) -> Value {
    json!({
        "name": trust.name,
        "issuer": trust.issuer,
        "audience": trust.audience,
        "claim_rules": serde_json::from_str::<Value>(&trust.claim_rules).unwrap_or_default(),
        "is_admin": trust.is_admin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_for_one_of_its_values_only() {
        let claims =
            json!({"repository": "acme/web", "run": 7, "realm": {"roles": ["ci", "dev"]}, "a.b": "x"});
        let claims = claims.as_object().expect("an object");
        let rule = |claim: &str, values: &[&str]| ClaimRule {
            claim: claim.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        for (claim, values) in [
            ("repository", &["acme/api", "acme/web"][..]),
            ("run", &["7"]),
            ("realm.roles", &["ci"]),
            ("a.b", &["x"]),
        ] {
            assert!(holds(&rule(claim, values), claims), "{claim}");
        }
        for (claim, values) in [
            ("repository", &["acme/*", "acme"][..]),
            ("realm", &["ci"]),
            ("realm.roles", &["admin"]),
            ("none", &[""]),
            ("run", &[]),
        ] {
            assert!(!holds(&rule(claim, values), claims), "{claim}");
        }
    }
}

//! The identity provider's answer.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_model::Timestamp;
use roxmltree::Node;

use super::document::{ASSERTION, PROTOCOL, canonical, child, children, parse, text};
use super::{IdentityProvider, SamlError, ServiceProvider, signature};

/// By how much clocks may differ.
const SKEW_MICROS: i64 = 60 * 1_000_000;
/// For how long an assertion may hold at most: so long it must be remembered.
const LONGEST_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What a genuine answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The request it answers. `None`: nobody asked.
    pub in_response_to: Option<String>,
    /// Its assertion, which must be used once only.
    pub assertion_id: String,
    /// Until when it must be remembered, in microseconds since 1970.
    pub expires_at: i64,
    pub name_id: String,
    /// Values by the names of attributes.
    pub attributes: HashMap<String, Vec<String>>,
}

impl Answer {
    /// The first value of the first of these attributes that has one.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        let values = names.iter().filter_map(|name| self.attributes.get(*name));
        values
            .flatten()
            .map(|value| value.trim())
            .find(|value| !value.is_empty())
    }
}

/// Checks an answer as it was posted, in base64.
pub fn check_response(
    encoded: &str,
    provider: &IdentityProvider,
    service: &ServiceProvider,
    now: Timestamp,
) -> Result<Answer, SamlError> {
    let packed: String = encoded.split_whitespace().collect();
    let bytes = STANDARD
        .decode(packed)
        .map_err(|_| SamlError::new("the response is no base64"))?;
    let xml = String::from_utf8(bytes).map_err(|_| SamlError::new("the response is no UTF-8"))?;
    let xml = canonical(&xml)?;
    let document = parse(&xml)?;
    let root = document.root_element();
    if !root.has_tag_name((PROTOCOL, "Response")) {
        return Err(SamlError::new("this is no Response"));
    }
    let everything = || document.descendants().filter(Node::is_element);
    if everything().any(|node| node.tag_name().name() == "EncryptedAssertion") {
        return Err(SamlError::new(
            "encrypted assertions are not supported: have them signed only",
        ));
    }
    check_envelope(root, provider, service)?;
    let assertion =
        child(root, ASSERTION, "Assertion")?.ok_or_else(|| SamlError::new("there is no assertion"))?;
    if everything()
        .filter(|node| node.tag_name().name() == "Assertion")
        .count()
        != 1
    {
        return Err(SamlError::new("there is more than one assertion"));
    }
    signature::check(&xml, &document, assertion, provider)?;
    read_assertion(root, assertion, provider, service, now.0)
}

fn check_envelope(
    root: Node<'_, '_>,
    provider: &IdentityProvider,
    service: &ServiceProvider,
) -> Result<(), SamlError> {
    if root.attribute("Version") != Some("2.0") {
        return Err(SamlError::new("this is not SAML 2.0"));
    }
    if root
        .attribute("Destination")
        .is_some_and(|to| to != service.acs_url)
    {
        return Err(SamlError::new("the response is meant for another destination"));
    }
    if let Some(issuer) = child(root, ASSERTION, "Issuer")?
        && text(issuer)? != provider.entity_id
    {
        return Err(SamlError::new("the response is from another issuer"));
    }
    let status = child(root, PROTOCOL, "Status")?;
    let code = match status {
        Some(status) => child(status, PROTOCOL, "StatusCode")?,
        None => None,
    };
    if code.and_then(|code| code.attribute("Value")) != Some(SUCCESS) {
        return Err(SamlError::new("the identity provider signed nobody in"));
    }
    Ok(())
}

fn read_assertion(
    root: Node<'_, '_>,
    assertion: Node<'_, '_>,
    provider: &IdentityProvider,
    service: &ServiceProvider,
    now: i64,
) -> Result<Answer, SamlError> {
    let missing = |what: &str| SamlError(format!("the assertion lacks its {what}"));
    if assertion.attribute("Version") != Some("2.0") {
        return Err(SamlError::new("the assertion is not SAML 2.0"));
    }
    let issuer = child(assertion, ASSERTION, "Issuer")?.ok_or_else(|| missing("issuer"))?;
    if text(issuer)? != provider.entity_id {
        return Err(SamlError::new("the assertion is from another issuer"));
    }
    let conditions = child(assertion, ASSERTION, "Conditions")?.ok_or_else(|| missing("conditions"))?;
    check_times(conditions, now)?;
    check_audience(conditions, service)?;
    let subject = child(assertion, ASSERTION, "Subject")?.ok_or_else(|| missing("subject"))?;
    let name_id = child(subject, ASSERTION, "NameID")?.ok_or_else(|| missing("NameID"))?;
    let name_id = text(name_id)?.to_owned();
    if name_id.is_empty() {
        return Err(missing("NameID"));
    }
    let in_response_to = root.attribute("InResponseTo");
    let confirmed = children(subject, ASSERTION, "SubjectConfirmation")
        .filter(|confirmation| confirmation.attribute("Method") == Some(BEARER))
        .filter_map(|confirmation| {
            child(confirmation, ASSERTION, "SubjectConfirmationData")
                .ok()
                .flatten()
        });
    let mut why = missing("bearer confirmation");
    let mut expires_at = None;
    for data in confirmed {
        match check_confirmation(data, in_response_to, service, now) {
            Ok(end) => {
                expires_at = Some(end);
                break;
            }
            Err(error) => why = error,
        }
    }
    let expires_at = expires_at.ok_or(why)?;
    for statement in children(assertion, ASSERTION, "AuthnStatement") {
        if let Some(end) = time(statement, "SessionNotOnOrAfter")?
            && end <= now - SKEW_MICROS
        {
            return Err(SamlError::new("the session at the identity provider has ended"));
        }
    }
    Ok(Answer {
        in_response_to: in_response_to.map(str::to_owned),
        assertion_id: assertion.attribute("ID").unwrap_or_default().to_owned(),
        expires_at: expires_at.min(now + LONGEST_MICROS) + SKEW_MICROS,
        name_id,
        attributes: attributes(assertion)?,
    })
}

fn time(node: Node<'_, '_>, name: &str) -> Result<Option<i64>, SamlError> {
    let Some(value) = node.attribute(name) else {
        return Ok(None);
    };
    let parsed = Timestamp::parse(value).ok_or_else(|| SamlError(format!("{name} is no time")))?;
    Ok(Some(parsed.0))
}

fn check_times(node: Node<'_, '_>, now: i64) -> Result<(), SamlError> {
    if time(node, "NotBefore")?.is_some_and(|from| from > now + SKEW_MICROS) {
        return Err(SamlError::new("the assertion does not hold yet"));
    }
    if time(node, "NotOnOrAfter")?.is_some_and(|end| end <= now - SKEW_MICROS) {
        return Err(SamlError::new("the assertion has expired"));
    }
    Ok(())
}

/// Every restriction must name this service.
fn check_audience(conditions: Node<'_, '_>, service: &ServiceProvider) -> Result<(), SamlError> {
    let mut restricted = false;
    for restriction in children(conditions, ASSERTION, "AudienceRestriction") {
        restricted = true;
        let mut named = false;
        for audience in children(restriction, ASSERTION, "Audience") {
            named |= text(audience)? == service.entity_id;
        }
        if !named {
            return Err(SamlError::new("the assertion is meant for another audience"));
        }
    }
    if restricted {
        Ok(())
    } else {
        Err(SamlError::new("the assertion names no audience"))
    }
}

/// Until when a confirmation holds here.
fn check_confirmation(
    data: Node<'_, '_>,
    in_response_to: Option<&str>,
    service: &ServiceProvider,
    now: i64,
) -> Result<i64, SamlError> {
    if data.attribute("Recipient") != Some(service.acs_url.as_str()) {
        return Err(SamlError::new("the assertion is meant for another recipient"));
    }
    if data.attribute("InResponseTo") != in_response_to {
        return Err(SamlError::new("the assertion answers another request"));
    }
    check_times(data, now)?;
    let end = time(data, "NotOnOrAfter")?.ok_or_else(|| SamlError::new("the assertion never expires"))?;
    if end > now + LONGEST_MICROS {
        return Err(SamlError::new("the assertion holds for more than a day"));
    }
    Ok(end)
}

fn attributes(assertion: Node<'_, '_>) -> Result<HashMap<String, Vec<String>>, SamlError> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    for statement in children(assertion, ASSERTION, "AttributeStatement") {
        for attribute in children(statement, ASSERTION, "Attribute") {
            let mut values = Vec::new();
            for value in children(attribute, ASSERTION, "AttributeValue") {
                values.push(text(value)?.to_owned());
            }
            let names = ["Name", "FriendlyName"].map(|name| attribute.attribute(name));
            for name in names.into_iter().flatten() {
                let known = all.entry(name.to_owned()).or_default();
                if known != &values {
                    known.extend(values.iter().cloned());
                }
            }
        }
    }
    Ok(all)
}

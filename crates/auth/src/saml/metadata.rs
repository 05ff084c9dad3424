//! The identity provider's description of itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::load_x509_cert_der;
use url::Url;

use super::SamlError;
use super::document::{METADATA, SIGNATURE, canonical, child, children, parse};

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    pub entity_id: String,
    /// Where browsers go to sign in.
    pub sso_url: String,
    /// The certificates whose keys it signs with.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Reads a provider's metadata.
pub fn read_metadata(xml: &str) -> Result<IdentityProvider, SamlError> {
    let xml = canonical(xml.trim_start_matches('\u{feff}').trim())?;
    let document = parse(&xml)?;
    let root = document.root_element();
    if !root.has_tag_name((METADATA, "EntityDescriptor")) {
        return Err(SamlError::new("this is no EntityDescriptor"));
    }
    let entity_id = root.attribute("entityID").unwrap_or_default().to_owned();
    if entity_id.is_empty() {
        return Err(SamlError::new("the entityID is missing"));
    }
    let provider = child(root, METADATA, "IDPSSODescriptor")?
        .ok_or_else(|| SamlError::new("the IDPSSODescriptor is missing"))?;
    let sso_url = children(provider, METADATA, "SingleSignOnService")
        .find(|service| {
            service.attribute("Binding") == Some("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect")
        })
        .and_then(|service| service.attribute("Location"))
        .ok_or_else(|| SamlError::new("there is no SingleSignOnService with the HTTP-Redirect binding"))?;
    if !Url::parse(sso_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(SamlError::new("the SingleSignOnService is no web address"));
    }
    let mut certificates = Vec::new();
    for descriptor in children(provider, METADATA, "KeyDescriptor") {
        if descriptor
            .attribute("use")
            .is_some_and(|purpose| purpose != "signing")
        {
            continue;
        }
        for node in descriptor
            .descendants()
            .filter(|node| node.has_tag_name((SIGNATURE, "X509Certificate")))
        {
            let text: String = node.text().unwrap_or_default().split_whitespace().collect();
            let der = STANDARD
                .decode(text)
                .map_err(|_| SamlError::new("a certificate is no base64"))?;
            load_x509_cert_der(&der).map_err(|_| SamlError::new("a certificate can't be read"))?;
            certificates.push(der);
        }
    }
    if certificates.is_empty() {
        return Err(SamlError::new("there is no certificate for signing"));
    }
    Ok(IdentityProvider {
        entity_id,
        sso_url: sso_url.to_owned(),
        certificates,
    })
}

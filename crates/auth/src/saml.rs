//! SAML 2.0, the side of the service provider: requests by redirect, answers by POST.
//!
//! # What an answer must be
//!
//! Before anything is believed, the document is brought into canonical form: no comments, no entities, no CDATA. A document
//! type is refused outright. Everything below is checked and read on that one text, so no two readers can see it
//! differently. Then:
//!
//! * there is one assertion, a child of the response, and it or the response is signed;
//! * a signature is a child of what it signs, has one reference, to that very element by its id, and uses only the
//!   transforms and algorithms of the lists in [`signature`];
//! * it was made with a key of the provider's metadata; what the document itself says of keys counts for nothing;
//! * issuer, destination, recipient, audience and all times fit.
//!
//! Whoever calls must see to it that a request is answered once ([`Answer::in_response_to`]) and that an assertion is used
//! once ([`Answer::assertion_id`]). Encrypted assertions are refused.

mod document;
mod metadata;
mod response;
mod signature;
#[cfg(test)]
mod tests;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_model::{Timestamp, keys};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use url::Url;

pub use metadata::{IdentityProvider, read_metadata};
pub use response::{Answer, check_response};

/// Why a document is refused. The text tells whoever sets it up what is wrong; it quotes nothing from the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SamlError(pub String);

impl SamlError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// This installation as one identity provider knows it.
#[derive(Debug, Clone)]
pub struct ServiceProvider {
    pub entity_id: String,
    /// Where answers are posted to.
    pub acs_url: String,
}

impl ServiceProvider {
    /// Its description, for the identity provider.
    pub fn metadata(&self) -> String {
        let (entity, acs) = (escape(&self.entity_id), escape(&self.acs_url));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity}\">\
             <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
             <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
             <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
             Location=\"{acs}\" index=\"0\" isDefault=\"true\"/>\
             </md:SPSSODescriptor></md:EntityDescriptor>\n"
        )
    }

    /// A request to sign somebody in: its id, and where the browser goes with it.
    pub fn request(
        &self,
        provider: &IdentityProvider,
        now: Timestamp,
    ) -> Result<(String, String), SamlError> {
        // An id must not begin with a digit.
        let id = format!("_{}", keys::alphanumeric(40));
        let (entity, acs) = (escape(&self.entity_id), escape(&self.acs_url));
        let (destination, issued) = (escape(&provider.sso_url), now.rest());
        let xml = format!(
            "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{issued}\" Destination=\"{destination}\" AssertionConsumerServiceURL=\"{acs}\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\">\
             <saml:Issuer>{entity}</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>"
        );
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let deflated = encoder.write_all(xml.as_bytes()).and_then(|()| encoder.finish());
        let deflated = deflated.map_err(|error| SamlError(error.to_string()))?;
        let mut url = Url::parse(&provider.sso_url)
            .map_err(|_| SamlError::new("the provider's sign-in address is no URL"))?;
        url.query_pairs_mut()
            .append_pair("SAMLRequest", &STANDARD.encode(deflated));
        Ok((id, url.into()))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

//! A SAML identity provider: it signs responses with a key and certificate of its own, made anew in each process.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::load_pem_auto;
use bergshamra::{DsigContext, KeysManager};
use burgee_model::Timestamp;

/// A key with its certificate.
struct Signer {
    key: String,
    certificate: String,
}

fn signer(which: usize) -> &'static Signer {
    static SIGNERS: [OnceLock<Signer>; 2] = [OnceLock::new(), OnceLock::new()];
    SIGNERS[which].get_or_init(|| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
        let certificate = rcgen::CertificateParams::new(vec!["idp.example.com".to_owned()])
            .and_then(|params| params.self_signed(&key))
            .expect("a certificate");
        Signer {
            key: key.serialize_pem(),
            certificate: STANDARD.encode(certificate.der()),
        }
    })
}

/// The entity id of the identity provider.
pub const ENTITY: &str = "https://idp.example.com/metadata";

/// Its metadata.
pub fn metadata() -> String {
    let certificate = &signer(0).certificate;
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ENTITY}\">\
         <IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
         <X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
         <SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
         Location=\"https://idp.example.com/sso?tenant=1\"/></IDPSSODescriptor></EntityDescriptor>"
    )
}

/// Which part is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    Assertion,
    Response,
    Nothing,
}

/// A response to write. What is not said is as it should be.
#[derive(Debug, Clone)]
pub struct Writer {
    pub acs: String,
    pub audience: String,
    pub recipient: String,
    pub destination: String,
    pub issuer: String,
    pub in_response_to: Option<String>,
    pub name_id: String,
    pub attributes: Vec<(String, Vec<String>)>,
    pub assertion_id: String,
    /// Seconds from now.
    pub from: i64,
    pub until: i64,
    pub status: String,
    pub signed: Signed,
    pub method: String,
    pub digest: String,
    pub canonical: String,
    /// 0: the key of the metadata, 1: another one.
    pub key: usize,
}

impl Writer {
    /// A response to the service of this name at this address.
    pub fn new(site: &str, name: &str, name_id: &str) -> Self {
        let base = format!("{site}/api/v1/auth/saml/{name}");
        let acs = format!("{base}/response/");
        Self {
            audience: format!("{base}/metadata/"),
            recipient: acs.clone(),
            destination: acs.clone(),
            acs,
            issuer: ENTITY.to_owned(),
            in_response_to: None,
            name_id: name_id.to_owned(),
            attributes: Vec::new(),
            assertion_id: format!("_{}", burgee_model::keys::alphanumeric(20)),
            from: -10,
            until: 300,
            status: "urn:oasis:names:tc:SAML:2.0:status:Success".to_owned(),
            signed: Signed::Assertion,
            method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256".to_owned(),
            digest: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            canonical: "http://www.w3.org/2001/10/xml-exc-c14n#".to_owned(),
            key: 0,
        }
    }

    /// Says an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        self.attributes.push((name.to_owned(), values));
        self
    }

    fn template(&self, id: &str) -> String {
        let Self {
            method,
            digest,
            canonical,
            key,
            ..
        } = self;
        let certificate = &signer(*key).certificate;
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{canonical}\"/><ds:SignatureMethod Algorithm=\"{method}\"/>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
             <ds:Transform Algorithm=\"{canonical}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue></ds:DigestValue></ds:Reference>\
             </ds:SignedInfo><ds:SignatureValue></ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
        )
    }

    /// The response, signed, as XML.
    pub fn xml(&self) -> String {
        let now = Timestamp::now();
        let time = |seconds| now.plus_seconds(seconds).rest();
        let (from, until, issued) = (time(self.from), time(self.until), time(0));
        let answered = self
            .in_response_to
            .as_ref()
            .map_or_else(String::new, |id| format!(" InResponseTo=\"{id}\""));
        let mut attributes = String::new();
        for (name, values) in &self.attributes {
            attributes.extend(["<saml:Attribute Name=\"", name.as_str(), "\">"]);
            for value in values {
                attributes.extend(["<saml:AttributeValue>", value.as_str(), "</saml:AttributeValue>"]);
            }
            attributes.push_str("</saml:Attribute>");
        }
        let signature = |part, id: &str| {
            if self.signed == part {
                self.template(id)
            } else {
                String::new()
            }
        };
        let Self {
            assertion_id: id,
            issuer,
            name_id,
            recipient,
            audience,
            destination,
            status,
            ..
        } = self;
        let assertion = format!(
            "<saml:Assertion ID=\"{id}\" Version=\"2.0\" IssueInstant=\"{issued}\">\
             <saml:Issuer>{issuer}</saml:Issuer>{}<saml:Subject><saml:NameID>{name_id}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData NotOnOrAfter=\"{until}\" Recipient=\"{recipient}\"{answered}/>\
             </saml:SubjectConfirmation></saml:Subject>\
             <saml:Conditions NotBefore=\"{from}\" NotOnOrAfter=\"{until}\"><saml:AudienceRestriction>\
             <saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
             <saml:AuthnStatement AuthnInstant=\"{issued}\"/>\
             <saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>",
            signature(Signed::Assertion, id)
        );
        let xml = format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_response-{id}\" Version=\"2.0\" \
             IssueInstant=\"{issued}\" Destination=\"{destination}\"{answered}><saml:Issuer>{issuer}</saml:Issuer>{}\
             <samlp:Status><samlp:StatusCode Value=\"{status}\"/></samlp:Status>{assertion}</samlp:Response>",
            signature(Signed::Response, &format!("_response-{id}"))
        );
        if self.signed == Signed::Nothing {
            return xml;
        }
        let mut keys = KeysManager::new();
        keys.add_key(load_pem_auto(signer(self.key).key.as_bytes(), None).expect("a key"));
        bergshamra::sign(&DsigContext::new(keys), &xml).expect("a signature")
    }

    /// The response as it is posted.
    pub fn post(&self) -> String {
        encode(&self.xml())
    }
}

/// XML as it is posted.
pub fn encode(xml: &str) -> String {
    STANDARD.encode(xml)
}

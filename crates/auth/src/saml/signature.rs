//! Whether a response is signed, by whom, and what of it.

use bergshamra::keys::loader::load_x509_cert_der;
use bergshamra::{DsigContext, KeysManager, verify_all};
use roxmltree::{Document, Node};

use super::document::{SIGNATURE, child, children};
use super::{IdentityProvider, SamlError};

/// Signatures with RSA or ECDSA over SHA-2. SHA-1 is not accepted, nor anything with a shared secret.
const METHODS: &[&str] = &[
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
];
const DIGESTS: &[&str] = &[
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Canonical forms, all without comments.
const CANONICAL: &[&str] = &[
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
];

/// Makes sure that the provider signed the assertion, or the response around it.
///
/// `xml` is the canonical text, `document` the same text read.
pub(super) fn check(
    xml: &str,
    document: &Document<'_>,
    assertion: Node<'_, '_>,
    provider: &IdentityProvider,
) -> Result<(), SamlError> {
    let root = document.root_element();
    unique_ids(document)?;
    let signatures: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name((SIGNATURE, "Signature")))
        .collect();
    if signatures.is_empty() {
        return Err(SamlError::new("neither the response nor the assertion is signed"));
    }
    for signature in &signatures {
        let signed = signature
            .parent_element()
            .filter(|parent| *parent == root || *parent == assertion);
        let signed = signed.ok_or_else(|| SamlError::new("there is a signature where none belongs"))?;
        child(signed, SIGNATURE, "Signature")?;
        check_shape(*signature, signed)?;
    }
    let mut keys = KeysManager::new();
    for certificate in &provider.certificates {
        if let Ok(key) = load_x509_cert_der(certificate) {
            keys.add_key(key);
        }
    }
    // The defaults take no key from the document and follow no reference out of place.
    let context = DsigContext::new(keys);
    let bad = || SamlError::new("the signature is not one of the identity provider");
    let results = verify_all(&context, xml).map_err(|_| bad())?;
    let all_valid = results
        .iter()
        .all(bergshamra::VerifyResult::all_reference_digests_verified);
    if results.len() != signatures.len() || !all_valid {
        return Err(bad());
    }
    Ok(())
}

/// An id that stands twice could be signed here and read there.
fn unique_ids(document: &Document<'_>) -> Result<(), SamlError> {
    let mut ids = std::collections::HashSet::new();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        let is_id = attribute.name().eq_ignore_ascii_case("id") || attribute.name() == "AssertionID";
        if is_id && !ids.insert(attribute.value()) {
            return Err(SamlError::new("an id stands twice"));
        }
    }
    Ok(())
}

/// The signature covers the whole of its parent and nothing else, in an accepted way.
fn check_shape(signature: Node<'_, '_>, signed: Node<'_, '_>) -> Result<(), SamlError> {
    let wrong = |text: &str| SamlError(format!("the signature is not accepted: {text}"));
    let allowed = ["SignedInfo", "SignatureValue", "KeyInfo"];
    if signature
        .children()
        .any(|node| node.is_element() && !allowed.contains(&node.tag_name().name()))
    {
        return Err(wrong("it holds more than it needs"));
    }
    let need = |node, name| child(node, SIGNATURE, name)?.ok_or_else(|| wrong("a part is missing"));
    let info = need(signature, "SignedInfo")?;
    let algorithm = |node: Node<'_, '_>| node.attribute("Algorithm").unwrap_or_default().to_owned();
    if !CANONICAL.contains(&algorithm(need(info, "CanonicalizationMethod")?).as_str()) {
        return Err(wrong("its canonical form"));
    }
    if !METHODS.contains(&algorithm(need(info, "SignatureMethod")?).as_str()) {
        return Err(wrong(
            "its algorithm (RSA or ECDSA with SHA-256 or longer is needed)",
        ));
    }
    let reference = need(info, "Reference")?;
    let id = signed.attribute("ID").unwrap_or_default();
    if id.is_empty() || reference.attribute("URI") != Some(format!("#{id}").as_str()) {
        return Err(wrong("it refers to something else than the element it is in"));
    }
    if !DIGESTS.contains(&algorithm(need(reference, "DigestMethod")?).as_str()) {
        return Err(wrong("its digest (SHA-256 or longer is needed)"));
    }
    let transforms: Vec<String> = match child(reference, SIGNATURE, "Transforms")? {
        Some(list) => children(list, SIGNATURE, "Transform").map(algorithm).collect(),
        None => Vec::new(),
    };
    let known = |name: &String| name == ENVELOPED || CANONICAL.contains(&name.as_str());
    if transforms.len() > 2
        || !transforms.iter().all(known)
        || !transforms.iter().any(|name| name == ENVELOPED)
    {
        return Err(wrong("its transforms"));
    }
    Ok(())
}

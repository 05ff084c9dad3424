//! Responses as another implementation signs them: written once with Python's `signxml`, and kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burgee_model::Timestamp;

use super::*;

const METADATA: &str = include_str!("fixtures/metadata.xml");
const RESPONSES: [(&str, &str); 4] = [
    ("RSA, assertion", include_str!("fixtures/rsa_assertion.xml")),
    ("RSA, response", include_str!("fixtures/rsa_response.xml")),
    ("ECDSA, assertion", include_str!("fixtures/ecdsa_assertion.xml")),
    ("ECDSA, response", include_str!("fixtures/ecdsa_response.xml")),
];

fn service() -> ServiceProvider {
    let base = "https://flags.example.com/api/v1/auth/saml/acme";
    ServiceProvider {
        entity_id: format!("{base}/metadata/"),
        acs_url: format!("{base}/response/"),
    }
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).expect("a time")
}

fn check(xml: &str) -> Result<Answer, SamlError> {
    let provider = read_metadata(METADATA).expect("metadata");
    check_response(
        &STANDARD.encode(xml),
        &provider,
        &service(),
        at("2026-06-01T12:01:00Z"),
    )
}

#[test]
fn metadata_names_the_provider_its_address_and_its_keys() {
    let provider = read_metadata(METADATA).expect("metadata");
    assert_eq!(provider.entity_id, "https://idp.example.com/metadata");
    assert_eq!(provider.sso_url, "https://idp.example.com/redirect");
    assert_eq!(provider.certificates.len(), 2);
}

#[test]
fn what_another_implementation_signed_is_read_as_it_was_meant() {
    for (which, xml) in RESPONSES {
        let answer = check(xml).unwrap_or_else(|error| panic!("{which}: {error}"));
        assert_eq!(answer.name_id, "gr\u{e4}ce@example.com", "{which}");
        assert_eq!(answer.in_response_to.as_deref(), Some("_q1"));
        assert_eq!(answer.assertion_id, "_a1");
        assert_eq!(answer.first(&["givenName"]), Some("Gr&ace <H>"));
        assert_eq!(answer.attributes["groups"], ["dev", "ops"]);
    }
}

#[test]
fn a_change_of_anything_signed_is_seen() {
    for (which, xml) in RESPONSES {
        for (from, to) in [
            ("ce@example.com", "ce@example.org"),
            ("12:05:00.000Z\" Recipient", "12:06:00.000Z\" Recipient"),
            (">dev<", ">root<"),
            ("SessionIndex=\"_q1\"", "SessionIndex=\"_q2\""),
        ] {
            assert!(xml.contains(from), "{which}: {from}");
            assert!(check(&xml.replace(from, to)).is_err(), "{which}: {to}");
        }
    }
}

#[test]
fn a_key_that_is_not_in_the_metadata_signs_nothing() {
    let rest = METADATA.find("<md:KeyDescriptor").expect("a key");
    let (first, second) = METADATA.split_at(METADATA.rfind("<md:KeyDescriptor").expect("two keys"));
    let only_second = format!("{}{second}", &first[..rest]);
    let provider = read_metadata(&only_second).expect("metadata");
    let now = at("2026-06-01T12:01:00Z");
    for (which, xml) in RESPONSES {
        let accepted = check_response(&STANDARD.encode(xml), &provider, &service(), now).is_ok();
        assert_eq!(accepted, which.starts_with("ECDSA"), "{which}");
    }
}

#[test]
fn a_response_holds_in_its_time_only() {
    let provider = read_metadata(METADATA).expect("metadata");
    for (time, holds) in [
        ("2026-06-01T11:50:00Z", false),
        ("2026-06-01T11:56:00Z", true),
        ("2026-06-01T12:05:30Z", true),
        ("2026-06-01T12:06:30Z", false),
    ] {
        let outcome = check_response(&STANDARD.encode(RESPONSES[0].1), &provider, &service(), at(time));
        assert_eq!(outcome.is_ok(), holds, "{time}: {outcome:?}");
    }
}

#[test]
fn metadata_that_cannot_be_used_says_why() {
    for (from, to, why) in [
        ("entityID=\"https://idp.example.com/metadata\"", "", "entityID"),
        ("HTTP-Redirect", "HTTP-Artifact", "HTTP-Redirect"),
        (
            "https://idp.example.com/redirect",
            "javascript:alert(1)",
            "web address",
        ),
        ("use=\"signing\"", "use=\"encryption\"", "certificate"),
        ("<?xml version=\"1.0\"?>", "<!DOCTYPE x []>", "document type"),
    ] {
        assert!(METADATA.contains(from), "{from}");
        let error = read_metadata(&METADATA.replace(from, to))
            .expect_err("unusable")
            .to_string();
        assert!(error.contains(why), "{why} in {error}");
    }
}

//! JSON Web Tokens: those of other issuers, checked with the keys they publish, and short-lived ones of our own.
//!
//! Only signatures with a key pair count for other issuers, whatever a token says about itself; ours are signed with a
//! key that only this installation has.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde_json::{Map, Value, json};

/// Clocks of others may differ from ours by this much.
const LEEWAY_SECONDS: u64 = 60;
/// No issuer's token is longer.
const TOKEN_BYTES: usize = 16 * 1024;
/// How issuers may sign.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// What a token says.
pub type Claims = Map<String, Value>;

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this is no token")]
    NoToken,
    #[error("it is not signed in a way that is accepted")]
    Algorithm,
    /// None of the keys is the one it names. The issuer may have newer ones.
    #[error("its issuer publishes no such key")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it has expired or is not valid yet")]
    Time,
}

/// The claims of a token, unchecked: to find out whose keys to check it with.
pub fn peek(token: &str) -> Option<Claims> {
    if token.len() > TOKEN_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Whether a token is for this audience.
pub fn is_for(claims: &Claims, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

/// The claims of a genuine token that one of these published keys (a JWKS document) has signed and that holds at `now`,
/// in seconds since 1970. Whose token it is and for whom is for the caller to look at.
pub fn verify(token: &str, published: &Value, now: u64) -> Result<Claims, Refusal> {
    if token.len() > TOKEN_BYTES {
        return Err(Refusal::NoToken);
    }
    let header = decode_header(token).map_err(|_| Refusal::NoToken)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refusal::Algorithm);
    }
    // A key of a kind unknown here does not spoil the others.
    let keys = published.get("keys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten();
    let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    let fitting: Vec<Jwk> = keys
        .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
        .collect();
    if fitting.is_empty() {
        return Err(Refusal::UnknownKey);
    }
    let mut checks = Validation::new(header.alg);
    // Time is checked below, by the clock that was passed in; issuer and audience by the caller.
    checks.validate_exp = false;
    checks.validate_aud = false;
    checks.required_spec_claims.clear();
    let claims = fitting.iter().find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        decode::<Claims>(token, &key, &checks).ok()
    });
    let claims = claims.ok_or(Refusal::Signature)?.claims;
    check_time(&claims, now)?;
    Ok(claims)
}

/// A token without an end is refused: it could never be taken back.
fn check_time(claims: &Claims, now: u64) -> Result<(), Refusal> {
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().ok_or(Refusal::Time));
    let now = now as f64;
    let end = time("exp").transpose()?.ok_or(Refusal::Time)?;
    let start = time("nbf").transpose()?.unwrap_or_default();
    let leeway = LEEWAY_SECONDS as f64;
    if end + leeway <= now || start > now + leeway {
        return Err(Refusal::Time);
    }
    Ok(())
}

/// A token that whoever has the public key can check: RS256, with a private key in PEM. `None` if this is no such key.
pub fn sign(claims: &Value, private_key: &str) -> Option<String> {
    let key = EncodingKey::from_rsa_pem(private_key.as_bytes()).ok()?;
    encode(&Header::new(Algorithm::RS256), claims, &key).ok()
}

/// Issues and checks tokens of our own.
#[derive(Clone)]
pub struct AccessTokens {
    key: [u8; 32],
}

/// Who our own tokens say has issued them.
const OURS: &str = "burgee";

impl AccessTokens {
    /// Signs with this key, for example `derive_key(secret, "access tokens")`.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A token for a subject, good for so many seconds from `now`. `None` only if the library can't sign.
    pub fn issue(&self, subject: &str, seconds: u64, now: u64) -> Option<String> {
        let claims = json!({ "iss": OURS, "sub": subject, "iat": now, "exp": now + seconds });
        let key = EncodingKey::from_secret(&self.key).ok()?;
        encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
    }

    /// The subject of a token that was issued here and holds at `now`.
    pub fn check(&self, token: &str, now: u64) -> Option<String> {
        if token.len() > TOKEN_BYTES {
            return None;
        }
        let mut checks = Validation::new(Algorithm::HS256);
        checks.validate_exp = false;
        checks.validate_aud = false;
        checks.set_issuer(&[OURS]);
        checks.set_required_spec_claims(&["iss", "sub", "exp"]);
        let key = DecodingKey::from_secret(&self.key).ok()?;
        let claims = decode::<Claims>(token, &key, &checks).ok()?.claims;
        // By our own clocks no grace is due.
        let end = claims.get("exp")?.as_u64()?;
        let subject = claims.get("sub")?.as_str()?;
        (now < end).then(|| subject.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn our_own_tokens_hold_until_their_end_and_with_our_key_only() {
        let tokens = AccessTokens::new([1; 32]);
        let token = tokens.issue("trust-relationship:7", 60, NOW).expect("a token");
        assert_eq!(
            tokens.check(&token, NOW + 59).as_deref(),
            Some("trust-relationship:7")
        );
        assert_eq!(tokens.check(&token, NOW + 60), None);
        assert_eq!(AccessTokens::new([2; 32]).check(&token, NOW), None);
        assert_eq!(tokens.check("a.b.c", NOW), None);
    }

    #[test]
    fn a_token_signed_with_a_shared_secret_is_nobodys() {
        let token = AccessTokens::new([1; 32]).issue("x", 60, NOW).expect("a token");
        let keys = json!({ "keys": [] });
        assert_eq!(verify(&token, &keys, NOW), Err(Refusal::Algorithm));
        assert_eq!(verify("nonsense", &keys, NOW), Err(Refusal::NoToken));
        let unsigned = "eyJhbGciOiJub25lIn0.e30.";
        assert!(verify(unsigned, &keys, NOW).is_err());
    }

    #[test]
    fn audiences_are_one_or_several() {
        let claims = |aud: Value| json!({ "aud": aud }).as_object().cloned().expect("an object");
        assert!(is_for(&claims(json!("us")), "us"));
        assert!(is_for(&claims(json!(["them", "us"])), "us"));
        for other in [json!("them"), json!([]), json!(null), json!(7)] {
            assert!(!is_for(&claims(other), "us"));
        }
    }

    #[test]
    fn a_token_without_an_end_or_outside_its_time_is_refused() {
        let check = |claims: Value| check_time(claims.as_object().expect("an object"), NOW);
        assert_eq!(check(json!({ "exp": NOW })), Ok(()));
        assert_eq!(check(json!({ "exp": NOW - 60 })), Err(Refusal::Time));
        assert_eq!(
            check(json!({ "exp": NOW + 99, "nbf": NOW + 61 })),
            Err(Refusal::Time)
        );
        assert_eq!(check(json!({})), Err(Refusal::Time));
        assert_eq!(check(json!({ "exp": "tomorrow" })), Err(Refusal::Time));
    }
}

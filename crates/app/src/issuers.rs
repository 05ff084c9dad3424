//! The keys that identity providers publish, fetched when first needed and kept for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burgee_auth::jwt::{self, Claims, Refusal};
use burgee_outbound::http::{Client, Request};
use serde_json::Value;

use crate::security::now_seconds;
use crate::{App, Error, Result};

/// How long keys are used before they are fetched again.
const FRESH: Duration = Duration::from_mins(10);
/// How soon they are fetched again for a key that is not among them: issuers change keys.
const RETRY: Duration = Duration::from_secs(30);
/// Issuers whose keys are kept.
const KEPT: usize = 200;
/// No issuer's document is larger.
const DOCUMENT_BYTES: usize = 256 * 1024;

/// The keys of issuers, by the issuer's URL. Each node has its own.
#[derive(Debug, Default)]
pub(crate) struct Issuers(Mutex<HashMap<String, Kept>>);

#[derive(Debug, Clone)]
struct Kept {
    keys: Arc<Value>,
    since: Instant,
}

impl Issuers {
    /// The claims of a token that this issuer has signed and that holds now.
    pub(crate) async fn verify(&self, app: &App, issuer: &str, token: &str) -> Result<Claims> {
        let client = app.outbound().guarded();
        let mut kept = self.kept(issuer).filter(|kept| kept.since.elapsed() < FRESH);
        let known = match &kept {
            Some(kept) => jwt::verify(token, &kept.keys, now_seconds()),
            None => Err(Refusal::UnknownKey),
        };
        let outcome = match known {
            Err(Refusal::UnknownKey) if kept.take().is_none_or(|kept| kept.since.elapsed() >= RETRY) => {
                let keys = Arc::new(fetch(client, issuer).await?);
                self.keep(issuer, &keys);
                jwt::verify(token, &keys, now_seconds())
            }
            known => known,
        };
        outcome.map_err(|refusal| {
            tracing::info!(issuer, %refusal, "a token of an issuer was refused");
            Error::Unauthenticated("The token is not accepted: its signature or its time is wrong.")
        })
    }

    fn kept(&self, issuer: &str) -> Option<Kept> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(issuer).cloned()
    }

    fn keep(&self, issuer: &str, keys: &Arc<Value>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.retain(|_, kept| kept.since.elapsed() < FRESH);
        }
        if all.len() < KEPT {
            let (keys, since) = (Arc::clone(keys), Instant::now());
            all.insert(issuer.to_owned(), Kept { keys, since });
        }
    }
}

/// Reads where an issuer publishes its keys, and those.
async fn fetch(client: &Client, issuer: &str) -> Result<Value> {
    let base = issuer.trim_end_matches('/');
    let about = get(client, &format!("{base}/.well-known/openid-configuration")).await?;
    let text = |name: &str| about.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err(unusable(issuer, "it says that it is somebody else"));
    }
    let keys = text("jwks_uri").ok_or_else(|| unusable(issuer, "it names no keys"))?;
    if issuer.starts_with("https://") && !keys.starts_with("https://") {
        return Err(unusable(
            issuer,
            "it names keys that are not protected on their way",
        ));
    }
    get(client, keys).await
}

async fn get(client: &Client, url: &str) -> Result<Value> {
    let request = Request::get_json(url).at_most(DOCUMENT_BYTES);
    let answer = client
        .send(request)
        .await
        .map_err(|error| unusable(url, &error.to_string()))?;
    match answer.json() {
        Some(json) if answer.is_success() => Ok(json),
        _ => Err(unusable(url, &format!("it answered {}", answer.status))),
    }
}

/// What went wrong on the way is for the operator; who asks learns only that it did.
fn unusable(url: &str, why: &str) -> Error {
    tracing::warn!(url, why, "an issuer's keys can't be read");
    Error::Unauthenticated("The token's issuer could not be asked for its keys.")
}

//! Flagsmith: identities and their traits, through the SDK API with a server-side environment key.
//!
//! Record syncs (upsert) write mapped columns as traits. Audience syncs (add, remove, mirror) write one boolean trait, or the
//! members of a cohort where one is named. The way is chosen by the host: the Edge API takes identities in bulk, every other
//! server traits in bulk; where a server knows neither, identities are written one by one.

mod settings;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use burgee_outbound::http::{Method, Request};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::StatusCode;
use serde_json::{Map, Value, json};
use url::Url;

use self::settings::LONGEST_TRAIT_KEY;
use super::{Destination, Refusal, Shape, Standing};
use crate::cell::{Cell, PAIR};
use crate::deliver::transport::{Reply, Transport};
use crate::error::{Result, SyncError};
use crate::plan::{Mode, Op, OpKind};

pub use self::settings::{Cohort, DEFAULT_AUDIENCE_TRAIT, DEFAULT_URL, Settings};
pub(crate) use self::settings::{check, owned};

/// Characters of a trait's text, of an identifier; bytes of an identifier at the Edge API.
const LONGEST_TEXT: usize = 2_000;
const LONGEST_IDENTIFIER: usize = 2_000;
const LONGEST_EDGE_IDENTIFIER: usize = 1_024;

/// Identities in one request of each way. The Edge API takes no more than 100; the others state no cap.
const EDGE_BATCH: usize = 100;
const TRAITS_BATCH: usize = 500;
const SINGLE_BATCH: usize = 50;
const COHORT_BATCH: usize = 10_000;

/// Requests under way at once.
const LANES: usize = 8;

/// How identities are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Way {
    BulkIdentities,
    BulkTraits,
    Identify,
    Cohort,
}

impl Way {
    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::BulkIdentities,
            1 => Self::BulkTraits,
            3 => Self::Cohort,
            _ => Self::Identify,
        }
    }

    fn batch(self) -> usize {
        match self {
            Self::BulkIdentities => EDGE_BATCH,
            Self::BulkTraits => TRAITS_BATCH,
            Self::Identify => SINGLE_BATCH,
            Self::Cohort => COHORT_BATCH,
        }
    }

    fn lanes(self) -> usize {
        match self {
            // Members are taken in the order they come in.
            Self::Cohort => 1,
            Self::BulkIdentities | Self::BulkTraits | Self::Identify => LANES,
        }
    }
}

#[derive(Debug)]
struct Flagsmith {
    settings: Settings,
    mode: Mode,
    url: Url,
    edge: bool,
    transport: Transport,
    /// Learnt while talking: a [`Way`].
    way: AtomicU8,
}

pub(super) fn open(settings: Settings, mode: Mode, transport: Transport) -> Result<Box<dyn Destination>> {
    let url = check(&settings, mode)?;
    let edge = url
        .host_str()
        .is_some_and(|host| host.ends_with("edge.api.flagsmith.com"));
    let way = if settings.cohort.is_some() {
        Way::Cohort
    } else if edge {
        Way::BulkIdentities
    } else {
        Way::BulkTraits
    };
    Ok(Box::new(Flagsmith {
        settings,
        mode,
        url,
        edge,
        transport,
        way: AtomicU8::new(way as u8),
    }))
}

impl Flagsmith {
    fn trait_key(&self, name: &str) -> String {
        format!("{}{name}", self.settings.trait_prefix)
    }

    /// The traits an operation writes; null deletes one.
    fn traits(&self, op: &Op) -> Vec<(String, Value)> {
        if self.mode == Mode::Upsert {
            let values: Map<String, Value> = serde_json::from_slice(&op.payload).unwrap_or_default();
            return values
                .into_iter()
                .map(|(name, value)| (self.trait_key(&name), value))
                .collect();
        }
        let value = match op.kind {
            OpKind::Remove if self.settings.delete_traits_on_remove => Value::Null,
            OpKind::Remove => Value::Bool(false),
            OpKind::Add | OpKind::Update | OpKind::Forget => Value::Bool(true),
        };
        vec![(self.trait_key(&self.settings.audience_trait), value)]
    }

    fn identity(&self, op: &Op) -> Value {
        let traits = self.traits(op).into_iter();
        let traits: Vec<Value> = traits
            .map(|(key, value)| json!({ "trait_key": key, "trait_value": value }))
            .collect();
        json!({ "identifier": identifier(op), "traits": traits })
    }

    /// A batch as identities. Several operations on one identity are put together: the Edge API would let the last one win.
    fn identities(&self, batch: &[Op]) -> Value {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut identities: Vec<Value> = Vec::with_capacity(batch.len());
        for op in batch {
            let mut identity = self.identity(op);
            let place = *places.entry(identifier(op)).or_insert(identities.len());
            match identities.get_mut(place) {
                Some(known) => {
                    if let (Some(all), Some(more)) =
                        (known["traits"].as_array_mut(), identity["traits"].as_array_mut())
                    {
                        all.append(more);
                    }
                }
                None => identities.push(identity),
            }
        }
        Value::Array(identities)
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        let url = self
            .url
            .join(path)
            .map_err(|error| SyncError::config("url", error.to_string()))?;
        let request = Request::new(method, url)
            .header("x-environment-key", &self.settings.key)
            .header("accept", "application/json");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.transport.send(request).await
    }

    fn way(&self) -> Way {
        Way::from_code(self.way.load(Ordering::Relaxed))
    }

    async fn send_batch(&self, batch: &[Op]) -> std::result::Result<(), Refusal> {
        loop {
            let way = self.way();
            let reply = match way {
                Way::BulkIdentities => {
                    let body = json!({ "data": self.identities(batch) });
                    self.call(Method::PUT, "bulk-identities/", Some(&body)).await?
                }
                Way::BulkTraits => {
                    self.call(Method::PUT, "traits/bulk/", Some(&self.bulk_traits(batch)))
                        .await?
                }
                Way::Identify => return self.identify_each(batch).await,
                Way::Cohort => return self.change_cohort(batch).await,
            };
            let unknown = matches!(
                reply.status,
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            );
            if !unknown {
                return self.judge(&reply);
            }
            // This server does not know this way; every server knows how to identify one by one.
            self.way.store(Way::Identify as u8, Ordering::Relaxed);
        }
    }

    fn bulk_traits(&self, batch: &[Op]) -> Value {
        let mut items = Vec::with_capacity(batch.len());
        for op in batch {
            for (key, value) in self.traits(op) {
                items.push(
                    json!({ "identity": { "identifier": identifier(op) }, "trait_key": key, "trait_value": value }),
                );
            }
        }
        Value::Array(items)
    }

    async fn identify_each(&self, batch: &[Op]) -> std::result::Result<(), Refusal> {
        let calls: Vec<_> = batch.iter().map(|op| self.identify(op)).collect();
        stream::iter(calls).buffer_unordered(LANES).try_collect().await
    }

    async fn identify(&self, op: &Op) -> std::result::Result<(), Refusal> {
        let reply = self
            .call(Method::POST, "identities/", Some(&self.identity(op)))
            .await?;
        self.judge(&reply)
    }

    /// Removals before additions, each in one request.
    async fn change_cohort(&self, batch: &[Op]) -> std::result::Result<(), Refusal> {
        for (act, removes) in [("remove", true), ("add", false)] {
            let ops = batch.iter().filter(|op| (op.kind == OpKind::Remove) == removes);
            let members: Vec<&str> = ops.map(|op| op.key.as_str()).collect();
            if !members.is_empty() {
                let reply = self.call_cohort(act, &members).await?;
                self.judge(&reply)?;
            }
        }
        Ok(())
    }

    async fn call_cohort(&self, act: &str, members: &[&str]) -> Result<Reply> {
        let (id, key) = match &self.settings.cohort {
            Some(cohort) => (cohort.id.as_str(), cohort.key.as_str()),
            None => ("", ""),
        };
        let path = format!("cohort-sync/webhook/cohorts/{id}/members/{act}");
        let url = self
            .url
            .join(&path)
            .map_err(|error| SyncError::config("url", error.to_string()))?;
        let request = Request::new(Method::POST, url)
            .header("authorization", format!("Bearer {key}"))
            .json(&json!({ "identifiers": members }));
        self.transport.send(request).await
    }

    /// Nobody is added: a server that would take members finds nothing wrong but that there are none.
    async fn look_at_cohort(&self) -> Result<()> {
        let reply = self.call_cohort("add", &[]).await?;
        let id = self.settings.cohort.as_ref().map(|cohort| cohort.id.as_str());
        let id = id.unwrap_or_default();
        match reply.status {
            StatusCode::BAD_REQUEST => Ok(()),
            status if status.is_success() => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(SyncError::destination(
                format!(
                    "Authentication failed: {} does not accept this cohort key ({})",
                    self.url,
                    reply.excerpt()
                ),
                "Use the cohort sync key of the environment, which is not its server-side key.",
            )),
            StatusCode::NOT_FOUND => Err(SyncError::destination(
                format!("There is no cohort {id:?} that takes members at {}", self.url),
                "Check its id. A server without cohorts (before Flagsmith 2.266) takes the audience as a trait: leave \
                 `cohort` out.",
            )),
            _ => Err(self.whole(&reply)),
        }
    }

    fn judge(&self, reply: &Reply) -> std::result::Result<(), Refusal> {
        if reply.status.is_success() {
            return Ok(());
        }
        match reply.status {
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Refusal::Batch(reply.excerpt()))
            }
            _ => Err(Refusal::Run(self.whole(reply))),
        }
    }

    /// What an answer says that concerns the whole sync.
    fn whole(&self, reply: &Reply) -> SyncError {
        let said = reply.excerpt();
        match reply.status {
            StatusCode::FORBIDDEN if said.contains("disabled") => SyncError::destination(
                format!("Flagsmith does not serve this organisation: {said}"),
                "Its plan or its administrator has switched it off; ask there.",
            ),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SyncError::destination(
                format!(
                    "Authentication failed: {} does not accept this environment key ({said})",
                    self.url
                ),
                "Check that the key is the server-side one of the right environment, that it is active and has not \
                 expired, and that the API instance is the one the environment is on.",
            ),
            StatusCode::NOT_FOUND => SyncError::destination(
                format!("There is no Flagsmith API at {}", self.url),
                "Check the API instance: Flagsmith's own is https://edge.api.flagsmith.com/api/v1, a self-hosted one \
                 ends in /api/v1 as well.",
            ),
            status if status.is_redirection() => SyncError::destination(
                format!("{} answers with a redirect", self.url),
                "Set the address it leads to; credentials are not sent along redirects.",
            ),
            status => SyncError::destination(
                format!("{} answered {status}: {said}", self.url),
                "This is not an answer Flagsmith is known to give; check the API instance.",
            ),
        }
    }

    fn standing(way: Way) -> Standing {
        Standing {
            shape: Shape {
                batch: way.batch(),
                lanes: way.lanes(),
                removes_first: false,
            },
            live: None,
            room: None,
        }
    }

    async fn stored_traits(&self, identifier: &str) -> Result<Map<String, Value>> {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("identifier", identifier)
            .finish();
        let reply = self
            .call(Method::GET, &format!("identities/?{query}"), None)
            .await?;
        if !reply.status.is_success() {
            return Err(self.whole(&reply));
        }
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let traits = answer["traits"].as_array().into_iter().flatten();
        let traits = traits
            .filter_map(|one| Some((one["trait_key"].as_str()?.to_owned(), one["trait_value"].clone())));
        Ok(traits.collect())
    }
}

/// What the Edge API acknowledged is applied a little later; it is looked for this often.
const LOOKS: u32 = 6;
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

impl Destination for Flagsmith {
    fn admits_key(&self, key: &str) -> std::result::Result<(), String> {
        if key.chars().count() > LONGEST_IDENTIFIER {
            return Err(format!(
                "the identifier has more than {LONGEST_IDENTIFIER} characters"
            ));
        }
        let bytes_count = self.edge || self.settings.cohort.is_some();
        if bytes_count && key.len() > LONGEST_EDGE_IDENTIFIER {
            return Err(format!(
                "the identifier has more than {LONGEST_EDGE_IDENTIFIER} bytes, which is more than is taken"
            ));
        }
        if key.contains('\0') {
            return Err("the identifier has a NUL character".to_owned());
        }
        Ok(())
    }

    fn convert(&self, name: &str, value: &Cell) -> std::result::Result<Value, String> {
        let key = self.settings.trait_prefix.len() + name.len();
        if key > LONGEST_TRAIT_KEY && self.trait_key(name).chars().count() > LONGEST_TRAIT_KEY {
            return Err(format!(
                "the trait's name has more than {LONGEST_TRAIT_KEY} characters"
            ));
        }
        match value {
            // Flagsmith keeps integers in 32 bits; larger ones are kept whole as text.
            Cell::Int(number) if i32::try_from(*number).is_err() => Ok(Value::String(number.to_string())),
            Cell::Float(number) if !number.is_finite() => {
                Err(format!("{name} is {number}, which no trait can hold"))
            }
            Cell::Text(text) if text.chars().count() > LONGEST_TEXT => {
                Err(format!("{name} has more than {LONGEST_TEXT} characters"))
            }
            Cell::Text(text) if text.contains('\0') => Err(format!("{name} has a NUL character")),
            value => Ok(value.to_json()),
        }
    }

    fn preflight(&self) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(async {
            let way = self.way();
            if way == Way::Cohort {
                self.look_at_cohort().await?;
                return Ok(Self::standing(way));
            }
            let reply = self.call(Method::GET, "flags/", None).await?;
            if !reply.status.is_success()
                || !serde_json::from_slice::<Value>(&reply.body).is_ok_and(|b| b.is_array())
            {
                return Err(self.whole(&reply));
            }
            Ok(Self::standing(way))
        })
    }

    fn send<'a>(
        &'a self,
        batch: &'a [Op],
        _note: &'a str,
    ) -> BoxFuture<'a, std::result::Result<(), Refusal>> {
        Box::pin(self.send_batch(batch))
    }

    fn missing<'a>(&'a self, sample: &'a [Op]) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            if self.way() == Way::Cohort {
                // Members are applied later, and their mark is nothing that identities show.
                return Ok(None);
            }
            for op in sample {
                if !self.shows(op).await? {
                    return Ok(Some(op.key.clone()));
                }
            }
            Ok(None)
        })
    }
}

impl Flagsmith {
    /// Whether the effect of an acknowledged operation can be seen.
    async fn shows(&self, op: &Op) -> Result<bool> {
        for look in 0..LOOKS {
            let stored = self.stored_traits(identifier(op)).await?;
            let mut traits = self.traits(op).into_iter();
            let there = traits.all(|(key, value)| match stored.get(&key) {
                None => value.is_null(),
                Some(found) => same(found, &value),
            });
            if there {
                return Ok(true);
            }
            if look + 1 < LOOKS && self.way() == Way::BulkIdentities {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            } else {
                break;
            }
        }
        Ok(false)
    }
}

/// Whose traits an operation writes. Where a row is one trait, the trait's name follows the identifier.
fn identifier(op: &Op) -> &str {
    op.key.split(PAIR).next().unwrap_or_default()
}

/// Whether a stored value is the one that was sent. Servers may give a whole float back as an integer.
fn same(found: &Value, sent: &Value) -> bool {
    found == sent || (found.is_number() && sent.is_number() && found.as_f64() == sent.as_f64())
}

//! One evaluation's view of who asks: the value of every property, looked up once.

use std::cell::{OnceCell, RefCell};

use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::dependencies::Resolution;
use crate::environment::{Environment, IDENTITY_KEY};
use crate::members::{Membership, Memberships};
use crate::property::Path;
use crate::scalar::{ContextValue, Scalar};

/// Who asks, with all traits that count: those stored and those of the request.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    pub identifier: &'a str,
    /// The name its overrides are under, where that is another one.
    pub kept_as: Option<&'a str>,
    /// The text that is hashed for splits. `None` or empty: `{environment key}_{identifier}`.
    pub key: Option<&'a str>,
    /// Of two entries with the same key the later counts, so traits of a request go after those stored.
    pub traits: &'a [(&'a str, ContextValue<'a>)],
    /// Whether the identity's own overrides are passed over, as for somebody nothing is known of.
    pub ignores_overrides: bool,
    /// The identity as JSON, for JSON paths that go beyond it; derived from the other fields when `None`.
    pub document: Option<&'a Value>,
    /// What lists of members say of the identity; without it, it is in none.
    pub memberships: Option<&'a dyn Memberships>,
}

impl<'a> Identity<'a> {
    /// An identity with the default hashing key.
    pub fn new(identifier: &'a str, traits: &'a [(&'a str, ContextValue<'a>)]) -> Self {
        Self {
            identifier,
            kept_as: None,
            key: None,
            traits,
            ignores_overrides: false,
            document: None,
            memberships: None,
        }
    }
}

pub(crate) struct Inputs<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) identity: Option<&'a Identity<'a>>,
    /// The hashing key; `None` without an identity.
    pub(crate) key: Option<&'a str>,
    /// By index of property.
    values: SmallVec<[Scalar<'a>; 64]>,
    document: OnceCell<Value>,
    /// Which flags have been resolved so far; used only if conditions read flags.
    pub(crate) resolution: RefCell<Resolution>,
}

/// Where a default hashing key is put together.
pub(crate) type KeyBuffer = SmallVec<[u8; 128]>;

/// The hashing key of an identity.
pub(crate) fn hashing_key<'a>(
    environment: &Environment,
    identity: Option<&Identity<'a>>,
    buffer: &'a mut KeyBuffer,
) -> Option<&'a str> {
    let identity = identity?;
    if let Some(key) = identity.key.filter(|key| !key.is_empty()) {
        return Some(key);
    }
    buffer.extend_from_slice(environment.key.as_bytes());
    buffer.push(b'_');
    buffer.extend_from_slice(identity.identifier.as_bytes());
    std::str::from_utf8(buffer).ok()
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(
        environment: &'a Environment,
        identity: Option<&'a Identity<'a>>,
        key: Option<&'a str>,
    ) -> Self {
        let properties = &environment.properties;
        let mut values = SmallVec::from_elem(Scalar::Missing, properties.len());
        for (name, value) in identity.map_or(&[] as &[_], |identity| identity.traits) {
            if let Some(index) = properties.position(name) {
                values[index] = Scalar::from(*value);
            }
        }
        for (index, path) in properties.special() {
            let index = *index as usize;
            if values[index] == Scalar::Missing {
                values[index] = match path {
                    Path::Identifier => {
                        identity.map_or(Scalar::Missing, |identity| Scalar::coerce(identity.identifier))
                    }
                    Path::IdentityKey => key.map_or(Scalar::Missing, Scalar::coerce),
                    Path::Constant(value) => Scalar::from_json(value),
                    Path::Trait(source) => match values[*source as usize] {
                        Scalar::Composite(_) | Scalar::Deferred => Scalar::Missing,
                        value => value,
                    },
                    Path::Flag { .. } | Path::List(_) | Path::Query(_) => Scalar::Deferred,
                };
            }
        }
        Self {
            environment,
            identity,
            key,
            values,
            document: OnceCell::new(),
            resolution: RefCell::new(Resolution::new(environment)),
        }
    }

    /// The value of a property.
    pub(crate) fn value(&self, property: u32) -> Scalar<'_> {
        if property == IDENTITY_KEY {
            return self.key.map_or(Scalar::Missing, Scalar::Text);
        }
        match self.values.get(property as usize) {
            Some(Scalar::Deferred) => self.deferred(property),
            Some(value) => *value,
            None => Scalar::Missing,
        }
    }

    /// What a list says of the identity.
    pub(crate) fn membership(&self, list: usize) -> Membership {
        let memberships = self.identity.and_then(|identity| identity.memberships);
        memberships.map_or(Membership::Unlisted, |memberships| memberships.membership(list))
    }

    fn deferred(&self, property: u32) -> Scalar<'_> {
        match self.environment.properties.path(property) {
            Some(Path::Flag { feature, field }) => self.flag(*feature, *field),
            Some(Path::List(list)) => match self.membership(*list) {
                Membership::Included => Scalar::Bool(true),
                Membership::Excluded | Membership::Unlisted => Scalar::Missing,
            },
            Some(Path::Query(path)) => {
                let document = self.document.get_or_init(|| self.build_document());
                path.query(document)
                    .first()
                    .map_or(Scalar::Missing, Scalar::from_json)
            }
            _ => Scalar::Missing,
        }
    }

    /// The evaluation context as JSON. Costly, and only for JSON paths beyond the usual ones.
    fn build_document(&self) -> Value {
        let mut document = match &self.environment.document {
            Some(Value::Object(entries)) => entries.clone(),
            _ => Map::new(),
        };
        if let Some(identity) = self.identity {
            let mut entries = match identity.document {
                Some(Value::Object(entries)) => entries.clone(),
                _ => identity_document(identity),
            };
            entries.insert("key".to_owned(), self.key.into());
            document.insert("identity".to_owned(), Value::Object(entries));
        }
        Value::Object(document)
    }
}

fn identity_document(identity: &Identity<'_>) -> Map<String, Value> {
    let mut traits = Map::new();
    for (key, value) in identity.traits {
        let value = match value {
            ContextValue::Null => Value::Null,
            ContextValue::Bool(value) => (*value).into(),
            ContextValue::Int(value) => (*value).into(),
            ContextValue::Float(value) => (*value).into(),
            ContextValue::Text(text) => (*text).into(),
            // Its parts are not known here; as a whole it counts as not set.
            ContextValue::Composite(_) => Value::Array(Vec::new()),
        };
        traits.insert((*key).to_owned(), value);
    }
    let mut entries = Map::new();
    entries.insert("identifier".to_owned(), identity.identifier.into());
    entries.insert("traits".to_owned(), Value::Object(traits));
    entries
}

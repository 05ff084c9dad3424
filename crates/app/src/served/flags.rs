//! The JSON of flags, rendered when the environment changes and only copied when somebody asks.

use std::io::Write as _;

use burgee_model::{FlagValue, Timestamp};
use burgee_store::feature_states::FeatureState;
use burgee_store::features::{Feature, MultivariateOption};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::rows::Rows;

/// A feature in a flag, in the order and with the fields of the Flagsmith SDK API.
#[derive(Debug, Serialize)]
struct FeatureJson<'a> {
    id: i64,
    name: &'a str,
    created_date: Option<String>,
    description: Option<&'a str>,
    initial_value: Option<&'a str>,
    default_enabled: Option<bool>,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Debug, Serialize)]
struct FlagJson<'a> {
    id: Option<i64>,
    feature: FeatureJson<'a>,
    feature_state_value: &'a FlagValue,
    environment: Option<i64>,
    identity: Option<i64>,
    feature_segment: Option<i64>,
    enabled: bool,
    variant: Option<&'a str>,
}

/// What a state serves with one choice of variant, as JSON.
#[derive(Debug, Default)]
pub(crate) struct FlagText {
    json: Box<str>,
    /// Where `,"variant":…}` begins, which some endpoints leave out.
    cut: usize,
}

impl FlagText {
    fn new(flag: &FlagJson<'_>) -> Self {
        let json = serde_json::to_string(flag).unwrap_or_default();
        let variant = serde_json::to_string(&flag.variant).unwrap_or_default();
        let cut = json.len().saturating_sub(",\"variant\":}".len() + variant.len());
        Self {
            json: json.into_boxed_str(),
            cut,
        }
    }

    /// Appends the flag with its `variant`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.json.as_bytes());
    }

    /// Appends the flag as the endpoints write it that know no variants.
    pub(crate) fn write_without_variant(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.json.as_bytes()[..self.cut]);
        out.push(b'}');
    }
}

/// A feature state, ready to be written.
#[derive(Debug, Default)]
pub(crate) struct StateTexts {
    /// Without a variant, or with the control value.
    pub(crate) control: FlagText,
    /// In the order in which the engine knows the state's variants.
    pub(crate) variants: Vec<FlagText>,
    pub(crate) enabled: bool,
    /// The value without a variant, for endpoints with a form of their own.
    pub(crate) value: FlagValue,
}

/// A body that is sent as it is, also compressed.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    pub plain: Bytes,
    pub gzip: Bytes,
}

impl Prepared {
    /// Compresses once what will be sent often.
    pub(crate) fn new(body: Vec<u8>) -> Self {
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(6));
        // Writing to memory does not fail; if it did, the plain form would be sent.
        let gzip = encoder
            .write_all(&body)
            .and_then(|()| encoder.finish())
            .unwrap_or_default();
        Self {
            plain: body.into(),
            gzip: gzip.into(),
        }
    }
}

/// Renders every state of an environment, in the order of `rows.states`.
pub(crate) fn render(rows: &Rows) -> Vec<StateTexts> {
    rows.states
        .iter()
        .map(|state| render_state(rows, rows.place_of(state.feature_id), state))
        .collect()
}

/// A state whose feature is not served is never asked for; its texts are empty.
fn render_state(rows: &Rows, place: Option<usize>, state: &FeatureState) -> StateTexts {
    let Some(feature) = place.map(|place| &rows.features[place]) else {
        return StateTexts::default();
    };
    let value = state.value();
    let weights = rows.weights_of(state);
    let options: Vec<&MultivariateOption> = weights
        .iter()
        .filter_map(|w| rows.options.get(&w.option_id))
        .collect();
    let control = if feature.r#type == "MULTIVARIATE" {
        Some("control")
    } else {
        None
    };
    let variants = options
        .iter()
        .map(|option| flag(rows, feature, state, &option.value(), option.key.as_deref()));
    StateTexts {
        variants: variants.collect(),
        control: flag(rows, feature, state, &value, control),
        enabled: state.enabled,
        value,
    }
}

fn flag(
    rows: &Rows,
    feature: &Feature,
    state: &FeatureState,
    value: &FlagValue,
    variant: Option<&str>,
) -> FlagText {
    let open = !rows.environment.hide_sensitive_data;
    FlagText::new(&FlagJson {
        id: open.then_some(state.id),
        feature: FeatureJson {
            id: feature.id,
            name: &feature.name,
            created_date: open.then(|| Timestamp(feature.created_at).rest()),
            description: feature.description.as_deref().filter(|_| open),
            initial_value: feature.initial_value.as_deref().filter(|_| open),
            default_enabled: open.then_some(feature.default_enabled),
            kind: &feature.r#type,
        },
        feature_state_value: value,
        environment: open.then_some(state.environment_id),
        identity: state.identity_id.filter(|_| open),
        feature_segment: state.feature_segment_id.filter(|_| open),
        enabled: state.enabled,
        variant,
    })
}

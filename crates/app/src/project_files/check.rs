//! The rules a project in a file must keep, the same as at every other entrance.

use std::collections::{HashMap, HashSet};

use burgee_model::metadata::{ContentType, FieldType};
use burgee_model::segments::Rule;
use burgee_model::{FlagValue, limits, lists};
use serde_json::{Map, Value, json};

use super::{EnvironmentPart, FeaturePart, FieldPart, IdentityLine, MetadataPart, ProjectPart, StatePart};
use crate::feature_states::over_100;
use crate::segment_rules::{self, KnownFlags, RuleEdit};
use crate::{Error, Result};

/// What is wrong, each under the place where it stands.
#[derive(Debug, Default)]
struct Found(Map<String, Value>);

impl Found {
    fn add(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.insert(place.into(), json!([text.into()]));
    }

    fn text(&mut self, place: impl Into<String>, text: &str, most: usize) {
        let count = text.chars().count();
        if count > most {
            self.add(
                place,
                format!("Ensure this field has no more than {most} characters."),
            );
        }
    }

    fn name(&mut self, place: impl Into<String>, text: &str, most: usize) {
        let place = place.into();
        if text.trim().is_empty() {
            self.add(place, "This field may not be blank.");
        } else {
            self.text(place, text, most);
        }
    }
}

/// Fails unless everything in the file could be stored.
pub(super) fn check(project: &ProjectPart) -> Result<()> {
    let mut found = Found::default();
    found.name("name", &project.name, 2000);
    if let Some(pattern) = &project.feature_name_regex {
        found.text("feature_name_regex", pattern, 255);
    }
    for (n, tag) in project.tags.iter().enumerate() {
        found.name(format!("tags[{n}].label"), &tag.label, 100);
        found.text(format!("tags[{n}].color"), &tag.color, 10);
        let description = tag.description.as_deref().unwrap_or_default();
        found.text(format!("tags[{n}].description"), description, 512);
    }
    custom_fields(&project.fields, &mut found);
    values(project, &mut found);
    features(project, &mut found);
    segments(project, &mut found);
    environments(project, &mut found);
    if found.0.is_empty() {
        Ok(())
    } else {
        Err(Error::Rejected(Value::Object(found.0)))
    }
}

/// Fails unless these custom fields could be stored.
pub(crate) fn fields(parts: &[FieldPart]) -> Result<()> {
    let mut found = Found::default();
    custom_fields(parts, &mut found);
    if found.0.is_empty() {
        Ok(())
    } else {
        Err(Error::Rejected(Value::Object(found.0)))
    }
}

fn custom_fields(parts: &[FieldPart], found: &mut Found) {
    let mut names = HashSet::new();
    for (n, field) in parts.iter().enumerate() {
        let place = format!("fields[{n}]");
        found.name(format!("{place}.name"), &field.name, 255);
        if !names.insert((&field.name, field.own)) {
            found.add(
                format!("{place}.name"),
                "There is another custom field of this name in the file.",
            );
        }
        let description = field.description.as_deref().unwrap_or_default();
        found.text(format!("{place}.description"), description, 20_000);
        if FieldType::parse(&field.r#type).is_none() {
            let text = format!("\"{}\" is not a valid choice.", field.r#type);
            found.add(format!("{place}.type"), text);
        }
        for (k, used) in field.on.iter().enumerate() {
            if !ContentType::from_model(&used.kind).is_some_and(ContentType::has_values) {
                let text = format!("\"{}\" is not a valid choice.", used.kind);
                found.add(format!("{place}.on[{k}].kind"), text);
            }
        }
    }
}

fn values(project: &ProjectPart, found: &mut Found) {
    let mut check = |place: String, parts: &[MetadataPart]| {
        for (n, part) in parts.iter().enumerate() {
            found.text(format!("{place}.metadata[{n}].value"), &part.value, 2000);
        }
    };
    for (n, feature) in project.features.iter().enumerate() {
        check(format!("features[{n}]"), &feature.metadata);
    }
    for (n, segment) in project.segments.iter().enumerate() {
        check(format!("segments[{n}]"), &segment.metadata);
    }
    for (n, environment) in project.environments.iter().enumerate() {
        check(format!("environments[{n}]"), &environment.metadata);
    }
}

fn features(project: &ProjectPart, found: &mut Found) {
    let mut names = HashSet::new();
    for (n, feature) in project.features.iter().enumerate() {
        let place = format!("features[{n}]");
        found.name(
            format!("{place}.name"),
            &feature.name,
            limits::FEATURE_NAME_LENGTH,
        );
        if !names.insert(feature.name.to_lowercase()) {
            found.add(
                format!("{place}.name"),
                "There is another feature of this name in the file.",
            );
        }
        if !["STANDARD", "MULTIVARIATE"].contains(&feature.r#type.as_str()) {
            let text = format!("\"{}\" is not a valid choice.", feature.r#type);
            found.add(format!("{place}.type"), text);
        }
        let initial = feature.initial_value.as_deref().unwrap_or_default();
        let most = limits::FEATURE_VALUE_LENGTH;
        found.text(format!("{place}.initial_value"), initial, most);
        for (k, option) in feature.options.iter().enumerate() {
            value(&format!("{place}.options[{k}].value"), &option.value, found);
            share(
                &format!("{place}.options[{k}].default_percentage_allocation"),
                option.default_percentage_allocation,
                found,
            );
        }
        if over_100(feature.options.iter().map(|o| o.default_percentage_allocation)) {
            found.add(format!("{place}.options"), "Invalid percentage allocation");
        }
    }
}

fn value(place: &str, value: &FlagValue, found: &mut Found) {
    match value {
        FlagValue::Text(text) => found.text(place, text, limits::FEATURE_VALUE_LENGTH),
        FlagValue::Int(number) if i32::try_from(*number).is_err() => {
            found.add(place, "Integers must fit into 32 bits.");
        }
        _ => {}
    }
}

fn share(place: &str, percent: f64, found: &mut Found) {
    if !(0.0..=100.0).contains(&percent) {
        found.add(place, "Must be a number from 0 to 100.");
    }
}

fn segments(project: &ProjectPart, found: &mut Found) {
    let features: HashSet<&str> = project.features.iter().map(|f| f.name.as_str()).collect();
    let listed = project
        .segments
        .iter()
        .filter_map(|segment| segment.list.as_ref());
    let flags = KnownFlags::of_names(project.features.iter().map(|f| f.name.clone()))
        .with_lists(listed.map(|list| list.key.clone()));
    let mut keys = HashSet::new();
    let mut ids = HashSet::new();
    for (n, segment) in project.segments.iter().enumerate() {
        let place = format!("segments[{n}]");
        found.name(format!("{place}.name"), &segment.name, 2000);
        if segment.id < 1 || !ids.insert(segment.id) {
            found.add(
                format!("{place}.id"),
                "Must be a number that no other segment has.",
            );
        }
        if let Some(feature) = &segment.feature
            && !features.contains(feature.as_str())
        {
            found.add(
                format!("{place}.feature"),
                "There is no such feature in the file.",
            );
        }
        if let Some(list) = &segment.list {
            if !lists::is_key(&list.key) || !keys.insert(list.key.as_str()) {
                found.add(
                    format!("{place}.list.key"),
                    "Must be a key that no other segment has.",
                );
            }
            if !lists::is_context_kind(&list.context_kind) {
                found.add(
                    format!("{place}.list.context_kind"),
                    "Not a name of a context kind.",
                );
            }
            if segment.rules.is_empty() {
                continue;
            }
        }
        let edits: Vec<RuleEdit> = segment.rules.iter().map(RuleEdit::from).collect();
        if let Err(error) = segment_rules::check(&edits, &flags) {
            let text = match error {
                Error::Rejected(what) => what.to_string(),
                Error::Invalid(problems) => problems.into_json().to_string(),
                other => other.to_string(),
            };
            found.add(format!("{place}.rules"), text);
        }
        lengths(&format!("{place}.rules"), &segment.rules, found);
    }
}

fn lengths(place: &str, rules: &[Rule], found: &mut Found) {
    for rule in rules {
        for condition in &rule.conditions {
            let property = condition.property.as_deref().unwrap_or_default();
            found.text(place, property, limits::CONDITION_PROPERTY_LENGTH);
            let value = condition.value.as_deref().unwrap_or_default();
            found.text(place, value, limits::CONDITION_VALUE_LENGTH);
        }
        lengths(place, &rule.rules, found);
    }
}

fn environments(project: &ProjectPart, found: &mut Found) {
    let features: HashMap<&str, &FeaturePart> =
        project.features.iter().map(|f| (f.name.as_str(), f)).collect();
    let segments: HashSet<i64> = project.segments.iter().map(|segment| segment.id).collect();
    let mut names = HashSet::new();
    for (n, environment) in project.environments.iter().enumerate() {
        let place = format!("environments[{n}]");
        found.name(format!("{place}.name"), &environment.name, 2000);
        if !names.insert(&environment.name) {
            found.add(
                format!("{place}.name"),
                "There is another environment of this name in the file.",
            );
        }
        settings(&place, environment, found);
        for (k, part) in environment.defaults.iter().enumerate() {
            state(
                &format!("{place}.defaults[{k}]"),
                &features,
                (&part.feature, &part.state),
                found,
            );
        }
        for (k, part) in environment.segment_overrides.iter().enumerate() {
            let place = format!("{place}.segment_overrides[{k}]");
            state(&place, &features, (&part.feature, &part.state), found);
            if !segments.contains(&part.segment) {
                found.add(
                    format!("{place}.segment"),
                    "There is no such segment in the file.",
                );
            }
        }
        for (k, part) in environment.identity_overrides.iter().enumerate() {
            let place = format!("{place}.identity_overrides[{k}]");
            state(&place, &features, (&part.feature, &part.state), found);
            found.name(
                format!("{place}.identifier"),
                &part.identifier,
                limits::IDENTIFIER_LENGTH,
            );
        }
    }
}

fn settings(place: &str, environment: &EnvironmentPart, found: &mut Found) {
    let texts = [
        ("description", &environment.description, 20_000),
        ("banner_text", &environment.banner_text, 255),
        ("banner_colour", &environment.banner_colour, 7),
        ("api_key", &environment.api_key, 100),
    ];
    for (name, text, most) in texts {
        found.text(
            format!("{place}.{name}"),
            text.as_deref().unwrap_or_default(),
            most,
        );
    }
    if environment
        .api_key
        .as_deref()
        .is_some_and(burgee_model::keys::is_server_key)
    {
        found.add(format!("{place}.api_key"), "This is a server-side key.");
    }
    for (k, key) in environment.server_keys.iter().enumerate() {
        found.name(format!("{place}.server_keys[{k}].name"), &key.name, 100);
        if !burgee_model::keys::is_server_key(&key.key) || key.key.len() > 100 {
            found.add(
                format!("{place}.server_keys[{k}].key"),
                "This is no server-side key.",
            );
        }
    }
}

fn state(
    place: &str,
    features: &HashMap<&str, &FeaturePart>,
    (feature, state): (&str, &StatePart),
    found: &mut Found,
) {
    let Some(feature) = features.get(feature) else {
        found.add(
            format!("{place}.feature"),
            "There is no such feature in the file.",
        );
        return;
    };
    value(&format!("{place}.state.value"), &state.value, found);
    let weights = format!("{place}.state.weights");
    for weight in &state.weights {
        share(&weights, weight.percentage, found);
        if !feature.options.iter().any(|option| option.id == weight.option) {
            found.add(&weights, format!("The feature has no option {}.", weight.option));
        }
    }
    if over_100(state.weights.iter().map(|weight| weight.percentage)) {
        found.add(&weights, "Multivariate percentage values exceed 100%.");
    }
}

/// What is wrong with an identity in a file, if anything is.
pub(super) fn identity_problem(line: &IdentityLine) -> Option<&'static str> {
    let length = line.identifier.chars().count();
    if length == 0 || length > limits::IDENTIFIER_LENGTH {
        return Some("its identifier is empty or too long");
    }
    let mut slots = HashSet::new();
    let mut last = -1;
    for stored in &line.traits {
        let in_order = stored.slot() > last && stored.slot() < limits::TRAITS_PER_IDENTITY;
        last = stored.slot();
        if !in_order || !slots.insert(stored.key()) {
            return Some("its traits are in disorder");
        }
        let key = stored.key().chars().count();
        if key == 0 || key > limits::TRAIT_KEY_LENGTH {
            return Some("the key of a trait is empty or too long");
        }
        if let burgee_model::TraitValue::Text(text) = stored.value()
            && text.chars().count() > limits::TRAIT_VALUE_LENGTH
        {
            return Some("the value of a trait is too long");
        }
    }
    None
}

//! Writing what was read from LaunchDarkly, with the ordinary acts and as the person who asked.
//!
//! Everything is found by its name first, so that doing it twice leaves the same.

use std::collections::{BTreeSet, HashMap};

use burgee_model::{FlagValue, limits};
use burgee_store::tags as tag_rows;
use burgee_store::{environments as environment_rows, identities as identity_rows};
use burgee_store::{feature_states as state_rows, features as feature_rows, segments as segment_rows};
use serde_json::Value;

use super::clauses;
use super::source::{Config, Environment, Failure, Flag, FlagRule, Project, Segment, Serve};
use crate::environments::EnvironmentEdit;
use crate::feature_options::OptionEdit;
use crate::feature_states::{StateEdit, ValueEdit, Weight};
use crate::features::{FeatureEdit, NewFeature};
use crate::flag_updates::{FeatureName, FlagEdit, OverrideEdit};
use crate::pii::{Entrance, Spot};
use crate::segments::{RuleEdit, SegmentEdit};
use crate::tags::TagEdit;
use crate::{
    App, Caller, Error, environments, features, flag_updates, identities, identity_overrides, segments, tags,
};

/// The tag that everything imported gets.
const IMPORTED: &str = "Imported";
/// The colour of tags that come along.
const COLOR: &str = "#3d4db6";
/// Identities that one flag may treat one by one in an environment.
const TARGETS: usize = 1000;

type Outcome<T> = std::result::Result<T, Failure>;

/// Writes a project into one of ours. Gives what could not be taken over as it is there.
pub(super) async fn write(
    app: &App,
    caller: &Caller,
    project_id: i64,
    project: &Project,
) -> Outcome<Vec<String>> {
    let mut act = Act {
        app,
        caller,
        project_id,
        keys: HashMap::new(),
        tags: HashMap::new(),
        segments: HashMap::new(),
        problems: Vec::new(),
    };
    for environment in &project.environments {
        act.environment(environment).await?;
    }
    for environment in &project.environments {
        for segment in project.segments.get(&environment.key).into_iter().flatten() {
            act.segment(environment, segment).await?;
        }
    }
    for flag in &project.flags {
        act.flag(&project.environments, flag).await?;
    }
    Ok(act.problems)
}

struct Act<'a> {
    app: &'a App,
    caller: &'a Caller,
    project_id: i64,
    /// Our environments' ids and keys, by the keys of theirs.
    keys: HashMap<String, (i64, String)>,
    tags: HashMap<String, i64>,
    /// Our segments, by the keys of their environment and their own.
    segments: HashMap<(String, String), i64>,
    problems: Vec<String>,
}

impl Act<'_> {
    async fn environment(&mut self, environment: &Environment) -> Outcome<()> {
        let mut tx = self.app.db().read().await.map_err(Error::from)?;
        let known = environment_rows::list(&mut tx, self.project_id)
            .await
            .map_err(Error::from)?;
        drop(tx);
        let present = known.into_iter().find(|known| known.name == environment.name);
        let found = if let Some(known) = present {
            known
        } else {
            let edit = EnvironmentEdit {
                name: Some(environment.name.clone()),
                ..EnvironmentEdit::default()
            };
            environments::create(self.app, self.caller, self.project_id, edit).await?
        };
        self.keys
            .insert(environment.key.clone(), (found.id, found.api_key));
        Ok(())
    }

    async fn tag(&mut self, label: &str) -> Outcome<i64> {
        if let Some(id) = self.tags.get(label) {
            return Ok(*id);
        }
        let mut tx = self.app.db().read().await.map_err(Error::from)?;
        let known = tag_rows::list(&mut tx, self.project_id)
            .await
            .map_err(Error::from)?;
        drop(tx);
        let present = known
            .into_iter()
            .find(|tag| tag.label == label && !tag.is_system_tag);
        let id = if let Some(tag) = present {
            tag.id
        } else {
            let edit = TagEdit {
                label: Some(label.to_owned()),
                color: Some(COLOR.to_owned()),
                ..TagEdit::default()
            };
            tags::create(self.app, self.caller, self.project_id, edit)
                .await?
                .id
        };
        self.tags.insert(label.to_owned(), id);
        Ok(id)
    }

    async fn segment(&mut self, environment: &Environment, segment: &Segment) -> Outcome<()> {
        if segment.deleted {
            return Ok(());
        }
        let name = override_name(&segment.name, environment);
        match clauses::of_segment(segment) {
            Ok(rules) => {
                let description = segment.description.clone().filter(|text| !text.is_empty());
                if let Some(id) = self.put_segment(name, description, None, rules).await? {
                    self.segments
                        .insert((environment.key.clone(), segment.key.clone()), id);
                }
            }
            Err(why) => self.problems.push(format!("Segment {name} was left out: {why}.")),
        }
        Ok(())
    }

    /// Creates or changes a segment by its name. One that is refused is left out.
    async fn put_segment(
        &mut self,
        name: String,
        description: Option<String>,
        feature: Option<i64>,
        rules: Vec<RuleEdit>,
    ) -> Outcome<Option<i64>> {
        let mut tx = self.app.db().read().await.map_err(Error::from)?;
        let known = segment_rows::list(&mut tx, self.project_id)
            .await
            .map_err(Error::from)?;
        drop(tx);
        let present = known
            .into_iter()
            .find(|known| known.name == name && known.feature_id == feature);
        let edit = SegmentEdit {
            name: Some(name.clone()),
            description: Some(description),
            feature: Some(feature),
            rules: Some(rules),
            ..SegmentEdit::default()
        };
        let done = match present {
            Some(present) => segments::update(self.app, self.caller, self.project_id, present.id, edit).await,
            None => segments::create(self.app, self.caller, self.project_id, edit).await,
        };
        match done {
            Ok(details) => Ok(Some(details.segment.id)),
            Err(Error::Invalid(problems)) => Ok(self.refused(&name, &problems.into_json())),
            Err(Error::Rejected(problems)) => Ok(self.refused(&name, &problems)),
            Err(other) => Err(other.into()),
        }
    }

    fn refused(&mut self, name: &str, problems: &Value) -> Option<i64> {
        self.problems
            .push(format!("Segment {name} was left out: {problems}"));
        None
    }

    async fn flag(&mut self, environments: &[Environment], flag: &Flag) -> Outcome<()> {
        let Some(shape) = self.feature(flag).await? else {
            return Ok(());
        };
        for environment in environments {
            if let Some(config) = flag.environments.get(&environment.key) {
                self.configure(environment, flag, &shape, config).await?;
            }
        }
        Ok(())
    }

    /// The feature for a flag, and how its variations are said by it.
    async fn feature(&mut self, flag: &Flag) -> Outcome<Option<Shape>> {
        let mut tags = vec![self.tag(IMPORTED).await?];
        for label in &flag.tags {
            tags.push(self.tag(label).await?);
        }
        let values: Vec<FlagValue> = flag
            .variations
            .iter()
            .map(|variation| value(&variation.value))
            .collect();
        if values.len() > 2 && values.iter().any(too_long)
            || flag.key.chars().count() > limits::FEATURE_NAME_LENGTH
        {
            self.problems.push(format!(
                "Flag {} was left out: it or its values are too long.",
                flag.key
            ));
            return Ok(None);
        }
        let mut tx = self.app.db().read().await.map_err(Error::from)?;
        let present = feature_rows::find_by_name(&mut tx, self.project_id, &flag.key.to_lowercase())
            .await
            .map_err(Error::from)?;
        drop(tx);
        let id = if let Some(present) = present {
            let edit = FeatureEdit {
                description: flag.description.clone().map(Some),
                is_archived: Some(flag.archived),
                tags: Some(tags),
                ..FeatureEdit::default()
            };
            features::update(self.app, self.caller, self.project_id, present.id, edit)
                .await?
                .feature
                .id
        } else {
            let new = new_feature(flag, &values, tags);
            features::create(self.app, self.caller, self.project_id, new)
                .await?
                .feature
                .id
        };
        let mut tx = self.app.db().read().await.map_err(Error::from)?;
        let options = feature_rows::options(&mut tx, id).await.map_err(Error::from)?;
        let wanted = if values.len() > 2 { values.len() } else { 0 };
        if options.len() != wanted
            || options
                .iter()
                .zip(&values)
                .any(|(option, value)| option.value() != *value)
        {
            let text = format!(
                "Flag {} was left out: a feature of this name has other variants.",
                flag.key
            );
            self.problems.push(text);
            return Ok(None);
        }
        Ok(Some(Shape {
            feature_id: id,
            name: flag.key.clone(),
            values,
            options: options.into_iter().map(|option| option.id).collect(),
        }))
    }

    async fn configure(
        &mut self,
        environment: &Environment,
        flag: &Flag,
        shape: &Shape,
        config: &Config,
    ) -> Outcome<()> {
        let Some((_, key)) = self.keys.get(&environment.key).cloned() else {
            return Ok(());
        };
        let mut edit = FlagEdit {
            default: Some(self.serve(environment, shape, config, None)),
            ..FlagEdit::default()
        };
        let mut used = BTreeSet::new();
        let rules = if config.on { config.rules.as_slice() } else { &[] };
        for (index, rule) in rules.iter().enumerate() {
            let Some(segment_id) = self
                .segment_of_rule(environment, flag, shape, (index, rule))
                .await?
            else {
                continue;
            };
            // Who is in a segment already had the earlier rule.
            if used.insert(segment_id) {
                edit.overrides.push(OverrideEdit {
                    segment_id,
                    priority: Some(edit.overrides.len() as i64),
                    edit: self.serve(environment, shape, config, Some(&rule.serve)),
                });
            }
        }
        let name = FeatureName::Id(shape.feature_id);
        flag_updates::update_named(self.app, self.caller, &key, &name, edit).await?;
        self.target(environment, shape, config).await
    }

    /// The segment of those whom a rule matches.
    async fn segment_of_rule(
        &mut self,
        environment: &Environment,
        flag: &Flag,
        shape: &Shape,
        (index, rule): (usize, &FlagRule),
    ) -> Outcome<Option<i64>> {
        let what = format!("{} rule {}", flag.key, index + 1);
        if let [clause] = rule.clauses.as_slice()
            && clause.op == "segmentMatch"
            && !clause.negate
            && let [Value::String(key)] = clause.values.as_slice()
        {
            let found = self
                .segments
                .get(&(environment.key.clone(), key.clone()))
                .copied();
            if found.is_none() {
                let text = format!(
                    "{what} in {} was left out: there is no segment {key}.",
                    environment.name
                );
                self.problems.push(text);
            }
            return Ok(found);
        }
        match clauses::of_rule(&rule.clauses) {
            Ok(rules) => {
                let name = override_name(&what, environment);
                let description = rule.description.clone().filter(|text| !text.is_empty());
                self.put_segment(name, description, Some(shape.feature_id), rules)
                    .await
            }
            Err(why) => {
                self.problems
                    .push(format!("{what} in {} was left out: {why}.", environment.name));
                Ok(None)
            }
        }
    }

    /// What is served where nothing else is (`None`), or to those whom a rule matches.
    fn serve(
        &mut self,
        environment: &Environment,
        shape: &Shape,
        config: &Config,
        rule: Option<&Serve>,
    ) -> StateEdit {
        let off = Serve {
            variation: config.off_variation,
            rollout: None,
        };
        let serve = match rule {
            Some(serve) => serve,
            None if config.on => &config.fallthrough,
            None => &off,
        };
        if shape.options.is_empty() && serve.rollout.is_some() {
            let text = format!(
                "{} in {}: shares of two variations are not taken over; the larger one is served.",
                shape.name, environment.name
            );
            self.problems.push(text);
        }
        shape.state(config, serve)
    }

    /// Those who are treated one by one.
    async fn target(&mut self, environment: &Environment, shape: &Shape, config: &Config) -> Outcome<()> {
        if !config.on {
            return Ok(());
        }
        let all = config.targets.iter().chain(&config.context_targets);
        let users = all.filter(|target| target.context_kind.as_deref().is_none_or(|kind| kind == "user"));
        let wanted: Vec<(String, usize)> = users
            .flat_map(|target| target.values.iter().map(|key| (key.clone(), target.variation)))
            .collect();
        if wanted.len() > TARGETS {
            let text = format!(
                "{} in {}: of {} targets only {TARGETS} were taken over.",
                shape.name,
                environment.name,
                wanted.len()
            );
            self.problems.push(text);
        }
        for (identifier, variation) in wanted.into_iter().take(TARGETS) {
            self.target_one(environment, shape, config, (identifier, variation))
                .await?;
        }
        Ok(())
    }

    async fn target_one(
        &mut self,
        environment: &Environment,
        shape: &Shape,
        config: &Config,
        (identifier, variation): (String, usize),
    ) -> Outcome<()> {
        let Some((id, key)) = self.keys.get(&environment.key).cloned() else {
            return Ok(());
        };
        if identifier.is_empty() || identifier.chars().count() > limits::IDENTIFIER_LENGTH {
            return Ok(());
        }
        let serve = Serve {
            variation: Some(variation),
            rollout: None,
        };
        let edit = shape.state(config, &serve);
        let mut present = identity_rows::find_by_identifier(self.app.db(), id, &identifier)
            .await
            .map_err(Error::from)?;
        let served = self.app.environments().by_id(id).map(|served| served.snapshot());
        if let Some(guard) = served.as_ref().and_then(|snapshot| snapshot.guard.as_ref()) {
            if let Err(refused) = guard.keep(TARGET, &identifier) {
                let text = format!(
                    "{} in {}: a target was not taken over. {}",
                    shape.name,
                    environment.name,
                    refused.reason()
                );
                self.problems.push(text);
                return Ok(());
            }
            if present.is_none()
                && let Some(hash) = guard.hash_of("", &identifier)
            {
                present = identity_rows::find_by_identifier(self.app.db(), id, &hash)
                    .await
                    .map_err(Error::from)?;
            }
        }
        let Some(identity) = present else {
            let made = identities::create(self.app, self.caller, &key, identifier).await?;
            let at = (key.as_str(), made.id);
            identity_overrides::create(self.app, self.caller, at, Some(shape.feature_id), edit).await?;
            return Ok(());
        };
        let mut tx = self.app.db().read().await.map_err(Error::from)?;
        let states = state_rows::of_identity(&mut tx, identity.id)
            .await
            .map_err(Error::from)?;
        drop(tx);
        let at = (key.as_str(), identity.id);
        let present = states
            .into_iter()
            .find(|state| state.feature_id == shape.feature_id);
        if let Some(state) = present {
            identity_overrides::update(self.app, self.caller, at, state.id, edit).await?;
        } else {
            let feature = Some(shape.feature_id);
            identity_overrides::create(self.app, self.caller, at, feature, edit).await?;
        }
        Ok(())
    }
}

/// Where identifiers stand that an import brings.
const TARGET: Spot<'static> = Spot {
    entrance: Entrance::Imports,
    field: "identifier",
    name: "",
};

fn override_name(name: &str, environment: &Environment) -> String {
    format!("{name} (Override for {})", environment.name)
}

/// A flag's feature, and how its variations are said by it.
struct Shape {
    feature_id: i64,
    name: String,
    values: Vec<FlagValue>,
    /// The option of each variation, where there are more than two.
    options: Vec<i64>,
}

impl Shape {
    fn state(&self, config: &Config, serve: &Serve) -> StateEdit {
        let nothing = FlagValue::Null;
        let value_of =
            |index: Option<usize>| index.and_then(|index| self.values.get(index)).unwrap_or(&nothing);
        if !self.options.is_empty() {
            return StateEdit {
                enabled: Some(config.on),
                value: Some(ValueEdit::from(value_of(config.off_variation).clone())),
                weights: Some(self.weights(config, serve)),
            };
        }
        let chosen = value_of(serve.variation.or_else(|| largest(serve)));
        let is_boolean = self
            .values
            .iter()
            .all(|value| matches!(value, FlagValue::Bool(_)));
        match chosen {
            FlagValue::Bool(truth) if is_boolean => StateEdit {
                enabled: Some(*truth),
                ..StateEdit::default()
            },
            chosen => StateEdit {
                enabled: Some(config.on),
                value: Some(ValueEdit::from(chosen.clone())),
                weights: None,
            },
        }
    }

    /// All of it to one variation, or shares; what is off gives nothing away.
    fn weights(&self, config: &Config, serve: &Serve) -> Vec<Weight> {
        let share = |index: usize| match (&serve.rollout, serve.variation) {
            _ if !config.on => 0.0,
            (Some(rollout), None) => {
                let shares = rollout.variations.iter().filter(|share| share.variation == index);
                shares
                    .map(|share| share.weight / 1000.0)
                    .sum::<f64>()
                    .clamp(0.0, 100.0)
            }
            (_, Some(variation)) if variation == index => 100.0,
            _ => 0.0,
        };
        let weights = self.options.iter().enumerate().map(|(index, option_id)| Weight {
            option_id: *option_id,
            percentage: share(index),
        });
        weights.collect()
    }
}

/// The variation with the largest share.
fn largest(serve: &Serve) -> Option<usize> {
    let shares = &serve.rollout.as_ref()?.variations;
    let largest = shares.iter().max_by(|a, b| a.weight.total_cmp(&b.weight))?;
    Some(largest.variation)
}

/// A variation's value, as features have values: text, a small whole number or a truth; other JSON is text.
fn value(value: &Value) -> FlagValue {
    match value {
        Value::Null => FlagValue::Null,
        Value::Bool(truth) => FlagValue::Bool(*truth),
        Value::String(text) => FlagValue::Text(text.clone()),
        Value::Number(number) => match number.as_i64().filter(|n| i32::try_from(*n).is_ok()) {
            Some(number) => FlagValue::Int(number),
            None => FlagValue::Text(number.to_string()),
        },
        other => FlagValue::Text(other.to_string()),
    }
}

fn too_long(value: &FlagValue) -> bool {
    matches!(value, FlagValue::Text(text) if text.chars().count() > limits::FEATURE_VALUE_LENGTH)
}

fn new_feature(flag: &Flag, values: &[FlagValue], tags: Vec<i64>) -> NewFeature {
    let available = flag
        .client_side_availability
        .is_none_or(|to| to.using_environment_id || to.using_mobile_key);
    let several = values.len() > 2;
    let is_boolean = values.iter().all(|value| matches!(value, FlagValue::Bool(_)));
    let initial = values.first().filter(|_| !is_boolean).map(|value| match value {
        FlagValue::Null => None,
        FlagValue::Text(text) => Some(text.clone()),
        other => Some(other.to_json().to_string()),
    });
    NewFeature {
        name: flag.key.clone(),
        initial_value: initial.flatten(),
        description: flag.description.clone().filter(|text| !text.is_empty()),
        is_archived: flag.archived,
        is_server_key_only: !available,
        tags,
        options: flag
            .variations
            .iter()
            .filter(|_| several)
            .map(|variation| option(value(&variation.value)))
            .collect(),
        ..NewFeature::default()
    }
}

fn option(value: FlagValue) -> OptionEdit {
    OptionEdit {
        default_percentage_allocation: Some(0.0),
        ..value.into()
    }
}

//! The ways to say what is to change of a segment: instructions (a semantic patch), or operations on its JSON (a JSON
//! patch, as generated clients send it).

use std::collections::{BTreeMap, BTreeSet};

use burgee_app::Error;
use burgee_app::launch_darkly_segments::{MOST_OPERATIONS, Patch, Shown, Target, Targets};
use burgee_model::limits;
use burgee_model::lists::{Side, USER};
use serde_json::{Map, Value, json};

use super::Refusal;

/// What marks a body as a semantic patch.
const SEMANTIC: &str = "domain-model=launchdarkly.semanticpatch";

/// A patch as it was sent.
#[derive(Debug)]
pub(super) enum Form {
    Instructions(Vec<Value>),
    Operations(Vec<Value>),
}

impl Form {
    pub(super) fn read(kind: &str, body: Value, environment: &str) -> Result<Self, Refusal> {
        if kind.replace(' ', "").to_ascii_lowercase().contains(SEMANTIC) {
            let named = body.get("environmentKey").and_then(Value::as_str);
            if named != Some(environment) {
                return Err(Refusal::invalid(
                    "environmentKey is required, and must be that of the path",
                ));
            }
            return match body {
                Value::Object(mut body) => match body.remove("instructions") {
                    Some(Value::Array(instructions)) => Ok(Self::Instructions(instructions)),
                    _ => Err(Refusal::invalid("instructions are required")),
                },
                _ => Err(Refusal::invalid("a semantic patch must be an object")),
            };
        }
        match body {
            Value::Array(operations) => Ok(Self::Operations(operations)),
            Value::Object(mut body) => match body.remove("patch") {
                Some(Value::Array(operations)) => Ok(Self::Operations(operations)),
                _ => Err(Refusal::invalid(format!(
                    "a JSON patch must be a list; a semantic patch needs the content type parameter {SEMANTIC}"
                ))),
            },
            _ => Err(Refusal::invalid("a JSON patch must be a list")),
        }
    }

    /// What it means for a segment that is like this.
    pub(super) fn against(self, segment: &Shown, dry_run: bool) -> Result<Patch, Error> {
        let patch = match self {
            Self::Instructions(instructions) => of_instructions(&instructions, segment),
            Self::Operations(operations) => of_operations(&operations, segment),
        };
        let patch = patch.map_err(|refusal| Error::detail(&refusal.message))?;
        Ok(Patch { dry_run, ..patch })
    }
}

/// A text of a body.
pub(super) fn text(value: Option<&Value>, name: &str) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text))
            if text.contains('\0') || text.chars().count() > limits::FEATURE_VALUE_LENGTH =>
        {
            Err(Refusal::invalid(format!(
                "{name} is too long, or holds a null character"
            )))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::invalid(format!("{name} must be a string"))),
    }
}

/// A list of texts of a body.
pub(super) fn texts(value: Option<&Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = || Refusal::invalid(format!("{name} must be a list of strings"));
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect();
            texts.ok_or_else(wrong).map(Some)
        }
        Some(_) => Err(wrong()),
    }
}

fn own_tags(segment: &Shown) -> Vec<String> {
    serde_json::from_str(&segment.here.segment.tags).unwrap_or_default()
}

fn of_instructions(instructions: &[Value], segment: &Shown) -> Result<Patch, Refusal> {
    let mut patch = Patch::default();
    let mut operations = 0;
    for instruction in instructions {
        let kind = instruction.get("kind").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| Refusal::invalid("an instruction needs a kind"))?;
        let values = texts(instruction.get("values"), "values")?;
        match kind {
            "updateName" => patch.name = Some(required(instruction, "value")?),
            "updateDescription" => patch.description = text(instruction.get("value"), "value")?,
            "addTags" | "removeTags" => {
                let values = values.ok_or_else(|| Refusal::invalid("values are required"))?;
                let tags = patch.tags.get_or_insert_with(|| own_tags(segment));
                tags.retain(|tag| !values.contains(tag));
                if kind == "addTags" {
                    tags.extend(values);
                }
            }
            _ => {
                let values = values.ok_or_else(|| Refusal::invalid("values are required"))?;
                let context_kind = text(instruction.get("contextKind"), "contextKind")?;
                let (side, present, context_kind) = targeted(kind, context_kind, segment)?;
                if !kind.contains("BigSegment") {
                    operations += values.len();
                }
                patch.targets.extend(values.into_iter().map(|key| Target {
                    side,
                    context_kind: context_kind.clone(),
                    key,
                    present,
                }));
            }
        }
    }
    if operations > MOST_OPERATIONS {
        let text =
            format!("a request takes at most {MOST_OPERATIONS} target operations, this one has {operations}");
        return Err(Refusal::invalid(text));
    }
    Ok(patch)
}

fn required(instruction: &Value, name: &str) -> Result<String, Refusal> {
    let given = text(instruction.get(name), name)?.filter(|text| !text.is_empty());
    given
        .filter(|text| text.chars().count() <= limits::FEATURE_NAME_LENGTH)
        .ok_or_else(|| Refusal::invalid(format!("{name} is required, and no longer than 2000 characters")))
}

/// Which list an instruction is about, and whether its values come or go.
fn targeted(
    kind: &str,
    context_kind: Option<String>,
    segment: &Shown,
) -> Result<(Side, bool, Option<String>), Refusal> {
    let unknown = || Refusal::invalid(format!("unknown instruction {kind}"));
    let (present, rest) = match (kind.strip_prefix("add"), kind.strip_prefix("remove")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(unknown()),
    };
    let is_big = rest.starts_with("BigSegment");
    let rest = rest.strip_prefix("BigSegment").unwrap_or(rest);
    let (side, rest) = match (rest.strip_prefix("Included"), rest.strip_prefix("Excluded")) {
        (Some(rest), _) => (Side::Included, rest),
        (_, Some(rest)) => (Side::Excluded, rest),
        _ => return Err(unknown()),
    };
    let context_kind = match (rest, is_big) {
        ("Targets", true) => None,
        ("Targets", false) if segment.here.segment.unbounded => context_kind,
        ("Targets", false) => Some(context_kind.ok_or_else(|| Refusal::invalid("contextKind is required"))?),
        ("Users", false) => Some(USER.to_owned()),
        _ => return Err(unknown()),
    };
    Ok((side, present, context_kind))
}

/// The fields of a segment that operations may touch.
#[derive(Debug, Default)]
struct Draft(Value);

impl Draft {
    fn of(segment: &Shown, targets: &Targets) -> Self {
        let others = |side: &BTreeMap<String, Vec<String>>| -> Value {
            let others = side.iter().filter(|(kind, _)| kind.as_str() != USER);
            others
                .map(|(kind, values)| json!({ "contextKind": kind, "values": values }))
                .collect()
        };
        let users = |side: &BTreeMap<String, Vec<String>>| json!(side.get(USER).cloned().unwrap_or_default());
        Self(json!({
            "name": segment.here.segment.name,
            "description": segment.here.segment.description.clone().unwrap_or_default(),
            "tags": own_tags(segment),
            "version": segment.here.version(),
            "included": users(&targets.included),
            "excluded": users(&targets.excluded),
            "includedContexts": others(&targets.included),
            "excludedContexts": others(&targets.excluded),
        }))
    }

    fn apply(&mut self, operation: &Value) -> Result<(), Refusal> {
        let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
        let (op, path) = (text("op"), text("path"));
        let value = operation.get("value").cloned().unwrap_or_default();
        let failed = || Refusal::invalid(format!("the operation {op} {path} can't be applied"));
        let (parent, last) = path.rsplit_once('/').ok_or_else(failed)?;
        let last = last.replace("~1", "/").replace("~0", "~");
        let place = self.0.pointer_mut(parent).ok_or_else(failed)?;
        match (op, place) {
            ("test", place) => {
                let found = match place {
                    Value::Array(items) => last.parse::<usize>().ok().and_then(|at| items.get(at)),
                    place => place.get(&last),
                };
                (found == Some(&value)).then_some(()).ok_or_else(failed)
            }
            ("add", Value::Array(items)) if last == "-" => {
                items.push(value);
                Ok(())
            }
            ("add", Value::Array(items)) => {
                let at = last
                    .parse::<usize>()
                    .ok()
                    .filter(|at| *at <= items.len())
                    .ok_or_else(failed)?;
                items.insert(at, value);
                Ok(())
            }
            ("remove", Value::Array(items)) => {
                let at = last
                    .parse::<usize>()
                    .ok()
                    .filter(|at| *at < items.len())
                    .ok_or_else(failed)?;
                items.remove(at);
                Ok(())
            }
            ("replace", Value::Array(items)) => {
                let at = last
                    .parse::<usize>()
                    .ok()
                    .and_then(|at| items.get_mut(at))
                    .ok_or_else(failed)?;
                *at = value;
                Ok(())
            }
            ("add" | "replace", Value::Object(fields)) => set(fields, &last, value).ok_or_else(failed),
            _ => Err(failed()),
        }
    }

    /// The keys of a side, by context kind.
    fn side(&self, side: &str) -> Result<BTreeMap<String, BTreeSet<String>>, Refusal> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let users = texts(self.0.get(side), side)?.unwrap_or_default();
        keys.entry(USER.to_owned()).or_default().extend(users);
        for target in self.0[format!("{side}Contexts")].as_array().into_iter().flatten() {
            let kind = text(target.get("contextKind"), "contextKind")?.unwrap_or_else(|| USER.to_owned());
            let values = texts(target.get("values"), "values")?.unwrap_or_default();
            keys.entry(kind).or_default().extend(values);
        }
        Ok(keys)
    }
}

/// Only fields that are there can be set; the version is no field to set.
fn set(fields: &mut Map<String, Value>, name: &str, value: Value) -> Option<()> {
    let field = fields.get_mut(name).filter(|_| name != "version")?;
    *field = value;
    Some(())
}

fn of_operations(operations: &[Value], segment: &Shown) -> Result<Patch, Refusal> {
    let targets = segment.targets.clone().unwrap_or_default();
    let before = Draft::of(segment, &targets);
    let mut after = Draft(before.0.clone());
    for operation in operations {
        let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
        if segment.targets.is_none() && (path.starts_with("/included") || path.starts_with("/excluded")) {
            return Err(Refusal::invalid(
                "the targets of a big segment can't be changed by a JSON patch",
            ));
        }
        after.apply(operation)?;
    }
    let mut patch = Patch::default();
    let changed = |name: &str| before.0[name] != after.0[name];
    if changed("name") {
        patch.name = Some(required(&after.0, "name")?);
    }
    if changed("description") {
        patch.description = Some(text(after.0.get("description"), "description")?.unwrap_or_default());
    }
    if changed("tags") {
        patch.tags = texts(after.0.get("tags"), "tags")?;
    }
    for (name, side) in [("included", Side::Included), ("excluded", Side::Excluded)] {
        let (old, new) = (before.side(name)?, after.side(name)?);
        let kinds: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for kind in kinds {
            let (none, nobody) = (BTreeSet::new(), BTreeSet::new());
            let (old, new) = (old.get(kind).unwrap_or(&none), new.get(kind).unwrap_or(&nobody));
            let target = |key: &String, present: bool| Target {
                side,
                context_kind: Some(kind.clone()),
                key: key.clone(),
                present,
            };
            patch
                .targets
                .extend(old.difference(new).map(|key| target(key, false)));
            patch
                .targets
                .extend(new.difference(old).map(|key| target(key, true)));
        }
    }
    Ok(patch)
}

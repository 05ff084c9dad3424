//! Flags that depend on flags: conditions of segments on `$.flags.<name>.…`, and circles among them.
//!
//! A feature that a segment overrides in an environment depends there on every flag that the segment's rules name. A
//! write that would make a feature depend on itself is refused. (The engine, should it meet a circle all the same, treats
//! what it can't decide as not set.)

use std::collections::{HashMap, HashSet};

use burgee_engine::flag_in_path;
use burgee_model::segments::Rule;
use burgee_store::features::Feature;
use burgee_store::segments::Segment;
use burgee_store::{Tx, feature_segments, features, segments};
use serde_json::json;

use crate::{Error, Result};

/// The flags that rules name, each once.
pub(crate) fn named(rules: &[Rule]) -> Vec<String> {
    let mut found = Vec::new();
    collect(rules, &mut found);
    found
}

fn collect(rules: &[Rule], found: &mut Vec<String>) {
    for rule in rules {
        for condition in &rule.conditions {
            let flag = condition.property.as_deref().and_then(flag_in_path);
            if let Some(flag) = flag
                && !found.contains(&flag.name)
            {
                found.push(flag.name);
            }
        }
        collect(&rule.rules, found);
    }
}

/// What depends on what in one environment, by the names of features.
#[derive(Debug, Default)]
struct Graph(HashMap<String, HashSet<String>>);

impl Graph {
    /// As the overrides of an environment are, with the rules of one segment taken from `segment`.
    async fn read(tx: &mut Tx, project_id: i64, environment_id: i64, segment: &Segment) -> Result<Self> {
        let names: HashMap<i64, String> = features::list(tx, project_id)
            .await?
            .into_iter()
            .map(|feature| (feature.id, feature.name))
            .collect();
        let flags: HashMap<i64, Vec<String>> = segments::list(tx, project_id)
            .await?
            .iter()
            .map(|known| if known.id == segment.id { segment } else { known })
            .map(|known| (known.id, named(&known.parsed_rules())))
            .collect();
        let mut graph = Self::default();
        for link in feature_segments::list(tx, environment_id).await? {
            if let (Some(name), Some(flags)) = (names.get(&link.feature_id), flags.get(&link.segment_id)) {
                graph
                    .0
                    .entry(name.clone())
                    .or_default()
                    .extend(flags.iter().cloned());
            }
        }
        Ok(graph)
    }

    /// The way back from `feature` to itself, over one of its own dependencies; nothing when there is none.
    fn circle(&self, feature: &str) -> Option<Vec<String>> {
        let mut came_from: HashMap<&str, &str> = HashMap::new();
        let mut waiting = vec![feature];
        while let Some(name) = waiting.pop() {
            let Some(flags) = self.0.get(name) else {
                continue;
            };
            for flag in flags {
                if flag == feature {
                    let mut circle = vec![feature.to_owned(), name.to_owned()];
                    let mut at = name;
                    while at != feature {
                        at = came_from.get(at).copied().unwrap_or(feature);
                        circle.push(at.to_owned());
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !came_from.contains_key(flag.as_str()) {
                    came_from.insert(flag, name);
                    waiting.push(flag);
                }
            }
        }
        None
    }
}

fn refusal(circle: &[String]) -> String {
    format!(
        "These features would depend on each other in a circle: {}.",
        circle.join(" → ")
    )
}

/// Fails when an override of a feature for a segment makes the feature depend on itself.
pub(crate) async fn refuse_override(
    tx: &mut Tx,
    environment_id: i64,
    feature: &Feature,
    segment: &Segment,
) -> Result<()> {
    let flags = named(&segment.parsed_rules());
    if flags.is_empty() {
        return Ok(());
    }
    let mut graph = Graph::read(tx, feature.project_id, environment_id, segment).await?;
    graph.0.entry(feature.name.clone()).or_default().extend(flags);
    match graph.circle(&feature.name) {
        Some(circle) => Err(Error::field("segment", refusal(&circle))),
        None => Ok(()),
    }
}

/// Fails when the rules a segment is to have make a feature that it overrides somewhere depend on itself.
pub(crate) async fn refuse_rules(tx: &mut Tx, segment: &Segment) -> Result<()> {
    if named(&segment.parsed_rules()).is_empty() {
        return Ok(());
    }
    let names: HashMap<i64, String> = features::list(tx, segment.project_id)
        .await?
        .into_iter()
        .map(|feature| (feature.id, feature.name))
        .collect();
    let mut overridden: HashMap<i64, Vec<i64>> = HashMap::new();
    for state in segments::associated_features(tx, segment.id, None).await? {
        overridden
            .entry(state.environment_id)
            .or_default()
            .push(state.feature_id);
    }
    for (environment_id, feature_ids) in overridden {
        let graph = Graph::read(tx, segment.project_id, environment_id, segment).await?;
        let circle = feature_ids
            .iter()
            .filter_map(|id| names.get(id))
            .find_map(|name| graph.circle(name));
        if let Some(circle) = circle {
            return Err(Error::Rejected(json!({ "rules": [refusal(&circle)] })));
        }
    }
    Ok(())
}

/// The segments of a project whose rules name a feature, by their names: after it is gone they ask for nothing.
pub(crate) async fn dependants(tx: &mut Tx, feature: &Feature) -> Result<Vec<String>> {
    let known = segments::list(tx, feature.project_id).await?;
    let dependants = known
        .into_iter()
        .filter(|segment| named(&segment.parsed_rules()).contains(&feature.name))
        .map(|segment| segment.name);
    Ok(dependants.collect())
}

#[cfg(test)]
mod tests {
    use super::Graph;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let edges = edges.iter().map(|(from, to)| {
            let to = to.iter().map(|name| (*name).to_owned()).collect();
            ((*from).to_owned(), to)
        });
        Graph(edges.collect())
    }

    #[test]
    fn the_circle_is_told_from_its_beginning_to_its_beginning() {
        assert_eq!(graph(&[("a", &["b"])]).circle("a"), None);
        assert_eq!(
            graph(&[("a", &["a"])]).circle("a"),
            Some(vec!["a".into(), "a".into()])
        );
        let found = graph(&[("a", &["b", "x"]), ("b", &["c"]), ("c", &["a"]), ("x", &["y"])]).circle("a");
        assert_eq!(found, Some(["a", "b", "c", "a"].map(str::to_owned).to_vec()));
        // One that a feature only leads to is not its own.
        assert_eq!(
            graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]).circle("a"),
            None
        );
    }
}

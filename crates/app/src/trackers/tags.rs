//! Features are tagged with how the issues stand that they are linked to.

use std::collections::BTreeSet;

use burgee_store::changes::NewChange;
use burgee_store::external_resources::{self, ExternalResource};
use burgee_store::projects::Project;
use burgee_store::{Tx, projects};
use serde_json::Value;

use super::Destinations;
use super::links::{Link, LinkKind, Standing};
use crate::Result;
use crate::system_tags::{self, SystemTag};

/// What is known of something that a feature is linked to.
pub(super) fn known(resource: &ExternalResource) -> Value {
    let text = resource.metadata.as_deref().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// Gives some features of a project the tags that their links ask for, and takes those that none asks for. Gives the
/// log's lines.
pub(crate) async fn follow(tx: &mut Tx, project: &Project, features: &[i64]) -> Result<Vec<NewChange>> {
    let once: BTreeSet<i64> = features.iter().copied().collect();
    let features: Vec<i64> = once.into_iter().collect();
    if features.is_empty() {
        return Ok(Vec::new());
    }
    let destinations = Destinations::of(tx, project.id).await?;
    let mut wanted: Vec<(SystemTag, i64)> = Vec::new();
    for resource in external_resources::in_project(tx, project.id).await? {
        let Some(link) = Link::of(&resource).filter(|_| features.contains(&resource.feature_id)) else {
            continue;
        };
        if destinations.find(&link).is_some_and(|found| found.is_tagged()) {
            let standing = Standing::of(link.kind, &known(&resource));
            wanted.push((SystemTag::Linked(link.kind, standing), resource.feature_id));
        }
    }
    let mut changes = Vec::new();
    for kind in LinkKind::ALL {
        for standing in Standing::ALL {
            // Issues are no drafts, and are not merged.
            if kind.is_issue() && matches!(standing, Standing::Draft | Standing::Merged) {
                continue;
            }
            let tag = SystemTag::Linked(kind, standing);
            let those = wanted.iter().filter(|(wanted, _)| *wanted == tag);
            let those: Vec<i64> = those.map(|(_, feature)| *feature).collect();
            changes.extend(system_tags::set(tx, project, tag, &features, &those).await?);
        }
    }
    Ok(changes)
}

/// The same for every linked feature of a project: what it is set up for has changed.
pub(crate) async fn follow_all(tx: &mut Tx, project_id: i64) -> Result<Vec<NewChange>> {
    let Some(project) = projects::find(tx, project_id).await? else {
        return Ok(Vec::new());
    };
    let linked = external_resources::in_project(tx, project_id).await?;
    let features: Vec<i64> = linked.iter().map(|resource| resource.feature_id).collect();
    follow(tx, &project, &features).await
}

//! Tags that the product itself gives and takes: a project gets one when it is first needed.

use std::collections::HashSet;

use burgee_store::changes::NewChange;
use burgee_store::projects::Project;
use burgee_store::{Tx, feature_links, tags};
use serde_json::json;
use uuid::Uuid;

use crate::Result;
use crate::change::{Action, Change, Kind};
use crate::tags::Tag;

/// What the product says of a feature by a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemTag {
    /// Nobody changed it for long.
    Stale,
    /// Monitoring reports that it fares badly.
    Unhealthy,
}

impl SystemTag {
    /// The word in the database and on the wire.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Stale => "STALE",
            Self::Unhealthy => "UNHEALTHY",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Stale => "Stale",
            Self::Unhealthy => "Unhealthy",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Stale => "Not changed for as many days as the project allows.",
            Self::Unhealthy => "Reported to fare badly.",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Stale => "#cccccc",
            Self::Unhealthy => "#FFC0CB",
        }
    }
}

/// The tag of a project, when it has it yet.
pub(crate) async fn find(tx: &mut Tx, project_id: i64, tag: SystemTag) -> Result<Option<Tag>> {
    let known = tags::list(tx, project_id).await?;
    Ok(known
        .into_iter()
        .find(|known| known.is_system_tag && known.r#type == tag.kind()))
}

/// Of the features `among`, gives the tag to those in `wanted` and takes it from the others. Gives the log's lines.
pub(crate) async fn set(
    tx: &mut Tx,
    project: &Project,
    tag: SystemTag,
    among: &[i64],
    wanted: &[i64],
) -> Result<Vec<NewChange>> {
    let mut changes = Vec::new();
    let present = match find(tx, project.id, tag).await? {
        Some(present) => present,
        None if wanted.is_empty() => return Ok(changes),
        None => {
            let (made, change) = create(tx, project, tag).await?;
            changes.push(change);
            made
        }
    };
    let tagged: HashSet<i64> = feature_links::tags(tx, project.id, None)
        .await?
        .into_iter()
        .filter(|link| link.tag_id == present.id)
        .map(|link| link.feature_id)
        .collect();
    for feature_id in among {
        let (has, should) = (tagged.contains(feature_id), wanted.contains(feature_id));
        if has == should {
            continue;
        }
        if should {
            feature_links::add_tag(tx, *feature_id, present.id).await?;
        } else {
            feature_links::remove_tag(tx, *feature_id, present.id).await?;
        }
        let change = Change::by_nobody(Kind::Feature, Action::Update, *feature_id)
            .in_project(project)
            .before(json!({ tag.label(): has }))
            .after(json!({ tag.label(): should }));
        changes.push(change.into());
    }
    Ok(changes)
}

async fn create(tx: &mut Tx, project: &Project, tag: SystemTag) -> Result<(Tag, NewChange)> {
    let mut made = Tag {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        project_id: project.id,
        label: tag.label().to_owned(),
        color: tag.color().to_owned(),
        description: Some(tag.description().to_owned()),
        is_permanent: false,
        is_system_tag: true,
        r#type: tag.kind().to_owned(),
    };
    made.id = tags::insert(tx, &made).await?;
    let change = Change::by_nobody(Kind::Tag, Action::Create, made.id)
        .in_project(project)
        .uuid(&made.uuid)
        .after(json!({ "label": made.label, "type": made.r#type }));
    Ok((made, change.into()))
}

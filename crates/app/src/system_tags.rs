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
use crate::trackers::links::{LinkKind, Standing};

/// What the product says of a feature by a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemTag {
    /// Nobody changed it for long.
    Stale,
    /// Monitoring reports that it fares badly.
    Unhealthy,
    /// How something stands that it is linked to.
    Linked(LinkKind, Standing),
}

impl SystemTag {
    /// The word in the database and on the wire.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Stale => "STALE",
            Self::Unhealthy => "UNHEALTHY",
            Self::Linked(kind, _) if kind.is_github() => "GITHUB",
            Self::Linked(..) => "GITLAB",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Stale => "Stale",
            Self::Unhealthy => "Unhealthy",
            Self::Linked(kind, standing) => match (kind, standing) {
                (LinkKind::GithubIssue | LinkKind::GitlabIssue, Standing::Closed) => "Issue Closed",
                (LinkKind::GithubIssue | LinkKind::GitlabIssue, _) => "Issue Open",
                (LinkKind::GithubPull, Standing::Open) => "PR Open",
                (LinkKind::GithubPull, Standing::Draft) => "PR Draft",
                (LinkKind::GithubPull, Standing::Merged) => "PR Merged",
                (LinkKind::GithubPull, Standing::Closed) => "PR Closed",
                (LinkKind::GitlabMerge, Standing::Open) => "MR Open",
                (LinkKind::GitlabMerge, Standing::Draft) => "MR Draft",
                (LinkKind::GitlabMerge, Standing::Merged) => "MR Merged",
                (LinkKind::GitlabMerge, Standing::Closed) => "MR Closed",
            },
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Stale => "Not changed for as many days as the project allows.",
            Self::Unhealthy => "Reported to fare badly.",
            Self::Linked(_, Standing::Open) => "Linked to something that is open.",
            Self::Linked(_, Standing::Draft) => "Linked to something that is a draft.",
            Self::Linked(_, Standing::Merged) => "Linked to something that is merged.",
            Self::Linked(_, Standing::Closed) => "Linked to something that is closed.",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Stale => "#cccccc",
            Self::Unhealthy => "#FFC0CB",
            Self::Linked(_, Standing::Open) => "#2da44e",
            Self::Linked(_, Standing::Draft) => "#6e7781",
            Self::Linked(_, Standing::Merged) => "#8250df",
            Self::Linked(_, Standing::Closed) => "#cf222e",
        }
    }
}

/// The tag of a project, when it has it yet.
pub(crate) async fn find(tx: &mut Tx, project_id: i64, tag: SystemTag) -> Result<Option<Tag>> {
    // Of a tracker there are several, told apart by their labels.
    let is_labelled = |known: &Tag| !matches!(tag, SystemTag::Linked(..)) || known.label == tag.label();
    let known = tags::list(tx, project_id).await?;
    Ok(known
        .into_iter()
        .find(|known| known.is_system_tag && known.r#type == tag.kind() && is_labelled(known)))
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

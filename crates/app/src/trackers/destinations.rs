//! Where a project is set up to reach issue trackers.

use burgee_store::github::{self, GithubRepository};
use burgee_store::integrations::{self, Integration as Row};
use burgee_store::{Result, Tx};
use serde_json::Value;
use url::Url;

use super::links::Link;
use crate::integrations::gitlab::GITLAB;

/// The trackers of a project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Destinations {
    repositories: Vec<GithubRepository>,
    gitlab: Option<Row>,
}

/// Where one link leads.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    Github(GithubRepository),
    Gitlab {
        integration: Row,
        /// `group/project`, below the address of the GitLab.
        path: String,
    },
}

impl Destinations {
    /// Those of a project.
    pub(crate) async fn of(tx: &mut Tx, project_id: i64) -> Result<Self> {
        let gitlab = integrations::list(tx, GITLAB.name, (None, Some(project_id), None)).await?;
        Ok(Self {
            repositories: github::of_project(tx, project_id).await?,
            gitlab: gitlab.into_iter().next(),
        })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.repositories.is_empty() && self.gitlab.is_none()
    }

    /// Where a link leads, if the project is set up for it.
    pub(crate) fn find(&self, link: &Link) -> Option<Destination> {
        if link.kind.is_github() {
            let is_it = |repository: &&GithubRepository| {
                let path = format!("{}/{}", repository.owner, repository.name);
                path.eq_ignore_ascii_case(&link.path)
            };
            return self
                .repositories
                .iter()
                .find(is_it)
                .cloned()
                .map(Destination::Github);
        }
        let integration = self.gitlab.clone()?;
        let path = below(&instance(&integration), link)?;
        Some(Destination::Gitlab { integration, path })
    }
}

fn settings(integration: &Row) -> Value {
    serde_json::from_str(&integration.settings).unwrap_or_default()
}

/// The address of the GitLab.
fn instance(integration: &Row) -> String {
    let settings = settings(integration);
    settings["gitlab_instance_url"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The rest of a link's path, when it is one of this GitLab. What is of another one must not be mistaken for something of
/// the same name here.
fn below(instance: &str, link: &Link) -> Option<String> {
    let instance = Url::parse(instance).ok()?;
    if instance.origin().ascii_serialization() != link.origin {
        return None;
    }
    let path = match instance.path().trim_matches('/') {
        "" => link.path.as_str(),
        base => link.path.strip_prefix(base)?.strip_prefix('/')?,
    };
    Some(path.to_owned())
}

impl Destination {
    /// Whether features are tagged with how things stand there.
    pub(crate) fn is_tagged(&self) -> bool {
        match self {
            Self::Github(repository) => repository.tagging_enabled,
            Self::Gitlab { .. } => true,
        }
    }

    /// Whether what is linked gets a label there.
    pub(crate) fn is_labelled(&self) -> bool {
        match self {
            Self::Github(repository) => repository.tagging_enabled,
            Self::Gitlab { integration, .. } => settings(integration)["labeling_enabled"] == true,
        }
    }

    /// One thing at a time is told to each: trackers want it so.
    pub(crate) fn lane(&self) -> String {
        match self {
            Self::Github(repository) => format!("github {}", repository.configuration_id),
            Self::Gitlab { integration, .. } => format!("integration {}", integration.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::links::LinkKind;
    use super::*;

    #[test]
    fn a_link_belongs_to_the_gitlab_whose_address_it_begins_with() {
        for (instance, url, expected) in [
            (
                "https://gitlab.com",
                "https://gitlab.com/a/b/-/issues/1",
                Some("a/b"),
            ),
            ("https://gitlab.com/", "https://other.com/a/b/-/issues/1", None),
            (
                "https://corp.com/lab/",
                "https://corp.com/lab/a/b/-/issues/1",
                Some("a/b"),
            ),
            (
                "https://corp.com/lab",
                "https://corp.com/labs/a/b/-/issues/1",
                None,
            ),
        ] {
            let link = Link::parse(url, LinkKind::GitlabIssue).expect("a link");
            assert_eq!(below(instance, &link).as_deref(), expected, "{instance} {url}");
        }
    }
}

//! What the address of a linked issue says, and how the issue stands.

use burgee_store::external_resources::ExternalResource;
use serde_json::Value;
use url::Url;

/// What a feature is linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    GithubIssue,
    GithubPull,
    GitlabIssue,
    GitlabMerge,
}

impl LinkKind {
    /// Every kind there is.
    pub(crate) const ALL: [Self; 4] = [
        Self::GithubIssue,
        Self::GithubPull,
        Self::GitlabIssue,
        Self::GitlabMerge,
    ];

    /// The word on the wire and in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::GithubIssue => "GITHUB_ISSUE",
            Self::GithubPull => "GITHUB_PR",
            Self::GitlabIssue => "GITLAB_ISSUE",
            Self::GitlabMerge => "GITLAB_MR",
        }
    }

    /// The kind of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    pub(crate) fn is_github(self) -> bool {
        matches!(self, Self::GithubIssue | Self::GithubPull)
    }

    pub(crate) fn is_issue(self) -> bool {
        matches!(self, Self::GithubIssue | Self::GitlabIssue)
    }

    /// As its tracker calls it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::GithubIssue | Self::GitlabIssue => "issue",
            Self::GithubPull => "pull request",
            Self::GitlabMerge => "merge request",
        }
    }
}

/// An issue, a pull request or a merge request, as its address has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub kind: LinkKind,
    /// Scheme and host.
    pub origin: String,
    /// Where the repository is at that host, as it stands in the address: `owner/name`, `group/subgroup/project`.
    pub path: String,
    pub number: u64,
}

impl Link {
    /// Reads an address that claims to be of this kind.
    pub(crate) fn parse(url: &str, kind: LinkKind) -> Option<Self> {
        let url = Url::parse(url).ok().filter(Url::has_host)?;
        let parts: Vec<&str> = url.path_segments()?.filter(|part| !part.is_empty()).collect();
        let (path, number) = match kind {
            LinkKind::GithubIssue => github(&parts, "issues")?,
            LinkKind::GithubPull => github(&parts, "pull")?,
            LinkKind::GitlabIssue => gitlab(&parts, &["issues", "work_items"])?,
            LinkKind::GitlabMerge => gitlab(&parts, &["merge_requests"])?,
        };
        Some(Self {
            kind,
            origin: url.origin().ascii_serialization(),
            path,
            number,
        })
    }

    /// Reads what a feature is linked to.
    pub(crate) fn of(resource: &ExternalResource) -> Option<Self> {
        Self::parse(&resource.url, LinkKind::of(&resource.r#type)?)
    }

    /// Whether both lead to the same. Trackers don't tell capital letters from small ones.
    pub(crate) fn leads_to(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.number == other.number
            && self.origin == other.origin
            && self.path.eq_ignore_ascii_case(&other.path)
    }
}

fn github(parts: &[&str], wanted: &str) -> Option<(String, u64)> {
    match parts {
        [owner, name, word, number] if *word == wanted => {
            Some((format!("{owner}/{name}"), number.parse().ok()?))
        }
        _ => None,
    }
}

fn gitlab(parts: &[&str], words: &[&str]) -> Option<(String, u64)> {
    let dash = parts.iter().position(|part| *part == "-").filter(|at| *at >= 2)?;
    if !words.contains(parts.get(dash + 1)?) {
        return None;
    }
    Some((parts.get(..dash)?.join("/"), parts.get(dash + 2)?.parse().ok()?))
}

/// How something stands that a feature is linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    Draft,
    Merged,
    Closed,
}

impl Standing {
    pub(crate) const ALL: [Self; 4] = [Self::Open, Self::Draft, Self::Merged, Self::Closed];

    /// What is known of it says so. Of what nothing is known, it is open.
    pub(crate) fn of(kind: LinkKind, metadata: &Value) -> Self {
        let state = metadata["state"].as_str().unwrap_or_default();
        let is_merged = metadata["merged"] == true || state == "merged";
        match state {
            _ if is_merged && !kind.is_issue() => Self::Merged,
            "closed" => Self::Closed,
            _ if metadata["draft"] == true && !kind.is_issue() => Self::Draft,
            _ => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_must_be_that_of_what_it_claims_to_be() {
        use LinkKind::*;
        for (url, kind, expected) in [
            (
                "https://github.com/acme/web/issues/7",
                GithubIssue,
                Some(("acme/web", 7)),
            ),
            (
                "https://github.com/acme/web/pull/7",
                GithubPull,
                Some(("acme/web", 7)),
            ),
            ("https://github.com/acme/web/pull/7", GithubIssue, None),
            ("https://github.com/acme/web", GithubPull, None),
            ("https://github.com/acme/web/issues/new", GithubIssue, None),
            (
                "https://gitlab.com/a/b/c/-/issues/7",
                GitlabIssue,
                Some(("a/b/c", 7)),
            ),
            (
                "https://gitlab.com/a/b/-/work_items/7",
                GitlabIssue,
                Some(("a/b", 7)),
            ),
            (
                "https://gitlab.example.com/a/b/-/merge_requests/12#note_1",
                GitlabMerge,
                Some(("a/b", 12)),
            ),
            ("https://gitlab.com/a/b/merge_requests/12", GitlabMerge, None),
        ] {
            let link = Link::parse(url, kind);
            let found = link.as_ref().map(|link| (link.path.as_str(), link.number));
            assert_eq!(found, expected, "{url} {kind:?}");
        }
    }

    #[test]
    fn how_something_stands_is_told_by_what_is_known_of_it() {
        for (metadata, issue, request) in [
            (json!(null), Standing::Open, Standing::Open),
            (json!({"state": "opened"}), Standing::Open, Standing::Open),
            (json!({"state": "closed"}), Standing::Closed, Standing::Closed),
            (
                json!({"state": "closed", "merged": true}),
                Standing::Closed,
                Standing::Merged,
            ),
            (json!({"state": "merged"}), Standing::Open, Standing::Merged),
            (
                json!({"state": "open", "draft": true}),
                Standing::Open,
                Standing::Draft,
            ),
        ] {
            assert_eq!(
                Standing::of(LinkKind::GithubIssue, &metadata),
                issue,
                "{metadata}"
            );
            assert_eq!(
                Standing::of(LinkKind::GithubPull, &metadata),
                request,
                "{metadata}"
            );
        }
    }
}

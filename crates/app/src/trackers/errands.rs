//! What trackers are told because of a change: made from the change's line in the log, done by the task queue.
//!
//! Each errand is one request, so that what failed is tried again alone. Where it goes is looked up when it is run: what a
//! project is no longer set up for is not done.

use burgee_store::audit::AuditEntry;
use burgee_store::{Tx, external_resources, features, github as rows};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::destinations::Destination;
use super::github::Installation;
use super::links::{Link, LinkKind};
use super::{Destinations, comments, github, gitlab};
use crate::audit::{AuditLine, after, before};
use crate::change::Kind;
use crate::tasks::{self, Failure, NewTask, Outcome, Task};
use crate::{App, Result};

/// The kind of its tasks.
pub const TASK: &str = "tracker";
/// The field of an external resource in the log that says why it went: its feature was deleted.
pub(crate) const FEATURE_DELETED: &str = "feature_deleted";

/// Something to do at a tracker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
enum Errand {
    /// Say something below an issue.
    Comment { at: At, text: String },
    /// Give an issue the label of linked ones, or take it.
    Label { at: At, wanted: bool },
    /// See to it that the tracker tells of changes of an issue.
    Listen { at: At },
    /// Take an installation of the application back.
    Uninstall { installation: String },
    /// Take a webhook back.
    Unhook(gitlab::OldHook),
}

/// Which issue.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct At {
    project: i64,
    url: String,
    kind: String,
}

impl At {
    fn link(&self) -> Option<Link> {
        Link::parse(&self.url, LinkKind::of(&self.kind)?)
    }
}

/// Something that a feature was or is linked to, as the log tells of it.
#[derive(Debug, Deserialize)]
struct Linked {
    feature: i64,
    #[serde(default)]
    feature_name: String,
    url: String,
    r#type: String,
    /// See [`FEATURE_DELETED`].
    #[serde(default)]
    feature_deleted: bool,
}

impl Linked {
    fn read(value: Option<Value>) -> Option<Self> {
        serde_json::from_value(value?).ok()
    }
}

/// Whether trackers may be told of such a change.
pub(crate) fn is_told(entry: &AuditEntry) -> bool {
    let told = [Kind::ExternalResource, Kind::FeatureState, Kind::FeatureVersion];
    entry.message.is_some() && told.iter().any(|kind| kind.as_str() == entry.object_type)
}

/// Adds the errands of one change. How many there are.
pub(crate) async fn add(tx: &mut Tx, destinations: &Destinations, line: &AuditLine) -> Result<usize> {
    let Some(project_id) = line.entry.project_id.filter(|_| is_told(&line.entry)) else {
        return Ok(0);
    };
    if destinations.is_empty() {
        return Ok(0);
    }
    let mut adding = Adding {
        tx,
        destinations,
        project_id,
        change: line.entry.id,
        added: 0,
    };
    if line.entry.object_type == Kind::ExternalResource.as_str() {
        adding.of_links(line).await?;
    } else {
        adding.of_states(line).await?;
    }
    Ok(adding.added)
}

/// The errands of one change, as they are added.
struct Adding<'a> {
    tx: &'a mut Tx,
    destinations: &'a Destinations,
    project_id: i64,
    change: i64,
    added: usize,
}

impl Adding<'_> {
    /// A feature was linked to something, or no longer is.
    async fn of_links(&mut self, line: &AuditLine) -> Result<()> {
        let (was, is) = (
            Linked::read(before(&line.entry)),
            Linked::read(after(&line.entry)),
        );
        // What became known of it changes nothing about the link.
        if let (Some(was), Some(is)) = (&was, &is)
            && was.url == is.url
            && was.r#type == is.r#type
        {
            return Ok(());
        }
        if let Some(was) = was {
            self.unlinked(&was).await?;
        }
        if let Some(is) = is {
            self.linked(&is).await?;
        }
        Ok(())
    }

    fn place(&self, url: &str, kind: &str) -> Option<(At, Link, Destination)> {
        let at = At {
            project: self.project_id,
            url: url.to_owned(),
            kind: kind.to_owned(),
        };
        let link = at.link()?;
        let destination = self.destinations.find(&link)?;
        Some((at, link, destination))
    }

    async fn linked(&mut self, is: &Linked) -> Result<()> {
        let Some((at, link, to)) = self.place(&is.url, &is.r#type) else {
            return Ok(());
        };
        let feature = (is.feature, is.feature_name.as_str());
        let text = comments::linked(self.tx, link.kind, self.project_id, feature).await?;
        self.add(&to, "comment", Errand::Comment { at: at.clone(), text })
            .await?;
        if to.is_labelled() {
            let label = Errand::Label {
                at: at.clone(),
                wanted: true,
            };
            self.add(&to, "label", label).await?;
        }
        if matches!(to, Destination::Gitlab { .. }) {
            self.add(&to, "listen", Errand::Listen { at }).await?;
        }
        Ok(())
    }

    async fn unlinked(&mut self, was: &Linked) -> Result<()> {
        let Some((at, link, to)) = self.place(&was.url, &was.r#type) else {
            return Ok(());
        };
        let text = if was.feature_deleted {
            comments::deleted(link.kind, &was.feature_name)
        } else {
            comments::unlinked(link.kind, &was.feature_name)
        };
        self.add(&to, "goodbye", Errand::Comment { at: at.clone(), text })
            .await?;
        let others = external_resources::in_project(self.tx, self.project_id).await?;
        let is_linked = others
            .iter()
            .filter_map(Link::of)
            .any(|other| other.leads_to(&link));
        if to.is_labelled() && !is_linked {
            self.add(&to, "unlabel", Errand::Label { at, wanted: false })
                .await?;
        }
        Ok(())
    }

    /// A feature is something else now for everyone or a segment. What it is for an identity is nobody else's business.
    async fn of_states(&mut self, line: &AuditLine) -> Result<()> {
        let known = after(&line.entry)
            .or_else(|| before(&line.entry))
            .unwrap_or_default();
        let (Some(feature_id), Some(environment)) = (known["feature"].as_i64(), &line.environment) else {
            return Ok(());
        };
        // Drafts of versions, and those that were passed over, change nothing.
        let of_version = line.entry.object_type == Kind::FeatureVersion.as_str();
        let is_live = known["feature_states"]
            .as_array()
            .is_some_and(|states| !states.is_empty());
        if !known["identity"].is_null() || (of_version && !(is_live && line.entry.action == "UPDATE")) {
            return Ok(());
        }
        let resources = external_resources::list(self.tx, feature_id).await?;
        let Some(feature) = features::find(self.tx, feature_id)
            .await?
            .filter(|_| !resources.is_empty())
        else {
            return Ok(());
        };
        let text = comments::changed(
            self.tx,
            self.project_id,
            (feature_id, &feature.name),
            (environment.id, &environment.name),
        )
        .await?;
        for resource in resources {
            if let Some((at, _, to)) = self.place(&resource.url, &resource.r#type) {
                let what = format!("change {}", resource.id);
                let text = text.clone();
                self.add(&to, &what, Errand::Comment { at, text }).await?;
            }
        }
        Ok(())
    }

    async fn add(&mut self, to: &Destination, what: &str, errand: Errand) -> Result<()> {
        let key = format!("{} {what}", self.change);
        add_errand(self.tx, key, &to.lane(), &errand).await?;
        self.added += 1;
        Ok(())
    }
}

async fn add_errand(tx: &mut Tx, key: String, lane: &str, errand: &Errand) -> Result<()> {
    let payload = serde_json::to_value(errand).unwrap_or_default();
    let task = NewTask {
        kind: TASK,
        key,
        lane,
        payload,
    };
    tasks::add(tx, task).await?;
    Ok(())
}

/// Has an installation of the application taken back, once the transaction is committed.
pub(super) async fn uninstall(tx: &mut Tx, installation: &str) -> Result<()> {
    let key = format!("uninstall {installation}");
    let errand = Errand::Uninstall {
        installation: installation.to_owned(),
    };
    add_errand(tx, key, "github uninstall", &errand).await
}

/// Has a webhook taken back, once the transaction is committed.
pub(super) async fn unhook(tx: &mut Tx, key: String, hook: gitlab::OldHook) -> Result<()> {
    add_errand(tx, key, "gitlab unhook", &Errand::Unhook(hook)).await
}

/// Runs the errand of a task.
pub async fn run(app: &App, task: &Task) -> Outcome {
    let errand: Errand = serde_json::from_str(&task.payload)
        .map_err(|error| Failure::for_good(format!("the task can't be read: {error}")))?;
    match errand {
        Errand::Uninstall { installation } if github::is_set_up(app) => {
            Ok(github::uninstall(app, &installation).await?)
        }
        Errand::Uninstall { .. } => Ok(()),
        Errand::Unhook(hook) => Ok(gitlab::unhook(app, &hook).await?),
        Errand::Comment { ref at, .. } | Errand::Label { ref at, .. } | Errand::Listen { ref at } => {
            go(app, at, &errand).await
        }
    }
}

/// Runs an errand at an issue, if the project is still set up for it.
async fn go(app: &App, at: &At, errand: &Errand) -> Outcome {
    let Some(link) = at.link() else {
        return Ok(());
    };
    let mut tx = app.db().read().await?;
    let destination = Destinations::of(&mut tx, at.project).await?.find(&link);
    match destination {
        Some(Destination::Github(repository)) => {
            let configuration = rows::find(&mut tx, repository.configuration_id).await?;
            drop(tx);
            let Some(configuration) = configuration.filter(|_| github::is_set_up(app)) else {
                return Ok(());
            };
            let installation = Installation::open(app, &configuration.installation_id).await?;
            match errand {
                Errand::Comment { text, .. } => installation.comment(&repository, link.number, text).await?,
                Errand::Label { wanted, .. } => installation.label(&repository, link.number, *wanted).await?,
                _ => {}
            }
        }
        Some(Destination::Gitlab { integration, path }) => {
            drop(tx);
            let lab = gitlab::Lab::of(app, &integration);
            match errand {
                Errand::Comment { text, .. } => lab.comment(&path, &link, text).await?,
                Errand::Label { wanted, .. } => lab.label(&path, &link, *wanted).await?,
                Errand::Listen { .. } => gitlab::listen(app, &lab, &path).await?,
                _ => {}
            }
        }
        None => {}
    }
    Ok(())
}

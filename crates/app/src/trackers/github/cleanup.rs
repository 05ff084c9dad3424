//! Issues that ask for a feature to be taken out of code.

use std::fmt::Write as _;

use burgee_model::permissions::ProjectPermission;
use burgee_store::features::{self, Feature};
use burgee_store::github::{self as rows, GithubRepository};
use burgee_store::{Tx, projects};
use serde_json::{Value, json};

use super::Installation;
use super::configurations::require_member;
use crate::code_references::{self, Summary};
use crate::external_resources::{self, ExternalResource, ResourceEdit};
use crate::trackers::links::LinkKind;
use crate::{App, Caller, Error, Result};

/// The most places that an issue lists; GitHub takes only so much.
const MOST_PLACES: usize = 200;

/// What issues are made of, and where.
struct Plan {
    feature: Feature,
    installation: String,
    issues: Vec<(GithubRepository, String)>,
}

/// Makes an issue in each repository of the project whose code asks for the feature, and links the feature to it.
pub async fn create_issues(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    feature_id: i64,
) -> Result<Vec<ExternalResource>> {
    let mut tx = app.db().read().await?;
    let plan = plan(&mut tx, caller, organisation_id, feature_id).await?;
    drop(tx);
    let installation = Installation::open(app, &plan.installation).await?;
    let at = (plan.feature.project_id, plan.feature.id);
    let mut made = Vec::new();
    for (repository, text) in &plan.issues {
        let body = json!({ "title": title(&plan.feature), "body": text });
        let path = ["repos", &repository.owner, &repository.name, "issues"];
        let issue = installation.post(&path, &body).await?.json().unwrap_or_default();
        made.push(link(app, caller, at, &issue).await?);
    }
    Ok(made)
}

async fn link(app: &App, caller: &Caller, at: (i64, i64), issue: &Value) -> Result<ExternalResource> {
    let url = issue["html_url"].as_str();
    let url = url.ok_or_else(|| Error::Elsewhere("GitHub sent no address of the issue.".to_owned()))?;
    let edit = ResourceEdit {
        url: Some(url.to_owned()),
        kind: Some(LinkKind::GithubIssue.as_str()),
        metadata: Some(Some(json!({ "title": issue["title"], "state": "open" }))),
        feature: Some(at.1),
    };
    external_resources::create(app, caller, at, edit).await
}

async fn plan(tx: &mut Tx, caller: &Caller, organisation_id: i64, feature_id: i64) -> Result<Plan> {
    require_member(tx, caller, organisation_id).await?;
    let missing = || Error::no_match("Feature");
    let feature = features::find(tx, feature_id).await?.ok_or_else(missing)?;
    let project = projects::find(tx, feature.project_id)
        .await?
        .filter(|project| project.organisation_id == organisation_id)
        .ok_or_else(missing)?;
    // What linking it takes.
    let permission = ProjectPermission::CreateFeature;
    caller.require_in_project(tx, &project, permission).await?;
    let configuration = rows::of_organisation(tx, organisation_id)
        .await?
        .ok_or_else(|| Error::detail("This organisation has no GitHub integration."))?;
    let found = code_references::of_features(tx, project.id, &[feature.id]).await?;
    let summaries: Vec<Summary> = found.into_values().flatten().collect();
    let issues = issues(&feature, rows::of_project(tx, project.id).await?, &summaries);
    if issues.is_empty() {
        let text = "None of the project's repositories at GitHub is known to ask for this feature.";
        return Err(Error::detail(text));
    }
    Ok(Plan {
        feature,
        installation: configuration.installation_id,
        issues,
    })
}

/// Where issues are made, with their texts: in the repositories whose code asks for the feature. Where nobody has searched
/// code for it, in the only repository that there is.
fn issues(
    feature: &Feature,
    repositories: Vec<GithubRepository>,
    summaries: &[Summary],
) -> Vec<(GithubRepository, String)> {
    let is_only = repositories.len() == 1 && summaries.is_empty();
    let mut issues = Vec::new();
    for repository in repositories {
        let end = format!("/{}/{}", repository.owner, repository.name).to_lowercase();
        let places = summaries.iter().find_map(|summary| {
            let url = summary.repository.url.to_lowercase();
            let url = url.trim_end_matches('/').trim_end_matches(".git");
            url.ends_with(&end).then(|| summary.places())
        });
        match places.filter(|places| !places.is_empty()) {
            Some(places) => issues.push((repository, text(feature, &places))),
            None if is_only => issues.push((repository, text(feature, &[]))),
            None => {}
        }
    }
    issues
}

fn title(feature: &Feature) -> String {
    format!("Remove the feature flag {}", feature.name)
}

fn text(feature: &Feature, places: &[(String, i64)]) -> String {
    let name = feature.name.replace('`', "'");
    let mut text =
        format!("The feature flag `{name}` has served its purpose and can be taken out of the code.\n");
    if !places.is_empty() {
        text.push_str("\nIt is asked for here:\n\n");
    }
    for (file, line) in places.iter().take(MOST_PLACES) {
        let file = file.replace('`', "'");
        // Writing to a text can't fail.
        let _ = writeln!(text, "- [ ] `{file}:{line}`");
    }
    if places.len() > MOST_PLACES {
        let _ = writeln!(text, "\nAnd in {} more places.", places.len() - MOST_PLACES);
    }
    text
}

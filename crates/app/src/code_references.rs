//! Where features are in code, as scanners of repositories report it.

use std::collections::{BTreeMap, HashMap};

use burgee_model::Timestamp;
use burgee_store::{Tx, code_references, features};
use serde_json::json;

pub use burgee_store::code_references::{CodeReference, Repository};

use crate::change::{Action, Change, Kind};
use crate::features::find_in;
use crate::{App, Caller, Result, projects};

/// The result of searching a repository.
#[derive(Debug, Clone)]
pub struct Scan {
    pub repository_url: String,
    pub vcs_provider: String,
    pub revision: String,
    pub found: Vec<Found>,
}

/// One place where a feature was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub feature_name: String,
    pub file_path: String,
    pub line_number: i64,
}

/// What is known of one feature in one repository.
#[derive(Debug, Clone)]
pub struct Summary {
    pub repository: Repository,
    /// `None` where it was never found.
    pub reference: Option<CodeReference>,
}

impl Summary {
    /// The files and lines where the last search found it.
    pub fn places(&self) -> Vec<(String, i64)> {
        self.reference
            .as_ref()
            .map(CodeReference::places)
            .unwrap_or_default()
    }
}

/// Takes the result of a search, in place of the last one of the same repository. What is no feature of the project is
/// passed over: scanners can't know. Answers when it was taken.
pub async fn submit(app: &App, caller: &Caller, project_id: i64, scan: &Scan) -> Result<Timestamp> {
    let mut tx = app.begin().await?;
    let project = projects::get(&mut tx, caller, project_id).await?;
    let now = Timestamp::now();
    let repository = Repository {
        id: 0,
        project_id,
        url: scan.repository_url.clone(),
        vcs_provider: scan.vcs_provider.clone(),
        created_at: now.0,
        last_scanned_at: now.0,
        revision: scan.revision.clone(),
    };
    let id = code_references::scanned(&mut tx, &repository).await?;
    code_references::clear(&mut tx, id).await?;
    let known: HashMap<String, i64> = features::list(&mut tx, project_id)
        .await?
        .into_iter()
        .map(|feature| (feature.name, feature.id))
        .collect();
    let mut places: BTreeMap<i64, Vec<(&str, i64)>> = BTreeMap::new();
    for found in &scan.found {
        if let Some(feature_id) = known.get(&found.feature_name) {
            let place = (found.file_path.as_str(), found.line_number);
            places.entry(*feature_id).or_default().push(place);
        }
    }
    let features = places.len();
    for (feature_id, places) in places {
        let reference = CodeReference {
            feature_id,
            repository_id: id,
            revision: scan.revision.clone(),
            found_at: now.0,
            places: json!(places).to_string(),
        };
        code_references::put(&mut tx, &reference).await?;
    }
    let change = Change::new(caller, Kind::CodeReferences, Action::Update, id)
        .in_project(&project)
        .after(
            json!({ "repository_url": scan.repository_url, "revision": scan.revision, "features": features }),
        );
    app.commit(tx, vec![change.into()]).await?;
    Ok(now)
}

/// What is known of a feature, repository by repository.
pub async fn of_feature(
    tx: &mut Tx,
    caller: &Caller,
    project_id: i64,
    feature_id: i64,
) -> Result<Vec<Summary>> {
    projects::get(tx, caller, project_id).await?;
    find_in(tx, project_id, feature_id).await?;
    let mut all = of_features(tx, project_id, &[feature_id]).await?;
    Ok(all.remove(&feature_id).unwrap_or_default())
}

/// The same for several features of a project: two statements however many.
pub(crate) async fn of_features(
    tx: &mut Tx,
    project_id: i64,
    feature_ids: &[i64],
) -> Result<HashMap<i64, Vec<Summary>>> {
    let repositories = code_references::repositories(tx, project_id).await?;
    if repositories.is_empty() {
        return Ok(HashMap::new());
    }
    let mut references: HashMap<(i64, i64), CodeReference> = code_references::of_project(tx, project_id)
        .await?
        .into_iter()
        .map(|reference| ((reference.feature_id, reference.repository_id), reference))
        .collect();
    let of_feature = |feature_id: i64| {
        let summaries = repositories.iter().map(|repository| Summary {
            reference: references.remove(&(feature_id, repository.id)),
            repository: repository.clone(),
        });
        (feature_id, summaries.collect())
    };
    Ok(feature_ids.iter().copied().map(of_feature).collect())
}

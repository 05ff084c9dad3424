//! The project with Burgee's own flags: what of it is missing is made, what is there stays as people made it.

use burgee_model::segments::{Condition, Operator, Rule, RuleType};
use burgee_model::{FlagValue, keys};
use burgee_store::environments::Environment;
use burgee_store::projects::Project;
use burgee_store::{Tx, environments, organisations, projects, settings};

use super::{SETTING, all};
use crate::project_files::{
    DefaultPart, EnvironmentPart, ExportOptions, FeaturePart, ImportOptions, Imported, ProjectPart,
    SegmentOverridePart, SegmentPart, StatePart, Target, project_part, write_project,
};
use crate::{App, Author, Error, Result};

/// What the project is called where it is made.
const PROJECT: &str = "Burgee on Burgee";
/// What its environment is called.
const ENVIRONMENT: &str = "Production";
/// The flag, the segment that turns it on, and the trait that puts somebody into the segment.
const DARK_MODE: &str = "dark_mode";

/// What seeding did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// What is new. Without a count, everything was there.
    pub imported: Imported,
    /// The environment that dashboards ask, and its client-side key.
    pub environment_name: String,
    pub environment_key: String,
}

/// Makes the project with Burgee's own flags, or what is missing of it, for whoever has the database.
///
/// The organisation need not be said where there is only one, or the project is there. From then on, this server hands the
/// environment's key to its dashboard.
pub async fn seed(app: &App, organisation: Option<i64>) -> Result<Seeded> {
    let mut tx = app.begin_settled().await?;
    let (target, present) = find(&mut tx, organisation).await?;
    let (part, name) = match &present {
        Some((project, environment)) => {
            let part = project_part(&mut tx, project, ExportOptions::default()).await?;
            let name = environment
                .as_ref()
                .map_or(ENVIRONMENT, |environment| environment.name.as_str());
            (part, name.to_owned())
        }
        None => (fresh(), ENVIRONMENT.to_owned()),
    };
    let (mut imported, mut changes) = (Imported::default(), Vec::new());
    if let Some(part) = missing(part, &name)? {
        let guards = app.environments().guards().clone();
        let options = (&ImportOptions::default(), app.settings().project_limits, guards);
        let (done, _, written) = write_project(&mut tx, Author::default(), target, part, options).await?;
        (imported, changes) = (done, written);
    } else if let Some((project, _)) = &present {
        (imported.project_id, imported.project_name) = (project.id, project.name.clone());
    }
    // What is there was written as it was.
    imported.updated.clear();
    let environment = environment_named(&mut tx, imported.project_id, &name)
        .await?
        .ok_or_else(|| Error::Internal("the seeded environment is not there".to_owned()))?;
    settings::set(&mut tx, SETTING, &environment.api_key).await?;
    app.commit(tx, changes).await?;
    Ok(Seeded {
        imported,
        environment_name: environment.name,
        environment_key: environment.api_key,
    })
}

/// A project, and its environment that dashboards ask, if it has any.
type Present = (Project, Option<Environment>);

/// Where to, and what is there.
async fn find(tx: &mut Tx, organisation: Option<i64>) -> Result<(Target, Option<Present>)> {
    let remembered = settings::get(tx, SETTING).await?.unwrap_or_default();
    if let Some(environment) = environments::find_by_key(tx, &remembered).await?
        && let Some(project) = projects::find(tx, environment.project_id).await?
    {
        if organisation.is_some_and(|id| id != project.organisation_id) {
            let text = format!(
                "The flags are in project {} of organisation {} already.",
                project.id, project.organisation_id
            );
            return Err(Error::field("organisation", text));
        }
        return Ok((Target::Project(project.id), Some((project, Some(environment)))));
    }
    let organisation = choose(tx, organisation).await?;
    let all = projects::list(tx, Some(organisation)).await?;
    let Some(project) = all.into_iter().find(|project| project.name == PROJECT) else {
        return Ok((Target::Organisation(organisation), None));
    };
    let mut inside = environments::list(tx, project.id).await?;
    let named = inside.iter().position(|one| one.name == ENVIRONMENT).unwrap_or(0);
    let environment = (named < inside.len()).then(|| inside.swap_remove(named));
    Ok((Target::Project(project.id), Some((project, environment))))
}

/// The organisation that was named, or the only one.
async fn choose(tx: &mut Tx, named: Option<i64>) -> Result<i64> {
    let all = organisations::all(tx).await?;
    match (named, all.as_slice()) {
        (Some(id), _) if all.iter().any(|one| one.id == id) => Ok(id),
        (Some(id), _) => Err(Error::field(
            "organisation",
            format!("There is no organisation {id}."),
        )),
        (None, [only]) => Ok(only.id),
        (None, []) => Err(Error::field("organisation", "There is none yet: make one first.")),
        (None, several) => {
            let choices: Vec<String> = several
                .iter()
                .map(|one| format!("{} ({})", one.id, one.name))
                .collect();
            Err(Error::field(
                "organisation",
                format!("Which one: {}?", choices.join(", ")),
            ))
        }
    }
}

async fn environment_named(tx: &mut Tx, project: i64, name: &str) -> Result<Option<Environment>> {
    let all = environments::list(tx, project).await?;
    Ok(all.into_iter().find(|one| one.name == name))
}

/// The project before anything is in it.
fn fresh() -> ProjectPart {
    ProjectPart {
        name: PROJECT.to_owned(),
        only_allow_lower_case_feature_names: true,
        stale_flags_limit_days: 30,
        ..ProjectPart::default()
    }
}

/// What a project lacks of the own flags, as a file to import: its settings as they are, and what is to be new. `None`:
/// nothing is lacking.
fn missing(mut part: ProjectPart, environment: &str) -> Result<Option<ProjectPart>> {
    let present = std::mem::take(&mut part.features);
    let is_there = |name: &str| present.iter().any(|one| one.name.eq_ignore_ascii_case(name));
    part.features = features()?
        .into_iter()
        .filter(|one| !is_there(&one.name))
        .collect();
    let has_environment = part.environments.iter().any(|one| one.name == environment);
    if !has_environment {
        part.environments.push(new_environment(environment));
    }
    // Said for each of them: the project may have its features begin off and empty.
    let defaults: Vec<DefaultPart> = part.features.iter().map(default_of).collect();
    for one in &mut part.environments {
        one.defaults.clone_from(&defaults);
        one.segment_overrides.clear();
        one.identity_overrides.clear();
    }
    let has_segment = part.segments.iter().any(|one| one.name == DARK_MODE);
    part.segments.clear();
    if has_segment && has_environment && part.features.is_empty() {
        return Ok(None);
    }
    if !has_segment {
        add_dark_mode(&mut part, present, environment);
    }
    Ok(Some(part))
}

fn features() -> Result<Vec<FeaturePart>> {
    let part = |(name, flag): (String, super::OwnFlag)| FeaturePart {
        name,
        r#type: "STANDARD".to_owned(),
        default_enabled: flag.enabled,
        initial_value: flag.text(),
        description: Some(flag.description),
        ..FeaturePart::default()
    };
    Ok(all()?.into_iter().map(part).collect())
}

fn default_of(feature: &FeaturePart) -> DefaultPart {
    DefaultPart {
        feature: feature.name.clone(),
        state: StatePart {
            enabled: feature.default_enabled,
            value: FlagValue::from_initial(feature.initial_value.as_deref()),
            ..StatePart::default()
        },
    }
}

fn new_environment(name: &str) -> EnvironmentPart {
    EnvironmentPart {
        name: name.to_owned(),
        description: Some("What the dashboard of this installation shows.".to_owned()),
        allow_client_traits: true,
        use_identity_composite_key_for_hashing: true,
        use_identity_overrides_in_local_eval: true,
        api_key: Some(keys::client_key()),
        ..EnvironmentPart::default()
    }
}

/// The segment of those who chose the dark theme, and the flag on for them.
fn add_dark_mode(part: &mut ProjectPart, present: Vec<FeaturePart>, environment: &str) {
    // An override needs its feature in the file.
    let kept = present
        .into_iter()
        .find(|one| one.name.eq_ignore_ascii_case(DARK_MODE));
    let feature = kept
        .as_ref()
        .map_or(DARK_MODE, |kept| kept.name.as_str())
        .to_owned();
    part.features.extend(kept);
    part.segments.push(SegmentPart {
        id: 1,
        name: DARK_MODE.to_owned(),
        description: Some("Who chose the dark theme in the dashboard.".to_owned()),
        rules: vec![rule(
            RuleType::All,
            vec![rule(RuleType::Any, Vec::new(), vec![dark()])],
            Vec::new(),
        )],
        ..SegmentPart::default()
    });
    let state = StatePart {
        enabled: true,
        value: FlagValue::Null,
        ..StatePart::default()
    };
    let override_part = SegmentOverridePart {
        feature,
        segment: 1,
        priority: 0,
        state,
    };
    for one in part.environments.iter_mut().filter(|one| one.name == environment) {
        one.segment_overrides.push(override_part.clone());
    }
}

fn rule(kind: RuleType, rules: Vec<Rule>, conditions: Vec<Condition>) -> Rule {
    Rule {
        id: 0,
        kind,
        rules,
        conditions,
    }
}

fn dark() -> Condition {
    Condition {
        id: 0,
        operator: Operator::Equal,
        property: Some(DARK_MODE.to_owned()),
        value: Some("True".to_owned()),
        description: None,
    }
}

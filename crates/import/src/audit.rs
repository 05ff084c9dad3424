//! Taking the audit log, when it is asked for: lines that say what happened there, not what happens here.

use burgee_app::App;
use burgee_store::changes::{self, NewChange};
use burgee_store::flagsmith::Flagsmith;
use burgee_store::imports::{self, Import, Origin};
use serde::Deserialize;

use crate::configuration::Configuration;
use crate::database::parse;
use crate::identities::Maps;
use crate::report::{Count, Report};
use crate::{Error, Progress, Result, noun};

/// How the position in the log is kept.
const NOUN: &str = "audit log";
const PAGE: i64 = 2000;

#[derive(Debug, Deserialize)]
struct Line {
    id: i64,
    created_date: String,
    log: String,
    #[serde(default)]
    author_id: Option<i64>,
    #[serde(default)]
    environment_id: Option<i64>,
    #[serde(default)]
    project_id: Option<i64>,
    #[serde(default)]
    related_object_id: Option<i64>,
    #[serde(default)]
    related_object_type: Option<String>,
    #[serde(default)]
    related_object_uuid: Option<String>,
}

/// The kinds of object lines speak of.
const TYPES: [&str; 9] = [
    "FEATURE",
    "FEATURE_STATE",
    "SEGMENT",
    "ENVIRONMENT",
    "CHANGE_REQUEST",
    "EDGE_IDENTITY",
    "IMPORT_REQUEST",
    "EF_VERSION",
    "FEATURE_HEALTH",
];

/// Takes the lines that were not taken yet.
pub(crate) async fn take(
    app: &App,
    flagsmith: &Flagsmith,
    from: &Configuration,
    import: &Import,
    maps: &Maps,
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<()> {
    let mut tx = app.db().read().await?;
    let known = imports::origins_of(&mut tx, import.id, NOUN, &[0]).await?;
    drop(tx);
    let mut after = known.first().map_or(0, |origin| origin.row_id);
    let mut count = Count::default();
    loop {
        let texts = flagsmith.audit_log(after, PAGE).await.map_err(Error::Source)?;
        let lines: Vec<Line> = parse("audit_auditlog", &texts)?;
        let Some(last) = lines.last().map(|line| line.id) else {
            break;
        };
        after = last;
        count.found += lines.len() as u64;
        let log: Vec<NewChange> = lines
            .into_iter()
            .filter_map(|line| change(line, from, maps))
            .collect();
        count.created += log.len() as u64;
        let mut tx = app.begin().await?;
        changes::append(&mut tx, &log).await?;
        let origin = Origin {
            source_id: 0,
            row_id: last,
            other_id: None,
            digest: None,
        };
        imports::set_origin(&mut tx, import.id, NOUN, &origin).await?;
        tx.commit().await?;
        progress.at(count.found);
    }
    // Lines about projects that are gone.
    count.not_taken = count.found - count.created;
    report.count(NOUN, &count);
    Ok(())
}

fn change(line: Line, from: &Configuration, maps: &Maps) -> Option<NewChange> {
    let id = |noun: &str, there: Option<i64>| there.and_then(|there| maps.get(noun)?.get(&there).copied());
    let project_id = id(noun::PROJECT, line.project_id)?;
    let environment_id = id(noun::ENVIRONMENT, line.environment_id);
    let organisation = from
        .projects
        .iter()
        .find(|project| Some(project.id) == line.project_id);
    let organisation_id = id(
        noun::ORGANISATION,
        organisation.map(|project| project.organisation_id),
    );
    let kind = line.related_object_type.unwrap_or_default();
    let object_type = TYPES
        .into_iter()
        .find(|known| *known == kind)
        .unwrap_or("FEATURE");
    let object_noun = match object_type {
        "FEATURE" => noun::FEATURE,
        "SEGMENT" => noun::SEGMENT,
        "ENVIRONMENT" => noun::ENVIRONMENT,
        _ => noun::FEATURE_STATE,
    };
    let action = if line.log.starts_with("New ") {
        "CREATE"
    } else if line.log.contains("deleted") {
        "DELETE"
    } else {
        "UPDATE"
    };
    let at = burgee_model::Timestamp::parse(&line.created_date)?.0;
    Some(NewChange {
        at,
        user_id: id(noun::USER, line.author_id),
        organisation_id,
        project_id: Some(project_id),
        environment_id,
        object_type,
        object_id: id(object_noun, line.related_object_id).unwrap_or_default(),
        object_uuid: line.related_object_uuid,
        action,
        message: Some(line.log),
        ..NewChange::default()
    })
}

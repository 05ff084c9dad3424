//! Syncs as code: sources, models, destinations and syncs in YAML, in one file or a folder of them.
//!
//! Everything that can be wrong is found before anything is opened, all of it at once, each problem with its place. Secrets
//! are best given as `${env:NAME}` or `${file:/path}`; what they hold is never written anywhere.

mod alerts;
mod destinations;
mod document;
mod origin;
mod refs;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use alerts::{Alert, AlertOn, Channel};
pub use document::{Destination, Document, Engine, Format, Model, Source, Sync};
pub use origin::{Drivers, Origin};
pub use schedule::Schedule;

use destinations::{destination_of, owned};

use crate::error::{Result, SyncError};
use crate::plan::Mode;
use crate::run::{Job, Long};
use crate::source::{self, adbc};
use crate::warehouse::{self, Dialect};

/// Everything of some files, checked and ready to run.
#[derive(Debug)]
pub struct Project {
    /// By name.
    pub syncs: BTreeMap<String, PreparedSync>,
}

/// One sync of a project.
#[derive(Debug, Clone)]
pub struct PreparedSync {
    pub job: Job,
    pub schedule: Option<Schedule>,
    /// Whether it runs when all are run; one that is not can still be run by its name.
    pub enabled: bool,
    /// Changes when what is sent changes: the model's key, the mapping, the target, the mode.
    pub shape: String,
    /// What it writes to: traits of an environment, or a segment.
    pub targets: BTreeSet<String>,
}

/// Something that is wrong, and where: `syncs.daily.map`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub place: String,
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Checks a document as a whole. Fails with everything that is wrong.
pub fn check_document(document: &Document, origin: &Origin) -> std::result::Result<Project, Vec<Problem>> {
    let mut problems = Vec::new();
    let project = check(document, origin, &mut problems);
    if problems.is_empty() {
        Ok(project)
    } else {
        Err(problems)
    }
}

/// Reads a file, or all `.yaml` and `.yml` files of a folder, and checks them together.
///
/// Paths inside a file are relative to it. Fails with every problem there is, a line each.
pub fn load(path: &Path, drivers: &Drivers) -> Result<Project> {
    let (document, homes, mut problems) = read(path)?;
    let drivers = drivers.clone();
    let checked = check_document(&document, &Origin::Operator { homes, drivers });
    let found = checked.as_ref().err().into_iter().flatten();
    problems.extend(found.map(ToString::to_string));
    match checked {
        Ok(project) if problems.is_empty() => Ok(project),
        _ => Err(SyncError::config(path.display().to_string(), problems.join("\n"))),
    }
}

/// What some files come to together, references left as they are: one document for all of them. Paths in it are relative to
/// `path`, or to the folder it is in.
pub fn document(path: &Path) -> Result<Document> {
    let (document, _, problems) = read(path)?;
    if problems.is_empty() {
        Ok(document)
    } else {
        Err(SyncError::config(path.display().to_string(), problems.join("\n")))
    }
}

/// The JSON Schema of a file, for editors.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Document);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The folder each source's paths are relative to.
type Homes = BTreeMap<String, PathBuf>;

fn read(path: &Path) -> Result<(Document, Homes, Vec<String>)> {
    let mut problems = Vec::new();
    let mut whole = Document::default();
    let mut homes = Homes::new();
    for file in files(path)? {
        let text = std::fs::read_to_string(&file)
            .map_err(|error| SyncError::config(file.display().to_string(), error.to_string()))?;
        match serde_saphyr::from_str::<Document>(&text) {
            Ok(document) => {
                let home = file.parent().unwrap_or(Path::new(".")).to_owned();
                homes.extend(document.sources.keys().map(|name| (name.clone(), home.clone())));
                for name in whole.merge(document) {
                    problems.push(format!("{}: {name} is there twice", file.display()));
                }
            }
            Err(error) => problems.push(format!("{}: {error}", file.display())),
        }
    }
    Ok((whole, homes, problems))
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let told = |error: std::io::Error| SyncError::config(path.display().to_string(), error.to_string());
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(told)? {
        let file = entry.map_err(told)?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(SyncError::config(
            path.display().to_string(),
            "there is no .yaml file in this folder",
        ));
    }
    Ok(files)
}

fn check(document: &Document, origin: &Origin, problems: &mut Vec<Problem>) -> Project {
    let mut syncs = BTreeMap::new();
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    for (name, sync) in &document.syncs {
        match prepare(document, origin, name, sync) {
            Ok(prepared) => {
                for target in &prepared.targets {
                    if let Some(other) = targets.insert(target.clone(), name.clone()) {
                        problems.push(Problem {
                            place: format!("syncs.{name}"),
                            text: format!(
                                "{target} is already written by the sync {other:?}; a target has one owner"
                            ),
                        });
                    }
                }
                syncs.insert(name.clone(), prepared);
            }
            Err(SyncError::Config { where_, problem }) => problems.push(Problem {
                place: format!("syncs.{name}.{where_}"),
                text: problem,
            }),
            Err(error) => problems.push(Problem {
                place: format!("syncs.{name}"),
                text: error.to_string(),
            }),
        }
    }
    Project { syncs }
}

fn prepare(document: &Document, origin: &Origin, name: &str, sync: &Sync) -> Result<PreparedSync> {
    let known = |kind: &str, name: &str, names: Vec<&String>| {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        SyncError::config(
            kind,
            format!("there is no {name:?}; there are: {}", names.join(", ")),
        )
    };
    let model = document
        .models
        .get(&sync.model)
        .ok_or_else(|| known("model", &sync.model, document.models.keys().collect()))?;
    let from = document
        .sources
        .get(&model.source)
        .ok_or_else(|| known("source", &model.source, document.sources.keys().collect()))?;
    let to = document
        .destinations
        .get(&sync.to)
        .ok_or_else(|| known("to", &sync.to, document.destinations.keys().collect()))?;
    let (key, map) = mapping(model, sync)?;
    let (map, long) = long_of(model, sync, map)?;
    let source = source_of(&model.source, from, origin)?;
    let warehouse = warehouse_of(from, &source)?;
    if warehouse.is_some() && long.is_some() {
        let problem = "rows of one trait each are compared here: use `engine: local`, or a statement that makes columns of them";
        return Err(SyncError::config("format", problem));
    }
    let mut job = Job {
        name: name.to_owned(),
        query: query_of(model, origin)?,
        key,
        mode: sync.mode,
        destination: destination_of(to, sync, &map, long.is_some(), origin)?,
        source,
        map,
        guards: sync.guards,
        managed_only: sync.managed_only,
        long,
        warehouse,
        watch: None,
        shape: String::new(),
    };
    let targets = owned(&job);
    let shape = format!(
        "{:?} {} {:?} {:?} {targets:?}",
        job.mode, job.key, job.map, job.long
    );
    job.shape = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(shape.as_bytes()));
    if let Some(schedule) = &sync.schedule {
        schedule.check(name, document.syncs.keys())?;
    }
    for alert in &sync.alerts {
        alert.check(document.channels.keys())?;
    }
    Ok(PreparedSync {
        shape: job.shape.clone(),
        job,
        schedule: sync.schedule.clone(),
        enabled: sync.enabled,
        targets,
    })
}

/// The key column and the columns that are sent, by their names at the destination.
fn mapping(model: &Model, sync: &Sync) -> Result<(String, BTreeMap<String, String>)> {
    let mut map = sync.map.clone();
    let identifier = map.remove("identifier").or_else(|| map.remove("context_key"));
    if sync.mode == Mode::Upsert {
        let key = identifier.ok_or_else(|| {
            SyncError::config(
                "map",
                "`identifier` is required: the column that names the identity",
            )
        })?;
        return Ok((key, map));
    }
    if !map.is_empty() {
        let names: Vec<&str> = map.keys().map(String::as_str).collect();
        let problem = format!(
            "an audience sync sends keys only; {} would be ignored",
            names.join(", ")
        );
        return Err(SyncError::config("map", problem));
    }
    Ok((identifier.unwrap_or_else(|| model.key.clone()), map))
}

/// The default names of the columns of a model whose rows are one trait each.
const TRAIT_KEY: &str = "trait_key";
const TRAIT_VALUE: &str = "trait_value";

/// The columns of the trait's name and value where a row is one trait: as mapped, or by their default names.
fn long_of(
    model: &Model,
    sync: &Sync,
    mut map: BTreeMap<String, String>,
) -> Result<(BTreeMap<String, String>, Option<Long>)> {
    if model.format == Format::Wide {
        return Ok((map, None));
    }
    if sync.mode != Mode::Upsert {
        let problem = "rows of one trait each are for `mode: upsert`; an audience has one row a key";
        return Err(SyncError::config("format", problem));
    }
    let mut take = |name: &str| map.remove(name).unwrap_or_else(|| name.to_owned());
    let long = Long {
        trait_key: take(TRAIT_KEY),
        trait_value: take(TRAIT_VALUE),
    };
    if let Some(name) = map.keys().next() {
        let problem = format!("{name} would be ignored: in rows of one trait each the rows name the traits");
        return Err(SyncError::config("map", problem));
    }
    Ok((map, Some(long)))
}

fn warehouse_of(from: &Source, source: &source::Source) -> Result<Option<warehouse::Settings>> {
    let (reach, dialect, schema) = match (from, source) {
        (
            Source::Postgres {
                engine: Engine::Warehouse,
                schema,
                ..
            },
            source::Source::Postgres { url, public_only },
        ) => (
            warehouse::Reach::Postgres {
                url: url.clone(),
                public_only: *public_only,
            },
            Dialect::Postgres,
            schema,
        ),
        (
            Source::Adbc {
                engine: Engine::Warehouse,
                dialect,
                schema,
                ..
            },
            source::Source::Adbc(adbc),
        ) => {
            let dialect = dialect.ok_or_else(|| {
                SyncError::config(
                    "dialect",
                    "is needed for `engine: warehouse`: what SQL the database speaks",
                )
            })?;
            (warehouse::Reach::Adbc(adbc.clone()), dialect, schema)
        }
        _ => return Ok(None),
    };
    if schema.is_empty() {
        return Err(SyncError::config("schema", "is needed for `engine: warehouse`"));
    }
    Ok(Some(warehouse::Settings {
        reach,
        dialect,
        schema: schema.clone(),
    }))
}

fn source_of(name: &str, source: &Source, origin: &Origin) -> Result<source::Source> {
    Ok(match source {
        Source::Postgres { url, .. } => source::Source::Postgres {
            url: origin.text("url", url)?,
            public_only: origin.public_only(),
        },
        Source::Sqlite { path } => source::Source::Sqlite {
            path: origin.path(name, "path", path)?,
        },
        Source::Files { folder } => source::Source::Files {
            folder: origin.path(name, "folder", folder)?,
        },
        Source::Adbc {
            library,
            entrypoint,
            sha256,
            options,
            ..
        } => {
            let (library, extractor) = origin.driver(library)?;
            let options = options.iter();
            let options = options.map(|(name, value)| Ok((name.clone(), origin.text("options", value)?)));
            source::Source::Adbc(adbc::Adbc {
                library,
                entrypoint: entrypoint.clone(),
                sha256: sha256.clone(),
                options: options.collect::<Result<_>>()?,
                extractor,
            })
        }
    })
}

fn query_of(model: &Model, origin: &Origin) -> Result<source::Query> {
    match (&model.sql, &model.table, &model.file) {
        (Some(sql), None, None) => Ok(source::Query::Sql(sql.clone())),
        (None, Some(table), None) => Ok(source::Query::Table(table.clone())),
        (None, None, Some(file)) => Ok(source::Query::File(origin.file_name("file", file)?)),
        _ => Err(SyncError::config(
            "model",
            "needs exactly one of `sql`, `table` and `file`",
        )),
    }
}

#[cfg(test)]
mod tests;

//! Importing a project from LaunchDarkly: environments, flags with their targeting, segments.
//!
//! A request writes down what is wanted; the worker does it ([`process`]). First everything is read from LaunchDarkly
//! ([`source`]), then it is written with the ordinary acts, as the person who asked ([`target`]). What is there already is
//! found by its name, so an import that broke off is simply done again.

mod clauses;
mod source;
mod target;

use burgee_model::permissions::ProjectPermission;
use burgee_model::{Problems, Timestamp};
use burgee_store::changes::NewChange;
use burgee_store::{Tx, launch_darkly_imports, projects, users};
use serde_json::json;

pub use burgee_store::launch_darkly_imports::LaunchDarklyImport;

use crate::change::{Action, Change, Kind};
use crate::features::project_for;
use crate::{App, Caller, Error, Result};

use source::{Failure, Source};

/// For how long a node may work at an import before another one takes it over, in microseconds.
const CLAIM: i64 = 15 * 60 * 1_000_000;
/// Attempts before an import is given up.
const ATTEMPTS: i64 = 6;

/// An import with the address of who asked for it.
#[derive(Debug, Clone)]
pub struct ImportDetails {
    pub import: LaunchDarklyImport,
    pub created_by: Option<String>,
}

/// The imports into a project, newest first.
pub async fn list(tx: &mut Tx, caller: &Caller, project_id: i64) -> Result<Vec<ImportDetails>> {
    crate::projects::get(tx, caller, project_id).await?;
    let mut found = Vec::new();
    for import in launch_darkly_imports::list(tx, project_id).await? {
        found.push(describe(tx, import).await?);
    }
    Ok(found)
}

async fn describe(tx: &mut Tx, import: LaunchDarklyImport) -> Result<ImportDetails> {
    let user = match import.created_by {
        Some(id) => users::find(tx, id).await?,
        None => None,
    };
    Ok(ImportDetails {
        created_by: user.map(|user| user.email),
        import,
    })
}

/// One of them.
pub async fn get(tx: &mut Tx, caller: &Caller, project_id: i64, id: i64) -> Result<ImportDetails> {
    let found = list(tx, caller, project_id).await?;
    found
        .into_iter()
        .find(|details| details.import.id == id)
        .ok_or_else(|| Error::no_match("LaunchDarklyImportRequest"))
}

/// Fails unless the caller may import into the project: asked before an input is looked at.
pub async fn require_create(app: &App, caller: &Caller, project_id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    project_for(&mut tx, caller, project_id, ProjectPermission::CreateEnvironment)
        .await
        .map(drop)
}

/// Asks for an import. The token is kept sealed until it is done.
pub async fn create(
    app: &App,
    caller: &Caller,
    project_id: i64,
    token: &str,
    project_key: String,
) -> Result<ImportDetails> {
    let user_id = caller.user()?.id;
    let mut tx = app.begin().await?;
    let project = project_for(&mut tx, caller, project_id, ProjectPermission::CreateEnvironment).await?;
    let present = launch_darkly_imports::list(&mut tx, project_id).await?;
    if present.iter().any(|import| import.completed_at.is_none()) {
        let text = "Existing import already in progress for this project";
        return Err(Problems::whole(text).into());
    }
    let now = Timestamp::now().0;
    let mut import = LaunchDarklyImport {
        id: 0,
        project_id,
        created_by: Some(user_id),
        project_key,
        token: Some(app.sealer().seal(token)),
        created_at: now,
        updated_at: now,
        completed_at: None,
        claimed_until: 0,
        attempts: 0,
        environment_count: 0,
        flag_count: 0,
        deprecated_flag_count: 0,
        result: None,
        error_messages: "[]".to_owned(),
    };
    import.id = launch_darkly_imports::insert(&mut tx, &import).await?;
    let change = Change::new(caller, Kind::ImportRequest, Action::Create, import.id)
        .in_project(&project)
        .says("New LaunchDarkly import requested")
        .after(json!({ "project_key": import.project_key }));
    let details = describe(&mut tx, import).await?;
    app.commit(tx, vec![change.into()]).await?;
    Ok(details)
}

/// Whose turn an import is and how often it was tried: what it brings is told, and how it ended.
const UNDER_WAY: &[&str] = &["launch_darkly_imports"];

/// Does the imports that wait, one after the other.
pub async fn process(app: &App) -> Result<()> {
    loop {
        let mut tx = app.db().read().await?;
        let waiting = launch_darkly_imports::waiting(&mut tx, Timestamp::now().0).await?;
        drop(tx);
        let Some(import) = waiting else {
            return Ok(());
        };
        let now = Timestamp::now().0;
        let mut tx = app.begin().await?;
        let claimed = launch_darkly_imports::claim(&mut tx, import.id, now, now + CLAIM).await?;
        app.commit_except(tx, Vec::new(), UNDER_WAY).await?;
        if claimed {
            work(app, import).await?;
        }
    }
}

async fn work(app: &App, mut import: LaunchDarklyImport) -> Result<()> {
    import.attempts += 1;
    // An attempt that took the process down could not put itself off.
    let outcome = if import.attempts > ATTEMPTS {
        Err(Failure::Never(
            "It was given up: no attempt came to its end.".to_owned(),
        ))
    } else {
        carry_out(app, &mut import).await
    };
    let errors = match outcome {
        Ok(problems) => {
            import.result = Some(
                if problems.is_empty() {
                    "success"
                } else {
                    "incomplete"
                }
                .to_owned(),
            );
            problems
        }
        Err(Failure::Later(text, seconds)) if import.attempts < ATTEMPTS => {
            tracing::info!(import = import.id, problem = %text, "an import from LaunchDarkly is put off");
            let now = Timestamp::now();
            let until = now.plus_seconds(seconds.unwrap_or(30 << import.attempts).clamp(1, 3600));
            let mut tx = app.begin().await?;
            launch_darkly_imports::put_off(&mut tx, import.id, now.0, until.0).await?;
            return app.commit_except(tx, Vec::new(), UNDER_WAY).await;
        }
        Err(Failure::Later(text, _) | Failure::Never(text)) => {
            import.result = Some("failure".to_owned());
            vec![text]
        }
    };
    import.error_messages = json!(errors).to_string();
    import.updated_at = Timestamp::now().0;
    let mut tx = app.begin().await?;
    launch_darkly_imports::finish(&mut tx, &import).await?;
    let mut changes = Vec::new();
    if let Some(project) = projects::find(&mut tx, import.project_id).await? {
        let result = import.result.as_deref().unwrap_or_default();
        let change = Change::by_nobody(Kind::ImportRequest, Action::Update, import.id)
            .in_project(&project)
            .says(format!("LaunchDarkly import completed: {result}"))
            .after(json!({ "result": result, "error_messages": errors }));
        changes.push(NewChange {
            user_id: import.created_by,
            ..change.into()
        });
    }
    app.commit(tx, changes).await
}

/// Reads everything, then writes everything. Gives what could not be taken over as it is there.
async fn carry_out(app: &App, import: &mut LaunchDarklyImport) -> std::result::Result<Vec<String>, Failure> {
    let token = import
        .token
        .as_deref()
        .and_then(|sealed| app.sealer().open(sealed));
    let token = token.ok_or_else(|| Failure::Never("The token can't be read any more.".to_owned()))?;
    let caller = caller_of(app, import).await?;
    let source = Source::new(
        app.outbound().trusted(),
        &app.settings().launch_darkly_url,
        &token,
    );
    let project = source.read(&import.project_key).await?;
    import.environment_count = project.environments.len() as i64;
    import.flag_count = project.flags.len() as i64;
    import.deprecated_flag_count = project.flags.iter().filter(|flag| flag.deprecated).count() as i64;
    target::write(app, &caller, import.project_id, &project).await
}

async fn caller_of(app: &App, import: &LaunchDarklyImport) -> std::result::Result<Caller, Failure> {
    let gone = || Failure::Never("The user who asked for the import is not there any more.".to_owned());
    let id = import.created_by.ok_or_else(gone)?;
    let mut tx = app.db().read().await.map_err(Error::from)?;
    let user = users::find(&mut tx, id).await.map_err(Error::from)?;
    user.filter(|user| user.is_active)
        .map(Caller::User)
        .ok_or_else(gone)
}

//! Projects.

use burgee_model::permissions::{OrganisationPermission, ProjectPermission};
use burgee_model::pii::Mode;
use burgee_model::{Problems, Timestamp};
use burgee_store::changes::NewChange;
use burgee_store::grants::{self, Grant};
use burgee_store::projects;
use burgee_store::{Tx, organisations};
use serde_json::{Value, json};
use uuid::Uuid;

pub use burgee_store::projects::{Project, Usage};

use crate::change::{Action, Change, Kind};
use crate::settings::ProjectLimits;
use crate::{App, Caller, Error, Result, pii};

/// What the API refuses a second project of the same name with.
const NAME_TAKEN: &str = "A project with this name already exists.";

/// The settings of a project that a client may set.
#[derive(Debug, Clone, Default)]
pub struct ProjectEdit {
    pub name: Option<String>,
    pub hide_disabled_flags: Option<bool>,
    pub prevent_flag_defaults: Option<bool>,
    pub enable_realtime_updates: Option<bool>,
    pub only_allow_lower_case_feature_names: Option<bool>,
    pub feature_name_regex: Option<Option<String>>,
    pub stale_flags_limit_days: Option<i64>,
    pub minimum_change_request_approvals: Option<Option<i64>>,
    pub enforce_feature_owners: Option<bool>,
    pub use_edge_identities: Option<bool>,
    pub pii_mode: Option<Mode>,
    pub pii_allowed_traits: Option<Vec<String>>,
    pub pii_allowed_values: Option<Vec<String>>,
    /// The limits, which only superusers move: from others they are passed over.
    pub max_features_allowed: Option<Option<i64>>,
    pub max_segments_allowed: Option<Option<i64>>,
    pub max_segment_overrides_allowed: Option<Option<i64>>,
}

/// Finds a project the caller may see.
pub async fn get(tx: &mut Tx, caller: &Caller, id: i64) -> Result<Project> {
    let project = projects::find(tx, id)
        .await?
        .ok_or_else(|| Error::no_match("Project"))?;
    visible(tx, caller, project).await
}

/// The same, by uuid.
pub async fn get_by_uuid(tx: &mut Tx, caller: &Caller, uuid: &str) -> Result<Project> {
    let project = projects::find_by_uuid(tx, uuid)
        .await?
        .ok_or_else(|| Error::no_match("Project"))?;
    visible(tx, caller, project).await
}

/// A project that may not be seen is as good as none.
async fn visible(tx: &mut Tx, caller: &Caller, project: Project) -> Result<Project> {
    if caller
        .project_access(tx, &project)
        .await?
        .allows(ProjectPermission::ViewProject.key())
    {
        Ok(project)
    } else {
        Err(Error::no_match("Project"))
    }
}

/// The projects the caller may see, of one organisation or of all.
pub async fn list(tx: &mut Tx, caller: &Caller, organisation_id: Option<i64>) -> Result<Vec<Project>> {
    let organisations = match organisation_id {
        Some(id) => vec![id],
        None => crate::organisations::ids(tx, caller).await?,
    };
    let mut visible = Vec::new();
    for id in organisations {
        match caller.role(tx, id).await {
            Ok(Some(_)) => {}
            Ok(None) => continue,
            // One organisation that keeps the caller out does not keep the others' projects from him.
            Err(Error::Forbidden(_)) if organisation_id.is_none() => continue,
            Err(error) => return Err(error),
        }
        for project in projects::list(tx, Some(id)).await? {
            let access = caller.project_access(tx, &project).await?;
            if access.allows(ProjectPermission::ViewProject.key()) {
                visible.push(project);
            }
        }
    }
    visible.sort_by_key(|project| project.id);
    Ok(visible)
}

/// How far the limits of a project are used.
pub async fn usage(tx: &mut Tx, id: i64) -> Result<Usage> {
    Ok(projects::usage(tx, id).await?)
}

/// Creates a project; its creator administers it.
pub async fn create(app: &App, caller: &Caller, organisation_id: i64, edit: ProjectEdit) -> Result<Project> {
    let mut tx = app.begin().await?;
    require_create(&mut tx, caller, organisation_id).await?;
    let mut project = blank(organisation_id, app.settings().project_limits);
    apply(&mut project, for_caller(edit, caller))?;
    refuse_taken_name(&mut tx, &project).await?;
    project.id = projects::insert(&mut tx, &project).await?;
    if let Some(user_id) = caller.user_id() {
        let creator = Grant {
            id: 0,
            organisation_id: None,
            project_id: Some(project.id),
            environment_id: None,
            user_id: Some(user_id),
            group_id: None,
            role_id: None,
            admin: true,
            permissions: "[]".to_owned(),
        };
        grants::insert(&mut tx, &creator).await?;
    }
    let change = Change::new(caller, Kind::Project, Action::Create, project.id)
        .in_project(&project)
        .uuid(&project.uuid)
        .after(as_json(&project));
    app.commit(tx, vec![change.into()]).await?;
    Ok(project)
}

/// A project with the settings it begins with.
pub(crate) fn blank(organisation_id: i64, limits: ProjectLimits) -> Project {
    Project {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        organisation_id,
        name: String::new(),
        created_at: Timestamp::now().0,
        hide_disabled_flags: false,
        prevent_flag_defaults: false,
        enable_realtime_updates: false,
        only_allow_lower_case_feature_names: true,
        feature_name_regex: None,
        stale_flags_limit_days: 30,
        minimum_change_request_approvals: None,
        enforce_feature_owners: false,
        use_edge_identities: false,
        max_features_allowed: limits.features,
        max_segments_allowed: limits.segments,
        max_segment_overrides_allowed: limits.segment_overrides,
        pii_mode: Mode::Off.as_str().to_owned(),
        pii_allowed_traits: "[]".to_owned(),
        pii_allowed_values: "[]".to_owned(),
        pii_salt: None,
    }
}

async fn require_create(tx: &mut Tx, caller: &Caller, organisation_id: i64) -> Result<()> {
    let organisation = organisations::find(tx, organisation_id)
        .await?
        .ok_or_else(Error::forbidden)?;
    if organisation.restrict_project_create_to_admin {
        return caller.require_organisation_admin(tx, organisation_id).await;
    }
    let permission = OrganisationPermission::CreateProject;
    caller
        .require_in_organisation(tx, organisation_id, permission)
        .await
}

/// Changes the settings of a project.
pub async fn update(app: &App, caller: &Caller, id: i64, edit: ProjectEdit) -> Result<Project> {
    let mut tx = app.begin().await?;
    let (project, change) = change(&mut tx, caller, id, edit).await?;
    app.commit(tx, vec![change]).await?;
    Ok(project)
}

/// The same, inside the transaction of a larger act.
pub(crate) async fn change(
    tx: &mut Tx,
    caller: &Caller,
    id: i64,
    edit: ProjectEdit,
) -> Result<(Project, NewChange)> {
    let before = get(tx, caller, id).await?;
    caller.require_project_admin(tx, &before).await?;
    let mut project = before.clone();
    apply(&mut project, for_caller(edit, caller))?;
    if project.name != before.name {
        refuse_taken_name(tx, &project).await?;
    }
    projects::update(tx, &project).await?;
    let serves = project.hide_disabled_flags != before.hide_disabled_flags
        || project.enable_realtime_updates != before.enable_realtime_updates
        || project.name != before.name
        || project.pii_mode != before.pii_mode
        || project.pii_allowed_traits != before.pii_allowed_traits
        || project.pii_allowed_values != before.pii_allowed_values;
    let change = Change::new(caller, Kind::Project, Action::Update, project.id)
        .in_project(&project)
        .uuid(&project.uuid)
        .serves_if(serves)
        .before(as_json(&before))
        .after(as_json(&project));
    Ok((project, change.into()))
}

/// Fails unless the caller administers the project: asked before an input is looked at.
pub async fn require_admin(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.db().read().await?;
    let project = get(&mut tx, caller, id).await?;
    caller.require_project_admin(&mut tx, &project).await
}

/// Deletes a project with all that is in it.
pub async fn delete(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.begin().await?;
    let project = get(&mut tx, caller, id).await?;
    caller.require_project_admin(&mut tx, &project).await?;
    projects::delete(&mut tx, id).await?;
    let change = Change::new(caller, Kind::Project, Action::Delete, id)
        .in_project(&project)
        .uuid(&project.uuid)
        .serves()
        .before(as_json(&project));
    app.commit(tx, vec![change.into()]).await
}

/// Without what only superusers may set.
fn for_caller(edit: ProjectEdit, caller: &Caller) -> ProjectEdit {
    if matches!(caller, Caller::User(user) if user.is_superuser) {
        return edit;
    }
    ProjectEdit {
        max_features_allowed: None,
        max_segments_allowed: None,
        max_segment_overrides_allowed: None,
        ..edit
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn apply(project: &mut Project, edit: ProjectEdit) -> Result<()> {
    if let Some(Some(pattern)) = &edit.feature_name_regex
        && let Err(problem) = crate::features::name_pattern(pattern)
    {
        return Err(Error::field("feature_name_regex", problem));
    }
    set(&mut project.name, edit.name);
    set(&mut project.hide_disabled_flags, edit.hide_disabled_flags);
    set(&mut project.prevent_flag_defaults, edit.prevent_flag_defaults);
    set(&mut project.enable_realtime_updates, edit.enable_realtime_updates);
    set(
        &mut project.only_allow_lower_case_feature_names,
        edit.only_allow_lower_case_feature_names,
    );
    set(&mut project.feature_name_regex, edit.feature_name_regex);
    set(&mut project.stale_flags_limit_days, edit.stale_flags_limit_days);
    set(
        &mut project.minimum_change_request_approvals,
        edit.minimum_change_request_approvals,
    );
    set(&mut project.enforce_feature_owners, edit.enforce_feature_owners);
    set(&mut project.use_edge_identities, edit.use_edge_identities);
    set(&mut project.max_features_allowed, edit.max_features_allowed);
    set(&mut project.max_segments_allowed, edit.max_segments_allowed);
    set(
        &mut project.max_segment_overrides_allowed,
        edit.max_segment_overrides_allowed,
    );
    set(
        &mut project.pii_mode,
        edit.pii_mode.map(|mode| mode.as_str().to_owned()),
    );
    if edit.pii_allowed_traits.is_some() || edit.pii_allowed_values.is_some() {
        let mut allowed = pii::allow_list(project);
        set(&mut allowed.traits, edit.pii_allowed_traits);
        set(&mut allowed.values, edit.pii_allowed_values);
        pii::set_allow_list(project, &allowed)?;
    }
    Ok(())
}

async fn refuse_taken_name(tx: &mut Tx, project: &Project) -> Result<()> {
    let others = projects::list(tx, Some(project.organisation_id)).await?;
    if others
        .iter()
        .any(|other| other.name == project.name && other.id != project.id)
    {
        return Err(Problems::whole(NAME_TAKEN).into());
    }
    Ok(())
}

/// What the change log keeps of a project.
pub(crate) fn as_json(project: &Project) -> Value {
    json!({
        "name": project.name,
        "hide_disabled_flags": project.hide_disabled_flags,
        "prevent_flag_defaults": project.prevent_flag_defaults,
        "enable_realtime_updates": project.enable_realtime_updates,
        "only_allow_lower_case_feature_names": project.only_allow_lower_case_feature_names,
        "feature_name_regex": project.feature_name_regex,
        "stale_flags_limit_days": project.stale_flags_limit_days,
        "minimum_change_request_approvals": project.minimum_change_request_approvals,
        "enforce_feature_owners": project.enforce_feature_owners,
        "use_edge_identities": project.use_edge_identities,
        "max_features_allowed": project.max_features_allowed,
        "max_segments_allowed": project.max_segments_allowed,
        "max_segment_overrides_allowed": project.max_segment_overrides_allowed,
        "pii_mode": project.pii_mode,
        "pii_allowed_traits": pii::allow_list(project).traits,
        "pii_allowed_values": pii::allow_list(project).values,
    })
}

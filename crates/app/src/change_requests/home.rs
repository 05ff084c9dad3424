//! Where a change request belongs, and who may do what with it there.

use burgee_model::permissions::{EnvironmentPermission, ProjectPermission};
use burgee_store::Tx;
use burgee_store::change_requests::ChangeRequest;
use burgee_store::projects::{self, Project};

use crate::change::{Action, Change, Kind};
use crate::{Access, Caller, Error, Place, Result};

/// Where a request belongs: an environment, whose flags it changes, or a project, whose segments it changes.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of them per request")]
pub enum Home {
    Environment(Place),
    Project(Project),
}

/// What somebody may do with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    See,
    Create,
    Approve,
    Commit,
}

impl Home {
    /// The environment with this key. One that is not there is refused as one that may not be used.
    pub async fn environment(tx: &mut Tx, key: &str) -> Result<Self> {
        let place = Place::by_key(tx, key).await?.ok_or_else(Error::forbidden)?;
        Ok(Self::Environment(place))
    }

    /// The project with this id.
    pub async fn project_with(tx: &mut Tx, id: i64) -> Result<Self> {
        let project = projects::find(tx, id).await?.ok_or_else(Error::forbidden)?;
        Ok(Self::Project(project))
    }

    /// Where a request belongs.
    pub(super) async fn of(tx: &mut Tx, request: &ChangeRequest) -> Result<Option<Self>> {
        Ok(match request.environment_id {
            Some(id) => Place::by_id(tx, id).await?.map(Self::Environment),
            None => projects::find(tx, request.project_id).await?.map(Self::Project),
        })
    }

    /// The project it is, or is in.
    pub fn project(&self) -> &Project {
        match self {
            Self::Environment(place) => &place.project,
            Self::Project(project) => project,
        }
    }

    /// The environment, when it is one.
    pub fn environment_id(&self) -> Option<i64> {
        match self {
            Self::Environment(place) => Some(place.environment.id),
            Self::Project(_) => None,
        }
    }

    /// How many others have to approve.
    pub(super) fn required_approvals(&self) -> i64 {
        let set = match self {
            Self::Environment(place) => place.environment.minimum_change_request_approvals,
            Self::Project(project) => project.minimum_change_request_approvals,
        };
        set.unwrap_or(0)
    }

    fn key(&self, right: Right) -> &'static str {
        match self {
            Self::Environment(_) => match right {
                Right::See => EnvironmentPermission::ViewEnvironment.key(),
                Right::Create => EnvironmentPermission::CreateChangeRequest.key(),
                Right::Approve => EnvironmentPermission::ApproveChangeRequest.key(),
                Right::Commit => EnvironmentPermission::UpdateFeatureState.key(),
            },
            Self::Project(_) => match right {
                Right::See => ProjectPermission::ViewProject.key(),
                Right::Create => ProjectPermission::CreateProjectLevelChangeRequests.key(),
                Right::Approve => ProjectPermission::ApproveProjectLevelChangeRequests.key(),
                Right::Commit => ProjectPermission::ManageProjectLevelChangeRequests.key(),
            },
        }
    }

    async fn access(&self, tx: &mut Tx, caller: &Caller) -> Result<Access> {
        match self {
            Self::Environment(place) => {
                caller
                    .environment_access(tx, &place.project, &place.environment)
                    .await
            }
            Self::Project(project) => caller.project_access(tx, project).await,
        }
    }

    /// Whether a project's "manage" is enough: it includes making, editing and deleting requests.
    fn is_managed_by(&self, access: &Access) -> bool {
        let manage = ProjectPermission::ManageProjectLevelChangeRequests.key();
        access.admin || (matches!(self, Self::Project(_)) && access.allows(manage))
    }

    /// Whether the caller may know of the requests here.
    pub(super) async fn is_visible(&self, tx: &mut Tx, caller: &Caller) -> Result<bool> {
        let access = self.access(tx, caller).await?;
        Ok(access.allows(self.key(Right::See)))
    }

    /// Fails unless the caller may do this with every request here.
    pub(super) async fn require(&self, tx: &mut Tx, caller: &Caller, right: Right) -> Result<()> {
        let access = self.access(tx, caller).await?;
        if access.allows(self.key(right)) {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }

    /// Fails unless the caller may do this with requests about some features at least.
    pub(super) async fn require_somewhere(&self, tx: &mut Tx, caller: &Caller, right: Right) -> Result<()> {
        self.require_on(tx, caller, right, &[]).await
    }

    /// Fails unless the caller may do this with requests about all these features.
    pub(super) async fn require_on(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        right: Right,
        features: &[i64],
    ) -> Result<()> {
        let access = self.access(tx, caller).await?;
        if right == Right::Create && self.is_managed_by(&access) {
            return Ok(());
        }
        let allowed = access.features(self.key(right)).ok_or_else(Error::forbidden)?;
        for feature in features {
            allowed.require(tx, *feature).await?;
        }
        Ok(())
    }

    /// Fails unless the caller may edit and delete the requests of others.
    pub(super) async fn require_manage(&self, tx: &mut Tx, caller: &Caller) -> Result<()> {
        let access = self.access(tx, caller).await?;
        if self.is_managed_by(&access) {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }

    /// An entry of the log about a request.
    pub(super) fn change(&self, caller: &Caller, action: Action, request: &ChangeRequest) -> Change {
        let change = Change::new(caller, Kind::ChangeRequest, action, request.id).uuid(&request.uuid);
        match self {
            Self::Environment(place) => change.in_environment(place),
            Self::Project(project) => change.in_project(project),
        }
    }
}

//! Who is asking, and what they may do.

use std::collections::BTreeSet;

use burgee_auth::tokens;
use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, OrganisationPermission, ProjectPermission};
use burgee_store::environments::Environment;
use burgee_store::grants::Object;
use burgee_store::master_api_keys::{self, MasterApiKey};
use burgee_store::projects::{self, Project};
use burgee_store::users::{self, User};
use burgee_store::{Tx, environments, grants, organisations};

use crate::error::{Error, Result};

/// Somebody who asks for a management operation.
#[derive(Debug, Clone)]
pub enum Caller {
    User(User),
    ApiKey(MasterApiKey),
}

/// What somebody may do at an object: everything, or the listed permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    pub admin: bool,
    pub keys: BTreeSet<String>,
}

impl Access {
    fn everything() -> Self {
        Self {
            admin: true,
            keys: BTreeSet::new(),
        }
    }

    /// Whether one permission is among them.
    pub fn allows(&self, key: &str) -> bool {
        self.admin || self.keys.contains(key)
    }

    fn require(&self, key: &str) -> Result<()> {
        if self.allows(key) {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }
}

impl Caller {
    /// The user with this token.
    pub async fn from_token(tx: &mut Tx, token: &str) -> Result<Self> {
        let user = users::find_by_token(tx, &tokens::lookup_hash(token)).await?;
        user.map(Self::User)
            .ok_or(Error::Unauthenticated("Invalid token."))
    }

    /// The organisation's key with this text (`prefix.secret`).
    pub async fn from_api_key(tx: &mut Tx, key: &str) -> Result<Self> {
        let hash = tokens::lookup_hash(key);
        let found = master_api_keys::find_usable(tx, &hash, Timestamp::now().0).await?;
        found
            .map(Self::ApiKey)
            .ok_or(Error::Unauthenticated("Valid Master API Key not found."))
    }

    /// The user, for operations that only make sense for a person.
    pub fn user(&self) -> Result<&User> {
        match self {
            Self::User(user) => Ok(user),
            Self::ApiKey(_) => Err(Error::Unauthenticated(
                "Authentication credentials were not provided.",
            )),
        }
    }

    /// The user's id, for the change log.
    pub fn user_id(&self) -> Option<i64> {
        match self {
            Self::User(user) => Some(user.id),
            Self::ApiKey(_) => None,
        }
    }

    /// The key's id, for the change log.
    pub fn api_key_id(&self) -> Option<i64> {
        match self {
            Self::User(_) => None,
            Self::ApiKey(key) => Some(key.id),
        }
    }

    /// The role in an organisation: `ADMIN`, `USER` or none.
    pub async fn role(&self, tx: &mut Tx, organisation_id: i64) -> Result<Option<String>> {
        match self {
            Self::User(user) => Ok(organisations::role(tx, organisation_id, user.id).await?),
            Self::ApiKey(key) if key.organisation_id == organisation_id => {
                Ok(Some(if key.is_admin { "ADMIN" } else { "USER" }.to_owned()))
            }
            Self::ApiKey(_) => Ok(None),
        }
    }

    /// What the caller may do in an organisation; `None` for a stranger.
    pub async fn organisation_access(&self, tx: &mut Tx, organisation_id: i64) -> Result<Option<Access>> {
        match self.role(tx, organisation_id).await?.as_deref() {
            None => Ok(None),
            Some("ADMIN") => Ok(Some(Access::everything())),
            Some(_) => self
                .granted(tx, Object::Organisation(organisation_id))
                .await
                .map(Some),
        }
    }

    /// What the caller may do in a project. A stranger to its organisation may do nothing, whatever was granted.
    pub async fn project_access(&self, tx: &mut Tx, project: &Project) -> Result<Access> {
        match self.role(tx, project.organisation_id).await?.as_deref() {
            None => Ok(Access::default()),
            Some("ADMIN") => Ok(Access::everything()),
            Some(_) => self.granted(tx, Object::Project(project.id)).await,
        }
    }

    /// What the caller may do in an environment of a project.
    pub async fn environment_access(
        &self,
        tx: &mut Tx,
        project: &Project,
        environment: &Environment,
    ) -> Result<Access> {
        match self.role(tx, project.organisation_id).await?.as_deref() {
            None => Ok(Access::default()),
            Some("ADMIN") => Ok(Access::everything()),
            Some(_) if self.granted(tx, Object::Project(project.id)).await?.admin => Ok(Access::everything()),
            Some(_) => self.granted(tx, Object::Environment(environment.id)).await,
        }
    }

    async fn granted(&self, tx: &mut Tx, object: Object) -> Result<Access> {
        let Self::User(user) = self else {
            return Ok(Access::default());
        };
        let mut access = Access::default();
        for grant in grants::of_user(tx, object, user.id).await? {
            access.admin |= grant.admin;
            access.keys.extend(grant.keys());
        }
        Ok(access)
    }

    /// Fails unless the caller administers the organisation.
    pub async fn require_organisation_admin(&self, tx: &mut Tx, organisation_id: i64) -> Result<()> {
        match self.role(tx, organisation_id).await?.as_deref() {
            Some("ADMIN") => Ok(()),
            _ => Err(Error::forbidden()),
        }
    }

    /// Fails unless the caller may do this in the organisation.
    pub async fn require_in_organisation(
        &self,
        tx: &mut Tx,
        organisation_id: i64,
        permission: OrganisationPermission,
    ) -> Result<()> {
        match self.organisation_access(tx, organisation_id).await? {
            Some(access) => access.require(permission.key()),
            None => Err(Error::forbidden()),
        }
    }

    /// Fails unless the caller may do this in the project.
    pub async fn require_in_project(
        &self,
        tx: &mut Tx,
        project: &Project,
        permission: ProjectPermission,
    ) -> Result<()> {
        self.project_access(tx, project).await?.require(permission.key())
    }

    /// Fails unless the caller administers the project.
    pub async fn require_project_admin(&self, tx: &mut Tx, project: &Project) -> Result<()> {
        if self.project_access(tx, project).await?.admin {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }

    /// Fails unless the caller may do this in the environment.
    pub async fn require_in_environment(
        &self,
        tx: &mut Tx,
        place: &Place,
        permission: EnvironmentPermission,
    ) -> Result<()> {
        self.environment_access(tx, &place.project, &place.environment)
            .await?
            .require(permission.key())
    }

    /// Fails unless the caller administers the environment.
    pub async fn require_environment_admin(&self, tx: &mut Tx, place: &Place) -> Result<()> {
        let access = self
            .environment_access(tx, &place.project, &place.environment)
            .await?;
        if access.admin {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }
}

/// An environment and the project it is in: what most permission checks need.
#[derive(Debug, Clone)]
pub struct Place {
    pub project: Project,
    pub environment: Environment,
}

impl Place {
    /// The environment with this client-side key.
    pub async fn by_key(tx: &mut Tx, api_key: &str) -> Result<Option<Self>> {
        let environment = environments::find_by_key(tx, api_key).await?;
        Self::of(tx, environment).await
    }

    /// The environment with this id.
    pub async fn by_id(tx: &mut Tx, id: i64) -> Result<Option<Self>> {
        let environment = environments::find(tx, id).await?;
        Self::of(tx, environment).await
    }

    async fn of(tx: &mut Tx, environment: Option<Environment>) -> Result<Option<Self>> {
        let Some(environment) = environment else {
            return Ok(None);
        };
        let project = projects::find(tx, environment.project_id).await?;
        Ok(project.map(|project| Self { project, environment }))
    }
}

//! Who is asking, and what they may do.
//!
//! What somebody may do comes from his own grants, those of his groups and those of the roles that he, a group of his or
//! the master API key has; all of it together counts. An organisation's administrators may do everything in it.
//!
//! To ask, inside the transaction of the act:
//!
//! * [`Caller::require_in_organisation`], [`Caller::require_in_project`], [`Caller::require_in_environment`]: a
//!   permission there, for everything there.
//! * [`Caller::require_on_feature`]: one of the permissions that a role may
//!   limit to tags (those that change or delete features, their overrides and change requests), on one feature. Acts on
//!   a feature must ask these; the ones above refuse who has the permission for some features only.
//! * [`Caller::features_in_environment`], [`Caller::features_in_project`]: the same in two steps, for acts that look the
//!   feature up in between or touch several. They refuse whoever may do it on no feature, before anything is said about
//!   which features there are; [`Features::require`] must follow for every feature touched.
//! * [`Caller::require_organisation_admin`], [`Caller::require_project_admin`], [`Caller::require_environment_admin`].
//! * [`Caller::project_access`], [`Caller::environment_access`] where the answer is no refusal but something else.

use std::collections::{BTreeMap, BTreeSet};

use burgee_auth::tokens;
use burgee_model::Timestamp;
use burgee_model::permissions::{
    EnvironmentPermission, OrganisationPermission, ProjectPermission, supports_tag,
};
use burgee_store::environments::Environment;
use burgee_store::grants::{self, Held};
use burgee_store::master_api_keys::{self, MasterApiKey};
use burgee_store::projects::{self, Project};
use burgee_store::users::User;
use burgee_store::{Tx, environments, feature_links, oauth, organisations, sessions};

use crate::App;
use crate::error::{Error, Result};

/// Somebody who asks for a management operation.
#[derive(Debug, Clone)]
pub enum Caller {
    User(User),
    ApiKey(MasterApiKey),
}

/// What is said to members while their organisation's use of the management API is blocked.
const BLOCKED: &str = "Access to this organisation is blocked.";
/// What is said to members without a second factor where the organisation wants one.
const NEEDS_2FA: &str =
    "This organisation requires two-factor authentication. Set it up for your account to continue.";

/// What somebody may do at an object: everything, or the listed permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    pub admin: bool,
    /// For everything there.
    pub keys: BTreeSet<String>,
    /// For features that carry one of these tags only.
    pub limited: BTreeMap<String, BTreeSet<i64>>,
}

/// The features on which somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Features {
    All,
    /// Those that carry one of these tags.
    Tagged(BTreeSet<i64>),
}

impl Features {
    /// Fails unless the feature is one of them.
    pub async fn require(&self, tx: &mut Tx, feature_id: i64) -> Result<()> {
        if self.include(tx, feature_id).await? {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }

    /// Whether the feature is one of them.
    pub async fn include(&self, tx: &mut Tx, feature_id: i64) -> Result<bool> {
        match self {
            Self::All => Ok(true),
            Self::Tagged(tags) => {
                let carried = feature_links::tag_ids(tx, feature_id).await?;
                Ok(carried.iter().any(|tag| tags.contains(tag)))
            }
        }
    }
}

impl Access {
    fn everything() -> Self {
        Self {
            admin: true,
            ..Self::default()
        }
    }

    /// Whether one permission is among them, for everything there.
    pub fn allows(&self, key: &str) -> bool {
        self.admin || self.keys.contains(key)
    }

    /// The features on which one permission can be used; `None`: on none.
    pub fn features(&self, key: &str) -> Option<Features> {
        if self.allows(key) {
            return Some(Features::All);
        }
        self.limited.get(key).cloned().map(Features::Tagged)
    }

    fn require(&self, key: &str) -> Result<()> {
        if self.allows(key) {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }

    fn require_features(&self, key: &str) -> Result<Features> {
        self.features(key).ok_or_else(Error::forbidden)
    }

    fn add(&mut self, held: &Held) {
        self.admin |= held.admin;
        for (key, tags) in effective(held) {
            if tags.is_empty() {
                self.keys.insert(key);
            } else {
                self.limited.entry(key).or_default().extend(tags);
            }
        }
    }
}

/// The permissions of a grant with the tags they are limited to. What has none of its own has those of the role.
pub(crate) fn effective(held: &Held) -> Vec<(String, Vec<i64>)> {
    let of_role = held.role_tags();
    let permissions = held.permissions().into_iter().map(|granted| {
        let tags = match granted.tags {
            own if !own.is_empty() => own,
            _ if supports_tag(&granted.key) => of_role.clone(),
            none => none,
        };
        (granted.key, tags)
    });
    permissions.collect()
}

impl Caller {
    /// The user with this token.
    pub async fn from_token(tx: &mut Tx, token: &str) -> Result<Self> {
        let hash = tokens::lookup_hash(token);
        let user = sessions::user_of(tx, &hash, Timestamp::now().0).await?;
        user.map(Self::User)
            .ok_or(Error::Unauthenticated("Invalid token."))
    }

    /// The user for whom the program with this access token acts; `None` when there is none.
    pub async fn from_access_token(tx: &mut Tx, token: &str) -> Result<Option<Self>> {
        let hash = tokens::lookup_hash(token);
        let user = oauth::user_of(tx, &hash, Timestamp::now().0).await?;
        Ok(user.map(Self::User))
    }

    /// The organisation's key with this text (`prefix.secret`).
    pub async fn from_api_key(app: &App, key: &str) -> Result<Self> {
        let hash = tokens::lookup_hash(key);
        let mut tx = app.db().read().await?;
        let mut found = master_api_keys::find_usable(&mut tx, &hash, Timestamp::now().0).await?;
        drop(tx);
        if found.is_none() {
            found = crate::master_api_keys::recognise(app, key, &hash).await?;
        }
        found
            .map(Self::ApiKey)
            .ok_or(Error::Unauthenticated("Valid Master API Key not found."))
    }

    /// Who signed this `Bearer` token.
    pub async fn from_bearer(tx: &mut Tx, app: &App, token: &str) -> Result<Self> {
        let found = crate::trust_relationships::caller(tx, app, token).await?;
        found.ok_or(Error::Unauthenticated("Invalid token."))
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

    /// The role in an organisation: `ADMIN`, `USER` or none. Refuses members whom it keeps out for now: see
    /// [`Caller::membership`].
    pub async fn role(&self, tx: &mut Tx, organisation_id: i64) -> Result<Option<String>> {
        match self {
            Self::User(user) => {
                let found = organisations::membership(tx, organisation_id, user.id).await?;
                match found {
                    Some(found) if found.block_access_to_admin && !user.is_superuser => {
                        Err(Error::Forbidden(BLOCKED.to_owned()))
                    }
                    Some(found) if found.needs_2fa => Err(Error::Forbidden(NEEDS_2FA.to_owned())),
                    found => Ok(found.map(|found| found.role)),
                }
            }
            Self::ApiKey(key) if key.organisation_id == organisation_id => {
                let organisation = organisations::find(tx, organisation_id).await?;
                if organisation.is_some_and(|organisation| organisation.block_access_to_admin) {
                    return Err(Error::Forbidden(BLOCKED.to_owned()));
                }
                self.membership(tx, organisation_id).await
            }
            Self::ApiKey(_) => Ok(None),
        }
    }

    /// The role in an organisation as it is written down, also of somebody who is kept out for now: because access is
    /// blocked, or a second factor missing. For what he must see to learn why.
    pub async fn membership(&self, tx: &mut Tx, organisation_id: i64) -> Result<Option<String>> {
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
            Some(_) => {
                let held = self.held(tx, (Some(organisation_id), None, None)).await?;
                Ok(Some(sum(&held)))
            }
        }
    }

    /// What the caller may do in a project. A stranger to its organisation may do nothing, whatever was granted.
    pub async fn project_access(&self, tx: &mut Tx, project: &Project) -> Result<Access> {
        match self.role(tx, project.organisation_id).await?.as_deref() {
            None => Ok(Access::default()),
            Some("ADMIN") => Ok(Access::everything()),
            Some(_) => Ok(sum(&self.held(tx, (None, Some(project.id), None)).await?)),
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
            None => return Ok(Access::default()),
            Some("ADMIN") => return Ok(Access::everything()),
            Some(_) => {}
        }
        let at = (None, Some(project.id), Some(environment.id));
        let (of_project, of_environment): (Vec<_>, Vec<_>) = self
            .held(tx, at)
            .await?
            .into_iter()
            .partition(|held| held.project_id.is_some());
        // Of what is granted at the project only its administration reaches down here.
        if of_project.iter().any(|held| held.admin) {
            return Ok(Access::everything());
        }
        Ok(sum(&of_environment))
    }

    /// The grants the caller has at objects, from wherever.
    pub(crate) async fn held(&self, tx: &mut Tx, at: grants::At) -> Result<Vec<Held>> {
        Ok(match self {
            Self::User(user) => grants::of_user(tx, at, user.id).await?,
            Self::ApiKey(key) => grants::of_key(tx, at, key.id).await?,
        })
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

    /// Fails unless the caller may do this in the environment on this feature.
    pub async fn require_on_feature(
        &self,
        tx: &mut Tx,
        place: &Place,
        permission: EnvironmentPermission,
        feature_id: i64,
    ) -> Result<()> {
        let features = self.features_in_environment(tx, place, permission).await?;
        features.require(tx, feature_id).await
    }

    /// On which features the caller may do this in the environment. Fails when it is none.
    pub async fn features_in_environment(
        &self,
        tx: &mut Tx,
        place: &Place,
        permission: EnvironmentPermission,
    ) -> Result<Features> {
        self.environment_access(tx, &place.project, &place.environment)
            .await?
            .require_features(permission.key())
    }

    /// On which features the caller may do this in the project. Fails when it is none.
    pub async fn features_in_project(
        &self,
        tx: &mut Tx,
        project: &Project,
        permission: ProjectPermission,
    ) -> Result<Features> {
        self.project_access(tx, project)
            .await?
            .require_features(permission.key())
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

fn sum(held: &[Held]) -> Access {
    let mut access = Access::default();
    for held in held {
        access.add(held);
    }
    access
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

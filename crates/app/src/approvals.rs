//! Where changes have to be approved first: what may be edited directly is decided here, for every writer.
//!
//! Writers of states ask [`refuse_direct`], writers of segments [`refuse_direct_segments`]. An act that carries out what
//! was approved hands its writers the [`Place::approved`].

use burgee_store::environments::{self, Environment};
use burgee_store::features::Feature;
use burgee_store::projects::Project;
use burgee_store::{Tx, feature_states};

use crate::{Error, Place, Result};

const FLAGS: &str = "Cannot update a flag directly where change requests are required.";
const SEGMENTS: &str = "Cannot change a segment directly where change requests are required.";

/// Fails where environment defaults and segment overrides only change through change requests.
pub(crate) fn refuse_direct(place: &Place) -> Result<()> {
    refuse_where(place.environment.minimum_change_request_approvals, FLAGS)
}

/// Fails where segments only change through change requests of the project.
pub(crate) fn refuse_direct_segments(project: &Project) -> Result<()> {
    refuse_where(project.minimum_change_request_approvals, SEGMENTS)
}

fn refuse_where(approvals: Option<i64>, text: &str) -> Result<()> {
    match approvals {
        Some(_) => Err(Error::Forbidden(text.to_owned())),
        None => Ok(()),
    }
}

/// Fails where an act would change, all at once and without approval, what only changes with it: in one of these
/// environments of a project, as they are now. `what` says what it can't do.
pub(crate) async fn refuse_overwriting(
    tx: &mut Tx,
    project_id: i64,
    what: &str,
    overwrites: impl Fn(&Environment) -> bool,
) -> Result<()> {
    let guarded = environments::list(tx, project_id)
        .await?
        .into_iter()
        .find(|environment| {
            environment.minimum_change_request_approvals.is_some() && overwrites(environment)
        });
    match guarded {
        Some(environment) => Err(Error::Forbidden(format!(
            "Changes in the environment {} need approval; {what}.",
            environment.name
        ))),
        None => Ok(()),
    }
}

/// What an import can't do where changes need approval.
pub(crate) const IMPORT: &str = "an import can't overwrite features there";

/// Fails where a feature is on, for anybody, in an environment whose changes need approval: deleting it would turn it off
/// there. Once an approved change has turned it off it can go. Archiving, like creating, changes no answer there.
pub(crate) async fn refuse_deleting(tx: &mut Tx, feature: &Feature) -> Result<()> {
    let on: Vec<i64> = feature_states::shared_of_feature(tx, feature.id)
        .await?
        .into_iter()
        .filter(|state| state.enabled)
        .map(|state| state.environment_id)
        .collect();
    let what = format!(
        "\"{}\" is on there and can't be deleted before a change request has turned it off",
        feature.name
    );
    let is_on = |environment: &Environment| on.contains(&environment.id);
    refuse_overwriting(tx, feature.project_id, &what, is_on).await
}

impl Place {
    /// The place for the writers of an act that needs no approval any more.
    #[must_use]
    pub(crate) fn approved(&self) -> Self {
        let mut place = self.clone();
        place.environment.minimum_change_request_approvals = None;
        place
    }
}

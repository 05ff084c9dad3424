//! Where changes have to be approved first: what may be edited directly is decided here, for every writer.
//!
//! Writers of states ask [`refuse_direct`], writers of segments [`refuse_direct_segments`]. An act that carries out what
//! was approved hands its writers the [`Place::approved`].

use burgee_store::Tx;
use burgee_store::environments::{self, Environment};
use burgee_store::projects::Project;

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

/// Fails where an import would overwrite what changes only with approval: in one of these environments of a project, as
/// they are now.
pub(crate) async fn refuse_overwriting(
    tx: &mut Tx,
    project_id: i64,
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
            "Changes in the environment {} need approval; an import can't overwrite features there.",
            environment.name
        ))),
        None => Ok(()),
    }
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

//! Draft versions as parts of a change request.

use burgee_store::change_requests::Part;
use serde_json::json;

use super::content::all_or_mirror;
use crate::Result;

/// The parts for these drafts, of which there are none as yet.
pub(super) fn parts(uuids: &[String]) -> Result<Vec<Part>> {
    let unknown = uuids.iter().map(|uuid| {
        let text = format!("Invalid pk \"{uuid}\" - object does not exist.");
        Err(json!([text]))
    });
    all_or_mirror("environment_feature_versions", unknown.collect())
}

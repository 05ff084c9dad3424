//! Turning v2 versioning on and off for an environment.

use burgee_store::{environments, feature_states, versions as version_rows};

use crate::environments::{administer, updated};
use crate::{App, Caller, Error, Result, versions};

/// From now on, features of the environment change by publishing versions. What they are now is their first one.
pub async fn enable(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let mut place = administer(&mut tx, caller, api_key).await?;
    if place.environment.use_v2_feature_versioning {
        return Err(Error::detail("Environment already using v2 versioning."));
    }
    let before = place.environment.clone();
    place.environment.use_v2_feature_versioning = true;
    environments::set_versioning(&mut tx, place.environment.id, true).await?;
    versions::create_first_versions(&mut tx, &place).await?;
    app.commit(tx, vec![updated(caller, &place, &before).into()])
        .await
}

/// Features of the environment change in place again. What is live stays; drafts, what waits for its time as a version,
/// and history go.
pub async fn disable(app: &App, caller: &Caller, api_key: &str) -> Result<()> {
    let mut tx = app.begin_settled().await?;
    let mut place = administer(&mut tx, caller, api_key).await?;
    if !place.environment.use_v2_feature_versioning {
        return Err(Error::detail("Environment is not using v2 versioning."));
    }
    let before = place.environment.clone();
    place.environment.use_v2_feature_versioning = false;
    environments::set_versioning(&mut tx, place.environment.id, false).await?;
    version_rows::delete_all(&mut tx, place.environment.id).await?;
    feature_states::clear_versions(&mut tx, place.environment.id).await?;
    app.commit(tx, vec![updated(caller, &place, &before).into()])
        .await
}

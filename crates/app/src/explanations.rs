//! Why an identity gets the flags it gets: the evaluation of the SDK API, told step by step. Nothing is stored.

use std::sync::Arc;

use burgee_engine::trace::{Explanation, RuleTrace};
use burgee_model::permissions::EnvironmentPermission;
use serde_json::Value;

use crate::sdk::evaluation::with_engine_identity;
use crate::sdk::identities::{self, Identified, IdentifyInput, TraitInput};
use crate::served::Snapshot;
use crate::{App, Caller, Error, Result, environments};

/// Whom to explain the flags of.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Without one, somebody anonymous with these traits.
    pub identifier: Option<String>,
    /// Laid over those that are stored.
    pub traits: Vec<TraitInput>,
    /// The name of the one feature to explain; all of them without it.
    pub feature: Option<String>,
}

/// An explanation, with what its indices stand for.
#[derive(Debug, Clone)]
pub struct Explained {
    pub snapshot: Arc<Snapshot>,
    /// Who was evaluated. Its traits are empty where sensitive data is hidden.
    pub identity: Identified,
    pub explanation: Explanation,
}

/// Fails unless the caller may see the environment and its identities: asked before an input is looked at. Gives the
/// environment's id.
pub async fn require_view(app: &App, caller: &Caller, api_key: &str) -> Result<i64> {
    let mut tx = app.db().read().await?;
    let place = environments::enter(&mut tx, api_key).await?;
    for permission in [
        EnvironmentPermission::ViewEnvironment,
        EnvironmentPermission::ViewIdentities,
    ] {
        caller.require_in_environment(&mut tx, &place, permission).await?;
    }
    Ok(place.environment.id)
}

/// Explains the flags of an identity, of this environment as it is served now.
pub async fn explain(app: &App, environment_id: i64, question: Question) -> Result<Explained> {
    let served = app
        .environments()
        .by_id(environment_id)
        .ok_or_else(Error::not_found)?;
    let snapshot = served.snapshot();
    let feature = match &question.feature {
        None => None,
        Some(name) => {
            let place = snapshot.features.iter().position(|feature| feature.name == *name);
            let missing = || Error::field("feature", format!("The project has no feature \"{name}\"."));
            Some(place.ok_or_else(missing)?)
        }
    };
    let input = IdentifyInput {
        identifier: question.identifier,
        traits: question.traits,
        transient: true,
    };
    let mut identity = identities::identify(app, &served, true, input).await?;
    let mut explanation = with_engine_identity(&snapshot, &identity, |identity| match feature {
        None => Ok(snapshot.engine.explain(Some(identity))),
        Some(feature) => snapshot
            .engine
            .explain_feature(feature, Some(identity))
            .ok_or_else(Error::not_found),
    })?;
    if snapshot.hide_sensitive_data {
        identity.traits.clear();
        for segment in &mut explanation.segments {
            hide_values(&mut segment.rules);
        }
    }
    Ok(Explained {
        snapshot,
        identity,
        explanation,
    })
}

/// Takes out what was found of the identity; whether it matched stays.
fn hide_values(rules: &mut [RuleTrace]) {
    for rule in rules {
        for condition in &mut rule.conditions {
            condition.actual = Value::Null;
        }
        hide_values(&mut rule.rules);
    }
}

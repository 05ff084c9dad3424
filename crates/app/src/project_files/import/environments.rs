//! Environments and their keys.

use burgee_model::Timestamp;
use burgee_store::environments::Environment;
use burgee_store::server_keys::ServerKey;
use burgee_store::{Tx, environments, server_keys, transfer};

use super::Work;
use crate::change::{Action, Change, Kind};
use crate::metadata::{self, Owner};
use crate::project_files::EnvironmentPart;
use crate::{Place, Result};

impl Work<'_> {
    pub(super) async fn environment(&mut self, tx: &mut Tx, part: &EnvironmentPart) -> Result<Environment> {
        let present = environments::list(tx, self.project.id).await?;
        let found = present.into_iter().find(|row| row.name == part.name);
        let is_new = found.is_none();
        let mut row = found.unwrap_or_else(|| crate::environments::blank(self.project.id));
        let before = crate::environments::as_json(&row);
        part.name.clone_into(&mut row.name);
        row.description.clone_from(&part.description);
        row.allow_client_traits = part.allow_client_traits;
        row.banner_text.clone_from(&part.banner_text);
        row.banner_colour.clone_from(&part.banner_colour);
        row.hide_disabled_flags = part.hide_disabled_flags;
        row.use_identity_composite_key_for_hashing = part.use_identity_composite_key_for_hashing;
        row.hide_sensitive_data = part.hide_sensitive_data;
        row.use_identity_overrides_in_local_eval = part.use_identity_overrides_in_local_eval;
        if is_new {
            row.minimum_change_request_approvals = part.minimum_change_request_approvals;
            self.choose_key(tx, part, &mut row).await?;
            row.id = environments::insert(tx, &row).await?;
        } else {
            environments::update(tx, &row).await?;
            if part.api_key.as_ref().is_some_and(|key| *key != row.api_key) {
                let what = format!("the keys of environment {:?}", part.name);
                self.imported.miss(what, "it was there already and keeps its own");
            }
        }
        let owner = Owner::Environment(row.id);
        self.values(tx, owner, &part.metadata).await?;
        self.imported.count("environments", is_new);
        let action = if is_new { Action::Create } else { Action::Update };
        let verb = if is_new {
            "New Environment created"
        } else {
            "Environment updated"
        };
        let place = Place {
            project: self.project.clone(),
            environment: row.clone(),
        };
        let mut change = Change::new(self.author, Kind::Environment, action, row.id)
            .in_environment(&place)
            .uuid(&row.uuid)
            .says(format!("{verb}: {}", row.name))
            .after(metadata::logged(tx, owner, crate::environments::as_json(&row)).await?);
        if !is_new {
            change = change.before(before);
        }
        self.changes.push(change.into());
        if is_new {
            self.server_keys(tx, part, &place).await?;
        }
        self.states(tx, part, &row).await?;
        Ok(row)
    }

    /// The key of the file, where it has one that nobody has here.
    async fn choose_key(&mut self, tx: &mut Tx, part: &EnvironmentPart, row: &mut Environment) -> Result<()> {
        let why = match &part.api_key {
            Some(key) if environments::find_by_key(tx, key).await?.is_none() => {
                key.clone_into(&mut row.api_key);
                return Ok(());
            }
            Some(_) => "an environment here has it already",
            None => "the file has none",
        };
        self.imported.miss(
            format!("the key of environment {:?}", part.name),
            format!("{why}: it has a new one, and percentages are drawn anew among identities"),
        );
        Ok(())
    }

    async fn server_keys(&mut self, tx: &mut Tx, part: &EnvironmentPart, place: &Place) -> Result<()> {
        for key in &part.server_keys {
            if transfer::server_key_exists(tx, &key.key).await? {
                let what = format!("server-side key {:?} of environment {:?}", key.name, part.name);
                self.imported.miss(what, "an environment here has it already");
                continue;
            }
            let mut new = ServerKey {
                id: 0,
                environment_id: place.environment.id,
                key: key.key.clone(),
                name: key.name.clone(),
                active: key.active,
                created_at: Timestamp::now().0,
                expires_at: key.expires_at,
            };
            new.id = server_keys::insert(tx, &new).await?;
            let change = Change::new(self.author, Kind::ServerKey, Action::Create, new.id)
                .in_environment(place)
                .after(crate::server_keys::as_json(&new));
            self.changes.push(change.into());
            self.imported.count("server-side keys", true);
        }
        Ok(())
    }
}

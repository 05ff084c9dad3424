//! Tags and features: what there is, whose it is, and its options.

use burgee_model::Timestamp;
use burgee_store::features::{Feature, MultivariateOption};
use burgee_store::tags::Tag;
use burgee_store::{Tx, feature_links, features, groups, members, projects, tags};
use serde_json::json;
use uuid::Uuid;

use super::Work;
use crate::change::Kind;
use crate::feature_options::OptionEdit;
use crate::metadata::Owner;
use crate::project_files::{FeaturePart, OptionPart, ProjectPart};
use crate::{Error, Result};

impl Work<'_> {
    pub(super) async fn tags(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let present = tags::list(tx, self.project.id).await?;
        for tag in &part.tags {
            let found = present.iter().find(|p| p.label == tag.label && !p.is_system_tag);
            let mut row = found.cloned().unwrap_or_else(|| Tag {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                project_id: self.project.id,
                label: tag.label.clone(),
                color: String::new(),
                description: None,
                is_permanent: false,
                is_system_tag: false,
                r#type: "NONE".to_owned(),
            });
            row.color.clone_from(&tag.color);
            row.description.clone_from(&tag.description);
            row.is_permanent = tag.is_permanent;
            let is_new = row.id == 0;
            if is_new {
                row.id = tags::insert(tx, &row).await?;
            } else {
                tags::update(tx, &row).await?;
            }
            self.imported.count("tags", is_new);
            let verb = if is_new { "created" } else { "updated" };
            let line = format!("Tag {verb}: {}", row.label);
            self.log(Kind::Tag, is_new, row.id, line, json!({ "label": row.label }));
            self.tag_ids.insert(row.label, row.id);
        }
        Ok(())
    }

    pub(super) async fn features(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let mut missing_owners = 0;
        for feature in &part.features {
            let present = features::find_by_name(tx, self.project.id, &feature.name.to_lowercase()).await?;
            let is_new = present.is_none();
            let mut row = present.unwrap_or_else(|| Feature {
                id: 0,
                uuid: Uuid::new_v4().to_string(),
                project_id: self.project.id,
                name: feature.name.clone(),
                name_key: feature.name.to_lowercase(),
                r#type: String::new(),
                default_enabled: feature.default_enabled,
                initial_value: feature.initial_value.clone(),
                description: None,
                is_archived: false,
                is_server_key_only: false,
                created_at: Timestamp::now().0,
            });
            row.r#type.clone_from(&feature.r#type);
            row.description.clone_from(&feature.description);
            row.is_archived = feature.is_archived;
            row.is_server_key_only = feature.is_server_key_only;
            if is_new {
                self.refuse_too_many_features(tx).await?;
                row.id = features::insert(tx, &row).await?;
            } else {
                features::update(tx, &row).await?;
            }
            let labels = feature.tags.iter().filter_map(|label| self.tag_ids.get(label));
            let tag_ids: Vec<i64> = labels.copied().collect();
            feature_links::set_tags(tx, row.id, &tag_ids).await?;
            missing_owners += self.owners(tx, &row, feature).await?;
            self.feature_options(tx, &row, feature).await?;
            self.values(tx, Owner::Feature(row.id), &feature.metadata).await?;
            self.imported.count("features", is_new);
            let line = if is_new {
                format!("New Flag / Remote Config created: {}", row.name)
            } else {
                format!("Flag / Remote Config updated: {}", row.name)
            };
            let after = crate::features::snapshot(tx, &row).await?;
            self.log(Kind::Feature, is_new, row.id, line, after);
            self.features.insert(feature.name.clone(), row);
        }
        if missing_owners > 0 {
            self.imported.miss(
                format!("{missing_owners} owners of features"),
                "they are no members or groups of this organisation",
            );
        }
        Ok(())
    }

    async fn refuse_too_many_features(&self, tx: &mut Tx) -> Result<()> {
        let count = projects::usage(tx, self.project.id).await?.features;
        match self.project.max_features_allowed {
            Some(most) if count >= most => {
                let text = format!("The project has reached the maximum allowed features limit of {most}.");
                Err(Error::field("project", text))
            }
            _ => Ok(()),
        }
    }

    /// Gives a feature its owners; tells how many of them are unknown here.
    async fn owners(&self, tx: &mut Tx, row: &Feature, feature: &FeaturePart) -> Result<usize> {
        let mut missing = 0;
        if !feature.owners.is_empty() {
            let members = members::list(tx, self.project.organisation_id).await?;
            for email in &feature.owners {
                match members.iter().find(|member| member.email == *email) {
                    Some(member) => drop(feature_links::add_owner(tx, row.id, member.id).await?),
                    None => missing += 1,
                }
            }
        }
        if !feature.group_owners.is_empty() {
            let groups = groups::list(tx, self.project.organisation_id).await?;
            for name in &feature.group_owners {
                match groups.iter().find(|group| group.name == *name) {
                    Some(group) => drop(feature_links::add_group_owner(tx, row.id, group.id).await?),
                    None => missing += 1,
                }
            }
        }
        Ok(missing)
    }

    /// Options are the same when they have the same key, or without keys the same value.
    async fn feature_options(&mut self, tx: &mut Tx, row: &Feature, feature: &FeaturePart) -> Result<()> {
        let present = features::options(tx, row.id).await?;
        for option in &feature.options {
            let same = |p: &&MultivariateOption| match (&option.key, &p.key) {
                (Some(key), Some(other)) => key == other,
                (None, None) => p.value() == option.value,
                _ => false,
            };
            let mut found = present
                .iter()
                .find(same)
                .cloned()
                .unwrap_or_else(|| blank_option(row.id));
            set_option(&mut found, option);
            if found.id == 0 {
                found.id = features::insert_option(tx, &found).await?;
            } else {
                features::update_option(tx, &found).await?;
            }
            self.options.insert(option.id, found.id);
        }
        Ok(())
    }
}

fn blank_option(feature_id: i64) -> MultivariateOption {
    MultivariateOption {
        id: 0,
        uuid: Uuid::new_v4().to_string(),
        feature_id,
        key: None,
        r#type: "unicode".to_owned(),
        string_value: None,
        integer_value: None,
        boolean_value: None,
        default_percentage_allocation: 0.0,
    }
}

fn set_option(row: &mut MultivariateOption, part: &OptionPart) {
    (row.string_value, row.integer_value, row.boolean_value) = (None, None, None);
    let edit = OptionEdit {
        key: Some(part.key.clone()),
        default_percentage_allocation: Some(part.default_percentage_allocation),
        ..part.value.clone().into()
    };
    edit.apply(row);
}

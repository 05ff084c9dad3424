//! Segments, under the numbers they had where those are free.

use burgee_model::{Timestamp, keys};
use burgee_store::list_segments::{self, ListSegment};
use burgee_store::segments::Segment;
use burgee_store::{Tx, projects, segments};
use serde_json::json;

use super::Work;
use crate::change::Kind;
use crate::metadata::{self, Owner};
use crate::project_files::{ListPart, ProjectPart, SegmentPart};
use crate::{Error, Result, segment_rules};

impl Work<'_> {
    pub(super) async fn segments(&mut self, tx: &mut Tx, part: &ProjectPart) -> Result<()> {
        let present = segments::list(tx, self.project.id).await?;
        for segment in &part.segments {
            let feature_id = segment
                .feature
                .as_ref()
                .and_then(|name| self.features.get(name))
                .map(|feature| feature.id);
            let same = |p: &&Segment| p.name == segment.name && p.feature_id == feature_id;
            let found = present.iter().find(same).cloned();
            let is_new = found.is_none();
            let row = self.segment(tx, segment, feature_id, found).await?;
            self.values(tx, Owner::Segment(row.id), &segment.metadata).await?;
            self.imported.count("segments", is_new);
            let line = if is_new {
                format!("New Segment created: {}", row.name)
            } else {
                format!("Segment updated: {}", row.name)
            };
            if let Some(list) = &segment.list {
                self.list(tx, &row, list).await?;
            }
            let after = metadata::logged(tx, Owner::Segment(row.id), crate::segments::as_json(&row)).await?;
            self.log(Kind::Segment, is_new, row.id, line, after);
            self.segments.insert(segment.id, row);
        }
        Ok(())
    }

    async fn segment(
        &mut self,
        tx: &mut Tx,
        part: &SegmentPart,
        feature_id: Option<i64>,
        found: Option<Segment>,
    ) -> Result<Segment> {
        let now = Timestamp::now().0;
        let rules = segment_rules::copy(tx, &part.rules).await?;
        let rules = serde_json::to_string(&rules).unwrap_or_else(|_| "[]".to_owned());
        if let Some(mut row) = found {
            row.description.clone_from(&part.description);
            row.rules = rules;
            row.updated_at = now;
            segments::update(tx, &row).await?;
            row.hash_seed = part.other_seed(row.id);
            segments::set_hash_seed(tx, row.id, row.hash_seed).await?;
            return Ok(row);
        }
        let count = projects::usage(tx, self.project.id).await?.segments;
        if self
            .project
            .max_segments_allowed
            .is_some_and(|most| count >= most)
        {
            let text = "The project has reached the maximum allowed segments limit.";
            return Err(Error::Rejected(json!({ "project": text })));
        }
        let mut row = Segment {
            id: part.id,
            uuid: keys::uuid().to_string(),
            project_id: self.project.id,
            feature_id,
            name: part.name.clone(),
            description: part.description.clone(),
            rules,
            managed_by: String::new(),
            created_at: now,
            updated_at: now,
            hash_seed: part.other_seed(part.id),
        };
        // Its number stands in whatever people wrote down, so it is kept where it is free.
        if segments::find(tx, part.id).await?.is_none() {
            segments::insert_as(tx, &row).await?;
        } else {
            row.hash_seed = Some(part.seed());
            row.id = segments::insert(tx, &row).await?;
        }
        Ok(row)
    }

    /// Makes a segment a list segment, if it is none yet.
    async fn list(&mut self, tx: &mut Tx, row: &Segment, part: &ListPart) -> Result<()> {
        let what = format!("the members of list segment {:?}", row.name);
        self.imported.miss(
            what,
            "files of projects hold no members: they are uploaded by themselves",
        );
        if list_segments::of_segment(tx, row.id).await?.is_some() {
            return Ok(());
        }
        if list_segments::find(tx, self.project.id, &part.key)
            .await?
            .is_some()
        {
            let what = format!("the list of segment {:?}", row.name);
            self.imported.miss(what, "another list segment has its key here");
            return Ok(());
        }
        let list = ListSegment {
            segment_id: row.id,
            project_id: self.project.id,
            uuid: row.uuid.clone(),
            key: part.key.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            managed_by: row.managed_by.clone(),
            context_kind: part.context_kind.clone(),
            unbounded: part.unbounded,
            tags: "[]".to_owned(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        list_segments::insert(tx, &list).await?;
        Ok(())
    }
}

impl SegmentPart {
    /// What percentages are drawn with.
    fn seed(&self) -> i64 {
        self.seed.unwrap_or(self.id)
    }

    /// The same, for a row of this number: nothing where they are drawn with that.
    fn other_seed(&self, row_id: i64) -> Option<i64> {
        Some(self.seed()).filter(|seed| *seed != row_id)
    }
}

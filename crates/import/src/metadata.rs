//! Taking custom fields: their definitions, where they are required, and what objects say in them.

use std::collections::HashMap;

use burgee_model::metadata::ContentType;
use burgee_store::bulk::tables;

use crate::configuration::{Configuration, Metadata};
use crate::people::uuid;
use crate::records::MetadataOf;
use crate::taking::{How, Incoming, Taker};
use crate::{Result, noun};

/// Custom fields, if the source tells of them.
pub(crate) async fn take(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(all) = &from.metadata else { return Ok(()) };
    let kinds: HashMap<i64, ContentType> = all
        .content_types
        .iter()
        .filter_map(|row| {
            let kind = ContentType::from_model(&row.model)?;
            (row.app_label == kind.app_label()).then_some((row.id, kind))
        })
        .collect();
    take_fields(taker, all, &kinds).await?;
    let rows = rows(taker, &all.requirements, &kinds, |taker, of, kind| {
        let organisation =
            (kind == ContentType::Organisation).then(|| taker.id(noun::ORGANISATION, of.object_id));
        let project = (kind == ContentType::Project).then(|| taker.id(noun::PROJECT, of.object_id));
        let (organisation, project) = (organisation.flatten(), project.flatten());
        (organisation.is_some() != project.is_some()).then(|| vec![organisation.into(), project.into()])
    });
    let table = &tables::METADATA_REQUIREMENTS;
    taker
        .rows(noun::METADATA_REQUIREMENT, table, rows, How::default())
        .await?;
    let rows = self::rows(taker, &all.values, &kinds, |taker, of, kind| {
        let id = |wanted, noun| (kind == wanted).then(|| taker.id(noun, of.object_id)).flatten();
        let environment = id(ContentType::Environment, noun::ENVIRONMENT);
        let feature = id(ContentType::Feature, noun::FEATURE);
        let segment = id(ContentType::Segment, noun::SEGMENT);
        environment.or(feature).or(segment)?;
        Some(vec![
            environment.into(),
            feature.into(),
            segment.into(),
            of.field_value.as_str().into(),
        ])
    });
    let table = &tables::METADATA_VALUES;
    taker
        .rows(noun::METADATA_VALUE, table, rows, How::default())
        .await
}

async fn take_fields(taker: &mut Taker<'_>, all: &Metadata, kinds: &HashMap<i64, ContentType>) -> Result<()> {
    let rows = all
        .fields
        .iter()
        .filter_map(|f| {
            let project = taker.id_if(noun::PROJECT, f.project_id);
            if f.project_id.is_some() && project.is_none() {
                return None;
            }
            Some(Incoming::new(
                f.id,
                vec![
                    uuid(f.uuid.as_deref(), noun::METADATA_FIELD, f.id).into(),
                    taker.id(noun::ORGANISATION, f.organisation_id)?.into(),
                    project.into(),
                    f.name.as_str().into(),
                    f.kind.as_str().into(),
                    f.description.as_deref().into(),
                ],
            ))
        })
        .collect();
    taker
        .rows(
            noun::METADATA_FIELD,
            &tables::METADATA_FIELDS,
            rows,
            How::default(),
        )
        .await?;
    let rows = all
        .model_fields
        .iter()
        .filter_map(|m| {
            Some(Incoming::new(
                m.id,
                vec![
                    uuid(m.uuid.as_deref(), noun::METADATA_MODEL_FIELD, m.id).into(),
                    taker.id(noun::METADATA_FIELD, m.field_id)?.into(),
                    kinds.get(&m.content_type_id)?.id().into(),
                ],
            ))
        })
        .collect();
    let table = &tables::METADATA_MODEL_FIELDS;
    taker
        .rows(noun::METADATA_MODEL_FIELD, table, rows, How::default())
        .await
}

/// Rows that speak of an object: the field comes first, what `rest` makes of the object follows.
fn rows(
    taker: &Taker<'_>,
    all: &[MetadataOf],
    kinds: &HashMap<i64, ContentType>,
    rest: impl Fn(&Taker<'_>, &MetadataOf, ContentType) -> Option<Vec<burgee_store::bulk::Cell>>,
) -> Vec<Incoming> {
    all.iter()
        .filter_map(|of| {
            let field = taker.id(noun::METADATA_MODEL_FIELD, of.model_field_id)?;
            let mut cells = vec![field.into()];
            cells.extend(rest(taker, of, *kinds.get(&of.content_type_id)?)?);
            Some(Incoming::new(of.id, cells))
        })
        .collect()
}

//! Values of custom fields, as features, segments and environments carry them.

use burgee_app::metadata::{MetadataEdit, MetadataValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields::{Pk, Text};
use crate::input;

/// The value of a custom field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetadataView {
    pub id: i64,
    pub model_field: i64,
    pub field_value: String,
}

impl From<MetadataValue> for MetadataView {
    fn from(value: MetadataValue) -> Self {
        Self {
            id: value.id,
            model_field: value.model_field_id,
            field_value: value.field_value,
        }
    }
}

/// The values of one object.
pub fn views(values: Vec<MetadataValue>) -> Vec<MetadataView> {
    values.into_iter().map(MetadataView::from).collect()
}

input! {
    /// The value of a custom field.
    pub struct MetadataBody {
        pub model_field: Pk,
        pub field_value: Text<2000>,
    }
}

/// What an act takes.
pub fn edits(bodies: Option<Vec<MetadataBody>>) -> Option<Vec<MetadataEdit>> {
    bodies.map(|bodies| {
        let edits = bodies.into_iter().map(|body| MetadataEdit {
            model_field: body.model_field.0,
            field_value: body.field_value.0,
        });
        edits.collect()
    })
}

//! Features and their multivariate options.

use crate::{Result, Tx, row, sql};

row! {
    /// A feature of a project.
    pub struct Feature {
        pub id: i64,
        pub uuid: String,
        pub project_id: i64,
        pub name: String,
        /// The name in lower case: names are unique whatever their case.
        pub name_key: String,
        /// `STANDARD` or `MULTIVARIATE`.
        pub r#type: String,
        pub default_enabled: bool,
        pub initial_value: Option<String>,
        pub description: Option<String>,
        pub is_archived: bool,
        pub is_server_key_only: bool,
        pub created_at: i64,
    }
}

row! {
    /// A value that a multivariate feature may serve instead of its control value.
    pub struct MultivariateOption {
        pub id: i64,
        pub uuid: String,
        pub feature_id: i64,
        pub key: Option<String>,
        /// `unicode`, `int` or `bool`: which of the three values counts.
        pub r#type: String,
        pub string_value: Option<String>,
        pub integer_value: Option<i64>,
        pub boolean_value: Option<bool>,
        /// Percent, 0 to 100.
        pub default_percentage_allocation: f64,
    }
}

/// The features of a project, oldest first.
pub async fn list(tx: &mut Tx, project_id: i64) -> Result<Vec<Feature>> {
    sql!(
        tx,
        fetch_all as Feature,
        "SELECT * FROM features WHERE project_id = $1 ORDER BY id",
        project_id
    )
}

/// One feature.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<Feature>> {
    sql!(
        tx,
        fetch_optional as Feature,
        "SELECT * FROM features WHERE id = $1",
        id
    )
}

/// The multivariate options of all features of a project, in the order of their ids.
pub async fn options_of_project(tx: &mut Tx, project_id: i64) -> Result<Vec<MultivariateOption>> {
    sql!(
        tx,
        fetch_all as MultivariateOption,
        "SELECT o.* FROM multivariate_options o JOIN features f ON f.id = o.feature_id
         WHERE f.project_id = $1 ORDER BY o.id",
        project_id
    )
}

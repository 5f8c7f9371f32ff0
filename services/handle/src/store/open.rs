//! How many cases are open, by where they lie: for whoever publishes a pack without some area or category.

use domain::area::AreaPath;
use domain::id::CategoryCode;
use platform::pack::OpenCases;
use platform::store::{Doing, StoreError};
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

use super::cases::{Column, Entity};

pub async fn count<C: ConnectionTrait>(connection: &C) -> Result<OpenCases, StoreError> {
    let rows: Vec<(String, String, i64)> = Entity::find()
        .select_only()
        .column(Column::Area)
        .column(Column::Category)
        .column_as(Column::Incident.count(), "cases")
        .filter(Column::State.ne("CLOSED"))
        .group_by(Column::Area)
        .group_by(Column::Category)
        .into_tuple()
        .all(connection)
        .await
        .doing("counting open cases")?;
    rows.into_iter()
        .map(|(area, category, cases)| Ok(((path(&area)?, CategoryCode(category)), cases.cast_unsigned())))
        .collect()
}

fn path(area: &str) -> Result<AreaPath, StoreError> {
    AreaPath::parse(area).map_err(|why| StoreError::Inconsistent {
        table: "handle_case",
        id: area.to_owned(),
        why: why.to_string(),
    })
}

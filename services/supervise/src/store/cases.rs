//! Table `supervise_case`: what supervise knows of each case.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::{AreaPath, Level};
use domain::holder::Holder;
use domain::id::{CategoryCode, IncidentId};
use platform::store::{StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::wrong;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "supervise_case")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    pub area: String,
    pub category: String,
    pub holder: String,
    pub state: String,
    pub level: String,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    /// `NULL` where nothing was heard of the case since this is kept.
    pub sensitive: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A case as it was last heard of.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirrored {
    pub area: AreaPath,
    pub category: CategoryCode,
    pub holder: Holder,
    pub state: String,
    pub level: Level,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    /// Whether it is counted by itself, as it was decided when it was first heard of; `None` of before that was kept.
    pub sensitive: Option<bool>,
}

pub async fn load(tx: &Tx, incidents: &[IncidentId]) -> Result<BTreeMap<IncidentId, Mirrored>, StoreError> {
    let rows = rows::load::<Entity>(tx, Column::Incident, incidents, "loading mirrored cases").await?;
    rows.into_iter().map(|row| Ok((IncidentId(row.incident), mirrored(row)?))).collect()
}

pub async fn save(tx: &Tx, cases: &[(&IncidentId, &Mirrored)]) -> Result<(), StoreError> {
    let row = |(incident, case): &(&IncidentId, &Mirrored)| ActiveModel {
        incident: Set(incident.0),
        area: Set(case.area.as_str().to_owned()),
        category: Set(case.category.0.clone()),
        holder: Set(case.holder.to_string()),
        state: Set(case.state.clone()),
        level: Set(case.level.as_str().to_owned()),
        opened_at: Set(case.opened_at),
        closed_at: Set(case.closed_at),
        sensitive: Set(case.sensitive),
    };
    rows::replace(tx, cases.iter().map(row).collect(), "saving mirrored cases").await
}

fn mirrored(row: Model) -> Result<Mirrored, StoreError> {
    let table = "supervise_case";
    Ok(Mirrored {
        area: row.area.parse().map_err(|why| wrong(table, &row.incident, why))?,
        category: CategoryCode(row.category),
        holder: row.holder.parse().map_err(|why: String| wrong(table, &row.incident, why))?,
        state: row.state,
        level: row.level.parse().map_err(|why: String| wrong(table, &row.incident, why))?,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        sensitive: row.sensitive,
    })
}

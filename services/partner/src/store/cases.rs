//! Table `partner_case`: what partner knows of cases that organisations may be offered: no reporter, no text.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::holder::{Holder, ORGANISATIONS};
use domain::id::{CategoryCode, IncidentId, PartnerId};
use platform::store::{Doing, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

use super::wrong_case;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "partner_case")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    pub category: String,
    pub area: String,
    pub holder: String,
    pub lon: f64,
    pub lat: f64,
    pub state: String,
    pub revision: i32,
    pub due_at: Option<DateTime<Utc>>,
    pub opened_at: DateTime<Utc>,
    /// `NULL` where nothing was heard of the case since this is kept.
    pub chosen_area: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A case as it was last heard of.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirrored {
    pub category: CategoryCode,
    pub area: AreaPath,
    pub holder: Holder,
    /// On WGS-84, degrees.
    pub lon: f64,
    pub lat: f64,
    pub state: String,
    pub revision: u32,
    /// By when it must be handled.
    pub due_at: Option<DateTime<Utc>>,
    pub opened_at: DateTime<Utc>,
    /// Whoever reported had no position and chose a grid: the point is one inside that, and not where it is.
    pub chosen_area: bool,
}

pub async fn load<C: ConnectionTrait>(
    connection: &C,
    incidents: &[IncidentId],
) -> Result<BTreeMap<IncidentId, Mirrored>, StoreError> {
    let rows =
        rows::load::<Entity>(connection, Column::Incident, incidents, "loading partner's cases").await?;
    rows.into_iter().map(|row| Ok((IncidentId(row.incident), mirrored(row)?))).collect()
}

pub async fn save(tx: &Tx, cases: &[(&IncidentId, &Mirrored)]) -> Result<(), StoreError> {
    let row = |(incident, case): &(&IncidentId, &Mirrored)| ActiveModel {
        incident: Set(incident.0),
        category: Set(case.category.0.clone()),
        area: Set(case.area.as_str().to_owned()),
        holder: Set(case.holder.to_string()),
        lon: Set(case.lon),
        lat: Set(case.lat),
        state: Set(case.state.clone()),
        revision: Set(case.revision.cast_signed()),
        due_at: Set(case.due_at),
        opened_at: Set(case.opened_at),
        chosen_area: Set(Some(case.chosen_area)),
    };
    rows::replace(tx, cases.iter().map(row).collect(), "saving partner's cases").await
}

/// How many open cases each organisation holds.
pub async fn busy<C: ConnectionTrait>(connection: &C) -> Result<BTreeMap<PartnerId, u32>, StoreError> {
    let prefix = format!("partner:{ORGANISATIONS}/");
    let counted: Vec<(String, i64)> = Entity::find()
        .select_only()
        .column(Column::Holder)
        .column_as(Column::Incident.count(), "cases")
        .filter(Column::Holder.gte(prefix.clone()))
        .filter(Column::Holder.lt(format!("{prefix}~")))
        .filter(Column::State.ne("CLOSED"))
        .group_by(Column::Holder)
        .into_tuple()
        .all(connection)
        .await
        .doing("counting what organisations hold")?;
    let of_holder = |(holder, cases): (String, i64)| {
        let holder: Holder = holder.parse().ok()?;
        Some((holder.partner()?, u32::try_from(cases).unwrap_or(u32::MAX)))
    };
    Ok(counted.into_iter().filter_map(of_holder).collect())
}

fn mirrored(row: Model) -> Result<Mirrored, StoreError> {
    let (table, id) = ("partner_case", row.incident);
    Ok(Mirrored {
        category: CategoryCode(row.category),
        area: row.area.parse().map_err(|fault| wrong_case(table, id, fault))?,
        holder: row.holder.parse().map_err(|why: String| wrong_case(table, id, why))?,
        lon: row.lon,
        lat: row.lat,
        state: row.state,
        revision: row.revision.cast_unsigned(),
        due_at: row.due_at,
        opened_at: row.opened_at,
        chosen_area: row.chosen_area.unwrap_or(false),
    })
}

//! Table `supervise_deadline`: every round of every deadline, with its verdict once it is met.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::id::IncidentId;
use platform::store::{StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use super::wrong;
use crate::DeadlineKey;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "supervise_deadline")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    pub area: String,
    pub start_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub provisional: bool,
    pub met_at: Option<DateTime<Utc>>,
    /// `on_time` or `overdue`, once met.
    pub verdict: Option<String>,
    /// Neither met nor moot.
    pub open: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One deadline as supervise keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadlineRow {
    pub area: AreaPath,
    pub start_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub provisional: bool,
    pub met_at: Option<DateTime<Utc>>,
    pub verdict: Option<String>,
    pub open: bool,
}

pub async fn load(
    tx: &Tx,
    incidents: &[IncidentId],
) -> Result<BTreeMap<DeadlineKey, DeadlineRow>, StoreError> {
    let table = "supervise_deadline";
    let mut deadlines = BTreeMap::new();
    for row in rows::load::<Entity>(tx, Column::Incident, incidents, "loading deadlines").await? {
        let kind = row.kind.parse().map_err(|why: String| wrong(table, &row.incident, why))?;
        let kept = DeadlineRow {
            area: row.area.parse().map_err(|why| wrong(table, &row.incident, why))?,
            start_at: row.start_at,
            due_at: row.due_at,
            provisional: row.provisional,
            met_at: row.met_at,
            verdict: row.verdict,
            open: row.open,
        };
        deadlines.insert((IncidentId(row.incident), kind, row.round.cast_unsigned()), kept);
    }
    Ok(deadlines)
}

pub async fn save(tx: &Tx, deadlines: &[(&DeadlineKey, &DeadlineRow)]) -> Result<(), StoreError> {
    let row = |((incident, kind, round), row): &(&DeadlineKey, &DeadlineRow)| ActiveModel {
        incident: Set(incident.0),
        kind: Set(kind.as_str().to_owned()),
        round: Set(round.cast_signed()),
        area: Set(row.area.as_str().to_owned()),
        start_at: Set(row.start_at),
        due_at: Set(row.due_at),
        provisional: Set(row.provisional),
        met_at: Set(row.met_at),
        verdict: Set(row.verdict.clone()),
        open: Set(row.open),
    };
    rows::replace(tx, deadlines.iter().map(row).collect(), "saving deadlines").await
}

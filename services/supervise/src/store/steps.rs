//! Table `supervise_step`: every step of every deadline, and when the sweep should look at it next.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::area::AreaPath;
use domain::deadline::Does;
use domain::id::IncidentId;
use platform::store::{Doing, Readers, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use super::wrong;
use crate::StepKey;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "supervise_step")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: i32,
    pub does: String,
    pub due_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
    /// When the sweep first told of it.
    pub noticed_at: Option<DateTime<Utc>>,
    /// When the sweep should look at it; `None`: never again.
    pub look_at: Option<DateTime<Utc>>,
    /// Where the case lay when it took effect; `NULL` also where it did before that was kept.
    pub done_in: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One step as supervise keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    pub does: Does,
    pub due_at: DateTime<Utc>,
    pub done_at: Option<DateTime<Utc>>,
    pub noticed_at: Option<DateTime<Utc>>,
    pub look_at: Option<DateTime<Utc>>,
    /// The area that the case lay in when it took effect: a case may be taken elsewhere after it, and what happened
    /// happened here. `None` also of what took effect before that was kept.
    pub done_in: Option<AreaPath>,
}

pub async fn load(tx: &Tx, incidents: &[IncidentId]) -> Result<BTreeMap<StepKey, StepRow>, StoreError> {
    let table = "supervise_step";
    let mut steps = BTreeMap::new();
    for row in rows::load::<Entity>(tx, Column::Incident, incidents, "loading steps").await? {
        let kind = row.kind.parse().map_err(|why: String| wrong(table, &row.incident, why))?;
        let key = (IncidentId(row.incident), kind, row.round.cast_unsigned(), row.step.cast_unsigned());
        let kept = StepRow {
            does: row.does.parse().map_err(|why: String| wrong(table, &row.incident, why))?,
            due_at: row.due_at,
            done_at: row.done_at,
            noticed_at: row.noticed_at,
            look_at: row.look_at,
            done_in: area(row.incident, row.done_in)?,
        };
        steps.insert(key, kept);
    }
    Ok(steps)
}

fn area(incident: Uuid, text: Option<String>) -> Result<Option<AreaPath>, StoreError> {
    let Some(text) = text else { return Ok(None) };
    text.parse::<AreaPath>().map(Some).map_err(|why| wrong("supervise_step", &incident, why))
}

pub async fn save(tx: &Tx, steps: &[(&StepKey, &StepRow)]) -> Result<(), StoreError> {
    let row = |((incident, kind, round, step), row): &(&StepKey, &StepRow)| ActiveModel {
        incident: Set(incident.0),
        kind: Set(kind.as_str().to_owned()),
        round: Set(round.cast_signed()),
        step: Set(step.cast_signed()),
        does: Set(row.does.as_str().to_owned()),
        due_at: Set(row.due_at),
        done_at: Set(row.done_at),
        noticed_at: Set(row.noticed_at),
        look_at: Set(row.look_at),
        done_in: Set(row.done_in.as_ref().map(|area| area.as_str().to_owned())),
    };
    rows::replace(tx, steps.iter().map(row).collect(), "saving steps").await
}

/// Incidents with a step to look at by `now`, the longest due first; at most `limit` steps' worth.
pub async fn due(tx: &Tx, now: DateTime<Utc>, limit: u64) -> Result<Vec<IncidentId>, StoreError> {
    let rows: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Incident)
        .filter(Column::LookAt.lte(now))
        .order_by_asc(Column::LookAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await
        .doing("finding due steps")?;
    Ok(rows.into_iter().map(IncidentId).collect())
}

/// Looks at the steps of `incident` no sooner than `until`.
pub async fn put_off(tx: &Tx, incident: IncidentId, until: DateTime<Utc>) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::LookAt, Expr::value(until))
        .filter(Column::Incident.eq(incident.0))
        .filter(Column::LookAt.lt(until))
        .exec(tx)
        .await
        .doing("putting off steps")?;
    Ok(())
}

/// When the sweep should look next.
pub async fn next(readers: &Readers) -> Result<Option<DateTime<Utc>>, StoreError> {
    Entity::find()
        .select_only()
        .column(Column::LookAt)
        .filter(Column::LookAt.is_not_null())
        .order_by_asc(Column::LookAt)
        .limit(1)
        .into_tuple()
        .one(readers)
        .await
        .doing("finding the next due step")
}

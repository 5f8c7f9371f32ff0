//! Table `handle_history`: what happened to each case, one row a fact, under the fact's own sequence.

use chrono::{DateTime, Utc};
use domain::case::Happened;
use domain::id::IncidentId;
use platform::store::{Doing, StoreError, Tx, rows};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "handle_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub kind: String,
    /// When it counts as having happened.
    pub at: DateTime<Utc>,
    /// When we noticed.
    pub noticed_at: DateTime<Utc>,
    pub person: Option<String>,
    /// JSON, as in the fact.
    pub happened: String,
    /// The person's words; they never leave this table.
    pub note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One line of a case's history.
#[derive(Clone, Debug)]
pub struct Entry {
    pub incident: IncidentId,
    pub sequence: i64,
    pub at: DateTime<Utc>,
    pub noticed_at: DateTime<Utc>,
    pub happened: Happened,
    pub note: Option<String>,
}

pub async fn save(tx: &Tx, entries: &[Entry]) -> Result<(), StoreError> {
    rows::insert(tx, entries.iter().map(row).collect(), "saving history").await
}

/// The history of one case, oldest first.
pub async fn of_case<C: ConnectionTrait>(
    connection: &C,
    incident: IncidentId,
) -> Result<Vec<Entry>, StoreError> {
    let rows = Entity::find()
        .filter(Column::Incident.eq(incident.0))
        .order_by_asc(Column::Sequence)
        .all(connection)
        .await
        .doing("loading the history of a case")?;
    rows.into_iter().map(entry).collect()
}

fn row(entry: &Entry) -> ActiveModel {
    ActiveModel {
        incident: Set(entry.incident.0),
        sequence: Set(entry.sequence),
        kind: Set(entry.happened.fact_type().to_owned()),
        at: Set(entry.at),
        noticed_at: Set(entry.noticed_at),
        person: Set(entry.happened.by().map(|person| person.0.clone())),
        happened: Set(serde_json::to_string(&entry.happened).expect("what happened is plain data")),
        note: Set(entry.note.clone()),
    }
}

fn entry(row: Model) -> Result<Entry, StoreError> {
    let happened = serde_json::from_str(&row.happened).map_err(|error| StoreError::Inconsistent {
        table: "handle_history",
        id: format!("{}/{}", row.incident, row.sequence),
        why: error.to_string(),
    })?;
    Ok(Entry {
        incident: IncidentId(row.incident),
        sequence: row.sequence,
        at: row.at,
        noticed_at: row.noticed_at,
        happened,
        note: row.note,
    })
}

//! Table `discover_report`: every report ever answered 201, by incident; unique by reporter and client id.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::{IncidentId, PersonId};
use platform::store::{Doing, ROWS_PER_INSERT, StoreError, Tx};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, QuerySelect, Statement, Value};

use crate::submit::Checked;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "discover_report")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub incident: Uuid,
    pub reporter: String,
    pub client_id: String,
    /// Tells whether the same client id came with the same report.
    pub digest: String,
    pub category: String,
    pub description: String,
    pub lon: f64,
    pub lat: f64,
    pub datum: String,
    pub accuracy_m: Option<f64>,
    pub source: Option<String>,
    pub captured_at: Option<DateTime<Utc>>,
    pub promise: String,
    pub filed_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What is known under a reporter and client id: the incident and the digest of its report.
pub type Known = BTreeMap<(PersonId, String), (IncidentId, String)>;

/// A report to save.
pub struct Row {
    pub incident: IncidentId,
    pub checked: Checked,
    pub filed_at: DateTime<Utc>,
}

/// What is known under any of `client_ids`.
pub async fn known(tx: &Tx, client_ids: &[&str]) -> Result<Known, StoreError> {
    if tx.get_database_backend() == DbBackend::Postgres && !client_ids.is_empty() {
        wait_for_the_others(tx, client_ids).await?;
    }
    let mut known = Known::new();
    for some in client_ids.chunks(ROWS_PER_INSERT) {
        let rows: Vec<(Uuid, String, String, String)> = Entity::find()
            .select_only()
            .columns([Column::Incident, Column::Reporter, Column::ClientId, Column::Digest])
            .filter(Column::ClientId.is_in(some.iter().copied()))
            .into_tuple()
            .all(tx)
            .await
            .doing("looking up client ids")?;
        for (incident, reporter, client_id, digest) in rows {
            known.insert((PersonId(reporter), client_id), (IncidentId(incident), digest));
        }
    }
    Ok(known)
}

/// Two instances may be given one client id at once, as by a double tap: the second waits for the first, and then
/// knows its report. Always in one order, so that no two wait for each other.
async fn wait_for_the_others(tx: &Tx, client_ids: &[&str]) -> Result<(), StoreError> {
    let mut ids = client_ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("(${place})")).collect();
    let sql = format!(
        "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(id, 0) AS key \
         FROM (VALUES {}) AS given (id) ORDER BY key) AS keys",
        places.join(", ")
    );
    let values = ids.into_iter().map(Value::from);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    tx.query_all_raw(statement).await.doing("waiting for the same client ids")?;
    Ok(())
}

pub async fn save(tx: &Tx, rows: Vec<Row>) -> Result<(), StoreError> {
    let mut models = rows.into_iter().map(model).peekable();
    while models.peek().is_some() {
        let some: Vec<ActiveModel> = models.by_ref().take(ROWS_PER_INSERT).collect();
        Entity::insert_many(some).exec_without_returning(tx).await.doing("saving reports")?;
    }
    Ok(())
}

/// One report, for its own reporter.
pub async fn find<C: ConnectionTrait>(
    connection: &C,
    incident: IncidentId,
) -> Result<Option<Model>, StoreError> {
    Entity::find_by_id(incident.0).one(connection).await.doing("looking up a report")
}

fn model(row: Row) -> ActiveModel {
    let Row { incident, checked, filed_at } = row;
    let place = checked.report.place;
    let promise = serde_json::to_string(&checked.report.promise).expect("a promise is plain data");
    ActiveModel {
        incident: Set(incident.0),
        reporter: Set(checked.report.reporter.0),
        client_id: Set(checked.client_id),
        digest: Set(checked.digest),
        category: Set(checked.report.category.0),
        description: Set(checked.description),
        lon: Set(place.lon),
        lat: Set(place.lat),
        datum: Set(place.datum.as_str().to_owned()),
        accuracy_m: Set(place.accuracy_m),
        source: Set(place.source),
        captured_at: Set(place.captured_at),
        promise: Set(promise),
        filed_at: Set(filed_at),
    }
}

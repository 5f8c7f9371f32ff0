//! Table `discover_report`: every report ever answered 201, by incident; unique by reporter and client id.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::{IncidentId, PersonId};
use platform::store::{Doing, ROWS_PER_INSERT, StoreError, Tx, rows};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QuerySelect};

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
    pub registered_area: Option<String>,
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
    let mut known = Known::new();
    for some in client_ids.chunks(ROWS_PER_INSERT) {
        // Each number of ids is a text of its own, and planned for the table as it is now: a plan made while the table
        // was empty reads all of it, and would be kept.
        let among = Column::ClientId.is_in(some.iter().copied());
        let rows: Vec<(Uuid, String, String, String)> = Entity::find()
            .select_only()
            .columns([Column::Incident, Column::Reporter, Column::ClientId, Column::Digest])
            .filter(among)
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

/// Two instances may be given one client id at once, as by a double tap: the database takes one of them, and the other
/// turn, run again, knows its report.
pub async fn save(tx: &Tx, rows: Vec<Row>) -> Result<(), StoreError> {
    rows::insert(tx, rows.into_iter().map(model).collect(), "saving reports").await
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
        registered_area: Set(checked.report.registered_area),
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

/// The incident that a person's client id stands for.
pub async fn of_client_id<C: ConnectionTrait>(
    connection: &C,
    reporter: &PersonId,
    client_id: &str,
) -> Result<Option<IncidentId>, StoreError> {
    let find = Entity::find()
        .filter(Column::ClientId.eq(client_id))
        .filter(Column::Reporter.eq(reporter.0.as_str()));
    let report = find.one(connection).await.doing("looking up a client id")?;
    Ok(report.map(|report| IncidentId(report.incident)))
}

//! Per incident: the sequence last drawn on the service's own topic, and the one last taken from each
//! topic it reads. Table `SERVICE_sequence (topic, incident) → last`.

use std::collections::BTreeMap;

use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend};

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, get, get_incident, iden, table};

/// The sequences of some incidents on one topic.
pub type Sequences = BTreeMap<IncidentId, i64>;

/// Loads the sequences of `incidents` (sorted) on the service's own topic, and locks their rows where the
/// database locks rows, so that no other turn decides about them meanwhile. A row that is not there yet is
/// made, for there has to be something to lock; it goes with the turn if that is rolled back.
pub async fn lock(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<Sequences, StoreError> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return load(tx, service, topic, incidents).await;
    }
    let mut sequences = Sequences::new();
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let mut make = Query::insert()
            .into_table(table(service, "sequence"))
            .columns([iden("topic"), iden("incident"), iden("last")])
            .on_conflict(OnConflict::columns([iden("topic"), iden("incident")]).do_nothing().to_owned())
            .to_owned();
        for incident in some {
            make.values_panic([topic.as_str().into(), incident.0.into(), 0_i64.into()]);
        }
        tx.execute(&make).await.doing("making rows to lock")?;
        // In id order, as everybody locks them: two turns never wait for each other.
        let select =
            select(service, topic, some).order_by(iden("incident"), Order::Asc).lock_exclusive().to_owned();
        for row in tx.query_all(&select).await.doing("locking incidents")? {
            sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
        }
    }
    Ok(sequences)
}

fn select(service: &'static str, topic: Topic, incidents: &[IncidentId]) -> SelectStatement {
    Query::select()
        .columns([iden("incident"), iden("last")])
        .from(table(service, "sequence"))
        .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
        .and_where(Expr::col(iden("incident")).is_in(incidents.iter().map(|incident| incident.0)))
        .to_owned()
}

/// Loads the sequences of `incidents` on `topic`.
pub async fn load(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<Sequences, StoreError> {
    let mut sequences = Sequences::new();
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let select = select(service, topic, some);
        for row in tx.query_all(&select).await.doing("loading sequences")? {
            sequences.insert(get_incident(&row, "incident")?, get(&row, "last")?);
        }
    }
    Ok(sequences)
}

/// Saves the sequences that changed.
pub async fn save(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    sequences: &Sequences,
) -> Result<(), StoreError> {
    let rows: Vec<_> = sequences.iter().collect();
    for some in rows.chunks(ROWS_PER_INSERT) {
        let mut insert = Query::insert()
            .into_table(table(service, "sequence"))
            .columns([iden("topic"), iden("incident"), iden("last")])
            .on_conflict(
                OnConflict::columns([iden("topic"), iden("incident")]).update_column(iden("last")).to_owned(),
            )
            .to_owned();
        for (incident, last) in some {
            insert.values_panic([topic.as_str().into(), incident.0.into(), (**last).into()]);
        }
        tx.execute(&insert).await.doing("saving sequences")?;
    }
    Ok(())
}

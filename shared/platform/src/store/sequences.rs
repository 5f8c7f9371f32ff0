//! Per incident: the sequence last drawn on the service's own topic, and the one last taken from each
//! topic it reads. Table `SERVICE_sequence (topic, incident) → last`.

use std::collections::BTreeMap;

use domain::facts::Topic;
use domain::id::IncidentId;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, get, get_incident, iden, table};

/// The sequences of some incidents on one topic.
pub type Sequences = BTreeMap<IncidentId, i64>;

/// Loads, and locks where the database locks rows, the sequences of `incidents` on `topic`.
pub async fn load(
    tx: &Tx,
    service: &'static str,
    topic: Topic,
    incidents: &[IncidentId],
) -> Result<Sequences, StoreError> {
    let mut sequences = Sequences::new();
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let select = Query::select()
            .columns([iden("incident"), iden("last")])
            .from(table(service, "sequence"))
            .and_where(Expr::col(iden("topic")).eq(topic.as_str()))
            .and_where(Expr::col(iden("incident")).is_in(some.iter().map(|incident| incident.0)))
            .to_owned();
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

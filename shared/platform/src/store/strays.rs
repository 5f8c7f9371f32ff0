//! Facts on a service's own topic that it never wrote, once somebody has taken note of them: table `SERVICE_stray`. Their
//! sequences count as drawn from then on, and the audit knows them.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::Query;

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx, iden, table};
use crate::stream::Record;

const COLUMNS: [&str; 8] =
    ["incident", "sequence", "kind", "partition", "position", "noted_by", "why", "noted_at"];

/// Who takes note of a stray fact, why, and when.
#[derive(Clone, Debug)]
pub struct Note {
    pub by: String,
    /// What is known of where it came from.
    pub why: String,
    pub at: DateTime<Utc>,
}

/// Takes note of `strays`, none of which was noted before.
pub async fn keep(tx: &Tx, service: &'static str, strays: &[Record], note: &Note) -> Result<(), StoreError> {
    for some in strays.chunks(ROWS_PER_INSERT) {
        let mut insert =
            Query::insert().into_table(table(service, "stray")).columns(COLUMNS.map(iden)).to_owned();
        for stray in some {
            insert.values_panic([
                stray.incident.0.into(),
                stray.sequence.into(),
                stray.kind.as_str().into(),
                stray.source.partition.into(),
                stray.position.into(),
                note.by.as_str().into(),
                note.why.as_str().into(),
                note.at.into(),
            ]);
        }
        tx.execute(&insert).await.doing("taking note of stray facts")?;
    }
    Ok(())
}

//! A case together with its history, as both were at one moment.

use domain::case::Case;
use domain::id::IncidentId;
use platform::store::{Doing, Store, StoreError};
use sea_orm::TransactionTrait;

use super::cases;
use super::history::{self, Entry};

/// Reads both in one transaction: a turn may commit between two reads, and a row would then be shown
/// beside the history of another revision.
pub async fn read(store: &Store, incident: IncidentId) -> Result<Option<(Case, Vec<Entry>)>, StoreError> {
    let tx = store.readers().begin().await.doing("beginning to read a case")?;
    let case = cases::load(&tx, &[incident]).await?.remove(&incident);
    let whole = match case {
        Some(case) => Some((case, history::of_case(&tx, incident).await?)),
        None => None,
    };
    tx.rollback().await.doing("ending the reading of a case")?;
    Ok(whole)
}

//! A case together with its history and its reporter's words, as all were at one moment.

use domain::case::Case;
use domain::id::IncidentId;
use platform::store::{Doing, Store, StoreError};
use sea_orm::TransactionTrait;

use super::history::{self, Entry};
use super::{cases, words};

/// All there is of one case.
#[derive(Clone, Debug)]
pub struct Whole {
    pub case: Case,
    /// Oldest first.
    pub history: Vec<Entry>,
    /// None where nothing was written, and of sensitive categories.
    pub words: Option<String>,
}

/// Reads all of it in one transaction: a turn may commit between two reads, and a row would then be shown
/// beside the history of another revision.
pub async fn read(store: &Store, incident: IncidentId) -> Result<Option<Whole>, StoreError> {
    let tx = store.readers().begin().await.doing("beginning to read a case")?;
    let case = cases::load(&tx, &[incident]).await?.remove(&incident);
    let whole = match case {
        Some(case) => Some(Whole {
            case,
            history: history::of_case(&tx, incident).await?,
            words: words::of_case(&tx, incident).await?,
        }),
        None => None,
    };
    tx.rollback().await.doing("ending the reading of a case")?;
    Ok(whole)
}

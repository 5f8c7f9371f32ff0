//! Table `gridward_replay`: how far a file has been replayed into this folder.

use platform::store::{Doing, Store, StoreError, get};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};

/// Progress of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What the run was asked for; another run of the same file must ask for the same.
    pub settings: String,
    pub windows_done: i64,
    /// JSON of what was counted.
    pub counted: String,
}

fn name(text: &'static str) -> Alias {
    Alias::new(text)
}

/// The progress of the file with this digest, if it was begun.
pub async fn load(store: &Store, file_digest: &str) -> Result<Option<Progress>, StoreError> {
    let select = Query::select()
        .columns(["settings", "windows_done", "counted"].map(name))
        .from(name("gridward_replay"))
        .and_where(Expr::col(name("file_digest")).eq(file_digest))
        .to_owned();
    let Some(row) = store.readers().query_one(&select).await.doing("loading the progress of a replay")?
    else {
        return Ok(None);
    };
    Ok(Some(Progress {
        settings: get(&row, "settings")?,
        windows_done: get(&row, "windows_done")?,
        counted: get(&row, "counted")?,
    }))
}

/// Whether another file was begun in this folder.
pub async fn other_begun(store: &Store, file_digest: &str) -> Result<bool, StoreError> {
    let select = Query::select()
        .column(name("file_digest"))
        .from(name("gridward_replay"))
        .and_where(Expr::col(name("file_digest")).ne(file_digest))
        .to_owned();
    Ok(store.readers().query_one(&select).await.doing("looking for other replays")?.is_some())
}

/// Whether this folder is a replay's.
pub async fn any(store: &Store) -> Result<bool, StoreError> {
    other_begun(store, "").await
}

pub async fn save(store: &Store, file_digest: &str, progress: &Progress) -> Result<(), StoreError> {
    let columns = ["file_digest", "settings", "windows_done", "counted"];
    let insert = Query::insert()
        .into_table(name("gridward_replay"))
        .columns(columns.map(name))
        .values_panic([
            file_digest.into(),
            progress.settings.as_str().into(),
            progress.windows_done.into(),
            progress.counted.as_str().into(),
        ])
        .on_conflict(
            OnConflict::column(name("file_digest"))
                .update_columns(columns[1..].iter().copied().map(name))
                .to_owned(),
        )
        .to_owned();
    store.writer().execute(&insert).await.doing("saving the progress of a replay")?;
    Ok(())
}

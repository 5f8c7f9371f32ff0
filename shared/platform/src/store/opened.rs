//! The file of a database as it was opened. SQLite goes on writing to it wherever it is moved, also to nowhere; so before
//! a turn writes, it is looked whether the file that lies there is still the one that was opened.

use std::fs::{Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sea_orm::{DbErr, RuntimeErr};

use super::StoreError;

/// A file, and which one it was.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    path: PathBuf,
    id: Option<FileId>,
}

/// Device and inode: what stays the same of a file that is renamed.
type FileId = (u64, u64);

fn id_of(metadata: &Metadata) -> FileId {
    (metadata.dev(), metadata.ino())
}

impl Opened {
    /// After it was opened.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), id: std::fs::metadata(path).ok().as_ref().map(id_of) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// [`StoreError::Moved`] when another file lies there now, or none.
    pub fn is_in_place(&self) -> Result<(), StoreError> {
        let there = std::fs::metadata(&self.path).ok().as_ref().map(id_of);
        if there.is_some() && there == self.id {
            return Ok(());
        }
        Err(StoreError::Moved { file: self.path.display().to_string() })
    }
}

/// Makes an empty file where there is none. Connections never do, or one that is opened later could make a second database
/// in the place of one that was moved away. Nobody else on this machine may read it: SQLite gives its other files the
/// same rights.
///
/// # Errors
/// When it cannot be made or written to.
pub(super) fn make(file: &Path) -> Result<(), DbErr> {
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    let failed = |error| DbErr::Conn(RuntimeErr::Internal(format!("{}: {error}", file.display())));
    made.map(|_| ()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::super::{FILE, Store};
    use super::*;
    use sea_orm::ConnectionTrait;

    async fn writes(store: &Store) -> Result<(), StoreError> {
        let tx = store.begin().await?;
        tx.execute_unprepared("INSERT INTO word VALUES ('one')").await.unwrap();
        super::super::commit(tx, "writing a word").await
    }

    #[tokio::test]
    async fn nothing_is_written_to_a_file_that_was_moved_away_or_replaced_until_it_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let (file, elsewhere) = (folder.path().join(FILE), folder.path().join("elsewhere"));
        let store = Store::open(folder.path()).await.unwrap();
        store.writer().execute_unprepared("CREATE TABLE word (word TEXT)").await.unwrap();
        writes(&store).await.unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(
                file.metadata().unwrap().mode() & 0o777,
                0o600,
                "{:?} is its owner's alone",
                file.path()
            );
        }

        std::fs::rename(&file, &elsewhere).unwrap();
        let moved = writes(&store).await.unwrap_err();
        assert!(moved.may_pass(), "it may be put back");
        let said = moved.to_string();
        for part in [FILE, "was moved away or replaced", "Put it back", "移回"] {
            assert!(said.contains(part), "`{part}` is not in {said}");
        }
        std::fs::copy(&elsewhere, &file).unwrap();
        assert!(matches!(writes(&store).await, Err(StoreError::Moved { .. })), "a copy is another file");
        std::fs::rename(&elsewhere, &file).unwrap();
        writes(&store).await.unwrap();
        store.in_place().unwrap();
        store.close().await.unwrap();
    }

    #[tokio::test]
    async fn no_connection_makes_a_database_in_the_place_of_one_that_was_moved_away() {
        let folder = tempfile::tempdir().unwrap();
        let (file, elsewhere) = (folder.path().join(FILE), folder.path().join("elsewhere"));
        let store = Store::open(folder.path()).await.unwrap();
        // A pool opens connections as it needs them, so also while the file is away.
        std::fs::rename(&file, &elsewhere).unwrap();
        let late = super::super::connect(&file, 1, false).await;
        assert!(late.is_err() && !file.exists());
        std::fs::rename(&elsewhere, &file).unwrap();
        store.close().await.unwrap();
    }
}

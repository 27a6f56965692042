//! The ledger in a file, for a server that is alone: what is written outlives the process, even one that is killed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::Lost;
use crate::caller::Digest;
use crate::request::RequestId;

/// How long one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS place (name TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS text (name BLOB PRIMARY KEY, text TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS text_until ON text (until);
";

/// A file of the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(#[from] rusqlite::Error);

#[derive(Debug, Clone)]
pub(super) struct File(Arc<Mutex<Connection>>);

impl File {
    /// Opens the file, and gives the name under which its ledger is known.
    pub(super) fn open(path: &Path) -> Result<(Self, String), Unusable> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(SCHEMA)?;
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known: Option<String> =
            change.query_row("SELECT name FROM place", [], |row| row.get(0)).optional()?;
        let place = if let Some(place) = known {
            place
        } else {
            let place = format!("file-{}", RequestId::random());
            change.execute("INSERT INTO place (name) VALUES (?1)", [&place])?;
            place
        };
        change.commit()?;
        Ok((Self(Arc::new(Mutex::new(connection))), place))
    }

    pub(super) async fn put_new(
        &self,
        name: Digest,
        text: String,
        life: Duration,
    ) -> Result<Option<String>, Lost> {
        self.run(move |connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change.execute("DELETE FROM text WHERE until <= ?1", [now()])?;
            let held = change
                .query_row("SELECT text FROM text WHERE name = ?1", [name], |row| row.get(0))
                .optional()?;
            if held.is_none() {
                let row = params![name, text, until(life)];
                change.execute("INSERT INTO text (name, text, until) VALUES (?1, ?2, ?3)", row)?;
            }
            change.commit()?;
            Ok(held)
        })
        .await
    }

    pub(super) async fn put(&self, name: Digest, text: String, life: Duration) -> Result<(), Lost> {
        self.run(move |connection| {
            let row = params![name, text, until(life)];
            let write = "INSERT OR REPLACE INTO text (name, text, until) VALUES (?1, ?2, ?3)";
            connection.execute(write, row).map(|_| ())
        })
        .await
    }

    pub(super) async fn get(&self, name: Digest) -> Result<Option<String>, Lost> {
        self.run(move |connection| {
            let read = "SELECT text FROM text WHERE name = ?1 AND until > ?2";
            connection.query_row(read, params![name, now()], |row| row.get(0)).optional()
        })
        .await
    }

    pub(super) async fn remove(&self, name: Digest) -> Result<(), Lost> {
        self.run(move |connection| {
            connection.execute("DELETE FROM text WHERE name = ?1", [name]).map(|_| ())
        })
        .await
    }

    /// Runs one statement where waiting for a disk holds up nobody else.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Lost> {
        let connection = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            // A transaction that panicked was rolled back.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        });
        match done.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(err)) => {
                tracing::error!(error = %err, "the ledger of changes cannot be used");
                Err(Lost)
            }
            Err(_) => Err(Lost),
        }
    }
}

/// Milliseconds since 1970: a file outlives the process, whose own clock begins with it.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn until(life: Duration) -> i64 {
    now().saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn what_is_written_is_there_when_the_file_is_opened_again_and_by_another_at_once() {
        let path = std::env::temp_dir().join(format!("ledger-{}", RequestId::random()));
        let (one, place) = File::open(&path).unwrap();
        assert_eq!(one.put_new([1; 32], "a".to_owned(), LIFE).await, Ok(None));
        assert_eq!(one.put_new([2; 32], "b".to_owned(), Duration::ZERO).await, Ok(None));
        let (two, same) = File::open(&path).unwrap();
        assert_eq!(place, same);
        assert_eq!(two.put_new([1; 32], "c".to_owned(), LIFE).await, Ok(Some("a".to_owned())));
        assert_eq!(two.get([2; 32]).await, Ok(None), "its time is over");
        assert_eq!(two.put([1; 32], "d".to_owned(), LIFE).await, Ok(()));
        assert_eq!(one.get([1; 32]).await, Ok(Some("d".to_owned())));
        assert_eq!(one.remove([1; 32]).await, Ok(()));
        assert_eq!(two.get([1; 32]).await, Ok(None));
        drop((one, two));
        std::fs::remove_file(&path).unwrap();
    }
}

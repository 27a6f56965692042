//! The ledger in a file, for a server that is alone: what is written outlives the process, even one that is killed.
//!
//! The file counts what each tenant has, so that none fills it for the others, and it does not grow without end.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{Lost, Name};
use crate::request::RequestId;

/// How long one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes of all texts.
pub(super) const MOST_BYTES: i64 = 256 * 1024 * 1024;

/// What the file keeps of a text besides its letters.
const OVERHEAD: usize = 200;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS place (name TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS entry (name BLOB PRIMARY KEY, tenant BLOB NOT NULL, text TEXT NOT NULL, size INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS entry_until ON entry (until);
    CREATE TABLE IF NOT EXISTS part (tenant BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TRIGGER IF NOT EXISTS entry_comes AFTER INSERT ON entry BEGIN
        INSERT INTO part (tenant, bytes) VALUES (new.tenant, new.size)
            ON CONFLICT (tenant) DO UPDATE SET bytes = bytes + excluded.bytes;
    END;
    CREATE TRIGGER IF NOT EXISTS entry_goes AFTER DELETE ON entry BEGIN
        UPDATE part SET bytes = bytes - old.size WHERE tenant = old.tenant;
        DELETE FROM part WHERE tenant = old.tenant AND bytes <= 0;
    END;
";

/// A file of the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(#[from] rusqlite::Error);

#[derive(Debug, Clone)]
pub(super) struct File {
    connection: Arc<Mutex<Connection>>,
    most_bytes: i64,
}

impl File {
    /// Opens the file, and gives the name under which its ledger is known.
    pub(super) fn open(path: &Path, most_bytes: i64) -> Result<(Self, String), Unusable> {
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
        Ok((Self { connection: Arc::new(Mutex::new(connection)), most_bytes }, place))
    }

    pub(super) async fn put_new(
        &self,
        name: Name,
        text: String,
        life: Duration,
    ) -> Result<Option<String>, Lost> {
        let most = self.most_bytes;
        let done = self.change(move |change| {
            let read = "SELECT text FROM entry WHERE name = ?1";
            let held = change.query_row(read, [name.digest], |row| row.get(0)).optional()?;
            match held {
                Some(held) => Ok(Some(Some(held))),
                None => Ok(insert(change, (name, most), &text, life)?.then_some(None)),
            }
        });
        done.await?.ok_or(Lost)
    }

    pub(super) async fn put(&self, name: Name, text: String, life: Duration) -> Result<(), Lost> {
        let most = self.most_bytes;
        let done = self.change(move |change| {
            change.execute("DELETE FROM entry WHERE name = ?1", [name.digest])?;
            Ok(insert(change, (name, most), &text, life)?.then_some(()))
        });
        done.await?.ok_or(Lost)
    }

    pub(super) async fn get(&self, name: Name) -> Result<Option<String>, Lost> {
        self.run(move |connection| {
            let read = "SELECT text FROM entry WHERE name = ?1 AND until > ?2";
            connection.query_row(read, params![name.digest, now()], |row| row.get(0)).optional()
        })
        .await
    }

    pub(super) async fn remove(&self, names: Vec<Name>) -> Result<(), Lost> {
        let done = self.change(move |change| {
            let mut remove = change.prepare("DELETE FROM entry WHERE name = ?1")?;
            names.iter().try_for_each(|name| remove.execute([name.digest]).map(|_| ()))?;
            Ok(Some(()))
        });
        done.await?.ok_or(Lost)
    }

    /// Changes the file where nothing speaks against it; what gives nothing changes nothing.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Option<T>> + Send + 'static,
    ) -> Result<Option<T>, Lost> {
        self.run(move |connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            change.execute("DELETE FROM entry WHERE until <= ?1", [now()])?;
            let done = work(&change)?;
            if done.is_some() {
                change.commit()?;
            }
            Ok(done)
        })
        .await
    }

    /// Runs one statement where waiting for a disk holds up nobody else.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Lost> {
        let connection = self.connection.clone();
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

/// Writes a text, and tells whether there was room: a tenant may have as much as it leaves free, so that none fills the file for the others.
fn insert(
    change: &Transaction<'_>,
    (name, most): (Name, i64),
    text: &str,
    life: Duration,
) -> rusqlite::Result<bool> {
    let size = i64::try_from(text.len() + OVERHEAD).unwrap_or(i64::MAX);
    let row = params![name.digest, name.tenant, text, size, until(life)];
    change.execute(
        "INSERT INTO entry (name, tenant, text, size, until) VALUES (?1, ?2, ?3, ?4, ?5)",
        row,
    )?;
    let room = "SELECT bytes <= ?1 - (SELECT sum(bytes) FROM part) FROM part WHERE tenant = ?2";
    change.query_row(room, params![most, name.tenant], |row| row.get(0))
}

/// Milliseconds since 1970: a file outlives the process, whose own clock begins with it.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn until(life: Duration) -> i64 {
    now().saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
}

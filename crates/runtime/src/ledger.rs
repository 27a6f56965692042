//! What must be remembered of changes: used plans, first results, what became of each target. It knows names and texts, not what they mean.
//!
//! In this process, in a file, or in the Redis that all replicas share; what is written outlives its call, and is never written over unnoticed.

mod file;
mod memory;

pub use self::file::Unusable;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redis::Script;
use sha2::{Digest as _, Sha256};

use self::file::File;
use self::memory::Memory;
use crate::caller::Digest;
use crate::failure::Failure;
use crate::request::RequestId;
use crate::shared::{Gone, Shared};
use crate::text::hex;

/// Writes a text unless there is one, and tells which one is there.
const PUT_NEW: &str = "local held = redis.call('GET', KEYS[1]) if held then return held end redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return false";

/// Texts by name, each for a while.
#[derive(Debug)]
pub struct Ledger {
    /// Where it lies: what was remembered elsewhere is not known here.
    place: String,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Here(Memory),
    File(File),
    Shared { shared: Arc<Shared>, put_new: Script },
}

/// What the ledger is asked for is not to be had: it is full, or Redis does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger of changes does not answer")]
pub(crate) struct Lost;

impl From<Gone> for Lost {
    fn from(_: Gone) -> Self {
        Self
    }
}

impl From<Lost> for Failure {
    fn from(_: Lost) -> Self {
        Self::new("ledger_unavailable", "the server cannot remember the change, so it was not made")
            .with_hint(
                "Nothing was sent. Try again; if it persists, tell the operator of this server.",
            )
    }
}

/// The name of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    /// Whose it is.
    tenant: Digest,
    /// Which one it is; no two tenants have the same.
    digest: Digest,
}

/// The name of a text: whose it is, what it is, and which one.
pub(crate) fn name(kind: &str, tenant: Digest, parts: &[&[u8]]) -> Name {
    let start = Sha256::new().chain_update(kind).chain_update([0]).chain_update(tenant);
    let hash = parts.iter().fold(start, |hash, part| {
        hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    Name { tenant, digest: hash.finalize().into() }
}

impl Ledger {
    /// A ledger in this process, which ends with it.
    pub(crate) fn here() -> Self {
        Self { place: RequestId::random().to_string(), kept: Kept::Here(Memory::default()) }
    }

    /// A ledger in a file, which is made where there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or is something else.
    pub fn in_file(path: &Path) -> Result<Self, Unusable> {
        let (file, place) = File::open(path)?;
        Ok(Self { place, kept: Kept::File(file) })
    }

    /// A ledger in the Redis that all replicas share.
    pub(crate) fn shared(shared: Arc<Shared>) -> Self {
        let kept = Kept::Shared { shared, put_new: Script::new(PUT_NEW) };
        Self { place: "shared".to_owned(), kept }
    }

    /// Names where this ledger lies: a plan is known only there.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Writes a text for a while, unless there is one of this name, which it gives.
    pub(crate) async fn put_new(
        &self,
        name: Name,
        text: &str,
        life: Duration,
    ) -> Result<Option<String>, Lost> {
        match &self.kept {
            Kept::Here(memory) => memory.put_new(name, text, life),
            Kept::File(file) => file.put_new(name.digest, text.to_owned(), life).await,
            Kept::Shared { shared, put_new } => {
                let mut call = put_new.key(shared.name("ledger", &hex(&name.digest)));
                call.arg(text).arg(milliseconds(life));
                let call = &call;
                Ok(shared
                    .run(|mut redis| async move { call.invoke_async(&mut redis).await })
                    .await?)
            }
        }
    }

    /// Writes a text over whatever there is.
    pub(crate) async fn put(&self, name: Name, text: &str, life: Duration) -> Result<(), Lost> {
        match &self.kept {
            Kept::Here(memory) => memory.put(name, text, life),
            Kept::File(file) => file.put(name.digest, text.to_owned(), life).await,
            Kept::Shared { shared, .. } => {
                let mut set = redis::cmd("SET");
                set.arg(shared.name("ledger", &hex(&name.digest))).arg(text);
                set.arg("PX").arg(milliseconds(life));
                Ok(shared.run(|mut redis| async move { set.exec_async(&mut redis).await }).await?)
            }
        }
    }

    /// Reads a text.
    pub(crate) async fn get(&self, name: Name) -> Result<Option<String>, Lost> {
        match &self.kept {
            Kept::Here(memory) => Ok(memory.get(name)),
            Kept::File(file) => file.get(name.digest).await,
            Kept::Shared { shared, .. } => {
                let mut get = redis::cmd("GET");
                get.arg(shared.name("ledger", &hex(&name.digest)));
                Ok(shared.run(|mut redis| async move { get.query_async(&mut redis).await }).await?)
            }
        }
    }

    /// Forgets a text.
    pub(crate) async fn remove(&self, name: Name) -> Result<(), Lost> {
        match &self.kept {
            Kept::Here(memory) => {
                memory.remove(name);
                Ok(())
            }
            Kept::File(file) => file.remove(name.digest).await,
            Kept::Shared { shared, .. } => {
                let mut del = redis::cmd("DEL");
                del.arg(shared.name("ledger", &hex(&name.digest)));
                Ok(shared.run(|mut redis| async move { del.exec_async(&mut redis).await }).await?)
            }
        }
    }
}

fn milliseconds(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX)
}

//! What must be remembered of changes: used plans, first results, what became of each target. It knows names and texts, not what they mean.
//!
//! In this process, in a file, or in the Redis that all replicas share; what is written outlives its call, and is never written over unnoticed.

mod file;
mod memory;
mod replicated;
#[cfg(test)]
mod tests;

pub use self::file::Unusable;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use self::file::File;
use self::memory::Memory;
use self::replicated::Replicated;
use crate::caller::Digest;
use crate::failure::Failure;
use crate::request::RequestId;
use crate::shared::{Gone, Shared};

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
    Shared(Replicated),
}

/// What the ledger is asked for is not to be had: it is full for this tenant, or the disk or Redis does not answer.
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
        let (file, place) = File::open(path, file::MOST_BYTES)?;
        Ok(Self { place, kept: Kept::File(file) })
    }

    /// A ledger in the Redis that all replicas share.
    pub(crate) fn shared(shared: Arc<Shared>) -> Self {
        let replicated = Replicated::new(shared, replicated::MOST_BYTES);
        Self { place: "shared".to_owned(), kept: Kept::Shared(replicated) }
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
            Kept::File(file) => file.put_new(name, text.to_owned(), life).await,
            Kept::Shared(redis) => redis.put_new(name, text, life).await,
        }
    }

    /// Writes a text over whatever there is.
    pub(crate) async fn put(&self, name: Name, text: &str, life: Duration) -> Result<(), Lost> {
        match &self.kept {
            Kept::Here(memory) => memory.put(name, text, life),
            Kept::File(file) => file.put(name, text.to_owned(), life).await,
            Kept::Shared(redis) => redis.put(name, text, life).await,
        }
    }

    /// Reads a text.
    pub(crate) async fn get(&self, name: Name) -> Result<Option<String>, Lost> {
        match &self.kept {
            Kept::Here(memory) => Ok(memory.get(name)),
            Kept::File(file) => file.get(name).await,
            Kept::Shared(redis) => redis.get(name).await,
        }
    }

    /// Forgets texts.
    pub(crate) async fn remove(&self, names: &[Name]) -> Result<(), Lost> {
        match &self.kept {
            Kept::Here(memory) => {
                memory.remove(names);
                Ok(())
            }
            Kept::File(file) => file.remove(names.to_vec()).await,
            Kept::Shared(redis) => redis.remove(names).await,
        }
    }
}

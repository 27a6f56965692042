//! The ledger in the Redis that all replicas share. A script counts what each tenant has, so that none fills it for the others.

use std::sync::Arc;
use std::time::Duration;

use redis::{Script, ScriptInvocation};

use super::{Lost, Name};
use crate::shared::Shared;
use crate::text::hex;

/// Most bytes of one tenant.
pub(super) const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// Takes the text's name and place, and what the tenant may have.
const SCRIPT: &str = include_str!("replicated.lua");

#[derive(Debug)]
pub(super) struct Replicated {
    shared: Arc<Shared>,
    script: Script,
    most_bytes: u64,
}

impl Replicated {
    pub(super) fn new(shared: Arc<Shared>, most_bytes: u64) -> Self {
        Self { shared, script: Script::new(SCRIPT), most_bytes }
    }

    pub(super) async fn put_new(
        &self,
        name: Name,
        text: &str,
        life: Duration,
    ) -> Result<Option<String>, Lost> {
        let mut call = self.call(name);
        call.arg(text).arg(milliseconds(life)).arg("new");
        self.run(call).await
    }

    pub(super) async fn put(&self, name: Name, text: &str, life: Duration) -> Result<(), Lost> {
        let mut call = self.call(name);
        call.arg(text).arg(milliseconds(life));
        self.run(call).await.map(|_| ())
    }

    pub(super) async fn get(&self, name: Name) -> Result<Option<String>, Lost> {
        let mut get = redis::cmd("GET");
        get.arg(self.place(name));
        Ok(self.shared.run(|mut redis| async move { get.query_async(&mut redis).await }).await?)
    }

    pub(super) async fn remove(&self, names: &[Name]) -> Result<(), Lost> {
        for name in names {
            self.run(self.call(*name)).await?;
        }
        Ok(())
    }

    fn call(&self, name: Name) -> ScriptInvocation<'_> {
        let tenant = hex(&name.tenant);
        let mut call = self.script.key(self.place(name));
        call.key(self.shared.name("ledger-names", &tenant));
        call.key(self.shared.name("ledger-sizes", &tenant));
        call.arg(hex(&name.digest)).arg(self.most_bytes);
        call
    }

    async fn run(&self, call: ScriptInvocation<'_>) -> Result<Option<String>, Lost> {
        let call = &call;
        let done = self.shared.run(|mut redis| async move { call.invoke_async(&mut redis).await });
        let (what, held): (String, String) = done.await?;
        match what.as_str() {
            "written" => Ok(None),
            "held" => Ok(Some(held)),
            _ => Err(Lost),
        }
    }

    fn place(&self, name: Name) -> String {
        self.shared.name("ledger", &hex(&name.digest))
    }
}

fn milliseconds(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX)
}

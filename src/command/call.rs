//! `xyte-mcp call`: one tool call from the shell, its result on standard output.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use xyte_mcp_runtime::caller::Toolsets;
use xyte_mcp_runtime::dispatch::{Call, View, dispatch};
use xyte_mcp_runtime::person::{Ask, Person, Reply};

use super::{own_caller, prepare};
use crate::config::Config;

/// How whoever typed the call agrees to what needs consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// On the terminal, where there is one.
    Asked,
    /// With the flag.
    Given,
}

pub(crate) async fn run(
    config: &Config,
    (tool, arguments): (&str, &str),
    agreement: Agreement,
) -> anyhow::Result<ExitCode> {
    let ready = prepare(config).await?;
    let arguments: Value = serde_json::from_str(arguments).context("--args is not JSON")?;
    let Value::Object(arguments) = arguments else {
        bail!("--args takes a JSON object, such as '{{\"limit\": 5}}'")
    };
    let mut caller = own_caller(&ready);
    let Some(found) = ready.service.catalogue.find(tool) else {
        let nearest = ready.service.catalogue.nearest(tool);
        let tool = caller.redact(tool);
        match nearest {
            Some(nearest) => bail!("no tool `{tool}`; did you mean `{nearest}`?"),
            None => bail!("no tool `{tool}`; `xyte-mcp capabilities` lists them"),
        }
    };
    if let Some(words) = found.deprecation(tool) {
        writeln!(std::io::stderr(), "deprecated: {words}")?; // Standard output is the result alone.
    }
    caller.selection.toolsets = Toolsets::All; // Whoever types the name of a tool has chosen it.
    caller.person = match agreement {
        Agreement::Given => Person::Now(Arc::new(Agreed)),
        Agreement::Asked if std::io::stdin().is_terminal() => Person::Now(Arc::new(Terminal)),
        Agreement::Asked => Person::Nobody,
    };
    match dispatch(&ready.service, &caller, Call { tool: found, arguments, view: View::Tool }).await
    {
        Ok(answer) => {
            super::print(&format!("{:#}", answer.shaped.structured))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(mut failure) => {
            if failure.code == "confirmation_required" {
                failure.hint =
                    Some("Nothing was sent. Call on a terminal to be asked, or with --yes.".into());
            }
            super::print(&format!("{:#}", json!({ "error": failure })))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Whoever said yes beforehand.
struct Agreed;

impl Ask for Agreed {
    fn ask<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Reply> {
        Box::pin(async { Reply::Accepted })
    }
}

/// Whoever sits at the terminal.
struct Terminal;

impl Ask for Terminal {
    fn ask<'a>(&'a self, words: &'a str) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let words = words.to_owned();
            let read = tokio::task::spawn_blocking(move || {
                // Standard output is for the result.
                write!(std::io::stderr(), "{words}\nGo on? [y/N] ").ok()?;
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line).ok()?;
                Some(line)
            });
            match read.await {
                Ok(Some(line)) if matches!(line.trim(), "y" | "Y" | "yes") => Reply::Accepted,
                Ok(Some(line)) if !line.is_empty() => Reply::Declined,
                _ => Reply::Cancelled,
            }
        })
    }
}

//! `xyte-mcp call`: one tool call from the shell, its result on standard output.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use xyte_mcp_runtime::caller::Toolsets;
use xyte_mcp_runtime::dispatch::{Call, View, dispatch};

use super::{own_caller, prepare};
use crate::config::Config;

pub(crate) async fn run(config: &Config, tool: &str, arguments: &str) -> anyhow::Result<ExitCode> {
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
    match dispatch(&ready.service, &caller, Call { tool: found, arguments, view: View::Tool }).await
    {
        Ok(answer) => {
            super::print(&format!("{:#}", answer.shaped.structured))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            super::print(&format!("{:#}", json!({ "error": failure })))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

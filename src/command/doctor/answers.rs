//! A look at some answers of the platform, which are compared with its document on their way. What it finds is a remark, never a fault.

use serde_json::{Map, Value, json};
use xyte_mcp_runtime::catalogue::Tool;
use xyte_mcp_runtime::dispatch::{Call, View, dispatch};

use crate::command::{Ready, own_caller};

/// Rows of a list that are looked at: one request has as many.
const ROWS: u32 = 20;

/// Asks each default tool once that needs no argument and has a key.
pub(super) async fn look(ready: &Ready) {
    let service = &ready.service;
    let caller = own_caller(ready);
    for tool in service.catalogue.tools.iter().filter(|tool| needs_nothing(ready, tool)) {
        let properties = tool.served.input_schema.get("properties");
        let limited = properties.is_some_and(|properties| properties.get("limit").is_some());
        let arguments = limited.then(|| ("limit".to_owned(), json!(ROWS)));
        let arguments = Map::from_iter(arguments);
        let call = Call { tool, arguments, view: View::Tool };
        // One that fails has nothing to compare; whether the platform is well was asked before.
        let _failed = dispatch(service, &caller, call).await;
        service.drift.settled().await;
    }
}

fn needs_nothing(ready: &Ready, tool: &Tool) -> bool {
    let entry = &tool.entry;
    let required = tool.served.input_schema.get("required").and_then(Value::as_array);
    entry.default
        && tool.is_read()
        && !entry.is_computed()
        && required.is_none_or(Vec::is_empty)
        && (entry.credential.is_empty() || ready.own_keys.contains_key(&entry.credential))
}

#[cfg(test)]
mod tests {
    use xyte_mcp_runtime::api::Api as _;

    use super::*;
    use crate::cli::Flags;
    use crate::command::prepare_unbound;
    use crate::config::Config;
    use crate::config::source::Surroundings;
    use crate::presets::Presets;
    use crate::workflows::Fleet;
    use crate::xyte::Xyte;

    #[tokio::test]
    async fn no_answer_of_the_sandbox_departs_from_the_document() {
        let flags = Flags { sandbox: true, ..Flags::default() };
        let config = Config::read(&flags, &Surroundings::default()).unwrap();
        let ready = prepare_unbound(&config).await.unwrap();
        let (service, caller) = (&ready.service, own_caller(&ready));
        let xyte = Xyte::new(String::new(), Fleet { presets: Presets::load(None).unwrap() });
        let tools = &service.catalogue.tools;
        // What is changed is seen by no read; what is computed takes the answers of others.
        let is_read = |tool: &Tool| tool.is_read() && !tool.entry.is_computed();
        let reading = tools.iter().filter(|tool| is_read(tool));
        let others = tools.iter().filter(|tool| !is_read(tool));
        for tool in reading.chain(others) {
            let before = service.drift.compared();
            let arguments = tool.entry.example.clone();
            let call = Call { tool, arguments, view: View::Tool };
            let answered = dispatch(service, &caller, call).await;
            service.drift.settled().await;
            if is_read(tool) {
                answered.unwrap();
                let known = xyte.documented_answer(&tool.entry.operation).is_some();
                assert_eq!(service.drift.compared() - before, u64::from(known), "{}", tool.name());
            }
        }
        assert!(service.drift.compared() > 40, "{}", service.drift.compared());
        assert_eq!(service.drift.departures(), []);
    }
}

//! The failures that an operation documents.

use serde_json::{Map, Value};

use super::super::carried::is_json;
use super::Reader;

impl Reader<'_> {
    /// Lists the documented failures, and tells where the generator of the client alone would give up.
    pub(super) fn failures(&mut self, source: &Map<String, Value>) -> Vec<String> {
        let responses = source.get("responses").and_then(Value::as_object);
        let mut statuses = Vec::new();
        let mut schemas: Vec<(String, Value)> = Vec::new();
        for (status, response) in responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| !status.starts_with(['1', '2', '3']))
        {
            let pointer = format!("{}/responses/{status}", self.pointer);
            let Some(response) = self.follow(response, &pointer) else { continue };
            statuses.push(status.clone());
            let content = response.get("content").and_then(Value::as_object);
            let media = content.into_iter().flatten().find(|(kind, _)| is_json(kind));
            if let Some(schema) = media.and_then(|(_, media)| media.get("schema")) {
                schemas.push((status.clone(), schema.clone()));
                continue;
            }
            let message = format!("the failure {status} has no JSON content");
            let finding = self.found("error-without-content", &pointer, message);
            self.faults.push(finding.label("its text is passed on as it comes").warning());
        }
        if let Some((status, _)) = schemas.iter().find(|(_, schema)| *schema != schemas[0].1) {
            let pointer = format!("{}/responses/{status}", self.pointer);
            let message =
                format!("the failures {} and {status} have different forms", schemas[0].0);
            let finding = self.found("mixed-error-types", &pointer, message);
            self.faults.push(
                finding.label("failures are read as they come, whatever their form").warning(),
            );
        }
        statuses
    }
}

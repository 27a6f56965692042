//! What the document says of each answer, as JSON Schemas that are closed where it names members.
//!
//! They are no rules: an answer that departs from them is passed on, and the departure is told. It knows no tools.

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Catalogue;

use super::schema::{Purpose, convert};
use crate::spec::Document;

/// The schema of every answer that the document describes, by operation.
pub(crate) fn answers(document: &Document, catalogue: &Catalogue) -> Map<String, Value> {
    let exposed = |id: &str| catalogue.entries.iter().any(|entry| entry.operation == id);
    let operations = document.operations.iter().filter(|operation| exposed(&operation.id));
    operations
        .filter_map(|operation| {
            let schema = convert(&document.value, operation.answer.as_ref()?, Purpose::Known);
            (schema != json!({})).then(|| (operation.id.clone(), schema))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(schema: &Value) -> Value {
        let root = json!({"components": {"schemas": {
            "Ref": {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": {}},
            "Tree": {"properties": {"under": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}},
        }}});
        convert(&root, schema, Purpose::Known)
    }

    #[test]
    fn what_the_document_leaves_free_stays_open() {
        for free in [
            json!({"type": "object"}),
            json!({"type": "object", "properties": {}}),
            json!({"type": "object", "additionalProperties": {}}),
            json!({"type": "object", "additionalProperties": true}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({}),
        ] {
            assert_ne!(known(&free).get("additionalProperties"), Some(&json!(false)), "{free}");
        }
        let map =
            json!({"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Ref"}});
        assert_eq!(known(&map)["additionalProperties"]["properties"]["id"]["type"], "integer");
    }

    #[test]
    fn named_members_known_values_and_null_are_what_the_document_says() {
        let schema = json!({"allOf": [{"$ref": "#/components/schemas/Ref"}], "nullable": true});
        assert_eq!(
            known(&schema),
            json!({"type": ["object", "null"], "properties": {"id": {"type": "integer"}}, "additionalProperties": false})
        );
        let status = json!({"type": "string", "nullable": true, "x-known-values": ["on"]});
        assert_eq!(known(&status), json!({"type": ["string", "null"], "enum": ["on", null]}));
        let tree = known(&json!({"$ref": "#/components/schemas/Tree"}));
        assert_eq!(tree["properties"]["under"]["items"], json!({}), "a circle is left open");
    }

    #[test]
    fn alternatives_may_add_to_what_they_share() {
        let part = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
        let shared = known(
            &json!({"properties": {"kind": {"type": "string"}}, "oneOf": [part("a"), part("b")]}),
        );
        assert_eq!(shared.get("additionalProperties"), None);
        assert_eq!(shared["anyOf"][0].get("additionalProperties"), None);
        let apart = known(&json!({"oneOf": [part("a"), part("b")]}));
        assert_eq!(apart["anyOf"][0]["additionalProperties"], false);
    }
}

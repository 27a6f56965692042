//! What differs between two JSON values; knows nothing of what they mean.

use serde::Serialize;
use serde_json::Value;

/// One difference, at a JSON pointer; what is absent on a side is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where, as a JSON pointer.
    pub path: String,
    /// The value before; none when it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; none when it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The differences between two exports, or any two values, in the order of their members.
pub fn diff(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut changes);
    changes
}

fn compare(path: String, before: Option<&Value>, after: Option<&Value>, to: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let step = name.replace('~', "~0").replace('/', "~1");
                compare(format!("{path}/{step}"), old.get(name), new.get(name), to);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for place in 0..old.len().max(new.len()) {
                compare(format!("{path}/{place}"), old.get(place), new.get(place), to);
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            to.push(Change { path, before: before.cloned(), after: after.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_diff_names_what_was_added_removed_and_changed() {
        let before = json!({ "a/b": { "x": 1, "gone": 2 }, "same": [1], "list": [1, 2] });
        let after = json!({ "a/b": { "x": null, "new": {} }, "same": [1], "list": [1, 2, 3] });
        let told: Vec<_> = diff(&before, &after).iter().map(|one| json!(one)).collect();
        let expected = [
            json!({ "path": "/a~1b/gone", "before": 2 }),
            json!({ "path": "/a~1b/new", "after": {} }),
            json!({ "path": "/a~1b/x", "before": 1, "after": null }),
            json!({ "path": "/list/2", "after": 3 }),
        ];
        assert_eq!(told.len(), expected.len());
        assert!(expected.iter().all(|one| told.contains(one)), "{told:?}");
        assert!(diff(&before, &before).is_empty());
    }
}

//! Id and tags of an operation; method and path name what the document leaves unnamed.

use serde_json::{Map, Value};

use super::snake;

/// The stated id, or one that changes only with method and path: `GET /pets/{petId}` is `get_pets_pet_id`.
pub(super) fn id(stated: String, method: &str, path: &str) -> String {
    if stated.is_empty() { snake(&format!("{method} {path}")) } else { stated }
}

/// The stated tags, or the first part of the path that names a thing.
pub(super) fn tags(source: &Map<String, Value>, path: &str) -> Vec<String> {
    let stated = source.get("tags").and_then(Value::as_array).into_iter().flatten();
    let stated: Vec<String> = stated.filter_map(|tag| Some(tag.as_str()?.to_owned())).collect();
    if !stated.is_empty() {
        return stated;
    }
    let names_a_thing = |part: &&str| {
        let digit = |it: char| it.is_ascii_digit();
        let version = part.strip_prefix('v').is_some_and(|rest| rest.starts_with(digit));
        !(part.contains('{') || version || *part == "api" || snake(part).is_empty())
    };
    path.split('/').find(names_a_thing).map(str::to_owned).into_iter().collect()
}

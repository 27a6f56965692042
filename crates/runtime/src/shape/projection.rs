//! A projection: the wanted parts of a JSON text, read in one pass without building the rest.
//!
//! It knows dotted names and JSON; it does not know what the names mean.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::{self, Marked, NUMBER_TOKEN, Seen, Whole};

/// A compiled set of dotted names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree(Vec<(String, Branch)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Branch {
    Whole,
    Parts(Tree),
}

impl Tree {
    /// Compiles dotted names; a name that is a prefix of another wins, so that nothing asked for is lost.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Self::default();
        for name in names {
            tree.insert(name);
        }
        tree
    }

    /// The same names below a dotted path.
    #[must_use]
    pub fn under(self, path: &str) -> Self {
        path.rsplit('.')
            .filter(|segment| !segment.is_empty())
            .fold(self, |tree, segment| Self(vec![(segment.to_owned(), Branch::Parts(tree))]))
    }

    /// Adds one dotted name.
    pub fn insert(&mut self, name: &str) {
        let (head, rest) = match name.split_once('.') {
            Some((head, rest)) => (head, Some(rest)),
            None => (name, None),
        };
        let at = self.0.iter().position(|(key, _)| key == head).unwrap_or_else(|| {
            self.0.push((head.to_owned(), Branch::Parts(Self::default())));
            self.0.len() - 1
        });
        match (rest, &mut self.0[at].1) {
            (None, branch) => *branch = Branch::Whole,
            (Some(rest), Branch::Parts(tree)) => tree.insert(rest),
            (Some(_), Branch::Whole) => {}
        }
    }
}

/// Reads the parts of a JSON text that the tree names; arrays on the way are kept, and so is anything of an unexpected type.
pub fn project(text: &[u8], tree: &Tree) -> Result<Value, serde_json::Error> {
    json::read_as(text, Parts(tree))
}

/// Follows a dotted path through objects.
pub fn follow<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .filter(|segment| !segment.is_empty())
        .try_fold(value, |value, segment| value.get(segment))
}

/// Takes out what lies at a dotted path.
pub fn take(value: &mut Value, path: &str) -> Option<Value> {
    let mut segments = path.split('.').filter(|segment| !segment.is_empty());
    segments.try_fold(value, |value, segment| value.get_mut(segment)).map(Value::take)
}

struct Parts<'a>(&'a Tree);

impl<'de> DeserializeSeed<'de> for Parts<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Parts(self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(member) = map.next_key_seed(Member(self.0))? {
            match member {
                Found::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
                Found::Mark => {
                    if let Seen::Number(number) = map.next_value_seed(Marked)? {
                        return Ok(Value::Number(number));
                    }
                }
                Found::Known(key, Branch::Whole) => {
                    object.insert(key.to_owned(), map.next_value_seed(Whole)?);
                }
                Found::Known(key, Branch::Parts(tree)) => {
                    object.insert(key.to_owned(), map.next_value_seed(Parts(tree))?);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

enum Found<'a> {
    Known(&'a str, &'a Branch),
    Mark,
    Unknown,
}

/// Looks a key up without owning it: most keys of an answer are skipped.
struct Member<'a>(&'a Tree);

impl<'de, 'a> DeserializeSeed<'de> for Member<'a> {
    type Value = Found<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Member<'a> {
    type Value = Found<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Found<'a>, E> {
        let found = self.0.0.iter().find(|(name, _)| name == key);
        Ok(match found {
            Some((name, branch)) => Found::Known(name, branch),
            None if key == NUMBER_TOKEN => Found::Mark,
            None => Found::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn projected(text: &str, names: &[&str]) -> Value {
        project(text.as_bytes(), &Tree::new(names.iter().copied())).unwrap()
    }

    #[test]
    fn named_parts_keep_their_nesting_and_the_rest_is_skipped() {
        let text = r#"{"id":1,"secret":{"deep":[1,2]},"model":{"name":"M","id":2},"space":null}"#;
        let value = projected(text, &["id", "model.name", "space.full_path", "absent"]);
        assert_eq!(value, json!({"id": 1, "model": {"name": "M"}, "space": null}));
    }

    #[test]
    fn arrays_on_the_way_are_collected_whole() {
        let value = projected(r#"{"tags":[{"name":"a","x":1},{"name":"b"}]}"#, &["tags.name"]);
        assert_eq!(value, json!({"tags": [{"name": "a"}, {"name": "b"}]}));
    }

    #[test]
    fn a_number_or_text_where_an_object_is_expected_is_passed_through() {
        let value = projected(
            r#"{"model":18446744073709551616,"space":"x","tags":[1.10,true]}"#,
            &["model.name", "space.id", "tags.name"],
        );
        assert_eq!(
            value.to_string(),
            r#"{"model":18446744073709551616,"space":"x","tags":[1.10,true]}"#
        );
        assert_eq!(projected("1e400", &["id"]).to_string(), "1e+400");
    }

    #[test]
    fn every_digit_survives_in_whole_parts() {
        let text = r#"{"a":{"big":18446744073709551616,"price":1.10,"none":null}}"#;
        assert_eq!(
            projected(text, &["a"]).to_string(),
            text.replace(
                r#""big":18446744073709551616,"price":1.10,"none":null"#,
                r#""big":18446744073709551616,"none":null,"price":1.10"#
            )
        );
    }

    #[test]
    fn a_name_and_its_prefix_together_keep_the_whole() {
        let text = r#"{"model":{"name":"M","id":2}}"#;
        assert_eq!(
            projected(text, &["model.name", "model"]),
            projected(text, &["model", "model.name"])
        );
        assert_eq!(projected(text, &["model", "model.name"])["model"]["id"], json!(2));
    }

    #[test]
    fn trees_can_be_put_under_a_path() {
        let mut tree = Tree::new(["id"]).under("data.rows");
        tree.insert("data.more");
        let value =
            project(br#"{"data":{"rows":[{"id":1,"x":2}],"more":true,"y":1}}"#, &tree).unwrap();
        assert_eq!(value, json!({"data": {"rows": [{"id": 1}], "more": true}}));
    }

    #[test]
    fn escaped_keys_are_recognized_and_garbage_is_refused() {
        assert_eq!(projected(r#"{"\u0069d":1}"#, &["id"]), json!({"id": 1}));
        assert!(project(b"{\"id\":1} x", &Tree::new(["id"])).is_err());
        assert!(project(b"<html>", &Tree::new(["id"])).is_err());
    }
}

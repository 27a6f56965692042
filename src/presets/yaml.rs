//! YAML as JSON, with the place of everything in it. It knows no preset.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Spanned, UserMessageFormatter};

/// Line and column, from 1.
pub(crate) type Place = (u64, u64);

/// A value, and where each part of it is, by JSON pointer; a member is where its name is.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) value: Value,
    places: BTreeMap<String, Place>,
}

impl Located {
    /// Where a part is, or what it is in.
    pub(crate) fn place(&self, pointer: &str) -> Place {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return *place;
            }
            let Some((owner, _)) = pointer.rsplit_once('/') else { return (1, 1) };
            pointer = owner;
        }
    }

    /// The same under a name, for a text that is written in short.
    pub(crate) fn named(self, name: &str) -> Self {
        let places = self.places.into_iter();
        Self {
            value: Value::Object(Map::from_iter([(name.to_owned(), self.value)])),
            places: places.map(|(at, place)| (format!("/{name}{at}"), place)).collect(),
        }
    }
}

/// Reads a document.
///
/// # Errors
/// The place and the words of the first fault: after it nothing can be read.
pub(crate) fn read(text: &str) -> Result<Located, (Place, String)> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true, // `power: on` is a text.
    };
    let node: Spanned<Node> =
        serde_saphyr::from_str_with_options(text, options).map_err(|err| {
            let place = err.location().map_or((1, 1), place);
            let words = err.without_snippet().render_with_formatter(&UserMessageFormatter);
            // The formatter adds the place, which is told in front.
            let end = words.rfind(" at line ").unwrap_or(words.len());
            (place, words[..end].lines().next().unwrap_or_default().to_owned())
        })?;
    let mut places = BTreeMap::from([(String::new(), place(node.referenced))]);
    let value = settle(node.value, "", &mut places);
    Ok(Located { value, places })
}

fn place(location: Location) -> Place {
    (location.line().max(1), location.column().max(1))
}

fn settle(node: Node, at: &str, places: &mut BTreeMap<String, Place>) -> Value {
    match node {
        Node::Scalar(value) => value,
        Node::List(items) => {
            let items = items.into_iter().enumerate().map(|(index, item)| {
                let at = format!("{at}/{index}");
                places.insert(at.clone(), place(item.referenced));
                settle(item.value, &at, places)
            });
            items.collect()
        }
        Node::Members(members) => {
            let members = members.into_iter().map(|(name, member)| {
                let at = format!("{at}/{}", name.value.replace('~', "~0").replace('/', "~1"));
                places.insert(at.clone(), place(name.referenced));
                (name.value, settle(member, &at, places))
            });
            Value::Object(members.collect())
        }
    }
}

/// A part of the document.
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Members(Vec<(Spanned<String>, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut read = Vec::new();
        while let Some(member) = members.next_entry()? {
            read.push(member);
        }
        Ok(Node::Members(read))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_has_its_place_and_on_is_a_text() {
        let read = read("title: A\nsteps:\n  - command: x\n    state: {power: on, level: 3}\n");
        let located = read.unwrap();
        let expected = json!({"title": "A", "steps": [{"command": "x", "state": {"power": "on", "level": 3}}]});
        assert_eq!(located.value, expected);
        assert_eq!(located.place("/steps/0/state/level"), (4, 24));
        assert_eq!(located.place("/steps/0"), (3, 5));
        assert_eq!(located.place("/steps/0/missing"), (3, 5));
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        let ((line, _), words) = read("title: A\nsteps: [\n").unwrap_err();
        assert!(line >= 2 && !words.is_empty(), "{line} {words}");
        let ((line, _), words) = read("title: A\ntitle: B\n").unwrap_err();
        assert_eq!(line, 2, "{words}");
        assert!(words.contains("title"), "{words}");
    }
}

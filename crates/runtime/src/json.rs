//! Any JSON text as a value, with nothing read into it.
//!
//! `serde_json` marks numbers and raw texts by members with names of its own, and takes a foreign member of such a name for a mark: it would read another value, or none.
//! Here such a member is one like any other.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The name under which `serde_json` hands a number to a visitor when it keeps every digit.
///
/// It is not part of the public interface; the test that every digit survives would notice a change.
pub(crate) const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Reads a JSON text.
pub(crate) fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    read_as(text, Whole)
}

/// Reads a JSON text as somebody wants it read.
pub(crate) fn read_as<'t, S: DeserializeSeed<'t>>(
    text: &'t [u8],
    seed: S,
) -> Result<S::Value, serde_json::Error> {
    // Checked once as a whole, and not string by string.
    let text = std::str::from_utf8(text).map_err(Error::custom)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads any value.
#[derive(Clone, Copy)]
pub(crate) struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole {
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        match map.next_key_seed(First)? {
            None => return Ok(Value::Object(object)),
            Some(Some(name)) => object.insert(name, map.next_value_seed(Self)?),
            Some(None) => match map.next_value_seed(Marked)? {
                Seen::Number(number) => return Ok(Value::Number(number)),
                Seen::Member(value) => object.insert(NUMBER_TOKEN.to_owned(), value),
            },
        };
        while let Some(name) = map.next_key::<String>()? {
            object.insert(name, map.next_value_seed(Self)?);
        }
        Ok(Value::Object(object))
    }
}

/// Reads the first name of an object; nothing, if it is a number's mark: there are many numbers, and none wants its mark kept.
struct First;

impl<'de> DeserializeSeed<'de> for First {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for First {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok((name != NUMBER_TOKEN).then(|| name.to_owned()))
    }
}

/// Reads what lies under the name of a number's mark.
pub(crate) struct Marked;

/// What lay there.
pub(crate) enum Seen {
    /// The digits of a number, which `serde_json` hands over as text of its own.
    Number(Number),
    /// The value of a member that happens to have this name; text in it is the document's.
    Member(Value),
}

impl<'de> DeserializeSeed<'de> for Marked {
    type Value = Seen;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Seen, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Marked {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Whole.expecting(f)
    }

    fn visit_string<E: Error>(self, digits: String) -> Result<Seen, E> {
        digits.parse().map(Seen::Number).map_err(E::custom)
    }

    fn visit_unit<E: Error>(self) -> Result<Seen, E> {
        Whole.visit_unit().map(Seen::Member)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Seen, E> {
        Whole.visit_bool(value).map(Seen::Member)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Seen, E> {
        Whole.visit_i64(value).map(Seen::Member)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Seen, E> {
        Whole.visit_u64(value).map(Seen::Member)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Seen, E> {
        Whole.visit_f64(value).map(Seen::Member)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Seen, E> {
        Whole.visit_str(value).map(Seen::Member)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Seen, A::Error> {
        Whole.visit_seq(seq).map(Seen::Member)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Seen, A::Error> {
        Whole.visit_map(map).map(Seen::Member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_named_like_the_librarys_marks_are_members() {
        for text in [
            r#"{"$serde_json::private::Number":"x"}"#,
            r#"{"$serde_json::private::Number":"1"}"#,
            r#"{"$serde_json::private::Number":1.10}"#,
            r#"{"$serde_json::private::Number":{"$serde_json::private::Number":null},"a":1}"#,
            r#"{"$serde_json::private::RawValue":"<html>"}"#,
            r#"[{"$serde_json::private::RawValue":"[1]"},[true,null]]"#,
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().to_string(), text);
        }
        let escaped = r#"{"\u0024serde_json::private::Number":"\u0031"}"#;
        let plain = r#"{"$serde_json::private::Number":"1"}"#;
        assert_eq!(read(escaped.as_bytes()).unwrap().to_string(), plain);
    }

    #[test]
    fn every_digit_survives() {
        for text in ["18446744073709551616", "-1", "1.10", "[0,-0.0]", r#"{"a":{"b":1e+400}}"#] {
            assert_eq!(read(text.as_bytes()).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{} x", "<html>", &deep] {
            assert!(read(text.as_bytes()).is_err());
        }
    }
}

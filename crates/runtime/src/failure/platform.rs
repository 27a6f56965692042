//! The platform's refusals in our words, with its own quoted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use xyte_mcp_catalogue::ErrorRule;

use crate::failure::{Failure, Reach};
use crate::json;
use crate::text::is_hidden;
use crate::upstream::{Reply, retry_after};

/// Longest quotation of the platform.
const LONGEST_QUOTE: usize = 600;

/// Turns an answer that is not a success into a failure; the operation's own rules come before the general ones.
pub fn refused(
    reply: &Reply,
    own: &BTreeMap<String, ErrorRule>,
    general: &BTreeMap<String, ErrorRule>,
) -> Failure {
    let status = reply.status.to_string();
    let class = format!("{}XX", reply.status / 100);
    let rule = [own, general]
        .into_iter()
        .find_map(|rules| rules.get(&status).or_else(|| rules.get(&class)));
    let (code, hint) = match rule {
        Some(rule) => (rule.code.clone(), rule.hint.clone()),
        None => (customary(reply.status).to_owned(), String::new()),
    };
    let mut message = format!("the platform answered {status}");
    if let Some(words) = words(&reply.body) {
        message.push_str(": ");
        message.push_str(&words);
    }
    let wait =
        retry_after(&reply.headers).map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    let asked = wait
        .filter(|wait| *wait > 0)
        .map(|wait| format!("The platform asks to wait {} seconds.", wait.div_ceil(1000)));
    let hint: Vec<String> =
        [hint, asked.unwrap_or_default()].into_iter().filter(|part| !part.is_empty()).collect();
    Failure {
        status: Some(reply.status),
        retry_after_ms: wait,
        reach: Reach::of(reply.status),
        ..Failure::new(code, message).with_hint(hint.join(" "))
    }
}

/// An answer whose body is no JSON. The body is not quoted: it is most likely a page of some proxy.
pub fn unreadable(reply: &Reply, err: &serde_json::Error) -> Failure {
    let status = reply.status;
    let message = match reply.body.len() {
        0 => format!("the platform answered {status} without a body"),
        _ => format!(
            "the platform answered {status} with something that is no JSON (line {}, column {})",
            err.line(),
            err.column()
        ),
    };
    Failure {
        status: Some(status),
        reach: Reach::of(status),
        ..Failure::upstream_contract(message)
    }
}

/// The usual code of a status that no rule names.
fn customary(status: u16) -> &'static str {
    match status {
        400 | 422 => "invalid_params",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        429 => "rate_limited",
        500..=599 => "server_error",
        _ => "api_error",
    }
}

/// The platform's own words, by field where it names fields; nothing when the body is no JSON.
fn words(body: &[u8]) -> Option<String> {
    let body = json::read(body).ok()?;
    let mut parts = Vec::new();
    match &body {
        Value::Object(object) => {
            for name in ["error", "message", "error_description", "detail", "errors"] {
                if let Some(value) = object.get(name) {
                    gather("", value, &mut parts);
                }
            }
        }
        other => gather("", other, &mut parts),
    }
    parts.dedup();
    // Markup in JSON is markup all the same.
    parts.retain(|part| !(part.contains('<') && part.contains('>')));
    let joined = clean(&parts.join("; "));
    (!joined.is_empty()).then_some(joined)
}

fn gather(field: &str, value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if field.is_empty() => parts.push(text.clone()),
        Value::String(text) => parts.push(format!("{field}: {text}")),
        Value::Number(number) => gather(field, &Value::String(number.to_string()), parts),
        Value::Array(items) => items.iter().for_each(|item| gather(field, item, parts)),
        Value::Object(object) => {
            let named =
                ["field", "attribute", "param"].iter().find_map(|name| object.get(*name)?.as_str());
            let said = ["message", "error", "detail"].iter().find_map(|name| object.get(*name));
            match (named, said) {
                (Some(named), Some(said)) => gather(named, said, parts),
                (None, Some(said)) => gather(field, said, parts),
                _ => {
                    for (name, inner) in object {
                        let path =
                            if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                        gather(&path, inner, parts);
                    }
                }
            }
        }
    }
}

/// One line without control characters, of bounded length.
fn clean(text: &str) -> String {
    let mut line = String::new();
    for (count, char) in text.chars().enumerate() {
        if count == LONGEST_QUOTE {
            let _ = write!(line, "…");
            break;
        }
        line.push(if is_hidden(char) { ' ' } else { char });
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn failure(status: u16, body: &'static str) -> Failure {
        let rules = BTreeMap::from([
            ("5XX".to_owned(), ErrorRule { code: "broken".to_owned(), hint: "Wait.".to_owned() }),
            ("404".to_owned(), ErrorRule { code: "gone".to_owned(), hint: String::new() }),
        ]);
        let own = BTreeMap::from([(
            "404".to_owned(),
            ErrorRule { code: "no_device".to_owned(), hint: "List them.".to_owned() },
        )]);
        let reply = Reply {
            status,
            headers: HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("3"))]),
            body: body.into(),
        };
        refused(&reply, &own, &rules)
    }

    #[test]
    fn the_operations_own_rule_comes_first_then_status_then_class_then_custom() {
        assert_eq!(
            (failure(404, "").code.as_ref(), failure(404, "").hint.as_deref()),
            ("no_device", Some("List them. The platform asks to wait 3 seconds."))
        );
        assert_eq!(
            (failure(503, "").code.as_ref(), failure(503, "").retry_after_ms),
            ("broken", Some(3000))
        );
        assert_eq!(
            (failure(409, "").code.as_ref(), failure(302, "").code.as_ref()),
            ("conflict", "api_error")
        );
    }

    #[test]
    fn the_platforms_words_are_quoted_by_field() {
        let texts = [
            (r#"{"error":"name is taken"}"#, "name is taken"),
            (
                r#"{"errors":{"name":["is taken","is long"],"space_id":"is unknown"}}"#,
                "name: is taken; name: is long; space_id: is unknown",
            ),
            (r#"{"errors":[{"field":"name","message":"is taken"}]}"#, "name: is taken"),
            (r#"{"message":"bad","errors":["a","b"]}"#, "bad; a; b"),
            (r#"["plain"]"#, "plain"),
        ];
        for (body, expected) in texts {
            assert_eq!(
                failure(422, body).message,
                format!("the platform answered 422: {expected}")
            );
        }
    }

    #[test]
    fn markup_and_endless_texts_are_not_quoted() {
        assert_eq!(failure(502, "<html><b>Bad</b></html>").message, "the platform answered 502");
        assert_eq!(
            failure(500, r#"{"error":"<html>oops</html>"}"#).message,
            "the platform answered 500"
        );
        let long: &'static str =
            Box::leak(format!(r#"{{"error":"{}"}}"#, "x".repeat(5000)).into_boxed_str());
        assert!(failure(400, long).message.chars().count() < 650);
        assert_eq!(failure(400, "{\"error\":\"a\\nb\"}").message, "the platform answered 400: a b");
    }
}

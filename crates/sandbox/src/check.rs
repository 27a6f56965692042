//! Checks a request against the document and reads its values; knows no state.

use serde_json::{Map, Value};

use crate::{
    answer::Refusal,
    operation::{Kind, Operation, Parameter, Place},
};

/// The values of a request that fits the document.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) query: Map<String, Value>,
    pub(crate) body: Map<String, Value>,
}

/// Reads the path, the query and the body, and names every field that does not fit.
pub(crate) fn check(
    operation: &Operation,
    path: &[(String, String)],
    query: &[(String, String)],
    body: &[u8],
) -> Result<Checked, Refusal> {
    let mut faults = Faults::default();
    let mut values = Map::new();
    for parameter in &operation.parameters {
        let given = match parameter.place {
            Place::Path => path,
            Place::Query => query,
        };
        let given = given.iter().filter(|(name, _)| *name == parameter.name);
        let given: Vec<&str> = given.map(|(_, text)| text.as_str()).collect();
        let value = read(parameter, &given, &mut faults);
        if parameter.place == Place::Query
            && let Some(value) = value.or_else(|| parameter.default.clone())
        {
            values.insert(parameter.name.clone(), value);
        }
    }
    let body = read_body(operation, body, &mut faults);
    if faults.0.is_empty() {
        Ok(Checked { query: values, body })
    } else {
        Err(Refusal::fields(&faults.0))
    }
}

/// Messages by field.
#[derive(Default)]
struct Faults(Map<String, Value>);

impl Faults {
    fn add(&mut self, field: &str, message: &str) {
        let messages = self.0.entry(field).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(messages) = messages {
            messages.push(message.into());
        }
    }

    fn validate(&mut self, validator: &jsonschema::Validator, value: &Value, field: &str) {
        for error in validator.iter_errors(value) {
            let (inner, message) = fault(&error);
            let name = match (field.is_empty(), inner.is_empty()) {
                (true, true) => "body".to_owned(),
                (true, false) => inner,
                (false, true) => field.to_owned(),
                (false, false) => format!("{field}.{inner}"),
            };
            self.add(&name, &message);
        }
    }
}

fn read(parameter: &Parameter, given: &[&str], faults: &mut Faults) -> Option<Value> {
    let Some(first) = given.first() else {
        if parameter.required {
            faults.add(&parameter.name, "is missing");
        }
        return None;
    };
    let value = match parameter.kind {
        Kind::Text => Some(text_or_scalar(parameter, first)),
        Kind::Boolean => first.parse::<bool>().ok().map(Value::from),
        Kind::Integer => first.parse::<i64>().ok().map(Value::from),
        Kind::Number => first.parse::<f64>().ok().map(Value::from),
        Kind::List => {
            Some(given.iter().flat_map(|text| text.split(',')).map(Value::from).collect())
        }
    };
    let Some(value) = value else {
        let wanted = match parameter.kind {
            Kind::Boolean => "must be true or false",
            Kind::Integer => "must be an integer",
            _ => "must be a number",
        };
        faults.add(&parameter.name, wanted);
        return None;
    };
    // The items of a list are not retyped from text, so only single values are validated.
    if let Some(validator) = parameter.validator.as_ref().filter(|_| parameter.kind != Kind::List) {
        faults.validate(validator, &value, &parameter.name);
    }
    Some(value)
}

/// Text, unless the schema refuses it and takes the number or the word that it spells.
fn text_or_scalar(parameter: &Parameter, text: &str) -> Value {
    let fits = |value: &Value| {
        parameter.validator.as_ref().is_none_or(|validator| validator.is_valid(value))
    };
    let value = Value::from(text);
    if fits(&value) {
        return value;
    }
    serde_json::from_str(text).ok().filter(fits).unwrap_or(value)
}

fn read_body(operation: &Operation, text: &[u8], faults: &mut Faults) -> Map<String, Value> {
    let Some(body) = &operation.body else { return Map::new() };
    if text.iter().all(u8::is_ascii_whitespace) {
        if body.required {
            faults.add("body", "is missing");
        }
        return Map::new();
    }
    let Some(validator) = &body.validator else { return Map::new() };
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        faults.add("body", "is not JSON");
        return Map::new();
    };
    faults.validate(validator, &value, "");
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The dotted name of the field an error is about, and what is wrong with it.
fn fault(error: &jsonschema::ValidationError<'_>) -> (String, String) {
    use jsonschema::error::ValidationErrorKind as Broken;

    let place = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
    let within = |name: &str| {
        if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
    };
    match error.kind() {
        Broken::Required { property } => {
            (within(property.as_str().unwrap_or_default()), "is missing".to_owned())
        }
        Broken::AdditionalProperties { unexpected } => {
            let name = unexpected.first().map(String::as_str).unwrap_or_default();
            (within(name), "is not a field of this request".to_owned())
        }
        Broken::Format { format } => (place, format!("is not a valid {format}")),
        Broken::Enum { options } => (place, format!("must be one of {options}")),
        Broken::Minimum { limit } => (place, format!("must be at least {limit}")),
        Broken::Maximum { limit } => (place, format!("must be at most {limit}")),
        Broken::MinLength { .. } => (place, "is too short".to_owned()),
        Broken::MinItems { limit } => (place, format!("needs at least {limit} entries")),
        Broken::MaxItems { limit } => (place, format!("takes at most {limit} entries")),
        Broken::Pattern { .. } => (place, "is not of the documented form".to_owned()),
        Broken::Type { .. } => (place, "is of the wrong type".to_owned()),
        _ => (place, "is not valid".to_owned()),
    }
}

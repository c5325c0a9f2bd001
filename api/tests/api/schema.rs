//! Judges a value by a schema of the OpenAPI document: as much of JSON Schema as the document uses.

use serde_json::Value;

/// What is wrong with `value`; empty if it fits.
pub(crate) fn complaints(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.strip_prefix('#').unwrap()).unwrap();
        return complaints(document, target, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice: &&Value| complaints(document, choice, value, at).is_empty();
        if choices.iter().filter(fits).count() != 1 {
            wrong.push(format!("{at}: none of the choices, or several: {value}"));
        }
        return wrong;
    }
    if let Some(parts) = schema["allOf"].as_array() {
        for part in parts {
            wrong.extend(complaints(document, part, value, at));
        }
        return wrong;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    if !kinds.is_empty() && !kinds.contains(&kind_of(value)) {
        wrong.push(format!("{at}: {value} is not of type {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of {words:?}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            wrong.push(format!("{at}/{name}: missing"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        if let Some(inner) = schema["properties"].get(name) {
            wrong.extend(complaints(document, inner, member, &format!("{at}/{name}")));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        let inner = &schema["items"];
        wrong.extend(complaints(document, inner, item, &format!("{at}/{index}")));
    }
    wrong
}

/// The names of all properties that a schema speaks of at its top.
pub(crate) fn properties(document: &Value, schema: &Value) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.strip_prefix('#').unwrap()).unwrap();
        return properties(document, target);
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    own.chain(parts.flat_map(|part| properties(document, part))).collect()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

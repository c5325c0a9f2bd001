//! What a schema's annotations cannot say once for all: every field of an answer is present, null
//! or not.

use std::collections::BTreeSet;

use serde_json::Value;

/// Schemas of failures: their extension members come and go.
const OPTIONAL: [&str; 2] = ["Problem", "FieldError"];

/// Marks every property of every schema that is not part of a request as required.
pub(super) fn complete(document: &mut Value) {
    let mut asked = BTreeSet::new();
    let bodies: Vec<Value> = document["paths"]
        .as_object()
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(Value::as_object)
        .flat_map(|item| item.values())
        .map(|operation| operation["requestBody"].clone())
        .collect();
    for body in &bodies {
        collect(body, document, &mut asked);
    }
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for (name, schema) in schemas {
        if !asked.contains(name) && !OPTIONAL.contains(&name.as_str()) {
            require_all(schema);
        }
    }
}

/// The names of all schemas that `value` leads to.
fn collect(value: &Value, document: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|text| text.strip_prefix("#/components/schemas/"));
            if let Some(name) = name
                && names.insert(name.to_owned())
            {
                collect(&document["components"]["schemas"][name], document, names);
            }
            members.values().for_each(|member| collect(member, document, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, document, names)),
        _ => {}
    }
}

fn require_all(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                let all: Vec<Value> = properties.keys().cloned().map(Value::from).collect();
                members.insert("required".to_owned(), all.into());
            }
            members.values_mut().for_each(require_all);
        }
        Value::Array(items) => items.iter_mut().for_each(require_all),
        _ => {}
    }
}

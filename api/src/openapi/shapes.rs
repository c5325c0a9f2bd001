//! What a schema's annotations cannot say once for all: every field of an answer is present, null
//! or not, but for what a browser would refuse as null; no field of a patch may be null; a problem's
//! code is one of those that there are.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::enums;
use crate::problem::Code;

/// Schemas of failures: their extension members come and go.
const OPTIONAL: [&str; 2] = ["Problem", "FieldError"];

/// Schemas whose fields may be left out but are never null.
const NEVER_NULL: [&str; 7] = [
    "Problem",
    "UpdateLockout",
    "UpdatePolicy",
    "UpdateSends",
    "UpdateSettings",
    "UpdateTriggers",
    "UpdateTrustedDevices",
];

/// Fields of answers, by schema, that are left out and never null, as the dictionaries of WebAuthn
/// have it: a browser refuses null where it knows a word.
const LEFT_OUT: [(&str, &str); 1] = [("AuthenticatorSelection", "authenticatorAttachment")];

/// Completes every schema.
pub(super) fn complete(document: &mut Value) {
    name_lists(document);
    name_rows(document);
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] = json!(codes);
    enums::complete(document);
    let asked = reached(document, "requestBody");
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas {
            if !asked.contains(name) && !OPTIONAL.contains(&name.as_str()) {
                require_all(schema);
            }
            if NEVER_NULL.contains(&name.as_str()) {
                schema["properties"].as_object_mut().into_iter().flatten().for_each(|(_, it)| {
                    forbid_null(it);
                });
            }
        }
    }
    for (schema, field) in LEFT_OUT {
        leave_out(&mut document["components"]["schemas"][schema], field);
    }
    relax_bodies(document);
}

/// `List_Factor`, as generics are called, becomes `FactorList`.
fn name_lists(document: &mut Value) {
    let renamed = |name: &str| name.strip_prefix("List_").map(|of| format!("{of}List"));
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        let old = std::mem::take(schemas);
        schemas.extend(old.into_iter().map(|(name, it)| (renamed(&name).unwrap_or(name), it)));
    }
    each_object(document, &mut |object| {
        let Some(Value::String(target)) = object.get_mut("$ref") else { return };
        let name = target.strip_prefix("#/components/schemas/");
        if let Some(name) = name.and_then(renamed) {
            *target = format!("#/components/schemas/{name}");
        }
    });
}

/// A page's rows are the schema that the page is named after, and not a copy of it.
fn name_rows(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let names: BTreeSet<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let row = name.strip_suffix("List").filter(|row| names.contains(*row));
        if let (Some(row), Some(items)) = (row, schema.pointer_mut("/properties/data/items")) {
            *items = json!({ "$ref": format!("#/components/schemas/{row}") });
        }
    }
}

/// The names of all schemas that a part of the operations leads to: `requestBody` or `responses`.
pub(super) fn reached(document: &Value, part: &str) -> BTreeSet<String> {
    let items = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = items.filter_map(Value::as_object).flat_map(|item| item.values());
    let mut names = BTreeSet::new();
    for operation in operations {
        collect(&operation[part], document, &mut names);
    }
    names
}

/// The name of the schema that an object refers to.
pub(super) fn named(object: &Map<String, Value>) -> Option<&str> {
    object.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// The names of all schemas that `value` leads to.
fn collect(value: &Value, document: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = named(members)
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
    each_object(schema, &mut |object| {
        if let Some(Value::Object(properties)) = object.get("properties") {
            let all: Vec<Value> = properties.keys().cloned().map(Value::from).collect();
            object.insert("required".to_owned(), all.into());
        }
    });
}

fn leave_out(schema: &mut Value, field: &str) {
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name != field);
    }
    forbid_null(&mut schema["properties"][field]);
}

/// Takes `null` out of a property's types and words.
fn forbid_null(property: &mut Value) {
    if let Some(Value::Array(words)) = property.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    if let Some(Value::Array(kinds)) = property.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_mut_slice() {
            let only = only.take();
            property["type"] = only;
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("oneOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = choices.as_mut_slice() {
            *property = only.take();
        }
    }
}

/// A body all of whose fields may be left out may itself be left out.
fn relax_bodies(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let items = document["paths"].as_object_mut().into_iter().flatten();
    for (_, item) in items {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            let Some(body) = operation.get_mut("requestBody") else { continue };
            let schema = body["content"]["application/json"]["schema"]["$ref"].as_str();
            let name = schema.and_then(|text| text.strip_prefix("#/components/schemas/"));
            let Some(schema) = name.and_then(|name| schemas.get(name)) else { continue };
            body["required"] = schema.get("required").is_some().into();
        }
    }
}

/// Visits every object in `value`, what holds others before them.
pub(super) fn each_object(value: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values_mut().for_each(|member| each_object(member, visit));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, visit)),
        _ => {}
    }
}

//! Words that stand for one of several: closed where a request has them, so that a wrong one is seen
//! before it is sent; open where the service answers, so that a client made from an older document
//! takes a word that is newer than itself.
//!
//! An answer refers to a schema of its own, a string that names the known words in its description
//! and in `x-extensible-enum`. A request has the words where it uses them: generators for Go make
//! constants of named enums, which clash where two know the same word.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::shapes::{each_object, named, reached};

/// The enums of the document, by name.
type Enums = BTreeMap<String, Value>;

/// Splits what requests and answers share, opens the answers' enums, and writes the requests' where
/// they are used.
pub(super) fn complete(document: &mut Value) {
    let (asked, answered) = (reached(document, "requestBody"), reached(document, "responses"));
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let enums: Enums = schemas
        .iter()
        .filter(|(_, schema)| schema["enum"].is_array())
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    let mut shared = BTreeSet::new();
    for name in asked.intersection(&answered).filter(|name| !enums.contains_key(*name)) {
        let Some(answer) = schemas.get_mut(name).filter(|it| it["type"] == "object") else {
            continue;
        };
        let request = answer.clone();
        // An answer may have more fields in time.
        if let Some(object) = answer.as_object_mut() {
            object.remove("additionalProperties");
        }
        schemas.insert(format!("{name}Input"), request);
        shared.insert(name.clone());
    }
    for (name, schema) in schemas.iter_mut() {
        let copied = name.strip_suffix("Input").is_some_and(|of| shared.contains(of));
        if copied || (asked.contains(name) && !answered.contains(name)) {
            close(schema, &enums, &shared);
        }
    }
    schemas.retain(|name, _| answered.contains(name) || !enums.contains_key(name));
    for name in enums.keys() {
        schemas.get_mut(name).into_iter().for_each(open);
    }
    open(&mut schemas["Problem"]["properties"]["code"]);
    for (_, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(body) = operation.get_mut("requestBody") {
                close(body, &enums, &shared);
            }
        }
    }
}

/// Makes an enum a string that may also be a word which is not known yet.
fn open(schema: &mut Value) {
    let Some(words) = schema.as_object_mut().and_then(|object| object.remove("enum")) else {
        return;
    };
    let known = words.as_array().into_iter().flatten().filter_map(Value::as_str);
    let known: Vec<String> = known.map(|word| format!("`{word}`")).collect();
    let said = schema["description"].as_str().unwrap_or_default();
    schema["description"] =
        format!("{said}\n\nKnown values: {}. More may be added.", known.join(", ")).trim().into();
    schema["x-extensible-enum"] = words;
}

/// Puts enums in the place of references to them, and leads references to what answers share with a
/// request to the request's own.
fn close(value: &mut Value, enums: &Enums, shared: &BTreeSet<String>) {
    each_object(value, &mut |object| {
        if let Some(name) = named(object).map(str::to_owned) {
            if let Some(words) = enums.get(&name) {
                let said = object.remove("description");
                object.clear();
                write(object, &name, words, said, false);
            } else if shared.contains(&name) {
                object.insert("$ref".to_owned(), reference(&format!("{name}Input")));
            }
        }
        // What may be null is one of two: the enum or null.
        let Some(choices) = object.get("oneOf").and_then(Value::as_array) else { return };
        let is_nullable = choices.len() == 2 && choices.iter().any(|it| it["type"] == "null");
        let choice = choices.iter().filter_map(Value::as_object).find_map(|choice| {
            let name = named(choice).filter(|name| enums.contains_key(*name))?;
            Some((name.to_owned(), choice.get("description").cloned()))
        });
        if let Some((name, said)) = choice.filter(|_| is_nullable) {
            object.remove("oneOf");
            let said = object.remove("description").or(said);
            write(object, &name, &enums[&name], said, true);
        }
    });
}

/// Writes an enum into a place that needs one. Its title is what clients may call it.
fn write(
    object: &mut Map<String, Value>,
    name: &str,
    words: &Value,
    said: Option<Value>,
    nullable: bool,
) {
    let mut values = words["enum"].as_array().cloned().unwrap_or_default();
    let mut kind = json!("string");
    if nullable {
        values.push(Value::Null);
        kind = json!(["string", "null"]);
    }
    object.insert("type".to_owned(), kind);
    object.insert("title".to_owned(), name.into());
    object.insert("enum".to_owned(), values.into());
    if let Some(said) = said.or_else(|| words.get("description").cloned()) {
        object.insert("description".to_owned(), said);
    }
}

fn reference(name: &str) -> Value {
    format!("#/components/schemas/{name}").into()
}

//! What does not fit into a shape, in the caller's words.
//!
//! The reader of shapes speaks of Rust's types and repeats what was sent, which may be a secret.
//! Here its complaints become a pointer (RFC 6901) and a sentence about JSON; a value that was
//! sent is never repeated.

use serde_path_to_error::{Path, Segment};

use crate::problem::{FieldError, Problem};

/// The complaint about a body that is JSON but of another shape.
pub(crate) fn problem(path: &Path, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let complaint = message.rsplit_once(" at line ").map_or(&*message, |(text, _)| text);
    let pointer = pointer_to(path);
    let field = |(name, detail)| {
        let ends_in_it =
            matches!(path.iter().next_back(), Some(Segment::Map { key }) if key == name);
        // The path may end in the field's name already.
        let pointer = if ends_in_it { pointer.clone() } else { joined(&pointer, name) };
        FieldError::new(pointer, detail)
    };
    let error = named_field(complaint)
        .map(field)
        .unwrap_or_else(|| FieldError::new(pointer.clone(), in_words(complaint)));
    Problem::validation(vec![error])
}

/// A complaint that names a field itself: the name, and what is wrong with it.
fn named_field(complaint: &str) -> Option<(&str, String)> {
    let kinds = [
        ("missing field `", "is missing"),
        ("unknown field `", "is unknown"),
        ("duplicate field `", "is there twice"),
    ];
    kinds.iter().find_map(|(prefix, plain)| {
        let (name, rest) = complaint.strip_prefix(prefix)?.split_once('`')?;
        Some((name, format!("{plain}{rest}")))
    })
}

fn in_words(complaint: &str) -> String {
    let of_kind = |kind: &str| complaint.starts_with(kind);
    let expected = complaint.rsplit_once(", expected ").map(|(_, expected)| expected);
    match expected {
        // The choices stand there as JSON has them.
        Some(choices) if of_kind("unknown variant") => format!("must be {choices}"),
        Some(expected) if of_kind("invalid ") => match plainly(expected) {
            Some(plain) => format!("must be {plain}"),
            None => "has a value of another type".to_owned(),
        },
        // So it calls what is no string where a word is wanted.
        None if complaint == "expected value" => "has a value of another type".to_owned(),
        // What this crate's own readers say is meant for callers.
        _ if of_kind("must ") || of_kind("is ") || of_kind("has ") => complaint.to_owned(),
        _ => "has a value that cannot be read".to_owned(),
    }
}

/// What JSON calls what Rust calls so.
fn plainly(expected: &str) -> Option<&'static str> {
    let plain = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "string or map" | "variant identifier" | "a borrowed string" => "a string",
        "a sequence" => "an array",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        _ => return None,
    };
    Some(plain)
}

fn pointer_to(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => joined(&pointer, key),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

fn joined(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        number: Option<u32>,
        word: Option<Word>,
        flag: Option<bool>,
        inner: Option<Inner>,
        list: Option<Vec<String>>,
        share: Option<f64>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        text: String,
    }

    #[derive(Debug, Deserialize)]
    enum Word {
        #[serde(rename = "YES")]
        Yes,
        #[serde(rename = "NO")]
        No,
    }

    fn complaint<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> (String, String) {
        let mut deserializer = serde_json::Deserializer::from_str(body);
        let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).unwrap_err();
        let problem = problem(error.path(), error.inner());
        let first = problem.errors.into_iter().next().unwrap();
        (first.pointer, first.detail)
    }

    #[test]
    fn a_complaint_speaks_of_json_and_repeats_nothing_that_was_sent() {
        for (body, pointer, detail) in [
            (r#"{"number":"hush"}"#, "/number", "must be a whole number from 0 to 4294967295"),
            (r#"{"number":-987654}"#, "/number", "must be a whole number from 0 to 4294967295"),
            (r#"{"number":5.25}"#, "/number", "must be a whole number from 0 to 4294967295"),
            (r#"{"share":"hush"}"#, "/share", "must be a number"),
            (r#"{"word":"hush"}"#, "/word", "must be `YES` or `NO`"),
            (r#"{"word":7}"#, "/word", "has a value of another type"),
            (r#"{"flag":"hush"}"#, "/flag", "must be true or false"),
            (r#"{"inner":"hush"}"#, "/inner", "must be an object"),
            (r#"{"inner":{"text":987654}}"#, "/inner/text", "must be a string"),
            (r#"{"inner":{}}"#, "/inner/text", "is missing"),
            (r#"{"inner":{"text":"a","t~/":1}}"#, "/inner/t~0~1", "is unknown, expected `text`"),
            (r#"{"inner":{"text":"a","text":"b"}}"#, "/inner/text", "is there twice"),
            (r#"{"list":"hush"}"#, "/list", "must be an array"),
            (r#"{"list":["a",987654]}"#, "/list/1", "must be a string"),
            (r#"{"list":["\ud800"]}"#, "/list/0", "has a value that cannot be read"),
        ] {
            let told = complaint::<Outer>(body);
            assert_eq!(told, (pointer.to_owned(), detail.to_owned()), "{body}");
        }
    }
}

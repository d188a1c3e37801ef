//! How sentences name places, types and values.

use serde_json::{Map, Value};

use crate::check::Place;

/// A list of types as people say it.
pub(crate) fn kinds(kinds: &[&str]) -> String {
    let kinds: Vec<_> = kinds.iter().map(|kind| with_article(kind)).collect();
    kinds.join(" or ")
}

fn with_article(kind: &str) -> String {
    match kind {
        "null" => "null".into(),
        "array" | "object" | "integer" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

/// A value in a sentence: numbers as they are, of all else the type, because it may be long or secret.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "a boolean".into(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

/// The sentence for a member that the schema excludes, with those that it knows.
pub(crate) fn unknown(name: &str, properties: Option<&Map<String, Value>>, at: &mut Place<'_>) -> String {
    let known: Vec<_> =
        properties.into_iter().flat_map(Map::keys).map(|known| format!("`{known}`")).collect();
    let members = at.members;
    let unknown = at.within_member(name, |at| at.named());
    if known.is_empty() {
        format!("{unknown} is not known: there are no {members}")
    } else {
        format!("{unknown} is not known; known are {}", known.join(", "))
    }
}

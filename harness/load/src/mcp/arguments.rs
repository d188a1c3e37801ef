//! Arguments that a tool should take, made from its own schema.

use mcp_schema::resolved;
use serde_json::{Map, Value, json};

/// How deep objects and lists are made.
const DEPTH: usize = 8;

/// Makes arguments from an `inputSchema`: its examples and defaults first, then the first of each `enum`, then
/// the plainest value of the type. Optional properties are left out unless they have an example or default.
///
/// # Errors
/// A sentence that names the argument which cannot be made, and what to do.
pub fn arguments(schema: &Value) -> Result<Map<String, Value>, String> {
    let made = value("", schema, schema, DEPTH)?;
    match made {
        Value::Object(map) => Ok(map),
        other => Err(format!(
            "its arguments are to be {other}, which is not an object: give them with --calls FILE"
        )),
    }
}

/// The same arguments with `bytes` of text in the first property that takes any text; `None` without one.
#[must_use]
pub fn with_payload(schema: &Value, made: &Map<String, Value>, bytes: usize) -> Option<Map<String, Value>> {
    let free = |name: &&String| {
        let property = resolved(&schema["properties"][name.as_str()], schema);
        property["type"] == "string"
            && ["enum", "const", "pattern", "format"].iter().all(|keyword| property.get(keyword).is_none())
            && property["maxLength"].as_u64().is_none_or(|most| bytes as u64 <= most)
    };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let required: Vec<String> = required.map(str::to_owned).collect();
    let optional: Vec<String> = schema["properties"].as_object()?.keys().cloned().collect();
    let name = required.iter().chain(&optional).find(free)?;
    let mut arguments = made.clone();
    arguments.insert(name.clone(), payload(bytes).into());
    Some(arguments)
}

/// Text of so many bytes that is neither empty nor all the same letter.
pub(crate) fn payload(bytes: usize) -> String {
    "the quick brown fox jumps over the lazy dog ".chars().cycle().take(bytes).collect()
}

fn value(place: &str, schema: &Value, root: &Value, depth: usize) -> Result<Value, String> {
    let schema = resolved(schema, root);
    let cannot = |why: &str| {
        let shown =
            if place.is_empty() { "its arguments".to_owned() } else { format!("its argument {place}") };
        Err(format!("{shown} cannot be made from the schema ({why}): give it with --calls FILE"))
    };
    if depth == 0 {
        return cannot("it is nested too deeply");
    }
    let given = schema["examples"].as_array().and_then(|examples| examples.first());
    let given = given.or(schema.get("example")).or(schema.get("default")).or(schema.get("const"));
    if let Some(given) = given.or(schema["enum"].as_array().and_then(|allowed| allowed.first())) {
        return Ok(given.clone());
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[keyword].as_array().filter(|choices| !choices.is_empty()) {
            let mut made = choices.iter().map(|choice| value(place, choice, root, depth - 1));
            let first = made.find_map(Result::ok);
            return first.map_or_else(|| cannot("none of its alternatives can"), Ok);
        }
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.as_str(),
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or_default(),
        _ if schema.get("properties").is_some() || place.is_empty() => "object",
        _ => "",
    };
    match kind {
        "object" => object(place, schema, root, depth),
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or(0);
            let item = || value(&format!("{place}[]"), &schema["items"], root, depth - 1);
            (0..least).map(|_| item()).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        "string" => text(schema)
            .map_or_else(|| cannot("it has a pattern or a format of its own"), |text| Ok(text.into())),
        "integer" | "number" => Ok(number(schema, kind)),
        "boolean" => Ok(false.into()),
        "null" => Ok(Value::Null),
        _ => cannot("the schema tells no type"),
    }
}

fn object(place: &str, schema: &Value, root: &Value, depth: usize) -> Result<Value, String> {
    let mut made = Map::new();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let told = resolved(property, root);
        let has_value = ["examples", "example", "default"].iter().any(|keyword| told.get(keyword).is_some());
        if required.contains(&name.as_str()) || has_value {
            made.insert(name.clone(), value(&place, property, root, depth - 1)?);
        }
    }
    for name in required {
        if !made.contains_key(name) {
            return Err(format!(
                "its argument {name} is required, and the schema does not tell what it is: give it with --calls FILE"
            ));
        }
    }
    Ok(Value::Object(made))
}

fn text(schema: &Value) -> Option<String> {
    if schema.get("pattern").is_some() {
        return None;
    }
    let plain = match schema["format"].as_str() {
        None => "hello",
        Some("date") => "2026-01-31",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("time") => "12:00:00Z",
        Some("email") => "nobody@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("ipv4") => "127.0.0.1",
        Some("hostname") => "localhost",
        Some(_) => return None,
    };
    let length = plain.len() as u64;
    let (least, most) = (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64());
    if least <= length && most.is_none_or(|most| length <= most) {
        return Some(plain.to_owned());
    }
    let wanted = if length < least { least } else { most.unwrap_or(length) };
    (schema.get("format").is_none() && wanted <= 1 << 20).then(|| payload(wanted as usize))
}

fn number(schema: &Value, kind: &str) -> Value {
    let least = schema["minimum"].as_f64().or(schema["exclusiveMinimum"].as_f64().map(|bound| bound + 1.0));
    let most = schema["maximum"].as_f64().or(schema["exclusiveMaximum"].as_f64().map(|bound| bound - 1.0));
    let mut number = 1.0_f64;
    if let Some(most) = most {
        number = number.min(most);
    }
    if let Some(least) = least {
        number = number.max(least);
    }
    if kind == "integer" { json!(number.ceil() as i64) } else { json!(number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::answer::conforms;
    use proptest::prelude::*;

    #[test]
    fn examples_come_first_then_defaults_then_plain_values() {
        let schema = json!({ "type": "object", "required": ["a", "b", "c", "d", "when"], "properties": {
            "a": { "type": "string", "examples": ["x", "y"] },
            "b": { "enum": ["low", "high"] },
            "c": { "type": "integer", "minimum": 5 },
            "d": { "$ref": "#/$defs/point" },
            "when": { "type": "string", "format": "date" },
            "e": { "type": "number", "default": 0.5 },
            "f": { "type": "string" },
        }, "$defs": { "point": { "type": "object", "required": ["xs"], "properties": {
            "xs": { "type": "array", "minItems": 2, "items": { "type": "number" } } } } } });
        let due = json!({ "a": "x", "b": "low", "c": 5, "d": { "xs": [1.0, 1.0] }, "when": "2026-01-31", "e": 0.5 });
        assert_eq!(Value::Object(arguments(&schema).unwrap()), due);
        assert_eq!(arguments(&json!({ "type": "object" })), Ok(Map::new()));
        assert_eq!(arguments(&json!({ "examples": [{ "q": 1 }] })).unwrap()["q"], 1);
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let of = |property: Value| {
            arguments(&json!({ "type": "object", "required": ["key"], "properties": { "key": property } }))
                .unwrap_err()
        };
        assert_eq!(
            of(json!({ "type": "string", "pattern": "^sk-" })),
            "its argument key cannot be made from the schema (it has a pattern or a format of its own): give it with \
             --calls FILE"
        );
        assert!(of(json!({})).contains("the schema tells no type"));
        assert!(of(json!({ "anyOf": [{ "pattern": "a", "type": "string" }] })).contains("alternatives"));
        let untold = arguments(&json!({ "type": "object", "required": ["token"] })).unwrap_err();
        assert!(
            untold.starts_with("its argument token is required, and the schema does not tell"),
            "{untold}"
        );
        let endless = json!({ "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#" } } });
        assert!(arguments(&endless).unwrap_err().contains("nested too deeply"));
    }

    #[test]
    fn a_payload_goes_into_the_first_free_text() {
        let schema = json!({ "type": "object", "required": ["text"], "properties": {
            "mode": { "type": "string", "enum": ["a"] }, "text": { "type": "string" } } });
        let made = with_payload(&schema, &Map::new(), 100).unwrap();
        assert_eq!(made["text"].as_str().unwrap().len(), 100);
        let numbers = json!({ "properties": { "n": { "type": "integer" } } });
        assert_eq!(with_payload(&numbers, &Map::new(), 10), None);
    }

    fn schemas() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            (0u64..40, 0u64..40)
                .prop_map(|(a, b)| json!({ "type": "string", "minLength": a.min(b), "maxLength": a.max(b) })),
            (-50i64..50, 0i64..50)
                .prop_map(|(a, b)| json!({ "type": "integer", "minimum": a, "maximum": a + b })),
            (-5i64..5).prop_map(|a| json!({ "type": "number", "minimum": a })),
            Just(json!({ "type": "boolean" })),
            Just(json!({ "type": "null" })),
            Just(json!({ "enum": [1, "a"] })),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                (inner.clone(), 0u64..3)
                    .prop_map(|(items, least)| json!({ "type": "array", "items": items, "minItems": least })),
                prop::collection::vec(inner, 0..4).prop_map(|properties| {
                    let names: Vec<String> = (0..properties.len()).map(|index| format!("p{index}")).collect();
                    let properties: Map<String, Value> = names.iter().cloned().zip(properties).collect();
                    json!({ "type": "object", "properties": properties, "required": names })
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_made_conforms(inner in schemas()) {
            let schema = json!({ "type": "object", "required": ["v"], "properties": { "v": inner } });
            let made = Value::Object(arguments(&schema).unwrap());
            prop_assert_eq!(conforms(&made, &schema), Ok(()), "{}", made);
            let text = &made["v"];
            if let (Some(text), Some(least)) = (text.as_str(), schema["properties"]["v"]["minLength"].as_u64()) {
                prop_assert!(text.len() as u64 >= least);
            }
        }
    }
}

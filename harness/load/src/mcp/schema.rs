//! The basics of JSON Schema: enough to see that an answer has the shape that its tool promised.

use serde_json::Value;

/// How deep schemas are followed; a schema that refers to itself ends here.
const DEPTH: usize = 32;

/// Checks a value against a schema: `type`, `enum`, `const`, `required`, `properties`,
/// `additionalProperties: false`, `items`, `minItems`, `minimum`, `maximum` and local `$ref`s. Other keywords
/// are not looked at.
///
/// # Errors
/// Where the value breaks the schema, and how.
pub fn conforms(value: &Value, schema: &Value) -> Result<(), String> {
    at("", value, schema, schema, DEPTH)
}

/// What a local reference (`#/$defs/x`) names; the schema itself without one.
pub(crate) fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEPTH {
        let Some(pointer) = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) else { break };
        match root.pointer(pointer) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

fn at(place: &str, value: &Value, schema: &Value, root: &Value, depth: usize) -> Result<(), String> {
    let schema = resolved(schema, root);
    if depth == 0 || !schema.is_object() {
        return Ok(());
    }
    let shown = if place.is_empty() { "it" } else { place };
    types(shown, value, &schema["type"])?;
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Err(format!("{shown} is {value}, which is none of the listed values"));
    }
    if let Some(due) = schema.get("const")
        && due != value
    {
        return Err(format!("{shown} is {value}, and {due} is due"));
    }
    bounds(shown, value, schema)?;
    members(place, value, schema, root, depth)?;
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        for (index, item) in list.iter().enumerate() {
            at(&format!("{place}[{index}]"), item, items, root, depth - 1)?;
        }
    }
    Ok(())
}

fn bounds(shown: &str, value: &Value, schema: &Value) -> Result<(), String> {
    if let (Some(least), Some(list)) = (schema["minItems"].as_u64(), value.as_array())
        && (list.len() as u64) < least
    {
        return Err(format!("{shown} has {} items, and at least {least} are due", list.len()));
    }
    let Some(number) = value.as_f64() else { return Ok(()) };
    if schema["minimum"].as_f64().is_some_and(|least| number < least)
        || schema["maximum"].as_f64().is_some_and(|most| number > most)
    {
        return Err(format!("{shown} is {value}, beyond its bounds"));
    }
    Ok(())
}

fn members(place: &str, value: &Value, schema: &Value, root: &Value, depth: usize) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Ok(()) };
    let shown = if place.is_empty() { "it" } else { place };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(name) {
            return Err(format!("{shown} has no “{name}”"));
        }
    }
    let properties = schema["properties"].as_object();
    for (name, member) in object {
        match properties.and_then(|properties| properties.get(name)) {
            Some(property) => {
                let dot = if place.is_empty() { "" } else { "." };
                at(&format!("{place}{dot}{name}"), member, property, root, depth - 1)?;
            }
            None if schema["additionalProperties"] == false => {
                return Err(format!("{shown} has “{name}”, which the schema does not know"));
            }
            None => {}
        }
    }
    Ok(())
}

fn types(shown: &str, value: &Value, due: &Value) -> Result<(), String> {
    let names: Vec<&str> = match due {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if names.is_empty() || names.iter().any(|name| is(value, name)) {
        return Ok(());
    }
    Err(format!("{shown} is {}, and {} is due", kind(value), names.join(" or ")))
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        _ => kind(value) == name,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(value: &Value, schema: &Value) -> String {
        conforms(value, schema).unwrap_err()
    }

    #[test]
    fn what_breaks_is_named_with_its_place() {
        let schema = json!({
            "type": "object", "required": ["mean"], "additionalProperties": false,
            "properties": { "mean": { "type": "number" }, "list": { "type": "array", "items": { "$ref": "#/$defs/n" } } },
            "$defs": { "n": { "type": "integer", "minimum": 0 } },
        });
        assert_eq!(conforms(&json!({ "mean": 1, "list": [1, 2.0] }), &schema), Ok(()));
        assert_eq!(wrong(&json!({}), &schema), "it has no “mean”");
        assert_eq!(wrong(&json!({ "mean": "1" }), &schema), "mean is string, and number is due");
        assert_eq!(
            wrong(&json!({ "mean": 1, "x": 1 }), &schema),
            "it has “x”, which the schema does not know"
        );
        assert_eq!(
            wrong(&json!({ "mean": 1, "list": [0, 1.5] }), &schema),
            "list[1] is number, and integer is due"
        );
        assert_eq!(wrong(&json!({ "mean": 1, "list": [-1] }), &schema), "list[0] is -1, beyond its bounds");
        assert_eq!(
            wrong(&json!(3), &json!({ "enum": [1, 2] })),
            "it is 3, which is none of the listed values"
        );
        assert_eq!(
            wrong(&json!(3), &json!({ "type": ["string", "null"] })),
            "it is number, and string or null is due"
        );
        assert_eq!(wrong(&json!([]), &json!({ "minItems": 1 })), "it has 0 items, and at least 1 are due");
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({ "$ref": "#" });
        assert_eq!(conforms(&json!({ "a": {} }), &schema), Ok(()));
        let list = json!({ "properties": { "next": { "$ref": "#" } } });
        assert_eq!(conforms(&json!({ "next": { "next": {} } }), &list), Ok(()));
    }
}

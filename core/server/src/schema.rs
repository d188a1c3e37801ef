//! The JSON Schemas of tools: made from types, tidied for readers, and used to say what is wrong with
//! arguments.
//!
//! Types decide first; the schema is asked where it says more than the type (a range, a length), and to
//! turn a refusal into a sentence. What the keywords mean is the business of `mcp-schema`; `pattern` and `format`
//! are not enforced.

use mcp_schema::Check;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Number, Value};

/// Numeric formats whose ranges the types of Rust enforce.
const UNSIGNED: [&str; 6] = ["uint", "uint8", "uint16", "uint32", "uint64", "uint128"];

/// Keywords that say more than a type does.
const CONSTRAINTS: [&str; 15] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "allOf",
    "if",
    "not",
    "oneOf",
];

/// The schema of a tool's parameters, and whether it says more than the type enforces.
pub(crate) fn of_input<P: JsonSchema>() -> (Map<String, Value>, bool) {
    let schema = of::<P>();
    let constrained = is_constrained(&Value::Object(schema.clone()));
    let mut schema = Value::Object(tidy(schema));
    without_nulls(&mut schema);
    match schema {
        Value::Object(schema) => (schema, constrained),
        _ => unreachable!("an object stays an object"),
    }
}

/// Members that may be left out are not also described as `null`: it says the same twice, and some clients
/// know no types with two names. A `null` is taken for a member that was left out.
fn without_nulls(schema: &mut Value) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if !required.iter().any(|required| required == name) {
            without_null(property);
        }
        without_nulls(property);
    }
    if let Some(items) = schema.get_mut("items") {
        without_nulls(items);
    }
}

fn without_null(property: &mut Value) {
    let Value::Object(property) = property else { return };
    if let Some(Value::Array(kinds)) = property.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            property.insert("type".into(), kind);
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(forms)) = property.get_mut("anyOf") {
        forms.retain(|form| form.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(form)] = forms.as_slice() {
            let form = form.clone();
            property.remove("anyOf");
            // What is said about the member goes before what is said about its type.
            for (keyword, value) in form {
                property.entry(keyword).or_insert(value);
            }
        }
    }
}

/// The schema of an answer.
pub(crate) fn of_output<T: JsonSchema>() -> Map<String, Value> {
    tidy(of::<T>())
}

fn of<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(object) => object,
        // `true`, the schema of any value.
        _ => Map::new(),
    }
}

fn is_constrained(schema: &Value) -> bool {
    let Value::Object(object) = schema else {
        return matches!(schema, Value::Array(all) if all.iter().any(is_constrained));
    };
    let format = object.get("format").and_then(Value::as_str).unwrap_or_default();
    let natural = UNSIGNED.contains(&format);
    let own = CONSTRAINTS
        .iter()
        .any(|keyword| object.contains_key(*keyword) && !(natural && is_natural(object, keyword)))
        || object.get("minimum").is_some_and(|minimum| !(natural && minimum.as_f64() == Some(0.0)));
    own || object.iter().any(|(keyword, value)| match keyword.as_str() {
        "properties" | "$defs" => value.as_object().is_some_and(|all| all.values().any(is_constrained)),
        "items" | "prefixItems" | "additionalProperties" | "anyOf" => is_constrained(value),
        _ => false,
    })
}

/// Whether the largest value is that of the type, which schemars writes for small integers.
fn is_natural(object: &Map<String, Value>, keyword: &str) -> bool {
    let largest = object.get("maximum").and_then(Value::as_u64);
    keyword == "maximum" && [Some(u64::from(u8::MAX)), Some(u64::from(u16::MAX))].contains(&largest)
}

/// Leaves out what costs a reader tokens and says nothing: titles of types, the dialect that is the
/// default, numeric formats.
fn tidy(mut schema: Map<String, Value>) -> Map<String, Value> {
    schema.remove("$schema");
    let mut value = Value::Object(schema);
    tidy_in_place(&mut value);
    match value {
        Value::Object(schema) => schema,
        _ => unreachable!("an object stays an object"),
    }
}

fn tidy_in_place(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(tidy_in_place),
        Value::Object(object) => {
            object.remove("title");
            let is_numeric = |format: &Value| {
                format.as_str().is_some_and(|f| {
                    UNSIGNED.contains(&f) || f.starts_with("int") || f == "double" || f == "float"
                })
            };
            if object.get("format").is_some_and(is_numeric) {
                object.remove("format");
            }
            for (keyword, value) in object.iter_mut() {
                match keyword.as_str() {
                    // Names of members are data: one may be called `title`.
                    "properties" | "$defs" => {
                        value.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(tidy_in_place);
                    }
                    "default" | "const" | "enum" | "examples" => {}
                    _ => tidy_in_place(value),
                }
            }
        }
        _ => {}
    }
}

/// A schema without what it says to readers, and without what says nothing: any other member is allowed anyway,
/// a count is never negative, a member that may be missing is never null, and which members of an inner object are
/// always there is seen in the first answer.
pub(crate) fn terse(schema: Map<String, Value>) -> Map<String, Value> {
    let mut schema = Value::Object(schema);
    without_nulls(&mut schema);
    let Value::Object(mut schema) = schema else { unreachable!("an object stays an object") };
    let required = schema.remove("required");
    bare(&mut schema);
    schema.extend(required.map(|required| ("required".to_owned(), required)));
    schema
}

fn bare(schema: &mut Map<String, Value>) {
    schema.remove("description");
    schema.remove("required");
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
        schema.remove("additionalProperties");
    }
    if schema.get("minimum").and_then(Value::as_f64) == Some(0.0) {
        schema.remove("minimum");
    }
    for (keyword, value) in schema.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties" | "$defs", Value::Object(members)) => {
                members.values_mut().filter_map(Value::as_object_mut).for_each(bare);
            }
            ("default" | "const" | "enum" | "examples", _) => {}
            (_, Value::Object(inner)) => bare(inner),
            (_, Value::Array(all)) => all.iter_mut().filter_map(Value::as_object_mut).for_each(bare),
            (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {}
        }
    }
}

/// What is wrong with arguments, as a sentence without its full stop; `None` when they are valid.
pub(crate) fn problem(schema: &Map<String, Value>, arguments: &Value) -> Option<String> {
    // The schema that is shown has no `null` for what may be left out, see `without_nulls`.
    Check::new(schema).called("the arguments", "arguments").null_as_missing().problem(arguments)
}

/// Writes whole numbers in float form (`1.0`), which JSON Schema takes for integers, as integers.
pub(crate) fn with_whole_numbers(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(with_whole_numbers),
        Value::Object(object) => object.values_mut().for_each(with_whole_numbers),
        Value::Number(number) => {
            // Beyond 2^53 a float does not say which integer was meant.
            let whole = number.as_f64().filter(|f| number.is_f64() && f.fract() == 0.0 && f.abs() < 9e15);
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
            if let Some(float) = whole {
                *number = Number::from(float as i64);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;

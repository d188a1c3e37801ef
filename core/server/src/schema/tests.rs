use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Plain {
    /// A title is a name like any other.
    title: String,
    /// How many.
    count: u32,
    /// How far.
    depth: u8,
    /// Perhaps.
    share: Option<f64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the schema is looked at")]
struct Bounded {
    /// How many.
    #[schemars(range(min = 1, max = 9))]
    count: u32,
    /// Names.
    #[schemars(length(max = 2))]
    names: Vec<String>,
}

fn refusal(schema: &Map<String, Value>, value: &Value) -> String {
    problem(schema, value).unwrap_or_else(|| panic!("{value} is valid"))
}

#[test]
fn a_plain_type_needs_no_second_look_and_no_noise() {
    let (schema, constrained) = of_input::<Plain>();
    assert!(!constrained, "{schema:?}");
    assert!(!schema.contains_key("title") && !schema.contains_key("$schema"), "{schema:?}");
    assert_eq!(schema["properties"]["title"]["type"], "string");
    assert_eq!(schema["properties"]["count"].get("format"), None);
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["share"], json!({"description": "Perhaps.", "type": "number"}));
}

#[test]
fn ranges_and_lengths_need_a_second_look() {
    assert!(of_input::<Bounded>().1);
}

#[test]
fn each_refusal_is_a_sentence() {
    let (plain, _) = of_input::<Plain>();
    let (bounded, _) = of_input::<Bounded>();
    for (schema, value, sentence) in [
        (&plain, json!({}), "`title` is required"),
        (&plain, json!({"title": "a"}), "`count` is required"),
        (&plain, json!({"title": 1, "count": 1, "depth": 1}), "`title` must be a string, not 1"),
        (&plain, json!({"title": "a", "count": 1.5, "depth": 1}), "`count` must be an integer, not 1.5"),
        (&plain, json!({"title": "a", "count": -1, "depth": 1}), "`count` must be at least 0, not -1"),
        (
            &plain,
            json!({"title": "a", "count": 1, "depth": 1, "share": "x"}),
            "`share` must be a number, not a string",
        ),
        (
            &plain,
            json!({"title": "a", "count": 1, "depth": 1, "x": 2}),
            "`x` is not known; known are `count`, `depth`, `share`, `title`",
        ),
        (&plain, json!([]), "the arguments must be an object, not an array"),
        (&bounded, json!({"count": 10, "names": []}), "`count` must be at most 9, not 10"),
        (&bounded, json!({"count": 1, "names": ["a", "b", "c"]}), "`names` must have at most 2 items, not 3"),
        (&bounded, json!({"count": 1, "names": ["a", 2]}), "`names[1]` must be a string, not 2"),
    ] {
        assert_eq!(refusal(schema, &value), sentence);
    }
    assert_eq!(problem(&plain, &json!({"title": "a", "count": 1.0, "depth": 1, "share": null})), None);
}

#[test]
fn whole_floats_become_integers_where_nothing_is_lost() {
    let mut value = json!({"a": [1.0, 1.5, -2.0, 1e300], "b": 3});
    with_whole_numbers(&mut value);
    assert_eq!(value.to_string(), r#"{"a":[1,1.5,-2,1e+300],"b":3}"#);
}

#[test]
fn a_terse_schema_keeps_names_and_types() {
    let schema = json!({
        "description": "an answer", "type": "object", "required": ["all"],
        "properties": {
            "description": {"type": "string", "description": "what it says"},
            "required": {"type": "integer", "minimum": 0},
            "all": {"type": "array", "description": "x", "items": {
                "type": "object", "required": ["a"], "additionalProperties": true,
                "properties": {"a": {"enum": ["description"], "description": "y"}},
            }},
        },
    });
    let Value::Object(schema) = schema else { unreachable!("it is an object") };
    let expected = json!({
        "type": "object", "required": ["all"],
        "properties": {
            "description": {"type": "string"},
            "required": {"type": "integer"},
            "all": {"type": "array", "items": {"type": "object", "properties": {"a": {"enum": ["description"]}}}},
        },
    });
    assert_eq!(Value::Object(terse(schema)), expected);
}

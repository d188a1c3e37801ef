//! Arguments made from a tool's own schema: whatever it allows has to be taken, whatever it excludes refused.

use mcp_schema::Check;
use serde_json::{Map, Value, json};

use crate::client::{Process, text};

/// Numbers that are the same in every run, from a seed (SplitMix64, Steele, Lea and Flood 2014).
pub struct Numbers(pub u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of two.
    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

fn bound(schema: &Value, keyword: &str, default: f64) -> f64 {
    schema.get(keyword).and_then(Value::as_f64).unwrap_or(default)
}

/// The type that a schema names; of several the one that is not `null`.
pub fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        // Of several the first: the other one is `null`.
        Value::Array(kinds) => kinds[0].as_str().unwrap(),
        kind => kind.as_str().unwrap_or_default(),
    }
}

/// A schema with its reference followed and the form chosen that is not `null`.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let schema = mcp_schema::resolved(schema, root);
    schema["anyOf"].as_array().map_or(schema, |forms| &forms[0])
}

/// What is wrong with arguments by the definition that servers use; made without looking at it, so that each is a
/// test of the other.
fn problem(schema: &Value, arguments: &Value) -> Option<String> {
    Check::new(schema.as_object().unwrap()).null_as_missing().problem(arguments)
}

/// Holds an answer to its tool's output schema.
///
/// # Panics
/// If the answer breaks the schema, and if the schema says what nobody checks.
pub fn hold_answer(schema: &Value, answer: &Value, what: &str) {
    let unchecked = mcp_schema::unchecked(schema);
    assert!(unchecked.is_empty(), "{what}: the keywords {unchecked:?}");
    let problem = Check::new(schema.as_object().unwrap()).problem(answer);
    assert_eq!(problem, None, "{what}: {answer}");
}

/// A value that the schema allows.
pub fn valid(schema: &Value, root: &Value, numbers: &mut Numbers) -> Value {
    let schema = resolved(schema, root);
    if let Some(choices) = schema["enum"].as_array() {
        return numbers.pick(choices).clone();
    }
    match kind(schema) {
        "string" => {
            let (least, most) =
                (bound(schema, "minLength", 0.0) as u64, bound(schema, "maxLength", 12.0) as u64);
            let letters = ["a", "ß", "中", " ", "\"", "\\", "{", "\n", "🎉"];
            let length = least + numbers.below(most - least + 1);
            (0..length).map(|_| *numbers.pick(&letters)).collect::<String>().into()
        }
        "integer" => {
            let (least, most) = (bound(schema, "minimum", -9e6), bound(schema, "maximum", 9e6));
            let value = least as i64 + numbers.below((most - least) as u64 + 1) as i64;
            // JSON Schema takes `3.0` for an integer.
            if numbers.below(8) == 0 { json!(value as f64) } else { json!(value) }
        }
        "number" => {
            let (least, most) = (bound(schema, "minimum", -1e6), bound(schema, "maximum", 1e6));
            json!(least + (most - least) * (numbers.below(1001) as f64 / 1000.0))
        }
        "boolean" => json!(numbers.coin()),
        "array" => {
            let (least, most) =
                (bound(schema, "minItems", 0.0) as u64, bound(schema, "maxItems", 5.0) as u64);
            let length = least + numbers.below(most - least + 1);
            (0..length).map(|_| valid(&schema["items"], root, numbers)).collect()
        }
        "object" => object(schema, root, numbers),
        other => panic!("the generator does not know type {other:?} of {schema}"),
    }
}

fn object(schema: &Value, root: &Value, numbers: &mut Numbers) -> Value {
    let required = required(schema);
    // Conditions between members are met by having them all.
    let all = schema.get("allOf").is_some();
    let mut members = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if all || required.contains(&name.as_str()) || numbers.coin() {
            let nullable = property["type"].is_array() || property["anyOf"].is_array();
            let is_null = nullable && numbers.below(4) == 0;
            members.insert(name.clone(), if is_null { Value::Null } else { valid(property, root, numbers) });
        }
    }
    Value::Object(members)
}

/// The members that an object must have.
pub fn required(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Values that the schema excludes, each by one change to a valid one.
pub fn invalid(schema: &Value, root: &Value, numbers: &mut Numbers) -> Vec<Value> {
    let base = valid(schema, root, numbers);
    let mut broken = Vec::new();
    for name in required(schema) {
        let mut without = base.clone();
        without.as_object_mut().unwrap().remove(name);
        broken.push(without);
    }
    assert_eq!(schema["additionalProperties"], false, "unknown arguments have to be excluded: {schema}");
    let mut with = base.clone();
    with["no_such_argument"] = json!(1);
    broken.push(with);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        for wrong in wrong(property, root, numbers) {
            let mut with = base.clone();
            with[name] = wrong;
            broken.push(with);
        }
    }
    broken.extend([json!([]), json!("text"), json!(1)]);
    broken
}

/// Values that a property excludes.
fn wrong(schema: &Value, root: &Value, numbers: &mut Numbers) -> Vec<Value> {
    let schema = resolved(schema, root);
    if schema.get("enum").is_some() {
        return vec![json!("none of them"), json!(1), json!({})];
    }
    let mut values = match kind(schema) {
        "string" => vec![json!(1), json!({}), json!(["a"])],
        "integer" => vec![json!("1"), json!(1.5), json!([1])],
        "number" => vec![json!("1"), json!({})],
        "boolean" => vec![json!("true"), json!(0)],
        "array" => vec![json!("a"), json!({})],
        _ => vec![json!("a"), json!([])],
    };
    for (keyword, beyond) in [("minimum", -1.0), ("maximum", 1.0)] {
        if let Some(bound) = schema.get(keyword).and_then(Value::as_f64) {
            let number = bound + beyond;
            values.push(if kind(schema) == "integer" { json!(number as i64) } else { json!(number) });
        }
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| *least > 0) {
        values.push(json!("x".repeat(usize::try_from(least).unwrap() - 1)));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        values.push(json!("x".repeat(usize::try_from(most).unwrap() + 1)));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        values.push((0..=most).map(|_| valid(&schema["items"], root, numbers)).collect());
    }
    match kind(schema) {
        "array" => {
            values.extend(wrong(&schema["items"], root, numbers).into_iter().map(|item| json!([item])))
        }
        "object" if schema["additionalProperties"] == false => {
            values.extend(invalid(schema, root, numbers).into_iter().filter(Value::is_object));
        }
        _ => {}
    }
    values
}

/// Leaves out all of several arguments but the last one that is there: for those that exclude each other, which a schema
/// of plain members does not say.
///
/// # Panics
/// If the arguments are not an object.
pub fn one_of(arguments: &mut Value, names: &[&str]) {
    let arguments = arguments.as_object_mut().unwrap();
    let there: Vec<&&str> = names.iter().filter(|name| arguments.contains_key(**name)).collect();
    for name in there.iter().rev().skip(1) {
        arguments.remove(**name);
    }
}

/// Calls a tool with `rounds` sets of arguments that its schema allows, changed by `adapt`, and with one set for each
/// way to break the schema.
///
/// # Panics
/// If the tool refuses what is allowed for its shape, or takes what is not. A failure of the job is neither.
pub fn hold_to_schema(process: &mut Process, tool: &Value, rounds: usize, adapt: impl Fn(&mut Value)) {
    let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
    let mut numbers = Numbers(7);
    for _ in 0..rounds {
        let mut arguments = valid(schema, schema, &mut numbers);
        // Schemas of answers speak of whole ones.
        if schema["properties"].get("max_tokens").is_some() {
            arguments["max_tokens"] = json!(100_000);
        }
        assert_eq!(problem(schema, &arguments), None, "{name} {arguments}");
        adapt(&mut arguments);
        let answer = process.call(name, &arguments);
        let refused = answer["result"]["isError"] == true && text(&answer).starts_with(&format!("{name}: "));
        assert!(answer.get("result").is_some() && !refused, "{name} {arguments}: {answer}");
    }
    for arguments in invalid(schema, schema, &mut numbers) {
        assert!(problem(schema, &arguments).is_some(), "{name} {arguments}");
        let answer = process.call(name, &arguments);
        if arguments.is_object() {
            assert_eq!(answer["result"]["isError"], true, "{name} {arguments}: {answer}");
            assert!(text(&answer).starts_with(&format!("{name}: ")), "{name} {arguments}: {answer}");
        } else {
            // Not even a request.
            assert_eq!(answer["error"]["code"], -32602, "{name} {arguments}: {answer}");
        }
    }
}

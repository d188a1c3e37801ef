//! Whether an answer is right.

use mcp_schema::Check;
use serde_json::Value;

use crate::mcp::fault::excerpt;
use crate::mcp::{Answer, Call, Era, Fault, Incoming, read_message};

/// What the answer to a call has to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// A text that one of its text blocks, or its structured content, has to contain.
    pub text: Option<String>,
    /// Its whole structured content.
    pub structured: Option<Value>,
}

/// An answer that was found right, around its id.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    before: Vec<u8>,
    after: Vec<u8>,
}

/// Checks answers to the calls of a mix.
///
/// An answer that is equal, but for its id, to one that was found right before is right too, which costs a
/// comparison of bytes and not a parse.
#[derive(Clone, Debug)]
pub struct Oracle {
    known: Vec<Option<Known>>,
    era: Era,
}

impl Oracle {
    /// For so many kinds of calls.
    #[must_use]
    pub fn new(calls: usize, era: Era) -> Self {
        Self { known: vec![None; calls], era }
    }

    /// The kind of call and the id, where the message is byte for byte an answer that is known to be right.
    #[must_use]
    pub fn recognise(&self, text: &[u8]) -> Option<(usize, u64)> {
        self.known.iter().enumerate().find_map(|(call, known)| {
            let known = known.as_ref()?;
            let rest = text.strip_prefix(known.before.as_slice())?;
            let digits = rest.strip_suffix(known.after.as_slice())?;
            let id = std::str::from_utf8(digits).ok()?;
            let plain =
                id.bytes().all(|byte| byte.is_ascii_digit()) && (id.len() == 1 || !id.starts_with('0'));
            Some((call, id.parse().ok().filter(|_| plain)?))
        })
    }

    /// Checks an answer to a call of kind `index`, which is `call`. `due` is the text that is due where it
    /// differs from call to call.
    ///
    /// # Errors
    /// The [`Fault`] of the answer.
    pub fn check(
        &mut self,
        index: usize,
        call: &Call,
        text: &[u8],
        answer: &Answer,
        due: Option<&str>,
    ) -> Result<(), Fault> {
        let result = match &answer.outcome {
            Ok(result) => result,
            Err(error) => {
                return Err(Fault::Refused {
                    method: format!("tools/call {}", call.tool),
                    code: error.code,
                    said: error.message.clone(),
                });
            }
        };
        self.shape(call, result)?;
        if result["isError"] == true {
            return Err(Fault::ToolError { tool: call.tool.clone(), said: excerpt(&texts(result)) });
        }
        structured(call, result)?;
        expected(call, result, due)?;
        if let (Some(id), None) = (answer.id, due) {
            self.known[index] = around_id(text, id);
        }
        Ok(())
    }

    fn shape(&self, call: &Call, result: &Value) -> Result<(), Fault> {
        let malformed = |wrong: &str| Fault::Malformed {
            method: format!("tools/call {}", call.tool),
            wrong: wrong.to_owned(),
        };
        if !result.is_object() {
            return Err(malformed("its result is not an object"));
        }
        if result["resultType"] == "input_required" {
            let requests = result["inputRequests"].as_object().into_iter().flatten();
            let asks = requests.filter_map(|(_, request)| request["method"].as_str()).next();
            return Err(Fault::AsksForInput { method: asks.unwrap_or("input_required").to_owned() });
        }
        if self.era == Era::Modern && result["resultType"] != "complete" {
            return Err(malformed("its resultType is not “complete”, which revision 2026-07-28 asks for"));
        }
        let Some(content) = result["content"].as_array() else {
            return Err(malformed("it has no list “content”"));
        };
        for block in content {
            match block["type"].as_str() {
                None => return Err(malformed("a block of its content has no type")),
                Some("text") if !block["text"].is_string() => {
                    return Err(malformed("a text block of its content has no text"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

fn structured(call: &Call, result: &Value) -> Result<(), Fault> {
    let Some(schema) = &call.output else { return Ok(()) };
    let wrong = match result.get("structuredContent") {
        None => "it has no structuredContent".to_owned(),
        Some(content) => match conforms(content, schema) {
            Ok(()) => return Ok(()),
            Err(wrong) => wrong,
        },
    };
    Err(Fault::Schema { tool: call.tool.clone(), wrong })
}

/// Whether structured content is what the tool's own schema says, and what is wrong with it otherwise.
pub(crate) fn conforms(content: &Value, schema: &Value) -> Result<(), String> {
    let Value::Object(schema) = schema else { return Ok(()) };
    let check = Check::new(schema).called("the structured content", "members").patterns(matches);
    check.problem(content).map_or(Ok(()), Err)
}

/// Patterns that this engine cannot read, such as those that look around, pass.
fn matches(pattern: &str, text: &str) -> Option<bool> {
    regex_lite::Regex::new(pattern).ok().map(|pattern| pattern.is_match(text))
}

fn expected(call: &Call, result: &Value, due: Option<&str>) -> Result<(), Fault> {
    let wrong =
        |due: String, got: String| Fault::WrongAnswer { tool: call.tool.clone(), due, got: excerpt(&got) };
    if let Some(due) = due.or(call.expect.text.as_deref()) {
        let got = texts(result);
        let in_structure =
            || result.get("structuredContent").is_some_and(|value| value.to_string().contains(due));
        if !got.contains(due) && !in_structure() {
            return Err(wrong(format!("“{}”", excerpt(due)), got));
        }
    }
    match &call.expect.structured {
        Some(due) if !same(&result["structuredContent"], due) => {
            Err(wrong(excerpt(&due.to_string()), result["structuredContent"].to_string()))
        }
        _ => Ok(()),
    }
}

/// Whether two values are equal, numbers by their value: JSON has no whole numbers beside the others, and some
/// languages write `3.0` as `3`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let equal = |(name, value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(equal)
        }
        _ => one == other,
    }
}

/// All text of a result.
fn texts(result: &Value) -> String {
    let blocks = result["content"].as_array().into_iter().flatten();
    blocks.filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
}

/// What stands around the id of an answer; `None` where its place is not plain.
fn around_id(text: &[u8], id: u64) -> Option<Known> {
    // Only what begins or ends with its id is taken: inside of the result the same letters may stand by chance.
    let line = std::str::from_utf8(text).ok()?;
    let needle = format!("\"id\":{id}");
    let at = if line.matches(&needle).count() == 1 { line.find(&needle)? } else { return None };
    let (start, end) = (at + "\"id\":".len(), at + needle.len());
    if line[end..].starts_with(|next: char| next.is_ascii_digit() || next == '.') {
        return None;
    }
    let known = Known { before: text[..start].to_vec(), after: text[end..].to_vec() };
    // The place is the id's own when another number there is read as another id.
    let other = [&known.before[..], b"18", &known.after[..]].concat();
    match read_message(&other) {
        Ok(Incoming::Answer(Answer { id: Some(18), .. })) => Some(known),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(output: Option<Value>, expect: Expectation) -> Call {
        Call { tool: "echo".into(), weight: 1, arguments: serde_json::Map::new(), expect, output }
    }

    fn check(result: &Value, call: &Call, due: Option<&str>) -> Result<(), String> {
        let text = json!({ "jsonrpc": "2.0", "id": 5, "result": result }).to_string();
        let Ok(Incoming::Answer(answer)) = read_message(text.as_bytes()) else { panic!("an answer") };
        let checked = Oracle::new(1, Era::Legacy).check(0, call, text.as_bytes(), &answer, due);
        checked.map_err(|fault| fault.name())
    }

    fn text(text: &str) -> Value {
        json!({ "content": [{ "type": "text", "text": text }] })
    }

    #[test]
    fn each_fault_of_a_result_has_its_name() {
        let plain = call(None, Expectation::default());
        let wrong = |result: Value| check(&result, &plain, None).unwrap_err();
        assert_eq!(check(&text("a"), &plain, None), Ok(()));
        assert_eq!(wrong(json!([])), "malformed");
        assert_eq!(wrong(json!({})), "malformed");
        assert_eq!(wrong(json!({ "content": [{ "type": "text" }] })), "malformed");
        assert_eq!(wrong(json!({ "content": [], "isError": true })), "tool_error");
        let asks = json!({ "resultType": "input_required", "inputRequests": { "a": { "method": "elicitation/create" } } });
        assert_eq!(wrong(asks), "asks_for_input");
    }

    #[test]
    fn expectations_and_schemas_are_held_against_it() {
        let schema = json!({ "type": "object", "required": ["sum"] });
        let typed = call(Some(schema), Expectation::default());
        assert_eq!(check(&text("a"), &typed, None), Err("schema".into()));
        let with = |sum: Value| json!({ "content": [], "structuredContent": sum });
        assert_eq!(check(&with(json!({ "x": 1 })), &typed, None), Err("schema".into()));
        assert_eq!(check(&with(json!({ "sum": 1 })), &typed, None), Ok(()));
        let due = call(None, Expectation { text: Some("ab".into()), structured: None });
        assert_eq!(check(&text("cabd"), &due, None), Ok(()));
        assert_eq!(check(&text("ba"), &due, None), Err("wrong_answer".into()));
        assert_eq!(check(&text("x 7"), &due, Some("7")), Ok(()));
        assert_eq!(check(&with(json!("cab")), &due, None), Ok(()));
        let whole = call(None, Expectation { text: None, structured: Some(json!({ "sum": 3 })) });
        assert_eq!(check(&with(json!({ "sum": 4 })), &whole, None), Err("wrong_answer".into()));
        assert_eq!(check(&with(json!({ "sum": 3 })), &whole, None), Ok(()));
        assert_eq!(check(&with(json!({ "sum": 3.0 })), &whole, None), Ok(()));
        assert_eq!(check(&with(json!({ "sum": 3, "x": 1 })), &whole, None), Err("wrong_answer".into()));
        assert_eq!(check(&with(json!({ "sum": [3] })), &whole, None), Err("wrong_answer".into()));
    }

    #[test]
    fn a_schema_is_read_whole() {
        let schema = json!({ "type": "object", "properties": {
            "key": { "anyOf": [{ "type": "string", "pattern": "^[a-f]+$" }, { "type": "integer" }] },
            "one": { "oneOf": [{ "type": "integer" }, { "minimum": 5 }] },
            "few": { "maxItems": 1 },
        } });
        for right in [json!({ "key": "abc", "one": 3, "few": [1] }), json!({ "key": 1, "one": 5.5 })] {
            assert_eq!(conforms(&right, &schema), Ok(()), "{right}");
        }
        for (wrong, sentence) in [
            (json!({ "key": "abcx" }), "`key` must match ^[a-f]+$"),
            (json!({ "key": true }), "`key` must be a string, not a boolean"),
            (json!({ "one": 5 }), "`one` fits more than one of its forms"),
            (json!({ "few": [1, 2] }), "`few` must have at most 1 items, not 2"),
            (json!([]), "the structured content must be an object, not an array"),
        ] {
            assert_eq!(conforms(&wrong, &schema), Err(sentence.to_owned()), "{wrong}");
        }
        assert_eq!(conforms(&json!("a"), &json!({ "pattern": "^(?=b)" })), Ok(()), "it is not understood");
    }

    #[test]
    fn what_was_right_is_recognised_by_its_bytes_but_for_the_id() {
        let plain = call(None, Expectation::default());
        let line = |id: u64, word: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{word}"}}]}}}}"#
            )
        };
        let mut oracle = Oracle::new(2, Era::Legacy);
        let first = line(5, "a");
        assert_eq!(oracle.recognise(first.as_bytes()), None);
        let Ok(Incoming::Answer(answer)) = read_message(first.as_bytes()) else { panic!("an answer") };
        oracle.check(1, &plain, first.as_bytes(), &answer, None).unwrap();
        assert_eq!(oracle.recognise(line(123_456, "a").as_bytes()), Some((1, 123_456)));
        assert_eq!(oracle.recognise(line(123_456, "b").as_bytes()), None);
        assert_eq!(oracle.recognise(line(5, "a").replace(":5,", ":05,").as_bytes()), None);
        assert_eq!(oracle.recognise(line(5, "a").replace(":5,", ":,").as_bytes()), None);
    }

    #[test]
    fn an_id_inside_of_the_result_is_not_taken_for_the_answers() {
        let plain = call(None, Expectation::default());
        let line = r#"{"jsonrpc":"2.0","result":{"content":[],"rows":[{"id":5}]},"id": 5}"#;
        let Ok(Incoming::Answer(answer)) = read_message(line.as_bytes()) else { panic!("an answer") };
        let mut oracle = Oracle::new(1, Era::Legacy);
        oracle.check(0, &plain, line.as_bytes(), &answer, None).unwrap();
        assert_eq!(oracle.recognise(line.as_bytes()), None);
    }
}

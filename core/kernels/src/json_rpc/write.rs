//! From a tool's result to a line of JSON.

use std::fmt::Write as _;

use serde::Serialize;

/// A response to `tools/call`.
#[derive(Clone, Debug, Serialize)]
pub struct Reply<'a> {
    /// The identity of the request.
    pub id: u64,
    /// What the tool returned.
    pub result: ToolResult<'a>,
}

/// What a tool returned.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolResult<'a> {
    /// The parts that a model reads.
    #[serde(borrow = "'a")]
    pub content: Vec<Content<'a>>,
    /// The same for programs.
    pub structured_content: Structured<'a>,
    /// Whether the tool failed.
    pub is_error: bool,
}

/// A part of a result.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Content<'a> {
    /// Text.
    Text {
        /// The text.
        text: &'a str,
    },
}

/// The places that a search found.
#[derive(Clone, Debug, Serialize)]
pub struct Structured<'a> {
    /// The file.
    pub path: &'a str,
    /// Line numbers, from 1.
    pub lines: Vec<u32>,
    /// How well each line matches, between 0 and 1.
    pub scores: Vec<f64>,
    /// Whether there were more.
    pub truncated: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    jsonrpc: &'static str,
    id: u64,
    result: &'a ToolResult<'a>,
}

/// Appends `reply` as a line of JSON to `line`.
#[inline(never)]
pub fn write(reply: &Reply<'_>, line: &mut Vec<u8>) {
    let message = Message { jsonrpc: "2.0", id: reply.id, result: &reply.result };
    serde_json::to_writer(&mut *line, &message).expect("memory takes every byte and no key is a number");
    line.push(b'\n');
}

/// [`write()`] by hand.
///
/// It writes scores as Rust's `Debug` does, which is how serde_json writes them between 1e-5 and 1e15.
pub fn plain(reply: &Reply<'_>, line: &mut Vec<u8>) {
    let result = &reply.result;
    let content: Vec<String> = result
        .content
        .iter()
        .map(|Content::Text { text }| format!(r#"{{"type":"text","text":{}}}"#, quoted(text)))
        .collect();
    let lines: Vec<String> = result.structured_content.lines.iter().map(u32::to_string).collect();
    let scores: Vec<String> =
        result.structured_content.scores.iter().map(|score| format!("{score:?}")).collect();
    let text = format!(
        concat!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{{"content":[{}],"structuredContent":"#,
            r#"{{"path":{},"lines":[{}],"scores":[{}],"truncated":{}}},"isError":{}}}}}"#,
            "\n"
        ),
        reply.id,
        content.join(","),
        quoted(result.structured_content.path),
        lines.join(","),
        scores.join(","),
        result.structured_content.truncated,
        result.is_error,
    );
    line.extend_from_slice(text.as_bytes());
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for symbol in text.chars() {
        match symbol {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\0'..='\u{1f}' => {
                write!(quoted, "\\u{:04x}", u32::from(symbol)).expect("a string takes every character");
            }
            _ => quoted.push(symbol),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply<'a>(id: u64, texts: &[&'a str], lines: Vec<u32>, scores: Vec<f64>) -> Reply<'a> {
        Reply {
            id,
            result: ToolResult {
                content: texts.iter().map(|&text| Content::Text { text }).collect(),
                structured_content: Structured { path: "src/main.rs", lines, scores, truncated: false },
                is_error: false,
            },
        }
    }

    #[test]
    fn a_known_line() {
        let reply = reply(7, &["a \"b\"\n\u{1}é"], vec![3, 14], vec![0.5, 1.0]);
        for form in [write, plain] {
            let mut line = b"before\n".to_vec();
            form(&reply, &mut line);
            assert_eq!(
                String::from_utf8(line).unwrap(),
                concat!(
                    "before\n",
                    r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"a \"b\"\n\u0001é"}],"#,
                    r#""structuredContent":{"path":"src/main.rs","lines":[3,14],"scores":[0.5,1.0],"#,
                    r#""truncated":false},"isError":false}}"#,
                    "\n"
                )
            );
        }
    }

    proptest! {
        #[test]
        fn both_forms_write_the_same_line(
            id in any::<u64>(),
            texts in prop::collection::vec("(\\PC|[\\x00-\\x20\"\\\\]){0,20}", 0..4),
            lines in prop::collection::vec(any::<u32>(), 0..5),
            scores in prop::collection::vec(1e-4_f64..1e6, 0..5),
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let reply = reply(id, &texts, lines, scores);
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            write(&reply, &mut found);
            plain(&reply, &mut expected);
            prop_assert_eq!(&found, &expected);
            let tree: serde_json::Value = serde_json::from_slice(&found).unwrap();
            for (part, text) in tree["result"]["content"].as_array().unwrap().iter().zip(texts) {
                prop_assert_eq!(part["text"].as_str(), Some(text));
            }
        }
    }
}

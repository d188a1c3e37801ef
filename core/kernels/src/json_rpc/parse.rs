//! From a line of JSON to a handler with typed arguments.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The identity of a request, which its response repeats.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Id<'a> {
    /// A whole number.
    Number(i64),
    /// A string.
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

/// Who handles a message; the discriminant is the index into a server's table of handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// `initialize`
    Initialize,
    /// `ping`
    Ping,
    /// `tools/list`
    ToolsList,
    /// `tools/call`
    ToolsCall,
    /// `resources/list`
    ResourcesList,
    /// `resources/read`
    ResourcesRead,
    /// `prompts/get`
    PromptsGet,
    /// `notifications/initialized`
    Initialized,
    /// `notifications/cancelled`
    Cancelled,
}

/// What a message asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments<'a> {
    /// Nothing that the handler has to read.
    None,
    /// The name of a prompt, the address of a resource, or the version of a client.
    Name(Cow<'a, str>),
    /// Tool `search_code`.
    Search {
        /// A pattern.
        query: Cow<'a, str>,
        /// The directory to search, where it is not all.
        path: Option<Cow<'a, str>>,
        /// How many results to return at most.
        limit: u32,
    },
    /// Tool `read_file`.
    ReadLines {
        /// The file.
        path: Cow<'a, str>,
        /// The first line, from 1.
        first: u32,
        /// The last line, where it is not the end.
        last: Option<u32>,
    },
    /// Tool `find_anomalies`.
    Series {
        /// The values, in order.
        values: Vec<f64>,
        /// From which robust z-score on a value is reported.
        threshold: f64,
    },
}

/// A message on the way to its handler.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed<'a> {
    /// The request's identity; a notification has none.
    pub id: Option<Id<'a>>,
    /// Who handles it.
    pub handler: Handler,
    /// What it asks for.
    pub arguments: Arguments<'a>,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text is not JSON, or not a request.
    InvalidRequest,
    /// No handler has this name.
    MethodNotFound,
    /// The parameters are not those of the method or the tool.
    InvalidParams,
}

impl Refusal {
    /// The error code of the JSON-RPC 2.0 specification, section 5.1.
    pub fn code(self) -> i32 {
        match self {
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: &'a str,
    #[serde(borrow)]
    id: Option<Id<'a>>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initialize<'a> {
    #[serde(borrow)]
    protocol_version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ResourcesRead<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

#[derive(Deserialize)]
struct PromptsGet<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ToolsCall<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: &'a RawValue,
}

#[derive(Deserialize)]
struct Search<'a> {
    #[serde(borrow)]
    query: Cow<'a, str>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    limit: u32,
}

#[derive(Deserialize)]
struct ReadLines<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    first: u32,
    last: Option<u32>,
}

#[derive(Deserialize)]
struct Series {
    values: Vec<f64>,
    threshold: f64,
}

/// Reads one message and finds its handler. The envelope is read first and the parameters once the
/// method is known, both without copying strings that contain no escapes.
///
/// # Errors
/// The [`Refusal`] to answer with, where the message is not one that a handler can take.
#[inline(never)]
pub fn parse(message: &str) -> Result<Routed<'_>, Refusal> {
    let envelope: Envelope<'_> = serde_json::from_str(message).map_err(|_| Refusal::InvalidRequest)?;
    if envelope.jsonrpc != "2.0" {
        return Err(Refusal::InvalidRequest);
    }
    let handler = handler(&envelope.method).ok_or(Refusal::MethodNotFound)?;
    Ok(Routed { id: envelope.id, handler, arguments: arguments(handler, envelope.params)? })
}

fn handler(method: &str) -> Option<Handler> {
    Some(match method {
        "initialize" => Handler::Initialize,
        "ping" => Handler::Ping,
        "tools/list" => Handler::ToolsList,
        "tools/call" => Handler::ToolsCall,
        "resources/list" => Handler::ResourcesList,
        "resources/read" => Handler::ResourcesRead,
        "prompts/get" => Handler::PromptsGet,
        "notifications/initialized" => Handler::Initialized,
        "notifications/cancelled" => Handler::Cancelled,
        _ => return None,
    })
}

fn arguments(handler: Handler, params: Option<&RawValue>) -> Result<Arguments<'_>, Refusal> {
    match handler {
        Handler::Initialize => {
            let params: Initialize<'_> = typed(params)?;
            Ok(Arguments::Name(params.protocol_version))
        }
        Handler::ResourcesRead => {
            let params: ResourcesRead<'_> = typed(params)?;
            Ok(Arguments::Name(params.uri))
        }
        Handler::PromptsGet => {
            let params: PromptsGet<'_> = typed(params)?;
            Ok(Arguments::Name(params.name))
        }
        Handler::ToolsCall => tool_arguments(&typed(params)?),
        Handler::Ping
        | Handler::ToolsList
        | Handler::ResourcesList
        | Handler::Initialized
        | Handler::Cancelled => Ok(Arguments::None),
    }
}

fn tool_arguments<'a>(call: &ToolsCall<'a>) -> Result<Arguments<'a>, Refusal> {
    let arguments = Some(call.arguments);
    match &*call.name {
        "search_code" => {
            typed(arguments).map(|Search { query, path, limit }| Arguments::Search { query, path, limit })
        }
        "read_file" => {
            typed(arguments).map(|ReadLines { path, first, last }| Arguments::ReadLines { path, first, last })
        }
        "find_anomalies" => {
            typed(arguments).map(|Series { values, threshold }| Arguments::Series { values, threshold })
        }
        _ => Err(Refusal::InvalidParams),
    }
}

fn typed<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<T, Refusal> {
    let params = params.ok_or(Refusal::InvalidParams)?;
    serde_json::from_str(params.get()).map_err(|_| Refusal::InvalidParams)
}

/// [`parse`] by building the whole message as a tree and picking its parts.
///
/// It differs on texts that a tree cannot show: members that occur twice, and numbers out of range in
/// places that [`parse`] skips.
///
/// # Errors
/// As [`parse`].
pub fn plain(message: &str) -> Result<Routed<'static>, Refusal> {
    let tree: Value = serde_json::from_str(message).map_err(|_| Refusal::InvalidRequest)?;
    if tree.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(Refusal::InvalidRequest);
    }
    let id = match tree.get("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(Id::Text(Cow::Owned(text.clone()))),
        Some(other) => Some(Id::Number(other.as_i64().ok_or(Refusal::InvalidRequest)?)),
    };
    let method = tree.get("method").and_then(Value::as_str).ok_or(Refusal::InvalidRequest)?;
    let handler = handler(method).ok_or(Refusal::MethodNotFound)?;
    let params = &tree["params"];
    let arguments = match handler {
        Handler::Initialize => Some(Arguments::Name(text(&params["protocolVersion"])?)),
        Handler::ResourcesRead => Some(Arguments::Name(text(&params["uri"])?)),
        Handler::PromptsGet => Some(Arguments::Name(text(&params["name"])?)),
        Handler::ToolsCall => plain_tool(params),
        Handler::Ping
        | Handler::ToolsList
        | Handler::ResourcesList
        | Handler::Initialized
        | Handler::Cancelled => Some(Arguments::None),
    };
    Ok(Routed { id, handler, arguments: arguments.ok_or(Refusal::InvalidParams)? })
}

fn text(value: &Value) -> Result<Cow<'static, str>, Refusal> {
    let text = value.as_str().ok_or(Refusal::InvalidParams)?;
    Ok(Cow::Owned(text.to_owned()))
}

fn plain_tool(params: &Value) -> Option<Arguments<'static>> {
    let given = &params["arguments"];
    let whole = |value: &Value| u32::try_from(value.as_u64()?).ok();
    match params["name"].as_str()? {
        "search_code" => Some(Arguments::Search {
            query: text(&given["query"]).ok()?,
            path: match &given["path"] {
                Value::Null => None,
                path => Some(text(path).ok()?),
            },
            limit: whole(&given["limit"])?,
        }),
        "read_file" => Some(Arguments::ReadLines {
            path: text(&given["path"]).ok()?,
            first: whole(&given["first"])?,
            last: match &given["last"] {
                Value::Null => None,
                last => Some(whole(last)?),
            },
        }),
        "find_anomalies" => Some(Arguments::Series {
            values: given["values"].as_array()?.iter().map(Value::as_f64).collect::<Option<_>>()?,
            threshold: given["threshold"].as_f64()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    type Form = for<'a> fn(&'a str) -> Result<Routed<'a>, Refusal>;
    const FORMS: [Form; 2] = [parse, |message| plain(message)];

    #[test]
    fn known_messages() {
        for form in FORMS {
            let call = r#"{"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{"name":"search_code",
                "arguments":{"query":"fn \"main\"","limit":20}}}"#;
            let routed = form(call).unwrap();
            assert_eq!(routed.id, Some(Id::Text("a-1".into())));
            assert_eq!(routed.handler, Handler::ToolsCall);
            let expected = Arguments::Search { query: "fn \"main\"".into(), path: None, limit: 20 };
            assert_eq!(routed.arguments, expected);
            let note = form(r#"{"method":"notifications/initialized","jsonrpc":"2.0"}"#).unwrap();
            assert_eq!((note.id, note.handler), (None, Handler::Initialized));
        }
    }

    #[test]
    fn refusals_have_their_codes() {
        let call =
            |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let cases = [
            ("{".to_owned(), -32600),
            (r#"{"id":1,"method":"ping"}"#.to_owned(), -32600),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.to_owned(), -32600),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.to_owned(), -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"pong"}"#.to_owned(), -32601),
            (r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get"}"#.to_owned(), -32602),
            (call(r#"{"name":"unknown","arguments":{}}"#), -32602),
            (call(r#"{"name":"read_file","arguments":{"path":"a","first":-1}}"#), -32602),
            (call(r#"{"name":"read_file","arguments":{"path":7,"first":1}}"#), -32602),
        ];
        for form in FORMS {
            for (message, code) in &cases {
                assert_eq!(form(message).map_err(Refusal::code), Err(*code), "{message}");
            }
        }
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let message = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}"#;
        let routed = parse(message).unwrap();
        assert!(matches!(routed.arguments, Arguments::Name(Cow::Borrowed("file:///a"))));
    }

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            (-1e6_f64..1e6).prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
            prop::collection::vec(-1e3_f64..1e3, 0..5).prop_map(Value::from),
        ]
    }

    fn message() -> impl Strategy<Value = Value> {
        let methods = vec![
            "tools/call",
            "tools/call",
            "tools/call",
            "ping",
            "initialize",
            "resources/read",
            "prompts/get",
            "x",
        ];
        let tools = vec!["search_code", "read_file", "find_anomalies", "x"];
        (
            prop::sample::select(methods),
            prop::sample::select(tools),
            leaf(),
            prop::array::uniform6(leaf()),
            any::<u32>(),
        )
            .prop_map(|(method, tool, id, [a, b, c, d, e, f], whole)| {
                json!({
                    "jsonrpc": "2.0", "id": id, "method": method, "extra": a,
                    "params": {
                        "name": tool, "protocolVersion": b, "uri": c, "_meta": {"progressToken": 1},
                        "arguments": {
                            "query": "q\n", "path": d, "limit": whole, "first": whole, "last": e,
                            "values": [1, 2.5], "threshold": f,
                        },
                    },
                })
            })
    }

    proptest! {
        #[test]
        fn typed_and_tree_agree(message in message(), cut in any::<prop::sample::Index>()) {
            let text = message.to_string();
            prop_assert_eq!(parse(&text), plain(&text));
            let mut end = cut.index(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            prop_assert_eq!(parse(&text[..end]), Err(Refusal::InvalidRequest), "a message that is cut off");
            prop_assert_eq!(plain(&text[..end]), Err(Refusal::InvalidRequest));
        }
    }
}

//! One JSON-RPC message: <https://www.jsonrpc.org/specification>, without batches, which MCP has not.

use serde_json::Value;

use crate::mcp::Fault;
use crate::mcp::fault::excerpt;

/// A JSON-RPC error.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// Its code.
    pub code: i64,
    /// Its message.
    pub message: String,
    /// Its data; `Null` without.
    pub data: Value,
}

/// An answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The request's id; `None` where the server could not tell it.
    pub id: Option<u64>,
    /// The result, or the error.
    pub outcome: Result<Value, RpcError>,
}

/// What came from a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// An answer.
    Answer(Answer),
    /// A request of the server.
    Request {
        /// Its id, to be answered with.
        id: Value,
        /// Its method.
        method: String,
    },
    /// A notification.
    Notification {
        /// Its method.
        method: String,
    },
}

/// Reads one message.
///
/// # Errors
/// [`Fault::Garbage`] for what is not JSON-RPC at all, [`Fault::UnknownId`] for an id that is not a number of
/// ours, [`Fault::Malformed`] for an answer without result and error, or with both.
pub fn read_message(text: &[u8]) -> Result<Incoming, Fault> {
    let garbage =
        || Fault::Garbage { excerpt: excerpt(&String::from_utf8_lossy(&text[..text.len().min(400)])) };
    let mut value: Value = serde_json::from_slice(text).map_err(|_| garbage())?;
    if value["jsonrpc"] != "2.0" {
        return Err(garbage());
    }
    if let Some(method) = value["method"].as_str().map(str::to_owned) {
        return Ok(match value.get("id") {
            Some(id) => Incoming::Request { id: id.clone(), method },
            None => Incoming::Notification { method },
        });
    }
    let id = match &value["id"] {
        Value::Null => None,
        id => Some(id.as_u64().ok_or_else(|| Fault::UnknownId { id: id.to_string() })?),
    };
    let malformed = |wrong: &str| Fault::Malformed {
        method: id.map_or("a request".to_owned(), |id| format!("request {id}")),
        wrong: wrong.to_owned(),
    };
    let has_error = value.get("error").is_some_and(|error| !error.is_null());
    match (value.get("result").is_some(), has_error) {
        (true, false) => Ok(Incoming::Answer(Answer { id, outcome: Ok(value["result"].take()) })),
        (false, true) => {
            let error = value["error"].take();
            let code = error["code"].as_i64().ok_or_else(|| malformed("its error has no code"))?;
            let message = error["message"].as_str().unwrap_or_default().to_owned();
            let data = error.get("data").cloned().unwrap_or_default();
            Ok(Incoming::Answer(Answer { id, outcome: Err(RpcError { code, message, data }) }))
        }
        (true, true) => Err(malformed("it has both a result and an error")),
        (false, false) => Err(malformed("it has neither a result nor an error")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Incoming, Fault> {
        read_message(text.as_bytes())
    }

    #[test]
    fn the_four_kinds_are_told_apart() {
        let answer = read(r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#).unwrap();
        let outcome = Ok(serde_json::json!({ "a": 1 }));
        assert_eq!(answer, Incoming::Answer(Answer { id: Some(3), outcome }));
        let Incoming::Answer(error) =
            read(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#).unwrap()
        else {
            panic!("an answer");
        };
        assert_eq!((error.id, error.outcome.unwrap_err().code), (None, -32600));
        let request = read(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#).unwrap();
        assert_eq!(request, Incoming::Request { id: "a".into(), method: "ping".into() });
        let notification = read(r#"{"jsonrpc":"2.0","method":"notifications/message"}"#).unwrap();
        assert_eq!(notification, Incoming::Notification { method: "notifications/message".into() });
    }

    #[test]
    fn what_is_no_message_is_named() {
        let name = |text: &str| read(text).unwrap_err().name();
        assert_eq!(name("Server listening"), "garbage");
        assert_eq!(name(r#"{"id":1,"result":{}}"#), "garbage");
        assert_eq!(name(r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#), "garbage");
        assert_eq!(name(r#"{"jsonrpc":"2.0","id":1}"#), "malformed");
        assert_eq!(name(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1}}"#), "malformed");
        assert_eq!(name(r#"{"jsonrpc":"2.0","id":"7","result":{}}"#), "unknown_id");
    }
}

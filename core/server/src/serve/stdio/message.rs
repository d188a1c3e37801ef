//! Messages as text: read into the library's type, and written.

use memchr::memmem;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientJsonRpcMessage, ClientRequest, ErrorData, JsonRpcMessage,
    NumberOrString, RequestMetaObject,
};
use serde::Deserialize;
use serde_json::Value;

use crate::content::Reply;
use crate::context::Era;
use crate::server::Server;

/// A line without white space around it.
pub(in crate::serve) fn trimmed(line: &[u8]) -> &[u8] {
    // RFC 8259, section 8.1, lets a reader pass over a byte order mark.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    line.trim_ascii()
}

pub(super) fn line(out: &mut Vec<u8>, message: &impl serde::Serialize) {
    serde_json::to_writer(&mut *out, message).expect("messages of the protocol have a form in JSON");
    out.push(b'\n');
}

pub(super) fn answer_line(out: &mut Vec<u8>, id: &str, reply: &Reply, era: Era, server: &Server) {
    answer_text(out, id, reply, era, server);
    out.push(b'\n');
}

/// Appends the answer to a call.
pub(in crate::serve) fn answer_text(out: &mut Vec<u8>, id: &str, reply: &Reply, era: Era, server: &Server) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(br#","result":"#);
    reply.write(out, (era == Era::Stateless).then(|| server.meta()));
    out.push(b'}');
}

pub(super) fn id_text(id: &NumberOrString) -> String {
    match id {
        NumberOrString::Number(number) => number.to_string(),
        NumberOrString::String(text) => Value::from(&**text).to_string(),
    }
}

/// A message in the library's type, or what to answer it with. `place` is what holds it: the line, or the body.
pub(in crate::serve) fn parse(
    text: &[u8],
    place: &str,
) -> Result<ClientJsonRpcMessage, (ErrorData, Option<Value>)> {
    if let Some(message) = tool_call(text) {
        return Ok(message);
    }
    let failure = match serde_json::from_slice(text) {
        Ok(message) => return Ok(message),
        Err(error) => error,
    };
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        let sentence = format!("{place} is not JSON: {failure}");
        return Err((ErrorData::parse_error(sentence, None), None));
    };
    if value.is_array() {
        let sentence = "batches are not part of this protocol: send one message at a time";
        return Err((ErrorData::invalid_request(sentence, None), None));
    }
    let id = value.get("id").filter(|id| id.is_string() || id.is_i64()).cloned();
    let sentence =
        "a message has \"jsonrpc\": \"2.0\" and, as a request, `id` and `method`, as a notification `method`";
    Err((ErrorData::invalid_request(sentence, None), id))
}

/// The most common request, read without trying all others first.
pub(super) fn tool_call(text: &[u8]) -> Option<ClientJsonRpcMessage> {
    #[derive(Deserialize)]
    struct Message {
        jsonrpc: String,
        id: NumberOrString,
        method: String,
        params: CallToolRequestParams,
    }

    // Cheap to see, and most other lines do not have it.
    memmem::find(text, b"tools/call")?;
    let message: Message = serde_json::from_slice(text).ok()?;
    if message.jsonrpc != "2.0" || message.method != "tools/call" {
        return None;
    }
    let mut params = message.params;
    let meta = params.meta.take();
    let mut request = CallToolRequest::new(params);
    if let Some(meta) = meta {
        request.extensions.insert::<RequestMetaObject>(meta);
    }
    Some(JsonRpcMessage::request(ClientRequest::CallToolRequest(request), message.id))
}

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::reference;
use crate::server::About;

fn plain() -> Plain {
    let about = About { name: "test", title: "Test", version: "1", instructions: "" };
    let server = Server::builder(about).tools(&Arc::new(()), reference::tools()).build().unwrap();
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    Plain::new(Arc::new(server), "127.0.0.1:8080".parse().unwrap(), &names)
}

fn call(name: &str, arguments: &Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": name, "arguments": arguments, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
}

const USUAL: [(&str, &str); 6] = [
    ("host", "127.0.0.1:8080"),
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
    ("mcp-protocol-version", "2026-07-28"),
    ("mcp-method", "tools/call"),
    ("mcp-name", "echo"),
];

/// The answer to a request; `None` where it was left to the library.
fn answered(headers: &[(&str, &str)], message: &Value) -> Option<Value> {
    let body = message.to_string();
    let mut request = Request::post("/mcp").header("content-length", body.len());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = request.body(Bytes::from(body)).unwrap().into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let response = plain().answer(&parts, &body)?;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], JSON);
        Some(serde_json::from_slice(&to_bytes(response.into_body(), LONGEST_LINE).await.unwrap()).unwrap())
    })
}

#[test]
fn a_plain_call_is_answered() {
    let answer = answered(&USUAL, &call("echo", &json!({"text": "a"}))).unwrap();
    assert_eq!(answer["id"], 7);
    assert_eq!(answer["result"]["structuredContent"], json!({"text": "a"}));
    assert_eq!(answer["result"]["resultType"], "complete");
    let refused = answered(&USUAL, &call("echo", &json!({}))).unwrap();
    assert_eq!(refused["result"]["content"][0]["text"], "echo: `text` is required");
    for host in ["localhost:8080", "[::1]:8080"] {
        let mut headers = USUAL;
        headers[0].1 = host;
        assert!(answered(&headers, &call("echo", &json!({"text": "a"}))).is_some(), "{host}");
    }
}

#[test]
fn whatever_is_not_plain_is_left_to_the_library() {
    let message = call("echo", &json!({"text": "a"}));
    for (at, header) in USUAL.into_iter().enumerate() {
        let mut headers = USUAL.to_vec();
        headers.remove(at);
        assert!(answered(&headers, &message).is_none(), "without {}", header.0);
        let mut headers = USUAL.to_vec();
        headers.push(header);
        assert!(answered(&headers, &message).is_none(), "{} twice", header.0);
    }
    for more in [
        ("host", "localhost"),
        ("host", "127.0.0.1:80"),
        ("host", "evil.example:8080"),
        ("content-type", "text/plain"),
        ("accept", "application/json"),
        ("mcp-protocol-version", "2025-11-25"),
        ("mcp-method", "tools/list"),
        ("mcp-name", "stats"),
        ("mcp-name", "none"),
        ("origin", "http://localhost:8080"),
        ("mcp-session-id", "1"),
        ("transfer-encoding", "chunked"),
    ] {
        let mut headers = USUAL.to_vec();
        headers.retain(|(name, _)| *name != more.0);
        headers.push(more);
        assert!(answered(&headers, &message).is_none(), "{more:?}");
    }
}

#[test]
fn a_body_that_is_not_plain_is_left_to_the_library() {
    let usual = call("echo", &json!({"text": "a"}));
    let without = |pointer: &str| {
        let mut message = usual.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        message.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        message
    };
    let mut old = usual.clone();
    old["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2025-11-25".into();
    let mut incomplete = usual.clone();
    incomplete["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    for message in [
        old,
        incomplete,
        without("/id"),
        without("/jsonrpc"),
        without("/params/_meta"),
        json!([usual]),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": usual["params"]}),
        call("stats", &json!({"values": [1]})),
    ] {
        assert!(answered(&USUAL, &message).is_none(), "{message}");
    }
}

//! Whatever face a call comes through, it passes the layers.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::content::{Block, Blocks};
use crate::layers::Audit;
use crate::serve::plain::Plain;
use crate::server::{About, Caller, InProcess, Server};
use crate::tool::{Tool, ToolError};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// One tool that answers at once and one that waits. Each may be called once in a long time, and is audited.
fn tools() -> [Tool<()>; 2] {
    let answer = || Ok::<_, ToolError>(Blocks(vec![Block::text("called")]));
    let now = Tool::quick("now", "Answers at once.", move |(), _: Nothing, _| answer());
    let later = Tool::new("later", "Waits.", move |_: Arc<()>, _: Nothing, _| async move {
        tokio::task::yield_now().await;
        answer()
    });
    [now, later].map(|tool| tool.rate(0.001).audited())
}

struct Served {
    server: Arc<Server>,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let about = About { name: "test", title: "Test", version: "1", instructions: "" };
    let server = Server::builder(about).tools(&Arc::new(()), tools()).audit(Some(Audit::open(&log).unwrap()));
    Served { server: Arc::new(server.build().unwrap()), log, _folder: folder }
}

/// A call of the newer protocol.
fn request(tool: &str) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": tool, "arguments": {}, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})
}

fn says(result: &Value) -> String {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}

async fn asked(client: &mut BufReader<DuplexStream>, message: &Value) -> Value {
    client.get_mut().write_all(format!("{message}\n").as_bytes()).await.unwrap();
    let mut line = String::new();
    client.read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

async fn over_lines(server: Arc<Server>, tool: &str, way: Way) -> [String; 2] {
    let (near, far) = duplex(1 << 16);
    let (input, output) = tokio::io::split(far);
    let serving = tokio::spawn(connection(server, input, output, way));
    let mut client = BufReader::new(near);
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }});
    asked(&mut client, &hello).await;
    let first = asked(&mut client, &request(tool)).await;
    let second = asked(&mut client, &request(tool)).await;
    drop(client);
    serving.await.unwrap().unwrap();
    [says(&first["result"]), says(&second["result"])]
}

async fn over_plain_http(server: Arc<Server>, tool: &str) -> [String; 2] {
    let plain = Plain::new(server, "127.0.0.1:8080".parse().unwrap(), &["127.0.0.1".to_owned()]);
    let answered = async || {
        let body = request(tool).to_string();
        let request = axum::extract::Request::post(ENDPOINT)
            .header("host", "127.0.0.1:8080")
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .body(Bytes::from(body))
            .unwrap();
        let (parts, body) = request.into_parts();
        let response = plain.answer(&parts, &body).expect("the request is plain");
        let body = to_bytes(response.into_body(), LONGEST_LINE).await.unwrap();
        says(&serde_json::from_slice::<Value>(&body).unwrap()["result"])
    };
    [answered().await, answered().await]
}

async fn in_this_process(server: Arc<Server>, tool: &str) -> [String; 2] {
    let answered = async || {
        let caller = || Caller { client: None, cancel: CancellationToken::new() };
        let text = match server.call_text(tool, "{}", caller) {
            InProcess::Done(text) => text,
            InProcess::UnderWay(text) => text.await,
        };
        says(&serde_json::from_str(&text.unwrap()).unwrap())
    };
    [answered().await, answered().await]
}

async fn as_values(server: Arc<Server>, tool: &str) -> [String; 2] {
    let answered = async || says(&server.call_tool(tool, json!({})).await.unwrap());
    [answered().await, answered().await]
}

async fn kept_apart(server: Arc<Server>, tool: &str) -> [String; 2] {
    assert!(server.try_tool(tool, json!({})).await.is_ok());
    let error = server.try_tool(tool, json!({})).await.unwrap_err();
    ["called".into(), error.to_string()]
}

#[test]
fn no_face_runs_a_tool_past_the_layers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for tool in ["now", "later"] {
        for face in ["front", "library", "plain", "text", "value", "apart"] {
            if (face, tool) == ("plain", "later") {
                // Left to the library.
                continue;
            }
            let Served { server, log, _folder } = served();
            let shared = Arc::clone(&server);
            let [first, second] = runtime.block_on(async {
                match face {
                    "front" => over_lines(shared, tool, Way::Front).await,
                    "library" => over_lines(shared, tool, Way::Library).await,
                    "plain" => over_plain_http(shared, tool).await,
                    "text" => in_this_process(shared, tool).await,
                    "value" => as_values(shared, tool).await,
                    _ => kept_apart(shared, tool).await,
                }
            });
            assert_eq!(first, "called", "{tool} over {face}");
            assert!(second.contains("was called too often"), "{tool} over {face}: {second}");
            let lines = std::fs::read_to_string(log).unwrap();
            assert_eq!(lines.lines().count(), 1, "{tool} over {face}: {lines}");
            let line: Value = serde_json::from_str(&lines).unwrap();
            assert_eq!((&line["tool"], &line["arguments"]), (&json!(tool), &json!("{}")));
            assert_eq!(server.latency().summary(tool).unwrap().count, 1, "{tool} over {face}");
        }
    }
}

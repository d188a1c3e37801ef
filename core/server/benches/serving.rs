//! What a call costs on its way through the server, without processes and pipes: a client in the same thread
//! sends a line and reads one. The floor is a server written by hand for these two tools alone, with
//! serde_json and nothing else; it is what the others are compared with.
//!
//!     cargo bench --package mcp-server --bench serving

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mcp_server::reference;
use mcp_server::serve::{Way, connection};
use mcp_server::server::{About, Server};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::runtime::Runtime;

/// The streams between client and server hold the largest line.
const STREAM: usize = 1 << 20;

fn server() -> Arc<Server> {
    let about = About { name: "bench", title: "Bench", version: "1", instructions: "" };
    Arc::new(
        Server::builder(about)
            .tools(&Arc::new(()), reference::tools())
            .build()
            .expect("two tools with two names"),
    )
}

/// A client that has opened a session.
struct Client {
    stream: BufReader<DuplexStream>,
    line: String,
}

impl Client {
    async fn call(&mut self, request: &[u8]) -> usize {
        self.stream.get_mut().write_all(request).await.expect("the server reads");
        self.line.clear();
        self.stream.read_line(&mut self.line).await.expect("the server answers");
        self.line.len()
    }
}

fn open(runtime: &Runtime, serve: impl FnOnce(DuplexStream)) -> Client {
    let (near, far) = duplex(STREAM);
    runtime.block_on(async { serve(far) });
    let mut client = Client { stream: BufReader::with_capacity(STREAM, near), line: String::new() };
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"},
    }});
    runtime.block_on(client.call(format!("{hello}\n").as_bytes()));
    client
}

fn through(runtime: &Runtime, way: Way) -> Client {
    open(runtime, |stream| {
        let (input, output) = tokio::io::split(stream);
        tokio::spawn(
            async move { connection(server(), input, output, way).await.expect("the client stays") },
        );
    })
}

#[derive(Deserialize)]
struct Request<'a> {
    id: u64,
    method: &'a str,
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(default)]
    name: &'a str,
    #[serde(default)]
    arguments: Arguments,
}

#[derive(Default, Deserialize)]
struct Arguments {
    #[serde(default)]
    text: String,
    #[serde(default)]
    values: Vec<f64>,
}

/// The server written by hand.
async fn by_hand(stream: DuplexStream) {
    let mut stream = BufReader::with_capacity(STREAM, stream);
    let mut line = Vec::new();
    let mut out = Vec::new();
    while stream.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let request: Request<'_> = serde_json::from_slice(&line).expect("the client sends requests");
        let (text, structured) = match (request.method, request.params.name) {
            ("tools/call", "echo") => {
                let text = request.params.arguments.text;
                (text.clone(), json!({"text": text}))
            }
            ("tools/call", _) => {
                let values = request.params.arguments.values;
                let (sum, min, max) =
                    values.iter().fold((0.0, f64::MAX, f64::MIN), |(sum, min, max), value| {
                        (sum + value, f64::min(min, *value), f64::max(max, *value))
                    });
                let count = values.len();
                (format!("{count} values"), json!({"count": count, "sum": sum, "min": min, "max": max}))
            }
            _ => (String::new(), Value::Null),
        };
        let answer = json!({"jsonrpc": "2.0", "id": request.id, "result": {
            "content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": false,
        }});
        out.clear();
        serde_json::to_writer(&mut out, &answer).expect("a value has a form in JSON");
        out.push(b'\n');
        stream.get_mut().write_all(&out).await.expect("the client reads");
        line.clear();
    }
}

fn calls(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event loop");
    let request = |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments});
        // In the order in which clients write it.
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":{},\"arguments\":{}}}}}\n",
            params["name"], params["arguments"]
        )
    };
    let values: Vec<f64> = (0..1000).map(|index| f64::from(index) * 1.618_033_988_749_895).collect();
    for (tool, line) in [
        ("echo", request("echo", json!({"text": "x".repeat(64)}))),
        ("stats", request("stats", json!({"values": values}))),
    ] {
        let mut group = criterion.benchmark_group(tool);
        group.measurement_time(Duration::from_secs(3));
        let floor = || open(&runtime, |stream| drop(tokio::spawn(by_hand(stream))));
        for (way, mut client) in [
            ("by hand", floor()),
            ("in front of the library", through(&runtime, Way::Front)),
            ("through the library", through(&runtime, Way::Library)),
        ] {
            group.bench_function(way, |bencher| {
                bencher.iter(|| black_box(runtime.block_on(client.call(black_box(line.as_bytes())))));
            });
        }
        let server = server();
        let message: Value = serde_json::from_str(&line).expect("the line is JSON");
        group.bench_function("in process", |bencher| {
            bencher.iter(|| {
                let arguments = message["params"]["arguments"].clone();
                black_box(runtime.block_on(server.call_tool(tool, arguments)))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);

//! The reference tools called within one process, by "Calls in process" of `harness/PROTOCOL.md`: what a call costs
//! where nothing lies between caller and server.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use mcp_server::reference;
use mcp_server::server::{About, Server};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Asked {
    calls: u64,
    request: Request,
}

/// A message as a server would read it.
#[derive(Deserialize)]
struct Request {
    id: Value,
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    name: String,
    #[serde(default)]
    arguments: Value,
    /// Only requests of the newer revision have it.
    #[serde(rename = "_meta")]
    meta: Option<Value>,
}

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(std::io::stderr(), "in-process-calls: {error}").ok();
            ExitCode::from(2)
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let about = About { name: "in-process-calls", title: "Calls in process", version: "", instructions: "" };
    let server = Server::builder(about).tools(&Arc::new(()), reference::tools()).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for line in std::io::stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let line = runtime.block_on(timed(&server, asked));
        let mut output = std::io::stdout().lock();
        writeln!(output, "{line}")?;
        output.flush()?;
    }
    Ok(())
}

/// Makes the calls, and times each from its arguments as a value to its result as a value.
async fn timed(server: &Server, asked: Asked) -> Value {
    let Request { id, params } = asked.request;
    let (mut times, mut last) = (Vec::new(), None);
    for _ in 0..asked.calls {
        let arguments = params.arguments.clone();
        let start = Instant::now();
        let result = server.call_tool(&params.name, arguments).await;
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        last = Some(result);
    }
    let answer = match last {
        Some(Ok(mut result)) => {
            if params.meta.is_some()
                && let Some(members) = result.as_object_mut()
            {
                members.entry("resultType").or_insert_with(|| "complete".into());
            }
            json!({ "jsonrpc": "2.0", "id": id, "result": result })
        }
        Some(Err(error)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32602, "message": error.to_string() } })
        }
        None => Value::Null,
    };
    json!({ "ns": times, "answer": answer })
}

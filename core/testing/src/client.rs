//! A client of servers over stdin and stdout: whole processes, lines of JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// After this long a test that waits has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub struct Process {
    /// The process.
    pub child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// Lines of a stream as they arrive.
pub fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Process {
    /// Starts a server. What it writes to stderr is not kept.
    pub fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let input = child.stdin.take();
        let lines = lines(child.stdout.take().unwrap());
        Self { child, input, lines }
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    /// Sends a line, which need not be a message.
    pub fn send_line(&mut self, line: &str) {
        self.send_text(&format!("{line}\n"));
    }

    /// Sends text, which need not be a whole line.
    pub fn send_text(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The next message. Whatever is not one fails the test: stdout belongs to the protocol.
    pub fn receive(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("the server sends another message");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    /// Sends a request and returns the next message.
    pub fn request(&mut self, message: &Value) -> Value {
        self.send(message);
        self.receive()
    }

    /// The handshake of the older protocol.
    pub fn open(&mut self) -> Value {
        self.open_with(&initialize())
    }

    /// The handshake of a client that cannot be asked anything.
    pub fn open_unasked(&mut self) -> Value {
        self.open_with(&initialize_with(&json!({})))
    }

    fn open_with(&mut self, initialize: &Value) -> Value {
        let answer = self.request(initialize);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    /// Calls a tool and returns the answer.
    pub fn call(&mut self, name: &str, arguments: &Value) -> Value {
        self.request(&call(1, name, arguments))
    }

    /// Ends the input and returns what is still sent, and how the process ended.
    pub fn close(mut self) -> (Vec<Value>, ExitStatus) {
        drop(self.input.take());
        let mut rest = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        (rest, self.child.wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended, unless the test failed.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The first request of the older protocol, of a client that can be asked everything.
pub fn initialize() -> Value {
    initialize_with(&json!({"elicitation": {}, "sampling": {}, "roots": {}}))
}

/// The first request of the older protocol, of a client with these capabilities.
pub fn initialize_with(capabilities: &Value) -> Value {
    let client = json!({"name": "test", "version": "1"});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client,
    }})
}

/// The metadata of a request of the newer protocol.
pub fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
    })
}

/// A call of a tool.
pub fn call(id: u64, name: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}})
}

/// A request of the newer protocol.
pub fn stateless(id: u64, method: &str, mut params: Value) -> Value {
    params["_meta"] = meta();
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// The text of an answer.
pub fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer} has text"))
}

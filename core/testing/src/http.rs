//! A client over HTTP, one request after another.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::{PATIENCE, lines};

/// A server on a free port.
pub struct Http {
    /// The process.
    pub child: Child,
    /// Where it listens, on loopback.
    pub address: SocketAddr,
}

/// An answer, with its headers in small letters.
#[derive(Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// Its headers, in their order.
    pub headers: Vec<(String, String)>,
    /// Its body, put together where it came in chunks.
    pub body: String,
}

impl Http {
    /// Starts a server, and waits until its log says where it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .args(["--http", "127.0.0.1:0", "--log", "info"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = lines(child.stderr.take().unwrap());
        let address = loop {
            let line = log.recv_timeout(PATIENCE).expect("the log says where the server listens");
            if let Some((_, address)) = line.split_once("serving HTTP address=") {
                break address.trim().parse().unwrap();
            }
        };
        Self { child, address }
    }

    /// A connection to it.
    pub fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream)
    }

    /// One request on a connection of its own. Headers of the same name replace the usual ones.
    pub fn post(&self, headers: &[(&str, &str)], message: &Value) -> Answer {
        let mut stream = self.connect();
        self.send(&mut stream, headers, message);
        answer(&mut stream)
    }

    /// Sends bytes on a connection of their own, and reads one answer.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.get_mut().write_all(request).unwrap();
        answer(&mut stream)
    }

    /// Sends a request on a connection.
    pub fn send(&self, stream: &mut BufReader<TcpStream>, headers: &[(&str, &str)], message: &Value) {
        let body = message.to_string();
        let mut all = vec![
            ("Host".to_owned(), self.address.to_string()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Accept".to_owned(), "application/json, text/event-stream".to_owned()),
            ("Content-Length".to_owned(), body.len().to_string()),
        ];
        if message["params"]["_meta"].is_object() {
            let method = message["method"].as_str().unwrap();
            all.push(("MCP-Protocol-Version".to_owned(), "2026-07-28".to_owned()));
            all.push(("Mcp-Method".to_owned(), method.to_owned()));
            if let Some(name) = message["params"]["name"].as_str() {
                all.push(("Mcp-Name".to_owned(), name.to_owned()));
            }
        }
        for (name, value) in headers {
            all.retain(|(other, _)| other != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        let mut text = "POST /mcp HTTP/1.1\r\n".to_owned();
        for (name, value) in all {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        text += &body;
        stream.get_mut().write_all(text.as_bytes()).unwrap();
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads an answer.
pub fn answer(stream: &mut BufReader<TcpStream>) -> Answer {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line:?} is a status")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut answer = Answer { status, headers, body: String::new() };
    if status == 204 {
        return answer;
    }
    let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
    let mut body = Vec::new();
    if let Some(length) = length {
        body.resize(length, 0);
        stream.read_exact(&mut body).unwrap();
    } else {
        // Chunks, the last of which is empty.
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).unwrap();
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    answer.body = String::from_utf8(body).unwrap();
    answer
}

impl Answer {
    /// The first header of a name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The message of the body, also of one in an event stream.
    pub fn message(&self) -> Value {
        let data = self
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .find(|data| data.trim().starts_with('{'));
        serde_json::from_str(data.unwrap_or(&self.body)).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

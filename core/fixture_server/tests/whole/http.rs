//! The server over HTTP: who may call, what is refused at the door, how connections and calls end.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{bare, call, command, initialize, stateless};
use mcp_testing::http::{Http, answer};

fn start(arguments: &[&str]) -> Http {
    Http::start(command().args(arguments))
}

fn echo() -> Value {
    stateless(1, "tools/call", json!({"name": "echo", "arguments": {"text": "a"}}))
}

#[test]
fn only_pages_of_this_machine_may_call() {
    let http = start(&["--allow-origin", "https://app.example:443", "--allow-host", "lab.example"]);
    let port = http.address.port();
    let own = format!("http://localhost:{port}");
    for (name, value, status) in [
        ("Origin", own.as_str(), 200),
        ("Origin", "https://app.example", 200),
        ("Origin", "http://evil.example", 403),
        ("Origin", "http://localhost:1", 403),
        ("Origin", "https://evil.app.example", 403),
        ("Origin", "null", 403),
        ("Origin", "nonsense", 403),
        ("Host", "localhost", 200),
        ("Host", "lab.example", 200),
        ("Host", "evil.example", 403),
        ("Host", "127.0.0.1.evil.example", 403),
    ] {
        assert_eq!(http.post(&[(name, value)], &echo()).status, status, "{name}: {value}");
    }
    assert_eq!(http.post(&[("Origin", "http://evil.example")], &initialize()).status, 403);
}

#[test]
fn a_token_keeps_strangers_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "0123456789abcdefXYZ\n").unwrap();
    let http = start(&["--token-file", file.to_str().unwrap()]);
    for (value, status) in [
        ("Bearer 0123456789abcdefXYZ", 200),
        ("bearer 0123456789abcdefXYZ", 200),
        ("Bearer 0123456789abcdefXY", 401),
        ("Bearer 0123456789abcdefXYZZ", 401),
        ("Bearer", 401),
        ("Basic 0123456789abcdefXYZ", 401),
    ] {
        assert_eq!(http.post(&[("Authorization", value)], &echo()).status, status, "{value}");
    }
    let refused = http.post(&[], &echo());
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
}

/// What a server says that does not start.
fn refusal(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    // Some get as far as making the directory for their state.
    let mut command = bare();
    let command = command.args(arguments).env("XDG_DATA_HOME", folder.path()).stdin(Stdio::null());
    let Output { status, stderr, stdout } = command.output().unwrap();
    assert_eq!(status.code(), Some(2), "{arguments:?}");
    assert!(stdout.is_empty());
    String::from_utf8(stderr).unwrap()
}

#[test]
fn what_cannot_be_served_is_one_clear_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "short").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, says) in [
        (vec!["--http", &address], format!("cannot listen at {address}: Address already in use")),
        (
            vec!["--http", "0.0.0.0:0"],
            "0.0.0.0:0 can be reached from other machines: add --token-file FILE".into(),
        ),
        (
            vec!["--http", "127.0.0.1:0", "--token-file", "/none"],
            "the token file /none cannot be read".into(),
        ),
        (vec!["--http", "127.0.0.1:0", "--token-file", file], "has fewer than 16 characters".into()),
        (vec!["--http", "here"], "invalid value 'here'".into()),
        (vec!["--token-file", file], "--http <ADDR:PORT>".into()),
        (vec!["--toolset", "none"], "there is no toolset `none`".into()),
        (
            vec!["--state", "/proc/none"],
            "the directory /proc/none for the server's state cannot be made".into(),
        ),
    ] {
        let said = refusal(&arguments);
        assert!(said.contains(&says), "{arguments:?}: {said}");
        if !says.contains("value") && !says.contains("--http <") {
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        }
    }
}

#[test]
fn a_connection_carries_many_requests() {
    let http = start(&[]);
    let mut stream = http.connect();
    for id in 0..20 {
        let mut message = echo();
        message["id"] = id.into();
        http.send(&mut stream, &[], &message);
        let answer = answer(&mut stream);
        assert_eq!((answer.status, answer.message()["id"].as_u64()), (200, Some(id)));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[test]
fn malformed_requests_are_refused_and_the_server_goes_on() {
    let http = start(&[]);
    for (headers, message, status) in [
        (vec![("Content-Type", "text/plain")], echo(), 415),
        (vec![("Accept", "text/html")], echo(), 406),
        (vec![("MCP-Protocol-Version", "2099-01-01")], echo(), 400),
        (vec![("Mcp-Name", "stats")], echo(), 400),
        (vec![], stateless(1, "no/method", json!({})), 404),
        (vec![], stateless(1, "tools/call", json!({"name": "none"})), 200),
    ] {
        assert_eq!(http.post(&headers, &message).status, status, "{headers:?} {message}");
    }
    let mut stream = http.connect();
    stream.get_mut().write_all(b"POST /mcp HTTP/1.1\r\nnonsense\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).status, 400);
    let mut stream = http.connect();
    let head = format!("POST /elsewhere HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", http.address);
    stream.get_mut().write_all(head.as_bytes()).unwrap();
    assert_eq!(answer(&mut stream).status, 404);
    assert_eq!(http.post(&[], &echo()).status, 200);
}

#[test]
fn a_session_of_the_older_protocol_lives_and_ends() {
    let http = start(&[]);
    let opened = http.post(&[], &initialize());
    assert_eq!(opened.message()["result"]["protocolVersion"], "2025-11-25");
    let session = opened.header("mcp-session-id").expect("a session has a name").to_owned();
    let headers = [("Mcp-Session-Id", session.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(http.post(&headers, &initialized).status, 202);
    let answer = http.post(&headers, &call(7, "echo", &json!({"text": "a"}))).message();
    assert_eq!(answer["result"]["structuredContent"], json!({"text": "a"}));
    let stranger =
        [("Mcp-Session-Id", "00000000-0000-0000-0000-000000000000"), ("MCP-Protocol-Version", "2025-11-25")];
    assert_eq!(http.post(&stranger, &call(8, "echo", &json!({"text": "a"}))).status, 404);
}

#[test]
fn a_stream_that_is_closed_cancels_its_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare();
    let http = Http::start(command.arg("--state").arg(folder.path()));
    let wait = json!({"name": "test_wait", "arguments": {"milliseconds": 60_000}});
    let mut stream = http.connect();
    http.send(&mut stream, &[], &stateless(1, "tools/call", wait));
    // The call has begun when a later one was answered.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(http.post(&[], &echo()).status, 200);
    drop(stream);
    // Were it not cancelled, the tool's own limit of time would end it, and the log would say that.
    let log = loop {
        let log = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap_or_default();
        if !log.is_empty() {
            break log;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["failure"], "cancelled", "{log}");
}

/// The calls and the headers of requests that the two ways have to answer alike.
fn requests() -> Vec<(Vec<(&'static str, &'static str)>, Value)> {
    let tool = |name: &str, arguments: Value| {
        stateless(5, "tools/call", json!({"name": name, "arguments": arguments}))
    };
    let values: Vec<f64> = (0..1000).map(|index| f64::from(index) * 1.618_033_988_749_895).collect();
    let mut requests: Vec<_> = [
        tool("echo", json!({"text": "\u{e9}\u{2028}\"\\\n"})),
        tool("echo", json!({})),
        tool("echo", json!({"text": "a", "max_tokens": 1})),
        tool("stats", json!({"values": values})),
        tool("stats", json!({"values": []})),
        tool("test_form", json!({"name": "n", "count": 0})),
        tool("test_form", json!({"name": "n", "count": 2, "place": {"line": 1, "exact": true}})),
        tool("test_panic", json!({})),
        tool("test_image_content", json!({})),
        tool("test_wait", json!({"milliseconds": 1})),
        tool("test_custom_header", json!({"region": "here"})),
        tool("none", json!({})),
    ]
    .map(|message| (Vec::new(), message))
    .into();
    for header in [
        ("Origin", "http://evil.example"),
        ("Host", "evil.example"),
        ("Host", "localhost"),
        ("Accept", "application/json"),
        ("Accept", "text/event-stream,application/json"),
        ("Content-Type", "text/plain"),
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", "2099-01-01"),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Name", "stats"),
        ("Mcp-Name", "=?base64?ZWNobw==?="),
        ("Mcp-Session-Id", "none"),
        ("Mcp-Param-Region", "here"),
    ] {
        requests.push((vec![header], tool("echo", json!({"text": "a"}))));
    }
    requests
}

#[test]
fn plain_calls_are_answered_as_by_the_library() {
    let front = start(&[]);
    let library = Http::start(command().env("MCP_NO_FRONT", "1"));
    for (headers, message) in requests() {
        let (ours, theirs) = (front.post(&headers, &message), library.post(&headers, &message));
        let shown = format!("{headers:?} {message}");
        assert_eq!(ours.status, theirs.status, "{shown}");
        let kinds = [&ours, &theirs].map(|answer| {
            answer
                .headers
                .iter()
                .map(|(name, value)| {
                    if name == "date" || name == "content-length" {
                        name.clone()
                    } else {
                        format!("{name}: {value}")
                    }
                })
                .collect::<Vec<_>>()
        });
        assert_eq!(kinds[0], kinds[1], "{shown}");
        match (serde_json::from_str::<Value>(&ours.body), serde_json::from_str::<Value>(&theirs.body)) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{shown}"),
            _ => assert_eq!(ours.body, theirs.body, "{shown}"),
        }
    }
}

#[test]
fn a_connection_stays_open_for_plain_calls_and_others() {
    let http = start(&[]);
    let mut stream = http.connect();
    for round in 0..20 {
        let text = format!("{round}");
        let message = if round % 3 == 0 {
            stateless(round, "tools/list", json!({}))
        } else {
            stateless(round, "tools/call", json!({"name": "echo", "arguments": {"text": text}}))
        };
        http.send(&mut stream, &[], &message);
        let answer = answer(&mut stream);
        assert_eq!(answer.status, 200);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["id"], round);
    }
}

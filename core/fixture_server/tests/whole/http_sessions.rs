//! Sessions of the older protocol over HTTP: how long they live, and what their clients read.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{call, command, initialize};
use mcp_testing::http::{Answer, Http, answer};

/// A session with the version that was agreed on.
struct Session {
    id: String,
    version: &'static str,
}

impl Session {
    fn open(http: &Http, version: &'static str) -> Self {
        let mut request = initialize();
        request["params"]["protocolVersion"] = version.into();
        let opened = http.post(&[], &request);
        assert_eq!(opened.message()["result"]["protocolVersion"], version);
        assert_eq!(empty_events(&opened), 0, "{opened:?}");
        let session = Self { id: opened.header("mcp-session-id").unwrap().to_owned(), version };
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(http.post(&session.headers(), &initialized).status, 202);
        session
    }

    fn headers(&self) -> [(&str, &str); 2] {
        [("Mcp-Session-Id", self.id.as_str()), ("MCP-Protocol-Version", self.version)]
    }

    fn post(&self, http: &Http, message: &Value) -> Answer {
        http.post(&self.headers(), message)
    }

    fn delete(&self, http: &Http) -> u16 {
        let Self { id, version } = self;
        let head = format!(
            "DELETE /mcp HTTP/1.1\r\nHost: {}\r\nMcp-Session-Id: {id}\r\nMCP-Protocol-Version: {version}\r\n\r\n",
            http.address
        );
        http.raw(head.as_bytes()).status
    }
}

fn echo() -> Value {
    call(7, "echo", &json!({"text": "a"}))
}

fn empty_events(answer: &Answer) -> usize {
    answer
        .body
        .lines()
        .filter(|line| line.starts_with("data:") && line["data:".len()..].trim().is_empty())
        .count()
}

#[test]
fn a_session_that_its_client_ends_is_gone() {
    let http = Http::start(&mut command());
    let session = Session::open(&http, "2025-11-25");
    assert_eq!(session.post(&http, &echo()).status, 200);
    assert_eq!(session.delete(&http), 204);
    assert_eq!(session.post(&http, &echo()).status, 404);
    assert_eq!(session.delete(&http), 404);
}

#[test]
fn a_further_session_ends_the_one_that_was_idle_longest() {
    let http = Http::start(command().args(["--max-sessions", "2"]));
    let [first, second] = [(); 2].map(|()| Session::open(&http, "2025-11-25"));
    assert_eq!(first.post(&http, &echo()).status, 200);
    let third = Session::open(&http, "2025-11-25");
    let statuses = [&first, &second, &third].map(|session| session.post(&http, &echo()).status);
    assert_eq!(statuses, [200, 404, 200]);
}

#[test]
fn a_session_with_a_call_under_way_is_not_idle() {
    let http = Http::start(command().args(["--max-sessions", "2", "--session-idle", "300ms"]));
    let busy = Session::open(&http, "2025-11-25");
    let mut stream = http.connect();
    http.send(&mut stream, &busy.headers(), &call(9, "test_wait", &json!({"milliseconds": 1500})));
    let idle = Session::open(&http, "2025-11-25");
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(idle.post(&http, &echo()).status, 404);
    // Neither does a new one take its place.
    for _ in 0..3 {
        Session::open(&http, "2025-11-25");
    }
    assert_eq!(busy.post(&http, &echo()).status, 200);
    let answered = answer(&mut stream);
    assert_eq!((answered.status, answered.message()["id"].as_u64()), (200, Some(9)), "{answered:?}");
}

#[test]
fn where_every_session_is_busy_a_further_one_is_refused() {
    let http = Http::start(command().args(["--max-sessions", "1"]));
    let busy = Session::open(&http, "2025-11-25");
    let mut stream = http.connect();
    http.send(&mut stream, &busy.headers(), &call(9, "test_wait", &json!({"milliseconds": 1000})));
    // Until the call has begun, the session is one that may go.
    std::thread::sleep(Duration::from_millis(300));
    let refused = http.post(&[], &initialize());
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("1 sessions have calls under way"), "{refused:?}");
    assert_eq!(answer(&mut stream).status, 200);
}

#[test]
fn only_clients_that_know_empty_events_get_them() {
    let http = Http::start(&mut command());
    for (version, expected) in [("2025-03-26", 0), ("2025-06-18", 0), ("2025-11-25", 1)] {
        let session = Session::open(&http, version);
        let answered = session.post(&http, &echo());
        assert_eq!(answered.message()["id"], 7);
        assert_eq!(empty_events(&answered), expected, "{version}: {answered:?}");
    }
}

#[test]
fn the_number_of_sessions_and_their_time_are_checked() {
    for (arguments, says) in [
        (["--max-sessions", "0"], "expected a number of sessions, at least 1"),
        (["--session-idle", "soon"], "invalid value 'soon'"),
    ] {
        let output = command().args(["--http", "127.0.0.1:0"]).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(says), "{said}");
    }
}

#[test]
fn a_stream_that_a_client_opens_keeps_its_session() {
    let http = Http::start(command().args(["--session-idle", "200ms"]));
    let session = Session::open(&http, "2025-06-18");
    let mut stream = http.connect();
    let head = format!(
        "GET /mcp HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {}\r\n\
         MCP-Protocol-Version: 2025-06-18\r\n\r\n",
        http.address, session.id
    );
    stream.get_mut().write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(session.post(&http, &echo()).status, 200);
}

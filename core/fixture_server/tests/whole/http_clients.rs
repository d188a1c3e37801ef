//! What clients over HTTP send that is not as it should be: each gets a status that fits, and a sentence.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{command, start as start_stdio, stateless};
use mcp_testing::http::{Http, answer};

fn start(arguments: &[&str]) -> Http {
    Http::start(command().args(arguments))
}

fn echo() -> Value {
    stateless(1, "tools/call", json!({"name": "echo", "arguments": {"text": "a"}}))
}

/// A POST of this body, with these lines in its head beside the usual ones.
fn post(http: &Http, lines: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{lines}\r\n",
        http.address
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn a_body_that_is_not_a_message_is_refused_as_on_stdio() {
    let http = start(&[]);
    let mut stdio = start_stdio();
    stdio.open();
    for (body, code) in [
        ("{", -32700),
        ("hello", -32700),
        ("\u{feff}{", -32700),
        ("[]", -32600),
        ("null", -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
    ] {
        let lines = format!("Content-Length: {}\r\n", body.len());
        let refused = http.raw(&post(&http, &lines, body.as_bytes()));
        assert_eq!(refused.status, 400, "{body}: {refused:?}");
        stdio.send_line(body);
        let theirs = stdio.receive()["error"].clone();
        let ours = refused.message()["error"].clone();
        assert_eq!((&ours["code"], &ours["code"]), (&json!(code), &theirs["code"]), "{body}");
        let words = |error: &Value| error["message"].as_str().unwrap().replace("the line", "the body");
        assert_eq!(words(&ours), words(&theirs), "{body}");
    }
    let refused = http.raw(&post(&http, "Content-Length: 0\r\n", b""));
    assert_eq!((refused.status, &refused.message()["error"]["code"]), (400, &json!(-32700)));
}

#[test]
fn what_is_refused_for_another_reason_hears_that_reason() {
    let http = start(&[]);
    let refused = |headers: &[(&str, &str)]| http.post(headers, &json!({"nothing": 1})).status;
    assert_eq!(refused(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(refused(&[("Accept", "text/html")]), 406);
    assert_eq!(refused(&[("Content-Type", "text/plain")]), 415);
    assert_eq!(refused(&[]), 400);
}

#[test]
fn heads_and_bodies_that_are_ambiguous_are_refused() {
    let http = start(&[]);
    let body = echo().to_string();
    let length = format!("Content-Length: {}\r\n", body.len());
    let two_hosts = http.raw(&post(&http, &format!("{length}Host: localhost\r\n"), body.as_bytes()));
    assert_eq!((two_hosts.status, two_hosts.body.contains("two Host headers")), (400, true));
    let broken = http.raw(&post(&http, "Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"));
    assert_eq!(broken.status, 400, "{broken:?}");
    let long = http.raw(&post(&http, "Content-Length: 99999999999\r\n", b""));
    assert_eq!(long.status, 413, "{long:?}");
    let elsewhere = format!("GET /mcp/ HTTP/1.1\r\nHost: {}\r\n\r\n", http.address);
    let elsewhere = http.raw(elsewhere.as_bytes());
    assert_eq!(
        (elsewhere.status, elsewhere.body.as_str()),
        (404, "there is nothing here: the endpoint is /mcp")
    );
}

#[test]
fn a_chunked_body_is_as_good() {
    let http = start(&[]);
    let body = echo().to_string();
    let lines = "Transfer-Encoding: chunked\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n\
                 Mcp-Name: echo\r\n";
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let answered = http.raw(&post(&http, lines, chunked.as_bytes()));
    assert_eq!((answered.status, &answered.message()["id"]), (200, &json!(1)), "{answered:?}");
}

#[test]
fn a_page_of_an_allowed_origin_may_ask_and_read() {
    let http = start(&["--allow-origin", "https://app.example:443"]);
    let preflight = |origin: &str| {
        let head = format!(
            "OPTIONS /mcp HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: content-type,mcp-protocol-version\r\n\r\n",
            http.address
        );
        http.raw(head.as_bytes())
    };
    let allowed = preflight("https://app.example");
    assert_eq!(allowed.status, 200, "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(allowed.header("access-control-allow-headers"), Some("content-type,mcp-protocol-version"));
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("DELETE"));
    assert_eq!(preflight("https://evil.example").header("access-control-allow-origin"), None);

    let answered = http.post(&[("Origin", "https://app.example")], &echo());
    assert_eq!(answered.status, 200);
    assert_eq!(answered.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(answered.header("access-control-expose-headers").unwrap().contains("mcp-session-id"));
    let refused = http.post(&[("Origin", "https://evil.example")], &echo());
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
}

#[test]
fn a_page_asks_before_it_has_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "0123456789abcdefXYZ\n").unwrap();
    let http = start(&["--token-file", file.to_str().unwrap(), "--allow-origin", "https://app.example"]);
    let head = format!(
        "OPTIONS /mcp HTTP/1.1\r\nHost: {}\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization\r\n\r\n",
        http.address
    );
    let allowed = http.raw(head.as_bytes());
    assert_eq!(
        (allowed.status, allowed.header("access-control-allow-headers")),
        (200, Some("authorization"))
    );
    // A page learns that its token is missing, and not only that something failed.
    let refused = http.post(&[("Origin", "https://app.example")], &echo());
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://app.example"));
}

#[test]
fn without_allowed_origins_no_page_is_told_that_it_may() {
    let http = start(&[]);
    let head = format!(
        "OPTIONS /mcp HTTP/1.1\r\nHost: {}\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
        http.address
    );
    let refused = http.raw(head.as_bytes());
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
}

#[test]
fn heads_that_never_end_shut_nobody_out_for_long() {
    let http = start(&[]);
    // More than there may be connections: a good client waits until the first of them are given up.
    let half: Vec<TcpStream> = (0..600)
        .map(|_| {
            let mut stream = TcpStream::connect(http.address).unwrap();
            stream.write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n").unwrap();
            stream
        })
        .collect();
    let mut good = http.connect();
    good.get_ref().set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    http.send(&mut good, &[], &echo());
    assert_eq!(answer(&mut good).status, 200);
    for mut stream in half.into_iter().take(100) {
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the server closes it");
    }
}

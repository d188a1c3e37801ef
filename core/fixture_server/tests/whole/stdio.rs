//! The server as a whole process on stdin and stdout: how it ends, and what it does with broken input.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Process, bare, call, command, initialize, start, stateless, text, without_front};

/// The two ways of a call: answered in front of the protocol library, or by it.
fn both() -> [Process; 2] {
    [start(), without_front()]
}

#[test]
fn the_end_of_input_is_the_end() {
    let (rest, status) = start().close();
    assert!(rest.is_empty() && status.success(), "{rest:?} {status}");
    for mut process in both() {
        process.open();
        // Were it waited for to its end, there would be an answer: that it took too long.
        process.send(&call(1, "test_wait", &json!({"milliseconds": 60_000})));
        process.send(&call(2, "echo", &json!({"text": "last"})));
        let (rest, status) = process.close();
        assert_eq!(rest.iter().map(|answer| &answer["id"]).collect::<Vec<_>>(), [2], "{rest:?}");
        assert!(status.success(), "{status}");
    }
}

#[test]
fn the_last_line_counts_without_its_end() {
    for mut process in both() {
        process.open();
        process.send_text(&call(1, "echo", &json!({"text": "last"})).to_string());
        let (rest, status) = process.close();
        assert!(rest.len() == 1 && text(&rest[0]) == "last" && status.success(), "{rest:?}");
    }
}

#[test]
fn calls_that_end_soon_are_answered_before_the_end() {
    for mut process in both() {
        process.open();
        for id in 1..=3 {
            process.send(&call(id, "test_wait", &json!({"milliseconds": 50 * id})));
        }
        let (rest, status) = process.close();
        assert_eq!(rest.iter().map(|answer| &answer["id"]).collect::<Vec<_>>(), [1, 2, 3], "{rest:?}");
        assert!(status.success(), "{status}");
    }
}

#[test]
fn where_nobody_reads_nothing_is_done() {
    for front in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = bare();
        command.arg("--state").arg(folder.path());
        if !front {
            command.env("MCP_NO_FRONT", "1");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let wait = |id| call(id, "test_wait", &json!({"milliseconds": 1}));
        for message in [initialize(), initialized, wait(1)] {
            writeln!(input, "{message}").unwrap();
        }
        for id in [0, 1] {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["id"], id);
        }
        let audited = || std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap_or_default();
        assert_eq!(audited().lines().count(), 1);
        drop(output);
        writeln!(input, "{}", wait(2)).unwrap();
        drop(input);
        assert!(child.wait().unwrap().success());
        assert_eq!(audited().lines().count(), 1, "{}", audited());
    }
}

#[test]
fn requests_that_were_read_are_answered_before_the_end() {
    let mut process = start();
    process.send(&initialize());
    process.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    process.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    process.send(&call(2, "echo", &json!({"text": "a"})));
    let (rest, _) = process.close();
    let mut ids: Vec<_> = rest.iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2]);
}

#[test]
fn a_cancelled_call_is_not_answered_and_nothing_else_suffers() {
    for mut process in both() {
        process.open();
        process.send(&call(5, "test_wait", &json!({"milliseconds": 60_000})));
        process.send(
            &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}),
        );
        process.send(
            &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}}),
        );
        assert_eq!(process.request(&call(6, "echo", &json!({"text": "a"})))["id"], 6);
        let (rest, status) = process.close();
        assert!(rest.is_empty() && status.success(), "{rest:?}");
    }
}

#[test]
fn a_client_may_ask_first_which_protocol_is_spoken() {
    for opens_session in [true, false] {
        let mut process = start();
        let found = process.request(&stateless(1, "server/discover", json!({})));
        let versions = found["result"]["supportedVersions"].as_array().unwrap();
        assert!(
            ["2025-11-25", "2026-07-28"].iter().all(|version| versions.contains(&json!(version))),
            "{found}"
        );
        assert!(found["result"]["ttlMs"].as_u64().unwrap() > 0);
        if opens_session {
            assert_eq!(process.open()["result"]["protocolVersion"], "2025-11-25");
            let answer = process.call("echo", &json!({"text": "a"}));
            assert_eq!(answer["result"].get("resultType"), None);
        } else {
            for id in [2, 3] {
                let echo = json!({"name": "echo", "arguments": {"text": "a"}});
                let answer = process.request(&stateless(id, "tools/call", echo));
                assert_eq!(
                    (&answer["id"], &answer["result"]["resultType"]),
                    (&json!(id), &json!("complete"))
                );
                let server = &answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
                assert_eq!(server["name"], "mcp-fixture-server");
            }
        }
    }
}

#[test]
fn an_old_version_is_spoken_and_an_unknown_one_is_answered_with_a_known() {
    for (asked, given) in
        [("2024-11-05", "2024-11-05"), ("2025-06-18", "2025-06-18"), ("2099-01-01", "2025-11-25")]
    {
        let mut process = start();
        let mut request = initialize();
        request["params"]["protocolVersion"] = asked.into();
        assert_eq!(process.request(&request)["result"]["protocolVersion"], given);
    }
    let mut process = start();
    let mut request = stateless(1, "tools/list", json!({}));
    request["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2099-01-01".into();
    assert_eq!(process.request(&request)["error"]["code"], -32022);
}

#[test]
fn broken_lines_are_refused_and_the_next_one_is_read() {
    let mut process = start();
    process.open();
    for (line, code) in [
        ("{", -32700),
        ("hello", -32700),
        ("\u{1}\u{2}", -32700),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}"#,
            -32700,
        ),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        ("[]", -32600),
        ("null", -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
    ] {
        process.send_line(line);
        let answer = process.receive();
        assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(code), None), "{line}: {answer}");
    }
    // Neither lines without text nor answers to nobody's question are answered.
    process.send_line("");
    process.send_line("  \r");
    process.send_line(r#"{"jsonrpc":"2.0","id":77,"result":{}}"#);
    process.send_line(r#"{"jsonrpc":"2.0","method":"notifications/unheard-of"}"#);
    assert_eq!(text(&process.call("echo", &json!({"text": "still here"}))), "still here");
}

#[test]
fn bytes_that_are_no_text_do_not_end_the_server() {
    let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"\xff\xfe{}\n\0\0\0\n").unwrap();
    input.write_all(format!("{}\n", initialize()).as_bytes()).unwrap();
    drop(input);
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    let answers: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 3, "{output}");
    assert_eq!(answers[2]["result"]["protocolVersion"], "2025-11-25");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let mut process = start();
    process.open();
    process.send_line(&call(1, "echo", &json!({"text": "x".repeat(17 * 1024 * 1024)})).to_string());
    let answer = process.receive();
    assert_eq!((&answer["error"]["code"], answer.get("id")), (&json!(-32600), None));
    assert_eq!(text(&process.call("echo", &json!({"text": "a"}))), "a");
}

#[test]
fn a_long_line_is_read() {
    let mut process = start();
    process.open();
    let answer = process.call("echo", &json!({"text": "x".repeat(1_000_000), "max_tokens": 1_000_000}));
    assert_eq!(answer["result"]["structuredContent"]["text"].as_str().unwrap().len(), 1_000_000);
}

#[test]
fn a_thousand_requests_in_flight_are_answered_once_each() {
    for mut process in both() {
        process.open();
        for id in 0..1000 {
            let message = match id % 4 {
                0 => json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}),
                1 => call(id, "test_wait", &json!({"milliseconds": id % 7})),
                2 => call(id, "none", &json!({})),
                _ => call(id, "echo", &json!({"text": id.to_string()})),
            };
            process.send(&message);
        }
        let mut seen = BTreeMap::new();
        for _ in 0..1000 {
            let answer = process.receive();
            let id = answer["id"].as_u64().unwrap();
            match id % 4 {
                0 => assert!(answer["result"]["tools"].is_array()),
                1 => assert_eq!(answer["result"]["structuredContent"]["milliseconds"], id % 7),
                2 => assert_eq!(answer["error"]["code"], -32602),
                _ => assert_eq!(answer["result"]["structuredContent"]["text"], id.to_string()),
            }
            *seen.entry(id).or_insert(0) += 1;
        }
        assert!(seen.len() == 1000 && seen.values().all(|count| *count == 1));
        let (rest, _) = process.close();
        assert!(rest.is_empty(), "{rest:?}");
    }
}

#[test]
fn misuse_of_the_protocol_is_an_error_of_the_protocol() {
    let mut process = start();
    process.open();
    let request =
        |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    for (message, code, says) in [
        (request("foo/bar", json!({})), -32601, "foo/bar"),
        (request("tools/call", json!({"name": "none"})), -32602, "`none`"),
        (request("tools/call", json!({})), -32602, "`name`"),
        (request("tools/call", json!({"name": "echo", "arguments": [1]})), -32602, "`arguments`"),
        (request("tools/list", json!({"cursor": "somewhere"})), -32602, "cursor"),
        (request("prompts/get", json!({"name": "none"})), -32602, "none"),
        (request("resources/read", json!({"uri": "test://none"})), -32602, "test://none"),
    ] {
        let answer = process.request(&message);
        assert_eq!(answer["error"]["code"], code, "{message}: {answer}");
        let sentence = answer["error"]["message"].as_str().unwrap();
        assert!(sentence.contains(says), "{message}: {sentence}");
    }
}

#[test]
fn before_the_opening_only_what_opens_is_answered() {
    let mut process = start();
    process.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert_eq!(process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}))["result"], json!({}));
    assert_eq!(process.call("echo", &json!({"text": "a"}))["error"]["code"], -32602);
    process.open();
    assert_eq!(text(&process.call("echo", &json!({"text": "a"}))), "a");
}

#[test]
fn both_ways_of_a_call_give_the_same_answer() {
    let [mut front, mut library] = both();
    front.open();
    library.open();
    let arguments = [
        ("echo", json!({"text": "größe \"\\ \u{1b}[1m \u{202e}"})),
        ("echo", json!({"text": "x".repeat(500), "max_tokens": 10})),
        ("echo", json!({"txet": "a"})),
        ("echo", json!(null)),
        ("stats", json!({"values": [1, 2.5, -3e2, 0.1], "detail": "detailed"})),
        ("stats", json!({"values": []})),
        (
            "test_form",
            json!({"name": "a", "count": 3, "share": 0.5, "labels": ["x"], "place": {"line": 1, "exact": true}}),
        ),
        ("test_form", json!({"name": "a", "count": 3.0, "detail": "detailed"})),
        ("test_form", json!({"name": "a", "count": 0})),
        ("test_form", json!({"name": "", "count": 1})),
        ("test_error_handling", json!({})),
        ("test_panic", json!({})),
        ("test_count", json!({})),
        ("test_wait", json!({"milliseconds": 1})),
        ("test_wait", json!({"milliseconds": 60_001})),
        ("test_multiple_content_types", json!({})),
        ("test_dirty_text", json!({})),
        ("none", json!({})),
    ];
    for (name, arguments) in &arguments {
        let old = call(1, name, arguments);
        assert_eq!(front.request(&old), library.request(&old), "{old}");
        let new = stateless(2, "tools/call", json!({"name": name, "arguments": arguments}));
        assert_eq!(front.request(&new), library.request(&new), "{new}");
    }
}

#[test]
fn a_socket_does_as_well_as_a_pipe() {
    let (client, server) = UnixStream::pair().unwrap();
    let output = OwnedFd::from(server.try_clone().unwrap());
    let mut child =
        command().stdin(Stdio::from(OwnedFd::from(server))).stdout(Stdio::from(output)).spawn().unwrap();
    let lines = crate::support::lines(client.try_clone().unwrap());
    let mut input = client.try_clone().unwrap();
    for message in [initialize(), call(1, "echo", &json!({"text": "a"}))] {
        writeln!(input, "{message}").unwrap();
        let answer: Value =
            serde_json::from_str(&lines.recv_timeout(crate::support::PATIENCE).unwrap()).unwrap();
        assert_eq!(answer["id"], message["id"]);
    }
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn files_do_as_well_as_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in"), folder.path().join("out"));
    let echo = |id| stateless(id, "tools/call", json!({"name": "echo", "arguments": {"text": "a"}}));
    std::fs::write(&input, format!("{}\n{}\n", echo(1), echo(2))).unwrap();
    let mut command = command();
    command.stdin(std::fs::File::open(&input).unwrap()).stdout(std::fs::File::create(&output).unwrap());
    assert!(command.status().unwrap().success());
    let answers = std::fs::read_to_string(&output).unwrap();
    assert_eq!(answers.lines().count(), 2, "{answers}");
}

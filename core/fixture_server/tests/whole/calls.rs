//! Calls of tools through a whole process: the layers, progress, questions to the client, the audit log.

use serde_json::{Value, json};

use crate::support::{Process, bare, call, command, start, stateless, text, without_front};

#[test]
fn progress_comes_before_the_answer() {
    for mut process in [start(), without_front()] {
        process.open();
        let mut request = call(1, "test_tool_with_progress", &json!({}));
        request["params"]["_meta"] = json!({"progressToken": "p"});
        process.send(&request);
        for done in [0.0, 50.0, 100.0] {
            let progress = process.receive();
            assert_eq!(progress["method"], "notifications/progress");
            let expected = json!({"progressToken": "p", "progress": done, "total": 100.0});
            assert_eq!(progress["params"], expected);
        }
        assert_eq!(text(&process.receive()), "Progress was reported.");
        // Nobody asked this time.
        assert_eq!(process.call("test_tool_with_progress", &json!({}))["id"], 1);
    }
}

#[test]
fn progress_of_a_thread_comes_before_its_answer() {
    for mut process in [start(), without_front()] {
        process.open();
        let mut request = call(1, "test_heavy_with_progress", &json!({}));
        request["params"]["_meta"] = json!({"progressToken": 7});
        process.send(&request);
        for done in [1.0, 2.0] {
            let expected = json!({"progressToken": 7, "progress": done, "message": "counting"});
            assert_eq!(process.receive()["params"], expected);
        }
        assert_eq!(process.receive()["result"]["structuredContent"]["count"], 2);
    }
}

#[test]
fn doctor_says_what_is_there_and_what_is_not() {
    let mut command = command();
    let output = command.args(["--root", "/", "--root", "/none", "doctor"]).output().unwrap();
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    for line in ["  root /  ", "! root /none  ", "state               none is kept"] {
        assert!(table.contains(line), "{table}");
    }
    assert!(table.lines().all(|line| line.starts_with("  ") || line.starts_with("! ")), "{table}");
}

#[test]
fn a_tool_that_breaks_down_fails_alone() {
    for mut process in [start(), without_front()] {
        process.open();
        let answer = process.call("test_panic", &json!({}));
        assert_eq!(answer["result"]["isError"], true);
        assert!(text(&answer).contains("bug"), "{answer}");
        assert_eq!(text(&process.call("echo", &json!({"text": "a"}))), "a");
    }
}

#[test]
fn the_layers_are_around_every_tool() {
    let mut process = start();
    process.open();
    assert_eq!(text(&process.call("test_rate", &json!({}))), "called");
    let refused = process.call("test_rate", &json!({}));
    let wait = text(&refused).strip_prefix("test_rate was called too often: wait ").unwrap();
    assert!(wait.strip_suffix(" s").unwrap().parse::<f64>().unwrap() > 0.0, "{wait}");
    assert_eq!(text(&process.call("test_dirty_text", &json!({}))), "red");
    let late = process.call("test_count", &json!({}));
    assert_eq!(text(&late), "test_count took longer than 100ms: ask for less");
}

#[test]
fn a_session_is_asked_by_a_request() {
    let mut process = start();
    process.open();
    for (action, is_error, says) in
        [("accept", false, "done: delete it"), ("decline", true, "the user did not agree")]
    {
        process.send(&call(1, "test_confirmation", &json!({"message": "delete it"})));
        let question = process.receive();
        assert_eq!(question["method"], "elicitation/create");
        assert_eq!(question["params"]["message"], "delete it");
        process.send(
            &json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action, "content": {}}}),
        );
        let answer = process.receive();
        assert_eq!((&answer["result"]["isError"], text(&answer)), (&json!(is_error), says));
    }
}

/// A call of the newer protocol that asks, with what the client sends back.
fn confirmation(message: &str, back: &Value) -> Value {
    let mut params = json!({"name": "test_confirmation", "arguments": {"message": message}});
    for (name, value) in back.as_object().into_iter().flatten() {
        params[name] = value.clone();
    }
    stateless(1, "tools/call", params)
}

#[test]
fn without_a_session_the_answer_needs_the_seal_of_the_question() {
    let mut process = start();
    let yes = json!({"sure": {"action": "accept", "content": {}}});
    let asked = process.request(&confirmation("delete it", &Value::Null));
    assert_eq!(asked["result"]["resultType"], "input_required");
    assert_eq!(asked["result"]["inputRequests"]["sure"]["params"]["message"], "delete it");
    let state = asked["result"]["requestState"].clone();
    // An answer without the seal is not an answer; one under the seal of another question is refused.
    let unsealed = process.request(&confirmation("delete it", &json!({"inputResponses": yes})));
    assert_eq!(unsealed["result"]["resultType"], "input_required");
    let other =
        process.request(&confirmation("delete all", &json!({"inputResponses": yes, "requestState": state})));
    assert_eq!(other["error"]["code"], -32602);
    assert!(other["error"]["message"].as_str().unwrap().contains("another call"), "{other}");
    let back = json!({"inputResponses": yes, "requestState": state});
    assert_eq!(text(&process.request(&confirmation("delete it", &back))), "done: delete it");
    let again = process.request(&confirmation("delete it", &back));
    assert!(again["error"]["message"].as_str().unwrap().contains("used before"), "{again}");
}

#[test]
fn a_client_that_cannot_be_asked_is_told() {
    let mut process = start();
    let mut request = confirmation("delete it", &Value::Null);
    request["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let answer = process.request(&request);
    assert_eq!(
        (&answer["result"]["isError"], text(&answer)),
        (&json!(true), "this needs a client with the capability elicitation")
    );
    let mut request = stateless(2, "tools/call", json!({"name": "test_missing_capability"}));
    request["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let answer = process.request(&request);
    assert_eq!(answer["error"]["code"], -32021);
    assert_eq!(answer["error"]["data"]["requiredCapabilities"], json!({"sampling": {}}));
}

#[test]
fn what_changes_something_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut command = bare();
    let mut process = Process::start(command.arg("--state").arg(&state));
    process.open();
    process.call("echo", &json!({"text": "not this"}));
    process.call("test_wait", &json!({"milliseconds": 1}));
    process.call("test_wait", &json!({"milliseconds": 60_001}));
    process.close();
    let log = std::fs::read_to_string(state.join("audit.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert_eq!(
        (&lines[0]["tool"], &lines[0]["arguments"]),
        (&json!("test_wait"), &json!("{\"milliseconds\":1}"))
    );
}

#[test]
fn the_fixture_mode_serves_the_two_reference_tools() {
    let mut command = command();
    let mut process = Process::start(command.arg("--fixture"));
    process.open();
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let names: Vec<_> =
        list["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["echo", "stats"]);
    let values: Vec<f64> = (0..1000).map(f64::from).collect();
    let answer = process.call("stats", &json!({"values": values}));
    let expected = json!({"count": 1000, "sum": 499_500.0, "mean": 499.5, "min": 0.0, "max": 999.0, "sd": 288.819_436_095_749_4});
    assert_eq!(answer["result"]["structuredContent"], expected);
}

#[test]
fn the_answer_in_process_is_the_answer_on_stdio() {
    use std::sync::Arc;
    let about = mcp_server::server::About { name: "test", title: "Test", version: "1", instructions: "" };
    let server = mcp_server::server::Server::builder(about);
    let server = server.tools(&Arc::new(()), mcp_server::reference::tools()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut command = command();
    let mut process = Process::start(command.arg("--fixture"));
    process.open();
    for (name, arguments) in [
        ("echo", json!({"text": "a\u{1b}[1mb\n\u{e9}"})),
        ("stats", json!({"values": [0.1, 0.2, 1e-300, 12_345_678.9]})),
        ("stats", json!({"values": []})),
        ("stats", json!({"values": 1})),
    ] {
        let here = runtime.block_on(server.call_tool(name, arguments.clone())).unwrap();
        assert_eq!(here, process.call(name, &arguments)["result"]);
    }
}

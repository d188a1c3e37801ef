//! A session over HTTP: the same tools, the same rules.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Place, carrying, eventually, odd_seconds, place, structured};
use mcp_testing::client::stateless;
use mcp_testing::http::{Http, answer};

fn call(name: &str, arguments: &Value) -> Value {
    stateless(1, "tools/call", json!({"name": name, "arguments": arguments}))
}

fn server(place: &Place) -> Http {
    let mut command: Command = place.command();
    Http::start(&mut command)
}

#[test]
fn tools_are_listed_and_called() {
    let place = place();
    let http = server(&place);
    let list = http.post(&[], &stateless(1, "tools/list", json!({})));
    assert_eq!(list.message()["result"]["tools"].as_array().unwrap().len(), 7);
    let analysis = http.post(&[], &call("command_analyze", &json!({"command": "ls | wc -l"}))).message();
    assert_eq!(structured(&analysis)["decision"], "allow");
    let run = http.post(&[], &call("command_run", &json!({"argv": ["wc", "-l", "a.txt"]}))).message();
    assert_eq!(structured(&run)["stdout"], "3 a.txt\n");
    assert_eq!(run["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "bash-god-mcp");
}

#[test]
fn a_foreign_page_may_not_call() {
    let place = place();
    let http = server(&place);
    let run = call("command_run", &json!({"argv": ["touch", "new"]}));
    assert_eq!(http.post(&[("Origin", "https://evil.example")], &run).status, 403);
    assert_eq!(http.post(&[("Host", "evil.example")], &run).status, 403);
    assert!(place.audit().is_empty());
}

#[test]
fn a_person_is_asked_in_rounds() {
    let place = place();
    let http = server(&place);
    let arguments = json!({"argv": ["rm", "a.txt"], "profile": "workspace"});
    let asked = http.post(&[], &call("command_run", &arguments)).message();
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert!(place.path("root/a.txt").exists());
    let mut again = call("command_run", &arguments);
    let key = asked["result"]["inputRequests"].as_object().unwrap().keys().next().unwrap();
    again["params"]["inputResponses"] = json!({key: {"action": "accept", "content": {}}});
    again["params"]["requestState"] = asked["result"]["requestState"].clone();
    assert_eq!(structured(&http.post(&[], &again).message())["exit_code"], 0);
    assert!(!place.path("root/a.txt").exists());
    assert!(http.post(&[], &again).message()["error"]["message"].as_str().unwrap().contains("used before"));
}

#[test]
fn a_client_that_hangs_up_ends_its_command() {
    let place = place();
    let http = server(&place);
    let seconds = odd_seconds();
    let mut stream = http.connect();
    http.send(&mut stream, &[], &call("command_run", &json!({"argv": ["sleep", seconds]})));
    eventually("it runs", || !carrying(&seconds).is_empty());
    drop(stream);
    eventually("it is gone", || carrying(&seconds).is_empty());
    let mut stream = http.connect();
    http.send(&mut stream, &[], &call("command_run", &json!({"argv": ["true"]})));
    assert_eq!(answer(&mut stream).status, 200);
}

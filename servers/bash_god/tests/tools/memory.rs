//! What is remembered: history, feedback, forgetting, export and import, and state that cannot be used.

use std::process::Command;

use serde_json::json;

use crate::support::{place, refusal, structured};
use mcp_testing::client::{Process, text};

fn commands(process: &mut Process) -> Vec<String> {
    let answer = process.call("history", &json!({}));
    let records = structured(&answer)["records"].as_array().unwrap();
    records.iter().map(|record| record["command"].as_str().unwrap().to_owned()).collect()
}

fn run(process: &mut Process, words: &[&str], task: &str) {
    structured(&process.call("command_run", &json!({"argv": words, "task": task})));
}

#[test]
fn what_was_run_is_remembered_judged_and_forgotten() {
    let place = place();
    let mut process = place.server(&[]);
    run(&mut process, &["wc", "-l", "a.txt"], "how long is it");
    run(&mut process, &["cat", "a.txt"], "");
    let answer = process.call("history", &json!({"contains": "HOW LONG"}));
    let record = &structured(&answer)["records"][0];
    assert_eq!((&record["command"], &record["exit_code"]), (&json!("wc -l a.txt"), &json!(0)));
    let answer = process.call("history", &json!({"action": "feedback", "id": record["id"], "good": false}));
    assert_eq!(structured(&answer)["changed"], 1);
    let answer = process.call("history", &json!({"contains": "wc"}));
    assert_eq!(structured(&answer)["records"][0]["feedback"], "bad");
    process.close();
    // Another life of the server knows it, until it is forgotten.
    let mut process = place.server(&[]);
    assert_eq!(commands(&mut process), ["cat a.txt", "wc -l a.txt"]);
    let answer = process.call("history", &json!({"action": "forget", "contains": "wc"}));
    assert_eq!(structured(&answer)["changed"], 1);
    assert_eq!(commands(&mut process), ["cat a.txt"]);
    structured(&process.call("history", &json!({"action": "forget", "all": true})));
    assert!(commands(&mut process).is_empty());
    let database = std::fs::read(place.path("state/history.redb")).unwrap();
    assert!(!database.windows(5).any(|bytes| bytes == b"a.txt"), "what is forgotten leaves the file");
}

#[test]
fn what_was_run_for_a_goal_is_suggested_for_it() {
    let place = place();
    let mut process = place.server(&[]);
    let task = "show the frobnication report";
    let first = |process: &mut Process| {
        let answer = process.call("command_suggest", &json!({"task": task, "limit": 1}));
        structured(&answer)["suggestions"][0].clone()
    };
    assert_ne!(first(&mut process)["source"], "history");
    run(&mut process, &["cat", "a.txt", "sub/b.txt"], task);
    let learned = first(&mut process);
    assert_eq!((&learned["command"], &learned["source"]), (&json!("cat a.txt sub/b.txt"), &json!("history")));
    assert_eq!(learned["analysis"]["decision"], "allow");
    // Running a suggestion teaches the goal that it was suggested for.
    let answer = process.call("command_suggest", &json!({"task": "count the lines of a.txt", "limit": 1}));
    assert_eq!(structured(&answer)["suggestions"][0]["command"], "wc -l a.txt");
    run(&mut process, &["wc", "-l", "a.txt"], "");
    let answer = process.call("history", &json!({"limit": 1}));
    assert_eq!(structured(&answer)["records"].as_array().unwrap().len(), 1);
}

#[test]
fn secrets_are_not_remembered() {
    let place = place();
    let mut process = place.server(&[]);
    run(&mut process, &["echo", "--password", "hunter2"], "log in with token=abc123secret");
    assert_eq!(commands(&mut process), ["echo --password ***"]);
    let answer = process.call("history", &json!({}));
    assert!(!answer.to_string().contains("abc123secret"), "{answer}");
}

#[test]
fn without_a_state_nothing_is_kept() {
    let place = place();
    let before = place.everything();
    let mut process = Process::start(&mut place.forgetful());
    process.open();
    run(&mut process, &["true"], "");
    structured(&process.call("command_suggest", &json!({"task": "list files"})));
    let answer = process.call("history", &json!({}));
    assert!(refusal(&answer).contains("--state none"), "{answer}");
    process.close();
    assert_eq!(place.everything(), before);
}

#[test]
fn a_damaged_history_is_kept_aside_and_told() {
    let place = place();
    std::fs::write(place.path("state/history.redb"), b"this is not a database").unwrap();
    let mut process = place.server(&[]);
    run(&mut process, &["true"], "");
    let answer = process.call("history", &json!({}));
    let notice = structured(&answer)["notice"].as_str().unwrap();
    assert!(notice.contains("is damaged or no history at all") && notice.contains("kept-1"), "{notice}");
    assert_eq!(place.text("state/history.redb.kept-1"), "this is not a database");
    assert_eq!(commands(&mut process), ["true"]);
}

#[test]
fn two_servers_do_not_share_a_history_and_the_second_says_so() {
    let place = place();
    let mut first = place.server(&[]);
    run(&mut first, &["true"], "");
    let mut second = place.server(&[]);
    let answer = second.call("command_run", &json!({"argv": ["echo", "second"]}));
    let run = structured(&answer);
    assert_eq!(run["stdout"], "second\n");
    assert!(run["notices"][0].as_str().unwrap().contains("in use by another process"), "{run}");
    let answer = second.call("command_suggest", &json!({"task": "list files"}));
    assert!(structured(&answer)["notice"].as_str().unwrap().contains("in use"), "{answer}");
    first.close();
    // It is free now.
    assert_eq!(commands(&mut second), ["true"]);
}

fn output(command: &mut Command) -> (bool, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_history_is_exported_and_imported_as_a_whole() {
    let (place, other) = (place(), place());
    let mut process = place.server(&[]);
    run(&mut process, &["wc", "-l", "a.txt"], "count");
    run(&mut process, &["true"], "");
    process.close();
    let (ok, lines, _) = output(place.command().arg("export"));
    assert!(ok && lines.lines().count() == 3, "{lines}");
    let file = place.path("export.jsonl");
    std::fs::write(&file, &lines).unwrap();
    assert!(output(other.command().arg("import").arg(&file)).0);
    let mut process = other.server(&[]);
    assert_eq!(commands(&mut process), ["true", "wc -l a.txt"]);
    process.close();
    // One bad line, and nothing is taken.
    std::fs::write(&file, format!("{lines}{{\"command\": 1}}\n")).unwrap();
    let (ok, _, error) = output(other.command().arg("import").arg(&file));
    assert!(!ok && error.contains("line 4") && error.contains("nothing was imported"), "{error}");
    assert_eq!(commands(&mut other.server(&[])), ["true", "wc -l a.txt"]);
    // An existing file is not written over.
    let (ok, _, error) = output(other.command().arg("export").arg(&file));
    assert!(!ok && error.contains("cannot be made"), "{error}");
}

#[test]
fn reading_only_remembers_nothing_and_changes_nothing() {
    let place = place();
    let mut process = place.server(&["--read-only"]);
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let tools = list["result"]["tools"].as_array().unwrap();
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{list}");
    let run = tools.iter().find(|tool| tool["name"] == "command_run").unwrap();
    assert!(run["inputSchema"]["properties"].get("profile").is_none(), "{run}");
    assert_eq!(tools.len(), 7);
    let answer = process.call("command_run", &json!({"argv": ["wc", "-l", "a.txt"]}));
    assert_eq!(structured(&answer)["stdout"], "3 a.txt\n");
    let answer = process.call("command_run", &json!({"argv": ["touch", "new"], "profile": "workspace"}));
    assert!(refusal(&answer).contains("`profile` is not known"), "{answer}");
    let answer = process.call("command_run", &json!({"argv": ["mkdir", "new"]}));
    assert_ne!(structured(&answer)["exit_code"], 0);
    assert!(!place.path("root/new").exists());
    let answer = process.call("history", &json!({"action": "forget", "all": true}));
    assert!(text(&answer).contains("`action` is not known"), "{answer}");
    assert!(commands(&mut process).is_empty());
    let answer = process.call("system_info", &json!({}));
    assert_eq!(structured(&answer)["profiles"], json!(["read"]));
}

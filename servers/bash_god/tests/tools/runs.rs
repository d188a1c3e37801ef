//! Running commands: no shell where none is asked for, profiles, time, background, cancelling, and how a server ends.

use serde_json::{Value, json};

use crate::support::{allowing, asked, carrying, eventually, odd_seconds, place, refusal, structured};
use mcp_testing::client::{Process, call};

#[test]
fn words_are_words_where_no_shell_is_asked_for() {
    let place = place();
    let mut process = place.server(&[]);
    for word in
        ["$(touch x)", "`touch x`", "; touch x", "| touch x", "> x", "$HOME", "*", "a=b", "\n", "-n \\", "if"]
    {
        let answer = process.call("command_run", &json!({"argv": ["printf", "%s", word]}));
        assert_eq!(structured(&answer)["stdout"], word, "{answer}");
    }
    let piped =
        process.call("command_run", &json!({"pipeline": [["cat", "a.txt"], ["grep", "t"], ["wc", "-l"]]}));
    assert_eq!(structured(&piped)["stdout"], "2\n");
    assert_eq!(std::fs::read_dir(place.path("root")).unwrap().count(), 2);
}

#[test]
fn profiles_allow_what_they_say() {
    let place = place();
    let policy = allowing(&place, &["touch", "cat", "sh"]);
    let mut process = place.server(&["--policy", &policy]);
    let touch = |profile: &str| json!({"argv": ["touch", "new"], "profile": profile});
    let answer = process.call("command_run", &touch("read"));
    assert_ne!(structured(&answer)["exit_code"], 0, "{answer}");
    assert!(structured(&answer)["notices"][0].as_str().unwrap().contains("workspace does"), "{answer}");
    assert!(!place.path("root/new").exists());
    let answer = process.call("command_run", &touch("workspace"));
    assert_eq!(structured(&answer)["exit_code"], 0, "{answer}");
    assert!(place.path("root/new").exists());
    // The directory beside the root is not there at all, whatever the profile and whoever agrees.
    let secret = place.path("outside/secret");
    let arguments = json!({"argv": ["cat", secret], "profile": "workspace+net"});
    let (_, answer) = asked(&mut process, &arguments, "accept");
    assert_eq!(structured(&answer)["stdout"], "", "{answer}");
}

#[test]
fn a_network_is_asked_for_unless_a_rule_grants_it() {
    let place = place();
    let read = json!({"argv": ["cat", "a.txt"], "profile": "workspace+net"});
    let mut process = place.server(&[]);
    let (question, answer) = asked(&mut process, &read, "decline");
    assert!(question["message"].as_str().unwrap().contains("with a network it could send"), "{question}");
    assert!(refusal(&answer).contains("nothing was run"), "{answer}");
    let policy = allowing(&place, &["cat"]);
    let granted = std::fs::read_to_string(&policy).unwrap().replace("decision", "network = true\ndecision");
    std::fs::write(&policy, granted).unwrap();
    let mut process = place.server(&["--policy", &policy]);
    let answer = process.call("command_run", &read);
    assert_eq!(structured(&answer)["exit_code"], 0, "{answer}");
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let place = place();
    let policy = allowing(&place, &["no-such-program"]);
    let mut process = place.server(&["--policy", &policy]);
    let answer = process.call("command_run", &json!({"argv": ["no-such-program", "a"]}));
    assert!(refusal(&answer).starts_with("no-such-program cannot be run"), "{answer}");
    assert_eq!(place.audit().last().unwrap()["event"], "failed");
    // Nothing is left of it: its place is free.
    assert_eq!(structured(&process.call("command_run", &json!({"argv": ["true"]})))["exit_code"], 0);
}

#[test]
fn exit_codes_signals_and_both_streams_are_told() {
    let place = place();
    let mut process = place.server(&[]);
    let mut run = |script: &str| {
        let answer = asked_or_not(&mut process, &json!({"command": script}));
        structured(&answer).clone()
    };
    let failed = run("echo out; echo err >&2; exit 3");
    assert_eq!(
        (&failed["exit_code"], &failed["stdout"], &failed["stderr"]),
        (&json!(3), &json!("out\n"), &json!("err\n"))
    );
    let killed = run("kill -9 $$");
    assert_eq!((&killed["exit_code"], &killed["signal"]), (&Value::Null, &json!(9)), "{killed}");
}

/// Runs a command; a question is answered with yes.
fn asked_or_not(process: &mut Process, arguments: &Value) -> Value {
    process.send(&call(1, "command_run", arguments));
    let first = process.receive();
    if first["method"] != "elicitation/create" {
        return first;
    }
    process
        .send(&json!({"jsonrpc": "2.0", "id": first["id"], "result": {"action": "accept", "content": {}}}));
    process.receive()
}

#[test]
fn time_that_is_over_ends_everything() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    let script = format!("sleep {seconds} & sleep {seconds}");
    let answer = process.call("command_run", &json!({"command": script, "timeout_s": 0.5}));
    let run = structured(&answer);
    assert_eq!((&run["status"], &run["exit_code"]), (&json!("timed_out"), &Value::Null), "{run}");
    assert!(carrying(&seconds).is_empty());
}

#[test]
fn in_the_background_it_goes_on_until_it_is_killed() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    let script = format!("echo begun; sleep {seconds}");
    let answer = process.call("command_run", &json!({"command": script, "background": true}));
    let handle = structured(&answer)["handle"].clone();
    let mut look = |action: &str| {
        let answer = process.call("run_output", &json!({"handle": handle, "action": action}));
        structured(&answer).clone()
    };
    eventually("it printed something", || look("page")["text"] == "begun\n");
    let seen = look("page");
    assert_eq!(seen["status"], "running");
    assert!(seen["next_cursor"].is_string(), "{seen}");
    eventually("it sleeps", || !carrying(&seconds).is_empty());
    let killed = look("kill");
    assert_eq!((&killed["status"], &killed["text"]), (&json!("cancelled"), &json!("begun\n")));
    assert!(carrying(&seconds).is_empty());
    assert_eq!(look("tail")["status"], "cancelled");
    eventually("the end is in the log", || place.audit().last().unwrap()["reason"] == "cancelled");
}

#[test]
fn handles_cannot_be_guessed_and_belong_to_one_server() {
    let place = place();
    let mut first = place.server(&[]);
    let mut second = Process::start(&mut place.forgetful());
    second.open();
    let mut start = || {
        let answer = first.call("command_run", &json!({"argv": ["true"], "background": true}));
        structured(&answer)["handle"].as_str().unwrap().to_owned()
    };
    let handles = [start(), start()];
    assert_ne!(handles[0], handles[1]);
    assert!(handles.iter().all(|handle| handle.len() == "run-".len() + 32), "{handles:?}");
    let answer = second.call("run_output", &json!({"handle": handles[0]}));
    assert!(refusal(&answer).contains("no run has this handle"), "{answer}");
}

#[test]
fn a_cancelled_call_ends_its_command() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    process.send(&call(7, "command_run", &json!({"argv": ["sleep", seconds]})));
    eventually("it runs", || !carrying(&seconds).is_empty());
    process.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}));
    eventually("it is gone", || carrying(&seconds).is_empty());
    assert_eq!(structured(&process.call("command_run", &json!({"argv": ["true"]})))["exit_code"], 0);
}

#[test]
fn the_end_of_input_ends_the_server_and_what_it_runs() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    let answer = process.call("command_run", &json!({"argv": ["sleep", seconds], "background": true}));
    structured(&answer);
    process.send(&call(7, "command_run", &json!({"argv": ["sleep", seconds]})));
    eventually("both run", || carrying(&seconds).len() >= 2);
    let (rest, status) = process.close();
    assert!(status.success() && rest.is_empty(), "{status} {rest:?}");
    eventually("nothing is left", || carrying(&seconds).is_empty());
}

#[test]
fn a_killed_server_leaves_nothing_running() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    let script = format!("sleep {seconds} & (sleep {seconds} &) ; sleep {seconds}");
    structured(&process.call("command_run", &json!({"command": script, "background": true})));
    eventually("all of it runs", || carrying(&seconds).len() >= 3);
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    eventually("nothing is left", || carrying(&seconds).is_empty());
    // The log has the start without an end, and the next server begins as usual.
    assert_eq!(place.audit().last().unwrap()["event"], "start");
    let mut next = place.server(&[]);
    assert_eq!(structured(&next.call("command_run", &json!({"argv": ["true"]})))["exit_code"], 0);
    structured(&next.call("history", &json!({})));
}

#[test]
fn what_takes_longer_than_a_second_reports_progress() {
    let place = place();
    let mut process = place.server(&[]);
    let mut request = call(1, "command_run", &json!({"argv": ["sleep", "2.5"]}));
    request["params"]["_meta"] = json!({"progressToken": "p"});
    process.send(&request);
    let progress = process.receive();
    assert_eq!(progress["method"], "notifications/progress", "{progress}");
    assert_eq!(
        (&progress["params"]["progressToken"], &progress["params"]["total"]),
        (&json!("p"), &json!(60.0))
    );
    let mut last = process.receive();
    while last["method"] == "notifications/progress" {
        last = process.receive();
    }
    assert_eq!(structured(&last)["exit_code"], 0);
}

#[test]
fn no_more_than_sixteen_commands_run_at_a_time() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    let arguments = json!({"argv": ["sleep", seconds], "background": true});
    let handles: Vec<Value> =
        (0..16).map(|_| structured(&process.call("command_run", &arguments))["handle"].clone()).collect();
    let answer = process.call("command_run", &arguments);
    assert!(refusal(&answer).contains("16 commands run already"), "{answer}");
    structured(&process.call("run_output", &json!({"handle": handles[3], "action": "kill"})));
    structured(&process.call("command_run", &arguments));
}

#[test]
fn everything_that_is_executed_is_in_the_log() {
    let place = place();
    let mut process = place.server(&[]);
    process.call("command_analyze", &json!({"command": "rm a.txt"}));
    process.call("command_run", &json!({"argv": ["ls"], "dry_run": true}));
    structured(&process.call("command_run", &json!({"argv": ["wc", "-l", "a.txt"]})));
    let (_, _) = asked(&mut process, &json!({"command": "curl -u me:hunter2 http://127.0.0.1:1/"}), "accept");
    let lines = place.audit();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["start", "end", "start", "end"], "{lines:?}");
    assert_eq!((&lines[0]["command"], &lines[0]["decision"]), (&json!("wc -l a.txt"), &json!("allow")));
    assert_eq!((&lines[0]["confirmed"], &lines[0]["profile"]), (&json!(false), &json!("read")));
    assert_eq!((&lines[1]["exit_code"], &lines[1]["handle"]), (&json!(0), &lines[0]["handle"]));
    assert!(!place.text("state/audit.jsonl").contains("hunter2"));
}

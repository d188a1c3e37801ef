//! What clients may rely on: the definitions and their size, the answers and their schemas, short and full answers,
//! bounds, cursors.

use serde_json::{Value, json};

use crate::support::{place, refusal, structured};
use mcp_testing::client::{Process, stateless, text};
use mcp_testing::schema::hold_answer;

fn tools(process: &mut Process) -> Vec<Value> {
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    list["result"]["tools"].as_array().unwrap().clone()
}

/// Calls whose answers are not errors, for each tool.
fn examples() -> Vec<(&'static str, Value)> {
    vec![
        ("command_analyze", json!({"command": "grep -rn TODO src | head"})),
        ("command_analyze", json!({"command": "rm -rf / # no"})),
        ("command_analyze", json!({"command": "cat 'a", "cwd": "sub"})),
        ("command_suggest", json!({"task": "count the lines of a.txt"})),
        ("command_suggest", json!({"task": "find files larger than 100 MB", "limit": 1})),
        ("command_optimize", json!({"command": "cat a.txt | wc -l"})),
        ("command_optimize", json!({"command": "cat a.txt | wc -l", "measure": true})),
        ("command_optimize", json!({"command": "ls | wc -l"})),
        ("command_run", json!({"argv": ["wc", "-l", "a.txt"]})),
        ("command_run", json!({"pipeline": [["cat", "a.txt"], ["grep", "-c", "o"]], "cwd": "."})),
        ("command_run", json!({"command": "for f in *; do echo \"$f\"; done", "timeout_s": 10})),
        ("command_run", json!({"command": "rm -rf sub", "profile": "workspace", "dry_run": true})),
        ("history", json!({})),
        ("history", json!({"contains": "wc", "limit": 1})),
        ("system_info", json!({"programs": ["sh", "no-such-program"]})),
    ]
}

#[test]
fn answers_are_what_their_schemas_say_in_both_eras_and_details() {
    let place = place();
    let mut process = place.server(&[]);
    let tools = tools(&mut process);
    let schema = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap()["outputSchema"].clone();
    let mut sessionless = Process::start(&mut place.forgetful());
    for (name, arguments) in examples() {
        for detail in ["concise", "detailed"] {
            let mut arguments = arguments.clone();
            arguments["detail"] = detail.into();
            let answer = process.call(name, &arguments);
            hold_answer(&schema(name), structured(&answer), name);
            assert!(!text(&answer).is_empty(), "{answer}");
            if name == "history" {
                continue;
            }
            let request = stateless(2, "tools/call", json!({"name": name, "arguments": arguments}));
            let other = sessionless.request(&request);
            hold_answer(&schema(name), structured(&other), name);
        }
    }
    // The output of a run by its handle.
    let arguments = json!({"argv": ["cat", "a.txt"], "background": true});
    let started = process.call("command_run", &arguments);
    hold_answer(&schema("command_run"), structured(&started), "command_run");
    for action in ["page", "tail", "kill"] {
        let arguments = json!({"handle": structured(&started)["handle"], "action": action});
        let answer = process.call("run_output", &arguments);
        hold_answer(&schema("run_output"), structured(&answer), action);
    }
}

#[test]
fn the_fields_that_clients_script_against_are_there() {
    let place = place();
    let mut process = place.server(&[]);
    let answer = process.call("command_analyze", &json!({"command": "rm $x"}));
    let analysis = structured(&answer);
    for field in ["parsed", "decision", "risk", "reasons", "commands", "warnings", "safer"] {
        assert!(analysis.get(field).is_some(), "{field} in {analysis}");
    }
    for field in ["argv", "reads", "writes", "deletes", "executes", "network", "privilege"] {
        assert!(analysis["commands"][0].get(field).is_some(), "{field} in {analysis}");
    }
    assert_eq!((&analysis["decision"], &analysis["parsed"]), (&json!("prompt"), &json!(true)));
    let answer = process.call("command_suggest", &json!({"task": "count the lines of a.txt", "limit": 1}));
    let suggestion = &structured(&answer)["suggestions"][0];
    assert_eq!(suggestion["command"], "wc -l a.txt");
    assert_eq!((&suggestion["program"], &suggestion["source"]), (&json!("wc"), &json!("catalogue")));
    assert_eq!(suggestion["template"], "wc -l {file}");
    assert_eq!(suggestion["analysis"]["decision"], "allow");
    assert!(suggestion["score"].as_f64().unwrap() > 0.0);
    let answer = process.call("command_run", &json!({"argv": ["wc", "-l", "a.txt"]}));
    let run = structured(&answer);
    assert_eq!(
        (&run["exit_code"], &run["stdout"], &run["stderr"]),
        (&json!(0), &json!("3 a.txt\n"), &json!(""))
    );
    assert_eq!((&run["truncated"], &run["decision"]), (&json!(false), &json!("allow")));
    assert!(run["duration_ms"].as_f64().unwrap() > 0.0 && run.get("handle").is_none(), "{run}");
}

#[test]
fn what_no_schema_can_say_is_refused_in_a_sentence() {
    let place = place();
    let mut process = place.server(&[]);
    for (name, arguments, part) in [
        ("command_analyze", json!({"command": "ls", "cwd": "/etc"}), "below none of the roots"),
        ("command_analyze", json!({"command": "ls", "cwd": "../outside"}), "below none of the roots"),
        ("command_suggest", json!({"task": "  "}), "task is empty"),
        ("command_optimize", json!({"command": "cat 'a"}), "not"),
        ("command_run", json!({}), "just one of argv, pipeline and command"),
        ("command_run", json!({"argv": ["ls"], "command": "ls"}), "just one"),
        ("command_run", json!({"argv": []}), "a program is missing"),
        ("command_run", json!({"argv": ["--help"]}), "an option and not a program"),
        ("command_run", json!({"argv": ["ls", "a\0b"]}), "NUL"),
        ("command_run", json!({"argv": ["ls"], "cwd": "nowhere"}), "is not a directory"),
        ("command_run", json!({"argv": ["ls"], "max_tokens": 3}), "max_tokens"),
        ("run_output", json!({"handle": "run-0"}), "no run has this handle"),
        ("run_output", json!({"handle": "run-0", "action": "grep"}), "pattern belongs to grep"),
        ("run_output", json!({"handle": "run-0", "pattern": "a"}), "pattern belongs to grep"),
        ("run_output", json!({"handle": "run-0", "cursor": "x"}), "the cursor is not one of this output"),
        ("history", json!({"cursor": "x"}), "the cursor is not one of the history"),
        ("history", json!({"action": "feedback", "id": 1}), "feedback needs"),
        ("history", json!({"action": "feedback", "id": 99, "good": true}), "99"),
        ("history", json!({"action": "forget"}), "forget needs just one"),
        ("history", json!({"action": "forget", "contains": ""}), "forget needs just one"),
        ("history", json!({"action": "forget", "id": 1, "all": true}), "forget needs just one"),
    ] {
        let answer = process.call(name, &arguments);
        let sentence = refusal(&answer);
        assert!(sentence.contains(part), "{name} {arguments}: {sentence}");
    }
    let answer = process.call("no_such_tool", &json!({}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[test]
fn short_answers_say_less_and_bounds_hold() {
    let place = place();
    let mut process = place.server(&[]);
    let line = "for f in a b c d e f g h i j k l m n o p; do rm \"$f\"; done";
    let length = |answer: &Value| structured(answer).to_string().len();
    let short = process.call("command_analyze", &json!({"command": line}));
    let full = process.call("command_analyze", &json!({"command": line, "detail": "detailed"}));
    assert!(length(&full) > length(&short) + 500);
    assert!(structured(&full)["commands"][0]["certainty"].is_string());
    let bounded = process.call("command_analyze", &json!({"command": line, "max_tokens": 700}));
    assert!(bounded["result"].to_string().len() <= 4 * 700 + 100, "{bounded}");
    assert!(structured(&bounded)["commands_left_out"].as_u64().unwrap() > 0, "{bounded}");
    let all = process.call("command_suggest", &json!({"task": "list files", "limit": 20}));
    let some =
        process.call("command_suggest", &json!({"task": "list files", "limit": 20, "max_tokens": 800}));
    let count = |answer: &Value| structured(answer)["suggestions"].as_array().unwrap().len();
    assert!(count(&all) == 20 && (1..20).contains(&count(&some)), "{} {}", count(&all), count(&some));
    // Output that is longer than the bound is cut, and the rest is there by the handle.
    let long = json!({"argv": ["seq", "1", "20000"], "max_tokens": 1000});
    let answer = process.call("command_run", &long);
    let run = structured(&answer);
    assert!(answer["result"].to_string().len() <= 4 * 1000 + 100);
    assert_eq!(run["truncated"], true);
    let stdout = run["stdout"].as_str().unwrap();
    assert!(stdout.starts_with("1\n2\n") && stdout.ends_with("\n20000\n"), "{stdout}");
    let rest = process.call("run_output", &json!({"handle": run["handle"], "action": "tail", "lines": 1}));
    assert_eq!(structured(&rest)["text"], "20000\n");
}

#[test]
fn pages_of_output_join_to_the_whole() {
    let place = place();
    let mut process = place.server(&[]);
    let arguments = json!({"argv": ["seq", "1", "3000"], "max_tokens": 400});
    let answer = process.call("command_run", &arguments);
    let handle = structured(&answer)["handle"].clone();
    let (mut all, mut cursor) = (String::new(), Value::Null);
    loop {
        let arguments = json!({"handle": handle, "lines": 700, "cursor": cursor});
        let answer = process.call("run_output", &arguments);
        let page = structured(&answer);
        all.push_str(page["text"].as_str().unwrap());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: String = (1..=3000).map(|number| format!("{number}\n")).collect();
    assert_eq!(all, expected);
    let found = process.call("run_output", &json!({"handle": handle, "action": "grep", "pattern": "^29.9$"}));
    assert_eq!(structured(&found)["text"], "2909\n2919\n2929\n2939\n2949\n2959\n2969\n2979\n2989\n2999\n");
}

#[test]
fn pages_of_the_history_join_to_the_whole() {
    let place = place();
    let mut process = place.server(&[]);
    for number in 0..7 {
        structured(&process.call("command_run", &json!({"argv": ["echo", number.to_string()]})));
    }
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let answer = process.call("history", &json!({"limit": 3, "cursor": cursor}));
        let page = structured(&answer);
        all.extend(page["records"].as_array().unwrap().iter().map(|record| record["command"].clone()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: Vec<Value> = (0..7).rev().map(|number| format!("echo {number}").into()).collect();
    assert_eq!(all, expected);
}

#[test]
fn optimizing_says_what_was_changed_and_measures_on_demand() {
    let place = place();
    let mut process = place.server(&[]);
    let answer = process.call("command_optimize", &json!({"command": "cat a.txt | wc -l", "measure": true}));
    let form = structured(&answer);
    assert_eq!(form["command"], "wc -l < a.txt");
    let change = &form["changes"][0];
    assert_eq!(
        (&change["rule"], &change["before"]),
        (&json!("cat-into-filter"), &json!("cat a.txt | wc -l"))
    );
    assert!(!change["assumes"].as_array().unwrap().is_empty(), "{change}");
    assert_eq!(form["measured"]["same_result"], true, "{form}");
    assert!(form["measured"]["before_ms"].as_f64().unwrap() > 0.0);
    let answer = process.call("command_optimize", &json!({"command": "cat a.txt | wc -l"}));
    assert!(structured(&answer).get("measured").is_none(), "{answer}");
    let answer = process.call("history", &json!({}));
    assert!(structured(&answer)["records"].as_array().unwrap().is_empty(), "what is measured is not kept");
    // What a person would have to agree to is not run to be measured.
    let answer =
        process.call("command_optimize", &json!({"command": "egrep x /etc/shadow", "measure": true}));
    assert!(structured(&answer)["notice"].as_str().unwrap().contains("not measured"), "{answer}");
}

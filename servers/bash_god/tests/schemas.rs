//! Arguments made from the schemas of the server's tools: whatever they allow is taken, whatever they exclude refused.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::process::Command;

use mcp_testing::client::Process;
use mcp_testing::schema::hold_to_schema;
use serde_json::{Value, json};

/// Holds every tool of a server to its schema, and returns their names.
fn hold(options: &[&str], front: bool) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bash-god-mcp"));
    command.args(["--state", "none", "--root"]).arg(root.path()).args(options);
    if !front {
        command.env("MCP_NO_FRONT", "1");
    }
    let mut process = Process::start(&mut command);
    process.open();
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let tools = list["result"]["tools"].as_array().unwrap();
    for tool in tools {
        let runs = tool["name"] == "command_run";
        // So many as its rate lets through at once.
        hold_to_schema(&mut process, tool, if runs { 35 } else { 60 }, |arguments| {
            if runs {
                one_way(arguments);
            }
        });
    }
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

/// The three ways to name a command exclude each other, which a schema of plain members does not say. Nothing is run:
/// words of chance may be words of a program.
fn one_way(arguments: &mut Value) {
    let arguments = arguments.as_object_mut().unwrap();
    for others in [["argv", "pipeline"], ["argv", "command"], ["pipeline", "command"]] {
        if others.iter().all(|name| arguments.contains_key(*name)) {
            arguments.remove(others[0]);
        }
    }
    arguments.insert("dry_run".to_owned(), json!(true));
}

#[test]
fn what_a_schema_says_is_what_its_tool_takes() {
    for front in [true, false] {
        assert_eq!(hold(&[], front).len(), 7);
    }
}

#[test]
fn so_it_is_where_nothing_may_be_changed() {
    let names = hold(&["--read-only"], true);
    assert!(names.contains(&"command_run".to_owned()), "{names:?}");
}

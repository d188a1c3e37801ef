//! Arguments made from each tool's own schema: whatever it allows is taken, whatever it excludes is refused.

use serde_json::json;

use crate::support::{start, without_front};
use mcp_testing::schema::{hold_to_schema, kind, required};

#[test]
fn what_a_schema_says_is_what_its_tool_takes() {
    // Both ways: the arguments are read from text in one and from values in the other.
    for mut process in [start(), without_front()] {
        process.open();
        let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
        for tool in list["result"]["tools"].as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            // They take no arguments, and asking them needs a client that answers.
            let asks = ["test_count", "test_rate", "test_sampling", "test_confirmation"].contains(&name)
                || name.contains("elicitation")
                || name.contains("input_required");
            let rounds = if asks || name == "test_wait" || name.contains("_with_") || name.contains("logging")
            {
                0
            } else {
                100
            };
            hold_to_schema(&mut process, tool, rounds, |_| ());
        }
    }
}

#[test]
fn answers_are_what_the_output_schema_says() {
    let mut process = start();
    process.open();
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    for (name, arguments) in [
        ("echo", json!({"text": "a"})),
        ("stats", json!({"values": [1, 2]})),
        ("test_form", json!({"name": "a", "count": 1})),
        ("test_wait", json!({"milliseconds": 0})),
    ] {
        let tool =
            list["result"]["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
        let schema = &tool["outputSchema"];
        let answer = process.call(name, &arguments);
        let answer = answer["result"]["structuredContent"].as_object().unwrap();
        assert_eq!(kind(schema), "object");
        for required in required(schema) {
            assert!(answer.contains_key(required), "{name} lacks {required}");
        }
        for member in answer.keys() {
            assert!(
                schema["properties"].get(member).is_some(),
                "{name} has {member}, which its schema does not"
            );
        }
    }
}

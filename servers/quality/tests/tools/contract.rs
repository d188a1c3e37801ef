//! What clients may rely on: answers and their schemas, in both eras and details, and bounds.

use serde_json::{Value, json};

use crate::support::{repository, structured, write};
use mcp_testing::client::{Process, stateless, text};
use mcp_testing::schema::hold_answer;

#[test]
fn answers_are_what_their_schemas_say_in_both_eras_and_details() {
    let place = repository();
    write(&place, "lcov.info", "SF:src/lib.rs\nDA:1,1\nDA:2,0\nBRDA:1,0,0,1\nend_of_record\n");
    write(&place, "pkg/bad.py", "x = eval('1')\n");
    let mut process = place.server(&[]);
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let tools = list["result"]["tools"].as_array().unwrap().clone();
    let schema = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap()["outputSchema"].clone();
    let mut sessionless = Process::start(&mut place.forgetful());
    for (name, arguments) in [
        ("metrics", json!({})),
        ("hotspots", json!({"days": 30})),
        ("lint", json!({})),
        ("duplicates", json!({"min_tokens": 30})),
        ("coverage", json!({"report": "lcov.info"})),
        ("coverage", json!({"report": "lcov.info", "base": "HEAD"})),
        ("select_tests", json!({})),
        ("gate", json!({"report": "lcov.info"})),
    ] {
        for detail in ["concise", "detailed"] {
            let mut arguments = arguments.clone();
            arguments["detail"] = detail.into();
            let answer = process.call(name, &arguments);
            hold_answer(&schema(name), structured(&answer), name);
            assert!(!text(&answer).is_empty(), "{answer}");
            let request = stateless(2, "tools/call", json!({"name": name, "arguments": arguments}));
            let other = sessionless.request(&request);
            hold_answer(&schema(name), structured(&other), name);
        }
    }
}

#[test]
fn bounds_hold() {
    let place = repository();
    for number in 0..200 {
        write(
            &place,
            &format!("many/file_{number}.py"),
            "def a_function_with_a_name(x):\n    return eval(x)\n",
        );
    }
    let mut process = place.server(&[]);
    for (tool, list) in [("metrics", "functions"), ("lint", "findings")] {
        let mut seen = 0;
        let mut arguments = json!({"max_tokens": 1_500, "limit": 1_000, "paths": ["many"]});
        loop {
            let answer = process.call(tool, &arguments);
            assert!(answer["result"].to_string().len() <= 4 * 1_500 + 100, "{answer}");
            let structured: &Value = structured(&answer);
            seen += structured[list].as_array().unwrap().len();
            match structured.get("next_cursor") {
                Some(cursor) => arguments["cursor"] = cursor.clone(),
                None => break,
            }
        }
        assert_eq!(seen, 200, "{tool}");
    }
}

//! A server over a directory of its own.

pub use mcp_testing::place::{Place, carrying, eventually, odd_seconds, refusal, structured};

use mcp_testing::client::Process;
use serde_json::{Value, json};

/// A place of its own for this server.
pub fn place() -> Place {
    Place::new(env!("CARGO_BIN_EXE_bash-god-mcp"))
}

/// Runs a command that a person has to agree to, and answers the question.
pub fn asked(process: &mut Process, arguments: &Value, action: &str) -> (Value, Value) {
    process.send(&mcp_testing::client::call(1, "command_run", arguments));
    let question = process.receive();
    assert_eq!(question["method"], "elicitation/create", "{question}");
    process
        .send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action, "content": {}}}));
    (question["params"].clone(), process.receive())
}

/// A policy that allows everything whose effects its text shows, and what is named.
pub fn allowing(place: &Place, programs: &[&str]) -> String {
    let names: Vec<String> = programs.iter().map(|name| format!("'{name}'")).collect();
    let text = format!(
        "[[rule]]\nname = 'test'\ndecision = 'allow'\nprogram = [{}]\nmatch = ['{} a']\nno_match = ['eval $X']\n",
        names.join(", "),
        programs[0]
    );
    let path = place.path("policy.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

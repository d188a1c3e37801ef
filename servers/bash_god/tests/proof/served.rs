//! The cases by way of the server, as a model would send them to a person who agrees to everything.

use std::fs;
use std::io::{self, Write};
use std::process::Command;

use mcp_testing::client::{Process, call, initialize};
use serde_json::{Value, json};

use crate::corpus::Case;
use crate::ground::PROJECT;
use crate::inside::{Finding, SCRATCH, Scene, TIME, View, say};
use crate::soak::POLICY;

/// Where the rules are.
const RULES: &str = "/run/policy.toml";

/// Every case in turn, each by a server of its own, which has ended when the canaries are looked at.
pub fn cases(cases: &[Case], out: &mut impl Write) -> io::Result<()> {
    let mut scene = Scene::make()?;
    fs::write(RULES, POLICY)?;
    for (number, case) in cases.iter().enumerate() {
        let mut process = server();
        let answer = agreed(&mut process, &case.command);
        process.close();
        if case.later() {
            std::thread::sleep(TIME);
        }
        let text = answer.to_string();
        let effects = scene.effects(View::Served, &[text.as_bytes()])?;
        say(out, &Finding { case: number, view: View::Served, end: ended(&answer), effects })?;
    }
    Ok(())
}

fn server() -> Process {
    let mut command = Command::new("/given/bash-god-mcp");
    command.args(["--root", PROJECT, "--state", "none", "--policy", RULES, "--run-without", "process-limit"]);
    command.env("TMPDIR", SCRATCH);
    let mut process = Process::start(&mut command);
    process.request(&initialize());
    process.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    process
}

/// The answer to a command; whatever the server asks before, somebody agrees to.
fn agreed(process: &mut Process, command: &str) -> Value {
    let arguments = json!({"command": command, "profile": "workspace", "timeout_s": TIME.as_secs_f64()});
    process.send(&call(1, "command_run", &arguments));
    loop {
        let message = process.receive();
        if message["method"] == "elicitation/create" {
            let yes = json!({"action": "accept", "content": {}});
            process.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": yes}));
        } else if message["id"] == 1 && message.get("method").is_none() {
            return message;
        }
    }
}

/// How it ended: the words of the sandbox, or that the server refused it.
fn ended(answer: &Value) -> String {
    let status = &answer["result"]["structuredContent"]["status"];
    match status.as_str() {
        Some("exited") => "Exited",
        Some("timed_out") => "TimedOut",
        Some("limits") => "Limits",
        Some(other) => other,
        None => "refused",
    }
    .to_owned()
}

//! Commands that try to do harm by what they are, whatever the policy says: with everything allowed.

use serde_json::{Value, json};

use crate::support::{carrying, eventually, odd_seconds, place, structured};
use mcp_testing::client::{Process, call};
use mcp_testing::place::kibibytes;

/// Runs a script in a place where a person agrees to everything.
fn agreed(process: &mut Process, script: &str, more: &[(&str, Value)]) -> Value {
    let mut arguments = json!({"command": script});
    for (name, value) in more {
        arguments[*name] = value.clone();
    }
    process.send(&call(1, "command_run", &arguments));
    let mut first = process.receive();
    if first["method"] == "elicitation/create" {
        let yes = json!({"jsonrpc": "2.0", "id": first["id"], "result": {"action": "accept", "content": {}}});
        process.send(&yes);
        first = process.receive();
    }
    structured(&first).clone()
}

#[test]
fn a_command_that_forks_without_end_is_bounded_and_gone() {
    let place = place();
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    // The known one-liner is denied; this one does the same.
    let script = format!("while true; do sleep {seconds} & done");
    let run = agreed(&mut process, &script, &[("timeout_s", json!(3))]);
    assert_ne!(run["exit_code"], 0, "{}", run["status"]);
    eventually("all of them are gone", || carrying(&seconds).is_empty());
    assert_eq!(agreed(&mut process, "echo alive", &[])["stdout"], "alive\n");
}

#[test]
fn a_gigabyte_of_output_costs_no_memory() {
    let place = place();
    let mut process = place.server(&[]);
    let run = agreed(&mut process, "yes 0123456789abcde | head -c 1000000000", &[("timeout_s", json!(120))]);
    assert_eq!((&run["exit_code"], &run["truncated"]), (&json!(0), &json!(true)), "{}", run["status"]);
    let peak = kibibytes(process.child.id(), "VmHWM");
    assert!(peak < 100_000, "{peak} KiB");
    let tail = process.call("run_output", &json!({"handle": run["handle"], "action": "tail", "lines": 2}));
    let tail = structured(&tail);
    assert_eq!(tail["total_bytes"], 1_000_000_000);
    assert!(tail["dropped_bytes"].as_u64().unwrap() > 900_000_000, "{tail}");
    // From the start to the gap, and on behind it.
    let mut arguments = json!({"handle": run["handle"], "lines": 10_000});
    let mut seen = 0;
    loop {
        let answer = process.call("run_output", &arguments);
        let page = structured(&answer);
        seen += page["text"].as_str().unwrap().len();
        if page["next_cursor"].is_null() {
            break;
        }
        arguments["cursor"] = page["next_cursor"].clone();
    }
    assert_eq!(seen, 1 << 20);
}

#[test]
fn binary_output_is_told_and_not_shown() {
    let place = place();
    let mut process = place.server(&[]);
    let run = agreed(&mut process, "head -c 3000 /dev/zero", &[]);
    assert_eq!(run["stdout"], "[binary output, 3000 bytes]");
}

#[test]
fn what_terminals_act_on_is_taken_out() {
    let place = place();
    let mut process = place.server(&[]);
    let script = r"printf '\033[31mred\033[0m \033]0;title\007x\r\n\xe2\x80\xaetxt.exe'";
    let run = agreed(&mut process, script, &[]);
    assert_eq!(run["stdout"], "red x\ntxt.exe");
}

#[test]
fn a_program_that_wants_a_terminal_ends() {
    let place = place();
    let mut process = place.server(&[]);
    for script in
        ["read -r -p 'password: ' x; echo \"got <$x>\"", "cat; echo done", "exec 3<>/dev/tty; echo $?"]
    {
        let run = agreed(&mut process, script, &[("timeout_s", json!(30))]);
        assert_eq!(run["status"], "exited", "{script}: {run}");
    }
}

#[test]
fn a_confirmed_command_still_reaches_nothing_outside() {
    let place = place();
    let mut process = place.server(&[]);
    let outside = place.path("outside");
    let outside = outside.display();
    for script in [
        format!("rm -rf {outside}; rm -rf {outside}/*"),
        format!("echo gone > {outside}/secret"),
        format!("cd / && find {outside} -delete"),
        format!("ln -s {outside} link && rm -rf link/ link/secret"),
        format!("python3 -c \"import shutil; shutil.rmtree('{outside}')\""),
        format!("chmod 0 {outside}/secret; mv {outside} {outside}2"),
    ] {
        agreed(&mut process, &script, &[("profile", json!("workspace+net"))]);
        assert_eq!(place.text("outside/secret"), "canary", "{script}");
    }
}

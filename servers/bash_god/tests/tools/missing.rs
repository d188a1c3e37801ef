//! A host that lacks a layer of protection: nothing is run, unless the server was started to run without it.

use std::path::Path;

use bash_god::policy::Policy;
use bash_god::server::{ABOUT, offer};
use mcp_runs::options::{LayerName, SandboxFlags, Settings};
use mcp_sandbox::{Capabilities, Helper, offered_by};
use mcp_server::server::Server;
use serde_json::{Value, json};

use crate::support::{Place, place, refusal, structured};

const HELPER: &str = env!("CARGO_BIN_EXE_bash-god-mcp");

/// A server in this process, on a host that offers `capabilities`.
fn server(place: &Place, capabilities: Capabilities, run_without: Vec<LayerName>) -> Server {
    let settings = Settings {
        roots: vec![place.path("root")],
        state: Some(place.path("state")),
        read_only: false,
        sandbox: SandboxFlags { run_without, ..SandboxFlags::default() },
        helper: Some(Helper { program: HELPER.into(), arguments: Vec::new() }),
        capabilities: Some(capabilities),
    };
    offer(Server::builder(ABOUT), settings, Policy::built_in().clone()).unwrap().build().unwrap()
}

fn call(server: &Server, name: &str, arguments: Value) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(server.call_tool(name, arguments)).unwrap();
    json!({"result": result})
}

fn host() -> Capabilities {
    offered_by(Path::new(HELPER)).unwrap()
}

#[test]
fn without_landlock_nothing_is_run_and_the_layer_is_named() {
    let place = place();
    let server = server(&place, Capabilities { landlock_abi: 0, ..host() }, Vec::new());
    for arguments in
        [json!({"argv": ["wc", "-l", "a.txt"]}), json!({"command": "echo x", "background": true})]
    {
        let answer = call(&server, "command_run", arguments);
        let sentence = refusal(&answer);
        assert!(sentence.contains("this host offers no Landlock (files)"), "{sentence}");
    }
    // What runs nothing goes on, and the state of the sandbox is reported.
    assert_eq!(structured(&call(&server, "command_analyze", json!({"command": "ls"})))["decision"], "allow");
    let answer = call(&server, "system_info", json!({}));
    assert_eq!(structured(&answer)["sandbox"]["ready"], false, "{answer}");
    assert!(place.audit().iter().all(|line| line["event"] != "end"), "{:?}", place.audit());
}

#[test]
fn with_the_explicit_flag_it_runs_and_says_what_is_missing() {
    let place = place();
    let without = vec![LayerName::Landlock, LayerName::Signals];
    let server = server(&place, Capabilities { landlock_abi: 0, ..host() }, without);
    let answer = call(&server, "command_run", json!({"argv": ["wc", "-l", "a.txt"]}));
    let run = structured(&answer);
    assert_eq!(run["stdout"], "3 a.txt\n");
    assert!(run["notices"][0].as_str().unwrap().contains("run without Landlock (files)"), "{run}");
}

#[test]
fn calls_in_process_give_the_answers_of_stdio() {
    let place = place();
    let server = server(&place, host(), Vec::new());
    let mut process = mcp_testing::client::Process::start(&mut place.forgetful());
    process.open();
    for (name, arguments) in [
        ("command_analyze", json!({"command": "git log | head > out", "detail": "detailed"})),
        ("command_optimize", json!({"command": "sort a.txt | uniq"})),
        ("command_suggest", json!({"task": "count the lines of a.txt"})),
        ("command_run", json!({"command": "rm a.txt", "dry_run": true})),
        ("command_run", json!({})),
    ] {
        assert_eq!(
            call(&server, name, arguments.clone())["result"],
            process.call(name, &arguments)["result"]
        );
    }
}

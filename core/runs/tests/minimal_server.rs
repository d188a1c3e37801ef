//! The proof that a server is little more than its domain: `examples/minimal_server.rs` is one whole file, holds what
//! every server has to hold, runs programs by handle, and remembers them.

use mcp_testing::place::{Place, carrying, eventually, odd_seconds, refusal, structured};
use mcp_testing::protocol::Served;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_minimal-server");

const SERVED: Served = Served {
    program: PROGRAM,
    name: "minimal-server",
    title: "Minimal server",
    tools: &["run", "run_output"],
    toolsets: &[],
    help: &["--run-without", "--programs", "--also-read", "export", "import"],
    facts: &["Landlock", "seccomp", "namespaces"],
    calls: |tool| if tool == "run" { 35 } else { 60 },
    // Words of chance may be words of a program.
    tame: |tool, arguments| {
        if tool == "run" {
            arguments["argv"] = json!(["true"]);
        }
    },
};

mcp_testing::protocol_tests!(SERVED);

/// The most lines of a server's glue; here that is the whole server.
const MOST_LINES: usize = 300;

#[test]
fn it_is_short_and_whole() {
    let lines = include_str!("../examples/minimal_server.rs").lines().count();
    assert!(lines < MOST_LINES, "{lines} lines");
}

#[test]
fn a_program_is_run_and_remembered() {
    let place = Place::new(PROGRAM);
    let mut process = place.server(&[]);
    let run = process.call("run", &json!({"argv": ["wc", "-l", "a.txt"]}));
    let run = structured(&run);
    assert_eq!(
        (&run["stdout"], &run["exit_code"], &run["status"]),
        (&json!("3 a.txt\n"), &json!(0), &json!("exited"))
    );
    assert!(run.get("handle").is_none() && run.get("notices").is_none(), "{run}");
    let failed = process.call("run", &json!({"argv": ["cat", "none", "--token=hunter2"]}));
    assert_ne!(structured(&failed)["exit_code"], 0);
    assert!(refusal(&process.call("run", &json!({"argv": ["-rf"]}))).contains("begins with a program"));
    process.close();
    let output = place.command().arg("export").output().unwrap();
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], json!({"format": "minimal-server ran", "version": 1}));
    assert_eq!((&lines[1]["line"], &lines[1]["exit_code"]), (&json!("wc -l a.txt"), &json!(0)));
    assert_eq!(lines[2]["line"], "cat none '--token=***'");
    let audit = place.audit();
    let events: Vec<&Value> = audit.iter().map(|line| &line["event"]).collect();
    assert_eq!(events, ["start", "end", "start", "end"], "{audit:?}");
    assert!(!place.text("state/audit.jsonl").contains("hunter2"));
}

#[test]
fn a_run_in_the_background_is_read_and_killed_by_its_handle() {
    let place = Place::new(PROGRAM);
    let mut process = place.server(&[]);
    let seconds = odd_seconds();
    let started = process.call("run", &json!({"argv": ["sleep", seconds], "background": true}));
    let handle = structured(&started)["handle"].clone();
    eventually("it runs", || !carrying(&seconds).is_empty());
    let look = process.call("run_output", &json!({"handle": handle}));
    assert_eq!(structured(&look)["status"], "running");
    let killed = process.call("run_output", &json!({"handle": handle, "action": "kill"}));
    assert_eq!(structured(&killed)["status"], "cancelled");
    assert!(carrying(&seconds).is_empty());
}

#[test]
fn nothing_is_written_and_nothing_outside_is_read() {
    let place = Place::new(PROGRAM);
    let mut process = place.server(&[]);
    let outside = place.path("outside/secret").display().to_string();
    for argv in [vec!["touch", "new"], vec!["cat", &outside]] {
        let answer = process.call("run", &json!({"argv": argv}));
        assert_ne!(structured(&answer)["exit_code"], 0, "{argv:?}");
        assert!(!answer.to_string().contains("canary"));
    }
    assert!(!place.path("root/new").exists());
}

#[test]
fn state_below_a_root_is_pointed_out() {
    let place = Place::new(PROGRAM);
    let told = |state: &str| {
        let output = place.bare().arg("--state").arg(place.path(state)).arg("doctor").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(told("root/sub").contains("where commands can change it"), "{}", told("root/sub"));
    assert!(!told("state").contains("where commands can change it"));
}

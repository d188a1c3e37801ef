//! How the server starts, and what it says when it does not.

use serde_json::json;

use crate::support::{Place, refusal, structured};
use mcp_testing::client::{Process, text};

/// Starts the server with arguments that it does not take: its exit code and what it says.
fn refused(place: &Place, arguments: &[&str]) -> (i32, String) {
    let output = place.bare().args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.stdout.is_empty(), "stdout belongs to the protocol");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_policy_that_is_wrong_is_told_with_its_place() {
    let place = Place::new();
    let policy = place.path("policy.toml");
    let shown = policy.display().to_string();
    for (text, at, part) in [
        ("[[rule]\n", "1:", ""),
        ("[[rule]]\nname = 'x'\ndecision = 'maybe'\n", "3:12", "maybe"),
        (
            "[[rule]]\nname = 'x'\ndecision = 'deny'\nprogram = ['rm']\nmatch = ['rm a', 'ls']\nno_match = ['ls']\n",
            "5:18",
            "does not match `ls`",
        ),
        (
            "[[rule]]\nname = 'x'\ndecision = 'allow'\nprogram = ['rm']\nmatch = ['rm a']\nno_match = ['rm b']\n",
            "6:13",
            "matches `rm b`",
        ),
    ] {
        std::fs::write(&policy, text).unwrap();
        let (code, error) = refused(&place, &["--policy", &shown]);
        assert_eq!(code, 2, "{error}");
        assert!(error.contains(&format!("{shown}:{at}")) && error.contains(part), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let (code, error) = refused(&place, &["--policy", "/none/policy.toml"]);
    assert!(code == 2 && error.contains("/none/policy.toml cannot be read"), "{error}");
}

#[test]
fn roots_and_state_that_cannot_be_used_are_told() {
    let place = Place::new();
    let file = place.path("root/a.txt").display().to_string();
    for (arguments, part) in [
        (["--root", "/none"], "the root /none cannot be used"),
        (["--root", &file], "not a directory"),
        (["--root", "/"], "cannot be a root"),
        (["--programs", "/none"], "/none"),
        (["--state", "/proc/none"], "choose another with --state"),
        (["--toolset", "none"], "there is no toolset `none`; there are history, look, run"),
        (["--run-without", "none"], "landlock"),
    ] {
        let (code, error) = refused(&place, &arguments);
        assert!(code == 2 && error.contains(part), "{arguments:?}: {code} {error}");
    }
}

#[test]
fn toolsets_show_a_part_of_the_tools() {
    let place = Place::new();
    let mut process = place.server(&["--toolset", "look,history"]);
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let names: Vec<&str> = list["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    let expected = ["command_analyze", "command_suggest", "command_optimize", "history", "system_info"];
    assert_eq!(names, expected);
}

#[test]
fn help_version_and_doctor_say_what_there_is() {
    let place = Place::new();
    let told = |argument: &str| {
        let output = place.command().arg(argument).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let help = told("--help");
    for option in
        ["--root", "--state", "--read-only", "--toolset", "--http", "--policy", "--run-without", "doctor"]
    {
        assert!(help.contains(option), "{option} in {help}");
    }
    assert_eq!(told("--version"), format!("bash-god-mcp {}\n", env!("CARGO_PKG_VERSION")));
    let facts = told("doctor");
    for fact in ["Landlock", "seccomp", "namespaces", "bash", "policy", "state"] {
        assert!(facts.contains(fact), "{fact} in {facts}");
    }
}

#[test]
fn the_fixture_mode_serves_the_reference_tools() {
    let place = Place::new();
    let mut process = place.server(&["--fixture"]);
    let list = process.request(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let names: Vec<_> =
        list["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["echo", "stats"]);
    assert_eq!(text(&process.call("echo", &json!({"text": "a"}))), "a");
}

#[test]
fn further_programs_are_found_and_run() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let folder = place.path("programs");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("my-program");
    std::fs::write(&program, "#!/bin/sh\necho mine\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let policy = crate::support::allowing(&place, &["my-program"]);
    let run = json!({"argv": ["my-program", "a"]});
    let mut without = place.server(&["--policy", &policy]);
    assert!(refusal(&without.call("command_run", &run)).contains("cannot be run"));
    let mut with = Process::start(place.command().args(["--policy", &policy, "--programs"]).arg(&folder));
    with.open();
    assert_eq!(structured(&with.call("command_run", &run))["stdout"], "mine\n");
    let answer = with.call("system_info", &json!({"programs": ["my-program"]}));
    assert_eq!(structured(&answer)["programs"]["my-program"], program.display().to_string());
}

#[test]
fn a_server_at_rest_is_small() {
    let place = Place::new();
    let mut process = place.server(&[]);
    structured(&process.call("command_analyze", &json!({"command": "ls"})));
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let rss: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next())
        .unwrap()
        .parse()
        .unwrap();
    // What is handed out may take 20 MiB; a build without optimisation has several times as much code.
    let most = if cfg!(debug_assertions) { 32 } else { 20 };
    assert!(rss <= most << 10, "{rss} KiB");
}

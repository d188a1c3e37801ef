//! How the server starts, and what it says when it does not.

use serde_json::json;

use crate::support::{Place, place, refusal, structured};
use mcp_testing::client::Process;
use mcp_testing::place::kibibytes;
use mcp_testing::protocol::MOST_MEMORY;

/// Starts the server with arguments that it does not take: its exit code and what it says.
fn refused(place: &Place, arguments: &[&str]) -> (i32, String) {
    let output = place.bare().args(arguments).stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.stdout.is_empty(), "stdout belongs to the protocol");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_policy_that_is_wrong_is_told_with_its_place() {
    let place = place();
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
fn directories_that_the_sandbox_cannot_use_are_named() {
    let place = place();
    for (arguments, part) in [
        (["--root", "/"], "cannot be a root"),
        (["--programs", "/none"], "/none"),
        (["--also-read", "/none"], "/none"),
        (["--run-without", "none"], "landlock"),
    ] {
        let (code, error) = refused(&place, &arguments);
        assert!(code == 2 && error.contains(part), "{arguments:?}: {code} {error}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = place().command().arg("--version").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    assert!(version.starts_with(&format!("bash-god-mcp {} (", env!("CARGO_PKG_VERSION"))), "{version}");
}

#[test]
fn further_programs_are_found_and_run() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
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
fn a_server_that_has_analysed_is_small() {
    let place = place();
    let mut process = place.server(&[]);
    structured(&process.call("command_analyze", &json!({"command": "ls"})));
    // With both parsers loaded.
    let held = kibibytes(process.child.id(), "VmRSS");
    assert!(held <= MOST_MEMORY, "{held} KiB");
}

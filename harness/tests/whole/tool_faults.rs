//! Servers that go wrong: each is caught by name, what was finished is kept, and nothing is left running.

use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::lab::{alone, command, only_folder, root};
use crate::processes::{all, running_below, signal};
use crate::tool_server::{Run, program};

const OPTIONS: [&str; 9] =
    ["--no-floors", "--launches", "1", "--duration", "700ms", "--warm-up", "0", "--patience", "700ms"];

/// The fault of a mode, and what its sentence begins with.
fn fault(mode: &[&str], more: &[&str]) -> (Run, String, String) {
    let run = Run::of(1, &[&OPTIONS[..], more].concat(), mode);
    let (name, says) = run.fault();
    (run, name, says)
}

#[test]
fn each_fault_is_caught_by_name_and_in_a_sentence() {
    for (mode, more, name, words) in [
        ("drop", &[][..], "dropped", "the server drops requests: number "),
        ("drop", &["--in-flight", "8"], "dropped", "the server drops requests: number "),
        ("silent", &[], "silent", "the server never answers: tools/call echo got no answer within 700 ms"),
        ("mute", &[], "silent", "the server never answers: initialize got no answer within 2100 ms"),
        ("duplicate", &[], "duplicate", "the server answers twice: a second answer came to request "),
        (
            "misnumber",
            &[],
            "unknown_id",
            "the server mis-numbers its answers: one came with the id 900000001",
        ),
        (
            "garbage",
            &[],
            "garbage",
            "the server wrote a line to stdout that is not a JSON-RPC message (“DEBUG: ",
        ),
        ("long", &[], "long_line", "the server wrote a message of more than 16777216 bytes without an end"),
        (
            "schema",
            &["--tool", "stats"],
            "schema",
            "the answer of stats breaks the tool's own output schema: `sum` is required",
        ),
        (
            "shape",
            &[],
            "malformed",
            "the server's answer to tools/call echo is not valid: it has no list “content”",
        ),
        ("errors", &[], "tool_error", "echo answers with an error: the database is gone"),
        (
            "needs",
            &[],
            "tool_error",
            "echo answers with an error: the argument token is missing; give it arguments",
        ),
        ("refuse", &[], "refused", "the server refuses tools/call echo: internal error (error -32603)"),
        (
            "elicit",
            &[],
            "asks_for_input",
            "the server asks for input (elicitation/create), and nobody is here",
        ),
        (
            "elicit",
            &["--era", "2025-11-25"],
            "asks_for_input",
            "the server asks for input (elicitation/create)",
        ),
        ("exit", &[], "exited", "the server ended in mid-run (exit code 3); it said: out of memory"),
    ] {
        let (_, found, says) = fault(&[mode], more);
        assert_eq!(found, name, "{mode}: {says}");
        assert!(says.starts_with(words), "{mode}: {says}");
    }
}

#[test]
fn what_was_measured_before_is_kept() {
    for mode in ["exit", "garbage", "drop", "misnumber"] {
        let (run, _, _) = fault(&[mode], &[]);
        assert_eq!(run.says()["state"], "failed");
        let series = run.series("server");
        assert!(series["response"]["count"].as_u64() >= Some(90), "{mode}: {:#}", series["response"]);
        assert!(run.record().join("latency/server-same-response.hlog").is_file());
        assert!(run.record().join("charts/percentiles.svg").is_file());
    }
}

#[test]
fn swapped_ids_are_a_wrong_answer_and_another_order_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.toml");
    let calls = "[[call]]\ntool = \"echo\"\narguments = { text = \"call {n}.\" }\nexpect = \"call {n}.\"\n";
    std::fs::write(&file, calls).unwrap();
    let more = ["--in-flight", "8", "--calls", file.to_str().unwrap()];
    let swapped = Run::of(1, &[&OPTIONS[..], &["--era", "2025-11-25"], &more].concat(), &["swap"]);
    assert_eq!(swapped.fault().0, "wrong_answer", "{}", swapped.fault().1);
    let reordered = Run::of(0, &[&OPTIONS[..], &more].concat(), &["reorder"]);
    let says = reordered.says();
    assert!(says["series"][0]["out_of_order"].as_u64() > Some(10), "{says:#}");
    let notes = says["notes"].to_string();
    assert!(notes.contains("answers out of order, which JSON-RPC allows"), "{notes}");
}

#[test]
fn a_flood_on_stderr_is_read_and_told() {
    let run = Run::of(0, &OPTIONS, &["flood"]);
    let notes = run.says()["notes"].to_string();
    assert!(notes.contains("writes much to stderr ("), "{notes}");
    assert!(run.series("server")["response"]["count"].as_u64() > Some(10));
}

/// Starts a long run, and waits until its server has been at work for a while.
fn at_work(out: &Path) -> Child {
    let server = program("tool-server");
    let mut command = command(&root());
    command.args(["mcp", "--no-floors", "--launches", "40", "--duration", "200ms", "--out"]).arg(out);
    command.args(["--", &server, "plain"]).stdout(Stdio::null()).stderr(Stdio::null());
    let lab = command.spawn().unwrap();
    let start = Instant::now();
    while !all().iter().any(|process| process.executable == server) {
        assert!(start.elapsed() < Duration::from_secs(60), "the server did not start");
        sleep(Duration::from_millis(2));
    }
    sleep(Duration::from_millis(900));
    lab
}

#[test]
fn a_killed_lab_takes_its_server_with_it() {
    let _alone = alone();
    let out = tempfile::tempdir().unwrap();
    let mut lab = at_work(out.path());
    lab.kill().unwrap();
    lab.wait().unwrap();
    let server = program("tool-server");
    assert_eq!(running_below(Path::new(&server)), [""; 0]);
}

#[test]
fn an_interrupt_keeps_what_was_finished() {
    let _alone = alone();
    let out = tempfile::tempdir().unwrap();
    let mut lab = at_work(out.path());
    assert!(signal(i32::try_from(lab.id()).unwrap(), "INT"));
    assert_eq!(lab.wait().unwrap().code(), Some(130));
    let server = program("tool-server");
    assert_eq!(running_below(Path::new(&server)), [""; 0]);
    let text = std::fs::read_to_string(only_folder(out.path()).join("latency.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["state"], "stopped");
    assert!(!file["series"][0]["launches"].as_array().unwrap().is_empty());
}

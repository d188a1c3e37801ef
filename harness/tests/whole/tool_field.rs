//! Several servers side by side, and servers as arms of a suite.

use std::fs;

use crate::lab::{Record, alone, lab, stderr, stdout};
use crate::tool_server::{Run, at, program};

const SHORT: [&str; 6] = ["--launches", "2", "--duration", "60ms", "--warm-up", "10"];

/// The file of a field of fixture servers, and its directory.
fn field(servers: &[(&str, &[&str])], more: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "name = \"fixtures\"\n".to_owned();
    for (name, command) in servers {
        text += &format!("[[server]]\nname = \"{name}\"\ncommand = {command:?}\n");
    }
    text += more;
    text += "[[load]]\nname = \"echo\"\n[[load.call]]\ntool = \"echo\"\narguments = { text = \"{payload:64}\" }\n\
             expect = \"{payload:64}\"\n\
             [[load]]\nname = \"many\"\nin_flight = 16\n[[load.call]]\ntool = \"echo\"\n\
             arguments = { text = \"{payload:64}\" }\n";
    let file = folder.path().join("field.toml");
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    (folder, file)
}

#[test]
fn a_field_is_measured_compared_and_spliced() {
    let (server, null) = (program("tool-server"), program("null-server"));
    let timed =
        format!("[[server]]\nname = \"timed\"\ncommand = [{null:?}, \"--in-process\"]\nin_process = true\n");
    let web = format!(
        "[[server]]\nname = \"web\"\ncommand = [{server:?}, \"plain\", \"--http\", \"{{port}}\"]\n\
         http = \"http://127.0.0.1:{{port}}/mcp\"\n"
    );
    let servers: [(&str, &[&str]); 3] =
        [("plain", &[&server]), ("slow", &[&server, "slow", "2000"]), ("gone", &["/no/such/server"])];
    let (folder, file) = field(&servers, &(timed + &web));
    let run = Run::field(0, &file, &[&SHORT[..], &["--floor-server", &null]].concat());
    let says = run.says();
    let found = |member: &str, label: &str| {
        let all = says["series"].as_array().unwrap();
        all.iter().find(|series| series["member"] == member && series["label"] == label).cloned()
    };
    for member in ["server", "control", "peer_1", "peer_4", "null_server", "null_http"] {
        let series = found(member, "many").unwrap_or_else(|| panic!("no {member}"));
        assert_eq!(series["launches"].as_array().unwrap().len(), 2, "{member}");
    }
    for member in ["peer_3", "in_process", "pipe"] {
        assert!(found(member, "echo").is_some() && found(member, "many").is_none(), "{member}");
    }
    let p50 = |member: &str| at(&found(member, "echo").unwrap()["response"], 0.5);
    assert!(p50("peer_1") > 1_500_000 && p50("in_process") < p50("null_server"));
    assert!(says["notes"][0].as_str().unwrap().starts_with("gone was not measured: there is no program"));
    let versus = says["versus"].as_array().unwrap();
    let row = versus.iter().find(|row| row["member"] == "peer_1" && row["label"] == "echo").unwrap();
    assert!(row["rows"][0]["ratio"].as_f64() > Some(3.0), "{row:#}");
    assert!(run.record().join("charts/servers.svg").is_file());
    drop(folder);
    spliced(&run);
}

/// The record in a document, and what a check says of it.
fn spliced(run: &Run) {
    let record = run.record();
    let document = record.with_file_name("doc.md");
    fs::write(&document, "# A\n<!-- perflab:begin fixtures -->\n<!-- perflab:end fixtures -->\n").unwrap();
    let (record, document) = (record.display().to_string(), document.display().to_string());
    lab(0, &["report", &record, "--splice", &document]);
    let text = fs::read_to_string(&document).unwrap();
    for words in ["| server | echo p50 |", "| plain (A/A) |", "| in process |", "charts/servers.svg"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(stdout(&lab(0, &["report", &record, "--check", &document])).contains("says what"));
    fs::write(&document, text.replace("| plain |", "| plane |")).unwrap();
    assert!(stdout(&lab(1, &["report", &record, "--check", &document])).contains("differs from"));
}

#[test]
fn a_server_that_fails_is_named_and_the_others_go_on() {
    let server = program("tool-server");
    let servers: [(&str, &[&str]); 3] =
        [("plain", &[&server]), ("exits", &[&server, "exit", "200"]), ("wrong", &[&server, "shape"])];
    let (_folder, file) = field(&servers, "");
    let run = Run::alone(1, &[&SHORT[..], &["--no-floors", "--servers", &file]].concat());
    assert!(stderr(&run.output).contains("note: mcp --servers FILE is now mcp field FILE"));
    let says = run.says();
    let mut faults: Vec<&str> =
        says["faults"].as_array().unwrap().iter().map(|fault| fault["kind"].as_str().unwrap()).collect();
    faults.sort_unstable();
    assert_eq!(faults, ["exited", "malformed"]);
    assert_eq!(run.series("server")["launches"].as_array().unwrap().len(), 2);
    assert_eq!(run.series("control")["launches"].as_array().unwrap().len(), 2);
    let (_folder, file) = field(&[("wrong", &[&server, "shape"]), ("plain", &[&server])], "");
    // The second copy of the first server fails as it does, and which of them starts first is random.
    let says = Run::alone(1, &["--no-floors", "--servers", &file]).says();
    let faults = says["faults"].as_array().unwrap();
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault["kind"] == "malformed"), "{faults:#?}");
}

#[test]
fn what_is_wrong_with_a_field_is_said_with_its_place() {
    let (_folder, file) = field(&[("a", &["a"]), ("a", &["b"])], "");
    let said = stderr(&Run::alone(2, &["--servers", &file]).output);
    assert!(said.contains("two servers are called a"), "{said}");
    assert!(stderr(&lab(2, &["mcp"])).contains("required"), "a command or a file is needed");
}

#[test]
fn servers_are_arms_of_a_suite() {
    let _alone = alone();
    let record = Record::of(1, "tool_call", &[]);
    // The twin has the same code and the same arguments; `slower` has the same code and others.
    assert_eq!(record.facts("twin")["identical_to"], "server");
    assert_eq!(record.facts("slower")["identical_to"], serde_json::Value::Null);
    let ratio = |benchmark: &str| record.row(benchmark, "slower")["estimate"]["ratio"].as_f64().unwrap();
    // Twice the work at every percentile, and the way to the server beside it.
    assert!((1.2..2.1).contains(&ratio("echo")), "{:#}", record.row("echo", "slower"));
    assert!((1.2..2.6).contains(&ratio("echo/p99")), "{:#}", record.row("echo/p99", "slower"));
    let row = record.row("echo/p99", "server (A/A)");
    assert!(row["baseline_value"].as_f64() > Some(60_000.0), "p99 of 40 µs on average: {row:#}");
    assert_eq!(record.says["judgement"]["claims"][0]["answer"], "negative");
    let failures = record.failures();
    assert!(
        failures.iter().all(|failure| failure.starts_with("broken")) && !failures.is_empty(),
        "{failures:?}"
    );
    let file = record.file();
    let said = |failure: &serde_json::Value| failure["reason"]["stderr"].as_str().unwrap_or("").to_owned();
    let said: String = file["failures"].as_array().unwrap().iter().map(said).collect();
    assert!(said.contains("the answer of stats breaks the tool's own output schema"), "{said}");
    assert!(file["launches"][0]["arms"][0]["layout"].is_number(), "{:#}", file["launches"][0]);
}

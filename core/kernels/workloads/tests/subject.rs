//! The executable as the lab meets it: every benchmark gives its answers over the protocol.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use perflab_subject::protocol::{Counted, Listing, PROTOCOL_VERSION, Prepared, Request};
use serde::de::DeserializeOwned;

/// Starts the subject, sends `requests`, and returns a line for each.
fn converse(requests: &[Request]) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_perflab-workloads"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the subject starts");
    let mut input = child.stdin.take().expect("stdin is a pipe");
    for request in requests {
        let line = serde_json::to_string(request).expect("a request can be written");
        writeln!(input, "{line}").expect("the subject reads");
    }
    drop(input);
    let output = child.wait_with_output().expect("the subject ends");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("answers are text");
    text.lines().map(str::to_owned).collect()
}

fn read<T: DeserializeOwned>(line: &str) -> T {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn listing() -> Listing {
    let listing: Listing = read(&converse(&[Request::List])[0]);
    assert_eq!(listing.protocol, PROTOCOL_VERSION);
    listing
}

#[test]
fn every_benchmark_gives_its_answers() {
    let benchmarks = listing().benchmarks;
    assert!(benchmarks.len() >= 16, "{} benchmarks", benchmarks.len());
    let requests: Vec<Request> = benchmarks
        .iter()
        .flat_map(|info| {
            [
                Request::Prepare { benchmark: info.name.clone() },
                Request::Count { benchmark: info.name.clone() },
            ]
        })
        .collect();
    let answers = converse(&requests);
    assert_eq!(answers.len(), requests.len());
    for (info, lines) in benchmarks.iter().zip(answers.chunks(2)) {
        let prepared: Prepared = read(&lines[0]);
        let counted: Counted = read(&lines[1]);
        assert_eq!(prepared.checksum, info.answer, "{}", info.name);
        assert_eq!(counted.checksum, info.count_answer, "{} on the count input", info.name);
    }
}

#[test]
fn names_are_unique_and_say_module_and_form() {
    let benchmarks = listing().benchmarks;
    let names: BTreeSet<&str> = benchmarks.iter().map(|info| info.name.as_str()).collect();
    assert_eq!(names.len(), benchmarks.len());
    for info in &benchmarks {
        let (module, _form) = info.name.split_once('/').unwrap();
        let path = format!("mcp_kernels::{module}");
        assert!(info.code[0].starts_with(&path), "{} names {:?}", info.name, info.code);
    }
}

#[test]
fn only_the_large_table_takes_longer_than_a_slice() {
    let benchmarks = listing().benchmarks;
    let long = benchmarks.iter().filter(|info| info.long).map(|info| info.name.as_str());
    assert_eq!(long.collect::<Vec<_>>(), ["cosine/top_k_10k"]);
}

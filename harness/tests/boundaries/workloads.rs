//! A new kind of workload touches few files: nothing else asks which kind it is, but what is known of it.

use std::collections::BTreeSet;

use crate::modules::{code_of, harness};

/// The modules that know workloads, or what was made of them.
const MODULES: [&str; 10] =
    ["plan", "build", "measure", "record", "analyse", "judge", "rows", "report", "experiment", "cli"];

/// The files that may name kinds. A new kind is a variant with its data and traits in the first, its keys in the
/// second, a file of its own in `experiment`, and the place there that starts it: four files.
const OF_ALL_KINDS: [&str; 3] = [
    "plan/workload.rs",
    "plan/arm_table.rs",
    // The schema is closed: no kind is added to it.
    "record/schema1.rs",
];

/// The files that are about one kind, and name no other.
const OF_ONE_KIND: [(&str, &str); 3] = [
    ("experiment/builds.rs", "Build"),
    ("experiment/commands.rs", "Command"),
    ("experiment/tool_calls.rs", "ToolCall"),
];

/// The kinds that a text names.
fn kinds(code: &str) -> BTreeSet<String> {
    let named = |prefix: &'static str| {
        code.match_indices(prefix).map(move |(at, _)| {
            code[at + prefix.len()..].chars().take_while(|c| c.is_alphanumeric()).collect::<String>()
        })
    };
    let all = named("Workload::").chain(named("WorkloadKind::"));
    all.filter(|name| name.starts_with(char::is_uppercase)).collect()
}

/// What is wrong with one file.
fn fault(file: &str, code: &str) -> Option<String> {
    if OF_ALL_KINDS.contains(&file) {
        return None;
    }
    let own = OF_ONE_KIND.iter().find(|(owner, _)| *owner == file).map(|(_, kind)| *kind);
    let foreign: Vec<String> = kinds(code).into_iter().filter(|kind| Some(kind.as_str()) != own).collect();
    (!foreign.is_empty())
        .then(|| format!("{file} names the kinds {}: ask WorkloadKind::traits instead", foreign.join(", ")))
}

#[test]
fn few_files_know_which_kinds_of_workload_there_are() {
    let mut found = Vec::new();
    for module in MODULES {
        for (path, code) in code_of(module) {
            let file = path.strip_prefix(harness().join("src")).unwrap().display().to_string();
            found.extend(fault(&file, &code));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_file_that_asks_for_a_kind_is_found() {
    let asks = "match plan.kind() { WorkloadKind::Ffi => 1, _ => 0 }";
    assert!(fault("report/sheet.rs", asks).unwrap().starts_with("report/sheet.rs names the kinds Ffi"));
    assert!(fault("experiment/builds.rs", "Workload::Build(build)").is_none());
    assert!(fault("experiment/builds.rs", asks).is_some());
    assert!(fault("plan/workload.rs", asks).is_none());
    assert!(fault("report/sheet.rs", "Workload::rows(&workload)").is_none());
}

//! Experiments know nothing of the command line, and are not a circle among themselves.

use std::collections::BTreeSet;
use std::fs;

use crate::modules::{code_of, harness, named_after};

/// The modules of `experiment` in their order, and what each may name of the others: those before it alone.
/// `experiment/mod.rs` has the same order with its reasons.
const MAY_NAME: [(&str, &[&str]); 20] = [
    ("progress", &[]),
    ("scratch", &[]),
    ("surroundings", &[]),
    ("store", &[]),
    ("lock", &["progress"]),
    ("calibrations", &["store"]),
    ("context", &["progress", "scratch", "surroundings", "lock"]),
    ("options", &["surroundings", "context"]),
    ("judged", &["store", "calibrations"]),
    ("revision", &["progress", "context"]),
    ("private", &["progress", "lock", "context", "revision"]),
    ("artifacts", &["progress", "surroundings", "store", "context", "revision"]),
    ("fit", &["context", "artifacts"]),
    ("references", &["store", "calibrations", "judged", "revision"]),
    ("session", &["progress", "store", "context"]),
    ("builds", &["scratch", "store", "context"]),
    ("crosstalk", &["context"]),
    ("injection", &["surroundings", "context", "session"]),
    (
        "run",
        &[
            "surroundings",
            "store",
            "context",
            "fit",
            "options",
            "judged",
            "revision",
            "artifacts",
            "session",
            "builds",
        ],
    ),
    ("trials", &["context", "session"]),
];

/// What stands on top: each may name all of the table, and none of the others.
const VERBS: [&str; 5] = ["gate", "calibrate", "counts", "commands", "tool_calls"];

/// What stands on a verb, and which.
const ON_VERBS: [(&str, &str); 1] = [("foreign", "counts")];

/// What no file of an experiment may hold, and why.
const FORBIDDEN: [(&str, &str); 6] = [
    ("clap", "options are plain here: the command line converts its own"),
    ("crate::cli", "the command line calls experiments, never the other way round"),
    ("println!", "an experiment prints nothing: report to progress, or return it"),
    ("eprint!", "an experiment prints nothing: report to progress"),
    ("outln!", "an experiment prints nothing: return it"),
    ("std::process::exit", "the command line sets exit codes"),
];

/// What is wrong with one file of a module of `experiment`.
fn faults(module: &str, file: &str, code: &str) -> Vec<String> {
    let all: Vec<&str> = MAY_NAME.iter().map(|(name, _)| *name).collect();
    let row = MAY_NAME.iter().find(|(name, _)| *name == module).map(|(_, may)| *may);
    let mut may = row.unwrap_or(&all).to_vec();
    may.extend(ON_VERBS.iter().filter(|(name, _)| *name == module).map(|(_, verb)| *verb));
    let foreign = named_after(code, "crate::experiment::");
    let foreign = foreign.into_iter().filter(|name| name != module && !may.contains(&name.as_str()));
    let mut faults: Vec<String> = foreign
        .map(|name| format!("{file} names experiment::{name}, which does not come before {module}"))
        .collect();
    let held = FORBIDDEN.iter().filter(|(text, _)| code.contains(text));
    faults.extend(held.map(|(text, why)| format!("{file} holds {text}: {why}")));
    faults
}

/// The module of `experiment` that a file belongs to.
fn module_of(file: &str) -> String {
    let inside = file.strip_prefix("src/experiment/").unwrap();
    inside.split(['/', '.']).next().unwrap().to_owned()
}

#[test]
fn experiments_name_only_what_comes_before_them_and_nothing_of_the_command_line() {
    let mut found = Vec::new();
    for (path, code) in code_of("experiment") {
        let file = path.strip_prefix(harness()).unwrap().display().to_string();
        if file != "src/experiment/mod.rs" {
            found.extend(faults(&module_of(&file), &file, &code));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_module_of_experiment_has_its_place_and_names_only_what_stands_above_it() {
    let text = fs::read_to_string(harness().join("src/experiment/mod.rs")).unwrap();
    let declared = text.lines().filter_map(|line| {
        let (_, name) = line.trim_start_matches("pub(crate) ").split_once("mod ")?;
        name.strip_suffix(';').map(str::to_owned)
    });
    let declared: BTreeSet<String> = declared.collect();
    let placed = MAY_NAME.iter().map(|(name, _)| *name).chain(VERBS).chain(ON_VERBS.map(|(name, _)| name));
    assert_eq!(declared, placed.map(str::to_owned).collect());
    for (at, (name, may)) in MAY_NAME.iter().enumerate() {
        let before: Vec<&str> = MAY_NAME[..at].iter().map(|(name, _)| *name).collect();
        let after: Vec<_> = may.iter().filter(|other| !before.contains(other)).collect();
        assert!(after.is_empty(), "{name} may name {after:?}, which does not come before it");
    }
}

#[test]
fn a_circle_and_a_line_on_a_terminal_are_seen() {
    let code = "use crate::experiment::{store, gate::GateOptions};\nuse crate::experiment::run::measure;\n";
    assert_eq!(
        faults("session", "session.rs", code),
        [
            "session.rs names experiment::gate, which does not come before session",
            "session.rs names experiment::run, which does not come before session",
        ]
    );
    assert_eq!(faults("gate", "gate/x.rs", "use crate::experiment::run::measure;\n"), [""; 0]);
    let said = faults("run", "run.rs", "    eprintln!(\"x\");\n");
    assert!(said[0].starts_with("run.rs holds println!"), "{said:?}");
    assert_eq!(faults("run", "run.rs", "use crate::cli::Exit;\n").len(), 1);
    assert_eq!(module_of("src/experiment/gate/view.rs"), "gate");
    assert_eq!(module_of("src/experiment/lock.rs"), "lock");
}

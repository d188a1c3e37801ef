//! The load tester is a library of its own: it knows nothing of the lab or of any command line, and prints nothing.

use std::fs;

use crate::modules::{code_of, harness};

/// The modules of the package.
const MODULES: [&str; 5] = ["bridge", "latency", "load", "load_test", "mcp"];

/// What no code of it may hold, and why.
const FORBIDDEN: [(&str, &str); 8] = [
    ("clap", "options are plain here: the command line converts its own"),
    ("indicatif", "how far a test has come is reported to whoever waits"),
    ("perflab::", "the lab names the load tester, never the other way round"),
    ("println!", "it prints nothing: report to progress, or return it"),
    ("print!(", "it prints nothing: report to progress, or return it"),
    ("io::stdout()", "it is given what to write to"),
    ("io::stderr()", "it is given what to write to"),
    ("process::exit", "the command line sets exit codes"),
];

/// What its manifest may not name as a dependency.
const NO_DEPENDENCIES: [&str; 4] = ["perflab", "clap", "anyhow", "indicatif"];

fn faults(file: &str, code: &str) -> Vec<String> {
    let held = FORBIDDEN.iter().filter(|(text, _)| code.contains(text));
    held.map(|(text, why)| format!("{file} holds {text}: {why}")).collect()
}

/// The dependencies of a manifest, of every kind.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if let Some(table) = line.strip_prefix('[') {
            inside = table.trim_end_matches(']').ends_with("dependencies");
        } else if inside {
            names.extend(line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()));
        }
    }
    names
}

#[test]
fn the_load_tester_names_no_command_line_and_prints_nothing() {
    let mut found = Vec::new();
    for module in MODULES {
        for (path, code) in code_of(module) {
            assert!(path.starts_with(harness().join("load/src")), "{}", path.display());
            found.extend(faults(&path.display().to_string(), &code));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    let manifest = fs::read_to_string(harness().join("load/Cargo.toml")).unwrap();
    let named = dependencies(&manifest);
    assert!(named.contains(&"perflab-host"), "{named:?}");
    assert!(NO_DEPENDENCIES.iter().all(|name| !named.contains(name)), "{named:?}");
}

#[test]
fn what_is_forbidden_is_seen() {
    assert_eq!(faults("x.rs", "    eprintln!(\"a\");\n").len(), 1);
    assert_eq!(faults("x.rs", "use clap::Args;\nuse perflab::judge::Policy;\n").len(), 2);
    assert_eq!(faults("x.rs", "use perflab_host::stats;\nlet out = std::io::sink();\n"), [""; 0]);
    let manifest = "[package]\nname = \"clap\"\n[dependencies]\na.workspace = true\nb = { path = \"c\" }\n\
                    [dev-dependencies]\nd = \"1\"\n[lints]\nworkspace = true\n";
    assert_eq!(dependencies(manifest), ["a", "b", "d"]);
}

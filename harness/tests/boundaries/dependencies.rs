//! What a package may be built from: the lab never links what it measures, and what is measured links neither the
//! lab nor a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Packages, and what none of them may reach through what it is built from. Who may name whom between the
/// directories is the matter of `arrows.rs`.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("perflab", &["perflab-fixtures", "rmcp", "tokio", "pyo3"]),
    ("perflab-host", &["perflab", "perflab-subject", "clap", "anyhow"]),
    ("perflab-load", &["perflab", "clap", "anyhow", "indicatif", "rmcp", "tokio"]),
    // Both sides name it, so it names neither.
    (
        "mcp-schema",
        &[
            "perflab-host",
            "perflab-load",
            "perflab-subject",
            "mcp-server",
            "mcp-store",
            "regex",
            "regex-lite",
        ],
    ),
    (
        "perflab-subject",
        &["perflab", "perflab-host", "perflab-load", "clap", "plotters", "rmcp", "tokio", "pyo3"],
    ),
    ("perflab-fixtures", &["perflab", "clap", "plotters", "rmcp", "tokio", "pyo3"]),
    (
        "mcp-kernels",
        &["perflab-subject", "mcp-server", "mcp-store", "clap", "plotters", "rmcp", "tokio", "pyo3"],
    ),
    ("mcp-store", &["mcp-server", "clap", "rmcp", "tokio", "pyo3"]),
    ("perflab-workloads", &["mcp-server", "mcp-store", "clap", "plotters", "rmcp", "tokio", "pyo3"]),
    ("quality-workloads", &["mcp-server", "mcp-sandbox", "clap", "plotters", "rmcp", "tokio", "pyo3"]),
    ("development-workloads", &["mcp-server", "mcp-sandbox", "clap", "plotters", "rmcp", "tokio", "pyo3"]),
    ("bash-god-workloads", &["mcp-server", "mcp-sandbox", "clap", "plotters", "rmcp", "tokio", "pyo3"]),
    ("devops-workloads", &["mcp-server", "mcp-sandbox", "clap", "plotters", "rmcp", "tokio", "pyo3", "ureq"]),
];

/// What a package is built from, and the way from the package to each of them, both ends included.
struct Ways(BTreeMap<String, Vec<String>>);

impl Ways {
    /// Of a package with all of its features. `cargo metadata` would join the features that other members of the
    /// workspace ask for, and find servers in subjects that go without them.
    fn of(package: &str) -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["tree", "--package", package, "--edges", "normal,build", "--all-features"]);
        cargo.args(["--target", "x86_64-unknown-linux-gnu", "--prefix", "depth", "--format", " {p}"]);
        let output = cargo.current_dir(workspace()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::read(&String::from_utf8(output.stdout).unwrap())
    }

    /// From the lines of `cargo tree`: the depth, the name, and more that does not matter here.
    fn read(tree: &str) -> Self {
        let mut ways = BTreeMap::new();
        let mut way: Vec<String> = Vec::new();
        for line in tree.lines() {
            let mut words = line.split_whitespace();
            let (Some(depth), Some(name)) = (words.next(), words.next()) else { continue };
            way.truncate(depth.parse().expect("a depth"));
            way.push(name.to_owned());
            ways.entry(name.to_owned()).or_insert_with(|| way.clone());
        }
        Self(ways)
    }

    /// Each of these that is reached, in a sentence.
    fn faults(&self, package: &str, forbidden: &[&str]) -> Vec<String> {
        let reached = forbidden.iter().filter_map(|name| Some((name, self.0.get(*name)?)));
        reached.map(|(name, way)| format!("{package} must not need {name}: {}", way.join(" → "))).collect()
    }
}

/// The workspace's directory.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
fn no_package_reaches_what_it_goes_without() {
    let faults: Vec<String> = FORBIDDEN
        .iter()
        .flat_map(|(package, forbidden)| Ways::of(package).faults(package, forbidden))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_is_forbidden_exists() {
    // A misspelt name looks like one that is not reached.
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    for name in FORBIDDEN.iter().flat_map(|(_, forbidden)| *forbidden) {
        assert!(lock.contains(&format!("name = \"{name}\"\n")), "{name} is not in Cargo.lock");
    }
}

#[test]
fn what_is_needed_is_found() {
    let subject = Ways::of("perflab-workloads");
    assert_eq!(subject.0["mcp-kernels"], ["perflab-workloads", "mcp-kernels"]);
    let lab = Ways::of("perflab");
    assert!(lab.0.contains_key("rustix"));
    assert!(!lab.0.contains_key("proptest"), "what only tests need does not count");
}

#[test]
fn a_forbidden_way_is_reported_in_full() {
    let ways =
        Ways::read("0 lab v0.1.0 (/lab)\n1 glue v1.0.0\n2 tokio v1.0.0\n1 loop v1.0.0\n2 glue v1.0.0 (*)\n");
    assert_eq!(
        ways.faults("lab", &["tokio", "loop", "absent"]),
        ["lab must not need tokio: lab → glue → tokio", "lab must not need loop: lab → loop"]
    );
    assert_eq!(ways.faults("lab", &["absent"]), [""; 0]);
}

//! The lab never links what it measures, and the kernels that it measures need no server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Packages, and what none of them may reach through what it is built from.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("perflab", &["mcp-kernels", "mcp-server", "mcp-store", "rmcp", "tokio", "pyo3"]),
    ("perflab-host", &["perflab", "perflab-subject", "clap", "anyhow"]),
    ("perflab-load", &["perflab", "clap", "anyhow", "indicatif", "mcp-server", "rmcp", "tokio"]),
    ("perflab-subject", &["mcp-kernels", "rmcp", "tokio", "pyo3"]),
    ("perflab-workloads", &["mcp-server", "mcp-store", "rmcp", "tokio", "pyo3"]),
];

/// Which package is built from which, by name; what only tests need is left out.
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// From the answer of `cargo metadata`.
    fn of(metadata: &Value) -> Self {
        let packages = metadata["packages"].as_array().expect("packages");
        let names: BTreeMap<&str, &str> = packages
            .iter()
            .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
            .collect();
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
            let needs = graph.entry(names[node["id"].as_str().expect("an id")].to_owned()).or_default();
            for dependency in node["deps"].as_array().expect("deps") {
                let kinds = dependency["dep_kinds"].as_array().expect("kinds");
                if kinds.iter().any(|kind| kind["kind"] != "dev") {
                    needs.insert(names[dependency["pkg"].as_str().expect("a package")].to_owned());
                }
            }
        }
        Self(graph)
    }

    /// How `from` comes to need `to`: the packages on a shortest way, both ends included.
    fn way(&self, from: &str, to: &str) -> Option<Vec<&str>> {
        let (from, _) = self.0.get_key_value(from).unwrap_or_else(|| panic!("no package {from}"));
        let mut ways = vec![vec![from.as_str()]];
        let mut seen = BTreeSet::from([from.as_str()]);
        let mut next = 0;
        while let Some(way) = ways.get(next).cloned() {
            let last = *way.last()?;
            if last == to {
                return Some(way);
            }
            for need in self.0.get(last).into_iter().flatten() {
                if seen.insert(need) {
                    ways.push([&way[..], &[need.as_str()]].concat());
                }
            }
            next += 1;
        }
        None
    }

    /// Each forbidden way.
    fn faults(&self, rules: &[(&str, &[&str])]) -> Vec<String> {
        let pairs = rules.iter().flat_map(|(from, names)| names.iter().map(move |name| (from, name)));
        pairs
            .filter_map(|(from, name)| {
                Some(format!("{from} must not need {name}: {}", self.way(from, name)?.join(" → ")))
            })
            .collect()
    }
}

/// The graph of this workspace.
fn workspace() -> Graph {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Graph::of(&serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_lab_does_not_link_what_it_measures() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let names: BTreeSet<&str> = FORBIDDEN.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let absent: Vec<&str> =
        names.into_iter().filter(|name| !lock.contains(&format!("name = \"{name}\"\n"))).collect();
    // A misspelt name looks like an absent one.
    let absent = format!("not in Cargo.lock at all, so that nothing can need them: {}", absent.join(" "));
    println!("{absent}");
    let faults = workspace().faults(&FORBIDDEN);
    assert!(faults.is_empty(), "\n{}\n({absent})", faults.join("\n"));
}

#[test]
fn what_is_needed_is_found() {
    let graph = workspace();
    assert_eq!(graph.way("perflab-workloads", "mcp-kernels").unwrap(), ["perflab-workloads", "mcp-kernels"]);
    assert!(graph.way("perflab", "rustix").is_some());
    assert_eq!(graph.way("perflab", "proptest"), None, "what only tests need does not count");
}

#[test]
fn a_forbidden_way_is_told_in_full() {
    let need = |name: &str, kind: Value| serde_json::json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
    let node = |name: &str, deps: Vec<Value>| serde_json::json!({ "id": name, "deps": deps });
    let packages =
        ["lab", "glue", "tokio", "loop"].map(|name| serde_json::json!({ "id": name, "name": name }));
    let metadata = serde_json::json!({
        "packages": packages,
        "resolve": { "nodes": [
            node("lab", vec![need("glue", Value::Null), need("loop", "dev".into())]),
            node("glue", vec![need("tokio", "build".into()), need("lab", Value::Null)]),
            node("tokio", vec![]),
            node("loop", vec![]),
        ] },
    });
    let graph = Graph::of(&metadata);
    assert_eq!(
        graph.faults(&[("lab", &["tokio", "loop", "absent"])]),
        ["lab must not need tokio: lab → glue → tokio"]
    );
    assert_eq!(graph.faults(&[("tokio", &["lab"])]), [""; 0]);
}

//! A small repository with the bare subject, for gates.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::lab::{json, lab_in, stderr, stdout};
use crate::workspace::Workspace;

/// A repository with the bare subject in its first commit.
pub struct Repository(pub Workspace);

impl Repository {
    /// One commit, with everything in it.
    pub fn new() -> Self {
        let repository = Self::below("");
        repository.commit("subject");
        repository
    }

    /// The same files below a scratch directory, and no commit yet.
    pub fn below(below: &str) -> Self {
        let workspace = Workspace::below(below);
        workspace.suite("s", &["plain"]);
        // Cargo writes a lock file when it first builds, which is not a change of anybody.
        workspace.write(".gitignore", "/target\n/results\n/Cargo.lock\n");
        let repository = Self(workspace);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository
    }

    /// What git prints.
    pub fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.0.root()).args(args);
        for (name, value) in [("NAME", "t"), ("EMAIL", "t@example.org")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
        stdout(&output).trim().to_owned()
    }

    /// Commits everything; the answer is the hash.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Replaces a text in the subject.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.0.root().join("src/main.rs");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// A call takes about 15 % more work; its answer stays.
    pub fn slow_down(&self) {
        self.edit(
            "sum.wrapping_add(bits(black_box(numbers)))",
            "{ black_box(bits(black_box(&numbers[..300]))); sum.wrapping_add(bits(black_box(numbers))) }",
        );
    }

    /// What a gate prints as JSON, and what it says on stderr.
    pub fn gate(&self, code: i32, args: &[&str]) -> (Value, String) {
        let all = [&["gate", "--suite", "s.toml", "--format", "json"], args].concat();
        let output = lab_in(self.0.root(), code, &all);
        let says = if output.stdout.is_empty() { Value::Null } else { json(&output) };
        (says, stderr(&output))
    }

    /// What a gate's record says when it is judged again.
    pub fn gate_of(&self, code: i32, record: &Path, args: &[&str]) -> (Value, String) {
        let all = [&["gate", record.to_str().unwrap(), "--format", "json"], args].concat();
        let output = lab_in(self.0.root(), code, &all);
        (json(&output), stderr(&output))
    }

    /// A record of two launches.
    pub fn record(&self) -> String {
        let args = ["run", "--suite", "s.toml", "--launches", "2", "--format", "json"];
        lab_in(self.0.root(), 0, &args);
        let mut records: Vec<_> =
            fs::read_dir(self.0.root().join("results")).unwrap().map(|entry| entry.unwrap().path()).collect();
        records.sort();
        records.last().unwrap().to_str().unwrap().to_owned()
    }

    /// Accepts a record; the answer is the reference's file.
    pub fn accept(&self, record: &str) -> std::path::PathBuf {
        lab_in(self.0.root(), 0, &["baseline", "accept", record]);
        self.reference()
    }

    /// The reference's file.
    pub fn reference(&self) -> std::path::PathBuf {
        let folder = crate::lab::only_folder(&self.0.root().join("baselines/references"));
        folder.join("s.toml")
    }
}

/// What a gate says of the time of a benchmark.
pub fn verdict<'a>(says: &'a Value, benchmark: &str) -> &'a str {
    let rows = says["report"]["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["benchmark"] == benchmark && row["measure"] == "time");
    row.unwrap_or_else(|| panic!("no row {benchmark}: {says:#}"))["verdict"].as_str().unwrap()
}

//! Projects of other people: measured and gated without an edit, and left as they were.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{Alone, alone, command, json, only_folder, stderr, stdout};

/// A project with a bench of criterion, as git has it.
struct Project {
    root: PathBuf,
    scratch: TempDir,
    _alone: Alone,
}

const MANIFEST: &str = "[package]\nname = \"sums\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dev-dependencies]\n\
                        criterion = \"0.5\"\n\n[[bench]]\nname = \"adding\"\nharness = false\n";

/// What Cargo would write, without what criterion itself depends on.
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"criterion\"\nversion = \"0.5.1\"\n\
                    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                    checksum = \"f2b12d017a929603d80db1831cd3a24082f8137ce19c69e6447f54f5fc8d692f\"\n\n\
                    [[package]]\nname = \"sums\"\nversion = \"0.1.0\"\ndependencies = [\n \"criterion\",\n]\n";

const LIBRARY: &str = "#[inline(never)]\npub fn sum(numbers: &[u64]) -> u64 {\n    \
                       numbers.iter().fold(0, |sum, number| sum.wrapping_mul(31) ^ number)\n}\n";

/// One benchmark reads a file by a path from its package, and one writes into its tree.
const BENCH: &str = "use criterion::{black_box, criterion_group, criterion_main, Criterion};\n\
                     fn adding(c: &mut Criterion) {\n    \
                     let numbers: Vec<u64> = (0..1000).collect();\n    \
                     let text = std::fs::read_to_string(\"data/numbers.txt\").unwrap();\n    \
                     std::fs::write(\"data/written.txt\", &text).unwrap();\n    \
                     c.bench_function(\"sum\", |b| b.iter(|| sums::sum(black_box(&numbers))));\n    \
                     c.bench_function(\"parse\", |b| b.iter(|| black_box(&text).trim().parse::<u64>().unwrap()));\n}\n\
                     criterion_group!(benches, adding);\ncriterion_main!(benches);\n";

impl Project {
    fn new() -> Self {
        let alone = alone();
        let scratch = tempfile::tempdir().unwrap();
        let project = Self { root: scratch.path().join("sums"), scratch, _alone: alone };
        for (name, text) in [
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", LOCK),
            ("src/lib.rs", LIBRARY),
            ("benches/adding.rs", BENCH),
            ("data/numbers.txt", "12345\n"),
            (".gitignore", "/target\n"),
        ] {
            project.write(name, text);
        }
        project.git(&["init", "--quiet", "--initial-branch", "main"]);
        project.commit();
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .current_dir(&self.root)
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(args);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", "a"]);
    }

    /// The lab in the project, without a network and with an empty home of Cargo's.
    fn lab(&self, code: i32, args: &[&str]) -> Output {
        self.lab_at(&self.root, code, args)
    }

    fn lab_at(&self, folder: &Path, code: i32, args: &[&str]) -> Output {
        let mut lab = command(folder);
        lab.env_remove("CARGO_TARGET_DIR").env("CARGO_NET_OFFLINE", "true");
        lab.env("CARGO_HOME", self.scratch.path().join("home"));
        lab.env("XDG_CACHE_HOME", self.scratch.path().join("cache"));
        let output = lab.args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{}\n{}", stdout(&output), stderr(&output));
        output
    }

    /// Nothing in the tree changed but what a test wrote itself.
    fn is_untouched(&self) {
        assert_eq!(self.git(&["status", "--porcelain", "--ignored"]), "");
        assert_eq!(fs::read_to_string(self.root.join("Cargo.lock")).unwrap(), LOCK);
    }
}

#[test]
fn a_project_is_measured_without_an_edit_and_left_as_it_was() {
    let project = Project::new();
    let plan = stdout(&project.lab(0, &["run", "--plan"]));
    assert!(plan.contains("the lab's criterion") && plan.contains("x86-64 LTO"), "{plan}");
    let out = project.scratch.path().join("records");
    let args = ["run", "--launches", "2", "--flagsets", "x86-64 LTO", "--format", "json", "--out"];
    let says = json(&project.lab(0, &[&args[..], &[out.to_str().unwrap()]].concat()));
    let rows = says["analysis"]["rows"].as_array().unwrap();
    let of = |name: &str| rows.iter().filter(|row| row["benchmark"] == name).count();
    assert_eq!((of("sum"), of("parse")), (2, 2), "an arm and a control: {rows:#?}");
    let record = only_folder(&out);
    let file: Value = serde_json::from_str(&fs::read_to_string(record.join("run.json")).unwrap()).unwrap();
    assert_eq!(file["plan"]["arms"][0]["workload"]["bench"], "subject");
    assert!(file["facts"][0]["text_bytes"].as_u64().unwrap() > 0, "the census proves the code");
    assert!(file["launches"][0]["arms"][0]["layout"].as_u64().is_some(), "layouts differ");
    assert!(file["command"].as_str().unwrap().contains("run --quick --flagsets"), "{}", file["command"]);
    assert!(
        file["command"].as_str().unwrap().ends_with("--package sums --bench adding"),
        "{}",
        file["command"]
    );
    assert!(!record.join("charts").read_dir().unwrap().collect::<Vec<_>>().is_empty());
    project.is_untouched();
    // What a filter leaves, and what nothing has.
    let verified =
        json(&project.lab(0, &["verify", "--filter", "ars", "--flagsets", "x86-64 LTO", "--format", "json"]));
    assert_eq!(verified["benchmarks"].as_array().unwrap().len(), 1);
    let said = stderr(&project.lab(2, &["verify", "--filter", "nowhere", "--flagsets", "x86-64 LTO"]));
    assert!(said.contains("no name of the 2 benchmarks of sums-adding holds nowhere"), "{said}");
    project.is_untouched();
}

#[test]
fn a_slow_down_in_a_project_fails_its_gate_and_what_is_unchanged_passes() {
    let project = Project::new();
    let gate = ["gate", "--against", "HEAD", "--filter", "sum", "--format", "json"];
    let unchanged = json(&project.lab(0, &gate));
    assert_eq!(unchanged["report"]["fold"], "passes", "{unchanged:#}");
    project.is_untouched();
    let slower = LIBRARY.replace("numbers.iter()", "numbers.iter().chain(&numbers[..numbers.len() / 4])");
    assert_ne!(slower, LIBRARY);
    project.write("src/lib.rs", &slower);
    let output = project.lab(1, &gate);
    let says = json(&output);
    let rows = says["report"]["rows"].as_array().unwrap();
    let verdict = |name: &str| &rows.iter().find(|row| row["benchmark"] == name).unwrap()["verdict"];
    assert_eq!(verdict("sum"), "regressed", "{says:#}");
    assert!(stderr(&output).contains(" record "), "{}", stderr(&output));
    assert_eq!(project.git(&["status", "--porcelain", "--ignored"]), " M src/lib.rs\n");
}

#[test]
fn what_cannot_be_measured_is_said_with_what_can_be_done() {
    let project = Project::new();
    let said = |args: &[&str]| stderr(&project.lab(2, args));
    let unknown = said(&["run", "--bench", "other"]);
    assert!(unknown.contains("no bench target \"other\"; known: adding"), "{unknown}");
    let nowhere = said(&["run", "--manifest-path", "nowhere/Cargo.toml"]);
    assert!(nowhere.contains("there is no such file; expected a Cargo.toml"), "{nowhere}");
    // A bench of a harness that nobody knows, one that Cargo takes for tests, and one that is not there.
    project.write("benches/adding.rs", "fn main() {}\n");
    let custom = said(&["run"]);
    assert!(
        custom.contains("bench adding of sums: not measured: a harness that the lab does not know"),
        "{custom}"
    );
    assert!(custom.contains("none of the bench targets can be measured; `perflab cmp commands"), "{custom}");
    project.write("benches/adding.rs", BENCH);
    project.write("Cargo.toml", &MANIFEST.replace("harness = false\n", ""));
    assert!(said(&["run"]).contains("lacks harness = false"));
    project.write("Cargo.toml", MANIFEST.split("[[bench]]").next().unwrap());
    fs::remove_dir_all(project.root.join("benches")).unwrap();
    let none = said(&["run"]);
    assert!(none.contains("there are no bench targets here, and no suite; `perflab cmp commands"), "{none}");
    assert!(none.contains("`perflab init` writes a suite"), "{none}");
    project.write("Cargo.toml", "[package\n");
    assert!(said(&["run"]).contains("Cargo cannot read"));
    assert!(!project.root.join("target").exists());
}

#[test]
fn what_does_not_compile_is_told_in_the_compilers_words() {
    let project = Project::new();
    project.write("src/lib.rs", "compile_error!(\"not today\");\n");
    let output = project.lab(2, &["verify", "--flagsets", "x86-64 LTO"]);
    assert!(stderr(&output).contains("error: not today"), "{}", stderr(&output));
    assert!(stderr(&output).contains("measured by its own criterion"), "{}", stderr(&output));
    assert_eq!(project.git(&["status", "--porcelain", "--ignored"]), " M src/lib.rs\n");
}

#[test]
fn init_writes_a_suite_that_is_measured_and_replaces_nothing_unasked() {
    let project = Project::new();
    let written = stdout(&project.lab(0, &["init", "--workflow"]));
    assert_eq!(written, "perflab.toml\n.github/workflows/perflab.yml\n");
    let workflow = fs::read_to_string(project.root.join(".github/workflows/perflab.yml")).unwrap();
    assert!(workflow.contains("gate --against"), "{workflow}");
    let refused = stderr(&project.lab(2, &["init"]));
    assert!(refused.contains("perflab.toml is there already: --force replaces it"), "{refused}");
    project.lab(0, &["init", "--force"]);
    let plan = stdout(&project.lab(0, &["plan"]));
    assert!(plan.contains("suite       sums "), "{plan}");
    assert_eq!(project.git(&["status", "--porcelain", "--ignored"]), "?? .github/\n?? perflab.toml\n");
}

#[test]
fn cargo_starts_it_as_a_command_of_its_own() {
    let project = Project::new();
    let own = Path::new(env!("CARGO_BIN_EXE_cargo-perflab"));
    let mut path = std::ffi::OsString::from(own.parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut cargo = Command::new("cargo");
    cargo.args(["perflab", "run", "--bench", "other"]).current_dir(&project.root).env("PATH", path);
    let output = cargo.env_remove("CARGO_PKG_NAME").output().unwrap();
    assert!(stderr(&output).contains("no bench target \"other\""), "{}", stderr(&output));
    let usage = Command::new(own).args(["perflab", "run", "--no-such-option"]).output().unwrap();
    assert!(stderr(&usage).contains("Usage: cargo perflab run"), "{}", stderr(&usage));
}

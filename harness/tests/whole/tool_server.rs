//! The fixture server, and the lab's `mcp` on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{alone, command, json, lab, only_folder, root, target};
use crate::processes::running_below;

/// The directory of the fixture servers, which the first test that asks compiles.
fn folder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "perflab-fixtures", "--bins", "--target-dir"]);
        let output = cargo.arg(target()).current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        target().join("debug")
    })
}

/// The path of a fixture server.
pub fn program(name: &str) -> String {
    folder().join(name).display().to_string()
}

/// What a run of `mcp` left.
pub struct Run {
    /// What it printed.
    pub output: Output,
    out: TempDir,
}

impl Run {
    /// Runs `mcp` with these options on the fixture server in a mode, and expects this exit code. No process
    /// may be left.
    pub fn of(code: i32, options: &[&str], mode: &[&str]) -> Self {
        let server = program("tool-server");
        Self::on(code, options, &[&[server.as_str()], mode].concat())
    }

    /// The same for an open loop, which is void (code 3) where a busy machine held the client itself up. The numbers are
    /// in the record all the same.
    pub fn open(options: &[&str], mode: &[&str]) -> Self {
        let _alone = alone();
        let out = tempfile::tempdir().unwrap();
        let server = program("tool-server");
        let mut lab = assert_cmd::Command::from_std(command(&root()));
        lab.args(["mcp", "--format", "json", "--out", out.path().to_str().unwrap()]);
        let output = lab.args(options).args(["--", &server]).args(mode).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(running_below(folder()), [""; 0], "nothing is left running");
        Self { output, out }
    }

    /// Runs a verb of `mcp` with these options on the fixture server in a mode, as [`Self::of`] does.
    pub fn ask(code: i32, verb: &[&str], options: &[&str], mode: &[&str]) -> Self {
        let _alone = alone();
        let out = tempfile::tempdir().unwrap();
        let (server, shown) = (program("tool-server"), out.path().to_str().unwrap());
        let head = [&["mcp"], verb, &["--format", "json", "--out", shown]].concat();
        let output = lab(code, &[&head, options, &["--", &server], mode].concat());
        assert_eq!(running_below(folder()), [""; 0], "nothing is left running");
        Self { output, out }
    }

    /// Runs `mcp` without a command.
    pub fn alone(code: i32, options: &[&str]) -> Self {
        let _alone = alone();
        let out = tempfile::tempdir().unwrap();
        let shown = out.path().to_str().unwrap();
        let output = lab(code, &[&["mcp", "--format", "json", "--out", shown], options].concat());
        assert_eq!(running_below(folder()), [""; 0], "nothing is left running");
        Self { output, out }
    }

    /// Measures the field of a file.
    pub fn field(code: i32, file: &str, options: &[&str]) -> Self {
        let _alone = alone();
        let out = tempfile::tempdir().unwrap();
        let head = ["mcp", "field", file, "--format", "json", "--out", out.path().to_str().unwrap()];
        let output = lab(code, &[&head, options].concat());
        assert_eq!(running_below(folder()), [""; 0], "nothing is left running");
        Self { output, out }
    }

    /// The same on any command.
    pub fn on(code: i32, options: &[&str], command: &[&str]) -> Self {
        let _alone = alone();
        let out = tempfile::tempdir().unwrap();
        let shown = out.path().to_str().unwrap();
        let head = ["mcp", "--format", "json", "--out", shown];
        let output = lab(code, &[&head, options, &["--"], command].concat());
        assert_eq!(running_below(folder()), [""; 0], "nothing is left running");
        Self { output, out }
    }

    /// The JSON that it printed.
    pub fn says(&self) -> Value {
        json(&self.output)["latency"].clone()
    }

    /// Its record.
    pub fn record(&self) -> PathBuf {
        only_folder(self.out.path())
    }

    /// Whether it made no record.
    pub fn made_nothing(&self) -> bool {
        self.out.path().read_dir().unwrap().next().is_none()
    }

    /// The one fault, as its name and its sentence.
    pub fn fault(&self) -> (String, String) {
        let says = self.says();
        let faults = says["faults"].as_array().unwrap();
        assert_eq!(faults.len(), 1, "{faults:#?}");
        let text = |key: &str| faults[0][key].as_str().unwrap().to_owned();
        (text("kind"), text("says"))
    }

    /// The series of a member.
    pub fn series(&self, member: &str) -> Value {
        let says = self.says();
        let all = says["series"].as_array().unwrap();
        all.iter().find(|series| series["member"] == member).unwrap_or_else(|| panic!("no {member}")).clone()
    }
}

/// A percentile of a series' distribution, in ns.
pub fn at(distribution: &Value, q: f64) -> u64 {
    let all = distribution["percentiles"].as_array().unwrap();
    let found = all.iter().find(|percentile| percentile["q"] == q).unwrap_or_else(|| panic!("no {q}"));
    found["ns"].as_u64().unwrap()
}

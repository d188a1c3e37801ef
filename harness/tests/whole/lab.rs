//! Starting the lab, and reading what it leaves.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::rc::{Rc, Weak};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A run that takes longer hangs: the slowest compiles everything first.
const LONGEST: Duration = Duration::from_secs(540);

/// The workspace that holds the fixtures.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The target directory that all of these tests share, and nothing else uses.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures")
}

/// A suite of the fixtures.
pub fn suite(name: &str) -> String {
    format!("harness/fixtures/suites/{name}.toml")
}

/// That no other test of this process measures, nor writes the sources of a workspace, until all of a test's are
/// dropped.
#[derive(Clone)]
pub struct Alone(#[expect(dead_code, reason = "it is there to be dropped")] Rc<MutexGuard<'static, ()>>);

/// Waits until no other test has it. All labs pin their arms to the same core, and build into one target directory, in
/// which sources that are newer than another test's build would be taken for built: a [`crate::workspace::Workspace`]
/// cannot be had without it. A test may ask again. What one test broke does not matter to the next.
pub fn alone() -> Alone {
    static MEASURING: Mutex<()> = Mutex::new(());
    thread_local! {
        static HELD: RefCell<Weak<MutexGuard<'static, ()>>> = const { RefCell::new(Weak::new()) };
    }
    HELD.with_borrow_mut(|held| {
        if let Some(held) = held.upgrade() {
            return Alone(held);
        }
        let guard = Rc::new(MEASURING.lock().unwrap_or_else(PoisonError::into_inner));
        *held = Rc::downgrade(&guard);
        Alone(guard)
    })
}

/// The lab's command in `folder`, with an environment that says nothing about compilers or terminals.
pub fn command(folder: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_perflab"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let changes_code =
            name.starts_with("RUSTC") || name.starts_with("CARGO_PROFILE") || name.starts_with("CARGO_BUILD");
        if changes_code
            || ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_INCREMENTAL"].contains(&name.as_str())
        {
            command.env_remove(name);
        }
    }
    // Other labs on this machine are none of these tests' business.
    let runtime = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtime");
    fs::create_dir_all(&runtime).unwrap();
    command.env("XDG_RUNTIME_DIR", &runtime);
    // As an installed program is started.
    command.env_remove("CARGO_PKG_NAME");
    command.current_dir(folder).env("CARGO_TARGET_DIR", target());
    command.env("COLUMNS", "100").env("RUST_BACKTRACE", "0").env("LC_ALL", "C.UTF-8");
    command
}

/// Runs the lab in the fixtures' workspace and expects this exit code.
pub fn lab(code: i32, args: &[&str]) -> Output {
    lab_in(&root(), code, args)
}

/// Runs the lab in another workspace.
pub fn lab_in(folder: &Path, code: i32, args: &[&str]) -> Output {
    Command::from_std(command(folder)).args(args).timeout(LONGEST).assert().code(code).get_output().clone()
}

/// What a program wrote to stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a program wrote to stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON that a program wrote to stdout.
pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

/// A record, and the directory that is removed with it.
pub struct Record {
    /// The record's directory.
    pub folder: PathBuf,
    /// What `analyse --format json` says of it.
    pub says: Value,
    _out: TempDir,
}

impl Record {
    /// Measures a suite of the fixtures into a new record.
    pub fn of(code: i32, suite: &str, args: &[&str]) -> Self {
        Self::made_in(&root(), code, &self::suite(suite), args)
    }

    /// The same in another workspace.
    pub fn made_in(workspace: &Path, code: i32, suite: &str, args: &[&str]) -> Self {
        let out = tempfile::tempdir().unwrap();
        let shown = out.path().to_str().unwrap();
        let all = [&["run", "--suite", suite, "--out", shown, "--format", "json"], args].concat();
        let says = json(&lab_in(workspace, code, &all));
        Self { folder: only_folder(out.path()), says, _out: out }
    }

    /// `run.json`.
    pub fn file(&self) -> Value {
        run_file(&self.folder).unwrap()
    }

    /// The row of a benchmark in an arm.
    pub fn row(&self, benchmark: &str, arm: &str) -> &Value {
        find(&self.says["analysis"]["rows"], benchmark, arm)
    }

    /// Its verdict.
    pub fn verdict(&self, benchmark: &str, arm: &str) -> &str {
        find(&self.says["judgement"]["rows"], benchmark, arm)["verdict"].as_str().unwrap()
    }

    /// The failures, as `arm, benchmark: kind`.
    pub fn failures(&self) -> Vec<String> {
        failures(&self.file())
    }

    /// What is known of an arm's code.
    pub fn facts(&self, arm: &str) -> Value {
        let file = self.file();
        file["facts"].as_array().unwrap().iter().find(|facts| facts["arm"] == arm).unwrap().clone()
    }
}

fn find<'a>(rows: &'a Value, benchmark: &str, arm: &str) -> &'a Value {
    let same = |row: &&Value| row["benchmark"] == benchmark && row["arm"] == arm;
    rows.as_array()
        .unwrap()
        .iter()
        .find(same)
        .unwrap_or_else(|| panic!("no row {benchmark} {arm} in {rows:#}"))
}

/// The failures of a `run.json`, as `arm, benchmark: kind`.
pub fn failures(file: &Value) -> Vec<String> {
    let named = |failure: &Value| {
        let benchmark = failure["benchmark"].as_str().map_or(String::new(), |name| format!(", {name}"));
        format!(
            "{}{benchmark}: {}",
            failure["arm"].as_str().unwrap(),
            failure["reason"]["kind"].as_str().unwrap()
        )
    };
    file["failures"].as_array().unwrap().iter().map(named).collect()
}

/// `run.json` of a record, once there is one.
pub fn run_file(record: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(record.join("run.json")).ok()?).ok()
}

/// The one directory in a directory.
pub fn only_folder(folder: &Path) -> PathBuf {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let first = entries.next().expect("a record");
    assert_eq!(entries.next(), None, "one record");
    first
}

//! Whatever ends in the middle, the lab or an arm: nothing is left running, and what is finished is kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{alone, command, failures, json, lab, root, run_file, target};
use crate::processes::{Process, all, running_below, signal};
use crate::workspace::Workspace;

/// A lab that runs beside its test.
struct Running {
    child: Child,
    out: TempDir,
}

impl Running {
    fn start() -> Self {
        Self::on("stopped")
    }

    fn on(suite: &str) -> Self {
        let out = tempfile::tempdir().unwrap();
        let mut command = command(&root());
        command.args(["measure", "--suite", &crate::lab::suite(suite), "--out"]).arg(out.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, out }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// The record, once its first launch is finished.
    fn begun(&self) -> PathBuf {
        wait_for("a finished launch", || {
            let folder = self.out.path().read_dir().ok()?.next()?.ok()?.path();
            (launches(&run_file(&folder)?) > 0).then_some(folder)
        })
    }

    fn ended(&mut self) -> Option<i32> {
        wait_for("the end of the lab", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(120) {
        if let Some(found) = look() {
            return found;
        }
        sleep(Duration::from_millis(2));
    }
    panic!("{what} did not come");
}

fn launches(file: &Value) -> usize {
    file["launches"].as_array().unwrap().len()
}

/// A record that was stopped can be read, and finished.
fn is_kept_and_can_be_finished(record: &Path) {
    let before = run_file(record).unwrap();
    let kept = launches(&before);
    assert!((1..32).contains(&kept), "{kept} launches");
    let shown = record.to_str().unwrap();
    let says = json(&lab(0, &["analyse", shown, "--format", "json"]));
    assert_eq!(says["analysis"]["launches"], kept);
    let warnings = says["analysis"]["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["kind"] == "interrupted"), "{warnings:?}");
    lab(0, &["run", "--resume", shown]);
    let after = run_file(record).unwrap();
    assert_eq!((launches(&after), &after["state"]), (32, &"finished".into()));
    for (old, new) in before["launches"].as_array().unwrap().iter().zip(after["launches"].as_array().unwrap())
    {
        assert_eq!(old, new, "finished launches stay as they are");
    }
    let says = json(&lab(0, &["analyse", shown, "--format", "json"]));
    for row in says["analysis"]["rows"].as_array().unwrap() {
        assert_eq!(row["launches"].as_array().unwrap().len(), 32, "{row:#}");
    }
}

#[test]
fn a_killed_lab_takes_its_children_with_it() {
    let _alone = alone();
    let mut lab = Running::start();
    let record = lab.begun();
    wait_for("two arms at once", || {
        // Stopped, it starts and ends nothing between the look at its children and its own end.
        assert!(signal(lab.pid(), "STOP"));
        let below = |process: &Process| process.executable.starts_with(target().to_str().unwrap());
        let arms = all().into_iter().filter(below).count();
        assert!(arms > 1 || signal(lab.pid(), "CONT"));
        (arms > 1).then_some(())
    });
    assert!(signal(lab.pid(), "KILL"));
    lab.ended();
    assert_eq!(running_below(&target()), [""; 0]);
    assert_eq!(run_file(&record).unwrap()["state"], "running");
    is_kept_and_can_be_finished(&record);
}

#[test]
fn an_interrupt_ends_the_lab_with_its_own_code() {
    let _alone = alone();
    let mut lab = Running::start();
    let record = lab.begun();
    assert!(signal(lab.pid(), "INT"));
    assert_eq!(lab.ended(), Some(130));
    assert_eq!(running_below(&target()), [""; 0]);
    assert_eq!(run_file(&record).unwrap()["state"], "stopped");
    is_kept_and_can_be_finished(&record);
}

#[test]
fn a_killed_arm_is_a_row_and_the_others_go_on() {
    let _alone = alone();
    let mut lab = Running::start();
    let record = lab.begun();
    // Layouts are named LAUNCH-ARM; one that is killed after its last turn is not missed, so try again.
    let below = target().join("perflab/perflab-scratch-").display().to_string();
    wait_for("the failure of an arm", || {
        let arm = all().into_iter().find(|process| {
            process.executable.starts_with(&below)
                && process.executable.trim_end_matches(" (deleted)").ends_with("-1")
        });
        let failed = !failures(&run_file(&record)?).is_empty();
        if !failed && let Some(arm) = arm {
            signal(arm.pid, "KILL");
            sleep(Duration::from_millis(100));
        }
        failed.then_some(())
    });
    assert_eq!(lab.ended(), Some(1));
    let file = run_file(&record).unwrap();
    assert_eq!(launches(&file), 32, "{:#}", file["failures"]);
    for failure in file["failures"].as_array().unwrap() {
        assert_eq!((&failure["arm"], &failure["reason"]["signal"]), (&"slower".into(), &9.into()));
        assert!(failure["launch"].as_u64() > Some(0), "{failure}");
    }
    let says = json(&crate::lab::lab(1, &["analyse", record.to_str().unwrap(), "--format", "json"]));
    let rows = says["analysis"]["rows"].as_array().unwrap();
    let control = rows.iter().filter(|row| row["arm"] == "x86-64 (A/A)");
    assert_eq!(control.map(|row| row["launches"].as_array().unwrap().len()).collect::<Vec<_>>(), [32; 3]);
}

/// A workspace whose build script never ends.
fn endless_build() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("build.rs", "fn main() { std::thread::sleep(std::time::Duration::from_secs(600)) }\n");
    workspace.suite("endless", &["plain"]);
    workspace
}

/// Starts the lab on it, and sends it a signal once the build script runs. The answer is its exit code.
fn signalled_while_building(name: &str) -> Option<i32> {
    let workspace = endless_build();
    let log = workspace.root().join("log");
    let mut command = command(workspace.root());
    command
        .args(["build", "--suite", "endless.toml"])
        .stdout(Stdio::null())
        .stderr(File::create(&log).unwrap());
    let mut lab = Running { child: command.spawn().unwrap(), out: tempfile::tempdir().unwrap() };
    let script = target().join("perflab").display().to_string();
    wait_for("the build script", || {
        all().into_iter().find(|process| process.executable.starts_with(&script))
    });
    assert!(signal(lab.pid(), name));
    let code = lab.ended();
    assert_eq!(running_below(&target()), [""; 0]);
    assert_eq!(running_below(workspace.root()), [""; 0]);
    code
}

#[test]
fn a_lab_that_is_killed_while_building_ends_the_build() {
    let _alone = alone();
    assert_eq!(signalled_while_building("KILL"), None);
}

#[test]
fn an_interrupt_while_building_is_no_misuse() {
    let _alone = alone();
    assert_eq!(signalled_while_building("INT"), Some(130));
}

/// Starts the lab on an arm that hangs, and waits until it does.
fn waiting_for_an_answer() -> Running {
    let lab = Running::on("hanging");
    wait_for("the arm", || all().into_iter().find(|process| process.executable.contains("+hangs-")));
    // `chain` takes milliseconds; then comes `words`, in which it hangs.
    sleep(Duration::from_millis(300));
    lab
}

#[test]
fn an_arm_that_hangs_ends_with_a_killed_lab() {
    let _alone = alone();
    let mut lab = waiting_for_an_answer();
    assert!(signal(lab.pid(), "KILL"));
    lab.ended();
    assert_eq!(running_below(&target()), [""; 0]);
}

#[test]
fn a_second_interrupt_does_not_wait_for_an_arm_that_hangs() {
    let _alone = alone();
    let mut lab = waiting_for_an_answer();
    assert!(signal(lab.pid(), "INT"));
    sleep(Duration::from_millis(100));
    assert!(signal(lab.pid(), "INT"));
    assert_eq!(lab.ended(), Some(130));
    assert_eq!(running_below(&target()), [""; 0]);
}

//! Bench targets as whole processes: as the lab starts them, and as Cargo does.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// An example of this package, which Cargo builds with the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: cargo build --examples", path.display());
    path
}

/// A subject that is spoken with.
struct Subject {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Subject {
    fn start(name: &str) -> Self {
        let mut command = Command::new(example(name));
        command.env("PERFLAB_PAD", "xxx").env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{request}: {line:?}: {error}"))
    }

    fn names(&mut self) -> Vec<String> {
        let listing = self.ask(&json!({"op": "list"}));
        let benchmarks = listing["benchmarks"].as_array().unwrap();
        benchmarks.iter().map(|benchmark| benchmark["name"].as_str().unwrap().to_owned()).collect()
    }

    fn prepare(&mut self, name: &str) -> Value {
        self.ask(&json!({"op": "prepare", "benchmark": name}))
    }

    fn turn(&mut self, name: &str) -> Value {
        let turn = json!({
            "op": "turn", "benchmark": name, "settle_ns": 1000, "slices": 2, "iters": 3, "extra": 500,
        });
        self.ask(&turn)
    }

    /// Ends the conversation; what else was said, and the exit code.
    fn end(mut self) -> (String, Option<i32>) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        while self.lines.read_line(&mut rest).unwrap() > 0 {}
        (rest, self.child.wait().unwrap().code())
    }
}

const NAMES: [&str; 52] = [
    "iter",
    "iter/borrowing",
    "with input/100",
    "iter_custom",
    "iter_with_large_drop",
    "batched/owned/SmallInput",
    "batched/ref/SmallInput",
    "batched/owned/LargeInput",
    "batched/ref/LargeInput",
    "batched/owned/PerIteration",
    "batched/ref/PerIteration",
    "batched/owned/NumBatches",
    "batched/ref/NumBatches",
    "batched/owned/NumIterations",
    "batched/ref/NumIterations",
    "batched/with_setup",
    "batched/with_large_setup",
    "group/100",
    "group/100 #2",
    "group/100 #3",
    "group/100 #4",
    "group/100 #5",
    "one",
    "several/first",
    "several/second",
    "inputs/double/1",
    "inputs/double/2",
    "inputs/triple/1",
    "inputs/triple/2",
    "over/5",
    "over/6",
    "functions/up",
    "functions/down",
    "async/iter",
    "async/batched",
    "async/batched_ref",
    "async/custom",
    "async/with_setup",
    "async/with_large_setup",
    "async/with_large_drop",
    "async_std",
    "ticks",
    "ticks/custom",
    "fault/panics",
    "fault/panics later",
    "fault/never iterates",
    "fault/prints",
    "fault/empty",
    "broken_target",
    "set up once",
    "smol",
    "tokio",
];

/// Those of [`NAMES`] that cannot be measured, and why.
const FAULTS: [(&str, &str); 5] = [
    (
        "ticks/custom",
        "it times itself by a `Measurement` whose values are not times, and perflab measures time",
    ),
    ("fault/panics", "it panicked: its data is missing"),
    ("fault/panics later", "it panicked: the fifth call"),
    (
        "fault/never iterates",
        "its function never calls `iter` or one of its kind, so there is nothing to time",
    ),
    ("broken_target", "it panicked: before its first benchmark"),
];

/// The names that do not depend on features.
fn expected() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(|name| !["smol", "tokio"].contains(name))
}

/// Whether a name stands for an executor that a feature brings.
fn of_feature(name: &str) -> bool {
    name == "smol" || name.starts_with("tokio/")
}

#[test]
fn a_target_lists_all_of_its_benchmarks() {
    let mut subject = Subject::start("forms");
    let names: Vec<String> = subject.names().into_iter().filter(|name| !of_feature(name)).collect();
    assert_eq!(names, expected().collect::<Vec<_>>());
    let listing = subject.ask(&json!({"op": "list"}));
    let of = |name: &str| {
        let benchmarks = listing["benchmarks"].as_array().unwrap();
        benchmarks.iter().find(|benchmark| benchmark["name"] == name).unwrap().clone()
    };
    let iter = of("iter");
    assert_eq!((&iter["answer"], &iter["unchecked"], &iter["slow"]), (&json!(1), &json!(true), &json!(true)));
    assert_eq!((&iter["payload"], &iter["elements"]), (&Value::Null, &Value::Null));
    let amounts = ["group/100", "group/100 #2", "group/100 #3", "group/100 #4", "group/100 #5"]
        .map(|name| (of(name)["payload"].as_u64(), of(name)["elements"].as_u64()));
    let bytes = (Some(100), None);
    assert_eq!(amounts, [bytes, bytes, bytes, (None, Some(100)), (Some(800), Some(100))]);
    assert_eq!(of("inputs/double/2")["elements"], 2);
    assert_eq!(listing["subject"], "forms");
    assert_eq!(subject.end(), (String::new(), Some(0)));
}

#[test]
fn every_benchmark_is_measured_or_says_why_not() {
    let mut subject = Subject::start("forms");
    for name in expected() {
        let prepared = subject.prepare(name);
        if let Some((_, why)) = FAULTS.iter().find(|(fault, _)| *fault == name) {
            assert_eq!(prepared["error"], format!("cannot be measured: {why}"), "{name}");
            continue;
        }
        assert_eq!(prepared["checksum"], 1, "{name}: {prepared}");
        assert!(prepared["call_ns"].as_u64() >= Some(1), "{name}: {prepared}");
        let turned = subject.turn(name);
        let slices = turned["slices"].as_array().unwrap_or_else(|| panic!("{name}: {turned}"));
        assert_eq!(slices.len(), 2, "{name}");
        for slice in slices {
            assert_eq!((&slice["iters"], &slice["checksum"]), (&json!(3), &json!(3)), "{name}");
        }
        if name == "iter_custom" {
            assert_eq!(slices[0]["wall_ns"], 3_000, "its own time");
        }
    }
    assert_eq!(subject.end(), (String::new(), Some(0)), "nothing is said that nobody asked for");
}

#[test]
fn benchmarks_are_found_in_any_order_and_what_is_set_up_once_is_set_up_once() {
    let mut subject = Subject::start("forms");
    let turn = |subject: &mut Subject, name: &str| {
        let turned = subject.turn(name);
        assert_eq!(turned["slices"][1]["checksum"], 3, "{name}: {turned}");
    };
    for name in
        ["set up once", "iter", "set up once", "batched/owned/LargeInput", "group/100 #3", "group/100"]
    {
        turn(&mut subject, name);
        turn(&mut subject, name);
    }
    // What cannot be measured is refused again, and what is not there is refused.
    let panics = subject.prepare("fault/panics");
    assert_eq!(subject.prepare("fault/panics"), panics);
    let known = subject.prepare("nobody")["error"].as_str().unwrap().to_owned();
    assert!(known.starts_with("unknown benchmark \"nobody\"; known: iter, "), "{known}");
    assert!(subject.ask(&json!({"op": "halt"}))["error"].as_str().unwrap().contains("unknown op"));
    turn(&mut subject, "iter");
    assert_eq!(subject.ask(&json!({"op": "count", "benchmark": "iter"})), json!({"checksum": 1}));
    assert_eq!(subject.end(), (String::new(), Some(0)));
}

#[test]
fn a_main_of_its_own_is_no_obstacle() {
    let mut subject = Subject::start("by_hand");
    let names = ["first", "second", "third/function", "third/function #2"];
    assert_eq!(subject.names(), names);
    for name in names.iter().rev().chain(&names) {
        assert_eq!(subject.prepare(name)["checksum"], 1, "{name}");
    }
    assert_eq!(subject.end(), (String::new(), Some(0)));
}

fn plainly(name: &str, args: &[&str]) -> (String, bool) {
    let output = Command::new(example(name)).args(args).env_remove("PERFLAB_PAD").output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

#[test]
fn without_the_lab_it_lists_calls_once_or_measures_shortly() {
    let (listed, _) = plainly("by_hand", &["--list"]);
    assert_eq!(
        listed,
        "first: benchmark\nsecond: benchmark\nthird/function: benchmark\nthird/function #2: benchmark\n"
    );
    let (called, succeeded) = plainly("by_hand", &["third"]);
    assert_eq!(called, "third/function: called once\nthird/function #2: called once\n");
    assert!(succeeded);
    let (measured, _) = plainly("by_hand", &["--bench", "--exact", "third/function"]);
    assert!(
        measured.starts_with("third/function: ") && measured.contains(" a call (median of "),
        "{measured}"
    );
    assert_eq!(measured.lines().count(), 1);
    assert_eq!(plainly("by_hand", &["--ignored"]), (String::new(), true));
    let (_, succeeded) = plainly("forms", &["fault/panics"]);
    assert!(!succeeded, "a panic fails `cargo test`");
}

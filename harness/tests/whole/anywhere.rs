//! Commands and files of other tools on set-ups that are not ours: no workspace, no compiler, processes left behind,
//! readers that go away.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::{alone, command, json, lab_in, only_folder, run_file, stderr, stdout};
use crate::processes::running_below;
use crate::workspace::Workspace;

/// A directory outside of every workspace, and a `PATH` with a few programs and no compiler.
struct Place {
    folder: TempDir,
    programs: TempDir,
}

impl Place {
    fn new() -> Self {
        let programs = tempfile::tempdir().unwrap();
        for name in ["sh", "true", "false", "sleep", "head"] {
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join(name))
                .find(|path| path.is_file());
            symlink(found.unwrap(), programs.path().join(name)).unwrap();
        }
        Self { folder: tempfile::tempdir().unwrap(), programs }
    }

    fn lab(&self, args: &[&str]) -> Command {
        let mut lab = command(self.folder.path());
        lab.args(args).env("PATH", self.programs.path()).env("XDG_RUNTIME_DIR", self.folder.path());
        lab.env_remove("CARGO_TARGET_DIR");
        lab
    }

    fn run(&self, code: i32, args: &[&str]) -> Output {
        let output = self.lab(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}{}", stdout(&output), stderr(&output));
        output
    }

    /// Compares two commands in two launches.
    fn compare(&self, code: i32, a: &str, b: &str, options: &[&str]) -> Output {
        let head = ["cmp", "commands", a, b, "--launches", "2", "--warmup", "1"];
        self.run(code, &[&head, options].concat())
    }
}

#[test]
fn a_lab_elsewhere_on_this_machine_is_waited_for_and_one_that_started_this_one_is_not() {
    let _alone = alone();
    let place = Place::new();
    let runtime = place.folder.path().join("perflab");
    fs::DirBuilder::new().mode(0o700).create(&runtime).unwrap();
    let held = fs::File::create(runtime.join("machine.lock")).unwrap();
    held.lock().unwrap();
    let mut waiting = place.lab(&["cmp", "commands", "true", "true", "--launches", "2"]);
    let mut waiting = waiting.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert_eq!(first, "note: another perflab works on this machine: waiting for it");
    drop(held);
    assert_eq!(lines.find(|line| line.as_ref().unwrap().contains("waiting")).map(Result::unwrap), None);
    assert_eq!(waiting.wait().unwrap().code(), Some(0));

    // A command that is measured may be a lab itself.
    let inner = format!("{} cmp commands true true --launches 2", env!("CARGO_BIN_EXE_perflab"));
    let output = place.compare(0, &inner, "true", &["--patience", "60s"]);
    assert!(!stderr(&output).contains("waiting"), "{}", stderr(&output));
    // Where no lock can be made, it is said, once.
    fs::remove_dir_all(&runtime).unwrap();
    fs::write(&runtime, "").unwrap();
    let said = stderr(&place.compare(0, "true", "true", &[]));
    let note = "note: labs of other workspaces are not kept out: ";
    assert_eq!(said.lines().filter(|line| line.starts_with(note)).count(), 1, "{said}");
}

#[test]
fn without_a_workspace_or_a_compiler_commands_are_compared_and_records_read() {
    let _alone = alone();
    let place = Place::new();
    let made = place.compare(0, "true", "sh -c true", &["--out", "my records"]);
    let record = only_folder(&place.folder.path().join("my records"));
    let shown = format!("my records/{}", record.file_name().unwrap().to_str().unwrap());
    let table = stdout(&made);
    assert!(table.contains(&format!("report  {shown}/report.html")), "{table}");
    assert!(table.contains(&format!("again  perflab report '{shown}'")), "{table}");
    assert!(!table.contains("rustc") && !table.contains("--full"), "{table}");
    for args in [
        &["report", &shown][..],
        &["analyse", &shown],
        &["history", "my records"],
        &["export", "go", &shown],
        &["cmp", "records", &shown, &shown],
    ] {
        place.run(0, args);
    }
    let doctor = stdout(&place.run(0, &["doctor"]));
    assert!(doctor.contains("no rustc that can be run") && doctor.contains("no Cargo.toml here"), "{doctor}");
}

#[test]
fn a_command_ends_with_its_own_process_and_signals_nobody_else() {
    let _alone = alone();
    let place = Place::new();
    // Its child keeps stderr open.
    let leaves = place.compare(0, "true", "sh -c 'sleep 300 & true'", &["--patience", "100s"]);
    let said = stderr(&leaves);
    assert_eq!(said.matches("B: it left processes running").count(), 1, "{said}");
    assert_eq!(running_below(place.folder.path()), [""; 0], "what it left was ended");
    // A signal to the whole process group, as `trap 'kill 0' EXIT` sends it.
    let stopped = place.compare(1, "true", "sh -c 'kill 0; sleep 60'", &["--format", "json"]);
    let reason = &json(&stopped)["analysis"]["failures"][0]["reason"];
    assert_eq!((&reason["kind"], &reason["signal"]), (&"signal".into(), &15.into()), "{reason}");
    let said = stderr(&stopped);
    assert!(said.contains("B: signal 15 ended it") && !said.contains("record"), "{said}");
    let slow = place.compare(1, "true", "sleep 60", &["--patience", "100ms"]);
    let said = stderr(&slow) + &stdout(&slow);
    assert!(said.contains("allow it more with --patience") && !said.contains("`long`"), "{said}");
}

#[test]
fn exit_codes_of_ignored_failures_are_kept() {
    let _alone = alone();
    let place = Place::new();
    let options = ["--ignore-failure", "--out", "records", "--export", "hyperfine=rows.json"];
    let made = place.compare(0, "sh -c 'exit 3'", "sh -c 'kill -TERM $$'", &options);
    let said = stderr(&made);
    assert!(said.contains("A: 2 of 2 runs exited with code 3; they count"), "{said}");
    assert!(said.contains("B: 2 of 2 runs were ended by signal 15; they count"), "{said}");
    let rows: Value =
        serde_json::from_str(&fs::read_to_string(place.folder.path().join("rows.json")).unwrap()).unwrap();
    assert_eq!(rows["results"][0]["exit_codes"], serde_json::json!([3, 3]));
    assert_eq!(rows["results"][1]["exit_codes"], serde_json::json!([null, null]));
    let record = only_folder(&place.folder.path().join("records"));
    let file: Value = serde_json::from_str(&fs::read_to_string(record.join("run.json")).unwrap()).unwrap();
    assert_eq!(file["launches"][1]["arms"][1]["signal"], 15);
    let command = file["command"].as_str().unwrap();
    assert!(command.ends_with("--ignore-failure --noise-threshold 1 --patience 10m"), "{command}");
}

#[test]
fn odd_words_and_places_lose_no_run() {
    let _alone = alone();
    let place = Place::new();
    let long = format!("sh -c ': {}'", "x".repeat(70_000));
    let table = stdout(&place.compare(0, "true", &long, &[]));
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{}", table.len());

    // A narrow terminal of a locale without signs.
    let mut narrow = place.lab(&["cmp", "commands", "true", "false", "--launches", "2"]);
    let narrow = narrow.env("COLUMNS", "40").env("LC_ALL", "C").output().unwrap();
    let (table, said) = (stdout(&narrow), stderr(&narrow));
    assert!(table.is_ascii() && said.is_ascii(), "{table}{said}");
    assert!(table.lines().all(|line| line.len() <= 48), "{table}");

    let odd = place.folder.path().join(OsStr::from_bytes(b"odd-\xff"));
    fs::create_dir(&odd).unwrap();
    for (b, code) in [("sh -c 'echo one'", 0), ("sh -c 'echo two'", 1)] {
        let mut lab = place.lab(&["cmp", "commands", "sh -c 'echo one'", b, "--launches", "2"]);
        let output = lab.args(["--check-output", "--format", "json", "--out"]).arg(&odd).env("TMPDIR", &odd);
        let output = output.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(json(&output)["record"].as_str().unwrap().contains("odd-\u{fffd}"));
    }
}

/// Runs a script in which `lab` compares two commands, in a mount namespace of its own, and returns what the record says
/// of the machine; the error is what was said where this machine does not let the script have its way.
fn environment(place: &Place, script: &str) -> Result<Value, String> {
    let lab = place.lab(&["cmp", "commands", "true", "true", "--launches", "2", "--format", "json"]);
    let words: Vec<&OsStr> = std::iter::once(lab.get_program()).chain(lab.get_args()).collect();
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh"]).args(words).current_dir(place.folder.path());
    shell.env("XDG_RUNTIME_DIR", place.folder.path()).env_remove("CARGO_TARGET_DIR");
    let output = shell.output().unwrap();
    let said = stderr(&output);
    if [Some(77), Some(127)].contains(&output.status.code()) || said.contains("unshare") {
        return Err(said);
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    Ok(json(&output)["environment"].clone())
}

#[test]
fn what_the_system_withholds_is_not_claimed_and_loses_no_run() {
    let _alone = alone();
    let place = Place::new();
    let hidden = "mount -t proc -o subset=pid proc /proc || exit 77; \"$@\"";
    match environment(&place, hidden) {
        Ok(found) => assert_eq!(found["load"], Value::Null),
        Err(said) => println!("skipped: /proc cannot be mounted with subset=pid here: {said}"),
    }
    // Root without the right to raise priorities, as in most containers.
    let bound = "setpriv --bounding-set -sys_nice --inh-caps -sys_nice true || exit 77; \
                 nice > nice; setpriv --bounding-set -sys_nice --inh-caps -sys_nice \"$@\"";
    match environment(&place, bound) {
        Ok(found) => {
            let own = fs::read_to_string(place.folder.path().join("nice")).unwrap();
            assert_eq!(found["nice"].to_string(), own.trim());
        }
        Err(said) => println!("skipped: no right can be given up here: {said}"),
    }
    let quota = "group=/sys/fs/cgroup/cpu/perflab-test-$$; mkdir $group 2>/dev/null || exit 77; \
                 echo 150000 > $group/cpu.cfs_quota_us && echo 100000 > $group/cpu.cfs_period_us || \
                 { rmdir $group; exit 77; }; (sh -c 'echo $PPID' > $group/cgroup.procs; \"$@\"); code=$?; rmdir $group; exit $code";
    match environment(&place, quota) {
        // A group above may have less.
        Ok(found) => assert!(found["quota"].as_f64().is_some_and(|cores| cores <= 1.5), "{found:#}"),
        Err(said) => println!("skipped: no control group can be made here: {said}"),
    }
}

/// Starts the lab with one of its streams going to somebody who does not read it, and returns its exit code.
fn unread(place: &Place, args: &[&str], stream: &str, reader: &str) -> Option<i32> {
    let gone = || match reader {
        "full" => Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap()),
        _ => {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            Stdio::from(writer)
        }
    };
    let mut lab = place.lab(args);
    lab.stdout(Stdio::null()).stderr(Stdio::null());
    match stream {
        "stdout" => lab.stdout(gone()),
        _ => lab.stderr(gone()),
    };
    lab.status().unwrap().code()
}

#[test]
fn a_reader_that_goes_away_changes_no_exit_code_and_loses_no_run() {
    let _alone = alone();
    let place = Place::new();
    let compare = |b| ["cmp", "commands", "true", b, "--launches", "2", "--warmup", "1", "--out", "records"];
    for (stream, reader, fine) in
        [("stdout", "gone", 0), ("stdout", "full", 2), ("stderr", "gone", 0), ("stderr", "full", 0)]
    {
        assert_eq!(unread(&place, &compare("true"), stream, reader), Some(fine), "{stream} {reader}");
        assert_eq!(unread(&place, &compare("false"), stream, reader), Some(1), "{stream} {reader}");
    }
    let records: Vec<PathBuf> = fs::read_dir(place.folder.path().join("records"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(records.len(), 8, "each has a directory of its own");
    assert!(records.iter().all(|record| record.join("report.html").is_file()));
}

#[test]
fn what_cannot_be_written_keeps_nobody_from_reading_the_result() {
    let _alone = alone();
    let place = Place::new();
    let blocked = place.folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let output = place.compare(2, "true", "true", &["--export", "junit=file/rows.xml"]);
    assert!(stdout(&output).contains("wall time"), "{}", stdout(&output));
    assert!(stderr(&output).contains("cannot write file/rows.xml"), "{}", stderr(&output));
}

/// Criterion's files of one result, kept below a directory.
fn criterion(root: &Path, directory: &str, group: &str, function: &str, kept_as: &str, nanos: f64) {
    let folder = root.join(directory).join(kept_as);
    fs::create_dir_all(&folder).unwrap();
    let statistic = serde_json::json!({
        "confidence_interval": { "confidence_level": 0.95, "lower_bound": nanos - 1.0, "upper_bound": nanos + 1.0 },
        "point_estimate": nanos,
        "standard_error": 0.5,
    });
    let estimates = serde_json::json!({ "mean": statistic, "slope": null });
    let benchmark = serde_json::json!({
        "group_id": group,
        "function_id": function,
        "value_str": null,
        "throughput": { "Bytes": 1000 },
        "full_id": format!("{group}/{function}"),
        "directory_name": directory,
    });
    // As a shell of Windows writes it.
    fs::write(folder.join("estimates.json"), format!("\u{feff}{estimates}\r\n")).unwrap();
    fs::write(folder.join("benchmark.json"), benchmark.to_string()).unwrap();
}

#[test]
fn names_that_read_alike_and_runs_that_lie_side_by_side_stay_apart() {
    let place = Place::new();
    let root = place.folder.path();
    for (day, nanos) in [("monday", 100.0), ("tuesday", 300.0)] {
        let run = root.join(day).join("criterion");
        criterion(&run, "a_b/c", "a/b", "c", "new", nanos);
        criterion(&run, "a_b/c", "a/b", "c", "base", 7.0);
        criterion(&run, "a/b_c", "a", "b/c", "new", nanos * 2.0);
    }
    let bencher = |path: &str, code: i32| -> Value {
        serde_json::from_str(&stdout(&place.run(code, &["export", "bencher", path]))).unwrap()
    };
    let rows = bencher("monday", 0);
    assert_eq!(rows.as_object().unwrap().len(), 2, "the copy of the last run is none: {rows:#}");
    assert_eq!(rows["a/b/c (group a/b) (new)"]["latency"]["value"], 100.0);
    assert_eq!(rows["a/b/c (group a) (new)"]["latency"]["value"], 200.0);
    assert_eq!(rows["a/b/c (group a/b) (new)"]["bytes-per-second"]["value"], 1e10);

    let says = json(&place.run(0, &["history", ".", "--format", "json"]));
    let series = says["history"]["series"].as_array().unwrap();
    assert_eq!(series.len(), 2, "{series:#?}");
    let points = series[0]["points"].as_array().unwrap();
    let records: Vec<&str> = points.iter().map(|point| point["record"].as_str().unwrap()).collect();
    assert_eq!(records, ["monday/criterion", "tuesday/criterion"]);
    let says = json(&place.run(0, &["history", "monday", "tuesday/criterion", "--format", "json"]));
    let points = says["history"]["series"][0]["points"].as_array().unwrap();
    let records: Vec<&str> = points.iter().map(|point| point["record"].as_str().unwrap()).collect();
    assert_eq!(records, ["monday/criterion", "tuesday/criterion"], "one name, two directories");
    let said = stderr(&place.run(2, &["export", "go", "."]));
    assert!(said.starts_with("error: . holds 2 runs of other tools: name one of them"), "{said}");

    // One file that cannot be read is named, and the others are written.
    fs::write(root.join("monday/criterion/a_b/c/new/estimates.json"), "{}").unwrap();
    let output = place.run(1, &["export", "bencher", "monday"]);
    assert!(stdout(&output).contains("a/b/c (new)"), "{}", stdout(&output));
    assert!(stderr(&output).contains("a_b/c/new: estimates.json is not as criterion"), "{}", stderr(&output));
    let says = json(&place.run(0, &["history", ".", "--format", "json"]));
    assert_eq!(says["skipped"].as_array().unwrap().len(), 1, "{says:#}");
}

/// One of gungraun's summaries.
fn summary(root: &Path, package: &str, instructions: u64) {
    let folder = root.join(package).join("counts/parse/short.small");
    fs::create_dir_all(&folder).unwrap();
    let summary = serde_json::json!({
        "version": "7",
        "module_path": "counts::parse::short",
        "id": "small",
        "package_dir": format!("/somewhere/crates/{package}"),
        "profiles": [{
            "tool": "Callgrind",
            "data": { "total": { "metrics": { "Ir": { "values": { "new": instructions, "old": null } } } } },
        }],
    });
    fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
}

#[test]
fn equal_benches_of_two_packages_are_told_apart_and_nothing_is_a_value() {
    let place = Place::new();
    for (day, counts) in [("monday", [0, 500]), ("tuesday", [7, 500])] {
        let root = place.folder.path().join(day).join("gungraun");
        summary(&root, "one", counts[0]);
        summary(&root, "two", counts[1]);
    }
    let go = stdout(&place.run(0, &["export", "go", "monday"]));
    assert!(go.contains("(package_one)") && go.contains("(package_two)"), "{go}");
    let says = json(&place.run(0, &["history", ".", "--format", "json"]));
    let series = says["history"]["series"].as_array().unwrap();
    assert_eq!(series.len(), 2, "{series:#?}");
    assert!(series.iter().all(|series| series["points"].as_array().unwrap().len() == 2), "{series:#?}");
    let table = stdout(&place.run(0, &["history", "."]));
    assert!(!table.contains("inf"), "{table}");
}

/// The bare subject with another name, written as JSON within a literal of Rust, and listed so many times.
fn subject(name: &str, times: usize) -> String {
    let source = include_str!("bare_subject.rs");
    let entry = r#"{{\"name\":\"bits\",\"answer\":{answer},\"count_answer\":{answer}}}"#;
    assert!(source.contains(entry));
    source.replace(entry, &vec![entry.replace("bits", name); times].join(","))
}

#[test]
fn names_of_any_letters_are_asked_for_and_shown_and_none_is_there_twice() {
    let _alone = alone();
    let workspace = Workspace::new();
    let root = workspace.root();
    workspace.write("src/main.rs", &subject(r"f(1,2) `x` __y__|\\u001b[31m", 1));
    workspace.suite("odd", &["plain"]);
    let name = "f(1,2) `x` __y__|\u{1b}[31m";
    let asked = name.replace(',', r"\,");
    let args = ["run", "--suite", "odd.toml", "--benchmarks", &asked, "--out", "records"];
    let table = stdout(&lab_in(root, 0, &args));
    assert!(table.contains("␛[31m") && !table.contains('\u{1b}'), "{table}");
    let record = only_folder(&root.join("records"));
    let file = run_file(&record).unwrap();
    assert_eq!(file["plan"]["benchmarks"][0]["name"], name);
    assert!(file["command"].as_str().unwrap().contains("--benchmarks "), "{}", file["command"]);
    let report = fs::read_to_string(record.join("report.md")).unwrap();
    assert!(report.contains(r"| f(1,2) \`x\` \_\_y\_\_\|␛\[31m |"), "{report}");
    for entry in fs::read_dir(record.join("charts")).unwrap() {
        let svg = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(svg.chars().all(|letter| letter == '\n' || !letter.is_control()), "{svg}");
    }

    workspace.write("src/main.rs", &subject("bits", 2));
    let said = stderr(&lab_in(root, 2, &["verify", "--suite", "odd.toml"]));
    assert!(said.contains("the subject has several benchmarks named \"bits\""), "{said}");
}

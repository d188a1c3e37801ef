//! What is wrong is said in a sentence or two, with the place where there is one, and the code is 2.

use std::fs;
use std::process::Command;

use crate::lab::{alone, command, lab, root, stderr, suite};

/// A copy of a suite with one text replaced, and what `plan` says to it.
fn fault(from: &str, to: &str) -> String {
    let text = fs::read_to_string(root().join(suite("effects"))).unwrap();
    assert!(text.contains(from), "{from}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("suite.toml");
    fs::write(&file, text.replacen(from, to, 1)).unwrap();
    let said = stderr(&lab(2, &["plan", "--suite", file.to_str().unwrap()]));
    said.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn faults_of_a_suite_have_a_line_and_a_column() {
    let unknown = fault("flagsets = [\"x86-64\"]", "flagsets = [\"x86-64\", \"znver4x\"]");
    assert!(
        unknown.starts_with("error: suite.toml:6:23: unknown flag set \"znver4x\"\n       known: native, "),
        "{unknown}"
    );
    assert!(unknown.contains("(did you mean \"znver4\"?)"), "{unknown}");
    let typo = fault("[budget]", "[budgte]");
    assert!(typo.starts_with("error: suite.toml:17:2: unknown field `budgte`"), "{typo}");
    let broken = fault("name = \"effects\"", "name = effects");
    assert!(broken.starts_with("error: suite.toml:2:8: "), "{broken}");
    let marginless = fault("speed_up = [2.0]\n", "");
    assert!(
        marginless.starts_with("error: suite.toml:21:1: claim \"half\" has no margins\n"),
        "{marginless}"
    );
    assert!(marginless.contains("write speed_up = [1.10, 1.30]"), "{marginless}");
}

#[test]
fn unknown_names_on_the_command_line_are_named() {
    let said = stderr(&lab(2, &["plan", "--suite", &suite("effects"), "--flagsets", "slowr"]));
    assert!(
        said.starts_with("error: --flagsets: unknown arm \"slowr\"")
            && said.contains("did you mean \"slower\""),
        "{said}"
    );
    let said = stderr(&lab(2, &["plan", "--suite", "no/such/suite.toml"]));
    assert!(
        said.starts_with("error: cannot read the suite no/such/suite.toml: name one with --suite FILE"),
        "{said}"
    );
    let _alone = alone();
    let out = tempfile::tempdir().unwrap();
    let shown = out.path().to_str().unwrap();
    for verb in ["run", "measure"] {
        let args = [verb, "--suite", &suite("nobody-measures"), "--benchmarks", "chian", "--out", shown];
        let args = args.map(|arg| {
            if arg.contains("nobody-measures") { "harness/fixtures/suites/stopped.toml" } else { arg }
        });
        let said = stderr(&lab(2, &args));
        assert!(
            said.contains("error: --benchmarks: unknown benchmark \"chian\": perflab verify lists them all"),
            "{said}"
        );
    }
    assert_eq!(out.path().read_dir().unwrap().count(), 0, "no record of a slip of the pen");
}

#[test]
fn wrong_options_are_usage_errors() {
    for args in [
        &["--no-such-option"][..],
        &["analyse"],
        &["plan", "--launches", "0"],
        &["run", "--quick", "--full"],
        &["frobnicate"],
    ] {
        let said = stderr(&lab(2, args));
        assert!(said.starts_with("error: ") && said.contains("--help"), "{args:?}: {said}");
    }
    let empty = tempfile::tempdir().unwrap();
    let said = stderr(&crate::lab::lab_in(empty.path(), 2, &["plan"]));
    assert_eq!(said, "error: no Cargo.toml here or above: start perflab inside a Cargo workspace\n");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let _alone = alone();
    let args = ["measure", "--suite", &suite("stopped"), "--launches", "1", "--out", "/proc/no-records-here"];
    let said = stderr(&lab(2, &args));
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(
        errors[0].starts_with("error: records cannot be written to /proc/no-records-here: No such file"),
        "{said}"
    );
}

#[test]
fn a_disk_that_fills_up_keeps_the_finished_launches() {
    let folder = tempfile::tempdir().unwrap();
    // In a mount namespace of its own: what is mounted goes with the process.
    let script = r#"mount -t tmpfs -o size=96k none "$2" || exit 77
        "$1" measure --suite "$3" --out "$2"; code=$?
        "$1" analyse "$2"/* --format json; echo "read $?" >&2
        exit $code"#;
    let _alone = alone();
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_perflab")]).arg(folder.path());
    shell.arg(suite("stopped")).current_dir(root());
    for (name, value) in command(&root()).get_envs() {
        value.map(|value| shell.env(name, value)).is_none().then(|| shell.env_remove(name));
    }
    let output = shell.output().unwrap();
    let said = stderr(&output);
    if output.status.code() == Some(77) || said.contains("unshare") {
        println!("skipped: no tmpfs can be mounted here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{said}");
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(errors[0].contains("cannot write") && errors[0].contains("No space left on device"), "{said}");
    assert!(said.contains("read 0"), "{said}");
    let says: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(says["analysis"]["launches"].as_u64() > Some(0), "{said}");
}

//! The same calls counted by single steps and by Valgrind.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use object::{Object as _, ObjectSymbol as _};

use crate::counts::{counts, instructions};
use crate::lab::{json, target};

/// The function of the subject library that makes the counted call, as the linker knows it.
fn counted_function(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let object = object::File::parse(&*bytes).unwrap();
    let names: Vec<&str> = object.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    let this =
        |name: &&&str| format!("{:#}", rustc_demangle::demangle(name)) == "perflab_subject::serve::counted";
    names.iter().find(this).expect("the function that makes the counted call").to_string()
}

/// Instructions of that function and all that it calls, by Callgrind.
fn by_callgrind(file: &Path, function: &str, benchmark: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--demangle=no", "--collect-atstart=no"]);
    valgrind
        .arg(format!("--toggle-collect={function}"))
        .arg(format!("--callgrind-out-file={}", out.display()));
    let mut child = valgrind.arg(file).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let request = format!("{{\"op\":\"count\",\"benchmark\":\"{benchmark}\"}}\n");
    child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let text = std::fs::read_to_string(out).unwrap();
    let totals =
        text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap_or_else(|| panic!("{text}"));
    totals.trim().parse().unwrap()
}

#[test]
fn single_steps_and_callgrind_agree_to_the_instruction() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: Valgrind is not installed");
        return;
    }
    // None of them calls the C library, which chooses its memory functions by the CPU: Valgrind's has no AVX-512.
    let names = ["nothing", "scalar/100", "scalar/1100", "mix/100", "mix/1100"];
    let says = json(&counts(0, &names.join(","), &["--format", "json"]));
    let file =
        target().join("perflab/bundles/perflab-fixtures-counted-subject-x86-64-release/counted-subject");
    let function = counted_function(&file);
    let stepped = |name: &str| instructions(&says, name)[0];
    let ground = |name: &str| by_callgrind(&file, &function, name);
    // Callgrind counts the marks too, which single steps leave out: both are held against the empty call.
    let (no_steps, nothing) = (stepped("nothing"), ground("nothing"));
    for name in &names[1..] {
        assert_eq!(stepped(name) - no_steps, ground(name) - nothing, "{name}");
    }
}

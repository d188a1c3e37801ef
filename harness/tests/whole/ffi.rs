//! Calls from Python, with the floor in C: from the suite to the record, and every way to fail.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::lab::{Record, alone, json, lab, lab_in, stderr, stdout, suite, target};
use crate::processes::running_below;
use crate::workspace::Workspace;

const HEAD: &str = r#"name = "calls"
workload = "ffi"
baseline = "c-api"

[budget]
quick = { launches = 2, patience_ms = 4000 }
full = { launches = 3, patience_ms = 4000 }

[[arm]]
name = "c-api"
shape = "c-api"

[[arm]]
name = "ctypes"
shape = "ctypes"
source = "twin.c"
library = "perflab_floor"

[[arm]]
name = "pure"
shape = "pure"
"#;

/// What a test says where there is no compiler or no header.
const SKIPPED: &str = "skipped: this needs python3 with its headers and cc (apt-get install python3-dev gcc)";

/// Whether Python modules in C can be built here.
fn can_build() -> bool {
    let question =
        "import os, sysconfig; print(os.path.isfile(sysconfig.get_paths()['include'] + '/Python.h'))";
    let says = |program: &str, args: &[&str]| Command::new(program).args(args).output();
    let headers = says("python3", &["-c", question]).is_ok_and(|output| output.stdout.starts_with(b"True"));
    let compiler = says("cc", &["--version"]).is_ok_and(|output| output.status.success());
    headers && compiler
}

/// The source of the floor with one thing changed.
fn changed(from: &str, to: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ffi/floor.c");
    let source = fs::read_to_string(path).unwrap();
    assert!(source.contains(from), "{from}");
    source.replacen(from, to, 1)
}

/// A workspace with a suite of these arms beside the sound ones.
fn workspace(arms: &[(&str, String)], benchmarks: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    let mut text = HEAD.replacen("[budget]", &format!("benchmarks = {benchmarks:?}\n\n[budget]"), 1);
    workspace.write("twin.c", &changed("METH_NOARGS", "METH_NOARGS"));
    for (name, source) in arms {
        workspace.write(&format!("{name}.c"), source);
        text += &format!(
            "\n[[arm]]\nname = {name:?}\nshape = \"c-api\"\nsource = \"{name}.c\"\nlibrary = \"perflab_floor\"\n"
        );
    }
    workspace.write("calls.toml", &text);
    workspace
}

#[test]
fn calls_are_timed_on_fresh_layouts_and_their_failures_are_rows() {
    if !can_build() {
        println!("{SKIPPED}");
        return;
    }
    let _alone = alone();
    let arms =
        [
            ("wrong", changed("(uint64_t)a + (uint64_t)b", "(uint64_t)a - (uint64_t)b")),
            ("hangs", changed("    Py_RETURN_NONE;", "    for (;;) {\n    }")),
            ("crashes", changed("    Py_RETURN_NONE;", "    abort();")),
            (
                "unloadable",
                changed("    return PyModule_Create", "    not_there();\n    return PyModule_Create")
                    .replacen("#define EXPORTED", "extern void not_there(void);\n#define EXPORTED", 1),
            ),
            ("nonsense", "this is not C\n".to_owned()),
        ];
    let workspace = workspace(&arms, &["ffi/nothing", "ffi/add", "ffi/sum_dict/16", "ffi/spin_held"]);
    let record = Record::made_in(workspace.root(), 1, "calls.toml", &[]);
    let mut failures = record.failures();
    failures.sort_unstable();
    assert_eq!(
        failures,
        [
            "crashes, ffi/nothing: signal",
            "ctypes, ffi/spin_held: not_offered",
            "ctypes, ffi/sum_dict/16: not_offered",
            "hangs, ffi/nothing: timed_out",
            "nonsense: not_built",
            "pure, ffi/spin_held: not_offered",
            "unloadable: exited",
            "wrong, ffi/add: wrong_answer",
        ]
    );
    assert_eq!(running_below(&target()), [""; 0], "what hung is ended");
    for (benchmark, arm) in
        [("ffi/nothing", "pure"), ("ffi/nothing", "ctypes"), ("ffi/add", "hangs"), ("ffi/spin_held", "wrong")]
    {
        let row = record.row(benchmark, arm);
        assert_eq!(row["launches"].as_array().map(Vec::len), Some(2), "{row:#}");
        assert!(row["value"].as_f64() > Some(0.0), "{row:#}");
    }
    let file = record.file();
    let python = &file["environment"]["python"];
    assert!(python["version"].as_str().is_some_and(|version| version.starts_with("3.")), "{python:#}");
    the_layouts_differ(&file);
    every_slice_has_its_empty_loop(&record.folder);
    let table = stdout(&lab_in(workspace.root(), 1, &["analyse", record.folder.to_str().unwrap()]));
    let flowing = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "unloadable: the process ended by itself with code 1: “the library cannot be loaded:",
        "ffi/sum_dict/16, ffi/spin_held under ctypes: there is no plain C function",
        "a call, × c-api",
    ] {
        assert!(flowing.contains(said), "{said} is missing in\n{table}");
    }
    for chart in ["calls.svg", "forest.svg"] {
        assert!(record.folder.join("charts").join(chart).metadata().unwrap().len() > 1000, "{chart}");
    }
}

/// Every launch of a library that the lab links has a layout of its own; Python code has none.
fn the_layouts_differ(file: &serde_json::Value) {
    let arms = file["plan"]["arms"].as_array().unwrap();
    let pure = arms.iter().position(|arm| arm["name"] == "pure").unwrap() as u64;
    let launches = file["launches"].as_array().unwrap();
    let processes: Vec<_> = launches.iter().flat_map(|launch| launch["arms"].as_array().unwrap()).collect();
    let linked: Vec<u64> = processes
        .iter()
        .filter(|process| process["arm"] != pure)
        .map(|process| process["layout"].as_u64().unwrap())
        .collect();
    let mut distinct = linked.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(linked.len() > 4 && distinct.len() == linked.len(), "{linked:?}");
    assert!(processes.iter().any(|process| process["arm"] == pure && process["layout"].is_null()));
}

fn every_slice_has_its_empty_loop(folder: &Path) {
    let raw = fs::read_to_string(folder.join("raw.csv")).unwrap();
    let mut lines = raw.lines();
    assert!(lines.next().unwrap().ends_with(",value,unit,cpu_ns,loop_ns"));
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let (wall, empty): (u64, u64) = (cells[7].parse().unwrap(), cells[10].parse().unwrap());
        assert!(wall > 0 && empty > 0 && cells[8] == "ns", "{line}");
    }
}

#[test]
fn answers_of_calls_are_verified_and_libraries_are_only_what_loads() {
    if !can_build() {
        println!("{SKIPPED}");
        return;
    }
    let _alone = alone();
    let workspace = workspace(&[], &[]);
    let text = stdout(&lab_in(workspace.root(), 0, &["verify", "--suite", "calls.toml"]));
    assert!(
        text.contains("c-api              ") && text.contains("benchmarks: ffi/nothing ffi/add"),
        "{text}"
    );
    let arm = "\n[[arm]]\nname = \"given\"\nshape = \"cython\"\nlibrary = \"m\"\n";
    let suite = fs::read_to_string(workspace.root().join("calls.toml")).unwrap();
    workspace.write("given.toml", &format!("{suite}{arm}file = \"twin.c\"\n"));
    workspace.write("absent.toml", &format!("{suite}{arm}file = \"none.so\"\n"));
    let says = json(&lab_in(workspace.root(), 1, &["verify", "--suite", "given.toml", "--format", "json"]));
    let failed = |says: &serde_json::Value| {
        says["failures"].as_array().unwrap().iter().find(|failure| failure["arm"] == "given").unwrap().clone()
    };
    assert_eq!(failed(&says)["reason"]["kind"], "exited");
    let says = json(&lab_in(workspace.root(), 0, &["verify", "--suite", "absent.toml", "--format", "json"]));
    assert_eq!(failed(&says)["reason"]["what"], "there is no none.so");
}

#[test]
fn without_python_every_arm_says_what_to_install() {
    let _alone = alone();
    let workspace = workspace(&[], &[]);
    let record = Record::made_in(workspace.root(), 1, "calls.toml", &["--python", "/no/such/python"]);
    assert_eq!(
        record.failures(),
        ["c-api: missing_tool", "ctypes: missing_tool", "pure: missing_tool", "c-api (A/A): missing_tool"]
    );
    let file = record.file();
    assert_eq!((&file["state"], file["launches"].as_array().map(Vec::len)), (&"finished".into(), Some(0)));
    let table = stdout(&lab_in(workspace.root(), 1, &["analyse", record.folder.to_str().unwrap()]));
    let flowing = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("there is no /no/such/python: install CPython 3.9 or later"), "{table}");
}

#[test]
fn an_interpreter_belongs_to_suites_that_call_from_one() {
    let said = stderr(&lab(2, &["plan", "--suite", &suite("effects"), "--python", "python3"]));
    assert!(said.starts_with("error: --python: suite effects calls from no interpreter"), "{said}");
}

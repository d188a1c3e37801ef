//! What concerns a change: coverage of its lines, the tests that it needs, the gate.

use serde_json::json;

use crate::support::{RUST, answer, members, nothing, refusal, repository, write};

const REPORT: &str = "SF:/ci/build/src/lib.rs\nDA:1,1\nDA:2,1\nDA:5,1\nDA:6,1\nDA:7,0\nDA:8,0\nDA:15,1\nend_of_record\n\
                      SF:/usr/lib/other.rs\nDA:1,0\nend_of_record\n";

#[test]
fn coverage_is_of_files_here_and_says_what_is_not() {
    let place = repository();
    write(&place, "lcov.info", REPORT);
    let mut process = place.server(&[]);
    let coverage = answer(&mut process, "coverage", json!({"report": "lcov.info"}));
    assert_eq!((&coverage["lines"]["found"], &coverage["lines"]["hit"]), (&json!(7), &json!(5)));
    assert_eq!(
        coverage["files"],
        json!([{"path": "src/lib.rs", "lines": {"found": 7, "hit": 5, "percent": 71.43},
        "gaps": [[7, 8]]}])
    );
    assert_eq!(
        (&coverage["unmapped"], &coverage["unmapped_paths"][0]),
        (&json!(1), &json!("/usr/lib/other.rs"))
    );
    // Only what changed.
    write(&place, "src/lib.rs", RUST.replace("if *x > a", "if *x >= a").replace("    a + 1", "    a + 2"));
    let changed = answer(&mut process, "coverage", json!({"report": "lcov.info", "base": "HEAD"}));
    assert_eq!((&changed["lines"]["found"], &changed["lines"]["hit"]), (&json!(2), &json!(1)));
    assert_eq!(changed["files"][0]["gaps"], json!([[8, 8]]));
    assert!(changed["notices"][0].as_str().unwrap().contains("changed after the report"), "{changed}");
}

#[test]
fn tests_are_selected_by_what_they_depend_on() {
    let place = repository();
    let mut process = place.server(&[]);
    let none = answer(&mut process, "select_tests", nothing());
    assert_eq!((&none["selected"], &none["total"]), (&json!(0), &json!(2)));
    write(&place, "pkg/core.py", "def run(a):\n    return 1\n");
    let one = answer(&mut process, "select_tests", nothing());
    assert_eq!(members(&one["tests"], "name"), ["tests/test_core.py"]);
    assert_eq!((&one["tests"][0]["reason"], &one["miss_risk"]["at_most"]), (&json!("depends"), &json!(1.0)));
    let map = json!({"format": "quality-map 1", "tests": {"tests/test_core.py::test_run": {"pkg/core.py": [[1, 4]]},
        "tests/test_other.py::test_other": {"tests/test_other.py": [[1, 5]]}}, "observed": {"failures": 300, "missed": 0}});
    write(&place, "target/map.json", map.to_string());
    write(&place, ".gitignore", "target/\n");
    crate::support::commit(&place, "map");
    write(&place, "pkg/core.py", "def run(a):\n    return 3\n");
    let mapped = answer(&mut process, "select_tests", json!({"map": "target/map.json"}));
    assert_eq!(members(&mapped["tests"], "name"), ["tests/test_core.py::test_run"], "{mapped}");
    let bound = mapped["miss_risk"]["at_most"].as_f64().unwrap();
    assert!((bound - 0.009_94).abs() < 1e-4, "{bound}");
    write(&place, "pyproject.toml", "[project]\n");
    let all = answer(&mut process, "select_tests", nothing());
    assert_eq!(all["selected"], 2);
    assert!(all["everything"].as_str().unwrap().starts_with("pyproject.toml is new"), "{all}");
}

#[test]
fn the_gate_judges_new_code_alone() {
    let place = repository();
    let mut process = place.server(&[]);
    let condition = |gate: &serde_json::Value, name: &str| {
        let all = gate["conditions"].as_array().unwrap().clone();
        all.into_iter().find(|condition| condition["name"] == name).unwrap()
    };
    let gate = answer(&mut process, "gate", nothing());
    assert_eq!(gate["answer"], "undecided", "{gate}");
    assert_eq!(condition(&gate, "tests")["answer"], "undecided");
    assert!(gate["notices"][0].as_str().unwrap().contains("nothing is different"), "{gate}");
    write(&place, "quality.toml", "[gate]\ntests = false\n");
    let gate = answer(&mut process, "gate", nothing());
    assert_eq!(
        (&gate["answer"], &condition(&gate, "tests")["answer"]),
        (&json!("pass"), &json!("not_checked"))
    );
    assert!(gate["notices"][0].as_str().unwrap().contains("quality.toml"), "{gate}");
    write(&place, "pkg/core.py", "def run(a, b=[]):\n    return eval(a)\n");
    write(&place, "lcov.info", "SF:pkg/core.py\nDA:1,1\nDA:2,0\nend_of_record\n");
    write(&place, "quality.toml", "[gate]\ncyclomatic = 3\nperformance = true\n");
    let gate = answer(&mut process, "gate", json!({"report": "lcov.info"}));
    assert_eq!(gate["answer"], "fail");
    assert_eq!(condition(&gate, "new_line_coverage")["places"], json!(["pkg/core.py:2 was not run"]));
    assert_eq!(condition(&gate, "new_findings")["places"].as_array().unwrap().len(), 2);
    assert_eq!(condition(&gate, "complexity")["answer"], "pass");
    assert_eq!(condition(&gate, "performance")["answer"], "undecided");
    let row = |verdict: &str| json!({"benchmark": "b", "arm": "x", "verdict": verdict});
    let record = json!({"judgement": {"rows": [row("improved"), row("regressed")], "controls": []}});
    write(&place, "results/r/verdicts.json", record.to_string());
    let gate = answer(&mut process, "gate", json!({"record": "results/r"}));
    assert_eq!(condition(&gate, "performance")["places"], json!(["b (x) regressed"]));
    assert!(
        refusal(&process.call("gate", &json!({"record": "src"})))
            .contains("is not the directory of a record")
    );
}

#[test]
fn a_repository_that_lies_elsewhere_is_not_read() {
    let place = repository();
    // A work tree whose repository is outside of the roots.
    let elsewhere = place.path("outside/tree");
    std::process::Command::new("git")
        .args(["init", "--quiet", "--separate-git-dir"])
        .arg(place.path("outside/git"))
        .arg(&elsewhere)
        .output()
        .unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quality-mcp"));
    let mut process =
        mcp_testing::client::Process::start(command.arg("--root").arg(&elsewhere).args(["--state", "none"]));
    process.open();
    let sentence = process.call("hotspots", &nothing());
    assert!(refusal(&sentence).contains("lies outside of the roots"), "{sentence}");
}

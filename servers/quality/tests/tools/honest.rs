//! What cannot be decided never passes, and what was not looked at is said.

use serde_json::{Value, json};

use crate::support::{answer, commit, git, members, nothing, refusal, repository, write};

/// A function with a cyclomatic complexity of 41.
fn complex() -> String {
    let tests: String =
        (0..20).map(|number| format!("    if a == {number} and b:\n        c += 1\n")).collect();
    format!("def big(a, b, c):\n{tests}    return c\n")
}

fn condition(gate: &Value, name: &str) -> Value {
    let all = gate["conditions"].as_array().unwrap();
    all.iter().find(|condition| condition["name"] == name).unwrap_or_else(|| panic!("{name}: {gate}")).clone()
}

#[test]
fn a_changed_file_that_is_not_measured_never_passes() {
    let complex = complex();
    for (text, why) in [
        (complex.replace("c):", "c:"), "errors of grammar"),
        (format!("((((\n{complex}"), "errors of grammar"),
        (format!("# \0\n{complex}"), "binary"),
        (format!("{}{complex}", "# pad\n".repeat(2_000_000)), "too large"),
        (format!("X = '{}'\n{complex}", "x".repeat(200_000)), "long line"),
    ] {
        let place = repository();
        write(&place, "quality.toml", "[gate]\ntests = false\n");
        write(&place, "pkg/core.py", &text);
        let gate = answer(&mut place.server(&[]), "gate", nothing());
        let complexity = condition(&gate, "complexity");
        let is_fair = match complexity["answer"].as_str() {
            Some("undecided") => complexity["places"][0].as_str().unwrap().contains(why),
            answer => answer == Some("fail"),
        };
        assert!(is_fair && gate["answer"] != "pass", "{why}: {gate}");
    }
}

#[test]
fn neither_attributes_nor_marks_hide_what_was_changed() {
    let hidden = |attributes: &str, hide: &[&str]| {
        let place = repository();
        write(&place, ".gitattributes", attributes);
        commit(&place, "attributes");
        if !hide.is_empty() {
            git(&place, hide);
        }
        write(&place, "pkg/core.py", complex());
        let mut process = place.server(&[]);
        let gate = answer(&mut process, "gate", nothing());
        assert_eq!(condition(&gate, "complexity")["answer"], "fail", "{attributes} {hide:?}: {gate}");
        let selected = answer(&mut process, "select_tests", nothing());
        assert_eq!(members(&selected["tests"], "name"), ["tests/test_core.py"], "{attributes} {hide:?}");
    };
    hidden("*.py binary\n", &[]);
    hidden("*.py -diff\n", &[]);
    hidden("", &["update-index", "--assume-unchanged", "pkg/core.py"]);
    hidden("", &["update-index", "--skip-worktree", "pkg/core.py"]);
}

#[test]
fn a_tree_in_conflict_fails_and_inner_repositories_are_named() {
    let place = repository();
    git(&place, &["checkout", "--quiet", "-b", "other"]);
    write(&place, "pkg/core.py", "def run(a):\n    return 3\n");
    commit(&place, "theirs");
    git(&place, &["checkout", "--quiet", "-"]);
    write(&place, "pkg/core.py", "def run(a):\n    return 4\n");
    commit(&place, "ours");
    let merge = std::process::Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "merge", "other"])
        .current_dir(place.path("root"))
        .output()
        .unwrap();
    assert!(!merge.status.success());
    git(&place, &["init", "--quiet", "inner"]);
    write(&place, "inner/x.py", complex());
    let gate = answer(&mut place.server(&[]), "gate", nothing());
    assert_eq!(gate["answer"], "fail", "{gate}");
    assert_eq!(condition(&gate, "work_tree")["places"], json!(["pkg/core.py is in conflict"]));
    assert!(gate["notices"].to_string().contains("inner repository not looked at: inner"), "{gate}");
}

#[test]
fn reports_that_are_older_than_the_change_decide_nothing() {
    let place = repository();
    write(&place, "lcov.info", "SF:pkg/core.py\nDA:1,1\nDA:2,1\nDA:3,1\nDA:4,1\nend_of_record\n");
    write(&place, "ruff.json", "[]");
    // The clock of files has a grain, and nobody edits as quickly as this.
    std::thread::sleep(std::time::Duration::from_millis(50));
    write(&place, "pkg/core.py", "def run(a):\n    return 5\n");
    let mut process = place.server(&[]);
    let arguments = json!({"report": "lcov.info", "findings": ["ruff.json"]});
    let gate = answer(&mut process, "gate", arguments.clone());
    for name in ["new_line_coverage", "new_findings"] {
        assert_eq!(condition(&gate, name)["answer"], "undecided", "{gate}");
    }
    // Made again, they do; but for a file of code that the report does not know.
    write(&place, "lcov.info", "SF:pkg/core.py\nDA:1,1\nDA:2,1\nend_of_record\n");
    write(&place, "ruff.json", "[]");
    let gate = answer(&mut process, "gate", arguments.clone());
    for name in ["new_line_coverage", "new_findings"] {
        assert_eq!(condition(&gate, name)["answer"], "pass", "{gate}");
    }
    write(&place, "pkg/new.py", "def new():\n    return 1\n");
    write(&place, "ruff.json", "[]");
    let gate = answer(&mut process, "gate", arguments);
    let covered = condition(&gate, "new_line_coverage");
    assert_eq!(
        (&covered["answer"], &covered["places"]),
        (&json!("undecided"), &json!(["pkg/new.py is not in the report"]))
    );
}

#[test]
fn a_report_of_another_state_of_a_file_is_said() {
    let place = repository();
    let lines: String = (1..=200).map(|line| format!("DA:{line},1\n")).collect();
    write(&place, "lcov.info", format!("SF:pkg/core.py\n{lines}end_of_record\n"));
    let coverage = answer(&mut place.server(&[]), "coverage", json!({"report": "lcov.info"}));
    assert!(
        coverage["notices"][0].as_str().unwrap().contains("lines that pkg/core.py does not have"),
        "{coverage}"
    );
}

#[test]
fn a_root_that_is_gone_is_not_an_empty_one() {
    let place = repository();
    let mut process = place.server(&[]);
    std::fs::rename(place.path("root"), place.path("moved")).unwrap();
    for tool in ["metrics", "lint", "duplicates"] {
        assert!(refusal(&process.call(tool, &nothing())).contains("is not there any more"), "{tool}");
    }
}

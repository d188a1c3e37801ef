//! Metrics, hot spots, findings and copies.

use serde_json::json;

use crate::support::{RUST, answer, commit, git, members, nothing, refusal, repository, write};

#[test]
fn functions_are_listed_the_hardest_first() {
    let place = repository();
    let mut process = place.server(&[]);
    let metrics = answer(&mut process, "metrics", nothing());
    assert_eq!(metrics["functions"][0]["name"], "hard");
    assert_eq!(metrics["functions"][0]["path"], "src/lib.rs");
    // For, if, &&, two arms of three.
    assert_eq!(metrics["functions"][0]["cyclomatic"], 6);
    // For 1, if 2, && 1, match 3.
    assert_eq!(
        (&metrics["functions"][0]["cognitive"], &metrics["functions"][0]["nesting"]),
        (&json!(7), &json!(3))
    );
    assert_eq!(metrics["totals"]["functions"], 5);
    assert!(metrics["functions"][0].get("halstead").is_none());
    let python = answer(
        &mut process,
        "metrics",
        json!({"paths": ["pkg"], "sort": "cyclomatic", "detail": "detailed"}),
    );
    assert_eq!(members(&python["functions"], "name"), ["run"]);
    assert!(python["functions"][0]["halstead"]["volume"].as_f64().unwrap() > 0.0);
    // What was measured is remembered until the file changes.
    write(&place, "pkg/core.py", "def other(a):\n    return a\n");
    let python = answer(&mut process, "metrics", json!({"paths": ["pkg/core.py"]}));
    assert_eq!(members(&python["functions"], "name"), ["other"]);
    let first = answer(&mut process, "metrics", json!({"limit": 2}));
    let rest = answer(&mut process, "metrics", json!({"limit": 100, "cursor": first["next_cursor"]}));
    assert_eq!(first["functions"].as_array().unwrap().len() + rest["functions"].as_array().unwrap().len(), 5);
    assert!(rest.get("next_cursor").is_none());
}

#[test]
fn hot_spots_are_complex_and_often_changed() {
    let place = repository();
    for number in 0..3 {
        write(&place, "src/lib.rs", format!("{RUST}\npub const NUMBER: u32 = {number};\n"));
        commit(&place, "change");
    }
    let mut process = place.server(&[]);
    let spots = answer(&mut process, "hotspots", nothing());
    assert_eq!((&spots["commits"], &spots["hotspots"][0]["path"]), (&json!(4), &json!("src/lib.rs")));
    assert_eq!((&spots["hotspots"][0]["commits"], &spots["hotspots"][0]["score"]), (&json!(4), &json!(1.0)));
    assert_eq!(spots["hotspots"][1]["commits"], 1);
    // A move keeps its past.
    git(&place, &["mv", "src/lib.rs", "src/moved.rs"]);
    commit(&place, "move");
    let spots = answer(&mut process, "hotspots", json!({"paths": ["src"]}));
    assert_eq!(
        (&spots["hotspots"][0]["path"], &spots["hotspots"][0]["commits"]),
        (&json!("src/moved.rs"), &json!(5))
    );
}

#[test]
fn findings_are_those_of_the_rules_or_of_a_report() {
    let place = repository();
    write(&place, "pkg/bad.py", "def f(a=[]):\n    return eval(a)\n");
    let mut process = place.server(&[]);
    let findings = answer(&mut process, "lint", json!({"paths": ["pkg"], "severity": "error"}));
    assert_eq!(members(&findings["findings"], "rule"), ["python/mutable-default", "python/eval"]);
    assert_eq!(findings["rules"], json!({"python/eval": 1, "python/mutable-default": 1}));
    let one = answer(&mut process, "lint", json!({"rule": "python/ev"}));
    assert_eq!(members(&one["findings"], "line"), [2]);
    // A name that no rule has is not the same as no finding.
    let refused = process.call("lint", &json!({"rule": "ev"}));
    assert!(refusal(&refused).contains("python/eval"), "{refused}");
    let report = json!([{"filename": "/elsewhere/pkg/bad.py", "code": "B006", "message": "m", "location": {"row": 1, "column": 9}},
        {"filename": "/elsewhere/gone.py", "code": "F401", "message": "m", "location": {"row": 1, "column": 1}}]);
    write(&place, "ruff.json", report.to_string());
    let reported = answer(&mut process, "lint", json!({"report": "ruff.json"}));
    assert_eq!(reported["findings"][1]["path"], "pkg/bad.py");
    assert!(reported["notices"][0].as_str().unwrap().contains("1 finding in files that are not here"));
    write(&place, "other.json", json!([{"filename": "/x/y.py", "code": "F1", "message": "m"}]).to_string());
    let sentence = process.call("lint", &json!({"report": "other.json"}));
    assert!(refusal(&sentence).contains("names no file that is here"));
}

#[test]
fn copies_are_found_and_only_what_changed_is_read_again() {
    let place = repository();
    write(&place, "src/copy.rs", RUST.replace("easy", "simple"));
    let mut process = place.server(&[]);
    let found = answer(&mut process, "duplicates", nothing());
    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(members(&found["clones"][0]["places"], "path"), ["src/copy.rs", "src/lib.rs"]);
    assert!(found["duplicated_percent"].as_f64().unwrap() > 50.0);
    write(&place, "src/copy.rs", "pub fn other() {}\n");
    assert_eq!(answer(&mut process, "duplicates", nothing())["total"], 0);
    write(&place, "src/copy.rs", RUST);
    let found = answer(&mut process, "duplicates", json!({"paths": ["src/copy.rs"]}));
    assert_eq!(found["clones"][0]["kind"], "exact", "{found}");
    let none = answer(&mut process, "duplicates", json!({"paths": ["pkg"]}));
    assert_eq!(none["total"], 0);
}

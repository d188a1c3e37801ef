//! What each tool answers.

use serde_json::json;

use mcp_testing::client::text;

use crate::support::{ask, lines, project, refused, write};

#[test]
fn search_finds_text_and_names() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "search", &json!({"query": r"run\("}));
    assert_eq!(
        lines(&found["files"]),
        [
            "app.py 4: print(run(1))",
            "pkg/core.py 4: def run(value, *, fast=False):",
            "pkg/core.py 18:         return run(self.speed)"
        ]
    );
    assert_eq!((&found["hits"], &found["about"]["complete"]), (&json!(3), &json!(true)));
    let found = ask(&mut process, "search", &json!({"query": "print", "context": 1, "path": "app.py"}));
    assert_eq!(
        lines(&found["files"]),
        ["app.py 3- ", "app.py 4: print(run(1))", "app.py 5- Runner().start()"]
    );
    let found = ask(&mut process, "search", &json!({"query": "run", "mode": "symbol"}));
    assert_eq!(lines(&found["files"]), ["pkg/core.py 4: function run", "pkg/core.py 14: class Runner"]);
}

#[test]
fn nothing_found_says_what_was_searched_and_what_would_match() {
    let place = project();
    let mut process = place.server(&[]);
    let mut hint = |arguments| ask(&mut process, "search", &arguments)["hint"].as_str().unwrap().to_owned();
    assert!(
        hint(json!({"query": "RUNNER"})).contains("in 9 files; ignore_case would match 3 times"),
        "{}",
        hint(json!({"query": "RUNNER"}))
    );
    assert!(hint(json!({"query": "run|start", "mode": "text"})).contains("mode regex would match"));
    assert!(
        hint(json!({"query": "value, *, fast"})).contains("mode text would match 1"),
        "{}",
        hint(json!({"query": "value, *, fast"}))
    );
    assert!(hint(json!({"query": r"Runner\|start"})).contains("without the backslashes"));
    assert!(hint(json!({"query": "x", "glob": "*.none"})).contains("no file to search"));
    assert!(hint(json!({"query": "nowhere"})).contains("would not match either"));
}

#[test]
fn ast_search_matches_shapes_and_says_why_not() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "ast_search", &json!({"pattern": "run($A)", "language": "python"}));
    assert_eq!(lines(&found["files"]), ["app.py 4: run(1)", "pkg/core.py 18: run(self.speed)"]);
    let found = ask(&mut process, "ast_search", &json!({"pattern": "run($A, $B)", "language": "python"}));
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.contains("read as one call") && hint.contains("hold its fixed part"), "{hint}");
    let said = refused(&mut process, "ast_search", &json!({"pattern": "x", "language": "cobol"}));
    assert!(said.contains("not a language here") && said.contains("rust"), "{said}");
}

#[test]
fn outline_lists_definitions_with_their_lines() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "outline", &json!({"path": "pkg/core.py"}));
    assert_eq!(
        lines(&found["files"]),
        [
            "pkg/core.py 4-11: def run(value, *, fast=False):",
            "pkg/core.py 14-18: class Runner:",
            "pkg/core.py   17-18: def start(self):"
        ]
    );
    let found = ask(&mut process, "outline", &json!({"path": "src"}));
    assert_eq!(lines(&found["files"]), ["src/lib.rs 4-6: function add", "src/util.rs 1-3: function checked"]);
    assert!(refused(&mut process, "outline", &json!({"path": "none"})).contains("no file that is indexed"));
}

#[test]
fn symbol_gives_place_signature_documentation_and_code() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "symbol", &json!({"name": "run"}));
    let expected = json!([{
        "name": "run", "kind": "function", "path": "pkg/core.py", "line": 4, "end": 11,
        "signature": "def run(value, *, fast=False):", "doc": "Runs it."
    }]);
    assert_eq!(found["definitions"], expected);
    let found = ask(&mut process, "symbol", &json!({"name": "Runner.start", "body": true}));
    assert_eq!(found["definitions"][0]["body"], "def start(self):\n        return run(self.speed)");
    let found = ask(&mut process, "symbol", &json!({"name": "runer"}));
    assert!(found["hint"].as_str().unwrap().contains("near: Runner"), "{}", found["hint"]);
    let found = ask(&mut process, "symbol", &json!({"name": "Other.start"}));
    assert!(found["hint"].as_str().unwrap().contains("Runner.start in pkg/core.py"), "{}", found["hint"]);
}

#[test]
fn references_and_impact_follow_imports() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "references", &json!({"name": "run"}));
    assert_eq!(
        lines(&found["resolved"]),
        [
            "app.py 1 (import): from pkg import run",
            "app.py 4: print(run(1))",
            "pkg/__init__.py 1 (import): from .core import run",
            "pkg/core.py 18 in Runner.start: return run(self.speed)"
        ]
    );
    assert_eq!((&found["unresolved"], &found["definitions"][0]["uses"]), (&json!(0), &json!(4)));
    let found = ask(&mut process, "references", &json!({"name": "add"}));
    assert!(found["hint"].as_str().unwrap().contains("no use is known"), "{}", found["hint"]);
    let found = ask(&mut process, "impact", &json!({"path": "pkg/core.py"}));
    let expected = json!([
        {"path": "app.py", "distance": 1},
        {"path": "pkg/__init__.py", "distance": 1},
        {"path": "tests/test_app.py", "distance": 2, "via": "app.py"}
    ]);
    assert_eq!(found["dependents"], expected);
    let found = ask(&mut process, "impact", &json!({"symbol": "checked"}));
    assert_eq!(found["dependents"], json!([{"path": "src/lib.rs", "distance": 1}]));
    assert_eq!(lines(&found["uses"]), ["src/lib.rs 5 in add: util::checked(a) + b"]);
    let found = ask(&mut process, "impact", &json!({"path": "tests/test_app.py"}));
    assert!(
        found["hint"].as_str().unwrap().contains("no file is known to depend on it"),
        "{}",
        found["hint"]
    );
    assert!(refused(&mut process, "impact", &json!({})).contains("give path"));
}

#[test]
fn read_gives_lines_and_definitions() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "read", &json!({"path": "app.py", "lines": "2,4-5"}));
    let expected = json!([
        {"lines": [2, 2], "text": "from pkg.core import Runner\n"},
        {"lines": [4, 5], "text": "print(run(1))\nRunner().start()\n"}
    ]);
    assert_eq!((&found["parts"], &found["total_lines"]), (&expected, &json!(5)));
    let found = ask(&mut process, "read", &json!({"path": "pkg/core.py", "symbol": "Runner.start"}));
    assert_eq!(found["parts"][0]["lines"], json!([17, 18]));
    write(&place, "long.txt", "0123456789\n".repeat(3_000));
    let mut next = json!({"path": "long.txt", "max_tokens": 2_000});
    let mut seen = 0;
    loop {
        let found = ask(&mut process, "read", &next);
        seen += found["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["text"].as_str().unwrap().len())
            .sum::<usize>();
        match found["next_lines"].as_str() {
            Some(lines) => next["lines"] = lines.into(),
            None => break,
        }
    }
    assert_eq!(seen, 33_000);
}

#[test]
fn repo_map_shows_what_is_central() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "repo_map", &json!({}));
    assert_eq!(found["languages"], json!({"python": [4, 25], "rust": [2, 9]}));
    assert_eq!(found["files"][0]["path"], "pkg/core.py");
    assert_eq!(found["files"][0]["symbols"], json!(["function run", "class Runner"]));
    assert_eq!(found["cycles"], json!([]));
    write(&place, "pkg/core.py", "import app\n");
    let found = ask(&mut process, "repo_map", &json!({}));
    assert_eq!(
        found["cycles"],
        json!([["app.py", "pkg/__init__.py", "pkg/core.py"]]),
        "app.py imports what is gone from core"
    );
}

#[test]
fn pages_follow_each_other_and_other_questions_refuse_their_cursors() {
    let place = project();
    write(&place, "many.txt", (0..500).map(|number| format!("needle {number}\n")).collect::<String>());
    let mut process = place.server(&[]);
    let mut question = json!({"query": "needle", "limit": 70});
    let mut seen = Vec::new();
    loop {
        let found = ask(&mut process, "search", &question);
        seen.extend(lines(&found["files"]));
        assert_eq!(found["hits"], 500);
        match found["next_cursor"].as_str() {
            Some(cursor) => question["cursor"] = cursor.into(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 500);
    assert_eq!(seen[499], "many.txt 500: needle 499");
    question["query"] = "other".into();
    assert!(refused(&mut process, "search", &question).contains("belongs to another question"));
}

#[test]
fn an_edit_is_in_the_next_answer() {
    let place = project();
    let mut process = place.server(&[]);
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "later"}))["total"], 0);
    write(&place, "pkg/later.py", "def later():\n    pass\n");
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "later"}))["total"], 1);
    write(&place, "pkg/later.py", "def later():\n    pass\ndef later2(): pass\n");
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "later2"}))["total"], 1);
    std::fs::remove_file(place.path("root/pkg/later.py")).unwrap();
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "later"}))["total"], 0);
}

#[test]
fn the_text_alone_is_enough_to_work_with() {
    let place = project();
    let mut process = place.server(&[]);
    for (tool, arguments, lines) in [
        (
            "search",
            json!({"query": r"run\("}),
            &[
                "3 hits, 9 files searched",
                "app.py:4: print(run(1))",
                "pkg/core.py",
                "4: def run(value, *, fast=False):",
            ][..],
        ),
        (
            "ast_search",
            json!({"pattern": "run($A)", "language": "python"}),
            &["pkg/core.py:18: run(self.speed)"],
        ),
        ("outline", json!({"path": "pkg/core.py"}), &["pkg/core.py", "4-11: def run(value, *, fast=False):"]),
        (
            "symbol",
            json!({"name": "run"}),
            &["pkg/core.py:4-11 function run", "def run(value, *, fast=False):", "Runs it."],
        ),
        (
            "references",
            json!({"name": "run"}),
            &[
                "definition pkg/core.py:4 function run, 4 uses",
                "pkg/core.py:18 in Runner.start: return run(self.speed)",
            ],
        ),
        ("impact", json!({"path": "pkg/core.py"}), &["1 app.py", "2 tests/test_app.py via app.py"]),
        ("impact", json!({"symbol": "run"}), &["direct uses:", "app.py:4: print(run(1))"]),
        (
            "read",
            json!({"path": "app.py", "lines": "4-5"}),
            &["app.py:4-5 of 5", "print(run(1))", "Runner().start()"],
        ),
        (
            "repo_map",
            json!({}),
            &[
                "python 4 files, 25 lines; rust 2 files, 9 lines",
                "src/util.rs (1 importer): function checked",
            ],
        ),
    ] {
        let answer = process.call(tool, &arguments);
        let text = text(&answer);
        for line in lines {
            assert!(text.lines().any(|own| own.trim() == *line), "{tool}: {line} is not in\n{text}");
        }
        assert!(!text.contains('{') || tool == "search", "no JSON in it: {text}");
    }
    write(&place, "large.py", "x = 1\n".repeat(500_000));
    let answer = process.call("symbol", &json!({"name": "run"}));
    assert!(text(&answer).contains("not complete; left out: 1 too_large"), "{}", text(&answer));
    let answer = process.call("search", &json!({"query": "e", "limit": 2}));
    let cursor = answer["result"]["structuredContent"]["next_cursor"].as_str().unwrap();
    assert!(text(&answer).contains(&format!("more with cursor {cursor}")));
}

#[test]
fn an_impact_without_uses_has_the_field_that_its_schema_asks_for() {
    let place = project();
    let mut process = place.server(&[]);
    assert_eq!(ask(&mut process, "impact", &json!({"path": "pkg/core.py"}))["uses"], json!([]));
    assert_eq!(
        ask(&mut process, "impact", &json!({"symbol": "start"}))["uses"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn overloads_have_the_uses_of_all() {
    let place = project();
    write(
        &place,
        "O.java",
        "class O {\n  void over(int a) {}\n  void over(String a) {}\n  void go() { over(1); over(\"\"); }\n}\n",
    );
    let mut process = place.server(&[]);
    let found = ask(&mut process, "references", &json!({"name": "over"}));
    let uses: Vec<_> =
        found["definitions"].as_array().unwrap().iter().map(|one| one["uses"].clone()).collect();
    assert_eq!(uses, [1, 1], "one line, two overloads");
}

#[test]
fn an_answer_is_about_the_root_where_something_was_found() {
    let place = project();
    std::fs::write(place.path("outside/far.py"), "def far():\n    pass\n").unwrap();
    let other = place.path("outside").display().to_string();
    let mut process = place.server(&["--root", &other]);
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "far"}))["about"]["indexed"], 1);
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "run"}))["about"]["indexed"], 6);
    let map = ask(&mut process, "repo_map", &json!({}));
    assert!(map["about"]["notices"][0].as_str().unwrap().ends_with(&other), "{map}");
}

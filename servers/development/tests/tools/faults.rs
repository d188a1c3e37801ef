//! Bad input, and files that are not what one expects.

use std::os::unix::fs::{PermissionsExt, symlink};

use mcp_testing::client::{Process, text};
use serde_json::json;

use crate::support::{ask, lines, place, project, refused, write};

#[test]
fn patterns_that_cannot_be_are_refused_with_their_place() {
    let place = project();
    let mut process = place.server(&[]);
    let said = refused(&mut process, "search", &json!({"query": "run("}));
    assert!(said.contains("at character 4 (unclosed group)") && said.contains("mode to text"), "{said}");
    let said = refused(&mut process, "search", &json!({"query": "(x{1000}){1000}"}));
    assert!(said.contains("size limit"), "{said}");
    let said = refused(&mut process, "search", &json!({"query": "a", "glob": "{a"}));
    assert!(said.contains("the glob {a is not one"), "{said}");
    let said = refused(&mut process, "ast_search", &json!({"pattern": "a = 1\nb = 2", "language": "python"}));
    assert!(said.contains("several pieces"), "{said}");
}

#[test]
fn a_pattern_that_would_try_everything_answers_at_once() {
    let place = place();
    write(&place, "a.txt", format!("{}!\n", "a".repeat(50_000)));
    let mut process = place.server(&[]);
    assert_eq!(ask(&mut process, "search", &json!({"query": "(a*)*(a|aa)+$"}))["hits"], 0);
}

#[test]
fn a_large_generated_file_and_a_long_line_cost_little() {
    let place = place();
    write(&place, "large.rs", "pub const X: u32 = 1; // filler\n".repeat(1_300_000));
    write(&place, "line.js", format!("var x = '{}';\n", "y".repeat(10_000_000)));
    write(&place, "small.rs", "pub fn small() {}\n");
    let mut process = place.server(&[]);
    let found = ask(&mut process, "symbol", &json!({"name": "small"}));
    assert_eq!(found["total"], 1);
    let skipped = found["about"]["skipped"].to_string();
    assert!(skipped.contains("too_large") && found["about"]["complete"] == false, "{skipped}");
    let found = ask(&mut process, "search", &json!({"query": "var x", "limit": 5}));
    assert!(found.to_string().len() < 2_000, "a line is cut");
    let found = ask(&mut process, "search", &json!({"query": "const X", "limit": 5}));
    assert_eq!((&found["hits"], lines(&found["files"]).len()), (&json!(1_300_000), 5));
    let peak = mcp_testing::place::kibibytes(process.child.id(), "VmHWM");
    assert!(peak < 256 << 10, "{peak} KiB");
}

#[test]
fn nothing_outside_of_the_root_is_read() {
    let place = project();
    symlink(place.path("outside"), place.path("root/out")).unwrap();
    symlink(place.path("outside/secret"), place.path("root/secret.py")).unwrap();
    symlink("..", place.path("root/pkg/loop")).unwrap();
    let mut process = place.server(&[]);
    for (tool, arguments) in [
        ("read", json!({"path": "out/secret"})),
        ("read", json!({"path": "secret.py"})),
        ("read", json!({"path": "../outside/secret"})),
        ("read", json!({"path": "/etc/passwd"})),
        ("search", json!({"query": "canary", "path": "out"})),
        ("search", json!({"query": "canary", "path": "../outside"})),
        ("outline", json!({"path": "out"})),
        ("read", json!({"path": "a\0b"})),
        ("repo_map", json!({"path": "/"})),
    ] {
        let said = refused(&mut process, tool, &arguments);
        assert!(!said.contains("canary"), "{tool} {arguments}: {said}");
    }
    for arguments in [json!({"query": "canary"}), json!({"query": "canary", "all_files": true})] {
        assert_eq!(ask(&mut process, "search", &arguments)["hits"], 0);
    }
    assert_eq!(
        ask(&mut process, "search", &json!({"query": "def run"}))["hits"],
        1,
        "a loop of links is not followed"
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let place = project();
    write(&place, "binary.dat", b"\0\x01\x02");
    write(&place, "latin.py", b"name = '\xe9t\xe9'\ndef latin(): pass\n");
    write(&place, "empty.py", "");
    let mut process = place.server(&[]);
    assert!(refused(&mut process, "read", &json!({"path": "binary.dat"})).contains("binary, 3 bytes"));
    assert!(refused(&mut process, "read", &json!({"path": "none.py"})).contains("is not there"));
    assert!(refused(&mut process, "read", &json!({"path": "pkg"})).contains("not a regular file"));
    assert!(
        refused(&mut process, "read", &json!({"path": "app.py", "lines": "90-99"})).contains("has 5 lines")
    );
    assert!(
        refused(&mut process, "read", &json!({"path": "app.py", "lines": "1", "symbol": "x"}))
            .contains("not both")
    );
    assert_eq!(ask(&mut process, "read", &json!({"path": "empty.py"}))["hint"], "the file is empty");
    let wide: Vec<u8> = "\u{feff}x = 1\ny = 2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(&place, "wide.py", wide);
    let found = ask(&mut process, "read", &json!({"path": "wide.py", "lines": "2"}));
    assert_eq!(found["parts"], json!([{"lines": [2, 2], "text": "y = 2\n"}]));
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "latin"}))["total"], 1);
    assert_eq!(ask(&mut process, "search", &json!({"query": "latin"}))["hits"], 1);
}

#[test]
fn a_directory_that_is_closed_is_counted() {
    let place = project();
    let closed = place.path("root/closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&closed).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let mut process = place.server(&[]);
    let found = ask(&mut process, "search", &json!({"query": "run"}));
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(found["about"]["skipped"], json!([{"reason": "unreadable", "n": 1}]));
    assert_eq!(found["about"]["complete"], false);
}

#[test]
fn an_answer_keeps_to_its_bound() {
    let place = place();
    for number in 0..300 {
        write(
            &place,
            &format!("d/f{number}.py"),
            format!("def name_{number}(argument):\n    return argument\n"),
        );
    }
    let mut process = place.server(&[]);
    for (tool, mut arguments) in [
        ("search", json!({"query": "argument", "limit": 1000})),
        ("outline", json!({"path": "d"})),
        ("search", json!({"query": "name", "mode": "symbol", "limit": 1000})),
        ("repo_map", json!({})),
    ] {
        arguments["max_tokens"] = 800.into();
        let answer = process.call(tool, &arguments);
        assert_eq!(answer["result"]["isError"], false, "{tool}: {}", text(&answer));
        let found = &answer["result"]["structuredContent"];
        assert!(found.to_string().len() <= 3_200, "{tool}: {} bytes", found.to_string().len());
        assert!(
            !found["next_cursor"].is_null() || !found["hint"].is_null(),
            "{tool} says that there is more"
        );
    }
}

#[test]
fn a_home_directory_is_refused_without_a_flag() {
    let place = place();
    let start = |more: &[&str]| {
        let mut command = place.forgetful();
        command.env("HOME", place.path("root")).args(more).stdin(std::process::Stdio::null());
        command.output().unwrap()
    };
    let output = start(&[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && error.contains("--any-root"), "{error}");
    assert!(start(&["--any-root"]).status.success());
    let mut everything = std::process::Command::new(env!("CARGO_BIN_EXE_development-mcp"));
    let output = everything
        .args(["--root", "/", "--state", "none"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("the whole file system"));
}

#[test]
fn several_roots_are_searched_and_told_apart() {
    let place = project();
    std::fs::write(place.path("outside/other.py"), "def run():\n    pass\n").unwrap();
    let other = place.path("outside").display().to_string();
    let mut process = place.server(&["--root", &other]);
    let found = ask(&mut process, "symbol", &json!({"name": "run"}));
    let paths: Vec<&str> =
        found["definitions"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["pkg/core.py", &format!("{other}/other.py")]);
    let found = ask(&mut process, "read", &json!({"path": format!("{other}/other.py")}));
    assert_eq!(found["total_lines"], 2);
}

#[test]
fn a_server_that_is_killed_leaves_an_index_that_can_be_read() {
    let place = place();
    for number in 0..600 {
        write(&place, &format!("f{number}.rs"), format!("fn f{number}() {{}}\n"));
    }
    for wait in [0_u64, 5, 20, 60, 120] {
        let mut process = place.server(&[]);
        process.send(&mcp_testing::client::call(1, "symbol", &json!({"name": "f1"})));
        std::thread::sleep(std::time::Duration::from_millis(wait));
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let mut next = place.server(&[]);
        let found = ask(&mut next, "symbol", &json!({"name": "f599"}));
        assert_eq!((&found["total"], &found["about"]["notices"]), (&json!(1), &json!(null)), "{found}");
        drop(next);
        // The index is torn down, so that the next round writes it again.
        write(&place, "f0.rs", format!("fn changed{wait}() {{}}\n"));
        for entry in std::fs::read_dir(place.path("state")).unwrap() {
            drop(std::fs::remove_file(entry.unwrap().path()));
        }
    }
}

#[test]
fn two_servers_that_start_at_once_share_one_index() {
    let place = place();
    for number in 0..600 {
        write(&place, &format!("f{number}.rs"), format!("fn f{number}() {{}}\n"));
    }
    let mut servers: Vec<Process> = (0..3).map(|_| place.server(&[])).collect();
    for (number, server) in servers.iter_mut().enumerate() {
        server.send(&mcp_testing::client::call(number as u64, "symbol", &json!({"name": "f599"})));
    }
    for server in &mut servers {
        let answer = server.receive();
        assert_eq!(answer["result"]["structuredContent"]["total"], 1, "{answer}");
    }
    let kept = std::fs::read_dir(place.path("state")).unwrap();
    let kept: Vec<String> = kept
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("index"))
        .collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
}

#[test]
fn what_is_nested_without_end_is_left_out() {
    let place = place();
    let nested = |before: &str, inner: &str, after: &str| {
        format!("{}{inner}{}", format!("{before}\n").repeat(20_000), format!("{after}\n").repeat(20_000))
    };
    write(&place, "use.rs", format!("use {};\n", nested("a::{", "b", "}")));
    write(&place, "functions.js", nested("function f() {", "", "}"));
    write(&place, "members.py", format!("x = (y\n{})\n", ".member\n".repeat(20_000)));
    write(&place, "small.py", "def small():\n    pass\n\nsmall().member\n");
    let mut process = place.server(&[]);
    let found = ask(&mut process, "symbol", &json!({"name": "small"}));
    assert_eq!((&found["total"], &found["about"]["complete"]), (&json!(1), &json!(false)));
    assert_eq!(found["about"]["skipped"][0], json!({"reason": "too_deep", "n": 3}));
    let found = ask(&mut process, "ast_search", &json!({"pattern": "$X.member", "language": "python"}));
    assert_eq!((&found["hits"], &found["about"]["complete"]), (&json!(1), &json!(false)));
    assert_eq!(
        ask(&mut process, "search", &json!({"query": "member", "path": "members.py"}))["hits"],
        20_000
    );
    let said = refused(&mut process, "outline", &json!({"path": "use.rs"}));
    assert!(said.contains("too_deep"), "{said}");
}

#[test]
fn a_root_in_another_is_not_answered_twice() {
    let place = project();
    let inner = place.path("root/pkg").display().to_string();
    let mut process = place.server(&["--root", &inner]);
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "Runner"}))["total"], 1);
    assert_eq!(ask(&mut process, "search", &json!({"query": "class Runner"}))["hits"], 1);
}

#[test]
fn a_root_that_is_gone_is_said() {
    let place = project();
    let mut process = place.server(&[]);
    assert_eq!(ask(&mut process, "symbol", &json!({"name": "Runner"}))["total"], 1);
    std::fs::rename(place.path("root"), place.path("moved")).unwrap();
    std::fs::create_dir(place.path("root")).unwrap();
    write(&place, "new.py", "def new(): pass\n");
    for (tool, arguments) in [
        ("symbol", json!({"name": "Runner"})),
        ("search", json!({"query": "new"})),
        ("read", json!({"path": "app.py"})),
        ("repo_map", json!({})),
    ] {
        let said = refused(&mut process, tool, &arguments);
        assert!(said.contains("removed or replaced"), "{tool}: {said}");
    }
}

#[test]
fn empty_arguments_are_arguments_that_were_left_out() {
    let place = project();
    let mut process = place.server(&[]);
    let found = ask(&mut process, "read", &json!({"path": "app.py", "lines": "", "symbol": ""}));
    assert_eq!(found["total_lines"], 5);
    let found = ask(&mut process, "impact", &json!({"path": "pkg/core.py", "symbol": "", "cursor": ""}));
    assert_eq!(found["changed"], json!(["pkg/core.py"]));
    assert_eq!(ask(&mut process, "search", &json!({"query": "Runner", "cursor": "", "glob": ""}))["hits"], 3);
}

//! Input that is wrong, hostile or of another machine: one sentence each, and the server goes on.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::{answer, git, nothing, place, refusal, repository, write};

#[test]
fn reports_that_are_none_are_refused_in_a_sentence() {
    let place = repository();
    let mut process = place.server(&[]);
    let bomb =
        "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;\">]><coverage>&y;</coverage>";
    let external = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><coverage>&x;</coverage>";
    for (name, text, part) in [
        ("empty.info", "", "is not a coverage report"),
        ("bomb.xml", bomb, "declares entities"),
        ("external.xml", external, "declares entities"),
        ("cut.xml", "<coverage><packages>", "cut off"),
        ("cut.info", "SF:src/lib.rs\nDA:1,1\n", "no end_of_record"),
        (
            "mixed.info",
            "SF:src/lib.rs\nDA:1,1\nend_of_record\n<coverage/>\n",
            "line 4 is not one of a trace file",
        ),
        ("none.info", "TN:\nSF:src/lib.rs\nend_of_record\n", "describes no line"),
        ("other.info", "SF:/x/y/z.rs\nDA:1,1\nend_of_record\n", "none of them is here"),
        ("nul.info", "\0\0\0", "is not a coverage report"),
        ("deep.json", "[[[[[[[[[[", "is not a coverage report"),
        ("wrong.json", "{\"files\": 1}", "is not a whole coverage.py report"),
    ] {
        write(&place, name, text);
        let reply = process.call("coverage", &json!({"report": name}));
        let sentence = refusal(&reply);
        assert!(sentence.contains(part), "{name}: {sentence}");
    }
    let mut deep = String::new();
    (0..200_000).for_each(|_| write!(deep, "<a>").unwrap());
    write(&place, "deep.xml", &deep);
    assert!(refusal(&process.call("coverage", &json!({"report": "deep.xml"}))).contains("begins with `a`"));
    write(&place, "invalid.info", b"SF:src/lib.rs\xff\nDA:1,1\nend_of_record\n");
    assert!(
        refusal(&process.call("coverage", &json!({"report": "invalid.info"})))
            .contains("none of them is here")
    );
}

#[test]
fn paths_stay_below_the_roots() {
    let place = repository();
    std::os::unix::fs::symlink(place.path("outside/secret"), place.path("root/link.info")).unwrap();
    let mut process = place.server(&[]);
    for (tool, arguments, part) in [
        ("coverage", json!({"report": "../outside/secret"}), "below none of the roots"),
        ("coverage", json!({"report": "link.info"}), "leads out of its root"),
        ("coverage", json!({"report": "/etc/passwd"}), "below none of the roots"),
        ("coverage", json!({"report": "a\0b"}), "NUL"),
        ("coverage", json!({"report": "src"}), "cannot be read"),
        ("lint", json!({"report": "../outside/secret"}), "below none of the roots"),
        ("metrics", json!({"paths": [".."]}), "below none of the roots"),
        ("metrics", json!({"paths": ["nowhere"]}), "is not there"),
        ("select_tests", json!({"map": "link.info"}), "leads out of its root"),
        ("select_tests", json!({"base": "--output=x"}), "is not the name of a commit"),
        ("select_tests", json!({"base": "no-such-branch"}), "is not a commit here"),
        ("gate", json!({"record": "../outside"}), "below none of the roots"),
        ("metrics", json!({"cursor": "x"}), "the cursor is not one of functions"),
        ("metrics", json!({"cursor": "functions-999"}), "the cursor is not one of functions"),
    ] {
        let reply = process.call(tool, &arguments);
        let sentence = refusal(&reply);
        assert!(sentence.contains(part), "{tool} {arguments}: {sentence}");
        assert!(!sentence.contains("canary") && sentence.lines().count() == 1, "{sentence}");
    }
}

#[test]
fn repositories_that_are_odd_are_named() {
    let none = place();
    let mut process = none.server(&[]);
    for tool in ["hotspots", "select_tests", "gate"] {
        let reply = process.call(tool, &nothing());
        assert!(refusal(&reply).contains("is not the top of a git repository"), "{reply}");
    }
    let empty = place();
    git(&empty, &["init", "--quiet"]);
    let mut process = empty.server(&[]);
    for tool in ["hotspots", "select_tests", "gate"] {
        let reply = process.call(tool, &nothing());
        assert!(refusal(&reply).contains("has no commit yet"), "{reply}");
    }
    // Code needs no repository.
    assert_eq!(answer(&mut process, "metrics", nothing())["totals"]["functions"], 0);
}

#[test]
fn a_shallow_clone_says_so() {
    let origin = repository();
    crate::support::commit(&origin, "second");
    crate::support::commit(&origin, "third");
    let shallow = place();
    let source = format!("file://{}", origin.path("root").display());
    std::fs::remove_dir_all(shallow.path("root")).unwrap();
    let made = std::process::Command::new("git")
        .args(["clone", "--quiet", "--depth", "1", &source])
        .arg(shallow.path("root"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut process = shallow.server(&[]);
    let spots = answer(&mut process, "hotspots", nothing());
    assert!(spots["notices"][0].as_str().unwrap().contains("shallow"), "{spots}");
    let reply = process.call("select_tests", &json!({"base": "HEAD~1"}));
    assert!(refusal(&reply).contains("this clone is shallow"), "{reply}");
}

#[test]
fn files_that_are_odd_are_skipped_or_partial() {
    let place = repository();
    write(&place, "odd/binary.rs", b"fn f() {}\0");
    write(&place, "odd/broken.rs", "fn f( { if while\n");
    write(&place, "odd/latin.py", b"# \xe9\ndef f():\n    pass\n");
    write(&place, "odd/long.js", format!("const a = '{}';\n", "x".repeat(200_000)));
    let mut process = place.server(&[]);
    let metrics = answer(&mut process, "metrics", json!({"paths": ["odd"]}));
    assert_eq!(
        (&metrics["looked"]["files"], &metrics["looked"]["partial"]),
        (&json!(2), &json!(1)),
        "{metrics}"
    );
    assert_eq!(metrics["looked"]["complete"], false);
    let reasons = crate::support::members(&metrics["looked"]["skipped"], "reason");
    assert_eq!(reasons, ["binary", "long_line"], "{metrics}");
    answer(&mut process, "lint", json!({"paths": ["odd"]}));
    answer(&mut process, "duplicates", json!({"paths": ["odd"]}));
}

#[test]
fn a_policy_that_is_wrong_is_told_with_its_place() {
    let place = repository();
    write(&place, "quality.toml", "[gate]\ncyclomatic = 'x'\n");
    let mut process = place.server(&[]);
    for tool in ["gate", "run_tests"] {
        let reply = process.call(tool, &json!({}));
        assert!(refusal(&reply).contains("quality.toml:2:14:"), "{tool}: {reply}");
    }
}

#[test]
fn two_servers_work_on_one_state() {
    let place = repository();
    let (mut one, mut other) = (place.server(&[]), place.server(&[]));
    for process in [&mut one, &mut other] {
        assert_eq!(answer(process, "gate", nothing())["answer"], "undecided");
    }
}

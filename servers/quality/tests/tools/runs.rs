//! Running tests: what passes, fails, hangs, floods, does not build.

use serde_json::{Value, json};

use crate::support::{answer, members, nothing, python, refusal, repository, structured, write};

/// A server that can run pytest; skips the test with a line that says why where this machine has none.
macro_rules! server_with_pytest {
    ($place:expr) => {
        match python() {
            Some(arguments) => $place.server(&arguments.iter().map(String::as_str).collect::<Vec<_>>()),
            None => {
                println!("skipped: python3 of this machine has no pytest");
                return;
            }
        }
    };
}

fn run(process: &mut mcp_testing::client::Process, mut arguments: Value) -> Value {
    arguments["runner"] = "pytest".into();
    answer(process, "run_tests", arguments)
}

#[test]
fn each_test_has_its_verdict_and_is_remembered() {
    let place = repository();
    write(&place, "conftest.py", "");
    let mut process = server_with_pytest!(place);
    let fine = run(&mut process, nothing());
    assert_eq!((&fine["status"], &fine["counts"]), (&json!("passed"), &json!({"passed": 2})), "{fine}");
    let gate = answer(&mut process, "gate", nothing());
    assert_eq!(gate["conditions"][0]["answer"], "pass", "{gate}");
    write(&place, "pkg/core.py", "def run(a):\n    return 7\n");
    let gate = answer(&mut process, "gate", nothing());
    assert_eq!(gate["conditions"][0]["answer"], "undecided", "{gate}");
    let bad = run(&mut process, nothing());
    assert_eq!(bad["status"], "failed");
    assert_eq!(members(&bad["tests"], "name"), ["tests/test_core.py::test_run"]);
    assert!(bad["tests"][0]["message"].as_str().unwrap().contains("assert 7 == 1"), "{bad}");
    let selected = answer(&mut process, "select_tests", nothing());
    assert_eq!(selected["tests"][0]["reason"], "failed_last", "{selected}");
    // The failure was one that the selection would have run.
    assert_eq!(selected["miss_risk"]["failures"], 1, "{selected}");
    assert_eq!(selected["miss_risk"]["missed"], 0, "{selected}");
    let one = run(&mut process, json!({"tests": ["tests/test_other.py::test_other"]}));
    assert_eq!(one["counts"], json!({"passed": 1}));
}

#[test]
fn what_cannot_be_collected_is_broken_and_a_hang_is_ended() {
    let place = repository();
    write(&place, "conftest.py", "");
    write(&place, "tests/test_broken.py", "import no_such_module\n");
    let mut process = server_with_pytest!(place);
    let broken = run(&mut process, json!({"repeat": 2}));
    assert_eq!(broken["status"], "broken", "{broken}");
    assert!(broken["broken"][0].as_str().unwrap().contains("cannot be collected"), "{broken}");
    write(&place, "tests/test_broken.py", "import time\n\n\ndef test_hangs():\n    time.sleep(100)\n");
    let hangs = run(&mut process, json!({"timeout_s": 5}));
    assert_eq!(hangs["status"], "broken");
    assert!(hangs["broken"][0].as_str().unwrap().contains("did not end in its time"), "{hangs}");
    write(&place, "tests/test_broken.py", "import os\n\n\ndef test_kills():\n    os.kill(os.getpid(), 9)\n");
    let killed = run(&mut process, nothing());
    assert_eq!(killed["status"], "broken", "{killed}");
    write(&place, "tests/test_broken.py", "def test_floods():\n    print('x' * 50_000_000)\n    assert 0\n");
    let floods = run(&mut process, nothing());
    assert_ne!(floods["status"], "passed", "{}", floods["status"]);
}

#[test]
fn a_test_that_sometimes_fails_is_flaky() {
    let place = repository();
    write(&place, "conftest.py", "");
    write(
        &place,
        "tests/test_flaky.py",
        "import pathlib\n\n\ndef test_flaky():\n    seen = pathlib.Path('seen')\n    is_there = seen.exists()\n    seen.touch()\n    assert is_there\n",
    );
    let mut process = server_with_pytest!(place);
    let flaky = run(&mut process, json!({"repeat": 3}));
    assert_eq!((&flaky["status"], &flaky["runs"]), (&json!("flaky"), &json!(3)), "{flaky}");
    assert_eq!((&flaky["tests"][0]["passed"], &flaky["tests"][0]["failed"]), (&json!(2), &json!(1)));
    let gate = answer(&mut process, "gate", nothing());
    assert_eq!(gate["conditions"][0]["answer"], "fail", "{gate}");
    write(
        &place,
        "quality.toml",
        "[[quarantine]]\ntest = 'tests/test_flaky.py::test_flaky'\nuntil = '9999-12-31'\nreason = 'a file'\n",
    );
    std::fs::remove_file(place.path("root/seen")).unwrap();
    let quarantined = run(&mut process, json!({"repeat": 2}));
    assert_eq!(
        (&quarantined["status"], &quarantined["counts"]["quarantined"]),
        (&json!("passed"), &json!(1))
    );
}

#[test]
fn tests_of_rust_run_where_this_user_has_it() {
    let place = repository();
    write(
        &place,
        "Cargo.toml",
        "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    write(
        &place,
        "src/lib.rs",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn good() {}\n    #[test]\n    fn bad() {\n        assert_eq!(1, 2);\n    }\n    #[test]\n    #[ignore]\n    fn later() {}\n}\n",
    );
    let mut process = place.server(&[]);
    let reply = process.call("run_tests", &nothing());
    let answered = structured(&reply);
    if answered["broken"][0]
        .as_str()
        .is_some_and(|why| why.contains("before any test ran") || why.contains("rustup"))
    {
        println!("skipped: cargo of this machine cannot be run in the sandbox: {}", answered["broken"][0]);
        return;
    }
    assert_eq!(answered["status"], "failed", "{answered}");
    assert_eq!(answered["counts"], json!({"passed": 1, "failed": 1, "skipped": 1}));
    assert_eq!(members(&answered["tests"], "name"), ["sample::tests::bad"]);
    assert!(answered["tests"][0]["message"].as_str().unwrap().contains("left == right"), "{answered}");
    // What does not build is broken, and never a run without failures.
    write(&place, "src/lib.rs", "fn f() -> u8 { \"\" }\n");
    let broken = answer(&mut process, "run_tests", nothing());
    assert_eq!((&broken["status"], &broken["counts"]), (&json!("broken"), &json!({})), "{broken}");
    assert!(broken["broken"][0].as_str().unwrap().contains("it does not build"), "{broken}");
}

#[test]
fn where_nothing_may_be_changed_nothing_is_run() {
    let place = repository();
    let mut process = place.server(&["--read-only"]);
    let reply = process.call("run_tests", &nothing());
    assert_eq!(reply["error"]["code"], -32602, "{reply}");
    let mut process = place.server(&[]);
    assert!(refusal(&process.call("run_tests", &json!({"cwd": ".."}))).contains("below none of the roots"));
    assert!(
        refusal(&process.call("run_tests", &json!({"runner": "pytest", "tests": ["--help"]})))
            .contains("not a name")
    );
}

#[test]
fn a_run_counts_for_the_session_where_no_state_can_be_used() {
    let place = repository();
    write(&place, "conftest.py", "");
    write(&place, "tests/test_core.py", "def test_run():\n    assert 0\n");
    let Some(arguments) = python() else {
        println!("skipped: python3 of this machine has no pytest");
        return;
    };
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quality-mcp"));
    command.arg("--root").arg(place.path("root")).args(["--state", "none"]).args(&arguments);
    let mut process = mcp_testing::client::Process::start(&mut command);
    process.open();
    assert_eq!(run(&mut process, nothing())["status"], "failed");
    let gate = answer(&mut process, "gate", nothing());
    assert_eq!(
        (&gate["answer"], &gate["conditions"][0]["answer"]),
        (&json!("fail"), &json!("fail")),
        "{gate}"
    );
}

#[test]
fn a_green_run_holds_until_any_file_changes() {
    let place = repository();
    write(&place, "conftest.py", "");
    write(&place, "data.txt", "a");
    crate::support::commit(&place, "data");
    let mut process = server_with_pytest!(place);
    let root = place.path("root");
    let changes: [&dyn Fn(); 3] = [
        &|| std::fs::remove_file(root.join("data.txt")).unwrap(),
        // A content of the same length, with the times put back.
        &|| {
            let path = root.join("pkg/core.py");
            let times = std::fs::metadata(&path).unwrap().modified().unwrap();
            let text = std::fs::read_to_string(&path).unwrap().replace("return 2", "return 3");
            std::fs::write(&path, text).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(times).unwrap();
        },
        &|| std::fs::remove_file(root.join("tests/test_other.py")).unwrap(),
    ];
    for change in changes {
        assert_eq!(run(&mut process, nothing())["status"], "passed");
        let gate = answer(&mut process, "gate", nothing());
        assert_eq!(gate["conditions"][0]["answer"], "pass", "{gate}");
        change();
        let gate = answer(&mut process, "gate", nothing());
        assert_eq!(gate["conditions"][0]["answer"], "undecided", "{gate}");
    }
}

#[test]
fn what_stops_early_is_broken_and_what_hangs_is_named() {
    let place = repository();
    write(&place, "conftest.py", "");
    write(
        &place,
        "tests/test_other.py",
        "import pytest\n\n\ndef test_ends():\n    pytest.exit('stop', returncode=0)\n\n\ndef test_last():\n    assert 0\n",
    );
    let mut process = server_with_pytest!(place);
    let stopped = run(&mut process, nothing());
    assert_eq!(stopped["status"], "broken", "{stopped}");
    assert!(stopped["broken"][0].as_str().unwrap().contains("2 of 3 tests did not end"), "{stopped}");
    write(&place, "tests/test_other.py", "import time\n\n\ndef test_slow():\n    time.sleep(600)\n");
    // A busy machine may need long until the first test begins.
    let is_named = |budget: u32| {
        let slow = run(&mut process, json!({"budget_s": budget}));
        slow["broken"][0].as_str().unwrap().contains("while tests/test_other.py::test_slow ran")
    };
    assert!([5, 20, 60].into_iter().any(is_named));
    write(&place, "pytest.ini", "[pytest]\naddopts = -k test_run\n");
    let fewer = run(&mut process, nothing());
    assert_eq!((&fewer["status"], &fewer["counts"]), (&json!("passed"), &json!({"passed": 1})), "{fewer}");
    assert!(fewer["notices"][0].as_str().unwrap().contains("1 test was left out"), "{fewer}");
}

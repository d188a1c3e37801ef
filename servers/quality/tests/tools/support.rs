//! A server over a repository of its own.

pub use mcp_testing::place::{Place, refusal, structured};

use std::process::Command;

use mcp_testing::client::Process;
use serde_json::{Value, json};

/// A place of its own for this server.
pub fn place() -> Place {
    Place::new(env!("CARGO_BIN_EXE_quality-mcp"))
}

/// Writes a file below the root, with the directories above it.
pub fn write(place: &Place, name: &str, text: impl AsRef<[u8]>) {
    let path = place.path("root").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Runs git in the root, as a person with a name.
pub fn git(place: &Place, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]);
    let output = git.args(arguments).current_dir(place.path("root")).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// Commits everything.
pub fn commit(place: &Place, subject: &str) {
    git(place, &["add", "--all"]);
    git(place, &["commit", "--quiet", "--allow-empty", "--message", subject]);
}

/// A repository with code of Rust and Python, and one commit.
pub fn repository() -> Place {
    let place = place();
    git(&place, &["init", "--quiet"]);
    write(&place, "src/lib.rs", RUST);
    write(&place, "pkg/core.py", "def run(a):\n    if a:\n        return 1\n    return 2\n");
    write(
        &place,
        "tests/test_core.py",
        "from pkg.core import run\n\n\ndef test_run():\n    assert run(1) == 1\n",
    );
    write(&place, "tests/test_other.py", "import json\n\n\ndef test_other():\n    assert json\n");
    commit(&place, "begin");
    place
}

pub const RUST: &str = "pub fn easy(a: u32) -> u32 {
    a + 1
}

pub fn hard(a: u32, b: &[u32]) -> u32 {
    let mut sum = 0;
    for x in b {
        if *x > a && *x < 9 {
            match x {
                1 => sum += 1,
                2 => sum += 2,
                _ => sum += x,
            }
        }
    }
    sum
}
";

/// Calls a tool, and gives the structured content of its answer.
#[expect(clippy::needless_pass_by_value, reason = "calls are written with json!")]
pub fn answer(process: &mut Process, tool: &str, arguments: Value) -> Value {
    structured(&process.call(tool, &arguments)).clone()
}

/// The members of a list of objects that have this name.
pub fn members(list: &Value, name: &str) -> Vec<Value> {
    list.as_array().unwrap().iter().map(|item| item[name].clone()).collect()
}

/// What a server needs so that commands can run a Python with pytest: the one of this PATH. `None` where it has none.
pub fn python() -> Option<Vec<String>> {
    let script = "import pytest, sys; print(sys.prefix); print(sys.base_prefix)";
    let output = Command::new("python3")
        .args(["-c", script])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).unwrap();
    let prefixes: Vec<&str> = text.lines().collect();
    let mut arguments = vec!["--programs".to_owned(), format!("{}/bin", prefixes[0])];
    for prefix in prefixes.into_iter().filter(|prefix| !["/usr", "/"].contains(prefix)) {
        arguments.extend(["--also-read".to_owned(), prefix.to_owned()]);
    }
    Some(arguments)
}

/// An empty object, for calls without arguments.
pub fn nothing() -> Value {
    json!({})
}

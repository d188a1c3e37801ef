//! A server over a small project of its own.

pub use mcp_testing::place::{Place, refusal, structured};

use mcp_testing::client::Process;
use serde_json::Value;

/// A place of its own for this server.
pub fn place() -> Place {
    Place::new(env!("CARGO_BIN_EXE_development-mcp"))
}

/// Writes a file below the root of a place.
pub fn write(place: &Place, name: &str, text: impl AsRef<[u8]>) {
    let path = place.path("root").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A place with a small package of Python and one of Rust.
pub fn project() -> Place {
    let place = place();
    write(&place, "pkg/__init__.py", "from .core import run\n");
    write(
        &place,
        "pkg/core.py",
        "import os\n\n\ndef run(value, *, fast=False):\n    \"\"\"Runs it.\n\n    More words.\n    \"\"\"\n    if fast:\n        return 1\n    return value\n\n\nclass Runner:\n    speed = 1\n\n    def start(self):\n        return run(self.speed)\n",
    );
    write(
        &place,
        "app.py",
        "from pkg import run\nfrom pkg.core import Runner\n\nprint(run(1))\nRunner().start()\n",
    );
    write(&place, "tests/test_app.py", "import app\n");
    write(
        &place,
        "src/lib.rs",
        "pub mod util;\n\n/// Adds.\npub fn add(a: u8, b: u8) -> u8 {\n    util::checked(a) + b\n}\n",
    );
    write(&place, "src/util.rs", "pub(crate) fn checked(a: u8) -> u8 {\n    a\n}\n");
    write(&place, "Cargo.toml", "[package]\nname = \"it\"\n");
    place
}

/// The structured content of a call.
pub fn ask(process: &mut Process, tool: &str, arguments: &Value) -> Value {
    structured(&process.call(tool, arguments)).clone()
}

/// The sentence with which a call is refused.
pub fn refused(process: &mut Process, tool: &str, arguments: &Value) -> String {
    refusal(&process.call(tool, arguments)).to_owned()
}

/// `path line` of all lines of grouped answers.
pub fn lines(files: &Value) -> Vec<String> {
    let of = |file: &Value| {
        let path = file["path"].as_str().unwrap().to_owned();
        let lines = file["lines"].as_array().unwrap().clone();
        lines.into_iter().map(move |line| format!("{path} {}", line.as_str().unwrap())).collect::<Vec<_>>()
    };
    files.as_array().unwrap().iter().flat_map(of).collect()
}

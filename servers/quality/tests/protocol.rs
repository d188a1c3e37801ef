//! What every server has to hold, held by this one.

use mcp_testing::protocol::Served;

const TOOLS: [&str; 8] =
    ["metrics", "hotspots", "lint", "duplicates", "coverage", "run_tests", "select_tests", "gate"];

const SERVED: Served = Served {
    program: env!("CARGO_BIN_EXE_quality-mcp"),
    name: "quality-mcp",
    title: "Quality",
    tools: &TOOLS,
    toolsets: &["code", "tests"],
    help: &["--without-rust", "--programs", "--also-read", "export", "import"],
    facts: &["Landlock", "seccomp", "namespaces", "cargo", "python3", "policy"],
    // So many as its rate lets through at once.
    calls: |tool| if tool == "run_tests" { 8 } else { 30 },
    // Nothing is run: a directory that is not there has no tests.
    tame: |tool, arguments| {
        if tool == "run_tests" {
            arguments["cwd"] = "nowhere".into();
        }
    },
};

mcp_testing::protocol_tests!(SERVED);

//! What every server has to hold, held by this one.

use mcp_testing::protocol::Served;
use mcp_testing::schema::one_of;

#[rustfmt::skip]
const TOOLS: [&str; 7] = [
    "command_analyze", "command_suggest", "command_optimize", "command_run", "run_output", "history", "system_info",
];

const SERVED: Served = Served {
    program: env!("CARGO_BIN_EXE_bash-god-mcp"),
    name: "bash-god-mcp",
    title: "Bash God",
    tools: &TOOLS,
    toolsets: &["history", "look", "run"],
    help: &["--policy", "--run-without", "--programs", "--also-read", "export", "import"],
    facts: &["Landlock", "seccomp", "namespaces", "bash", "policy"],
    // So many as its rate lets through at once.
    calls: |tool| if tool == "command_run" { 35 } else { 60 },
    // Nothing is run: words of chance may be words of a program.
    tame: |tool, arguments| {
        if tool == "command_run" {
            one_of(arguments, &["argv", "pipeline", "command"]);
            arguments["dry_run"] = true.into();
        }
    },
};

mcp_testing::protocol_tests!(SERVED);

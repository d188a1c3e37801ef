//! What every server has to hold, held by this one.

use mcp_testing::protocol::Served;
use mcp_testing::schema::one_of;

const TOOLS: [&str; 8] =
    ["search", "ast_search", "outline", "symbol", "references", "impact", "read", "repo_map"];

const SERVED: Served = Served {
    program: env!("CARGO_BIN_EXE_development-mcp"),
    name: "development-mcp",
    title: "Development",
    tools: &TOOLS,
    toolsets: &["code", "text"],
    help: &["--any-root"],
    facts: &["languages", "watches", "git"],
    calls: |_tool| 40,
    tame: |tool, arguments| match tool {
        "ast_search" => arguments["language"] = "rust".into(),
        "impact" => one_of(arguments, &["path", "symbol"]),
        "read" => one_of(arguments, &["lines", "symbol"]),
        _ => {}
    },
};

mcp_testing::protocol_tests!(SERVED);

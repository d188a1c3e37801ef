//! The eight tools.

mod impact;
mod map;
mod page;
mod read;
mod references;
mod search;
mod structure;

use std::time::Duration;

use mcp_server::context::Context;
use mcp_server::tool::{Tool, ToolError};

use crate::state::Development;

/// The sets of `--toolset`: what needs no index, and what is asked of it.
const TEXT: &str = "text";
const CODE: &str = "code";

/// The first question of a large tree waits for its index.
const LONGEST: Duration = Duration::from_secs(300);

/// A tool's function, which only looks at what it gets.
fn of<P, R>(
    run: fn(&Development, &P, &Context) -> Result<R, ToolError>,
) -> impl Fn(&Development, P, &Context) -> Result<R, ToolError> {
    move |state, params, context| run(state, &params, context)
}

/// All of them.
pub(crate) fn all() -> Vec<Tool<Development>> {
    let tools = [
        Tool::heavy(
            "search",
            "Search text in files by regex (as ripgrep), or names of definitions. Say mode text for code with \
             brackets.",
            of(search::search),
        )
        .toolset(TEXT),
        Tool::heavy("ast_search", "Find code by shape, whatever its layout and names (ast-grep pattern).", of(search::ast_search))
            .toolset(TEXT),
        Tool::heavy("outline", "List the definitions of a file or directory, with lines.", of(structure::outline)).toolset(CODE),
        Tool::heavy("symbol", "Find definitions by name: place, signature, documentation, code.", of(structure::symbol))
            .toolset(CODE),
        Tool::heavy(
            "references",
            "Find who uses a definition, by imports, scopes and types, not by name alone. Use before renaming or \
             removing.",
            of(references::references),
        )
        .toolset(CODE),
        Tool::heavy("impact", "Tell which files depend on a file or definition, and how far away they are.", of(impact::impact))
            .toolset(CODE),
        Tool::heavy("read", "Read lines or a definition of a file.", of(read::read)).toolset(TEXT),
        Tool::heavy(
            "repo_map",
            "Map a repository: languages, central files with definitions, hot spots (churn, branches), import cycles.",
            of(map::repo_map),
        )
        .toolset(CODE),
    ];
    tools.into_iter().map(|tool| tool.read_only().rate(200.0).timeout(LONGEST).terse_output()).collect()
}

//! Reading MCP messages and choosing who handles them, and writing tool results: what a server does for
//! every call besides the call itself.

mod parse;
mod write;

pub use parse::{Arguments, Handler, Id, Refusal, Routed, parse, plain as parse_plain};
pub use write::{Content, Reply, Structured, ToolResult, plain as write_plain, write};

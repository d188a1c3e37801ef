//! From text to [`script::Script`], read twice.

mod agree;
mod ansi;
pub(crate) mod brush;
pub(crate) mod script;
pub(crate) mod sitter;
pub(crate) mod word;

use crate::analysis::limits;
use crate::analysis::syntax::script::Script;
use crate::analysis::syntax::word::Refusal;

/// Parses a command with both parsers; a refusal if one of them fails or they read different commands.
pub(crate) fn parse(command: &str) -> Result<Script, Refusal> {
    limits::check_text(command)?;
    // The first parser keeps its state on the heap; the second one recurses, and is asked only about text
    // that the first one understood.
    let outline = sitter::outline(command)?;
    let script = brush::script(command, 0)?;
    agree::check(outline, &script)?;
    Ok(script)
}

//! What ends the texts of answers.

use mcp_server::budget::Detail;

use crate::answers::Looked;
use crate::words::files;

/// The lines of a message that the text repeats where nobody asks for more.
const MOST_SAID: usize = 8;

/// A message of a test: its beginning, or all of it.
pub(super) fn said(message: &str, detail: Detail) -> String {
    let mut kept: Vec<&str> = message.lines().filter(|line| !line.trim().is_empty()).collect();
    if detail != Detail::Detailed && kept.len() > MOST_SAID {
        kept.truncate(MOST_SAID);
        kept.push("…");
    }
    kept.join("\n  ")
}

/// What ends a text: what was not read, what limits the answer, and how to go on. A client may show its model the text
/// alone.
pub(super) fn after(
    mut text: String,
    looked: Option<&Looked>,
    notices: &[String],
    next: Option<&str>,
) -> String {
    if let Some(looked) = looked {
        for skipped in &looked.skipped {
            text.push_str(&format!(
                "\nnot read: {}, {}",
                files(skipped.n as usize),
                skipped.reason.replace('_', " ")
            ));
        }
        if looked.partial > 0 {
            text.push_str(&format!("\nwith errors of grammar: {}", files(looked.partial)));
        }
    }
    for notice in notices {
        text.push_str(&format!("\nnote: {notice}"));
    }
    if let Some(cursor) = next {
        text.push_str(&format!("\nmore: cursor {cursor}"));
    }
    text
}

//! The own history: what was sampled, in files of bounded size that one process writes and any number reads.
//!
//! The newest rows are appended to the *head*, each with its checksum. When there are enough of them they are compressed to
//! a *chunk* (`pco`, column by column), which is appended to the newest *segment*, and the head begins anew. A reader takes
//! the head first and the segments after it, so that rows which move meanwhile are seen twice, and never not at all. What
//! a kill, a full disk or a cut leaves behind ends the file at its last whole record. Segments are removed oldest first.

mod chunk;
mod frame;
mod reader;
mod writer;

pub use chunk::{Chunk, Row};
pub use reader::{Metric, Ring};
pub use writer::{Limits, RingError, Writer};

use std::path::{Path, PathBuf};

/// The directory of the history below the state directory.
#[must_use]
pub fn directory(state: &Path) -> PathBuf {
    state.join("history")
}

/// The file of the newest rows.
const HEAD: &str = "head";
/// The ending of segments; their names are numbers.
const SEGMENT: &str = "chunks";

/// The segments of a directory with their numbers, the oldest first.
fn segments(directory: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<(u64, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == SEGMENT))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.parse().ok()?, path)))
        .collect();
    found.sort_unstable();
    found
}

//! Text that was copied: equal but for layout and comments (type 1), for names and values (type 2), or with a few
//! tokens changed, added or left out (type 3).
//!
//! Fingerprints are chosen by winnowing (`mcp_kernels::shingles`), so that any run of equal tokens that is long enough
//! shares one. Each shared fingerprint is a seed, from which the equal text is followed in both directions.

mod corpus;
mod follow;
mod group;
mod lex;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use corpus::{Corpus, FileNumber};
pub use group::{CloneClass, Place, classes};

/// How much two copies differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum CloneType {
    /// In layout and comments alone.
    #[serde(rename = "exact")]
    Exact,
    /// Also in names and values.
    #[serde(rename = "renamed")]
    Renamed,
    /// Also in a few tokens.
    #[serde(rename = "edited")]
    Edited,
}

/// What counts as a copy.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The fewest tokens that are equal.
    pub tokens: usize,
    /// The fewest lines.
    pub lines: u32,
}

impl Default for Options {
    /// As jscpd has it.
    fn default() -> Self {
        Self { tokens: 50, lines: 5 }
    }
}

/// One copy of another: tokens of two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// How they differ.
    pub kind: CloneType,
    /// The one: file, first token, and the token after the last.
    pub one: (FileNumber, u32, u32),
    /// The other.
    pub other: (FileNumber, u32, u32),
    /// How many tokens are equal.
    pub equal: u32,
}

//! Whether two artifacts are made of the same code.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::census::CensusError;
use crate::census::graph::Graph;
use crate::census::linker_input;

/// The digest of an artifact's linker inputs: 64 hexadecimal digits of SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeDigest(String);

impl CodeDigest {
    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Digests the code and data that a linker is given, without regard to order.
///
/// `inputs` are the files of a link, each with its name: objects and archives (rlibs) count with every
/// section that is loaded; shared libraries and linker scripts do not, because they add no code. What
/// is none of these (LLVM bitcode, say) counts as its bytes. Two artifacts are `identical code` when
/// their digests are equal, given the same linker and linker flags.
///
/// How it works: each section is a node, each relocation an edge to the section which it points into.
/// A node starts with the digest of its kind, flags, contents, relocations (offset, type, addend) and
/// global names without hashes; then every node's digest takes in those of its targets, again and again,
/// until no two nodes that were alike part any more (colour refinement; the edges are ordered by
/// offset, so the result is the coarsest bisimulation, as in Moore's minimisation of automata). A call
/// is thus told by *what* it calls, never by a name alone: two instances of one generic function, whose
/// names differ in nothing but a hash, are not mistaken for one another.
///
/// Not covered: `.eh_frame` (derived from the code), notes, debug information, and what a name means
/// at run time in a shared library.
///
/// # Errors
/// When an object or archive is damaged or for another machine; the error names the input.
pub fn identity<N, B>(inputs: impl IntoIterator<Item = (N, B)>) -> Result<CodeDigest, CensusError>
where
    N: AsRef<str>,
    B: AsRef<[u8]>,
{
    let mut graph = Graph::default();
    for (name, bytes) in inputs {
        linker_input::add(&mut graph, name.as_ref(), bytes.as_ref())?;
    }
    let hexadecimal = graph.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(CodeDigest(hexadecimal))
}

#[cfg(test)]
mod tests;

//! Metrics of functions: complexity, length, nesting, Halstead's measures, maintainability. What counts is defined for
//! each language in `metrics/kinds.rs`, and written down in the documents.

mod halstead;
mod kinds;
mod names;
mod python;
mod walk;

#[cfg(test)]
mod tests;

use mcp_source::Language;
use mcp_source::tree_sitter::Tree;
use serde::Serialize;

pub use halstead::{Halstead, maintainability};

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A function or a method.
    Function,
    /// A function without a name of its own, where the language measures it apart.
    Closure,
}

/// The metrics of one function. What it holds of other functions is theirs, but for Halstead's measures, the length and
/// what the language's definition says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionMetrics {
    /// Its name with those of what it lies in.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The line of its beginning, from 1.
    pub first_line: u32,
    /// The line of its end.
    pub last_line: u32,
    /// Ways through it that are independent: one, and one for each decision.
    pub cyclomatic: u32,
    /// How hard it is to follow (Campbell, "Cognitive Complexity", 2018).
    pub cognitive: u32,
    /// The deepest nesting of its control structures.
    pub nesting: u32,
    /// Its lines with something else than comments.
    pub code_lines: u32,
    /// Its parameters, without the object that it is called on.
    pub parameters: u32,
    /// Halstead's measures.
    pub halstead: Halstead,
    /// From 0 to 100; more is easier.
    pub maintainability: f64,
}

impl FunctionMetrics {
    /// How many lines it spans.
    #[must_use]
    pub fn lines(&self) -> u32 {
        self.last_line - self.first_line + 1
    }
}

/// The metrics of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FileMetrics {
    /// Its functions, in the order of their beginnings.
    pub functions: Vec<FunctionMetrics>,
    /// Its lines.
    pub lines: u32,
    /// Lines with something else than comments.
    pub code_lines: u32,
    /// Lines with comments alone.
    pub comment_lines: u32,
    /// Whether parts of it break the grammar, so that what is said of them may be wrong.
    pub is_partial: bool,
}

impl FileMetrics {
    /// The sum of the cyclomatic complexities.
    #[must_use]
    pub fn cyclomatic(&self) -> u64 {
        self.functions.iter().map(|function| u64::from(function.cyclomatic)).sum()
    }

    /// The sum of the cognitive complexities.
    #[must_use]
    pub fn cognitive(&self) -> u64 {
        self.functions.iter().map(|function| u64::from(function.cognitive)).sum()
    }
}

/// Measures a file by its syntax tree.
#[must_use]
pub fn measure(language: Language, tree: &Tree, text: &[u8]) -> FileMetrics {
    walk::measure(language, tree, text)
}

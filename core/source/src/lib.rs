//! Source code below a root, for servers that read it.
//!
//! [`Language`] knows the languages by file name and brings their grammars, [`walk`](walk::walk) lists the files below
//! a root and counts what it leaves out by [`Reason`], [`read`] opens one beneath its root, [`parse`](parse::parse)
//! makes a syntax tree within a time, [`Lines`] turns bytes into positions, and [`symbols`](symbols::symbols) lists the
//! definitions of a file.
//!
//! ```
//! use mcp_source::{Language, parse, symbols};
//!
//! let text = "/// Adds.\nfn add(a: u8, b: u8) -> u8 { a + b }\n";
//! let tree = parse::parse(Language::Rust, text.as_bytes(), parse::USUAL_TIME)?;
//! let found = symbols::symbols(Language::Rust, &tree, text.as_bytes());
//! assert_eq!((found[0].name.as_str(), found[0].lines), ("add", (2, 2)));
//! # Ok::<(), parse::Refused>(())
//! ```

mod language;
mod lines;
pub mod parse;
mod read;
mod skip;
pub mod symbols;
pub mod walk;

pub use language::Language;
pub use lines::{Lines, Position};
pub use read::{Limits, is_binary, read};
pub use skip::{Reason, Skipped, Skips};
/// The parser, for those who walk trees themselves: one version for all.
pub use tree_sitter;

//! Code found, read and understood: text search that answers as ripgrep does, definitions, outlines, who uses what, whom
//! a change reaches, a map of a repository. Answers say what they are about (commit, files, what is left out), and never
//! more than is known: what an import, a scope or a written type does not lead to is counted, not guessed.
//!
//! | module | owns |
//! |---|---|
//! | [`search`] | text in files |
//! | [`pattern`] | code by its syntax tree |
//! | [`facts`] | what one file defines, imports and names |
//! | [`index`] | the facts of all files, kept and brought up to date |
//! | [`resolve`] | what imports lead to; the graph of files |
//! | [`references`] | who uses a definition |
//! | [`history`] | commit, changes, churn |
//! | `server`, `tools`, `params`, `answers`, `state` | the tools and the server, with the feature `server` |

pub mod facts;
pub mod history;
pub mod index;
pub mod pattern;
pub mod references;
pub mod resolve;
pub mod search;

#[cfg(feature = "server")]
mod answers;
#[cfg(feature = "server")]
mod params;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod state;
#[cfg(feature = "server")]
mod tools;

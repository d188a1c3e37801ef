//! Why a load test was not made, or its record not kept.

use std::io;
use std::path::{Path, PathBuf};

use crate::load::AddressError;
use crate::mcp::CallsError;

/// Why a load test was not made, or its record not kept. What a *server* does wrong is not among it: that is a fault,
/// and stands in the record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options contradict each other, the server or this machine, in a sentence.
    #[error("{0}")]
    Options(String),
    /// A program that was to be started is not there.
    #[error("there is no program {}", .0.display())]
    NoProgram(PathBuf),
    /// The server has no tool of a name that was asked for; the sentence lists those that it has.
    #[error("{0}")]
    NoTool(String),
    /// The server's tools, none of which may be called unasked.
    #[error(
        "no tool says of itself that it only reads and has arguments that can be made, and calling others may change \
         something (there are {})",
        .0.join(", ")
    )]
    NothingSafe(Vec<String>),
    /// The calls cannot be used.
    #[error(transparent)]
    Calls(#[from] CallsError),
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Times cannot be written as a histogram log.
    #[error("a histogram log cannot be written: {0}")]
    Histogram(String),
    /// A file is not what its name says, or only a part of it. The sentence begins with file and line.
    #[error("{0}")]
    Malformed(String),
}

impl Error {
    /// What is wrong with the options.
    pub(crate) fn options(said: impl Into<String>) -> Self {
        Self::Options(said.into())
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }
}

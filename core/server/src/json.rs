//! Reads arguments of tools from JSON text, in one pass and without a table of what failed: the plain twin is
//! `serde_json`, which is asked again wherever this reader finds anything unusual. So it gives up where it may
//! (integers beyond 64 bits, numbers with exponents that are rare, errors of every kind), and where it answers, it
//! gives the same values as `serde_json` with exact floats; the tests compare the two.

mod float;
mod reader;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use reader::Reader;

/// The text is for the plain twin: it is unusual, or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusual;

impl fmt::Display for Unusual {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the text is unusual")
    }
}

impl std::error::Error for Unusual {}

impl serde::de::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

//! Series from text: CSV, the text format of Prometheus, OTLP as JSON.
//!
//! What is read comes from other hosts and programs: it is bounded, and whatever is wrong with it is counted or refused
//! in a sentence.

pub mod csv;
#[cfg(feature = "server")]
pub mod exposition;
#[cfg(feature = "server")]
pub mod otlp;
mod time;

pub use time::moment;

/// The most points that are read from one text.
pub const MOST_POINTS: usize = 5_000_000;
/// The most series that are read from one text.
pub const MOST_SERIES: usize = 10_000;

/// Why a text gives no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

impl ReadError {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// A text of other hands, short and on one line, for sentences about it.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

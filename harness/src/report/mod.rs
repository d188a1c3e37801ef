//! What a person reads: the terminal's table, Markdown, one HTML file, charts. Text and bytes out; no IO, no
//! policy: every number and verdict comes from the analysis and the judgement as it is.

mod block;
mod built;
mod chart;
mod details;
mod export;
mod findings;
mod gate;
mod grid;
mod history;
mod html;
mod latency;
mod markdown;
mod reasons;
mod sheet;
mod signs;
mod splice;
mod table;
mod view;
mod words;

#[cfg(test)]
pub(crate) mod fixture;

pub use block::block;
pub use built::artifacts;
pub use chart::{Chart, ChartError, calibration_charts, charts, gate_chart, latency_charts, trend_chart};
pub use export::{Foreign, Outcome, SUMMARY_LIMIT, fitted, foreign, junit_with, rows_summary, summary};
pub use gate::{GateView, gate_markdown, gate_table};
pub(crate) use grid::wrap;
pub use history::history_table;
pub use html::html;
pub use latency::{latency_block, latency_markdown, latency_table};
pub use markdown::markdown;
pub(crate) use reasons::{label, warning};
pub use reasons::{sentence, sentence_for};
pub use splice::{Form, SpliceError, form, splice, spliced};
pub use table::table;
pub use words::visible;
pub(crate) use words::{number_of, thousands};

use serde::{Deserialize, Serialize};

use crate::analyse::Analysis;
use crate::judge::Judgement;
use crate::machine::Environment;
use crate::plan::Plan;

/// Everything that a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was decided before measuring.
    pub plan: &'a Plan,
    /// The machine that measured.
    pub environment: &'a Environment,
    /// What follows from the samples.
    pub analysis: &'a Analysis,
    /// What was decided about it.
    pub judgement: &'a Judgement,
    /// Where and when it was measured.
    pub meta: &'a Meta,
}

/// The circumstances of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The name of the record's directory.
    pub name: String,
    /// When the run began, as an ISO 8601 time.
    pub started: String,
    /// How long it took in all, building included, in seconds.
    pub seconds: f64,
    /// The command that measures the same again.
    pub command: String,
    /// The version of the lab that measured.
    pub perflab: String,
}

/// What the reader's terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Characters in a line. No line is longer, unless a single number would have to be cut.
    pub width: usize,
    /// Whether ANSI colours are written.
    pub color: bool,
    /// Whether signs beyond ASCII are written.
    pub unicode: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, color: false, unicode: true }
    }
}

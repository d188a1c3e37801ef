//! The calls of a `tool_call` suite, and the rows that they are measured in.

use serde::{Deserialize, Serialize};

use crate::plan::{Benchmark, Measure};

/// A tool call of a `tool_call` suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Its name in tables.
    pub name: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, with the templates of a file of calls.
    #[serde(default)]
    pub arguments: serde_json::Map<String, serde_json::Value>,
    /// A text that the answer has to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// The whole structured content that is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_structured: Option<serde_json::Value>,
    /// Calls in flight.
    #[serde(default = "one_call")]
    pub in_flight: u32,
    /// The quantiles of its response times that are measured: a row each.
    #[serde(default = "median_and_tail")]
    pub measures: Vec<Measure>,
}

fn one_call() -> u32 {
    1
}

fn median_and_tail() -> Vec<Measure> {
    vec![Measure::P50, Measure::P99]
}

impl ToolCall {
    /// The name of its row of this measure: its own for the median, with the quantile behind it for the others.
    #[must_use]
    pub fn row_name(&self, measure: Measure) -> String {
        if measure == Measure::P50 { self.name.clone() } else { format!("{}/{measure}", self.name) }
    }

    /// The row of this measure. That of a tail takes a turn of its own length, and so is `long`.
    pub(crate) fn row(&self, measure: Measure) -> Benchmark {
        Benchmark { long: measure != Measure::P50, ..Benchmark::of(&self.row_name(measure), measure) }
    }

    /// All rows of some calls, in the order of tables: the medians first, then the other quantiles.
    #[must_use]
    pub fn rows(calls: &[Self]) -> Vec<Benchmark> {
        let of = |median: bool| {
            calls.iter().flat_map(move |call| {
                let measures =
                    call.measures.iter().filter(move |measure| (**measure == Measure::P50) == median);
                measures.map(|&measure| call.row(measure))
            })
        };
        of(true).chain(of(false)).collect()
    }
}

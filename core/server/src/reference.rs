//! Two tools that do next to nothing, so that what a call costs is the way to them: the same two that other
//! servers are compared by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::budget::Detail;
use crate::content::Output;
use crate::tool::{Tool, ToolError};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Echo {
    /// Text to return.
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Echoed {
    /// The text.
    text: String,
}

impl Output for Echoed {
    fn text(&self, _detail: Detail) -> String {
        self.text.clone()
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stats {
    /// Numbers to summarise, at least one.
    values: Vec<f64>,
}

/// A summary of numbers.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Summary {
    /// How many numbers.
    count: usize,
    /// Their sum.
    sum: f64,
    /// Their arithmetic mean.
    mean: f64,
    /// The smallest.
    min: f64,
    /// The largest.
    max: f64,
    /// The sample standard deviation; 0 for one number.
    sd: f64,
}

impl Output for Summary {
    fn text(&self, _detail: Detail) -> String {
        format!("{} values, mean {}, from {} to {}", self.count, self.mean, self.min, self.max)
    }
}

impl Summary {
    /// Two passes: the second one knows the mean, so that large values with a small spread do not cancel.
    #[expect(clippy::cast_precision_loss, reason = "a message has far fewer than 2^53 numbers")]
    fn of(values: &[f64]) -> Option<Self> {
        let (first, rest) = values.split_first()?;
        let count = values.len();
        let sum: f64 = values.iter().sum();
        let mean = sum / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = if rest.is_empty() { 0.0 } else { (squares / rest.len() as f64).sqrt() };
        let min = rest.iter().copied().fold(*first, f64::min);
        let max = rest.iter().copied().fold(*first, f64::max);
        Some(Self { count, sum, mean, min, max, sd })
    }
}

/// The tools `echo` and `stats`.
#[must_use]
pub fn tools() -> Vec<Tool<()>> {
    vec![
        Tool::quick("echo", "Returns the text.", |(), echo: Echo, _| Ok(Echoed { text: echo.text }))
            .read_only(),
        Tool::quick(
            "stats",
            "Summarises numbers: count, sum, mean, extremes, standard deviation.",
            |(), stats: Stats, _| {
                Summary::of(&stats.values)
                    .ok_or_else(|| ToolError::failed("there are no values: give at least one"))
            },
        )
        .read_only(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_summary() {
        let summary = Summary::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!(
            (summary.count, summary.sum, summary.mean, summary.min, summary.max),
            (8, 40.0, 5.0, 2.0, 9.0)
        );
        assert!((summary.sd - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[3.5]).unwrap().sd, 0.0);
    }
}

//! What the two tools of every peer do, so that servers differ in the way to the tool and not in the tool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Arguments of `echo`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct Echo {
    /// Text to return.
    pub text: String,
}

/// Arguments of `stats`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct Stats {
    /// Numbers to summarise, at least one.
    pub values: Vec<f64>,
}

/// A summary of numbers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Summary {
    /// How many numbers.
    pub count: usize,
    /// Their sum.
    pub sum: f64,
    /// Their arithmetic mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The sample standard deviation; 0 for one number.
    pub sd: f64,
}

/// Summarises numbers; `None` without any.
pub fn summary(values: &[f64]) -> Option<Summary> {
    let (first, rest) = values.split_first()?;
    let count = values.len();
    let sum: f64 = values.iter().sum();
    let mean = sum / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let sd = if rest.is_empty() { 0.0 } else { (squares / rest.len() as f64).sqrt() };
    let min = rest.iter().copied().fold(*first, f64::min);
    let max = rest.iter().copied().fold(*first, f64::max);
    Some(Summary { count, sum, mean, min, max, sd })
}

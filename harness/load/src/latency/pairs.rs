//! What experiments on comparisons keep: servers whose true difference is known, compared as those of a run are.

use serde::{Deserialize, Serialize};

/// One percentile of one pair in one experiment: a line of the file that calibrations add up in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairLine {
    /// The experiment's seed.
    pub seed: u64,
    /// The pair: `work` or `null server`.
    pub pair: String,
    /// The quantile, from 0 to 1.
    pub q: f64,
    /// By how much the candidate is slower by its construction, as a share; 0 of an A/A pair.
    pub slower: f64,
    /// Launches of each server.
    pub launches: usize,
    /// The mean over launches of the logarithm of candidate through baseline.
    pub mean_log: f64,
    /// The standard deviation of the same.
    pub sd_log: f64,
    /// The lower end of the ratio's interval.
    pub lo: f64,
    /// Its upper end.
    pub hi: f64,
    /// Of measuring the pair.
    pub seconds: f64,
    /// CPU time of the client, in ns a call.
    pub own_ns: f64,
}

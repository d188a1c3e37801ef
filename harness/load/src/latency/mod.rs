//! Latencies as numbers: when calls are due, how long they took, what follows from it. No IO, no clock.
//!
//! The unit of replication is the launch, as everywhere in the lab: intervals of comparisons are Student's t over
//! launches. Intervals of a percentile's own value are order statistics of the calls of the measured launches,
//! and say nothing of launches that were not made.

mod compare;
mod log;
mod pairs;
mod record;
mod schedule;
mod search;
mod slope;
mod times;

pub use compare::{Comparison, QUANTILES, compare, quantile_name};
pub use log::{LogError, LoggedLaunch, hlog, read_hlog};
pub use pairs::PairLine;
pub use record::{
    Cancellation, Capacity, Failed, Instructions, LATENCY_SCHEMA, LatencyFile, LatencyState, LaunchOf, Load,
    Member, Memory, Mode, Placement, Rung, Series, ServerFacts, Versus, Window,
};
pub use schedule::Arrivals;
pub use search::Search;
pub use slope::{Slope, slope};
pub use times::{Distribution, Percentile, Times};

//! The statistics that every estimate, interval and verdict of the lab rests on.
//!
//! Everything here is pure: no clock, no file, no global state. Random resampling takes its seed as an
//! argument, so that a record can be judged again and yields the same digits. Nothing panics: where the
//! data are too few, not finite or contradict each other, the answer is `None`.
//!
//! The unit of replication is the launch. A slice of values given to this module therefore holds **one value
//! per launch**, usually a log ratio; samples of one process are not independent and do not belong here,
//! except in [`quantile_interval`] for latencies.

mod binomial;
mod bootstrap;
mod boundary;
mod changepoint;
mod describe;
mod holm;
mod interval;
mod normal;
mod power;
mod quantile;
mod sequential;
mod solve;
mod student;

#[cfg(test)]
mod simulations;

pub use binomial::{clopper_pearson, clopper_pearson_upper};
pub use bootstrap::{bootstrap, bootstrap_two_way};
pub use boundary::Spending;
pub use changepoint::{ChangePoint, SHORTEST_SEGMENT, Search, change_points};
pub use describe::{layout_share, mad, mean, median, sd};
pub use holm::holm;
pub use interval::{Estimate, Interval};
pub use power::{MOST_LAUNCHES, launches_to_decide, minimum_detectable};
pub use quantile::{quantile, quantile_interval, quantile_ranks};
pub use sequential::{Look, Sequential};
pub use student::{Beyond, mean_interval, p_beyond, t_cdf, t_quantile};

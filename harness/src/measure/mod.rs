//! Measuring: processes of every arm take turns, launch after launch. Returns data; prints nothing.

mod arm;
mod builds;
mod clock;
mod count;
mod crosstalk;
mod inject;
mod launch;
mod prepare;
mod run;
mod wire;

pub use crate::counter::{Limits, Means};
pub use crate::schedule::{layout_seed, order};
pub use arm::{ArmProgram, Pace};
pub use builds::BuildBench;
pub use clock::Clocks;
pub use count::{CallCount, Countable, Counting, count_calls, countable};
pub use crosstalk::CrosstalkBench;
pub use inject::{call_ns, doubling_guess, steps_for};
pub use launch::{Launcher, Outcome};
pub use prepare::{Prepared, list, prepare};
pub use run::{ArmFacts, FailureReason, Launch, LaunchArm, Run, RunFailure, Sample, Slice, Turn};

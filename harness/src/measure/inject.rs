//! Known effects: how much extra work makes a call slower by a given share.

use crate::measure::arm::Arm;
use crate::measure::{ArmProgram, FailureReason, Pace};
use crate::plan::Budget;
use crate::stats::median;

/// Corrections of the first guess: the first steps of a chain may hide behind the call that follows it.
const CORRECTIONS: usize = 4;

/// The number of dependent steps after each call that makes `benchmark` slower by `share` (0.02 is 2 %), as
/// nearly as one process can tell. The truth is what the launches show, not this guess.
///
/// # Errors
/// When the arm fails.
pub fn extra_for(
    program: &ArmProgram,
    benchmark: &str,
    pace: Pace,
    share: f64,
    budget: &Budget,
) -> Result<u64, FailureReason> {
    let mut arm = Arm::start(program)?;
    arm.prepare(benchmark, budget.patience())?;
    let mut ratio = |extra: u64| -> Result<(f64, f64), FailureReason> {
        let mut ratios = Vec::new();
        let mut plain = Vec::new();
        for _ in 0..8 {
            let mut time = |extra: u64| {
                let pace = Pace { extra, ..pace };
                arm.turn(benchmark, budget.settle_ns / 3, 4, pace, budget.patience()).map(|slices| {
                    let calls: Vec<f64> =
                        slices.iter().map(|slice| slice.wall_ns as f64 / slice.iters as f64).collect();
                    median(&calls).unwrap_or(f64::NAN)
                })
            };
            let (without, with) = (time(0)?, time(extra)?);
            ratios.push(with / without);
            plain.push(without);
        }
        Ok((median(&ratios).unwrap_or(1.0), median(&plain).unwrap_or(1.0)))
    };
    // One step is a multiplication and an exclusive or: about four cycles, a nanosecond or more.
    let (_, call_ns) = ratio(1)?;
    let mut extra = (call_ns * share).max(1.0);
    for _ in 0..CORRECTIONS {
        let (found, call_ns) = ratio(extra.round() as u64)?;
        // Move by what is missing, at the price of one step a nanosecond.
        extra = (extra + (share - (found - 1.0)) * call_ns * 0.8).max(1.0);
    }
    Ok(extra.round() as u64)
}

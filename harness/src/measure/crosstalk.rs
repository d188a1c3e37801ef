//! The baseline beside a wide arm against the baseline beside itself.

use crate::measure::arm::Arm;
use crate::measure::{ArmProgram, FailureReason, Pace};
use crate::plan::Budget;
use crate::schedule::order;
use crate::stats::median;

/// One pair of arms: a scalar benchmark, and a wide one that may disturb it.
#[derive(Clone, Debug)]
pub struct CrosstalkBench {
    /// The arm that is timed, and that also runs beside itself.
    pub baseline: ArmProgram,
    /// The arm with wide vectors.
    pub wide: ArmProgram,
    /// What the baseline runs.
    pub scalar_benchmark: String,
    /// What the wide arm runs.
    pub wide_benchmark: String,
    /// Blocks, slices and settling.
    pub budget: Budget,
}

impl CrosstalkBench {
    /// ln(time after the wide arm / time after another process of the baseline): one launch's median over
    /// blocks, the two conditions in random order in each.
    ///
    /// # Errors
    /// When an arm fails.
    pub fn launch(&self, seed: u64, launch: u32) -> Result<f64, FailureReason> {
        let patience = self.budget.patience();
        let mut timed = Arm::start(&self.baseline)?;
        let mut neighbours = [Arm::start(&self.wide)?, Arm::start(&self.baseline)?];
        let pace = |call_ns: u64| Pace {
            iters: (self.budget.slice_ns / call_ns.max(1)).max(1),
            extra: 0,
            long: false,
        };
        let scalar = pace(timed.prepare(&self.scalar_benchmark, patience)?.call_ns);
        let paces = [
            pace(neighbours[0].prepare(&self.wide_benchmark, patience)?.call_ns),
            pace(neighbours[1].prepare(&self.scalar_benchmark, patience)?.call_ns),
        ];
        let names = [&self.wide_benchmark, &self.scalar_benchmark];
        let (settle, slices) = (self.budget.settle_ns, self.budget.slices);
        let mut ratios = Vec::new();
        for block in 0..self.budget.blocks {
            let mut times = [f64::NAN; 2];
            for condition in order(seed, launch, 0, block, &[0, 1]) {
                neighbours[condition].turn(names[condition], settle, slices, paces[condition], patience)?;
                let turn = timed.turn(&self.scalar_benchmark, settle, slices, scalar, patience)?;
                let calls: Vec<f64> =
                    turn.iter().map(|slice| slice.wall_ns as f64 / slice.iters as f64).collect();
                times[condition] = median(&calls).unwrap_or(f64::NAN);
            }
            ratios.push((times[0] / times[1]).ln());
        }
        median(&ratios).ok_or(FailureReason::UnknownBenchmark)
    }
}

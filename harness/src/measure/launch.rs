//! One launch: every arm alive, each on a fresh layout, taking turns in random order.

use std::time::Duration;

use crate::measure::arm::Arm;
use crate::measure::wire::TimedSlice;
use crate::measure::{
    ArmProgram, FailureReason, Launch, LaunchArm, Pace, Prepared, RunFailure, Sample, Slice, Turn,
};
use crate::plan::Plan;
use crate::schedule::{order, pad};

/// How a launch went.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Every arm did every turn.
    Finished(Launch),
    /// An arm failed: the launch is discarded, and is to be repeated without it.
    Failed {
        /// Index of the arm.
        arm: usize,
        /// Index of the benchmark that it failed on.
        benchmark: Option<usize>,
        /// The failure as a row.
        failure: RunFailure,
    },
    /// The user asked to stop.
    Stopped,
}

/// Runs launches of one plan.
pub struct Launcher<'a> {
    /// The plan, its benchmarks known.
    pub plan: &'a Plan,
    /// Slices sized by the first processes.
    pub prepared: &'a Prepared,
}

impl Launcher<'_> {
    /// Starts `programs` (by arm; `None` sits out), runs all turns of launch `index`, and ends them.
    /// `layouts` are the seeds that the programs were linked with. `each` is called after each benchmark.
    #[must_use]
    pub fn launch(
        &self,
        index: u32,
        programs: &[Option<ArmProgram>],
        layouts: &[Option<u64>],
        stop: &dyn Fn() -> bool,
        each: &mut dyn FnMut(),
    ) -> Outcome {
        let mut running: Vec<Option<Arm>> = Vec::new();
        for (arm, program) in programs.iter().enumerate() {
            let Some(program) = program else {
                running.push(None);
                continue;
            };
            let program = ArmProgram { pad: pad(self.plan.seed, index, arm), ..program.clone() };
            match Arm::start(&program) {
                Ok(started) => running.push(Some(started)),
                Err(reason) => return self.failed(index, arm, None, reason),
            }
        }
        let mut turns = Vec::new();
        for benchmark in 0..self.plan.benchmarks.len() {
            let taking_part: Vec<usize> = (0..running.len())
                .filter(|&arm| running[arm].is_some() && self.prepared.paces[arm][benchmark].is_some())
                .collect();
            for block in 0..self.plan.budget.blocks {
                if stop() {
                    return Outcome::Stopped;
                }
                let order = order(self.plan.seed, index, benchmark, block, &taking_part);
                for (position, &arm) in (0..).zip(&order) {
                    let (Some(running), Some(pace)) =
                        (&mut running[arm], self.prepared.paces[arm][benchmark])
                    else {
                        continue;
                    };
                    match self.turn(running, benchmark, pace) {
                        Ok(slices) => turns.push(Turn { benchmark, block, position, arm, slices }),
                        Err(reason) => return self.failed(index, arm, Some(benchmark), reason),
                    }
                }
            }
            each();
        }
        let arms = running.iter().enumerate().filter_map(|(arm, running)| {
            running.as_ref().map(|running| LaunchArm {
                arm,
                layout: layouts.get(arm).copied().flatten(),
                pad: pad(self.plan.seed, index, arm),
                peak_rss: running.peak_rss(),
                code: None,
                signal: None,
            })
        });
        Outcome::Finished(Launch { index, arms: arms.collect(), turns })
    }

    fn turn(&self, arm: &mut Arm, benchmark: usize, pace: Pace) -> Result<Vec<Slice>, FailureReason> {
        let budget = &self.plan.budget;
        let row = &self.plan.benchmarks[benchmark];
        let slices = if pace.long { 1 } else { budget.slices };
        let expected_ns = budget.settle_ns.saturating_add(u64::from(slices).saturating_mul(budget.slice_ns));
        let timeout = budget.patience() + Duration::from_nanos(expected_ns);
        let settle_ns = if pace.long { 0 } else { budget.settle_ns };
        let timed = arm.turn(&row.name, settle_ns, slices, pace, timeout)?;
        let expected = row.answer.wrapping_mul(pace.iters);
        if let Some(wrong) = timed.iter().find(|slice| slice.checksum != expected) {
            return Err(FailureReason::WrongAnswer { expected, found: wrong.checksum });
        }
        Ok(timed
            .iter()
            .map(|&TimedSlice { iters, wall_ns, cpu_ns, loop_ns, .. }| Slice {
                iters,
                sample: Sample { value: wall_ns, unit: row.unit },
                cpu_ns,
                loop_ns,
            })
            .collect())
    }

    fn failed(&self, launch: u32, arm: usize, benchmark: Option<usize>, reason: FailureReason) -> Outcome {
        let name = benchmark.map(|index| self.plan.benchmarks[index].name.clone());
        let failure = RunFailure {
            arm: self.plan.arms[arm].name.clone(),
            benchmark: name,
            launch: Some(launch),
            reason,
        };
        Outcome::Failed { arm, benchmark, failure }
    }
}

//! How much a wide arm slows the arm after it: the same process, after a wide turn and after its own kind.

use crate::build::Artifact;
use crate::experiment::context::Locked;
use crate::judge::Crosstalk;
use crate::measure::CrosstalkBench;
use crate::plan::{Budget, Plan};
use crate::stats::mean_interval;

/// Launches of the crosstalk experiment.
const LAUNCHES: u32 = 24;

/// Measures the crosstalk of `wide` (an arm's index) running `wide_benchmark` on the baseline running
/// `scalar_benchmark`; `None` when either cannot be run.
pub(crate) fn crosstalk(
    context: &Locked<'_>,
    plan: &Plan,
    artifacts: &[Option<Artifact>],
    wide: usize,
    wide_benchmark: usize,
    scalar_benchmark: usize,
) -> Option<Crosstalk> {
    let program = |arm: usize| artifacts[arm].as_ref().map(|artifact| context.program(artifact));
    let bench = CrosstalkBench {
        baseline: program(0)?,
        wide: program(wide)?,
        scalar_benchmark: plan.benchmarks[scalar_benchmark].name.clone(),
        wide_benchmark: plan.benchmarks[wide_benchmark].name.clone(),
        budget: Budget { blocks: 24, ..plan.budget },
    };
    let what =
        format!("{} after {} of {}", bench.scalar_benchmark, bench.wide_benchmark, plan.arms[wide].name);
    let stage = context.progress().stage("crosstalk", &what, u64::from(LAUNCHES));
    let mut launches = Vec::new();
    for launch in 0..LAUNCHES {
        if context.stopped() {
            break;
        }
        launches.extend(bench.launch(plan.seed, launch).ok());
        stage.step();
    }
    stage.end();
    let log = mean_interval(&launches, 0.95)?;
    Some(Crosstalk { ratio: log.mean.exp(), interval: log.interval.map(f64::exp) })
}

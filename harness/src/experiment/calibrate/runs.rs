//! Experiments of a fixed number of launches, as a run has them.

use std::path::Path;
use std::time::Instant;

use crate::analyse::analyse;
use crate::experiment::calibrate::Sitting;
use crate::experiment::calibrate::comparison::Comparison;
use crate::experiment::calibrations::append;
use crate::experiment::session::{Event, launches};
use crate::experiment::surroundings::clock_seed;
use crate::measure::{Prepared, Run};
use crate::plan::Plan;
use crate::stats::{mean, sd};

/// Runs experiments of a fixed number of launches each, until their number or the deadline is reached.
pub(crate) fn experiments(sitting: &Sitting<'_>, log: &Path) -> anyhow::Result<()> {
    let Sitting { context, artifacts, .. } = *sitting;
    let mut plan = sitting.plan.clone();
    let launches_each = plan.budget.launches;
    let steps = u64::from(sitting.experiments) * u64::from(launches_each) * plan.benchmarks.len() as u64;
    let what =
        format!("{} experiments of {launches_each} launches × {} arms", sitting.experiments, plan.arms.len());
    let stage = context.progress().stage("calibrate", &what, steps);
    for _ in 0..sitting.experiments {
        if sitting.is_over() {
            break;
        }
        plan.seed = clock_seed();
        let began = Instant::now();
        let mut run = Run::default();
        let mut prepared = sitting.prepared.clone();
        launches(context, &plan, &artifacts.arms, &mut prepared, 0, &*stage, &mut |event| {
            match event {
                Event::Launch(launch) => run.launches.push(launch),
                Event::Failure(failure) => run.failures.push(failure),
            }
            Ok(())
        })?;
        if run.launches.len() == launches_each as usize {
            append(log, &compare(&plan, &prepared, &run, began.elapsed().as_secs_f64()))?;
        }
    }
    stage.end();
    Ok(())
}

fn compare(plan: &Plan, prepared: &Prepared, run: &Run, seconds: f64) -> Vec<Comparison> {
    // What one row would take with one pair of arms.
    let share = 2.0 / (plan.arms.len() * plan.benchmarks.len()) as f64;
    let analysis = analyse(plan, run);
    let comparisons = analysis.rows.iter().filter_map(|row| {
        let at = plan.arms.iter().position(|arm| arm.name == row.arm)?;
        let benchmark = plan.benchmarks.iter().position(|benchmark| benchmark.name == row.benchmark)?;
        let estimate = row.estimate?;
        Some(Comparison {
            seed: plan.seed,
            benchmark: row.benchmark.clone(),
            injected: plan.arms[at].injected,
            extra: prepared.paces[at][benchmark].map_or(0, |pace| pace.extra),
            launches: row.launches.len(),
            mean_log: mean(&row.launches)?,
            sd_log: sd(&row.launches)?,
            lo: estimate.interval.lo,
            hi: estimate.interval.hi,
            called: 0,
            seconds: seconds * share,
        })
    });
    comparisons.collect()
}

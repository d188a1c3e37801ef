//! The comparison of servers measures itself; experiments add up over several sittings.

use std::path::PathBuf;

use crate::called::typed;
use crate::experiment::calibrations::{self, Log, append, log_of_runs, read_log};
use crate::experiment::context::Context;
use crate::experiment::surroundings::{clock_seed, timestamp};
use crate::judge::{CALIBRATION_SCHEMA, Calibration, Policy, judge_pairs};
use crate::latency::PairLine;
use crate::load_test::{LoadTest, Options, Pairs};
use crate::plan::WorkloadKind;

/// What a sitting left.
pub struct Calibrated {
    /// The calibration of all experiments.
    pub calibration: Calibration,
    /// The lines that it was computed from.
    pub lines: Vec<PairLine>,
    /// Where it is kept.
    pub file: PathBuf,
}

/// Makes experiments with the servers of [`Pairs::field`], adds them to the stored ones, and writes the calibration.
///
/// # Errors
/// A fixture fails, or a stored calibration cannot be read or written.
pub fn calibrate(context: &Context, options: Options, experiments: u32) -> anyhow::Result<Calibrated> {
    let file = calibrations::file(
        &calibrations::directory(&context.root),
        &context.environment,
        WorkloadKind::ToolCall,
    );
    let log = log_of_runs(&file);
    // Before anything is measured: what cannot be read now cannot be added to either.
    let stored = calibrations::read(&file)?;
    read_log::<PairLine>(&log)?;
    let noise_threshold = options.noise_threshold;
    let mut pairs = Pairs::meet(LoadTest::prepare(options, context.watcher().clone())?)?;
    let what = format!("{experiments} experiments of {} launches", pairs.launches());
    let steps = u64::from(experiments) * u64::from(pairs.launches());
    let stage = context.progress().stage("calibrate", &what, steps);
    for _ in 0..experiments {
        match pairs.experiment(clock_seed(), &*stage)? {
            Some(lines) => append(&log, &lines)?,
            None => break,
        }
    }
    stage.end();
    let Log { lines, torn } = read_log(&log)?;
    if let Some(torn) = torn {
        context.progress().note(&torn);
    }
    let judged = judge_pairs(&lines, Policy { noise_threshold });
    let calibration = Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: timestamp(),
        command: typed("mcp calibrate"),
        environment: context.environment.clone(),
        noise_threshold,
        workload: WorkloadKind::ToolCall,
        experiments: judged.experiments,
        coverage: judged.coverage,
        aa: judged.aa,
        injected: judged.injected,
        crosstalk: None,
        relink_seconds: 0.0,
        // Gates of tool calls are calibrated by another verb.
        gate: stored.and_then(|stored| stored.gate),
    };
    calibrations::write(&file, &calibration)?;
    Ok(Calibrated { calibration, lines, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_this_repository_are_read_to_the_last() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut logs = 0;
        for entry in std::fs::read_dir(calibrations::directory(root)).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with("-tool-calls.csv") {
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                let log = read_log::<PairLine>(&path).unwrap();
                assert_eq!((log.lines.len() + 1, log.torn), (lines, None), "{}", path.display());
                let stored = calibrations::read(&path.with_extension("json")).unwrap().unwrap();
                let judged = judge_pairs(&log.lines, Policy { noise_threshold: stored.noise_threshold });
                assert_eq!(judged.experiments, stored.experiments, "{}", path.display());
                assert_eq!(judged.injected, stored.injected, "{}", path.display());
                logs += 1;
            }
        }
        assert!(logs > 0);
    }
}

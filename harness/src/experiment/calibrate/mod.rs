//! Calibration: the lab measures itself. Baseline against itself and against known slow-downs, each experiment on layouts
//! of its own; experiments add up over several sittings.

mod campaign;
mod comparison;
mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Error, bail};
use serde::de::DeserializeOwned;

use crate::called::program;
use crate::experiment::artifacts::{self, Artifacts};
use crate::experiment::calibrate::comparison::{Comparison, call, summary};
use crate::experiment::calibrations::{self, GateLine, Log, read_log};
use crate::experiment::context::{Context, Locked};
use crate::experiment::session::first_processes;
use crate::experiment::surroundings::{clock_seed, timestamp};
use crate::experiment::{crosstalk, injection, store};
use crate::judge::{CALIBRATION_SCHEMA, Calibration, Crosstalk, Policy};
use crate::machine::features::Features;
use crate::machine::rustc_cfg;
use crate::measure::{Prepared, RunFailure};
use crate::plan::{Arm, Bounds, Budget, Plan, Role, Suite};
use crate::report::{calibration_charts, sentence};
use crate::stats::median;

/// What is calibrated, and for how long.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CalibrateOptions {
    /// The suite whose baseline is measured; `None` is the workspace's default.
    pub suite: Option<PathBuf>,
    /// The benchmarks, by name; empty is all that are not long.
    pub benchmarks: Vec<String>,
    /// A fixed number of launches an experiment, as a run has it; without, each experiment is a gate, whose rows are
    /// measured until they are decided.
    pub launches: Option<u32>,
    /// How many experiments.
    pub experiments: u32,
    /// When to stop, with what is finished.
    pub budget: Option<Duration>,
    /// The noise threshold of the gates, in percent; `None` is the suite's.
    pub noise_threshold: Option<f64>,
    /// Slow-downs to inject, in percent of a call's time; none is the baseline against itself alone.
    pub inject: Vec<f64>,
    /// Where the calibration is kept; `None` is the workspace's own directory. What is there from the same machine is
    /// added to.
    pub out: Option<PathBuf>,
    /// The command as a person would type it again, for the calibration.
    pub command: String,
}

impl CalibrateOptions {
    /// Whether the options make sense by themselves.
    ///
    /// # Errors
    /// A sentence about the first that does not.
    pub fn check(&self) -> Result<(), String> {
        if let Some(percent) = self.noise_threshold.filter(|percent| !(*percent > 0.0 && *percent < 50.0)) {
            return Err(format!("--noise-threshold {percent}: expected a share between 0 and 50 percent"));
        }
        match self.inject.iter().find(|percent| !(**percent > 0.0 && **percent <= 50.0)) {
            Some(percent) => Err(format!("--inject {percent}: a slow-down is between 0 and 50 percent")),
            None => Ok(()),
        }
    }
}

/// What a calibration found.
pub struct Calibrated {
    /// Everything that is known by now, earlier sittings included.
    pub calibration: Calibration,
    /// Where it is kept.
    pub file: PathBuf,
    /// Whether the user stopped it.
    pub stopped: bool,
}

/// What one sitting measures: the plan's baseline against itself and against injected slow-downs.
#[derive(Clone, Copy)]
struct Sitting<'a> {
    context: &'a Locked<'a>,
    plan: &'a Plan,
    artifacts: &'a Artifacts,
    prepared: &'a Prepared,
    experiments: u32,
    deadline: Option<Instant>,
}

impl Sitting<'_> {
    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline) || self.context.stopped()
    }
}

/// Runs experiments, adds them to the stored ones, and writes the calibration.
///
/// # Errors
/// An option does not fit the suite, a stored log is malformed, the baseline cannot be built or measured, or a file
/// cannot be written.
pub fn calibrate(context: &Context, options: &CalibrateOptions) -> anyhow::Result<Calibrated> {
    let deadline = options.budget.map(|budget| Instant::now() + budget);
    options.check().map_err(Error::msg)?;
    let suite = context.suite(options.suite.as_deref())?;
    let directory = options.out.clone().unwrap_or_else(|| calibrations::directory(&context.root));
    let file = calibrations::file(&directory, &context.environment, suite.kind());
    let log = calibrations::log_of_runs(&file);
    // Experiments of tool calls as a run has them are those of `mcp calibrate`, with percentiles of their own.
    let only_gates = !suite.traits().takes_injections;
    if only_gates && (options.launches.is_some() || !options.inject.is_empty()) {
        bail!(
            "of tool calls only gates against the same code are calibrated here: give --inject without a value and no --launches; {} mcp calibrate has the rest",
            program()
        );
    }
    let context = &context.lock()?;
    let mut plan = plan_of(&suite, options)?;
    let stored = calibrations::read(&file)?;
    let lines = stored_lines::<GateLine>(context, &calibrations::log_of_gates(&file))?;
    let known = |benchmark: &str, share: f64| {
        let same = |line: &&GateLine| line.benchmark == benchmark && line.injected == share;
        Some(lines.iter().find(same)?.extra)
    };
    let wide_plan = with_wide(context, &suite, &plan)?;
    let mut artifacts = artifacts::build(context, wide_plan.as_ref().unwrap_or(&plan))?;
    let earlier = if only_gates { Vec::new() } else { stored_lines(context, &log)? };
    let prepared = prepare(context, &suite, options, &mut plan, &artifacts, &earlier, &known)?;
    let relink_seconds = relink(context, &artifacts)?;
    // Once for a machine is enough: campaigns come in many sittings.
    let crosstalk = stored.as_ref().and_then(|stored| stored.crosstalk.clone());
    let crosstalk = crosstalk
        .filter(|_| options.launches.is_none())
        .or_else(|| measure_crosstalk(context, &suite, wide_plan.as_ref()?, &plan, &artifacts));
    artifacts.arms.truncate(plan.arms.len());
    let sitting = Sitting {
        context,
        plan: &plan,
        artifacts: &artifacts,
        prepared: &prepared,
        experiments: options.experiments,
        deadline,
    };
    match options.launches {
        Some(_) => runs::experiments(&sitting, &log)?,
        None => {
            let bounds = Bounds { noise_threshold: plan.noise_threshold, tolerance: suite.gate.tolerance };
            campaign::experiments(&sitting, bounds, &calibrations::log_of_gates(&file))?;
        }
    }
    let mut judged: Vec<Comparison> = if only_gates { Vec::new() } else { stored_lines(context, &log)? };
    let lines = stored_lines::<GateLine>(context, &calibrations::log_of_gates(&file))?;
    judged.extend(campaign::first_looks(&lines, suite.noise_threshold));
    call(&mut judged, Policy { noise_threshold: suite.noise_threshold });
    let of_runs = match stored.clone().filter(|_| only_gates) {
        Some(stored) => stored,
        None => summary(&judged, &context.environment, suite.kind()),
    };
    let calibration = Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: timestamp(),
        command: options.command.clone(),
        environment: context.environment.clone(),
        noise_threshold: suite.noise_threshold,
        crosstalk: crosstalk.or_else(|| stored.and_then(|stored| stored.crosstalk)),
        gate: campaign::summary(&lines),
        relink_seconds,
        ..of_runs
    };
    calibrations::write(&file, &calibration)?;
    for chart in calibration_charts(&calibration)? {
        store::replace(&file.with_extension(format!("{}.svg", chart.name)), chart.svg.as_bytes())?;
    }
    Ok(Calibrated { calibration, file, stopped: context.stopped() })
}

/// The stored lines of a log; one that was cut off is reported.
fn stored_lines<T: DeserializeOwned>(context: &Locked<'_>, log: &Path) -> anyhow::Result<Vec<T>> {
    let Log { lines, torn } = read_log(log)?;
    if let Some(torn) = torn {
        context.progress().note(&torn);
    }
    Ok(lines)
}

fn plan_of(suite: &Suite, options: &CalibrateOptions) -> anyhow::Result<Plan> {
    let budget = Budget { launches: options.launches.unwrap_or(suite.quick.launches), ..suite.quick };
    let mut plan = suite.plan(&[suite.arms[0].name.clone()], budget, clock_seed())?;
    plan.claims.clear();
    plan.noise_threshold = options.noise_threshold.map_or(suite.noise_threshold, |percent| percent / 100.0);
    for percent in &options.inject {
        let baseline = plan.arms[0].clone();
        let name = format!("{} +{percent} %", baseline.name);
        plan.arms.push(Arm { name, role: Role::Control, injected: percent / 100.0, ..baseline });
    }
    Ok(plan)
}

/// The plan with the first wide arm behind it that this CPU runs, for the crosstalk; `None` where the suite names no
/// such arm.
fn with_wide(context: &Locked<'_>, suite: &Suite, plan: &Plan) -> anyhow::Result<Option<Plan>> {
    let host = Features::host();
    for name in suite.crosstalk.iter().flat_map(|settings| &settings.arms) {
        let Some(arm) = suite.arms.iter().find(|arm| arm.name == *name) else { continue };
        let flags = &context.flagset(arm.flagset())?.flags;
        if Features::from_rustc_cfg(&rustc_cfg(&context.root, flags)?).missing_from(&host).is_empty() {
            let mut plan = plan.clone();
            plan.arms.push(arm.clone());
            return Ok(Some(plan));
        }
    }
    Ok(None)
}

fn prepare(
    context: &Locked<'_>,
    suite: &Suite,
    options: &CalibrateOptions,
    plan: &mut Plan,
    artifacts: &Artifacts,
    earlier: &[Comparison],
    known: &dyn Fn(&str, f64) -> Option<u64>,
) -> anyhow::Result<Prepared> {
    let wanted = if options.benchmarks.is_empty() { &suite.benchmarks } else { &options.benchmarks };
    let mut prepared = first_processes(context, plan, &artifacts.arms[..plan.arms.len()], wanted)?;
    if let Some(failure) = prepared.failures.iter().find(|failure: &&RunFailure| failure.is_broken()) {
        let benchmark = failure.benchmark.as_deref().unwrap_or("every benchmark");
        bail!("{benchmark}: {}", sentence(&failure.reason));
    }
    let kept: Vec<usize> = (0..prepared.benchmarks.len())
        .filter(|&at| !prepared.benchmarks[at].long && prepared.paces[0][at].is_some())
        .collect();
    prepared.benchmarks = kept.iter().map(|&at| prepared.benchmarks[at].clone()).collect();
    for paces in &mut prepared.paces {
        *paces = kept.iter().map(|&at| paces[at]).collect();
    }
    plan.benchmarks.clone_from(&prepared.benchmarks);
    let Some(baseline) = &artifacts.arms[0] else { bail!("the baseline cannot run here") };
    injection::size(context, plan, baseline, &mut prepared, &|benchmark, share| {
        let same = |stored: &&Comparison| stored.benchmark == benchmark && stored.injected == share;
        known(benchmark, share).or_else(|| Some(earlier.iter().find(same)?.extra))
    })?;
    Ok(prepared)
}

/// The median time of one more link of the baseline, in seconds.
fn relink(context: &Locked<'_>, artifacts: &Artifacts) -> anyhow::Result<f64> {
    let Some(bundle) = artifacts.arms[0].as_ref().and_then(|artifact| artifact.bundle.as_ref()) else {
        return Ok(f64::NAN);
    };
    let output = context.target().join("relinked");
    let mut seconds = Vec::new();
    for seed in 0..9 {
        let start = Instant::now();
        bundle.link(seed, &output)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    fs::remove_file(&output).ok();
    Ok(median(&seconds).unwrap_or(f64::NAN))
}

/// A benchmark with wide code in the last arm of `wide_plan` disturbs one with scalar code in the baseline.
fn measure_crosstalk(
    context: &Locked<'_>,
    suite: &Suite,
    wide_plan: &Plan,
    plan: &Plan,
    artifacts: &Artifacts,
) -> Option<Crosstalk> {
    let settings = suite.crosstalk.as_ref()?;
    let plan = Plan { arms: wide_plan.arms.clone(), ..plan.clone() };
    let position = |names: &[String]| {
        names.iter().find_map(|name| plan.benchmarks.iter().position(|benchmark| benchmark.name == *name))
    };
    let (wide, scalar) = (position(&settings.wide)?, position(&settings.scalar)?);
    crosstalk::crosstalk(context, &plan, &artifacts.arms, plan.arms.len() - 1, wide, scalar)
}

//! `calibrate`: the lab measures itself. Baseline against itself and against known slow-downs, each experiment
//! on layouts of its own; experiments add up over several sittings.

mod campaign;
mod print;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::analyse::analyse;
use crate::cli::args::{CalibrateArgs, Format, Shared};
use crate::cli::artifacts::{self, Artifacts};
use crate::cli::calibrate::campaign::Line;
use crate::cli::context::{Context, clock_seed};
use crate::cli::progress::Stage;
use crate::cli::run::is_broken;
use crate::cli::session::{Event, first_processes, launches};
use crate::cli::{Exit, calibration_file, crosstalk, injection};
use crate::judge::{
    CALIBRATION_SCHEMA, Calibration, CalibrationRow, Crosstalk, Effect, Experiments, InjectedRow, LEVEL,
    Policy, adjusted,
};
use crate::machine::features::Features;
use crate::machine::rustc_cfg;
use crate::measure::{Prepared, Run};
use crate::plan::{Arm, Bounds, Budget, Plan, Role, Suite, WorkloadKind};
use crate::report;
use crate::stats::{Interval, clopper_pearson, mean, median, sd};

/// One comparison of one experiment: a line of the file that calibrations add up in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub seed: u64,
    pub benchmark: String,
    pub injected: f64,
    /// The steps that the share came down to; later sittings use the same.
    pub extra: u64,
    pub launches: usize,
    pub mean_log: f64,
    pub sd_log: f64,
    pub lo: f64,
    pub hi: f64,
    pub seconds: f64,
    /// What the rows of one experiment, judged together, say of it: below 0 improved, above 0 regressed. Not
    /// stored, so that a change of the rule is a change for all experiments.
    #[serde(skip)]
    pub called: i8,
}

/// Runs experiments, adds them to the stored ones, and writes the calibration.
pub(crate) fn calibrate(shared: &Shared, args: &CalibrateArgs) -> anyhow::Result<Exit> {
    let until = args.limit()?.map(|limit| Instant::now() + limit);
    let context = Context::open()?;
    context.tell_foreign();
    let suite = context.suite(args.suite.as_deref())?;
    let folder = args.out.clone().unwrap_or_else(|| calibration_file::folder(&context.root));
    let file = calibration_file::file(&folder, &context.environment, suite.kind());
    let log = file.with_extension("csv");
    // Experiments of tool calls as a run has them are those of `mcp --calibrate`, with percentiles of their own.
    let only_gates = !suite.traits().takes_injections;
    if only_gates && (args.launches.is_some() || !args.inject.is_empty()) {
        bail!(
            "of tool calls only gates against the same code are calibrated here: give --inject without a value and no --launches; cargo lab mcp --calibrate has the rest"
        );
    }
    let _alone = context.alone()?;
    let mut plan = plan_of(&suite, args)?;
    let stored = calibration_file::read(&file);
    let lines: Vec<Line> = read_log(&campaign::log(&file))?;
    let known = |benchmark: &str, share: f64| {
        let same = |line: &&Line| line.benchmark == benchmark && line.injected == share;
        Some(lines.iter().find(same)?.extra)
    };
    let wide_plan = with_wide(&context, &suite, &plan)?;
    let mut artifacts = artifacts::build(&context, &wide_plan)?;
    let wide = artifacts.arms.len() - 1;
    let earlier = if only_gates { Vec::new() } else { read_log(&log)? };
    let prepared = prepare(&context, &suite, args, &mut plan, &artifacts, &earlier, &known)?;
    let relink_seconds = relink(&context, &artifacts)?;
    // Once for a machine is enough: campaigns come in many sittings.
    let crosstalk = stored.as_ref().and_then(|stored| stored.crosstalk.clone());
    let crosstalk = crosstalk
        .filter(|_| args.launches.is_none())
        .or_else(|| measure_crosstalk(&context, &wide_plan, &plan, &artifacts, wide));
    artifacts.arms.truncate(plan.arms.len());
    match args.launches {
        Some(_) => experiments(&context, args, &mut plan, &artifacts, &prepared, (&log, until))?,
        None => {
            let bounds = Bounds { noise_threshold: plan.noise_threshold, tolerance: suite.gate.tolerance };
            let log = campaign::log(&file);
            campaign::experiments(&context, args, &plan, &artifacts, &prepared, bounds, (&log, until))?;
        }
    }
    let mut judged: Vec<Comparison> = if only_gates { Vec::new() } else { read_log(&log)? };
    let lines: Vec<Line> = read_log(&campaign::log(&file))?;
    judged.extend(campaign::first_looks(&lines, suite.noise_threshold));
    call(&mut judged, Policy { noise_threshold: suite.noise_threshold });
    let of_runs = match stored.clone().filter(|_| only_gates) {
        Some(stored) => stored,
        None => summary(&judged, &context, suite.kind()),
    };
    let calibration = Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command: command(args),
        environment: context.environment.clone(),
        noise_threshold: suite.noise_threshold,
        crosstalk: crosstalk.or_else(|| stored.and_then(|stored| stored.crosstalk)),
        gate: campaign::summary(&lines),
        relink_seconds,
        ..of_runs
    };
    calibration_file::write(&file, &calibration)?;
    for chart in report::calibration_charts(&calibration)? {
        crate::cli::store::replace(
            &file.with_extension(format!("{}.svg", chart.name)),
            chart.svg.as_bytes(),
        )?;
    }
    match shared.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&calibration)?),
        Format::Table => print::print(&calibration, &file),
    }
    Ok(if context.stopped() { Exit::Stopped } else { Exit::Fine })
}

fn plan_of(suite: &Suite, args: &CalibrateArgs) -> anyhow::Result<Plan> {
    let budget = Budget { launches: args.launches.unwrap_or(suite.quick.launches), ..suite.quick };
    let mut plan = suite.plan(&[suite.arms[0].name.clone()], budget, clock_seed())?;
    plan.claims.clear();
    plan.noise_threshold = match args.noise_threshold {
        Some(percent) if percent > 0.0 && percent < 50.0 => percent / 100.0,
        Some(percent) => bail!("--noise-threshold {percent}: a share between 0 and 50 percent"),
        None => suite.noise_threshold,
    };
    for percent in &args.inject {
        if !(*percent > 0.0 && *percent <= 50.0) {
            bail!("--inject {percent}: a slow-down is between 0 and 50 percent");
        }
        let baseline = plan.arms[0].clone();
        let name = format!("{} +{percent} %", baseline.name);
        plan.arms.push(Arm { name, role: Role::Control, injected: percent / 100.0, ..baseline });
    }
    Ok(plan)
}

/// The plan with the widest flag set that this CPU runs behind it, for the crosstalk; else the suite's last arm.
fn with_wide(context: &Context, suite: &Suite, plan: &Plan) -> anyhow::Result<Plan> {
    let host = Features::host();
    let mut plan = plan.clone();
    for name in ["znver4", "znver4-no-sse4a", "x86-64-v4-512", "x86-64-v3"] {
        let Some(arm) = suite.arms.iter().find(|arm| arm.name == name) else { continue };
        let flags = &context.flagset(arm.flagset())?.flags;
        if Features::from_rustc_cfg(&rustc_cfg(flags)?).missing_from(&host).is_empty() {
            plan.arms.push(arm.clone());
            return Ok(plan);
        }
    }
    plan.arms.extend(suite.arms.last().cloned());
    Ok(plan)
}

fn prepare(
    context: &Context,
    suite: &Suite,
    args: &CalibrateArgs,
    plan: &mut Plan,
    artifacts: &Artifacts,
    earlier: &[Comparison],
    known: &dyn Fn(&str, f64) -> Option<u64>,
) -> anyhow::Result<Prepared> {
    let wanted = if args.benchmarks.is_empty() { &suite.benchmarks } else { &args.benchmarks };
    let mut prepared = first_processes(context, plan, &artifacts.arms[..plan.arms.len()], wanted)?;
    if let Some(failure) = prepared.failures.iter().find(|failure| is_broken(failure)) {
        let benchmark = failure.benchmark.as_deref().unwrap_or("every benchmark");
        bail!("{benchmark}: {}", crate::report::sentence(&failure.reason));
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
fn relink(context: &Context, artifacts: &Artifacts) -> anyhow::Result<f64> {
    let Some(bundle) = artifacts.arms[0].as_ref().and_then(|artifact| artifact.bundle.as_ref()) else {
        return Ok(f64::NAN);
    };
    let output = context.builder.target.join("relinked");
    let mut seconds = Vec::new();
    for seed in 0..9 {
        let start = Instant::now();
        bundle.link(seed, &output)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    fs::remove_file(&output).ok();
    Ok(median(&seconds).unwrap_or(f64::NAN))
}

/// The benchmark with the widest code in the wide arm disturbs the one with the least wide code in the baseline.
fn measure_crosstalk(
    context: &Context,
    wide_plan: &Plan,
    plan: &Plan,
    artifacts: &Artifacts,
    wide: usize,
) -> Option<Crosstalk> {
    let plan = Plan { arms: wide_plan.arms.clone(), ..plan.clone() };
    let position = |names: &[&str]| {
        names.iter().find_map(|name| plan.benchmarks.iter().position(|benchmark| benchmark.name == *name))
    };
    let wide_benchmark = position(&["dot/lanes", "cosine/top_k", "bytes/histogram"])?;
    let scalar_benchmark = position(&["sort/u32", "edit_distance/levenshtein", "map/lookup"])?;
    crosstalk::crosstalk(context, &plan, &artifacts.arms, wide, wide_benchmark, scalar_benchmark)
}

fn experiments(
    context: &Context,
    args: &CalibrateArgs,
    plan: &mut Plan,
    artifacts: &Artifacts,
    prepared: &Prepared,
    (log, until): (&Path, Option<Instant>),
) -> anyhow::Result<()> {
    let launches_each = plan.budget.launches;
    let steps = u64::from(args.experiments) * u64::from(launches_each) * plan.benchmarks.len() as u64;
    let what =
        format!("{} experiments of {launches_each} launches × {} arms", args.experiments, plan.arms.len());
    let stage = Stage::start("calibrate", what, steps);
    for _ in 0..args.experiments {
        let late = until.is_some_and(|until| Instant::now() > until);
        if late || context.stopped() {
            break;
        }
        plan.seed = clock_seed();
        let began = Instant::now();
        let mut run = Run::default();
        let mut prepared = prepared.clone();
        launches(context, plan, &artifacts.arms, &mut prepared, 0, &stage, &mut |event| {
            match event {
                Event::Launch(launch) => run.launches.push(launch),
                Event::Failure(failure) => run.failures.push(failure),
            }
            Ok(())
        })?;
        if run.launches.len() == launches_each as usize {
            append(log, &compare(plan, &prepared, &run, began.elapsed().as_secs_f64()))?;
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

/// Adds whole experiments: a kill in the middle of a line leaves a line that reading drops.
fn append<T: Serialize>(log: &Path, comparisons: &[T]) -> anyhow::Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut writer = csv::WriterBuilder::new().has_headers(!log.exists()).from_writer(Vec::new());
    for comparison in comparisons {
        writer.serialize(comparison)?;
    }
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    file.write_all(&bytes)?;
    Ok(file.sync_data()?)
}

/// The stored comparisons.
fn read_log<T: DeserializeOwned>(log: &Path) -> anyhow::Result<Vec<T>> {
    let Ok(text) = fs::read_to_string(log) else {
        return Ok(Vec::new());
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(whole.as_bytes());
    Ok(reader.deserialize::<T>().filter_map(Result::ok).collect())
}

fn summary(all: &[Comparison], context: &Context, workload: WorkloadKind) -> Calibration {
    // By benchmark, launches, and the injected share in millionths, which orders as a float does not.
    let mut groups: BTreeMap<(&str, usize, u64), Vec<&Comparison>> = BTreeMap::new();
    for comparison in all {
        let injected = (comparison.injected * 1e6).round() as u64;
        groups.entry((&comparison.benchmark, comparison.launches, injected)).or_default().push(comparison);
    }
    let (same, slower): (Vec<_>, Vec<_>) = groups.values().partition(|group| group[0].injected == 0.0);
    let aa: Vec<CalibrationRow> = same.into_iter().map(|group| aa_row(group)).collect();
    let injected = slower.into_iter().filter_map(|group| injected_row(group));
    let (covered, comparisons) =
        aa.iter().fold((0, 0), |(covered, all), row| (covered + row.covered, all + row.comparisons));
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: String::new(),
        command: String::new(),
        environment: context.environment.clone(),
        noise_threshold: 0.0,
        workload,
        experiments: experiments_of(all),
        injected: injected.collect(),
        coverage: clopper_pearson(count(covered), count(comparisons), 0.95),
        aa,
        crosstalk: None,
        gate: None,
        relink_seconds: 0.0,
    }
}

/// Judges the comparisons of each experiment together, as the rows of a run are.
fn call(all: &mut [Comparison], policy: Policy) {
    let mut experiments: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, comparison) in all.iter().enumerate() {
        experiments.entry(comparison.seed).or_default().push(at);
    }
    for members in experiments.values() {
        let effect = |&at: &usize| {
            let Comparison { mean_log, sd_log, launches, .. } = all[at];
            Effect { mean: mean_log, sd: sd_log, launches }
        };
        let p = adjusted(&members.iter().map(effect).collect::<Vec<_>>(), policy);
        for (&at, p) in members.iter().zip(p) {
            all[at].called = match all[at].mean_log {
                _ if p >= LEVEL => 0,
                faster if faster < 0.0 => -1,
                _ => 1,
            };
        }
    }
}

fn experiments_of(all: &[Comparison]) -> Experiments {
    let mut alarmed: BTreeMap<u64, bool> = BTreeMap::new();
    for comparison in all.iter().filter(|comparison| comparison.injected == 0.0) {
        *alarmed.entry(comparison.seed).or_default() |= comparison.called != 0;
    }
    Experiments {
        count: alarmed.len() as u64,
        alarmed: alarmed.values().filter(|alarmed| **alarmed).count() as u64,
    }
}

fn is_alarm(comparison: &&&Comparison) -> bool {
    comparison.called != 0
}

fn launches_of(comparisons: &[&Comparison]) -> u32 {
    u32::try_from(comparisons[0].launches).unwrap_or(u32::MAX)
}

fn aa_row(comparisons: &[&Comparison]) -> CalibrationRow {
    let errors: Vec<f64> = comparisons.iter().map(|comparison| comparison.mean_log.exp_m1().abs()).collect();
    let spreads: Vec<f64> = comparisons.iter().map(|comparison| comparison.sd_log).collect();
    CalibrationRow {
        benchmark: comparisons[0].benchmark.clone(),
        launches: launches_of(comparisons),
        comparisons: comparisons.len() as u64,
        alarms: comparisons.iter().filter(is_alarm).count() as u64,
        covered: comparisons.iter().filter(|row| Interval { lo: row.lo, hi: row.hi }.contains(1.0)).count()
            as u64,
        median_error: median(&errors).unwrap_or(f64::NAN),
        launch_sd: median(&spreads).unwrap_or(f64::NAN),
    }
}

fn injected_row(comparisons: &[&Comparison]) -> Option<InjectedRow> {
    let logs: Vec<f64> = comparisons.iter().map(|comparison| comparison.mean_log).collect();
    let truth = mean(&logs)?;
    let error = sd(&logs).map_or(f64::NAN, |sd| sd / (logs.len() as f64).sqrt());
    let seconds: Vec<f64> = comparisons.iter().map(|comparison| comparison.seconds).collect();
    Some(InjectedRow {
        benchmark: comparisons[0].benchmark.clone(),
        launches: launches_of(comparisons),
        nominal: comparisons[0].injected,
        truth: truth.exp_m1(),
        truth_error: error,
        trials: comparisons.len() as u64,
        found: comparisons.iter().filter(|row| row.called > 0).count() as u64,
        covered: comparisons
            .iter()
            .filter(|row| Interval { lo: row.lo, hi: row.hi }.contains(truth.exp()))
            .count() as u64,
        seconds: median(&seconds)?,
    })
}

/// The command that makes the same calibration.
fn command(args: &CalibrateArgs) -> String {
    let mut words = vec!["cargo lab calibrate".to_owned()];
    words.extend(args.suite.iter().map(|suite| format!("--suite {}", suite.display())));
    words.extend(args.launches.map(|launches| format!("--launches {launches}")));
    let shares: Vec<String> = args.inject.iter().map(f64::to_string).collect();
    words.push(format!("--inject {}", shares.join(",")).trim_end().to_owned());
    words.extend(args.noise_threshold.map(|percent| format!("--noise-threshold {percent}")));
    if !args.benchmarks.is_empty() {
        words.push(format!("--benchmarks {}", args.benchmarks.join(",")));
    }
    words.join(" ")
}

/// ln(time) of the baseline in every experiment of this machine's stored campaign, by benchmark and experiment: how
/// times of different runs of one program differ here.
pub(crate) fn between_runs(
    context: &Context,
    workload: WorkloadKind,
) -> anyhow::Result<BTreeMap<String, BTreeMap<u64, f64>>> {
    let file =
        calibration_file::file(&calibration_file::folder(&context.root), &context.environment, workload);
    let mut between: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
    for line in read_log::<Line>(&campaign::log(&file))? {
        if line.baseline_ns > 0.0 {
            between.entry(line.benchmark).or_default().insert(line.seed, line.baseline_ns.ln());
        }
    }
    Ok(between)
}

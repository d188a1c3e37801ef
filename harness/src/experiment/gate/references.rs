//! `gate --references`: what was accepted decides. Times are measured again, beside the commit that was accepted;
//! sizes, memory and counts are held against the stored values.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::bail;

use crate::called::program;
use crate::experiment::calibrations::GateLine;
use crate::experiment::context::Context;
use crate::experiment::gate::against::{Other, PairedRun, false_alarms, paired};
use crate::experiment::gate::file::{GATE_SCHEMA, GateFile};
use crate::experiment::gate::pairs::gated;
use crate::experiment::gate::{GateOptions, Gated, kept};
use crate::experiment::judged::Judged;
use crate::experiment::options::PlanOptions;
use crate::experiment::references::rows::{self, EXECUTABLE, PROCESS};
use crate::experiment::references::text;
use crate::experiment::run::{self, RunOptions};
use crate::experiment::surroundings::timestamp;
use crate::experiment::{artifacts, calibrations, references, revision};
use crate::judge::{
    Allowed, Anchored, GateRow, GateVerdict, Measured, Reference, ReferenceArm, References, Unmatched, bare,
    changes_code, differences, gate_report, judge_anchored, judge_stored, unmatched,
};
use crate::machine::Difference;
use crate::plan::{Arm, Bounds, Measure, Plan, Suite, WorkloadKind};
use crate::record::RunFile;

/// Measures the work tree against accepted references. `directory` is where they lie; `None` is the workspace's own.
///
/// # Errors
/// There is no reference, an option does not fit the suite, or the work tree cannot be built or measured.
pub fn by_references(
    context: &Context,
    options: &GateOptions,
    directory: Option<&Path>,
) -> anyhow::Result<Gated> {
    let start = Instant::now();
    let suite = context.suite(options.suite.as_deref())?;
    let arms = gated(&suite, options)?;
    let stored = stored(context, &suite.name, directory)?;
    let now: Vec<ReferenceArm> =
        arms.iter().map(|arm| arm_of(context, arm)).collect::<anyhow::Result<_>>()?;
    let plan = suite.plan(&[], suite.quick, 0)?;
    let differs = differences(&stored, &context.environment_for(&plan), &now);
    if !differs.is_empty() {
        return elsewhere(context, options, &suite, &stored, &differs, &now);
    }
    let commit = revision::resolve(context, &stored.commit);
    let deadline = start + options.budget;
    let run = commit.and_then(|commit| {
        // What was accepted can be measured again: an arm that it lacks was not added since.
        let other = Other { commit, name: stored.commit.clone(), has_all: true };
        paired(context, &suite, options, deadline, &arms, &other)
    });
    let mut run = match run {
        Ok(run) => run,
        Err(why) if context.stopped() => return Err(why),
        Err(why) => {
            context.progress().note(&format!("{why:#}"));
            context.progress().note(
                "the accepted commit cannot be measured again, so that times are judged in proportion to an anchor",
            );
            return by_anchor(context, options, &suite, &stored, start);
        }
    };
    let rows = with_references(&run, &stored, &suite, options);
    run.file.report = gate_report(rows, run.file.report.void.clone(), options.allow_unmatched);
    kept(run.file, run.folder, start)
}

/// Judges an ordinary record by accepted references, without measuring.
///
/// # Errors
/// The record, its suite or the references cannot be read.
pub fn record_by_references(
    context: &Context,
    options: &GateOptions,
    directory: Option<&Path>,
    record: &Path,
) -> anyhow::Result<Gated> {
    let judged = Judged::read(&context.root, record)?;
    let suite = suite_of(context, options, &judged.file)?;
    let stored = stored(context, &judged.file.plan.suite, directory)?;
    let file = judged_record(context, &judged, &stored, &suite, options)?;
    Ok(Gated { file, directory: Some(record.to_owned()), record: Some(judged) })
}

/// The suite that a record was made by: its bounds and allowances judge the record.
fn suite_of(context: &Context, options: &GateOptions, file: &RunFile) -> anyhow::Result<Suite> {
    let named = context.defaults.suite_named(&file.plan.suite).map(|suite| context.root.join(suite));
    let named = named.filter(|suite| options.suite.is_none() && suite.is_file());
    let suite = context.suite(options.suite.as_deref().or(named.as_deref()))?;
    if suite.name != file.plan.suite {
        bail!("the record is one of suite {}: name its file with --suite", file.plan.suite);
    }
    Ok(suite)
}

/// The references of a suite: of this machine's class, else of another, whose times are then refused.
fn stored(context: &Context, suite: &str, directory: Option<&Path>) -> anyhow::Result<References> {
    let directory = directory.map_or_else(|| references::directory(&context.root), Path::to_owned);
    let own = references::file(&directory, &context.environment, suite);
    if own.exists() {
        return text::read(&own);
    }
    match text::all(&directory, suite)?.first() {
        Some(other) => text::read(other),
        None => bail!(
            "no reference of suite {suite} in {}: accept a record with {} baseline accept",
            directory.display(),
            program()
        ),
    }
}

fn arm_of(context: &Context, arm: &Arm) -> anyhow::Result<ReferenceArm> {
    Ok(ReferenceArm {
        name: arm.name.clone(),
        profile: arm.profile().to_owned(),
        flags: context.flagset(arm.flagset())?.flags.clone(),
    })
}

/// The gate's rows, with the references' own among them: strict both ways.
fn with_references(
    run: &PairedRun,
    stored: &References,
    suite: &Suite,
    options: &GateOptions,
) -> Vec<GateRow> {
    let is_wanted =
        |name: &str| options.benchmarks.is_empty() || options.benchmarks.iter().any(|b| b == name);
    let mut all = Vec::new();
    for (arm, benchmarks) in &run.benchmarks {
        let of_arm = || stored.rows.iter().filter(|row| &row.arm == arm);
        let accepted = |name: &str| of_arm().find(|row| row.benchmark == name && row.measure.is_time());
        for row in run.file.report.rows.iter().filter(|row| &row.arm == arm) {
            match accepted(&row.benchmark) {
                None => all.push(unmatched(&row.benchmark, arm, row.measure, Unmatched::New)),
                Some(_) => all.push(row.clone()),
            }
        }
        let gone = of_arm().filter(|row| {
            row.measure.is_time()
                && is_wanted(&row.benchmark)
                && !benchmarks.contains(&row.benchmark)
                && !run.file.report.rows.iter().any(|known| known.benchmark == row.benchmark)
        });
        all.extend(gone.map(|row| unmatched(&row.benchmark, arm, row.measure, Unmatched::Gone)));
        let facts = run.facts.iter().filter(|facts| &facts.arm == arm);
        let mut exact: Vec<Reference> = facts.flat_map(rows::sizes).collect();
        let memory = run.memory.iter().find(|(name, _)| name == arm);
        // Another set of benchmarks holds another amount of memory.
        let memory = memory.filter(|_| options.benchmarks.is_empty());
        exact.extend(memory.and_then(|(_, values)| rows::reference(PROCESS, arm, Measure::Memory, values)));
        all.extend(exact_rows(&exact, of_arm(), suite, options.benchmarks.is_empty() && memory.is_some()));
    }
    all
}

/// Exact values of now against those that were accepted; `all` says that whatever was accepted has to be there.
fn exact_rows<'a>(
    now: &[Reference],
    accepted: impl Iterator<Item = &'a Reference>,
    suite: &Suite,
    all: bool,
) -> Vec<GateRow> {
    let accepted: Vec<&Reference> = accepted.filter(|row| !row.measure.is_time()).collect();
    let same = |one: &Reference, other: &Reference| {
        (&one.benchmark, &one.arm, one.measure) == (&other.benchmark, &other.arm, other.measure)
    };
    let judged = now.iter().filter_map(|row| match accepted.iter().find(|known| same(known, row)) {
        Some(known) => judge_stored(known, row.value, &suite.gate),
        None => Some(unmatched(&row.benchmark, &row.arm, row.measure, Unmatched::New)),
    });
    let gone = accepted.iter().filter(|known| all && !now.iter().any(|row| same(known, row)));
    let gone = gone.map(|known| unmatched(&known.benchmark, &known.arm, known.measure, Unmatched::Gone));
    judged.chain(gone).collect()
}

/// Another machine's references: what differs, and nothing compared as a time. Sizes are judged where the code is
/// made by the same tools.
fn elsewhere(
    context: &Context,
    options: &GateOptions,
    suite: &Suite,
    stored: &References,
    differs: &[Difference],
    arms: &[ReferenceArm],
) -> anyhow::Result<Gated> {
    let mut text = format!(
        "the references of suite {} are another machine's ({}); times are not compared. What differs:",
        stored.suite,
        stored.environment.class()
    );
    for Difference { field, left, right } in differs {
        let _ = write!(text, "\n  {field}: accepted on {left}, here {right}");
    }
    context.progress().note(&text);
    let same_code = !differs.iter().any(|difference| changes_code(difference, arms));
    if !same_code {
        context.progress().note("the tools differ too, so that sizes are not compared either");
    }
    let gated = |row: &&Reference| arms.iter().any(|arm| arm.name == row.arm);
    let mut rows: Vec<GateRow> = stored.rows.iter().filter(gated).map(refused).collect();
    if same_code {
        let names: Vec<String> = arms.iter().map(|arm| arm.name.clone()).collect();
        let plan = suite.plan(&names, suite.quick, 0)?;
        let artifacts = artifacts::build(&context.lock()?, &plan)?;
        let now: Vec<Reference> = artifacts.facts.iter().flat_map(rows::sizes).collect();
        for row in &mut rows {
            let same = |now: &&Reference| {
                now.benchmark == EXECUTABLE && (&now.arm, now.measure) == (&row.arm, row.measure)
            };
            let known = stored.rows.iter().find(|known| {
                (&known.benchmark, &known.arm, known.measure) == (&row.benchmark, &row.arm, row.measure)
            });
            if let (Some(now), Some(known)) = (now.iter().find(same), known)
                && let Some(judged) = judge_stored(known, now.value, &suite.gate)
            {
                *row = judged;
            }
        }
    }
    let mut file = empty(context, stored, options)?;
    file.report = gate_report(rows, Vec::new(), options.allow_unmatched);
    Ok(Gated::paired(file, None))
}

fn refused(row: &Reference) -> GateRow {
    GateRow { why: "another machine's reference: not compared".to_owned(), ..bare(row) }
}

/// Measures the work tree alone, and judges its record.
fn by_anchor(
    context: &Context,
    options: &GateOptions,
    suite: &Suite,
    stored: &References,
    start: Instant,
) -> anyhow::Result<Gated> {
    let plan = PlanOptions {
        suite: options.suite.clone(),
        arms: gated(suite, options)?.iter().map(|arm| arm.name.clone()).collect(),
        benchmarks: options.benchmarks.clone(),
        profile: options.profile.clone(),
        python: options.python.clone(),
        seed: options.seed,
        ..PlanOptions::default()
    };
    let run = RunOptions { plan, out: options.out.clone(), command: options.command.clone(), budget: None };
    let record = run::measure(context, &run)?;
    let judged = Judged::read(&context.root, &record.folder)?;
    let file = judged_record(context, &judged, stored, suite, options)?;
    Ok(Gated { record: Some(judged), ..kept(file, record.folder, start)? })
}

/// An ordinary record against references: exact rows by their values, times by the anchor.
fn judged_record(
    context: &Context,
    judged: &Judged,
    stored: &References,
    suite: &Suite,
    options: &GateOptions,
) -> anyhow::Result<GateFile> {
    let Judged { file, run, .. } = judged;
    let arms = rows::arms(&file.plan, &file.facts);
    let differs = differences(stored, &file.environment, &arms);
    for Difference { field, left, right } in &differs {
        context.progress().note(&format!("differs: {field}: accepted on {left}, the record's {right}"));
    }
    let same_code = !differs.iter().any(|difference| changes_code(difference, &arms));
    let now = rows::rows(&file.plan, run);
    let here = |arm: &str| arms.iter().any(|known| known.name == arm);
    let accepted = || stored.rows.iter().filter(|row| here(&row.arm));
    let mut all: Vec<GateRow> = Vec::new();
    let times = Times { plan: &file.plan, stored, now: &now, between: between_runs(context, suite.kind())? };
    for known in accepted().filter(|row| row.measure.is_time()) {
        let bounds = suite.gate.bounds(&known.benchmark, suite.noise_threshold);
        all.push(match now.iter().find(|row| same(row, known)) {
            None => unmatched(&known.benchmark, &known.arm, known.measure, Unmatched::Gone),
            Some(_) if !differs.is_empty() => refused(known),
            Some(row) => GateRow { bounds, ..times.judged(known, row, suite, bounds) },
        });
    }
    let new = now.iter().filter(|row| row.measure.is_time() && !accepted().any(|known| same(known, row)));
    all.extend(new.map(|row| unmatched(&row.benchmark, &row.arm, row.measure, Unmatched::New)));
    let exact: Vec<Reference> = now.iter().filter(|row| !row.measure.is_time()).cloned().collect();
    if same_code {
        all.extend(exact_rows(&exact, accepted(), suite, true));
    } else {
        all.extend(accepted().filter(|row| !row.measure.is_time()).map(refused));
    }
    let mut report = empty(context, stored, options)?;
    report.candidate.clone_from(&file.commit);
    report.environment = file.environment.clone();
    report.name.clone_from(&file.name);
    report.report = gate_report(all, Vec::new(), options.allow_unmatched);
    Ok(report)
}

fn same(one: &Reference, other: &Reference) -> bool {
    (&one.benchmark, &one.arm, one.measure) == (&other.benchmark, &other.arm, other.measure)
}

/// What it takes to judge times of two runs.
struct Times<'a> {
    plan: &'a Plan,
    stored: &'a References,
    now: &'a [Reference],
    /// By benchmark: ln(time) of each calibration's experiment, by its seed.
    between: BTreeMap<String, BTreeMap<u64, f64>>,
}

impl Times<'_> {
    /// The anchor of an arm: the suite's, else the row with the least spread.
    fn anchor(&self, arm: &str, suite: &Suite) -> Option<&Reference> {
        let short = |row: &&Reference| {
            row.arm == arm
                && row.measure == Measure::Time
                && self.plan.benchmarks.iter().any(|known| known.name == row.benchmark && !known.long)
        };
        let of_arm = || self.stored.rows.iter().filter(short);
        match &suite.gate.anchor {
            Some(name) => of_arm().find(|row| &row.benchmark == name),
            None => of_arm().min_by(|a, b| a.spread.total_cmp(&b.spread)),
        }
    }

    fn judged(&self, known: &Reference, row: &Reference, suite: &Suite, bounds: Bounds) -> GateRow {
        let undecided = |why: &str| GateRow {
            value: Some(row.value),
            verdict: GateVerdict::Inconclusive,
            why: why.to_owned(),
            ..bare(known)
        };
        let Some(anchor) = self.anchor(&known.arm, suite) else {
            return undecided("different runs: not judged, and there is no anchor");
        };
        if anchor.benchmark == known.benchmark {
            let why = format!("{} is the anchor", known.benchmark);
            return GateRow { value: Some(row.value), verdict: GateVerdict::Passed, why, ..bare(known) };
        }
        let Some(anchor_now) = self.now.iter().find(|row| same(row, anchor)) else {
            return undecided("different runs: not judged, since the record lacks the anchor");
        };
        let (Some(rows), Some(anchors)) =
            (self.between.get(&known.benchmark), self.between.get(&anchor.benchmark))
        else {
            return undecided(&format!(
                "different runs: not judged; no calibration says how runs differ ({} calibrate)",
                program()
            ));
        };
        let proportions: Vec<f64> =
            rows.iter().filter_map(|(seed, log)| Some(log - anchors.get(seed)?)).collect();
        let Some(between_runs) = crate::stats::sd(&proportions) else {
            return undecided("different runs: not judged; too few calibration runs say how runs differ");
        };
        let of = |row: &Reference| Measured { value: row.value, spread: row.spread, launches: row.launches };
        let anchored = Anchored {
            reference: of(known),
            anchor_reference: of(anchor),
            value: of(row),
            anchor: of(anchor_now),
            between_runs,
            runs: u32::try_from(proportions.len()).unwrap_or(u32::MAX),
        };
        judge_anchored(bare(known), &anchored, bounds)
    }
}

/// ln(time) of the baseline in every experiment of this machine's stored campaign, by benchmark and experiment: how
/// times of different runs of one program differ here.
fn between_runs(
    context: &Context,
    workload: WorkloadKind,
) -> anyhow::Result<BTreeMap<String, BTreeMap<u64, f64>>> {
    let directory = calibrations::directory(&context.root);
    let file = calibrations::file(&directory, &context.environment, workload);
    let log = calibrations::read_log::<GateLine>(&calibrations::log_of_gates(&file))?;
    if let Some(torn) = &log.torn {
        context.progress().note(torn);
    }
    let mut between: BTreeMap<String, BTreeMap<u64, f64>> = BTreeMap::new();
    for line in log.lines {
        if line.baseline_ns > 0.0 {
            between.entry(line.benchmark).or_default().insert(line.seed, line.baseline_ns.ln());
        }
    }
    Ok(between)
}

/// A file about references, before anything was judged.
fn empty(context: &Context, stored: &References, options: &GateOptions) -> anyhow::Result<GateFile> {
    Ok(GateFile {
        schema: GATE_SCHEMA,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        name: String::new(),
        started: timestamp(),
        seconds: 0.0,
        command: options.command.clone(),
        suite: stored.suite.clone(),
        workload: stored.workload,
        against: stored.commit.clone(),
        against_name: stored.commit.clone(),
        candidate: revision::head(context, &options.out.clone().unwrap_or_else(|| context.results.clone())),
        environment: context.environment.clone(),
        compilers: Vec::new(),
        warnings: Vec::new(),
        stopped: false,
        allow_unmatched: options.allow_unmatched,
        report: gate_report(Vec::new(), Vec::new(), Allowed::All),
        launches: Vec::new(),
        false_alarms: false_alarms(&context.root, &context.environment, stored.workload)?,
    })
}

//! `gate --against REV`: the revision is built beside the work tree, and both are measured in one run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;

use crate::analyse::Warning;
use crate::build::Artifact;
use crate::experiment::context::Context;
use crate::experiment::gate::file::{GATE_SCHEMA, GateFile, row_launches};
use crate::experiment::gate::pairs::{CANDIDATE, Pair, gated, new_arm, pair};
use crate::experiment::gate::{GateOptions, Gated, kept};
use crate::experiment::session::Event;
use crate::experiment::store::{self, Store, record_name};
use crate::experiment::surroundings::{clock_seed, timestamp};
use crate::experiment::trials::{Measured, Phase, Row, Trial, Trials};
use crate::experiment::{calibrations, revision};
use crate::judge::{
    Allowed, FalseAlarms, GateRow, GateRule, GateVerdict, LOOKS, gate_false_alarms, gate_report,
};
use crate::machine::Environment;
use crate::measure::ArmFacts;
use crate::plan::{Arm, Built, Role, SCHEMA_VERSION, Suite, WorkloadKind};
use crate::record::{RunFile, State};
use crate::report::{sentence, warning};

/// Builds the work tree and a revision, measures both in one run, judges, and writes the record.
///
/// # Errors
/// The revision is unknown, an option does not fit the suite, a side cannot be built, or the record cannot be written.
pub fn against(context: &Context, options: &GateOptions, rev: &str) -> anyhow::Result<Gated> {
    let start = Instant::now();
    let suite = context.suite(options.suite.as_deref())?;
    let gated = gated(&suite, options)?;
    let commit = revision::resolve(context, rev)?;
    let other = Other { commit, name: rev.to_owned(), has_all: false };
    let paired = paired(context, &suite, options, start + options.budget, &gated, &other)?;
    kept(paired.file, paired.folder, start)
}

/// What was measured in pairs.
pub(crate) struct PairedRun {
    /// What it says.
    pub file: GateFile,
    /// Where it is kept.
    pub folder: PathBuf,
    /// What is known of the candidate's artifact, of each gated arm.
    pub facts: Vec<ArmFacts>,
    /// The most memory that each gated arm's process held with every benchmark, launch by launch.
    pub memory: Vec<(String, Vec<f64>)>,
    /// The benchmarks that the candidate has, by gated arm.
    pub benchmarks: Vec<(String, Vec<String>)>,
}

/// The commit that is compared with.
pub(crate) struct Other {
    /// Its hash.
    pub commit: String,
    /// The name that it was given by.
    pub name: String,
    /// Whether it is known to have every gated arm, so that one which it lacks is an error and not new.
    pub has_all: bool,
}

/// Measures the gated arms of the work tree beside those of a commit.
pub(crate) fn paired(
    context: &Context,
    suite: &Suite,
    options: &GateOptions,
    deadline: Instant,
    arms: &[&Arm],
    other: &Other,
) -> anyhow::Result<PairedRun> {
    let out = options.out.clone().unwrap_or_else(|| context.results.clone());
    store::check_writable(&out)?;
    let context = &context.lock()?;
    let revision = revision::checked_out(context, &other.commit)?;
    note_toolchain(context, &revision.root);
    let seed = options.seed.unwrap_or_else(clock_seed);
    let mut pairs = Vec::new();
    for (at, arm) in (0_u64..).zip(arms) {
        let seed = seed.wrapping_add(at);
        let mut workload = arm.workload.clone();
        if let (Some(profile), Some(variant)) = (&options.profile, workload.variant_mut()) {
            variant.profile.clone_from(profile);
        }
        pairs.push(match revision.lacks(context, &workload)? {
            Some(why) if other.has_all => bail!("{why}"),
            Some(why) => new_arm(context, suite, arm, options, seed, &why)?,
            None => pair(context, suite, arm, &revision, options, seed)?,
        });
    }
    if pairs.iter().any(Pair::is_identical) {
        note_other_changes(context, &revision)?;
    }
    note_outside(context, &revision, &pairs)?;
    let mut file = GateFile {
        schema: GATE_SCHEMA,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        name: record_name(&out),
        started: timestamp(),
        seconds: 0.0,
        command: options.command.clone(),
        suite: suite.name.clone(),
        workload: suite.kind(),
        against: other.commit.clone(),
        against_name: other.name.clone(),
        candidate: revision::head(context, &out),
        environment: context.environment.clone(),
        compilers: compilers(&pairs),
        warnings: one_layout(&pairs).into_iter().collect(),
        stopped: false,
        allow_unmatched: options.allow_unmatched,
        report: gate_report(Vec::new(), Vec::new(), Allowed::All),
        launches: Vec::new(),
        false_alarms: false_alarms(&context.root, &context.environment, suite.kind())?,
    };
    if let Some(python) = pairs.iter().find_map(|pair| Some(&pair.trial.as_ref()?.plan)) {
        file.environment = context.environment_for(python);
    }
    let mut records = Records::create(&out, &mut file, context, &pairs)?;
    let mut trials: Vec<Trial> = pairs.iter_mut().filter_map(|pair| pair.trial.take()).collect();
    let mut rule = GateRule::new(trials.iter().map(|trial| trial.plan.benchmarks.len()).sum());
    let measured =
        Trials { context, trials: &mut trials, rule: &mut rule, deadline: Some(deadline), tells: true }
            .run(&mut |trial, phase, event| records.take(trial, phase, event));
    records.close()?;
    judged(&mut file, &pairs, &trials, &rule, &measured?);
    Ok(PairedRun {
        facts: pairs.iter().map(|pair| pair.candidate_facts()).collect(),
        benchmarks: pairs.iter().map(|pair| (pair.arm.clone(), pair.benchmarks.clone())).collect(),
        memory: records.memory(),
        folder: records.folder,
        file,
    })
}

/// The same code may read other files when it runs.
fn note_other_changes(context: &Context, revision: &revision::Revision) -> anyhow::Result<()> {
    let changed = revision::other_changes(context, &revision.commit)?;
    if changed.is_empty() {
        return Ok(());
    }
    context.progress().note(&format!(
        "identical code was not measured, although other files differ from {}: {}; --no-identity measures it",
        revision::short_hash(&revision.commit),
        revision::first_few(changed.iter())
    ));
    Ok(())
}

/// No commit holds them, so both sides have the same, and a change of them is not seen.
fn note_outside(context: &Context, revision: &revision::Revision, pairs: &[Pair]) -> anyhow::Result<()> {
    let artifacts: Vec<&Artifact> =
        pairs.iter().flat_map(|pair| pair.artifacts.arms.iter().flatten()).collect();
    let outside = revision::outside::of_both(context, revision, &artifacts)?;
    if !outside.is_empty() {
        context.progress().note(&format!(
            "outside of the repository, and as it is now on both sides: {}",
            revision::first_few(outside.iter())
        ));
    }
    Ok(())
}

/// Says where a variable outranks what the sides' own files name: both are compiled by one compiler then.
fn note_toolchain(context: &Context, revision: &Path) {
    let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN").filter(|toolchain| !toolchain.is_empty())
    else {
        return;
    };
    let files = |root: &Path| {
        ["rust-toolchain", "rust-toolchain.toml"].map(|name| std::fs::read(root.join(name)).ok())
    };
    if files(&context.root) != files(revision) {
        context.progress().note(&format!(
            "RUSTUP_TOOLCHAIN={} compiles both sides, though their rust-toolchain.toml differ (rustup sets it where cargo starts the lab): start perflab itself to have each compiled by its own",
            toolchain.display()
        ));
    }
}

/// The compilers of the two sides; where a side has no artifact, none is known.
fn compilers(pairs: &[Pair]) -> Vec<String> {
    let Some(pair) = pairs.first() else { return Vec::new() };
    let sides = pair.artifacts.facts.iter().take(CANDIDATE + 1).map(|facts| facts.compiler.clone());
    sides.filter(|compiler| !compiler.is_empty()).collect()
}

/// That layouts cannot be varied, where something is measured whose linker inputs are not known.
fn one_layout(pairs: &[Pair]) -> Option<String> {
    let mut without = Vec::new();
    for pair in pairs {
        let Some(trial) = &pair.trial else { continue };
        let facts = pair.artifacts.facts.iter();
        for ((arm, artifact), facts) in trial.plan.arms.iter().zip(&trial.artifacts).zip(facts) {
            let is_whole = artifact.as_ref().is_none_or(|artifact| artifact.bundle.is_some());
            if arm.role != Role::Control && arm.workload.has_layouts() && !is_whole {
                without.push((arm.name.clone(), facts.other_linker));
            }
        }
    }
    let arms: Vec<String> =
        without.iter().filter(|(_, other_linker)| *other_linker).map(|(arm, _)| arm.clone()).collect();
    let said = if arms.is_empty() { Warning::OneLayout } else { Warning::OtherLinker { arms } };
    (!without.is_empty()).then(|| warning(Built::Once, &said))
}

/// Puts the rows of all pairs, those that were measured and those that were not, into the file.
fn judged(file: &mut GateFile, pairs: &[Pair], trials: &[Trial], rule: &GateRule, measured: &Measured) {
    let mut rows: Vec<GateRow> = Vec::new();
    let mut at = 0;
    for pair in pairs {
        rows.extend(pair.rows.iter().cloned());
        // A pair without a trial was decided before.
        let Some(trial) = trials.get(at).filter(|trial| trial.plan.arms[CANDIDATE].name == pair.arm) else {
            continue;
        };
        let names: Vec<String> = trial.plan.benchmarks.iter().map(|b| b.name.clone()).collect();
        file.launches.extend(row_launches(&pair.arm, &names, &trial.bounds, measured, at));
        rows.extend(measured_rows(pair, trial, at, rule, measured));
        at += 1;
    }
    let place = |row: &GateRow| {
        let order = |trial: &Trial| trial.plan.benchmarks.iter().position(|b| b.name == row.benchmark);
        (pairs.iter().position(|pair| pair.arm == row.arm), trials.first().and_then(order))
    };
    rows.sort_by_key(place);
    let void = measured.void.iter().map(|&(trial, benchmark)| {
        let plan = &trials[trial].plan;
        format!("{} of {}", plan.benchmarks[benchmark].name, plan.arms[CANDIDATE].name)
    });
    file.report = gate_report(rows, void.collect(), file.allow_unmatched);
    file.stopped = measured.stopped;
}

fn measured_rows(
    pair: &Pair,
    trial: &Trial,
    at: usize,
    rule: &GateRule,
    measured: &Measured,
) -> Vec<GateRow> {
    let confirmed = measured.confirmed();
    let of = |row: &Row| {
        let bare = GateRow {
            benchmark: trial.plan.benchmarks[row.benchmark].name.clone(),
            arm: pair.arm.clone(),
            measure: trial.plan.benchmarks[row.benchmark].measure,
            reference: row.values.map(|(reference, _)| reference),
            value: row.values.map(|(_, value)| value),
            bounds: trial.bounds[row.benchmark],
            screening: None,
            confirmation: None,
            verdict: GateVerdict::Inconclusive,
            why: "stopped before its first look".to_owned(),
        };
        if let Some(failure) = &row.failure {
            let candidate = failure.arm == trial.plan.arms[CANDIDATE].name;
            let verdict = if candidate { GateVerdict::Failed } else { GateVerdict::Inconclusive };
            let why = format!("{} failed: {}", failure.arm, sentence(&failure.reason));
            return GateRow { verdict, why, ..bare };
        }
        let Some(screened) = row.screening.paired(1) else { return bare };
        let fresh = row.confirmation.as_ref().and_then(|phased| phased.paired(confirmed));
        bare.paired(rule, &screened, fresh.as_ref())
    };
    measured.rows.iter().filter(|row| row.trial == at).map(of).collect()
}

/// The bound on false alarms of the machine's calibration, where there is one.
pub(crate) fn false_alarms(
    root: &Path,
    environment: &Environment,
    workload: WorkloadKind,
) -> anyhow::Result<Option<FalseAlarms>> {
    let calibration = calibrations::find(root, environment, workload)?;
    Ok(calibration.and_then(|calibration| gate_false_alarms(&calibration, environment)))
}

/// The directories that samples go to: one a gated arm, and in each another for the confirmation.
struct Records {
    folder: PathBuf,
    screening: Vec<Store>,
    /// Made when the first launch of a confirmation is finished.
    confirmation: Vec<Option<Store>>,
}

impl Records {
    fn create(out: &Path, file: &mut GateFile, context: &Context, pairs: &[Pair]) -> anyhow::Result<Self> {
        let folder = store::new_directory(out, &mut file.name)?;
        let mut screening: Vec<Store> = Vec::new();
        for pair in pairs {
            let Some(trial) = &pair.trial else { continue };
            let run = RunFile {
                schema: SCHEMA_VERSION,
                perflab: file.perflab.clone(),
                name: file.name.clone(),
                started: file.started.clone(),
                seconds: 0.0,
                command: file.command.clone(),
                commit: file.candidate.clone(),
                state: State::Running,
                environment: context.environment_for(&trial.plan),
                plan: trial.plan.clone(),
                facts: pair.artifacts.facts.clone(),
                paces: trial.prepared.paces.clone(),
                failures: pair.failures.clone(),
                launches: Vec::new(),
            };
            // The first arm's record is the directory itself, so that every verb on records reads it.
            let below = if screening.is_empty() {
                run
            } else {
                RunFile { name: format!("{}/{}", run.name, pair.arm), ..run }
            };
            screening.push(Store::within(out.join(&below.name), below)?);
        }
        let commands: Vec<String> = pairs.iter().flat_map(|pair| pair.artifacts.commands.clone()).collect();
        store::replace(&folder.join("commands.txt"), (commands.join("\n") + "\n").as_bytes())?;
        Ok(Self { folder, confirmation: screening.iter().map(|_| None).collect(), screening })
    }

    fn take(&mut self, trial: usize, phase: Phase, event: Event) -> anyhow::Result<()> {
        let store = match phase {
            Phase::Screening => &mut self.screening[trial],
            Phase::Confirmation => {
                let slot = &mut self.confirmation[trial];
                match slot {
                    Some(store) => store,
                    None => {
                        let first = &self.screening[trial];
                        let fresh = RunFile {
                            name: "confirmation".to_owned(),
                            launches: Vec::new(),
                            failures: Vec::new(),
                            ..first.file.clone()
                        };
                        slot.insert(Store::within(first.folder.join(&fresh.name), fresh)?)
                    }
                }
            }
        };
        match event {
            Event::Launch(launch) => store.add(&launch),
            Event::Failure(failure) => {
                store.file.failures.push(failure);
                store.save()
            }
        }
    }

    /// The most memory that the candidate's process held, in the launches that had every benchmark.
    fn memory(&self) -> Vec<(String, Vec<f64>)> {
        let of = |store: &Store| {
            let arm = store.file.plan.arms[CANDIDATE].name.clone();
            let peak = |launch: &crate::record::LaunchFile| {
                let process = launch.arms.iter().find(|process| process.arm == CANDIDATE)?;
                Some(process.peak_rss? as f64)
            };
            (arm, store.file.launches.iter().take(LOOKS[0]).filter_map(peak).collect())
        };
        self.screening.iter().map(of).collect()
    }

    /// Each record says that it is whole: a gate decides itself how many launches it takes.
    fn close(&mut self) -> anyhow::Result<()> {
        for store in self.screening.iter_mut().chain(self.confirmation.iter_mut().flatten()) {
            store.file.plan.budget.launches = u32::try_from(store.file.launches.len())?.max(1);
            store.file.state = State::Finished;
            store.save()?;
        }
        Ok(())
    }
}

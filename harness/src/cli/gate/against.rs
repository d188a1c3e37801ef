//! `gate --against REV`: the revision is built beside the work tree, and both are measured in one run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::args::{GateArgs, Shared};
use crate::cli::baseline::rows::measure;
use crate::cli::context::{Context, clock_seed};
use crate::cli::gate::file::{GATE_SCHEMA, GateFile, row_launches};
use crate::cli::gate::pairs::{CANDIDATE, Pair, gated, pair};
use crate::cli::gate::trials::{Measured, Phase, Trial, Trials};
use crate::cli::gate::{Budget, exit, revision, show, tell};
use crate::cli::run::record_name;
use crate::cli::session::Event;
use crate::cli::store::Store;
use crate::cli::{Exit, calibration_file, store};
use crate::judge::{FalseAlarms, GateRow, GateRule, GateVerdict, LOOKS, gate_report};
use crate::machine::Environment;
use crate::measure::ArmFacts;
use crate::plan::{Arm, SCHEMA_VERSION, Suite, WorkloadKind};
use crate::record::{RunFile, State};
use crate::report::sentence;

/// Builds, measures, judges, and writes the record.
pub(crate) fn against(shared: &Shared, args: &GateArgs, rev: &str) -> anyhow::Result<Exit> {
    let budget = Budget::of(args);
    let context = Context::open()?;
    let suite = context.suite(args.suite.as_deref())?;
    let gated = gated(&suite, args)?;
    let commit = revision::resolve(&context.root, rev)?;
    context.tell_foreign();
    let paired = paired(&context, &suite, args, budget, &gated, (commit, rev))?;
    finish(shared, &context, args, paired.file, &paired.folder, budget)
}

/// Writes a gate's file, prints it, and tells the exit code.
pub(crate) fn finish(
    shared: &Shared,
    context: &Context,
    args: &GateArgs,
    mut file: GateFile,
    folder: &Path,
    budget: Budget,
) -> anyhow::Result<Exit> {
    file.seconds = budget.start.elapsed().as_secs_f64();
    file.write(folder)?;
    store::replace(&folder.join("gate.md"), show::markdown(&file).as_bytes())?;
    if let Some(chart) = show::chart(&file)? {
        store::replace(&folder.join("charts/gate.svg"), chart.svg.as_bytes())?;
        store::replace(&folder.join("charts/gate.png"), &chart.png)?;
    }
    tell(shared, args, &context.root, &file, Some(folder))?;
    let shown = folder.strip_prefix(&context.root).unwrap_or(folder).display();
    eprintln!(" record   {shown}    again  cargo lab gate {shown}");
    Ok(if file.stopped { Exit::Stopped } else { exit(file.report.fold) })
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

/// Measures the gated arms of the work tree beside those of a commit (its hash, and the name that it was given by).
pub(crate) fn paired(
    context: &Context,
    suite: &Suite,
    args: &GateArgs,
    budget: Budget,
    arms: &[&Arm],
    (commit, rev): (String, &str),
) -> anyhow::Result<PairedRun> {
    let _alone = context.alone()?;
    let revision = revision::checked_out(context, &commit)?;
    let seed = args.seed.unwrap_or_else(clock_seed);
    let mut pairs = Vec::new();
    for (at, arm) in (0_u64..).zip(arms) {
        pairs.push(pair(context, suite, arm, &revision, args, seed.wrapping_add(at))?);
    }
    let out = args.out.clone().unwrap_or_else(|| context.root.join("results"));
    let mut file = GateFile {
        schema: GATE_SCHEMA,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        name: record_name(&out),
        started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seconds: 0.0,
        command: command(args, rev),
        suite: suite.name.clone(),
        workload: suite.kind(),
        against: commit,
        against_name: rev.to_owned(),
        candidate: revision::head(&context.root),
        environment: context.environment.clone(),
        stopped: false,
        allow_unmatched: args.allow_unmatched,
        report: gate_report(Vec::new(), Vec::new(), true),
        launches: Vec::new(),
        false_alarms: false_alarms(&context.root, &context.environment, suite.kind()),
    };
    if let Some(python) = pairs.iter().find_map(|pair| Some(&pair.trial.as_ref()?.plan)) {
        file.environment = context.environment_for(python);
    }
    let mut records = Records::create(&out, &file, context, &pairs)?;
    let mut trials: Vec<Trial> = pairs.iter_mut().filter_map(|pair| pair.trial.take()).collect();
    let mut rule = GateRule::new(trials.iter().map(|trial| trial.plan.benchmarks.len()).sum());
    let measured =
        Trials { context, trials: &mut trials, rule: &mut rule, deadline: Some(budget.end()), tells: true }
            .run(&mut |trial, phase, event| records.take(trial, phase, event));
    records.close()?;
    judged(&mut file, &pairs, &trials, &rule, &measured?);
    Ok(PairedRun {
        facts: pairs.iter().map(|pair| pair.artifacts.facts[CANDIDATE].clone()).collect(),
        benchmarks: pairs.iter().map(|pair| (pair.arm.clone(), pair.benchmarks.clone())).collect(),
        memory: records.memory(),
        folder: records.folder,
        file,
    })
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
    let of = |row: &crate::cli::gate::trials::Row| {
        let bare = GateRow {
            benchmark: trial.plan.benchmarks[row.benchmark].name.clone(),
            arm: pair.arm.clone(),
            measure: measure(
                trial.plan.kind(),
                &trial.plan.benchmarks[row.benchmark].name,
                trial.plan.benchmarks[row.benchmark].unit,
            ),
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
) -> Option<FalseAlarms> {
    crate::judge::gate_false_alarms(&calibration_file::find(root, environment, workload)?, environment)
}

/// The folders that samples go to: one a gated arm, and in each another for the confirmation.
struct Records {
    folder: PathBuf,
    screening: Vec<Store>,
    /// Made when the first launch of a confirmation is finished.
    confirmation: Vec<Option<Store>>,
}

impl Records {
    fn create(out: &Path, file: &GateFile, context: &Context, pairs: &[Pair]) -> anyhow::Result<Self> {
        let folder = out.join(&file.name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the record's folder {}", folder.display()))?;
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
            // The first arm's record is the folder itself, so that every verb on records reads it.
            let below = if screening.is_empty() {
                run
            } else {
                RunFile { name: format!("{}/{}", run.name, pair.arm), ..run }
            };
            screening.push(Store::create(out, below)?);
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
                        slot.insert(Store::create(&first.folder, fresh)?)
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

fn command(args: &GateArgs, rev: &str) -> String {
    let mut words = vec![format!("cargo lab gate --against {rev}")];
    words.extend(args.suite.as_ref().map(|suite| format!("--suite {}", suite.display())));
    for (option, values) in [("--flagsets", &args.flagsets), ("--benchmarks", &args.benchmarks)] {
        if !values.is_empty() {
            words.push(format!("{option} {}", values.join(",")));
        }
    }
    words.extend(args.profile.as_ref().map(|profile| format!("--profile {profile}")));
    words.extend(args.python.as_ref().map(|python| format!("--python {python}")));
    words.push(format!("--budget {}s", args.budget.as_secs()));
    words.extend(args.no_identity.then(|| "--no-identity".to_owned()));
    words.extend(args.allow_unmatched.then(|| "--allow-unmatched".to_owned()));
    words.extend(args.seed.map(|seed| format!("--seed {seed}")));
    words.join(" ")
}

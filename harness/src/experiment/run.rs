//! Runs: build, check every answer, measure into a record; or go on with one that was stopped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::build::Artifact;
use crate::called::program;
use crate::experiment::artifacts::{self, Artifacts};
use crate::experiment::builds::measure_builds;
use crate::experiment::context::{Context, Locked};
use crate::experiment::fit::Fit;
use crate::experiment::judged::Unmeasured;
use crate::experiment::options::PlanOptions;
use crate::experiment::revision::{first_few, head, outside};
use crate::experiment::session;
use crate::experiment::store::{self, Store, record_name};
use crate::experiment::surroundings::timestamp;
use crate::machine::Environment;
use crate::measure::{FailureReason, Prepared, Run, RunFailure};
use crate::plan::{self, Benchmark, Plan, SCHEMA_VERSION, Suite};
use crate::record::{RunFile, State};
use crate::report::sentence;

/// What a run measures, and where its record goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// What is measured.
    pub plan: PlanOptions,
    /// Where records go; `None` is `results` of the workspace.
    pub out: Option<PathBuf>,
    /// The command as a person would type it again, for the record.
    pub command: String,
    /// How long it may take, builds included; `None` is as long as the plan takes.
    pub budget: Option<Duration>,
}

/// What a run would do.
///
/// # Errors
/// The suite has a fault, or an option does not fit it.
pub fn plan(context: &Context, options: &PlanOptions) -> anyhow::Result<Plan> {
    let (suite, mut plan) = options.plan(context)?;
    let wanted = options.wanted(&suite.benchmarks);
    if !wanted.is_empty() {
        plan.benchmarks = wanted.iter().map(|name| plan.row(name)).collect();
    }
    Ok(plan)
}

/// What was built, without measuring.
pub struct Built {
    /// The plan that it was built for.
    pub plan: Plan,
    /// What is known of each arm, and why some sit out.
    pub artifacts: Artifacts,
}

impl Built {
    /// Whether something of it is broken.
    #[must_use]
    pub fn failed(&self) -> bool {
        store::failed(&self.plan, &self.artifacts.failures)
    }

    /// What a report shows of it.
    #[must_use]
    pub fn unmeasured(&self, environment: &Environment) -> Unmeasured {
        let Artifacts { failures, facts, .. } = &self.artifacts;
        let run = Run { launches: Vec::new(), failures: failures.clone(), facts: facts.clone() };
        Unmeasured::of(&self.plan, environment, &run)
    }
}

/// Builds every variant and takes the census.
///
/// # Errors
/// The plan has a fault, or its baseline cannot be built.
pub fn build(context: &Context, options: &PlanOptions) -> anyhow::Result<Built> {
    let (_, plan) = options.plan(context)?;
    let artifacts = artifacts::build(&context.lock()?, &plan)?;
    Ok(Built { plan, artifacts })
}

/// The answers of every benchmark in every arm that runs here.
pub struct Verified {
    /// What was built.
    pub built: Built,
    /// The benchmarks, and which arms gave their answers.
    pub prepared: Prepared,
}

impl Verified {
    /// Everything that went wrong.
    pub fn failures(&self) -> impl Iterator<Item = &RunFailure> {
        self.built.artifacts.failures.iter().chain(&self.prepared.failures)
    }

    /// Whether something of it is broken.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.built.failed() || self.prepared.failures.iter().any(RunFailure::is_broken)
    }
}

/// One call of every benchmark in every arm that runs here: answers only, no times.
///
/// # Errors
/// As [`build`]; and the baseline cannot be started.
pub fn verify(context: &Context, options: &PlanOptions) -> anyhow::Result<Verified> {
    let (suite, plan) = options.plan(context)?;
    let context = &context.lock()?;
    let artifacts = artifacts::build(context, &plan)?;
    let wanted = wanted(context, options, &suite, &plan, &artifacts)?;
    let prepared = session::first_processes(context, &plan, &artifacts.arms, &wanted)?;
    Ok(Verified { built: Built { plan, artifacts }, prepared })
}

/// Builds and measures into a new record.
///
/// # Errors
/// The plan has a fault, its baseline cannot be built or measured, or the record cannot be written.
pub fn measure(context: &Context, options: &RunOptions) -> anyhow::Result<Store> {
    let context = &context.lock()?;
    let start = Instant::now();
    let (store, prepared, artifacts) = started(context, options)?;
    finished(context, store, prepared, &artifacts, start)
}

/// Goes on with a record that was stopped.
///
/// # Errors
/// It cannot be read, is finished, or was begun on another machine or with other code; and as [`measure`].
pub fn resume(context: &Context, record: &Path) -> anyhow::Result<Store> {
    // What cannot be read is reported before waiting for another lab.
    store::read(record)?;
    let context = &context.lock()?;
    let start = Instant::now();
    let (store, prepared, artifacts) = resumed(context, record)?;
    finished(context, store, prepared, &artifacts, start)
}

fn finished(
    context: &Locked<'_>,
    mut store: Store,
    mut prepared: Prepared,
    artifacts: &Artifacts,
    start: Instant,
) -> anyhow::Result<Store> {
    let before = store.file.seconds;
    let outcome = match store.file.plan.traits().built {
        plan::Built::Once => session::measure(context, &mut store, &artifacts.arms, &mut prepared),
        plan::Built::EveryTurn => measure_builds(context, &mut store, &artifacts.arms),
        plan::Built::Never => {
            bail!("this record compares commands: compare them anew with {} cmp commands", program())
        }
    };
    store.file.seconds = before + start.elapsed().as_secs_f64();
    store.save()?;
    outcome?;
    Ok(store)
}

/// Says what the record's commit does not hold. Where git refuses, no commit is named, which is said then.
fn note_outside(context: &Context, artifacts: &Artifacts) {
    let built: Vec<&Artifact> = artifacts.arms.iter().flatten().collect();
    let outside = outside::of_work_tree(context, &built).unwrap_or_default();
    if !outside.is_empty() {
        context.progress().note(&format!(
            "outside of the repository, and in no commit that the record names: {}",
            first_few(outside.iter())
        ));
    }
}

fn started(context: &Locked<'_>, options: &RunOptions) -> anyhow::Result<(Store, Prepared, Artifacts)> {
    let (suite, mut plan) = options.plan.plan(context)?;
    let out = options.out.clone().unwrap_or_else(|| context.results.clone());
    store::check_writable(&out)?;
    let name = record_name(&out);
    context.progress().begins(&plan.suite, &out.join(&name), &context.environment);
    let fit = options.budget.map(|budget| Fit::new(budget, suite.full.launches));
    let mut artifacts = artifacts::build_within(context, &plan, fit.as_ref().map(Fit::build_deadline))?;
    note_outside(context, &artifacts);
    let mut prepared = Prepared::default();
    let wanted = wanted(context, &options.plan, &suite, &plan, &artifacts)?;
    if plan.traits().built == plan::Built::EveryTurn {
        plan.benchmarks = known_rows(&plan, &wanted)?;
    } else {
        prepared = session::first_processes(context, &plan, &artifacts.arms, &wanted)?;
        plan.benchmarks.clone_from(&prepared.benchmarks);
        if artifacts.arms[0].is_some() {
            known_benchmarks(&options.plan.benchmarks, &prepared)?;
        }
        if let Some(fit) = &fit {
            fit.apply(context, &mut plan, &mut artifacts, &mut prepared);
        }
        artifacts.census_of(&plan.benchmarks);
    }
    let mut failures = std::mem::take(&mut artifacts.failures);
    failures.append(&mut prepared.failures);
    for failure in failures.iter().filter(|failure| failure.is_broken()) {
        let place = failure.benchmark.as_ref().map_or(String::new(), |benchmark| format!(", {benchmark}"));
        let line = format!("{}{place}: {}", failure.arm, sentence(&failure.reason));
        context.progress().say("failed", &line);
    }
    let file = RunFile {
        schema: SCHEMA_VERSION,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        name,
        started: timestamp(),
        seconds: 0.0,
        command: options.command.clone(),
        commit: head(context, &out),
        state: State::Running,
        environment: context.environment_for(&plan),
        plan,
        facts: artifacts.facts.clone(),
        paces: prepared.paces.clone(),
        failures,
        launches: Vec::new(),
    };
    let store = Store::create(&out, file)?;
    store.put("commands.txt", (artifacts.commands.join("\n") + "\n").as_bytes())?;
    Ok((store, prepared, artifacts))
}

fn resumed(context: &Locked<'_>, record: &Path) -> anyhow::Result<(Store, Prepared, Artifacts)> {
    let store = Store::resume(record)?;
    let differences = store.file.environment.differences(&context.environment_for(&store.file.plan));
    if let Some(difference) = differences.first() {
        bail!(
            "this record was begun on another machine: {} was {}, is {}; start a new one",
            difference.field,
            difference.left,
            difference.right
        );
    }
    let mut artifacts = artifacts::build(context, &store.file.plan)?;
    for (was, is) in store.file.facts.iter().zip(&artifacts.facts) {
        if was.digest != is.digest {
            bail!("the code of {} has changed since this record was begun; start a new one", was.arm);
        }
    }
    artifacts.failures.clear();
    let prepared = Prepared {
        benchmarks: store.file.plan.benchmarks.clone(),
        paces: store.file.paces.clone(),
        ..Prepared::default()
    };
    Ok((store, prepared, artifacts))
}

/// The benchmarks that were asked for; those that pass the filters, of all that the subject has, where there are filters.
fn wanted(
    context: &Locked<'_>,
    options: &PlanOptions,
    suite: &Suite,
    plan: &Plan,
    artifacts: &Artifacts,
) -> anyhow::Result<Vec<String>> {
    let mut wanted = options.wanted(&suite.benchmarks);
    if options.filters.is_empty() {
        return Ok(wanted);
    }
    if wanted.is_empty()
        && let Some(first) = artifacts.arms.iter().flatten().next()
    {
        wanted = session::listing(context, first, &plan.budget)
            .map_err(|reason| anyhow::anyhow!("the baseline cannot be measured: {}", sentence(&reason)))?;
    }
    let known = wanted.len();
    wanted.retain(|name| options.passes(name));
    if wanted.is_empty() {
        bail!("no name of the {known} benchmarks of {} holds {}", plan.suite, options.filters.join(" or "));
    }
    Ok(wanted)
}

/// The rows that were asked for, of those that are known without asking a subject; all of them where none was.
fn known_rows(plan: &Plan, wanted: &[String]) -> anyhow::Result<Vec<Benchmark>> {
    if wanted.is_empty() {
        return Ok(plan.benchmarks.clone());
    }
    let known = |name: &String| {
        let found = plan.benchmarks.iter().find(|benchmark| &benchmark.name == name);
        found.cloned().with_context(|| {
            let names: Vec<&str> = plan.benchmarks.iter().map(|row| row.name.as_str()).collect();
            format!("unknown benchmark \"{name}\"; known: {}", names.join(", "))
        })
    };
    wanted.iter().map(known).collect()
}

/// A benchmark that no arm has is a slip of the pen, not a failed row.
fn known_benchmarks(asked: &[String], prepared: &Prepared) -> anyhow::Result<()> {
    let unmeasured = |at: usize| prepared.paces.iter().all(|paces| paces.get(at).is_none_or(Option::is_none));
    for name in asked {
        let at = prepared.benchmarks.iter().position(|benchmark| &benchmark.name == name);
        let unknown = prepared.failures.iter().any(|failure| {
            failure.benchmark.as_ref() == Some(name) && failure.reason == FailureReason::UnknownBenchmark
        });
        if unknown && at.is_none_or(unmeasured) {
            bail!("--benchmarks: unknown benchmark \"{name}\": {} verify lists them all", program());
        }
    }
    if prepared.benchmarks.is_empty() {
        bail!("the subject has no benchmarks");
    }
    Ok(())
}

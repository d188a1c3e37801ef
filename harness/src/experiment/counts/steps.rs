//! One call of every benchmark of a suite, counted arm by arm: by single steps, or by the processor's counter.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::build::Artifact;
use crate::counter::{CountError, hardware_works};
use crate::experiment::artifacts;
use crate::experiment::context::{Context, Locked};
use crate::experiment::counts::{Counted, kept};
use crate::experiment::options::PlanOptions;
use crate::experiment::surroundings::timestamp;
use crate::load::pin_to;
use crate::machine::{c_library, cores};
use crate::measure::{
    ArmProgram, CallCount, Countable, Counting, FailureReason, Limits, Means, RunFailure, count_calls,
    countable,
};
use crate::plan::{Built, Plan, Role};
use crate::process::RunError;
use crate::record::call_counts::{COUNTS_SCHEMA, CodeOrigin, CountedArm, CountedCall, CountsFile};

/// The counts of one arm.
type Counts = Vec<Result<CallCount, FailureReason>>;

/// What is counted, and how far a count may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOptions {
    /// The suite, its arms and benchmarks.
    pub plan: PlanOptions,
    /// What counts.
    pub means: Means,
    /// In how many processes each call is counted; counts that differ are reported.
    pub processes: u32,
    /// The most instructions of a call.
    pub limit: u64,
    /// The longest that one call may take.
    pub patience: Duration,
    /// Where records go; `None` is `results` of the workspace.
    pub out: Option<PathBuf>,
    /// The command as a person would type it again, for the record.
    pub command: String,
}

/// Builds the arms, counts one call of every benchmark in each, and writes the record.
///
/// # Errors
/// The plan has a fault, its baseline cannot be built, the counter does not work here, or the record cannot be written.
pub fn steps(context: &Context, options: &StepOptions) -> anyhow::Result<Counted> {
    if options.means == Means::Hardware
        && let Err(why) = hardware_works()
    {
        bail!("--counter hardware: {why}; without the option, single steps count");
    }
    let counts = count(&context.lock()?, options)?;
    kept(context, options.out.as_deref(), counts)
}

fn count(context: &Locked<'_>, options: &StepOptions) -> anyhow::Result<CountsFile> {
    let (start, started) = (Instant::now(), timestamp());
    let (suite, plan) = options.plan.plan(context)?;
    if plan.traits().built == Built::EveryTurn {
        bail!("suite {} measures builds: there is no call whose instructions could be counted", plan.suite);
    }
    let artifacts = artifacts::build(context, &plan)?;
    let mut failures = artifacts.failures.clone();
    let wanted = options.plan.wanted(&suite.benchmarks);
    let mut benchmarks = benchmarks(context, &plan, &artifacts.arms, &wanted, &mut failures)?;
    benchmarks.retain(|benchmark| options.plan.passes(&benchmark.name));
    let counting = Counting {
        means: options.means,
        limits: Limits { instructions: options.limit, patience: options.patience },
        processes: options.processes,
    };
    let counted = count_arms(context, &plan, &artifacts.arms, &benchmarks, counting)?;
    let mut calls = Vec::new();
    for (arm, counts) in counted {
        for (benchmark, count) in benchmarks.iter().zip(counts) {
            let (name, arm) = (benchmark.name.clone(), arm.to_owned());
            match count {
                Ok(CallCount { instructions, rounds, .. }) => {
                    calls.push(CountedCall { benchmark: name, arm, instructions, rounds });
                }
                Err(reason) => {
                    failures.push(RunFailure { arm, benchmark: Some(name), launch: None, reason });
                }
            }
        }
    }
    let tested = || plan.arms.iter().zip(&artifacts.facts).filter(|(arm, _)| arm.role != Role::Control);
    let identical = tested().filter_map(|(arm, facts)| Some((arm.name.clone(), facts.identical_to.clone()?)));
    let arms = tested().map(|(arm, facts)| CountedArm {
        name: arm.name.clone(),
        profile: arm.profile().to_owned(),
        flags: facts.flags.clone(),
    });
    failures
        .retain(|failure| plan.arms.iter().all(|arm| arm.role != Role::Control || arm.name != failure.arm));
    Ok(CountsFile {
        schema: COUNTS_SCHEMA,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        seconds: start.elapsed().as_secs_f64(),
        command: options.command.clone(),
        suite: plan.suite.clone(),
        by: options.means.into(),
        machine: context.environment.class(),
        origin: CodeOrigin { features: context.environment.cpu.features.clone(), ..origin(context) },
        benchmarks: benchmarks.into_iter().map(|benchmark| benchmark.name).collect(),
        identical: identical.collect(),
        arms: arms.collect(),
        calls,
        failures,
    })
}

/// What decides which code runs, without what the CPU adds.
pub(crate) fn origin(context: &Locked<'_>) -> CodeOrigin {
    let tools = &context.environment.toolchain;
    CodeOrigin {
        rustc: format!("{} {}", tools.rustc, tools.commit),
        llvm: tools.llvm.clone(),
        libc: c_library(),
        features: Vec::new(),
        valgrind: None,
    }
}

fn program(artifact: &Artifact, context: &Locked<'_>, cpu: Option<usize>) -> ArmProgram {
    // Nothing is timed.
    ArmProgram { cpu, priority: 0, still: true, ..context.program(artifact) }
}

/// The benchmarks that the first arm which answers has, or those of them that are wanted.
fn benchmarks(
    context: &Locked<'_>,
    plan: &Plan,
    artifacts: &[Option<Artifact>],
    wanted: &[String],
    failures: &mut Vec<RunFailure>,
) -> anyhow::Result<Vec<Countable>> {
    for (arm, artifact) in plan.arms.iter().zip(artifacts) {
        let Some(artifact) = artifact else { continue };
        match countable(&program(artifact, context, None), plan.budget.patience()) {
            Ok(all) if wanted.is_empty() => return Ok(all),
            Ok(all) => {
                let known = || all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
                let find = |name: &String| all.iter().find(|one| &one.name == name).cloned();
                return wanted
                    .iter()
                    .map(|name| {
                        find(name).ok_or_else(|| {
                            anyhow::anyhow!("unknown benchmark \"{name}\"; known: {}", known())
                        })
                    })
                    .collect();
            }
            Err(reason) => {
                failures.push(RunFailure { arm: arm.name.clone(), benchmark: None, launch: None, reason });
            }
        }
    }
    Ok(Vec::new())
}

/// Counts in every arm that has an artifact, as many at once as there are cores: nothing is timed.
fn count_arms<'a>(
    context: &Locked<'_>,
    plan: &'a Plan,
    artifacts: &[Option<Artifact>],
    benchmarks: &[Countable],
    counting: Counting,
) -> anyhow::Result<Vec<(&'a str, Counts)>> {
    let work: Vec<(usize, &Artifact)> = artifacts
        .iter()
        .enumerate()
        .filter(|(arm, _)| plan.arms[*arm].role != Role::Control)
        .filter_map(|(arm, artifact)| Some((arm, artifact.as_ref()?)))
        .collect();
    let what = format!("{} benchmarks × {} arms, by {}", benchmarks.len(), work.len(), counting.means.name());
    let steps = benchmarks.len() * work.len() * counting.processes as usize;
    let stage = context.progress().stage("count", &what, steps as u64);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let cores = cores();
    let worker = |cpu: usize| {
        // Tracer and tracee on one core: they take turns anyway, and waking another core costs more.
        pin_to(cpu);
        while let Some((arm, artifact)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            stage.doing(&plan.arms[*arm].name);
            let program = program(artifact, context, Some(cpu));
            let counts = count_calls(&program, benchmarks, counting, &mut || {
                stage.step();
                !context.stopped()
            });
            if let Ok(mut done) = done.lock() {
                done.insert(*arm, counts);
            }
        }
    };
    thread::scope(|scope| {
        for &cpu in cores.iter().take(work.len()) {
            scope.spawn(move || worker(cpu));
        }
    });
    stage.end();
    if context.stopped() {
        return Err(anyhow::Error::new(RunError::Stopped).context("stopped while counting; nothing was kept"));
    }
    let done = done.into_inner().unwrap_or_default();
    let named =
        |(arm, counts): (usize, Result<Counts, CountError>)| Ok((plan.arms[arm].name.as_str(), counts?));
    done.into_iter().map(named).collect()
}

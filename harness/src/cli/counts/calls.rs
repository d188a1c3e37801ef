//! Counting one call of every benchmark of a suite, arm by arm.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::bail;

use crate::build::Artifact;
use crate::cli::args::{CounterChoice, CountsArgs, RunArgs};
use crate::cli::artifacts;
use crate::cli::context::{Context, cores};
use crate::cli::progress::Stage;
use crate::counter::{CountError, hardware_works};
use crate::load::pin_to;
use crate::machine::c_library;
use crate::measure::{
    ArmProgram, CallCount, Countable, Counting, FailureReason, Limits, Means, RunFailure, count_calls,
    countable,
};
use crate::plan::{Built, Plan, Role};
use crate::process::RunError;
use crate::record::call_counts::{COUNTS_SCHEMA, CodeOrigin, CountedArm, CountedCall, CountsFile};

/// The counts of one arm.
type Counts = Vec<Result<CallCount, FailureReason>>;

/// Builds the arms and counts.
pub(crate) fn count(context: &Context, args: &CountsArgs) -> anyhow::Result<CountsFile> {
    let (start, started) = (Instant::now(), jiff::Timestamp::now());
    let means = means(args.counter)?;
    let (suite, plan) = context.plan(&as_run(args))?;
    if plan.traits().built == Built::EveryTurn {
        bail!("suite {} measures builds: there is no call whose instructions could be counted", plan.suite);
    }
    let artifacts = artifacts::build(context, &plan)?;
    let mut failures = artifacts.failures.clone();
    let wanted = if args.benchmarks.is_empty() { suite.benchmarks } else { args.benchmarks.clone() };
    let benchmarks = benchmarks(context, &plan, &artifacts.arms, &wanted, &mut failures)?;
    let counting = Counting {
        means,
        limits: Limits { instructions: args.limit, patience: args.patience },
        processes: args.processes,
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
        started: started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seconds: start.elapsed().as_secs_f64(),
        command: command(args),
        suite: plan.suite.clone(),
        by: means.into(),
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
pub(crate) fn origin(context: &Context) -> CodeOrigin {
    let tools = &context.environment.toolchain;
    CodeOrigin {
        rustc: format!("{} {}", tools.rustc, tools.commit),
        llvm: tools.llvm.clone(),
        libc: c_library(),
        features: Vec::new(),
        valgrind: None,
    }
}

fn means(choice: CounterChoice) -> anyhow::Result<Means> {
    match choice {
        CounterChoice::Step => Ok(Means::SingleStep),
        CounterChoice::Hardware => match hardware_works() {
            Ok(()) => Ok(Means::Hardware),
            Err(why) => bail!("--counter hardware: {why}; without the option, single steps count"),
        },
    }
}

fn as_run(args: &CountsArgs) -> RunArgs {
    RunArgs {
        suite: args.suite.clone(),
        flagsets: args.flagsets.clone(),
        profile: args.profile.clone(),
        ..RunArgs::default()
    }
}

fn command(args: &CountsArgs) -> String {
    let mut words = vec!["cargo lab counts".to_owned()];
    words.extend(args.suite.as_ref().map(|suite| format!("--suite {}", suite.display())));
    for (option, values) in [("--flagsets", &args.flagsets), ("--benchmarks", &args.benchmarks)] {
        words.extend((!values.is_empty()).then(|| format!("{option} {}", values.join(","))));
    }
    words.extend(args.profile.as_ref().map(|profile| format!("--profile {profile}")));
    words.extend((args.counter == CounterChoice::Hardware).then(|| "--counter hardware".to_owned()));
    words.join(" ")
}

fn program(artifact: &Artifact, context: &Context, cpu: Option<usize>) -> ArmProgram {
    ArmProgram {
        path: artifact.path.clone(),
        starter: context.builder.supervisor.clone(),
        cpu,
        // Nothing is timed.
        priority: 0,
        pad: 0,
        still: true,
    }
}

/// The benchmarks that the first arm which answers has, or those of them that are wanted.
fn benchmarks(
    context: &Context,
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
    context: &Context,
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
    let stage = Stage::start("count", what, steps as u64);
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

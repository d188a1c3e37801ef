//! Measuring a plan into a record: first processes, then launches on fresh layouts.

use std::fs;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context as _, bail};

use crate::build::{Artifact, BuildError, Bundle, Host};
use crate::experiment::context::Locked;
use crate::experiment::progress::Stage;
use crate::experiment::store::Store;
use crate::measure::{
    ArmProgram, Clocks, FailureReason, Launch, Launcher, Outcome, Prepared, RunFailure, layout_seed, list,
    prepare,
};
use crate::plan::{Budget, Plan};
use crate::record::State;

/// Launches that are linked ahead at once: linking and measuring never run at the same time.
const LINKED_AHEAD: u32 = 8;

/// Starts every arm once, checks every answer, and sizes the slices.
pub(crate) fn first_processes(
    context: &Locked<'_>,
    plan: &Plan,
    artifacts: &[Option<Artifact>],
    wanted: &[String],
) -> anyhow::Result<Prepared> {
    let names: Vec<String> = plan.arms.iter().map(|arm| arm.name.clone()).collect();
    let programs: Vec<_> = artifacts
        .iter()
        .map(|artifact| artifact.as_ref().map(|artifact| context.program(artifact)))
        .collect();
    let what = "the answer of every benchmark in every arm";
    let stage = context.progress().stage("check", what, names.len() as u64);
    let prepared = prepare(&names, &programs, wanted, &|name| plan.row(name), &plan.budget, &mut |arm| {
        stage.doing(&names[arm]);
        stage.step();
    });
    stage.end();
    let baseline =
        prepared.failures.iter().find(|failure| failure.arm == names[0] && failure.benchmark.is_none());
    if let Some(failure) = baseline {
        bail!("the baseline cannot be measured: {}", crate::report::sentence(&failure.reason));
    }
    Ok(prepared)
}

/// The names of the benchmarks that an executable has.
pub(crate) fn listing(
    context: &Locked<'_>,
    artifact: &Artifact,
    budget: &Budget,
) -> Result<Vec<String>, FailureReason> {
    list(&context.program(artifact), budget)
}

/// Where the layouts of one experiment lie, removed with everything in it at the end.
struct Layouts<'a> {
    folder: tempfile::TempDir,
    artifacts: &'a [Option<Artifact>],
}

impl<'a> Layouts<'a> {
    fn new(context: &Locked<'_>, artifacts: &'a [Option<Artifact>]) -> anyhow::Result<Self> {
        Ok(Self { folder: context.scratch()?, artifacts })
    }

    fn bundle(&self, arm: usize) -> Option<&'a Bundle> {
        self.artifacts[arm].as_ref()?.bundle.as_ref()
    }

    fn host(&self, arm: usize) -> Option<&'a Host> {
        self.artifacts[arm].as_ref()?.host.as_ref()
    }

    fn file(&self, launch: u32, arm: usize) -> PathBuf {
        self.folder.path().join(format!("{launch}-{arm}"))
    }

    /// The library of a launch, where its executable only starts an interpreter.
    fn library(&self, launch: u32, arm: usize) -> PathBuf {
        self.folder.path().join(format!("{launch}-{arm}.so"))
    }

    /// Links one layout, with an executable that starts it.
    fn link_one(&self, seed: u64, launch: u32, arm: usize, bundle: &Bundle) -> Result<(), BuildError> {
        let (seed, file) = (layout_seed(seed, launch, arm), self.file(launch, arm));
        let Some(host) = self.host(arm) else {
            return bundle.link(seed, &file);
        };
        let library = self.library(launch, arm);
        bundle.link(seed, &library)?;
        host.write_starter(Some(&library), &file)
    }

    /// Links the layouts of these launches, on every core.
    fn link(&self, seed: u64, launches: std::ops::Range<u32>) -> anyhow::Result<()> {
        let work: Vec<(u32, usize, &Bundle)> = launches
            .flat_map(|launch| {
                let arms = 0..self.artifacts.len();
                arms.filter_map(move |arm| self.bundle(arm).map(|bundle| (launch, arm, bundle)))
            })
            .collect();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let results: Vec<anyhow::Result<()>> = thread::scope(|scope| {
            let part = work.len().div_ceil(cores).max(1);
            let link = |part: &[(u32, usize, &Bundle)]| -> anyhow::Result<()> {
                for &(launch, arm, bundle) in part {
                    self.link_one(seed, launch, arm, bundle)?;
                }
                Ok(())
            };
            let threads: Vec<_> = work.chunks(part).map(|part| scope.spawn(move || link(part))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        results.into_iter().collect::<anyhow::Result<()>>().context("cannot link a layout")
    }

    /// What an arm runs in a launch: its layout, or the artifact itself where layouts cannot be made.
    fn path(&self, launch: u32, arm: usize) -> Option<PathBuf> {
        if self.bundle(arm).is_some() {
            return Some(self.file(launch, arm));
        }
        self.artifacts[arm].as_ref().map(|artifact| artifact.path.clone())
    }

    fn remove(&self, launch: u32) {
        for arm in 0..self.artifacts.len() {
            // What is left goes with the directory.
            fs::remove_file(self.file(launch, arm)).ok();
            fs::remove_file(self.library(launch, arm)).ok();
        }
    }
}

/// What measuring hands over as soon as it has it.
pub(crate) enum Event {
    /// A launch is finished.
    Launch(Launch),
    /// An arm, or one benchmark of it, has failed and is left out from here on.
    Failure(RunFailure),
}

/// Measures what is left of the plan into the record.
pub(crate) fn measure(
    context: &Locked<'_>,
    store: &mut Store,
    artifacts: &[Option<Artifact>],
    prepared: &mut Prepared,
) -> anyhow::Result<()> {
    let plan = store.file.plan.clone();
    let finished = u32::try_from(store.file.launches.len()).unwrap_or(u32::MAX);
    let arms = artifacts.iter().filter(|artifact| artifact.is_some()).count();
    let what = format!("{} benchmarks × {arms} arms", plan.benchmarks.len());
    let left = u64::from(plan.budget.launches.saturating_sub(finished)) * plan.benchmarks.len() as u64;
    let stage = context.progress().stage("measure", &what, left);
    let outcome =
        launches(context, &plan, artifacts, prepared, finished, &*stage, &mut |event| match event {
            Event::Launch(launch) => store.add(&launch),
            Event::Failure(failure) => {
                store.file.failures.push(failure);
                store.save()
            }
        });
    // What failed stays left out when the record is resumed.
    store.file.paces.clone_from(&prepared.paces);
    // Without a baseline there is nothing to launch, and the failures are the record.
    let whole = artifacts[0].is_none() || store.file.launches.len() == plan.budget.launches as usize;
    store.file.state = if whole { State::Finished } else { State::Stopped };
    store.save()?;
    stage.end();
    outcome.with_context(|| format!("finished launches are kept in {}", store.folder.display()))
}

/// Runs the launches of a plan from number `first` on, each on layouts linked for it alone.
pub(crate) fn launches(
    context: &Locked<'_>,
    plan: &Plan,
    artifacts: &[Option<Artifact>],
    prepared: &mut Prepared,
    first: u32,
    stage: &dyn Stage,
    sink: &mut dyn FnMut(Event) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let layouts = Layouts::new(context, artifacts)?;
    let mut running: Vec<bool> = artifacts.iter().map(Option::is_some).collect();
    let (mut launch, mut linked) = (first, first);
    while artifacts[0].is_some() && launch < plan.budget.launches && !context.stopped() {
        if launch == linked {
            linked = plan.budget.launches.min(launch + LINKED_AHEAD);
            layouts.link(plan.seed, launch..linked)?;
        }
        let programs: Vec<Option<ArmProgram>> = (0..running.len())
            .map(|arm| {
                // What has no benchmark left is not started: it would only disturb the others.
                let takes_part = running[arm] && prepared.paces[arm].iter().any(Option::is_some);
                let artifact = artifacts[arm].as_ref().filter(|_| takes_part)?;
                Some(ArmProgram { path: layouts.path(launch, arm)?, ..context.program(artifact) })
            })
            .collect();
        let seeds: Vec<Option<u64>> = (0..running.len())
            .map(|arm| layouts.bundle(arm).map(|_| layout_seed(plan.seed, launch, arm)))
            .collect();
        let launcher = Launcher { plan, prepared };
        let before = Clocks::now();
        let outcome = launcher.launch(launch, &programs, &seeds, &|| context.stopped(), &mut || stage.step());
        if let Some(slept) = before.slept_until(Clocks::now()) {
            stage.say(&format!("the machine slept for {} s: launch {launch} is repeated", slept.as_secs()));
            continue;
        }
        match outcome {
            Outcome::Finished(mut done) => {
                if !plan.traits().owns_memory {
                    done.arms.iter_mut().for_each(|arm| arm.peak_rss = None);
                }
                sink(Event::Launch(done))?;
                layouts.remove(launch);
                launch += 1;
            }
            Outcome::Failed { arm, benchmark, failure } => {
                stage.say(&format!("{}: {}", failure.arm, crate::report::sentence(&failure.reason)));
                drop_failed(&mut running, prepared, arm, benchmark);
                sink(Event::Failure(failure))?;
                if arm == 0 && benchmark.is_none() {
                    bail!("the baseline failed");
                }
            }
            Outcome::Stopped => {}
        }
    }
    Ok(())
}

/// Leaves out what failed: the benchmark of that arm, or the whole arm. Without the baseline a benchmark has
/// nothing to be compared with.
fn drop_failed(running: &mut [bool], prepared: &mut Prepared, arm: usize, benchmark: Option<usize>) {
    match benchmark {
        Some(benchmark) if arm == 0 => prepared.paces.iter_mut().for_each(|paces| paces[benchmark] = None),
        Some(benchmark) => prepared.paces[arm][benchmark] = None,
        None => running[arm] = false,
    }
}

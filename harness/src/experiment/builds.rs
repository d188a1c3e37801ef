//! Measuring builds: every launch builds every arm from nothing, in random order.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::build::Artifact;
use crate::experiment::context::Locked;
use crate::experiment::scratch;
use crate::experiment::store::Store;
use crate::measure::{BuildBench, Launch, LaunchArm, RunFailure, Turn, order};
use crate::plan::{Plan, Workload};
use crate::process::{Invocation, Limits, run};
use crate::record::State;
use crate::report::sentence;

/// Measures what is left of a plan of builds into its record.
pub(crate) fn measure_builds(
    context: &Locked<'_>,
    store: &mut Store,
    artifacts: &[Option<Artifact>],
) -> anyhow::Result<()> {
    let plan = store.file.plan.clone();
    let directories = BuildDirectories::new(context)?;
    let bench = BuildBench {
        builder: context.builder(),
        disk: directories.disk.path(),
        tmpfs: directories.tmpfs.as_ref().map_or(directories.disk.path(), |directory| directory.path()),
        edited: edited_file(context, &plan)?,
    };
    let mut arms: Vec<usize> = (0..plan.arms.len()).filter(|&arm| artifacts[arm].is_some()).collect();
    let finished = u32::try_from(store.file.launches.len()).unwrap_or(u32::MAX);
    let left = u64::from(plan.budget.launches - finished.min(plan.budget.launches)) * arms.len() as u64;
    let stage = context.progress().stage("measure", &format!("{} builds a launch", 2 * arms.len()), left);
    for launch in finished..plan.budget.launches {
        let mut turns = Vec::new();
        for (position, arm) in (0..).zip(order(plan.seed, launch, 0, 0, &arms)) {
            stage.doing(&plan.arms[arm].name);
            let Workload::Build(build) = &plan.arms[arm].workload else { continue };
            if build.settings.tmpfs && directories.tmpfs.is_none() {
                bail!(
                    "arm {} wants a tmpfs, and /dev/shm is none: take it out of the suite",
                    plan.arms[arm].name
                );
            }
            let flagset = context.flagset(&build.variant.flagset)?;
            let slices = bench.measure(build, flagset, &plan.benchmarks, &|| context.stopped());
            if context.stopped() {
                store.file.state = State::Stopped;
                store.save()?;
                stage.end();
                return Ok(());
            }
            match slices {
                Ok(slices) => turns.extend(slices.into_iter().enumerate().map(|(benchmark, slice)| Turn {
                    benchmark,
                    block: 0,
                    position,
                    arm,
                    slices: vec![slice],
                })),
                Err(reason) => {
                    let name = plan.arms[arm].name.clone();
                    stage.say(&format!("{name}: {}", sentence(&reason)));
                    if arm == 0 {
                        bail!("the baseline cannot be built: {}", sentence(&reason));
                    }
                    let failure = RunFailure { arm: name, benchmark: None, launch: Some(launch), reason };
                    store.file.failures.push(failure);
                    store.save()?;
                    arms.retain(|&other| other != arm);
                }
            }
            stage.step();
        }
        let process =
            |&arm: &usize| LaunchArm { arm, layout: None, pad: 0, peak_rss: None, code: None, signal: None };
        turns.sort_by_key(|turn| (turn.benchmark, turn.position));
        store.add(&Launch { index: launch, arms: arms.iter().map(process).collect(), turns })?;
    }
    store.file.state = State::Finished;
    store.save()?;
    stage.end();
    Ok(())
}

struct BuildDirectories {
    disk: tempfile::TempDir,
    tmpfs: Option<tempfile::TempDir>,
}

impl BuildDirectories {
    fn new(context: &Locked<'_>) -> anyhow::Result<Self> {
        let shm = Path::new("/dev/shm");
        // TMPFS_MAGIC of linux/magic.h.
        let is_tmpfs = rustix::fs::statfs(shm).is_ok_and(|statfs| statfs.f_type == 0x0102_1994);
        Ok(Self { disk: context.scratch()?, tmpfs: is_tmpfs.then(|| scratch::directory(shm)).transpose()? })
    }
}

/// The root file of the built binary: what an edit touches.
fn edited_file(context: &Locked<'_>, plan: &Plan) -> anyhow::Result<PathBuf> {
    let bin = plan.baseline().workload.variant().map_or("", |variant| &variant.bin);
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let invocation = Invocation::new("cargo", args).in_folder(&context.root);
    let limits = Limits { timeout: std::time::Duration::from_secs(60), output: 16 << 20 };
    let output = run(&invocation, limits, &|| context.stopped())?;
    let metadata: serde_json::Value = serde_json::from_str(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let mut found = targets.filter(|target| target["name"] == bin && target["kind"][0] == "bin");
    let path = found.next().and_then(|target| target["src_path"].as_str()).map(PathBuf::from);
    path.with_context(|| format!("cargo metadata names no binary {bin}"))
}

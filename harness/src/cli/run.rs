//! `run` and the stages one by one: plan, build, measure, analyse.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::build::Artifact;
use crate::cli::args::{Format, RecordArgs, RunArgs, Shared};
use crate::cli::artifacts::{self, Artifacts};
use crate::cli::context::{Context, style};
use crate::cli::store::Store;
use crate::cli::{Exit, gate, output, progress::Stage, scratch, session, store};
use crate::measure::{BuildBench, Launch, LaunchArm, Prepared, RunFailure, Turn, build_benchmarks, order};
use crate::plan::{Benchmark, Built, Plan, SCHEMA_VERSION, Workload};
use crate::record::{RunFile, State};

/// Everything: build, measure, verdict, charts, record.
pub(crate) fn run(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let context = Context::open()?;
    let store = measured(&context, args)?;
    output::write_report(&context.root, &store.folder)?;
    let exit = output::print_record(shared, &context.root, &store.folder, &args.export)?;
    Ok(if store.file.state == State::Stopped { Exit::Stopped } else { exit })
}

/// Build and measure into a record; the record's folder is the result.
pub(crate) fn measure(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = Context::open()?;
    let store = measured(&context, args)?;
    match shared.format {
        Format::Table => outln!("{}", store.folder.display()),
        Format::Json => {
            outln!("{}", serde_json::json!({ "record": store.folder, "state": store.file.state }))
        }
    }
    Ok(exit_of(&store.file))
}

/// Analyse and judge a record again.
pub(crate) fn analyse(shared: &Shared, args: &RecordArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let root = Context::open()?.root;
    output::print_record(shared, &root, &args.record, &args.export)
}

/// Show what a run would do.
pub(crate) fn plan(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = Context::open()?;
    let (suite, mut plan) = context.plan(args)?;
    let wanted = wanted(args, &suite.benchmarks);
    plan.benchmarks = wanted.iter().map(|name| Benchmark::named(name)).collect();
    match shared.format {
        Format::Table => out!("{}", output::plan_text(&plan)),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&plan)?),
    }
    Ok(Exit::Fine)
}

/// Build every variant and take the census.
pub(crate) fn build(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = Context::open()?;
    context.tell_foreign();
    let (_, plan) = context.plan(args)?;
    let _alone = context.alone()?;
    let artifacts = artifacts::build(&context, &plan)?;
    match shared.format {
        Format::Table => out!("{}", output::artifact_table(&context, &plan, &artifacts, &style(shared))),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&artifacts.facts)?),
    }
    let broken = artifacts.failures.iter().any(is_broken) || lacks_baseline(&plan, &artifacts.failures);
    Ok(if broken { Exit::Failed } else { Exit::Fine })
}

/// Whether a failure says that something is broken.
pub(crate) fn is_broken(failure: &RunFailure) -> bool {
    failure.is_broken()
}

/// Whether the baseline itself has nothing to be measured with, so that nothing was.
pub(crate) fn lacks_baseline(plan: &Plan, failures: &[RunFailure]) -> bool {
    let baseline = &plan.baseline().name;
    failures.iter().any(|failure| &failure.arm == baseline && failure.benchmark.is_none())
}

pub(crate) fn exit_of(file: &RunFile) -> Exit {
    if file.state == State::Stopped {
        Exit::Stopped
    } else if file.failures.iter().any(is_broken) || lacks_baseline(&file.plan, &file.failures) {
        Exit::Failed
    } else {
        Exit::Fine
    }
}

/// The benchmarks that were asked for: the options' or the suite's.
pub(crate) fn wanted(args: &RunArgs, suite: &[String]) -> Vec<String> {
    if args.benchmarks.is_empty() { suite.to_vec() } else { args.benchmarks.clone() }
}

/// Builds and measures into a record.
pub(crate) fn measured(context: &Context, args: &RunArgs) -> anyhow::Result<Store> {
    if let Some(folder) = &args.resume {
        // What cannot be read is said before waiting for another lab.
        store::read(folder)?;
    }
    context.tell_foreign();
    let _alone = context.alone()?;
    let start = Instant::now();
    let (mut store, mut prepared, artifacts) = match &args.resume {
        Some(folder) => resumed(context, folder)?,
        None => started(context, args)?,
    };
    let before = store.file.seconds;
    let outcome = match store.file.plan.traits().built {
        Built::Once => session::measure(context, &mut store, &artifacts.arms, &mut prepared),
        Built::EveryTurn => measure_builds(context, &mut store, &artifacts.arms),
        Built::Never => {
            bail!("this record compares commands: compare them anew with cargo lab cmp --commands")
        }
    };
    store.file.seconds = before + start.elapsed().as_secs_f64();
    store.save()?;
    outcome?;
    if store.file.state == State::Stopped {
        eprintln!("stopped: go on with  cargo lab run --resume {}", store.folder.display());
    }
    Ok(store)
}

fn started(context: &Context, args: &RunArgs) -> anyhow::Result<(Store, Prepared, Artifacts)> {
    let (suite, mut plan) = context.plan(args)?;
    let out = args.out.clone().unwrap_or_else(|| context.root.join("results"));
    let name = record_name(&out);
    eprintln!(
        "perflab {} · {} · {} cores · rustc {} · suite {} · record {}",
        env!("CARGO_PKG_VERSION"),
        context.environment.class(),
        context.environment.cores,
        context.environment.toolchain.rustc.split_whitespace().nth(1).unwrap_or("?"),
        plan.suite,
        out.join(&name).strip_prefix(&context.root).unwrap_or(&out.join(&name)).display()
    );
    let mut artifacts = artifacts::build(context, &plan)?;
    let mut prepared = Prepared::default();
    if plan.traits().built == Built::EveryTurn {
        plan.benchmarks = build_benchmarks();
    } else {
        let wanted = wanted(args, &suite.benchmarks);
        prepared = session::first_processes(context, &plan, &artifacts.arms, &wanted)?;
        plan.benchmarks.clone_from(&prepared.benchmarks);
        if artifacts.arms[0].is_some() {
            known_benchmarks(args, &prepared)?;
        }
        artifacts.census_of(&plan.benchmarks);
    }
    let mut failures = std::mem::take(&mut artifacts.failures);
    failures.append(&mut prepared.failures);
    for failure in failures.iter().filter(|failure| is_broken(failure)) {
        let place = failure.benchmark.as_ref().map_or(String::new(), |benchmark| format!(", {benchmark}"));
        eprintln!(" failed   {}{place}: {}", failure.arm, crate::report::sentence(&failure.reason));
    }
    let file = RunFile {
        schema: SCHEMA_VERSION,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        name,
        started: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seconds: 0.0,
        command: command(args),
        commit: gate::head(&context.root),
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

fn resumed(context: &Context, folder: &Path) -> anyhow::Result<(Store, Prepared, Artifacts)> {
    let store = Store::resume(folder)?;
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
        failures: Vec::new(),
    };
    Ok((store, prepared, artifacts))
}

/// A benchmark that no arm has is a slip of the pen, not a failed row.
fn known_benchmarks(args: &RunArgs, prepared: &Prepared) -> anyhow::Result<()> {
    let unmeasured = |at: usize| prepared.paces.iter().all(|paces| paces.get(at).is_none_or(Option::is_none));
    for name in &args.benchmarks {
        let at = prepared.benchmarks.iter().position(|benchmark| &benchmark.name == name);
        let unknown = prepared.failures.iter().any(|failure| {
            failure.benchmark.as_ref() == Some(name)
                && failure.reason == crate::measure::FailureReason::UnknownBenchmark
        });
        if unknown && at.is_none_or(unmeasured) {
            bail!("--benchmarks: unknown benchmark \"{name}\": cargo lab verify lists them all");
        }
    }
    if prepared.benchmarks.is_empty() {
        bail!("the subject has no benchmarks");
    }
    Ok(())
}

/// The command as a person would type it again.
fn command(args: &RunArgs) -> String {
    let mut words = vec!["cargo lab run".to_owned()];
    if let Some(suite) = &args.suite {
        words.push(format!("--suite {}", suite.display()));
    }
    words.push(if args.full { "--full" } else { "--quick" }.to_owned());
    for (option, values) in [("--flagsets", &args.flagsets), ("--benchmarks", &args.benchmarks)] {
        if !values.is_empty() {
            words.push(format!("{option} {}", values.join(",")));
        }
    }
    words.extend(args.profile.as_ref().map(|profile| format!("--profile {profile}")));
    words.extend(args.python.as_ref().map(|python| format!("--python {python}")));
    words.extend(args.launches.map(|launches| format!("--launches {launches}")));
    words.extend(args.seed.map(|seed| format!("--seed {seed}")));
    words.join(" ")
}

/// Date, time and host; with a letter where two runs start in one minute.
pub(crate) fn record_name(out: &Path) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
    let name = format!("{}-{host}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M"));
    let free = |name: &String| !out.join(name).exists();
    let mut lettered = ('b'..='z').map(|letter| format!("{name}{letter}"));
    if free(&name) { name } else { lettered.find(free).unwrap_or(name) }
}

/// The `build` workload: every launch builds every arm from nothing, in random order.
fn measure_builds(
    context: &Context,
    store: &mut Store,
    artifacts: &[Option<Artifact>],
) -> anyhow::Result<()> {
    let plan = store.file.plan.clone();
    let folders = BuildFolders::new(&context.builder.target)?;
    let bench = BuildBench {
        builder: &context.builder,
        disk: folders.disk.path(),
        tmpfs: folders.tmpfs.as_ref().map_or(folders.disk.path(), |folder| folder.path()),
        edited: edited_file(context, &plan)?,
    };
    let mut arms: Vec<usize> = (0..plan.arms.len()).filter(|&arm| artifacts[arm].is_some()).collect();
    let finished = u32::try_from(store.file.launches.len()).unwrap_or(u32::MAX);
    let left = u64::from(plan.budget.launches - finished.min(plan.budget.launches)) * arms.len() as u64;
    let stage = Stage::start("measure", format!("{} builds a launch", 2 * arms.len()), left);
    for launch in finished..plan.budget.launches {
        let mut turns = Vec::new();
        for (position, arm) in (0..).zip(order(plan.seed, launch, 0, 0, &arms)) {
            stage.doing(&plan.arms[arm].name);
            let Workload::Build(build) = &plan.arms[arm].workload else { continue };
            if build.settings.tmpfs && folders.tmpfs.is_none() {
                bail!(
                    "arm {} wants a tmpfs, and /dev/shm is none: take it out of the suite",
                    plan.arms[arm].name
                );
            }
            let flagset = context.flagset(&build.variant.flagset)?;
            let slices = bench.measure(build, flagset, &|| context.stopped());
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
                    stage.say(&format!("{name}: {}", crate::report::sentence(&reason)));
                    if arm == 0 {
                        bail!("the baseline cannot be built: {}", crate::report::sentence(&reason));
                    }
                    let failure = RunFailure { arm: name, benchmark: None, launch: Some(launch), reason };
                    store.file.failures.push(failure);
                    store.save()?;
                    arms.retain(|&other| other != arm);
                }
            }
            stage.step();
        }
        let process = |&arm: &usize| LaunchArm { arm, layout: None, pad: 0, peak_rss: None };
        turns.sort_by_key(|turn| (turn.benchmark, turn.position));
        store.add(&Launch { index: launch, arms: arms.iter().map(process).collect(), turns })?;
    }
    store.file.state = State::Finished;
    store.save()?;
    stage.end();
    Ok(())
}

struct BuildFolders {
    disk: tempfile::TempDir,
    tmpfs: Option<tempfile::TempDir>,
}

impl BuildFolders {
    fn new(target: &Path) -> anyhow::Result<Self> {
        let shm = Path::new("/dev/shm");
        // TMPFS_MAGIC of linux/magic.h.
        let is_tmpfs = rustix::fs::statfs(shm).is_ok_and(|statfs| statfs.f_type == 0x0102_1994);
        Ok(Self {
            disk: scratch::folder(target)?,
            tmpfs: is_tmpfs.then(|| scratch::folder(shm)).transpose()?,
        })
    }
}

/// The root file of the built binary: what an edit touches.
fn edited_file(context: &Context, plan: &Plan) -> anyhow::Result<PathBuf> {
    let bin = plan.baseline().workload.variant().map_or("", |variant| &variant.bin);
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let invocation = crate::process::Invocation::new("cargo", args).in_folder(&context.root);
    let limits = crate::process::Limits { timeout: std::time::Duration::from_secs(60), output: 16 << 20 };
    let output = crate::process::run(&invocation, limits, &|| context.stopped())?;
    let metadata: serde_json::Value = serde_json::from_str(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let mut found = targets.filter(|target| target["name"] == bin && target["kind"][0] == "bin");
    let path = found.next().and_then(|target| target["src_path"].as_str()).map(PathBuf::from);
    path.with_context(|| format!("cargo metadata names no binary {bin}"))
}

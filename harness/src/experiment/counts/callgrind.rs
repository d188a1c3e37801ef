//! A gungraun bench under Callgrind, a flag set at a time: it has to run as many benchmarks as it declares.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::called::program;
use crate::experiment::context::{Context, Locked};
use crate::experiment::counts::steps::origin;
use crate::experiment::counts::summaries::{Found, SUMMARY, common_path, files_named, on_path, read};
use crate::experiment::counts::{Counted, kept};
use crate::experiment::surroundings::timestamp;
use crate::machine::features::Features;
use crate::machine::rustc_cfg;
use crate::measure::{FailureReason, RunFailure};
use crate::plan::FlagSet;
use crate::process::{Invocation, Limits, Output, run};
use crate::record::call_counts::{COUNTS_SCHEMA, CodeOrigin, CountedArm, CountedBy, CountedCall, CountsFile};
use crate::record::counts::CountTool;

/// The levels that Valgrind can run.
const LEVELS: [&str; 3] = ["x86-64", "x86-64-v2", "x86-64-v3"];
/// What gungraun exits with when it found a regression of its own.
const REGRESSION: i32 = 3;
/// The longest that building and running a bench may take.
const LONGEST: Duration = Duration::from_secs(3600);

/// Which bench is counted, and under which flag sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallgrindOptions {
    /// The package of the gungraun bench.
    pub package: String,
    /// The bench.
    pub bench: String,
    /// The flag sets, by name; empty is every level that Valgrind can run.
    pub flagsets: Vec<String>,
    /// Where records go; `None` is `results` of the workspace.
    pub out: Option<PathBuf>,
}

/// What came of counting under Callgrind.
pub enum UnderCallgrind {
    /// Everything was counted.
    Counted(Box<Counted>),
    /// gungraun itself found a regression; its last words. There is no record.
    Regressed(String),
}

/// Runs the bench under each flag set, and writes the record.
///
/// # Errors
/// Valgrind or gungraun-runner is missing or does not fit, the bench fails, or the record cannot be written.
pub fn callgrind(context: &Context, options: &CallgrindOptions) -> anyhow::Result<UnderCallgrind> {
    let versions = versions(context)?;
    let counted = count(&context.lock()?, options, versions)?;
    Ok(match counted {
        Ok(counts) => UnderCallgrind::Counted(Box::new(kept(context, options.out.as_deref(), counts)?)),
        Err(words) => UnderCallgrind::Regressed(words),
    })
}

/// The counts; else the last words of a gungraun that found a regression.
fn count(
    context: &Locked<'_>,
    options: &CallgrindOptions,
    versions: String,
) -> anyhow::Result<Result<CountsFile, String>> {
    let (start, started) = (Instant::now(), timestamp());
    let CallgrindOptions { package, bench: name_of_bench, .. } = options;
    let asked: Vec<String> =
        if options.flagsets.is_empty() { LEVELS.map(str::to_owned).into() } else { options.flagsets.clone() };
    let mut file = CountsFile {
        schema: COUNTS_SCHEMA,
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        seconds: 0.0,
        command: format!("{} counts callgrind --flagsets {}", program(), asked.join(",")),
        suite: options.bench.clone(),
        by: CountedBy::Callgrind,
        machine: context.environment.class(),
        origin: CodeOrigin { valgrind: Some(versions), ..origin(context) },
        benchmarks: Vec::new(),
        arms: Vec::new(),
        identical: std::collections::BTreeMap::new(),
        calls: Vec::new(),
        failures: Vec::new(),
    };
    let what = format!("{name_of_bench} of {package} under {} flag sets", asked.len());
    let stage = context.progress().stage("count", &what, asked.len() as u64);
    for name in &asked {
        stage.doing(name);
        let flagset = context.flagset(name)?;
        file.arms.push(CountedArm {
            name: name.clone(),
            profile: "bench".to_owned(),
            flags: flagset.flags.clone(),
        });
        match cannot_run(&context.root, flagset)? {
            Some(reason) => {
                file.failures.push(RunFailure { arm: name.clone(), benchmark: None, launch: None, reason });
            }
            None => match bench(context, options, flagset)? {
                Ok(calls) => add(&mut file, calls),
                Err(words) => return Ok(Err(words)),
            },
        }
        stage.step();
    }
    stage.end();
    file.seconds = start.elapsed().as_secs_f64();
    Ok(Ok(file))
}

fn add(file: &mut CountsFile, calls: Vec<CountedCall>) {
    for call in &calls {
        if !file.benchmarks.contains(&call.benchmark) {
            file.benchmarks.push(call.benchmark.clone());
        }
    }
    file.calls.extend(calls);
}

/// Why Valgrind or this CPU cannot run what a flag set makes.
fn cannot_run(root: &Path, flagset: &FlagSet) -> anyhow::Result<Option<FailureReason>> {
    let enabled = Features::from_rustc_cfg(&rustc_cfg(root, &flagset.flags)?);
    if enabled.iter().any(|feature| feature.name().starts_with("avx512")) {
        return Ok(Some(FailureReason::MissingTool {
            what: "no release of Valgrind runs AVX-512".to_owned(),
            remedy: format!("count by single steps ({} counts steps --suite FILE)", program()),
        }));
    }
    let host = Features::host();
    let missing: Vec<String> =
        enabled.iter().filter(|feature| !host.contains(feature.name())).map(ToString::to_string).collect();
    Ok((!missing.is_empty()).then_some(FailureReason::MissingFeatures { features: missing }))
}

/// Checks that everything is there and fits together; the versions for the record.
fn versions(context: &Context) -> anyhow::Result<String> {
    if !on_path("valgrind") {
        bail!(
            "Valgrind is missing: `apt-get install valgrind`; without it, count by single steps ({} counts steps)",
            program()
        );
    }
    let lock = std::fs::read_to_string(context.root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let Some(library) = locked(&lock, "gungraun") else {
        bail!("Cargo.lock names no gungraun: the workspace has no such bench");
    };
    let install = format!("`cargo install --locked gungraun-runner --version {library}`");
    if !on_path("gungraun-runner") {
        bail!("gungraun-runner is missing: {install}");
    }
    let runner = said(context, "gungraun-runner")?;
    if runner.rsplit(' ').next() != Some(library) {
        bail!("{runner} cannot run benches of gungraun {library}, whose version it must have: {install}");
    }
    said(context, "valgrind")
}

/// What a program says of its version.
fn said(context: &Context, program: &str) -> anyhow::Result<String> {
    let limits = Limits { timeout: Duration::from_secs(60), output: 64 << 10 };
    let output = run(&Invocation::new(program, ["--version"]), limits, &|| context.stopped())?;
    Ok(output.stdout.lines().next().unwrap_or_default().trim().to_owned())
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, after) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    after.split('"').next()
}

/// Builds the bench, asks what it declares, runs it, and reads what it counted; else the last words of a gungraun that
/// found a regression.
fn bench(
    context: &Locked<'_>,
    options: &CallgrindOptions,
    flagset: &FlagSet,
) -> anyhow::Result<Result<Vec<CountedCall>, String>> {
    let CallgrindOptions { package, bench, .. } = options;
    let home = context.target().join("gungraun").join(&flagset.name);
    let run_with = |more: &[&str]| -> anyhow::Result<Output> {
        let mut invocation = context.builder().bench(package, bench, flagset, more);
        invocation.set.push(("GUNGRAUN_HOME".into(), home.clone().into()));
        let limits = Limits { timeout: LONGEST, output: 8 << 20 };
        Ok(run(&invocation, limits, &|| context.stopped())?)
    };
    let listed = run_with(&["--list"])?;
    if !listed.success() {
        bail!("{bench} of {package} under {}: {}", flagset.name, last_words(&listed));
    }
    let declared = declared(&listed.stdout);
    // Summaries of another day would look as if they had been counted now.
    remove(&home)?;
    let output = run_with(&["--save-summary=json"])?;
    if output.code == Some(REGRESSION) {
        return Ok(Err(last_words(&output)));
    }
    if !output.success() {
        bail!("{bench} of {package} under {}: {}", flagset.name, last_words(&output));
    }
    let calls = calls(&home, &flagset.name)?;
    complete(&declared, &calls, &flagset.name)?;
    Ok(Ok(calls))
}

/// The benchmarks of a `--list`.
fn declared(listed: &str) -> Vec<String> {
    listed.lines().filter_map(|line| line.trim().strip_suffix(": benchmark")).map(str::to_owned).collect()
}

/// A filter that is wrong, in the environment or a config file, runs nothing and exits with 0.
fn complete(declared: &[String], calls: &[CountedCall], arm: &str) -> anyhow::Result<()> {
    if declared.is_empty() {
        bail!("the bench declares no benchmark");
    }
    if calls.len() != declared.len() {
        bail!(
            "{} of {} declared benchmarks ran under {arm}: does a filter leave some out (GUNGRAUN_FILTER)?",
            calls.len(),
            declared.len()
        );
    }
    Ok(())
}

fn calls(home: &Path, arm: &str) -> anyhow::Result<Vec<CountedCall>> {
    let files = if home.is_dir() { files_named(&[home.to_owned()], SUMMARY)? } else { Vec::<PathBuf>::new() };
    let found = read(&files)?;
    let prefix = common_path(&found);
    let callgrind = found.iter().filter(|one| one.row.tool == CountTool::Callgrind);
    let call = |one: &Found| CountedCall {
        benchmark: one.row.benchmark.strip_prefix(&prefix).unwrap_or(&one.row.benchmark).to_owned(),
        arm: arm.to_owned(),
        instructions: vec![one.row.instructions.new],
        rounds: 0,
    };
    Ok(callgrind.map(call).collect())
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The end of what a program said, on one line.
fn last_words(output: &Output) -> String {
    let all = format!("{}\n{}", output.stdout, output.stderr);
    let mut lines: Vec<&str> =
        all.lines().map(str::trim).filter(|line| !line.is_empty()).rev().take(6).collect();
    lines.reverse();
    lines.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_held_against_what_ran() {
        let listed = "counts::kernels::kernel::dot: benchmark\ncounts::kernels::kernel::sort: benchmark\n\n0 tests, 2 benchmarks\n";
        let declared = declared(listed);
        assert_eq!(declared.len(), 2);
        let call = |name: &str| CountedCall {
            benchmark: name.to_owned(),
            arm: "x".to_owned(),
            instructions: vec![1],
            rounds: 0,
        };
        assert!(complete(&declared, &[call("dot"), call("sort")], "x").is_ok());
        let error = complete(&declared, &[], "x").unwrap_err().to_string();
        assert!(error.starts_with("0 of 2 declared benchmarks ran under x"), "{error}");
        assert!(complete(&[], &[], "x").is_err(), "a bench without benchmarks has not passed");
    }

    #[test]
    fn the_locked_version_is_that_of_the_package_alone() {
        let lock = "[[package]]\nname = \"gungraun-common\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"gungraun\"\nversion = \"0.20.0\"\n";
        assert_eq!(locked(lock, "gungraun"), Some("0.20.0"));
        assert_eq!(locked(lock, "criterion"), None);
    }
}

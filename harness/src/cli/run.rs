//! `run` and the stages one by one: plan, build, measure, analyse.

use std::path::Path;

use crate::called::program;
use crate::cli::args::{Format, RecordArgs, RunArgs, Shared};
use crate::cli::context::{open, reading_root, style, word_from_here};
use crate::cli::typed::Typed;
use crate::cli::values::all_names;
use crate::cli::{Exit, gate, output};
use crate::experiment::context::Context;
use crate::experiment::judged::Judged;
use crate::experiment::options::{BudgetChoice, PlanOptions};
use crate::experiment::run::{self, RunOptions};
use crate::experiment::store::Store;

impl RunArgs {
    /// What is planned.
    pub(crate) fn plan(&self) -> PlanOptions {
        PlanOptions {
            suite: self.suite.clone(),
            budget: if self.full { BudgetChoice::Full } else { BudgetChoice::Quick },
            arms: all_names(&self.flagsets),
            benchmarks: all_names(&self.benchmarks),
            profile: self.profile.clone(),
            python: self.python.clone(),
            launches: self.launches,
            seed: self.seed,
        }
    }

    fn options(&self) -> RunOptions {
        RunOptions { plan: self.plan(), out: self.out.clone(), command: self.command() }
    }

    /// The command as a person would type it again.
    pub(crate) fn command(&self) -> String {
        Typed::of("run")
            .path("--suite", self.suite.as_ref())
            .word(if self.full { "--full" } else { "--quick" })
            .names("--flagsets", &self.flagsets)
            .names("--benchmarks", &self.benchmarks)
            .option("--profile", self.profile.as_ref())
            .option("--python", self.python.as_ref())
            .option("--launches", self.launches)
            .option("--seed", self.seed)
            .text()
    }
}

/// Everything: build, measure, verdict, charts, record.
pub(crate) fn run(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let context = open()?;
    let store = measured(&context, args)?;
    let judged = Judged::read(&context.root, &store.folder)?;
    output::print_new_record(shared, &judged, &args.export)?;
    Ok(if judged.stopped() { Exit::Stopped } else { output::exit(&judged) })
}

/// Build and measure into a record; the record's directory is the result.
pub(crate) fn measure(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = open()?;
    let store = measured(&context, args)?;
    match shared.format {
        Format::Table => outln!("{}", store.folder.display()),
        Format::Json => {
            outln!(
                "{}",
                serde_json::json!({ "record": store.folder.display().to_string(), "state": store.file.state })
            )
        }
    }
    Ok(if store.stopped() { Exit::Stopped } else { Exit::failed_if(store.failed()) })
}

fn measured(context: &Context, args: &RunArgs) -> anyhow::Result<Store> {
    let store = match &args.resume {
        Some(record) => run::resume(context, record)?,
        None => run::measure(context, &args.options())?,
    };
    if store.stopped() {
        errln!("stopped: go on with  {} run --resume {}", program(), word_from_here(&store.folder));
    }
    Ok(store)
}

/// Analyse and judge a record again.
pub(crate) fn analyse(shared: &Shared, args: &RecordArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    if let Some(exit) = gate::shown(shared, &args.record, &args.export)? {
        return Ok(exit);
    }
    let root = reading_root()?;
    show(shared, &root, &args.record, &args.export)
}

fn show(
    shared: &Shared,
    root: &Path,
    record: &Path,
    export: &crate::cli::args::ExportArgs,
) -> anyhow::Result<Exit> {
    let judged = Judged::read(root, record)?;
    output::print_record(shared, &judged, export)?;
    Ok(output::exit(&judged))
}

/// Show what a run would do.
pub(crate) fn plan(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let plan = run::plan(&open()?, &args.plan())?;
    match shared.format {
        Format::Table => out!("{}", output::plan_text(&plan)),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&plan)?),
    }
    Ok(Exit::Fine)
}

/// Build every variant and take the census.
pub(crate) fn build(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = open()?;
    let built = run::build(&context, &args.plan())?;
    match shared.format {
        Format::Table => out!("{}", output::artifact_table(&context.environment, &built, &style(shared))),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&built.artifacts.facts)?),
    }
    Ok(Exit::failed_if(built.failed()))
}

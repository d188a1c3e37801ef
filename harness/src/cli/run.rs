//! `run` and the stages one by one: plan, build, measure, analyse.

use std::path::Path;

use crate::cli::args::{Format, RecordArgs, RunArgs, Shared};
use crate::cli::context::{open, style};
use crate::cli::{Exit, output};
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
            arms: self.flagsets.clone(),
            benchmarks: self.benchmarks.clone(),
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
    fn command(&self) -> String {
        let mut words = vec!["cargo lab run".to_owned()];
        if let Some(suite) = &self.suite {
            words.push(format!("--suite {}", suite.display()));
        }
        words.push(if self.full { "--full" } else { "--quick" }.to_owned());
        for (option, values) in [("--flagsets", &self.flagsets), ("--benchmarks", &self.benchmarks)] {
            if !values.is_empty() {
                words.push(format!("{option} {}", values.join(",")));
            }
        }
        words.extend(self.profile.as_ref().map(|profile| format!("--profile {profile}")));
        words.extend(self.python.as_ref().map(|python| format!("--python {python}")));
        words.extend(self.launches.map(|launches| format!("--launches {launches}")));
        words.extend(self.seed.map(|seed| format!("--seed {seed}")));
        words.join(" ")
    }
}

/// Everything: build, measure, verdict, charts, record.
pub(crate) fn run(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let context = open()?;
    let store = measured(&context, args)?;
    let judged = Judged::read(&context.root, &store.folder)?;
    judged.write_report()?;
    output::print_record(shared, &context.root, &judged, &args.export)?;
    Ok(if judged.stopped() { Exit::Stopped } else { output::exit(&judged) })
}

/// Build and measure into a record; the record's directory is the result.
pub(crate) fn measure(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let context = open()?;
    let store = measured(&context, args)?;
    match shared.format {
        Format::Table => outln!("{}", store.folder.display()),
        Format::Json => {
            outln!("{}", serde_json::json!({ "record": store.folder, "state": store.file.state }))
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
        eprintln!("stopped: go on with  cargo lab run --resume {}", store.folder.display());
    }
    Ok(store)
}

/// Analyse and judge a record again.
pub(crate) fn analyse(shared: &Shared, args: &RecordArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let root = open()?.root;
    show(shared, &root, &args.record, &args.export)
}

fn show(
    shared: &Shared,
    root: &Path,
    record: &Path,
    export: &crate::cli::args::ExportArgs,
) -> anyhow::Result<Exit> {
    let judged = Judged::read(root, record)?;
    output::print_record(shared, root, &judged, export)?;
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

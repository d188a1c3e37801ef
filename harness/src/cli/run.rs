//! `run` and the stages one by one: plan, build, measure, analyse.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::called::program;
use crate::cli::args::{Format, RecordArgs, RunArgs, Shared};
use crate::cli::context::{open, reading_root, style, word_from_here};
use crate::cli::project::{Work, Works};
use crate::cli::typed::Typed;
use crate::cli::values::all_names;
use crate::cli::{Exit, effort, gate, output, verify};
use crate::experiment::context::Context;
use crate::experiment::judged::Judged;
use crate::experiment::options::{BudgetChoice, PlanOptions};
use crate::experiment::private::{self, Opening};
use crate::experiment::run::{self, RunOptions};
use crate::experiment::store::{self, Store};

impl RunArgs {
    /// What is planned of one experiment.
    fn plan(&self, work: &Work) -> PlanOptions {
        PlanOptions {
            suite: work.suite.clone(),
            budget: if self.full { BudgetChoice::Full } else { BudgetChoice::Quick },
            arms: all_names(&self.flagsets),
            benchmarks: all_names(&self.benchmarks),
            filters: self.project.filters.clone(),
            profile: self.profile.clone(),
            python: self.python.clone(),
            launches: self.launches,
            seed: self.seed,
        }
    }

    fn options(&self, work: &Work, budget: Option<Duration>) -> RunOptions {
        RunOptions { plan: self.plan(work), out: self.out.clone(), command: self.command_of(work), budget }
    }

    fn works(&self) -> anyhow::Result<Works> {
        Works::find(&self.project, self.suite.as_deref(), false)
    }

    /// The command of one of several bench targets.
    fn command_of(&self, work: &Work) -> String {
        Self { project: self.project.narrowed(work), ..self.clone() }.command()
    }

    /// The command as a person would type it again.
    pub(crate) fn command(&self) -> String {
        let command = Typed::of("run")
            .path("--suite", self.suite.as_ref())
            .word(if self.full { "--full" } else { "--quick" })
            .names("--flagsets", &self.flagsets)
            .names("--benchmarks", &self.benchmarks)
            .option("--profile", self.profile.as_ref())
            .option("--python", self.python.as_ref())
            .option("--launches", self.launches)
            .option("--seed", self.seed);
        let command = match self.budget {
            Some(budget) => command.time("--budget", budget),
            None => command,
        };
        self.project.typed(command).text()
    }
}

/// Everything: build, measure, verdict, charts, record.
pub(crate) fn run(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    if args.plan_only {
        return plan(shared, args);
    }
    let begun = Instant::now();
    if let Some(record) = &args.resume {
        let context = again(record)?;
        let store = resumed(&context, record)?;
        return shown_new(shared, args, &context, &store);
    }
    args.works()?.each(&mut |work| {
        let store = measured(work, args, begun)?;
        shown_new(shared, args, &work.context, &store)
    })
}

fn shown_new(shared: &Shared, args: &RunArgs, context: &Context, store: &Store) -> anyhow::Result<Exit> {
    let judged = Judged::read(&context.root, &store.folder)?;
    output::print_new_record(shared, &judged, &args.export)?;
    Ok(if judged.stopped() { Exit::Stopped } else { output::exit(&judged) })
}

/// Where a record is gone on with: in a copy of the project, where it was made in one.
fn again(record: &Path) -> anyhow::Result<Context> {
    let context = open()?;
    let plan = store::read(record)?.0.plan;
    match plan.baseline().workload.variant().and_then(|variant| variant.bench) {
        Some(way) => {
            private::opened(&context.root, Opening { way, for_gate: false }, context.watcher().clone())
        }
        None => Ok(context),
    }
}

/// Build and measure into a record; the record's directory is the result.
pub(crate) fn measure(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    if let Some(record) = &args.resume {
        return named(shared, &resumed(&again(record)?, record)?);
    }
    args.works()?.each(&mut |work| named(shared, &measured(work, args, begun)?))
}

fn named(shared: &Shared, store: &Store) -> anyhow::Result<Exit> {
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

/// Measures one experiment. What others before it left of the budget is its own.
fn measured(work: &Work, args: &RunArgs, begun: Instant) -> anyhow::Result<Store> {
    let left = args.budget.map(|budget| budget.saturating_sub(begun.elapsed()) / work.to_come);
    told(run::measure(&work.context, &args.options(work, left))?)
}

fn resumed(context: &Context, record: &Path) -> anyhow::Result<Store> {
    told(run::resume(context, record)?)
}

fn told(store: Store) -> anyhow::Result<Store> {
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
    args.works()?.each(&mut |work| {
        let plan = run::plan(&work.context, &args.plan(work))?;
        match shared.format {
            Format::Table => {
                out!("{}", output::plan_text(&plan));
                out!("{}", effort::text(&work.context, &plan, work.target.as_ref(), args.budget)?);
            }
            Format::Json => outln!("{}", serde_json::to_string_pretty(&plan)?),
        }
        Ok(Exit::Fine)
    })
}

/// Build every variant and take the census.
pub(crate) fn build(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    args.works()?.each(&mut |work| {
        let built = run::build(&work.context, &args.plan(work))?;
        let environment = &work.context.environment;
        match shared.format {
            Format::Table => out!("{}", output::artifact_table(environment, &built, &style(shared))),
            Format::Json => outln!("{}", serde_json::to_string_pretty(&built.artifacts.facts)?),
        }
        Ok(Exit::failed_if(built.failed()))
    })
}

/// One call of every benchmark in every arm that runs here.
pub(crate) fn verify(shared: &Shared, args: &RunArgs) -> anyhow::Result<Exit> {
    args.works()?.each(&mut |work| {
        let verified = run::verify(&work.context, &args.plan(work))?;
        verify::show(shared, &verified)?;
        Ok(Exit::failed_if(verified.failed()))
    })
}

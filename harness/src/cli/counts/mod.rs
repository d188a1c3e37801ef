//! `counts`: instructions of one call, counted here or read from what gungraun and iai-callgrind saved.

mod args;

use std::path::Path;

use anyhow::Context as _;

pub(crate) use args::CountsArgs;

use crate::called::typed;
use crate::cli::Exit;
use crate::cli::args::{Format, Shared};
use crate::cli::context::{current, from_here, open, reading_root, style};
use crate::cli::counts::args::{
    AcceptingArgs, CallgrindArgs, CounterChoice, CountsVerb, RecordOfCountsArgs, StepsArgs, StepsVerb,
    SummariesArgs,
};
use crate::cli::project::{ProjectArgs, Work, Works};
use crate::cli::typed::Typed;
use crate::cli::values::{all_names, renamed};
use crate::experiment::context::Context;
use crate::experiment::counts::accepted::{self, Accepted, CountsGate, Row, Verdict, lines};
use crate::experiment::counts::{
    self, CallgrindOptions, Counted, StepOptions, UnderCallgrind, summaries, table,
};
use crate::experiment::options::PlanOptions;
use crate::experiment::surroundings::{environment_or_system, workspace_root};
use crate::judge::Fold;
use crate::machine::{Difference, Environment};
use crate::measure::Means;
use crate::record::call_counts::CountsFile;

/// Counts, or shows what was counted; accepts it or holds it against what was accepted.
pub(crate) fn counts(shared: &Shared, args: CountsArgs) -> anyhow::Result<Exit> {
    let (verb, now) = match args.verb {
        Some(verb) => (verb, None),
        None => {
            let (verb, now) = args.old.verb()?;
            (verb, Some(now))
        }
    };
    let exit = match verb {
        CountsVerb::Steps(args) => steps(shared, &args),
        CountsVerb::Callgrind(args) => callgrind(shared, args),
        CountsVerb::Summaries(args) => show_summaries(shared, &args),
        CountsVerb::Record(args) => record(shared, &args),
    }?;
    if let Some(now) = now {
        renamed(&typed("counts without a verb"), &typed(now));
    }
    Ok(exit)
}

impl StepsArgs {
    fn options(&self, project: &ProjectArgs, work: &Work) -> StepOptions {
        StepOptions {
            plan: PlanOptions {
                suite: work.suite.clone(),
                filters: project.filters.clone(),
                arms: all_names(&self.flagsets),
                benchmarks: all_names(&self.benchmarks),
                profile: self.profile.clone(),
                ..PlanOptions::default()
            },
            means: match self.counting.counter {
                CounterChoice::Step => Means::SingleStep,
                CounterChoice::Hardware => Means::Hardware,
            },
            processes: self.counting.processes,
            limit: self.counting.limit,
            patience: self.counting.patience,
            out: self.out.clone(),
            command: self.command(project),
        }
    }

    /// The command as a person would type it again.
    fn command(&self, project: &ProjectArgs) -> String {
        let hardware = self.counting.counter == CounterChoice::Hardware;
        let command = Typed::of("counts steps")
            .path("--suite", self.suite.as_ref())
            .names("--flagsets", &self.flagsets)
            .names("--benchmarks", &self.benchmarks)
            .option("--profile", self.profile.as_ref())
            .option("--counter", hardware.then_some("hardware"))
            .option("--processes", Some(self.counting.processes))
            .option("--limit", Some(self.counting.limit))
            .time("--patience", self.counting.patience);
        project.typed(command).text()
    }
}

fn steps(shared: &Shared, StepsVerb { steps: args, project }: &StepsVerb) -> anyhow::Result<Exit> {
    Works::find(project, args.suite.as_deref(), false)?.each(&mut |work| {
        let counted = counts::steps(&work.context, &args.options(project, work))?;
        finish(shared, &work.context, &args.accepting, &counted)
    })
}

fn callgrind(shared: &Shared, args: CallgrindArgs) -> anyhow::Result<Exit> {
    let context = open()?;
    let CallgrindArgs { package, bench, flagsets, accepting, out } = args;
    let package = package.or_else(|| context.defaults.counts_package.clone()).context(
        "no bench is named: name its package with --package NAME, or as counts_package under [workspace.metadata.perflab] in Cargo.toml",
    )?;
    match counts::callgrind(
        &context,
        &CallgrindOptions { package, bench, flagsets: all_names(&flagsets), out },
    )? {
        UnderCallgrind::Counted(counted) => finish(shared, &context, &accepting, &counted),
        UnderCallgrind::Regressed(words) => {
            errln!("{words}");
            Ok(Exit::Failed)
        }
    }
}

fn show_summaries(shared: &Shared, args: &SummariesArgs) -> anyhow::Result<Exit> {
    let found = if args.paths.is_empty() {
        summaries::found_in_target(&workspace_root(&current()?)?)?
    } else {
        summaries::found(&args.paths)?
    };
    match shared.format {
        Format::Table => out!("{}", summaries::table(&found)),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&summaries::values(&found))?),
    }
    Ok(Exit::Fine)
}

fn record(shared: &Shared, args: &RecordOfCountsArgs) -> anyhow::Result<Exit> {
    let shown = args.record.display();
    let file = counts::record(&args.record)
        .with_context(|| format!("{shown} is not a record of counts: it has no counts.json"))?;
    let here = Here { root: &reading_root()?, environment: &environment_or_system() };
    conclude(shared, here, &args.accepting, &counts::read(&file)?)
}

fn finish(
    shared: &Shared,
    context: &Context,
    args: &AcceptingArgs,
    counted: &Counted,
) -> anyhow::Result<Exit> {
    errln!(" record   {}", from_here(&counted.directory).display());
    let here = Here { root: &context.root, environment: &context.environment };
    conclude(shared, here, args, &counted.counts)
}

/// Where counts are accepted and held against what was.
#[derive(Clone, Copy)]
struct Here<'a> {
    root: &'a Path,
    environment: &'a Environment,
}

/// Accepts counts, holds them against what was accepted, or shows them.
fn conclude(
    shared: &Shared,
    here: Here<'_>,
    args: &AcceptingArgs,
    counts: &CountsFile,
) -> anyhow::Result<Exit> {
    let Here { root, environment } = here;
    let directory = args.accepted.clone().unwrap_or_else(|| counts::directory(root));
    let file = accepted::file(&directory, counts, environment);
    if args.accept {
        return show_accepted(shared, &file, &accepted::accept(&file, counts)?);
    }
    if args.gate {
        let gate = accepted::gate(&file, counts)?;
        show_gate(shared, &gate)?;
        return Ok(match gate.fold() {
            Fold::Passes => Exit::Fine,
            Fold::Regressed | Fold::Broken => Exit::Failed,
            Fold::Inconclusive => Exit::Inconclusive,
        });
    }
    match shared.format {
        Format::Table => out!("{}", table::text(counts, style(shared).width)),
        Format::Json => outln!("{}", serde_json::to_string_pretty(counts)?),
    }
    Ok(Exit::failed_if(counts::failed(counts)))
}

fn show_accepted(shared: &Shared, file: &Path, accepted: &Accepted) -> anyhow::Result<Exit> {
    match shared.format {
        Format::Json => outln!(
            "{}",
            serde_json::json!({ "file": file.display().to_string(), "changed": accepted.changed })
        ),
        Format::Table => {
            out!("{}", lines(&accepted.changed));
            outln!(
                "{} counts in {}: review the difference and commit it",
                accepted.counts,
                from_here(file).display()
            );
        }
    }
    Ok(Exit::Fine)
}

fn show_gate(shared: &Shared, gate: &CountsGate) -> anyhow::Result<()> {
    let CountsGate { file, differences, rows } = gate;
    let shown = from_here(file);
    let shown = shown.display();
    match shared.format {
        Format::Json if !differences.is_empty() => {
            let fields: Vec<_> = differences.iter().map(|one| one.field).collect();
            outln!("{}", serde_json::json!({ "file": file.display().to_string(), "differs": fields }));
        }
        Format::Table if !differences.is_empty() => {
            let line =
                |one: &Difference| format!("  {}: accepted {}, here {}\n", one.field, one.left, one.right);
            let text: String = differences.iter().map(line).collect();
            out!("not compared with {shown}: other code may run there\n{text}");
        }
        Format::Json => {
            outln!(
                "{}",
                serde_json::to_string_pretty(
                    &serde_json::json!({ "file": file.display().to_string(), "rows": rows })
                )?
            )
        }
        Format::Table => {
            let unequal: Vec<Row> =
                rows.iter().filter(|row| row.verdict != Verdict::Equal).cloned().collect();
            out!("{}", lines(&unequal));
            let equal = rows.len() - unequal.len();
            let failing = rows.iter().filter(|row| row.verdict.fails()).count();
            outln!("{} counts: {equal} as accepted, {failing} fail  ({shown})", rows.len());
        }
    }
    Ok(())
}

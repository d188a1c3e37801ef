//! `gate`: all verdicts of a comparison folded into an exit code.

pub(crate) mod export;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::called::program;
use crate::cli::Exit;
use crate::cli::args::{AllowedRows, ExportArgs, Format, GateArgs, Shared};
use crate::cli::context::{from_here, open, reading_root, style, word_from_here};
use crate::cli::project::{Work, Works};
use crate::cli::typed::Typed;
use crate::cli::values::all_names;
use crate::experiment::gate::{self, GateOptions, Gated, view};
use crate::judge::{Allowed, Fold};

impl GateArgs {
    fn options(&self, work: Option<&Work>, budget: Duration) -> GateOptions {
        GateOptions {
            suite: work.map_or_else(|| self.suite.clone(), |work| work.suite.clone()),
            arms: all_names(&self.flagsets),
            benchmarks: all_names(&self.benchmarks),
            profile: self.profile.clone(),
            python: self.python.clone(),
            filters: self.project.filters.clone(),
            budget,
            identity: !self.no_identity,
            allow_unmatched: self.allowed(),
            seed: self.seed,
            out: self.out.clone(),
            command: work.map_or_else(|| self.command(), |work| self.command_of(work)),
        }
    }

    /// The command of one of several bench targets.
    fn command_of(&self, work: &Work) -> String {
        Self { project: self.project.narrowed(work), ..self.clone() }.command()
    }

    /// Which rows without a counterpart pass.
    fn allowed(&self) -> Allowed {
        match self.allow_unmatched {
            None => Allowed::Nothing,
            Some(AllowedRows::New) => Allowed::New,
            Some(AllowedRows::All) => Allowed::All,
        }
    }

    /// The command as a person would type it again.
    pub(crate) fn command(&self) -> String {
        let mut command = Typed::of("gate");
        if let Some(record) = &self.record {
            command = command.word(record);
        }
        command = command.option("--against", self.against.as_ref());
        command = match &self.references {
            Some(Some(directory)) => command.path("--references", Some(directory)),
            Some(None) => command.word("--references"),
            None => command,
        };
        command = command
            .path("--suite", self.suite.as_ref())
            .names("--flagsets", &self.flagsets)
            .names("--benchmarks", &self.benchmarks)
            .option("--profile", self.profile.as_ref())
            .option("--python", self.python.as_ref())
            .time("--budget", self.budget)
            .flag("--no-identity", self.no_identity)
            .flag("--allow-unmatched", self.allow_unmatched == Some(AllowedRows::All))
            .flag("--allow-unmatched=new", self.allow_unmatched == Some(AllowedRows::New))
            .option("--seed", self.seed);
        self.project.typed(command).text()
    }
}

/// Compares the work tree with a revision or with references, or judges a record.
pub(crate) fn gate(shared: &Shared, args: &GateArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let begun = Instant::now();
    let options = args.options(None, args.budget);
    let (root, gated, measured) = match (&args.against, &args.references, &args.record) {
        (Some(rev), None, None) => {
            return Works::find(&args.project, args.suite.as_deref(), true)?.each(&mut |work| {
                let left = args.budget.saturating_sub(begun.elapsed()) / work.to_come;
                let options = args.options(Some(work), left);
                let gated = gate::against(&work.context, &options, rev)?;
                told(shared, args, &work.context.root, &gated, true)
            });
        }
        (None, Some(directory), None) => {
            let context = open()?;
            let gated = gate::by_references(&context, &options, directory.as_deref())?;
            (context.root, gated, true)
        }
        (None, Some(directory), Some(record)) => {
            let context = open()?;
            let gated = gate::record_by_references(&context, &options, directory.as_deref(), record)?;
            (context.root, gated, false)
        }
        (None, None, Some(record)) => {
            let root = reading_root()?;
            let gated = gate::again(&root, record, args.allowed())?;
            (root, gated, false)
        }
        _ => bail!(
            "what to compare with? --against REV measures a revision beside the work tree, --references what was accepted; a gate's RECORD is judged again"
        ),
    };
    told(shared, args, &root, &gated, measured)
}

/// The gate, and where its record is if it made one.
fn told(
    shared: &Shared,
    args: &GateArgs,
    root: &Path,
    gated: &Gated,
    measured: bool,
) -> anyhow::Result<Exit> {
    tell(shared, &args.export, root, gated)?;
    if let Some(directory) = gated.directory.as_ref().filter(|_| measured) {
        let (shown, word) = (from_here(directory), word_from_here(directory));
        errln!(" record   {}    again  {} gate {word}", shown.display(), program());
    }
    Ok(outcome(gated))
}

/// Shows a record that a gate made, with the gate's verdicts; `None` where it is not one. Its samples were looked at
/// again and again, and more were taken of what looked regressed: judged as those of a run, they would say something else.
pub(crate) fn shown(shared: &Shared, record: &Path, export: &ExportArgs) -> anyhow::Result<Option<Exit>> {
    // The samples of each arm lie in a directory of their own.
    let gated = [Some(record), record.parent()].into_iter().flatten().map(gate::stored);
    let Some(gated) = gated.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().next() else {
        return Ok(None);
    };
    tell(shared, export, &reading_root()?, &gated)?;
    Ok(Some(outcome(&gated)))
}

fn outcome(gated: &Gated) -> Exit {
    if gated.file.stopped { Exit::Stopped } else { exit(gated.file.report.fold) }
}

/// The exit code of a gate.
fn exit(fold: Fold) -> Exit {
    match fold {
        Fold::Passes => Exit::Fine,
        Fold::Regressed => Exit::Failed,
        Fold::Broken => Exit::Broken,
        Fold::Inconclusive => Exit::Inconclusive,
    }
}

/// The gate on stdout, and for other tools.
fn tell(shared: &Shared, export: &ExportArgs, root: &Path, gated: &Gated) -> anyhow::Result<()> {
    // What cannot be written for another tool keeps nobody from reading it here, nor from its exit code.
    let exported = export::write(export, root, gated);
    match shared.format {
        _ if export.takes_stdout() => {}
        Format::Table => out!("{}", view::table(&gated.file, &style(shared))),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&gated.file)?),
    }
    exported
}

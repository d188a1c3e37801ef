//! `cmp`: two commands, or two records.

mod args;
mod records;
mod words;

pub(crate) use args::CmpArgs;

use crate::called;
use crate::cli::args::Shared;
use crate::cli::cmp::args::{CmpVerb, CommandsArgs};
use crate::cli::context::{current, watcher};
use crate::cli::typed::Typed;
use crate::cli::values::renamed;
use crate::cli::{Exit, output};
use crate::experiment::commands::{self, BUDGET, CommandLine, CommandsOptions};
use crate::experiment::surroundings::workspace_root;

/// Compares two commands, or two records.
pub(crate) fn cmp(shared: &Shared, args: CmpArgs) -> anyhow::Result<Exit> {
    let Some(verb) = args.verb else {
        let (verb, now) = args.old.verb()?;
        // A fault of a command names the option that it was given by.
        let exit = carry_out(shared, verb, "--commands, ")?;
        renamed(&called::typed("cmp without a verb"), &called::typed(now));
        return Ok(exit);
    };
    carry_out(shared, verb, "")
}

fn carry_out(shared: &Shared, verb: CmpVerb, place: &str) -> anyhow::Result<Exit> {
    match verb {
        CmpVerb::Commands(args) => compare(shared, &args, place),
        CmpVerb::Records(args) => records::records(shared, &args.left, &args.right),
    }
}

impl CommandsArgs {
    fn options(&self, place: &str) -> anyhow::Result<CommandsOptions> {
        let command = |name: &str, text: &String| {
            let words = words::command_words(text).and_then(|words| {
                words::program(&words[0])?;
                Ok(CommandLine { text: text.clone(), words })
            });
            words.map_err(|wrong| anyhow::anyhow!("{place}{name}: {wrong}"))
        };
        Ok(CommandsOptions {
            commands: [command("A", &self.a)?, command("B", &self.b)?],
            launches: self.how.launches,
            budget: self.how.budget.unwrap_or(BUDGET),
            warmup: self.how.warmup,
            ignore_failure: self.how.ignore_failure,
            check_output: self.how.check_output,
            patience: self.how.patience,
            noise_threshold: self.how.noise_threshold / 100.0,
            seed: self.how.seed,
            out: self.how.out.clone(),
        })
    }

    /// The command as a person would type it again, with so many launches.
    fn command(&self, launches: u32) -> String {
        Typed::of("cmp commands")
            .word(&self.a)
            .word(&self.b)
            .option("--launches", Some(launches))
            .option("--warmup", Some(self.how.warmup))
            .flag("--ignore-failure", self.how.ignore_failure)
            .flag("--check-output", self.how.check_output)
            .option("--seed", self.how.seed)
            .option("--noise-threshold", Some(self.how.noise_threshold))
            .time("--patience", self.how.patience)
            .text()
    }
}

/// The command of `cmp commands`, for tests of what records keep.
#[cfg(test)]
pub(crate) fn typed(args: &CmpArgs, launches: u32) -> String {
    match &args.verb {
        Some(CmpVerb::Commands(args)) => args.command(launches),
        _ => panic!("not of commands"),
    }
}

fn compare(shared: &Shared, args: &CommandsArgs, place: &str) -> anyhow::Result<Exit> {
    let export = &args.how.export;
    export.check()?;
    let options = args.options(place)?;
    let root = workspace_root(&current()?).ok();
    let command = |launches| args.command(launches);
    let judged = commands::compare(&options, root.as_deref(), &watcher()?, &command)?;
    if options.out.is_some() {
        output::print_new_record(shared, &judged, export)?;
    } else {
        output::print_passing(shared, &judged, export)?;
    }
    Ok(if judged.stopped() { Exit::Stopped } else { output::exit(&judged) })
}

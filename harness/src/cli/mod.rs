//! The command line: one file a verb; the only place that opens records, prints, and sets exit codes.

/// Writes to stdout as `print!` does; a reader that has gone (`perflab … | head`) ends nothing but the writing.
macro_rules! out {
    ($($arg:tt)*) => { crate::cli::streams::write_out(format_args!($($arg)*)) };
}
/// As `out!`, with the end of the line.
macro_rules! outln {
    () => { out!("\n") };
    ($($arg:tt)*) => { out!("{}\n", format_args!($($arg)*)) };
}
/// Writes a line to stderr as `eprintln!` does, and does not mind when nobody can read it.
macro_rules! errln {
    ($($arg:tt)*) => { crate::cli::streams::write_error_line(format_args!($($arg)*)) };
}

mod args;
mod baseline;
mod calibrate;
mod calls;
mod census;
mod cmp;
mod context;
mod counts;
mod doctor;
mod driven;
mod effort;
mod export;
mod gate;
mod history;
mod init;
mod mcp;
mod misplaced;
mod output;
mod progress;
mod project;
mod reference;
mod run;
mod stand_ins;
mod streams;
mod typed;
mod values;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::called;
use crate::cli::args::{Cli, Verb};
use crate::process::RunError;

/// How a verb ended, as the exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain of.
    Fine,
    /// An arm failed, a document differs from its record, or a gate found a regression.
    Failed,
    /// Usage, malformed input or a broken set-up: what was asked for and what is there do not fit together.
    Broken,
    /// Nothing can be said: the environment spoiled the run.
    Inconclusive,
    /// The user stopped it.
    Stopped,
}

impl Exit {
    /// The worst of several, as a script would see it: what was stopped, what is broken, what failed, what cannot be said.
    fn worst(all: &[Self]) -> Option<Self> {
        let order = [Self::Stopped, Self::Broken, Self::Failed, Self::Inconclusive, Self::Fine];
        order.into_iter().find(|exit| all.contains(exit))
    }

    /// Of what is broken or not.
    fn failed_if(broken: bool) -> Self {
        if broken { Self::Failed } else { Self::Fine }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Broken => 2,
            Exit::Inconclusive => 3,
            Exit::Stopped => 130,
        })
    }
}

/// Reads the command line, carries it out, and says what went wrong in one sentence.
#[must_use]
pub fn main() -> ExitCode {
    let words = words();
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => {
            let error = misplaced::explained(error, &words[1..]);
            error.print().ok();
            // `--help` and `--version` are errors to clap, and go to stdout with code 0.
            return if error.use_stderr() { Exit::Broken.into() } else { Exit::Fine.into() };
        }
    };
    let exit = carry_out(cli).unwrap_or_else(|error| {
        if matches!(error.downcast_ref(), Some(RunError::Stopped)) {
            errln!("{error}");
            return Exit::Stopped;
        }
        errln!("error: {error:#}");
        Exit::Broken
    });
    // What nobody could read is not fine; everything else that a verb says is worse news.
    if streams::lost() && exit == Exit::Fine { Exit::Broken.into() } else { exit.into() }
}

/// The command line with the program's name before it. How that was called is kept: Cargo starts a command of its own
/// with the command's name as the first argument.
fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.first().is_some_and(|file| called::is_of_cargo(file)) {
        called::keep(called::OF_CARGO);
        if words.get(1).is_some_and(|word| word == called::INSTALLED) {
            words.remove(1);
        }
    } else {
        called::keep(called::by(std::env::var_os("CARGO_PKG_NAME").as_deref()));
    }
    if words.is_empty() {
        words.push(called::INSTALLED.into());
    }
    words
}

fn carry_out(cli: Cli) -> anyhow::Result<Exit> {
    let shared = cli.shared;
    match cli.verb.unwrap_or(Verb::Run(cli.run)) {
        Verb::Run(args) => run::run(&shared, &args),
        Verb::Doctor => doctor::doctor(&shared),
        Verb::Verify(args) => run::verify(&shared, &args),
        Verb::Plan(args) => run::plan(&shared, &args),
        Verb::Build(args) => run::build(&shared, &args),
        Verb::Measure(args) => run::measure(&shared, &args),
        Verb::Analyse(args) if mcp::is_record(&args.record) => {
            args.export.none_of_tool_calls()?;
            mcp::again(&shared, &args.record)
        }
        Verb::Report(args) if mcp::is_record(&args.record) => {
            args.export.none_of_tool_calls()?;
            mcp::report(&shared, &args)
        }
        Verb::Analyse(args) => run::analyse(&shared, &args),
        Verb::Report(args) => output::report(&shared, &args),
        Verb::Census(args) => census::census(&shared, &args),
        Verb::Calibrate(args) => calibrate::calibrate(&shared, &args),
        Verb::Baseline(args) => baseline::baseline(&shared, &args),
        Verb::Gate(args) => gate::gate(&shared, &args),
        Verb::Cmp(args) => cmp::cmp(&shared, *args),
        Verb::Mcp(args) => mcp::mcp(&shared, *args),
        Verb::History(args) => history::history(&shared, &args),
        Verb::Export(args) => export::export(&args),
        Verb::Counts(args) => counts::counts(&shared, *args),
        Verb::Init(args) => init::init(&args),
        Verb::Calls(args) => calls::calls(&args),
        Verb::Bench(args) => driven::bench(&args),
        Verb::Exec(args) => match stand_ins::exec(&args)? {},
        Verb::Time(args) => stand_ins::time(&args),
        Verb::Supervise(args) => match stand_ins::end_with_stdin(&args)? {},
        Verb::Reference(args) => reference::write(&args.file),
        Verb::Pages(args) => reference::pages(&args.directory),
    }
}

//! The hidden verbs: what the lab starts itself as, to become, time or supervise another program.

use std::convert::Infallible;
use std::ffi::OsString;

use anyhow::Context as _;

use crate::cli::Exit;
use crate::cli::args::{ExecArgs, SuperviseArgs, TimeArgs};
use crate::process::{TimedSetup, become_program, supervise, time_once};

/// Becomes a program, on a core and with a priority.
pub(crate) fn exec(args: &ExecArgs) -> anyhow::Result<Infallible> {
    let (program, rest) = split(&args.command)?;
    Err(become_program(program, rest, args.cpu, args.priority, args.still).into())
}

/// Times one run of a command.
pub(crate) fn time(args: &TimeArgs) -> anyhow::Result<Exit> {
    let (program, rest) = split(&args.command)?;
    let setup = TimedSetup { cpu: args.cpu, priority: args.priority, stdout: args.stdout.clone() };
    let timed = time_once(program, rest, &setup)
        .with_context(|| format!("cannot start {}", program.to_string_lossy()))?;
    outln!("{}", serde_json::to_string(&timed)?);
    Ok(Exit::Fine)
}

/// Runs a command, and ends its whole process group when stdin closes.
pub(crate) fn end_with_stdin(args: &SuperviseArgs) -> anyhow::Result<Infallible> {
    let (program, rest) = split(&args.command)?;
    std::process::exit(supervise(program, rest)?)
}

fn split(command: &[OsString]) -> anyhow::Result<(&OsString, &[OsString])> {
    command.split_first().context("no command after --")
}

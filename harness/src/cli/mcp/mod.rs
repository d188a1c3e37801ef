//! `mcp`: the latency of tool calls of any MCP server, or of two, paired.

mod args;
mod calibrate;
mod floor;
mod old;
mod options;
mod show;

pub(crate) use args::McpArgs;
pub(crate) use old::verb_of;
pub(crate) use show::{again, is_record, report};

use std::ffi::OsString;

use crate::called;
use crate::cli::Exit;
use crate::cli::args::Shared;
use crate::cli::context::{current, from_here, watcher};
use crate::cli::mcp::args::McpVerb;
use crate::cli::mcp::options::{Asked, explained};
use crate::experiment::context::lock_place;
use crate::experiment::store::new_directory;
use crate::experiment::surroundings::workspace_root;
use crate::load_test::LoadTest;
use crate::process::{Invocation, RunError};

/// Measures, writes the record, and shows it.
pub(crate) fn mcp(shared: &Shared, args: McpArgs) -> anyhow::Result<Exit> {
    let verb = match args.verb()? {
        McpVerb::Calibrate(args) => return calibrate::calibrate(shared, &args),
        verb => verb,
    };
    let watcher = watcher()?;
    // The null server may be built in the target directory, and the core is shared with every other lab.
    let root = workspace_root(&current()?).ok();
    let _lock = lock_place(root.as_deref(), &watcher)?;
    let Asked { options, out } = Asked::of(verb, command())?;
    let test = LoadTest::prepare(options, watcher).map_err(explained)?;
    let environment = &test.options().environment;
    errln!(
        "perflab {} · {} · {} cores · record {}",
        env!("CARGO_PKG_VERSION"),
        environment.class(),
        environment.cores,
        from_here(&out.join(&test.options().name)).display()
    );
    let Some(mut found) = test.run().map_err(explained)? else { return Err(RunError::Stopped.into()) };
    let record = new_directory(&out, &mut found.file.name)?;
    found.write(&record)?;
    show::show(shared, &found.file, &record)
}

/// The command as a person would type it again.
fn command() -> String {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut program = called::program().split(' ').map(OsString::from);
    let first = program.next().unwrap_or_default();
    Invocation::new(first, program.chain(words)).display()
}

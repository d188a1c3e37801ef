//! `mcp`: the latency of tool calls of any MCP server, or of two, paired.

mod args;
mod collect;
mod launches;
mod members;
mod modes;
mod setup;
mod show;

pub(crate) use args::{McpArgs, time, words};
pub(crate) use show::{again, is_record};

use std::time::Instant;

use crate::cli::Exit;
use crate::cli::args::Shared;
use crate::cli::mcp::collect::Collected;
use crate::cli::mcp::members::{Known, Unknown, learn};
use crate::cli::mcp::modes::{Members, run};
use crate::cli::mcp::setup::Setup;
use crate::latency::Member;
use crate::process::RunError;

/// Measures, writes the record, and shows it.
pub(crate) fn mcp(shared: &Shared, args: &McpArgs) -> anyhow::Result<Exit> {
    let setup = Setup::of(args)?;
    let start = Instant::now();
    let mut collected = Collected::new(&setup, command());
    eprintln!(
        "perflab {} · {} · {} cores · record {}",
        env!("CARGO_PKG_VERSION"),
        setup.environment.class(),
        setup.environment.cores,
        collected.folder().display()
    );
    setup.place_client(setup.placements[0]);
    match meet(&setup, &mut collected) {
        Ok(members) => run(&setup, &members, &mut collected)?,
        // Nothing can be measured of a server that does not answer; the record says why.
        Err(Unknown::Fault(_)) => {}
        Err(Unknown::Misuse(error)) => return Err(error),
    }
    if setup.stopped() && collected.is_empty() {
        return Err(RunError::Stopped.into());
    }
    collected.write(start.elapsed().as_secs_f64(), setup.stopped())?;
    show::show(shared, &collected.file, &collected.folder())
}

/// The first process of every server: what it is, and that its answers are right.
fn meet(setup: &Setup, collected: &mut Collected) -> Result<Members, Unknown> {
    let mut members = Members { servers: Vec::new(), null: None };
    let wanted: &[Member] = if setup.compares() {
        &[Member::Server, Member::Against, Member::Control]
    } else {
        &[Member::Server]
    };
    for &member in wanted {
        let known = learned(setup, member, collected)?;
        collected.file.servers.push(known.facts.clone());
        members.servers.push(known);
    }
    if setup.floor.is_some() && !setup.args.no_floors {
        match learn(setup, Member::NullServer, members.servers.first()) {
            Ok(known) => {
                collected.file.servers.push(known.facts.clone());
                members.null = Some(known);
            }
            Err(Unknown::Fault(fault)) => {
                collected.note(format!("the null server was not measured: {fault}"))
            }
            Err(misuse) => return Err(misuse),
        }
    }
    Ok(members)
}

fn learned(setup: &Setup, member: Member, collected: &mut Collected) -> Result<Known, Unknown> {
    learn(setup, member, None).inspect_err(|unknown| {
        if let Unknown::Fault(fault) = unknown {
            collected.fail(member, 0, fault.clone());
        }
    })
}

/// The command as a person would type it again.
fn command() -> String {
    let words: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    crate::process::Invocation::new("cargo", std::iter::once("lab".into()).chain(words)).display()
}

//! `mcp`: the latency of tool calls of any MCP server, or of two, paired.

mod args;
mod calibrate;
mod collect;
mod field;
mod instructions;
mod lane;
mod launches;
mod members;
mod modes;
mod setup;
mod show;

pub(crate) use args::McpArgs;
pub(crate) use show::{again, is_record, report};

use std::time::Instant;

use crate::cli::Exit;
use crate::cli::args::Shared;
use crate::cli::mcp::collect::Collected;
use crate::cli::mcp::field::Field;
use crate::cli::mcp::members::{Known, Unknown, learn, learn_timer};
use crate::cli::mcp::modes::{Members, run};
use crate::cli::mcp::setup::Setup;
use crate::cli::progress::Stage;
use crate::latency::{Member, ServerFacts};
use crate::process::RunError;

/// Measures, writes the record, and shows it.
pub(crate) fn mcp(shared: &Shared, args: &McpArgs) -> anyhow::Result<Exit> {
    if args.calibrate {
        return calibrate::calibrate(shared, args);
    }
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
        Ok(members) => {
            run(&setup, &members, &mut collected)?;
            instructions::count(&setup, &members, &mut collected)?;
        }
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
    let mut members = Members { servers: Vec::new(), floors: Vec::new() };
    if let Some(field) = &setup.field {
        meet_field(setup, field, &mut members, collected)?;
    } else {
        let wanted: &[Member] = if setup.compares() {
            &[Member::Server, Member::Against, Member::Control]
        } else {
            &[Member::Server]
        };
        for &member in wanted {
            members.servers.push(learned(setup, member, collected)?);
        }
    }
    if !setup.args.no_floors {
        meet_floors(setup, &mut members, collected)?;
    }
    let all = members.servers.iter().chain(&members.floors);
    collected.file.servers = all.map(|known| known.facts.clone()).collect();
    Ok(members)
}

/// The servers of a field. The first one has to answer; another that does not is named and left out.
fn meet_field(
    setup: &Setup,
    field: &Field,
    members: &mut Members,
    collected: &mut Collected,
) -> Result<(), Unknown> {
    let stage =
        Stage::start("meet", field.servers.len().to_string() + " servers", field.servers.len() as u64);
    let first = learned(setup, Member::Server, collected)?;
    let control = Known { member: Member::Control, ..first.clone() };
    let facts = ServerFacts { member: Member::Control, label: None, ..first.facts.clone() };
    members.servers.extend([first, Known { facts, ..control }]);
    stage.step();
    for (place, entry) in (0..=u8::MAX).zip(&field.servers).skip(1) {
        if setup.args.without.contains(&entry.name) || setup.stopped() {
            continue;
        }
        stage.doing(&entry.name);
        let member = Member::Peer(place);
        if let Some(absent) = setup.absent(member) {
            collected.note(format!("{} was not measured: {absent}", entry.name));
        } else if entry.in_process {
            members.servers.push(learn_timer(setup, member, &members.servers[0]));
        } else if let Ok(known) = learned(setup, member, collected) {
            members.servers.push(known);
        }
        stage.step();
    }
    stage.end();
    Ok(())
}

/// The floors under the servers: `cat`, the null server, its calls in process.
fn meet_floors(setup: &Setup, members: &mut Members, collected: &mut Collected) -> Result<(), Unknown> {
    let Some(first) = members.servers.first().cloned() else { return Ok(()) };
    if setup.floor.is_some() {
        let http = members.servers.iter().any(|known| known.facts.floor == Some(Member::NullHttp));
        for member in [Some(Member::NullServer), http.then_some(Member::NullHttp)].into_iter().flatten() {
            match learn(setup, member, Some(&first)) {
                Ok(known) => members.floors.push(known),
                Err(Unknown::Fault(fault)) => {
                    collected.note(format!("the null server was not measured: {fault}"))
                }
                Err(misuse) => return Err(misuse),
            }
        }
        if let Some(null) = members.floors.first().cloned() {
            members.floors.push(Known::floor(setup, Member::InProcess, &null));
        }
    }
    members.floors.push(Known::floor(setup, Member::Pipe, &first));
    Ok(())
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

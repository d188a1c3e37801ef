//! Launches: processes that are started, warmed, measured and ended, alone or side by side.

use std::time::Duration;

use crate::cli::mcp::collect::{Collected, Key, Start};
use crate::cli::mcp::members::Known;
use crate::cli::mcp::setup::Setup;
use crate::latency::{Load, Member, Placement};
use crate::load::{End, Session, Stretch, Taken, Usage, pipe_floor};
use crate::mcp::{Fault, Mix, Protocol};
use crate::measure::order;

/// Blocks of a launch, in which servers that are compared take turns.
const BLOCKS: u32 = 10;
/// The longest that warming up may take.
const WARM: Duration = Duration::from_secs(2);
/// The share of a launch's time that a floor gets.
const FLOOR: f64 = 0.25;
/// Bytes on stderr, a launch, that are worth a note.
const MUCH_STDERR: u64 = 1 << 20;

/// A process that is ready to be measured.
struct Ready {
    session: Session,
    start: Start,
}

/// Starts a process, makes its first call, and warms it up.
fn ready(setup: &Setup, known: &Known, launch: u32, warm: bool) -> anyhow::Result<Result<Ready, Fault>> {
    let mut session = match known.session(setup, launch)? {
        Ok(session) => session,
        Err(fault) => return Ok(Err(fault)),
    };
    let end = |calls| End { after: WARM, calls };
    let stretch = |calls| Stretch {
        load: Load::Closed { in_flight: 1 },
        end: end(calls),
        seed: setup.seed,
        alone: false,
        give_up: None,
    };
    let ready_ns = session.client.ready_ns;
    let (_, fault) = session.drive(&stretch(1), &|| false);
    if let Some(fault) = fault {
        return Ok(Err(fault));
    }
    let first_call_ns = session.client.age_ns();
    if warm && setup.args.warm_up > 0 {
        // As it will be measured: pools and buffers grow with the calls in flight.
        let load = match setup.load {
            Load::Open { .. } => Load::Closed { in_flight: 1 },
            closed => closed,
        };
        let (_, fault) = session.drive(&Stretch { load, ..stretch(setup.args.warm_up) }, &|| setup.stopped());
        if let Some(fault) = fault {
            return Ok(Err(fault));
        }
    }
    Ok(Ok(Ready { session, start: Start { ready_ns: Some(ready_ns), first_call_ns: Some(first_call_ns) } }))
}

/// One launch of one server: everything that a series gets from it. `false` when the server failed.
pub(crate) fn alone(
    setup: &Setup,
    known: &Known,
    key: &Key,
    launch: u32,
    length: Duration,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let mut ready = match ready(setup, known, launch, true)? {
        Ok(ready) => ready,
        Err(fault) => {
            collected.fail(known.member, launch, fault);
            return Ok(false);
        }
    };
    let before = ready.session.usage();
    let stretch = stretch_of(setup, key, launch, length);
    let (taken, fault) = ready.session.drive(&stretch, &|| setup.stopped());
    let fault = fault.or_else(|| strays(&mut ready, &taken));
    Ok(finish(setup, key, launch, ready, (taken, before), fault, collected))
}

/// Answers that nobody asked for. Those of calls that were given up are no such ones.
fn strays(ready: &mut Ready, taken: &Taken) -> Option<Fault> {
    if taken.given_up > 0 { None } else { ready.session.strays().err() }
}

/// The stretch of a launch of a series.
fn stretch_of(setup: &Setup, key: &Key, launch: u32, length: Duration) -> Stretch {
    Stretch {
        load: key.load,
        end: End { after: length, calls: u64::MAX },
        seed: setup.seed ^ u64::from(launch),
        alone: key.placement == Placement::Split,
        give_up: None,
    }
}

/// Adds what a launch gave, and ends its process.
fn finish(
    setup: &Setup,
    key: &Key,
    launch: u32,
    mut ready: Ready,
    (taken, before): (Taken, Usage),
    fault: Option<Fault>,
    collected: &mut Collected,
) -> bool {
    let after = ready.session.usage();
    let noise = ready.session.client.stderr_bytes();
    let name = setup.shown(key.member);
    if noise > MUCH_STDERR {
        collected.note(format!(
            "{name} writes much to stderr ({:.1} MiB in one launch), which costs time in every call",
            noise as f64 / f64::from(1 << 20)
        ));
    }
    // Over HTTP every call has a connection of its own, and no order with others.
    if taken.out_of_order > 0 && setup.args.http.is_none() {
        collected.note(format!(
            "{name} answers out of order, which JSON-RPC allows: a client that expects the order of its calls would \
             take one answer for another"
        ));
    }
    let cpu = after.cpu_ns.checked_sub(before.cpu_ns).filter(|_| after.processes > 0);
    collected.add(key.clone(), taken, ready.start, cpu, after);
    ready.session.client.end();
    match fault {
        Some(fault) => {
            collected.fail(key.member, launch, fault);
            false
        }
        None => true,
    }
}

/// One launch of all servers side by side, in blocks of random order. `false` when one failed.
pub(crate) fn side_by_side(
    setup: &Setup,
    members: &[Known],
    placement: Placement,
    launch: u32,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let mut all = Vec::new();
    for known in members {
        match ready(setup, known, launch, true)? {
            Ok(ready) => all.push((known.member, ready, Taken::default(), None)),
            Err(fault) => {
                collected.fail(known.member, launch, fault);
                return Ok(false);
            }
        }
    }
    let before: Vec<Usage> = all.iter_mut().map(|(_, ready, _, _)| ready.session.usage()).collect();
    let indices: Vec<usize> = (0..all.len()).collect();
    let key = |member| Key { member, placement, load: setup.load, label: String::new() };
    'blocks: for block in 0..BLOCKS {
        for index in order(setup.seed, launch, 0, block, &indices) {
            let (member, ready, taken, fault) = &mut all[index];
            let stretch = stretch_of(setup, &key(*member), launch * BLOCKS + block, setup.length / BLOCKS);
            let (part, broken) = ready.session.drive(&stretch, &|| setup.stopped());
            taken.add(&part);
            *fault = broken;
            if fault.is_some() || setup.stopped() {
                break 'blocks;
            }
        }
    }
    // A launch that was cut short is no fair comparison: neither side of it counts.
    let broken = setup.stopped() || all.iter().any(|(_, _, _, fault)| fault.is_some());
    let mut sound = true;
    for ((member, mut ready, taken, fault), before) in all.into_iter().zip(before) {
        let fault = fault.or_else(|| strays(&mut ready, &taken));
        let taken = if broken { Taken::default() } else { taken };
        sound &= finish(setup, &key(member), launch, ready, (taken, before), fault, collected);
    }
    Ok(sound)
}

/// One launch of the floors: `cat` over a pipe, and the null server.
pub(crate) fn floors(
    setup: &Setup,
    known: Option<&Known>,
    line_of: &Known,
    key: &Key,
    launch: u32,
    collected: &mut Collected,
) -> anyhow::Result<()> {
    let length = setup.length.mul_f64(FLOOR);
    if let Some(known) = known {
        let key = Key { member: Member::NullServer, ..key.clone() };
        alone(setup, known, &key, launch, length, collected)?;
    }
    let mut line = Vec::new();
    let mut random = rand::SeedableRng::seed_from_u64(setup.seed);
    let mix = Mix::new(line_of.calls.clone(), &Protocol::proposed(line_of.era));
    let _ = mix.write(1, 1, &mut random, &mut line);
    let cat = setup.pinned(crate::process::Invocation::new("cat", [""; 0]));
    let pipe = Key { member: Member::Pipe, load: Load::Closed { in_flight: 1 }, ..key.clone() };
    match pipe_floor(&cat, &line, length, &|| setup.stopped()) {
        Ok((taken, usage)) => collected.add(pipe, taken, Start::default(), Some(usage.cpu_ns), usage),
        Err(fault) => collected.note(format!("the floor of the pipe was not measured: {fault}")),
    }
    Ok(())
}

/// One cold start: a process, its first call, and its end.
pub(crate) fn cold(
    setup: &Setup,
    known: &Known,
    key: &Key,
    launch: u32,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let mut ready = match ready(setup, known, launch, false)? {
        Ok(ready) => ready,
        Err(fault) => {
            collected.fail(known.member, launch, fault);
            return Ok(false);
        }
    };
    let before = ready.session.usage();
    let stretch = Stretch {
        load: Load::Closed { in_flight: 1 },
        end: End { after: WARM, calls: 1 },
        seed: setup.seed,
        alone: false,
        give_up: None,
    };
    let (taken, fault) = ready.session.drive(&stretch, &|| setup.stopped());
    Ok(finish(setup, key, launch, ready, (taken, before), fault, collected))
}

//! Launches: processes that are started, warmed, measured and ended, alone or side by side.

use std::time::Duration;

use crate::latency::{Load, Member, Placement};
use crate::load::{End, Stretch, Taken};
use crate::load_test::Error;
use crate::load_test::collect::{Collected, Key};
use crate::load_test::lane::{Lane, WARM};
use crate::load_test::members::Known;
use crate::load_test::setup::Setup;
use crate::mcp::Fault;
use crate::schedule::order;

/// Blocks of a launch, in which servers that are compared take turns.
const BLOCKS: u32 = 10;
/// Calls of a closed loop that are made and not timed at the beginning of each turn: until then the caches hold what
/// the server before needed.
const SETTLE: Duration = Duration::from_millis(2);
/// The share of a launch's time that a floor gets.
const FLOOR: f64 = 0.25;
/// Bytes on stderr, a launch, that are worth a note.
const MUCH_STDERR: u64 = 1 << 20;

/// What is done in a launch: some of the calls under a load.
pub(crate) struct Task {
    /// Its name; empty where there is one only.
    pub label: String,
    /// The load.
    pub load: Load,
    /// Which set of calls.
    pub set: usize,
}

/// The load under which a server is warmed up: as it will be measured, since pools and buffers grow with the calls in
/// flight.
fn warming(load: Load) -> Load {
    match load {
        Load::Open { .. } => Load::Closed { in_flight: 1 },
        closed => closed,
    }
}

/// One launch of one server: everything that a series gets from it. `false` when the server failed.
pub(crate) fn alone(
    setup: &Setup,
    known: &Known,
    key: &Key,
    launch: u32,
    length: Duration,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let mut lane = match Lane::start(setup, known, launch, Some(warming(setup.load)))? {
        Ok(lane) => lane,
        Err(fault) => {
            collected.fail(known.member, launch, fault);
            return Ok(false);
        }
    };
    let before = lane.usage().cpu_ns;
    let stretch = stretch_of(setup, key, launch, length);
    let (taken, fault) = lane.drive(&stretch, &|| setup.stopped());
    let cpu = lane.usage().cpu_ns.checked_sub(before);
    let fault = fault.or_else(|| strays(&mut lane, &taken));
    Ok(finish(setup, launch, lane, vec![(key.clone(), taken, cpu)], fault, collected))
}

/// Answers that nobody asked for. Those of calls that were given up are no such ones.
fn strays(lane: &mut Lane, taken: &Taken) -> Option<Fault> {
    if taken.given_up > 0 { None } else { lane.strays() }
}

/// The stretch of a launch of a series.
fn stretch_of(setup: &Setup, key: &Key, launch: u32, length: Duration) -> Stretch {
    Stretch {
        load: key.load,
        end: End { after: length, calls: u64::MAX },
        seed: setup.options.seed ^ u64::from(launch),
        alone: key.placement == Placement::Split,
        give_up: None,
    }
}

/// Adds what a launch gave, and ends its process. `false` where it failed.
fn finish(
    setup: &Setup,
    launch: u32,
    mut lane: Lane,
    parts: Vec<(Key, Taken, Option<u64>)>,
    fault: Option<Fault>,
    collected: &mut Collected,
) -> bool {
    let after = lane.usage();
    let noise = lane.stderr_bytes();
    let member = lane.member;
    let name = setup.name(member);
    if noise > MUCH_STDERR {
        collected.note(format!(
            "{name} writes much to stderr ({:.1} MiB in one launch), which costs time in every call",
            noise as f64 / f64::from(1 << 20)
        ));
    }
    for (key, taken, cpu) in parts {
        // Over HTTP every call has a connection of its own, and no order with others.
        if taken.out_of_order > 0 && !setup.speaks_http(member) {
            collected.note(format!(
                "{name} answers out of order, which JSON-RPC allows: a client that expects the order of its calls would \
                 take one answer for another"
            ));
        }
        collected.add(key, taken, lane.start, cpu.filter(|_| after.processes > 0), after);
    }
    lane.end();
    match fault {
        Some(fault) => {
            collected.fail(member, launch, fault);
            false
        }
        None => true,
    }
}

/// A server in a launch, with what it has given so far, task by task.
struct Side {
    lane: Lane,
    parts: Vec<(Taken, Option<u64>)>,
    fault: Option<Fault>,
}

/// What is in a random order of its own: the starts of a launch, and the turns of its blocks.
const STARTS: usize = 1;
const TURNS: usize = 0;

/// One launch of all servers side by side, in blocks of random order. Returns who failed.
pub(crate) fn side_by_side(
    setup: &Setup,
    members: &[&Known],
    tasks: &[Task],
    placement: Placement,
    launch: u32,
    collected: &mut Collected,
) -> Result<Vec<Member>, Error> {
    let mut all = Vec::new();
    // Whoever starts first finds the machine as the launch before left it.
    let places: Vec<usize> = (0..members.len()).collect();
    for known in order(setup.options.seed, launch, STARTS, 0, &places).into_iter().map(|place| members[place])
    {
        let warm = tasks.first().map(|task| warming(task.load));
        match Lane::start(setup, known, launch, warm)? {
            Ok(lane) => {
                let parts = vec![(Taken::default(), Some(0)); tasks.len()];
                all.push(Side { lane, parts, fault: None });
            }
            Err(fault) => {
                collected.fail(known.member, launch, fault);
                return Ok(vec![known.member]);
            }
        }
    }
    all.sort_by_key(|side: &Side| members.iter().position(|known| known.member == side.lane.member));
    let indices: Vec<usize> = (0..all.len()).collect();
    let key = |member, task: &Task| Key { member, placement, load: task.load, label: task.label.clone() };
    let number = |block: u32| launch * BLOCKS + block;
    'blocks: for block in 0..BLOCKS {
        for index in order(setup.options.seed, launch, TURNS, block, &indices) {
            let side = &mut all[index];
            for (place, task) in tasks.iter().enumerate() {
                if !side.lane.bears(task.load) {
                    continue;
                }
                let key = key(side.lane.member, task);
                let stretch = stretch_of(setup, &key, number(block), setup.options.length / BLOCKS);
                side.lane.choose(task.set);
                turn(setup, side, place, &stretch);
                if side.fault.is_some() || setup.stopped() {
                    break 'blocks;
                }
            }
        }
    }
    // A launch that was cut short is not a fair comparison: no side of it counts.
    let broken = setup.stopped() || all.iter().any(|side| side.fault.is_some());
    let mut failed = Vec::new();
    for side in all {
        let Side { mut lane, parts, fault } = side;
        let given_up =
            Taken { given_up: parts.iter().map(|(taken, _)| taken.given_up).sum(), ..Taken::default() };
        let fault = fault.or_else(|| strays(&mut lane, &given_up));
        let member = lane.member;
        let parts = tasks.iter().zip(parts).map(|(task, (taken, cpu))| {
            (key(member, task), if broken { Taken::default() } else { taken }, cpu)
        });
        if !finish(setup, launch, lane, parts.collect(), fault, collected) {
            failed.push(member);
        }
    }
    Ok(failed)
}

/// One turn of one server at one task.
fn turn(setup: &Setup, side: &mut Side, place: usize, stretch: &Stretch) {
    if matches!(stretch.load, Load::Closed { .. }) {
        let settle = Stretch { end: End { after: SETTLE, calls: u64::MAX }, ..*stretch };
        let (_, broken) = side.lane.drive(&settle, &|| setup.stopped());
        side.fault = broken;
        if side.fault.is_some() {
            return;
        }
    }
    let before = side.lane.cpu();
    let (part, broken) = side.lane.drive(stretch, &|| setup.stopped());
    let spent = side.lane.cpu().zip(before).and_then(|(after, before)| after.checked_sub(before));
    let (taken, cpu) = &mut side.parts[place];
    taken.add(&part);
    *cpu = cpu.zip(spent).map(|(cpu, spent)| cpu + spent);
    side.fault = broken;
}

/// One launch of the floors: the pipe, the null server, and its calls in process.
pub(crate) fn floors(
    setup: &Setup,
    floors: &[Known],
    key: &Key,
    launch: u32,
    collected: &mut Collected,
) -> Result<(), Error> {
    let length = setup.options.length.mul_f64(FLOOR);
    for known in floors {
        let load = if known.is_served() { key.load } else { Load::Closed { in_flight: 1 } };
        let key = Key { member: known.member, load, ..key.clone() };
        // What has no queue cannot be under an open load, and is a floor all the same.
        alone(setup, known, &key, launch, length, collected)?;
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
) -> Result<bool, Error> {
    let mut lane = match Lane::start(setup, known, launch, None)? {
        Ok(lane) => lane,
        Err(fault) => {
            collected.fail(known.member, launch, fault);
            return Ok(false);
        }
    };
    let before = lane.usage().cpu_ns;
    let stretch = Stretch {
        load: Load::Closed { in_flight: 1 },
        end: End { after: WARM, calls: 1 },
        seed: setup.options.seed,
        alone: false,
        give_up: None,
    };
    let (taken, fault) = lane.drive(&stretch, &|| setup.stopped());
    let cpu = lane.usage().cpu_ns.checked_sub(before);
    Ok(finish(setup, launch, lane, vec![(key.clone(), taken, cpu)], fault, collected))
}

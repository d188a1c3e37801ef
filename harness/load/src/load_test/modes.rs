//! The modes of a run, each from its launches to what it says.

use std::time::Duration;

use crate::latency::{Load, Member, Mode, Placement};
use crate::load::{End, Session, Stretch};
use crate::load_test::collect::{Collected, Key, Start};
use crate::load_test::launches::{Task, alone, cold, floors, side_by_side};
use crate::load_test::members::{Known, each_tool};
use crate::load_test::options::{Question, Sweep};
use crate::load_test::setup::Setup;
use crate::load_test::{Error, cancel, capacity, soak};

/// Sizes of the payload's sweep, in bytes.
const PAYLOADS: [usize; 7] = [100, 1 << 10, 10 << 10, 100 << 10, 1 << 20, 2 << 20, 4 << 20];

/// The servers of a run.
pub(crate) struct Members {
    /// The first, then the one it is compared with and the control, or the field.
    pub servers: Vec<Known>,
    /// The null server, its calls in process, the pipe.
    pub floors: Vec<Known>,
}

/// Runs the mode. What it measured before it failed or was stopped is in `collected`.
pub(crate) fn run(setup: &Setup, members: &Members, collected: &mut Collected) -> Result<(), Error> {
    for &placement in &setup.options.placements {
        setup.place_client(placement);
        let sound = match (setup.mode, setup.options.question) {
            (Mode::Field, _) => field(setup, members, placement, collected)?,
            (_, Question::Latency { .. } | Question::ColdStart) => {
                launches(setup, members, placement, collected)?
            }
            (_, Question::Sweep { along, .. }) => sweep(setup, members, along, placement, collected)?,
            (_, Question::Capacity { limit, poisson }) => {
                capacity::capacity(setup, members, (limit, poisson), placement, collected)?
            }
            (_, Question::Soak { .. }) => soak::soak(setup, members, placement, collected)?,
            (_, Question::Cancel) => cancel::cancel(setup, members, placement, collected)?,
        };
        if !sound || setup.stopped() {
            break;
        }
    }
    Ok(())
}

pub(crate) fn key(setup: &Setup, member: Member, placement: Placement) -> Key {
    Key { member, placement, load: setup.load, label: String::new() }
}

fn launches(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let what = match setup.mode {
        Mode::ColdStart => "cold starts",
        _ if setup.compares() => "launches side by side",
        _ => "launches",
    };
    let stage = setup.stage(
        "measure",
        &format!("{} {what}", setup.options.launches),
        u64::from(setup.options.launches),
    );
    let mut sound = true;
    for launch in 0..setup.options.launches {
        if setup.stopped() || !sound {
            break;
        }
        if setup.mode == Mode::ColdStart {
            for known in members.servers.iter().chain(members.floors.iter().filter(|known| known.is_served()))
            {
                let key = Key { load: Load::Closed { in_flight: 1 }, ..key(setup, known.member, placement) };
                sound &= cold(setup, known, &key, launch, collected)?;
            }
        } else {
            let first = &members.servers[0];
            let key = key(setup, first.member, placement);
            sound = if members.servers.len() > 1 {
                let all: Vec<&Known> = members.servers.iter().collect();
                let task = [Task { label: String::new(), load: setup.load, set: 0 }];
                side_by_side(setup, &all, &task, placement, launch, collected)?.is_empty()
            } else {
                alone(setup, first, &key, launch, setup.options.length, collected)?
            };
            if sound {
                floors(setup, &members.floors, &key, launch, collected)?;
            }
        }
        stage.step();
    }
    stage.end();
    Ok(sound)
}

/// Servers of a field, all alive, with the floors among them. A server that fails is left out from then on, and its
/// launch is repeated without it.
fn field(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let Some(field) = setup.options.field() else { return Ok(true) };
    let named = field.loads().into_iter().enumerate();
    let tasks: Vec<Task> = named.map(|(set, (label, load))| Task { label, load, set }).collect();
    let mut all: Vec<&Known> = members.servers.iter().chain(&members.floors).collect();
    let stage = setup.stage(
        "measure",
        &format!("{} launches of {}", setup.options.launches, all.len()),
        u64::from(setup.options.launches),
    );
    let mut launch = 0;
    while launch < setup.options.launches && !setup.stopped() {
        let failed = side_by_side(setup, &all, &tasks, placement, launch, collected)?;
        if failed.contains(&Member::Server) {
            return Ok(false);
        }
        all.retain(|known| !failed.contains(&known.member));
        if failed.is_empty() {
            launch += 1;
            stage.step();
        }
    }
    stage.end();
    Ok(true)
}

fn sweep(
    setup: &Setup,
    members: &Members,
    along: Sweep,
    placement: Placement,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let first = &members.servers[0];
    let mut points: Vec<(Known, Load, String)> = Vec::new();
    match along {
        Sweep::Payload => {
            for bytes in PAYLOADS {
                let calls = first.payload(bytes).ok_or_else(|| {
                    Error::Options(format!(
                        "a sweep of the payload: no argument of {} takes any text",
                        first.facts.called.join(", ")
                    ))
                })?;
                let label = if bytes >= 1 << 20 {
                    format!("{} MiB", bytes >> 20)
                } else if bytes >= 1 << 10 {
                    format!("{} KiB", bytes >> 10)
                } else {
                    format!("{bytes} B")
                };
                points.push((first.with_calls(calls)?, setup.load, label));
            }
        }
        Sweep::Tools => {
            for call in each_tool(setup, first) {
                let label = call.tool.clone();
                points.push((first.with_calls(vec![call])?, setup.load, label));
            }
        }
        Sweep::Concurrency => {
            let loads = [1, 2, 4, 8, 16, 32, 64].map(|in_flight| Load::Closed { in_flight });
            let label = |load: &Load| match load {
                Load::Closed { in_flight } => format!("{in_flight} in flight"),
                Load::Open { .. } => String::new(),
            };
            points.extend(loads.iter().map(|load| (first.clone(), *load, label(load))));
        }
    }
    let length = setup.options.length / u32::try_from(points.len().max(1)).unwrap_or(1);
    let steps = u64::from(setup.options.launches) * points.len() as u64;
    let stage = setup.stage(
        "measure",
        &format!("{} points, {} launches", points.len(), setup.options.launches),
        steps,
    );
    let mut sound = true;
    for launch in 0..setup.options.launches {
        for (known, load, label) in &points {
            if setup.stopped() || !sound {
                break;
            }
            stage.doing(label);
            let key = Key { load: *load, label: label.clone(), ..key(setup, known.member, placement) };
            sound = alone(setup, known, &key, launch, length, collected)?;
            stage.step();
        }
    }
    stage.end();
    Ok(sound)
}

/// A session of the first server, or a fault that is noted.
pub(crate) fn session(
    setup: &Setup,
    members: &Members,
    collected: &mut Collected,
) -> Result<Option<(Session, Start)>, Error> {
    let known = &members.servers[0];
    match known.session(setup, 0)? {
        Ok(session) => {
            let start = Start { ready_ns: Some(session.client.ready_ns), first_call_ns: None };
            Ok(Some((session, start)))
        }
        Err(fault) => {
            collected.fail(known.member, 0, fault);
            Ok(None)
        }
    }
}

/// A stretch of calls by one server alone.
pub(crate) fn stretch(setup: &Setup, load: Load, placement: Placement, length: Duration) -> Stretch {
    Stretch {
        load,
        end: End { after: length, calls: u64::MAX },
        seed: setup.options.seed,
        alone: placement == Placement::Split,
        give_up: None,
    }
}

//! The modes of a run, each from its launches to what it says.

use std::time::Duration;

use crate::cli::mcp::args::Sweep;
use crate::cli::mcp::collect::{Collected, Key, Start};
use crate::cli::mcp::launches::{Task, alone, cold, floors, side_by_side};
use crate::cli::mcp::members::{Known, each_tool};
use crate::cli::mcp::setup::Setup;
use crate::cli::progress::Stage;
use crate::latency::{
    Cancellation, Capacity, Load, Member, Memory, Mode, Placement, Rung, Search, Times, Window, slope,
};
use crate::load::{End, Session, Stretch, Taken, TakenBack};
use crate::mcp::Fault;

/// Sizes of the payload's sweep, in bytes.
const PAYLOADS: [usize; 7] = [100, 1 << 10, 10 << 10, 100 << 10, 1 << 20, 2 << 20, 4 << 20];
/// Windows of a soak.
const WINDOWS: u32 = 60;
/// Calls that are taken back.
const CANCELLED: u32 = 30;

/// The servers of a run.
pub(crate) struct Members {
    /// The first, then the one it is compared with and the control, or the field.
    pub servers: Vec<Known>,
    /// The null server, its calls in process, the pipe.
    pub floors: Vec<Known>,
}

/// Runs the mode. What it measured before it failed or was stopped is in `collected`.
pub(crate) fn run(setup: &Setup, members: &Members, collected: &mut Collected) -> anyhow::Result<()> {
    for &placement in &setup.placements {
        setup.place_client(placement);
        let sound = match setup.mode {
            Mode::Latency | Mode::ColdStart => launches(setup, members, placement, collected)?,
            Mode::Field => field(setup, members, placement, collected)?,
            Mode::Sweep => sweep(setup, members, placement, collected)?,
            Mode::Capacity => capacity(setup, members, placement, collected)?,
            Mode::Soak => soak(setup, members, placement, collected)?,
            Mode::Cancel => cancel(setup, members, placement, collected)?,
        };
        if !sound || setup.stopped() {
            break;
        }
    }
    Ok(())
}

fn key(setup: &Setup, member: Member, placement: Placement) -> Key {
    Key { member, placement, load: setup.load, label: String::new() }
}

fn launches(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let what = match setup.mode {
        Mode::ColdStart => "cold starts",
        _ if setup.compares() => "launches side by side",
        _ => "launches",
    };
    let stage = Stage::start("measure", format!("{} {what}", setup.launches), u64::from(setup.launches));
    let mut sound = true;
    for launch in 0..setup.launches {
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
                alone(setup, first, &key, launch, setup.length, collected)?
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
) -> anyhow::Result<bool> {
    let Some(field) = &setup.field else { return Ok(true) };
    let named = field.loads().into_iter().enumerate();
    let tasks: Vec<Task> = named.map(|(set, (label, load))| Task { label, load, set }).collect();
    let mut all: Vec<&Known> = members.servers.iter().chain(&members.floors).collect();
    let stage = Stage::start(
        "measure",
        format!("{} launches of {}", setup.launches, all.len()),
        u64::from(setup.launches),
    );
    let mut launch = 0;
    while launch < setup.launches && !setup.stopped() {
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
    placement: Placement,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let first = &members.servers[0];
    let mut points: Vec<(Known, Load, String)> = Vec::new();
    match setup.args.sweep {
        Some(Sweep::Payload) => {
            for bytes in PAYLOADS {
                let calls = first.payload(bytes).ok_or_else(|| {
                    anyhow::anyhow!(
                        "--sweep payload: no argument of {} takes any text",
                        first.facts.called.join(", ")
                    )
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
        Some(Sweep::Tools) => {
            for call in each_tool(setup, first) {
                let label = call.tool.clone();
                points.push((first.with_calls(vec![call])?, setup.load, label));
            }
        }
        _ => {
            let loads = [1, 2, 4, 8, 16, 32, 64].map(|in_flight| Load::Closed { in_flight });
            let label = |load: &Load| match load {
                Load::Closed { in_flight } => format!("{in_flight} in flight"),
                Load::Open { .. } => String::new(),
            };
            points.extend(loads.iter().map(|load| (first.clone(), *load, label(load))));
        }
    }
    let length = setup.length / u32::try_from(points.len().max(1)).unwrap_or(1);
    let steps = u64::from(setup.launches) * points.len() as u64;
    let stage =
        Stage::start("measure", format!("{} points, {} launches", points.len(), setup.launches), steps);
    let mut sound = true;
    for launch in 0..setup.launches {
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
fn session(
    setup: &Setup,
    members: &Members,
    collected: &mut Collected,
) -> anyhow::Result<Option<(Session, Start)>> {
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

fn stretch(setup: &Setup, load: Load, placement: Placement, length: Duration) -> Stretch {
    Stretch {
        load,
        end: End { after: length, calls: u64::MAX },
        seed: setup.seed,
        alone: placement == Placement::Split,
        give_up: None,
    }
}

fn capacity(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let Some((mut session, start)) = session(setup, members, collected)? else { return Ok(false) };
    let limit = setup.args.p99;
    let length = setup.args.duration.unwrap_or(Duration::from_secs(1));
    let closed = stretch(setup, Load::Closed { in_flight: 1 }, placement, length / 2);
    let (alone, fault) = session.drive(&closed, &|| setup.stopped());
    if let Some(fault) = fault {
        collected.fail(Member::Server, 0, fault);
        return Ok(false);
    }
    let mut search =
        Search::from((alone.calls as f64 / alone.length.as_secs_f64().max(1e-9) / 16.0).max(4.0));
    let stage = Stage::start("measure", format!("capacity with p99 ≤ {limit:?}"), 16);
    let (mut rungs, mut fault) = (Vec::new(), None);
    while let Some(rate) = search.rate().filter(|_| !setup.stopped()) {
        stage.doing(format!("{rate:.0} calls/s"));
        let open = stretch(setup, Load::Open { rate, poisson: setup.args.poisson }, placement, length);
        let open = Stretch { give_up: Some((limit * 20).max(Duration::from_millis(200))), ..open };
        let before = session.usage();
        let (taken, broken) = session.drive(&open, &|| setup.stopped());
        fault = broken;
        if fault.is_some() {
            break;
        }
        let rung = rung(rate, &taken, limit);
        rungs.push(rung);
        search.tell(rung.held);
        let cpu = session.usage().cpu_ns.checked_sub(before.cpu_ns);
        let usage = session.usage();
        let key =
            Key { load: open.load, label: format!("{rate:.0}"), ..key(setup, Member::Server, placement) };
        let gave_up = taken.given_up > 0;
        if rung.held {
            collected.add(key, taken, start, cpu, usage);
        }
        stage.step();
        if gave_up {
            // What was given up is answered some time, and would be taken for answers of the next rate.
            let Some((next, _)) = self::session(setup, members, collected)? else { return Ok(false) };
            std::mem::replace(&mut session, next).client.end();
        }
    }
    stage.end();
    let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let lowest = rungs.iter().filter(|rung| !rung.held).min_by(|a, b| a.rate.total_cmp(&b.rate));
    let client_bound = lowest.is_some_and(|rung| rung.lag_p50_ns * 2 > rung.p50_ns);
    rungs.sort_by(|a: &Rung, b| a.rate.total_cmp(&b.rate));
    collected.file.capacities.push(Capacity {
        member: Member::Server,
        placement,
        limit_ns,
        held: search.held,
        failed: search.failed,
        client_bound,
        rungs,
    });
    session.client.end();
    Ok(fault.map(|fault| collected.fail(Member::Server, 0, fault)).is_none())
}

fn rung(rate: f64, taken: &Taken, limit: Duration) -> Rung {
    let at = |times: &Times, q| times.quantile(q).unwrap_or(0);
    let p99_ns = at(&taken.response, 0.99);
    Rung {
        rate,
        answered: taken.calls as f64 / taken.length.as_secs_f64().max(1e-9),
        p50_ns: at(&taken.response, 0.5),
        p99_ns,
        lag_p50_ns: at(&taken.lag, 0.5),
        lag_p99_ns: at(&taken.lag, 0.99),
        held: taken.given_up == 0 && taken.calls > 0 && u128::from(p99_ns) <= limit.as_nanos(),
    }
}

fn soak(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let Some((mut session, start)) = session(setup, members, collected)? else { return Ok(false) };
    let length = setup.args.soak.unwrap_or(Duration::from_secs(60));
    let stage = Stage::start("measure", format!("soak of {length:?}"), u64::from(WINDOWS));
    let key = key(setup, Member::Server, placement);
    let (mut all, mut windows, mut fault) = (Taken::default(), Vec::new(), None);
    let before = session.usage().cpu_ns;
    for _ in 0..WINDOWS {
        if setup.stopped() || fault.is_some() {
            break;
        }
        let began = all.length;
        let (taken, broken) =
            session.drive(&stretch(setup, setup.load, placement, length / WINDOWS), &|| setup.stopped());
        fault = broken;
        let usage = session.usage();
        if taken.calls > 0 && usage.processes > 0 {
            let at = |q| taken.response.quantile(q).unwrap_or(0);
            windows.push(Window {
                at: began.as_secs_f64() + taken.length.as_secs_f64() / 2.0,
                calls: taken.calls,
                p50_ns: at(0.5),
                p99_ns: at(0.99),
                max_ns: taken.response.max(),
                rss: usage.rss,
            });
        }
        all.add(&taken);
        stage.step();
    }
    stage.end();
    // The first quarter is when a process still fills its pools and caches.
    let late = &windows[windows.len() / 4..];
    let points: Vec<(f64, f64)> = late.iter().map(|window| (window.at, window.rss as f64)).collect();
    let growth = slope(&points);
    let a_second = all.calls as f64 / all.length.as_secs_f64().max(1e-9);
    collected.file.memories.push(Memory {
        member: Member::Server,
        growth,
        bytes_a_call: growth.map(|growth| growth.slope / a_second.max(1e-9)),
        windows,
    });
    let usage = session.usage();
    let cpu = usage.cpu_ns.checked_sub(before).filter(|_| usage.processes > 0);
    collected.add(key, all, start, cpu, usage);
    let fault = fault.or_else(|| session.strays().err());
    session.client.end();
    Ok(fault.map(|fault| collected.fail(Member::Server, 0, fault)).is_none())
}

fn cancel(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> anyhow::Result<bool> {
    let Some((mut session, _)) = session(setup, members, collected)? else { return Ok(false) };
    let mut back = (TakenBack::default(), Duration::ZERO);
    let fault = cancelled(setup, &mut session, placement, &mut back).err();
    back.0.cpu_after.sort_unstable();
    let middle = back.0.cpu_after.len() / 2;
    collected.file.cancellations.push(Cancellation {
        member: Member::Server,
        cancelled: back.0.cancelled,
        answered_before: back.0.answered_before,
        answered_after: back.0.answered_after,
        free_again: back.0.free_again.distribution(),
        cpu_after_ns: back.0.cpu_after.get(middle).copied(),
        grace_ns: u64::try_from(back.1.as_nanos()).unwrap_or(u64::MAX),
    });
    session.client.end();
    Ok(fault.map(|fault| collected.fail(Member::Server, 0, fault)).is_none())
}

/// Takes calls back in the middle of what they usually take.
fn cancelled(
    setup: &Setup,
    session: &mut Session,
    placement: Placement,
    back: &mut (TakenBack, Duration),
) -> Result<(), Fault> {
    let usual = Stretch {
        end: End { after: setup.args.patience, calls: 5 },
        ..stretch(setup, Load::Closed { in_flight: 1 }, placement, Duration::ZERO)
    };
    let (taken, fault) = session.drive(&usual, &|| setup.stopped());
    fault.map_or(Ok(()), Err)?;
    let usual = Duration::from_nanos(taken.response.quantile(0.5).unwrap_or(0));
    back.1 = (usual * 2).clamp(Duration::from_millis(20), Duration::from_secs(2));
    let stage = Stage::start(
        "measure",
        format!("{CANCELLED} calls taken back after {:?}", usual / 2),
        u64::from(CANCELLED),
    );
    for _ in 0..CANCELLED {
        if setup.stopped() {
            break;
        }
        session.take_back_once(usual / 2, back.1, &mut back.0)?;
        stage.step();
    }
    stage.end();
    Ok(())
}

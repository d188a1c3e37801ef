//! Instructions a call, counted in processes of their own: exact, where a time is not, and too slow to be timed beside.

use std::time::Duration;

use crate::counter::{Limits, Means};
use crate::latency::{Instructions, Load};
use crate::load::{End, Stretch, count_instructions};
use crate::load_test::Error;
use crate::load_test::collect::Collected;
use crate::load_test::members::Known;
use crate::load_test::modes::Members;
use crate::load_test::setup::Setup;
use crate::stats::median;

/// Calls before those that are counted, at full speed: caches fill, and just-in-time compilers compile.
const WARM: u64 = 2_000;
/// The longest that warming up takes.
const WARM_TIME: Duration = Duration::from_secs(2);
/// Calls that are counted.
const CALLS: u32 = 3;
/// Where a call is given up: at some tens of thousands of single steps a second this takes ten seconds.
const LIMITS: Limits = Limits { instructions: 400_000, patience: Duration::from_secs(15) };

/// Counts the calls of every server, where that was asked for.
pub(crate) fn count(setup: &Setup, members: &Members, collected: &mut Collected) -> Result<(), Error> {
    if !setup.options.instructions {
        return Ok(());
    }
    let tasks: Vec<(usize, String)> = match setup.options.field() {
        Some(field) => {
            let single = |(_, (_, load)): &(usize, (String, Load))| *load == Load::Closed { in_flight: 1 };
            let named = field.loads().into_iter().enumerate().filter(single);
            named.map(|(set, (label, _))| (set, label)).collect()
        }
        None => vec![(0, String::new())],
    };
    let servers = members.servers.iter().chain(&members.floors).filter(|known| known.is_served());
    let all: Vec<&Known> = servers.collect();
    let means = Means::fastest();
    let stage = setup.stage("count", "instructions of a call", (all.len() * tasks.len()) as u64);
    for known in all {
        stage.doing(&setup.shown(known.member));
        for (set, label) in &tasks {
            if setup.stopped() {
                break;
            }
            match counted(setup, known, *set, means)? {
                Ok(a_call) => collected.file.instructions.push(Instructions {
                    member: known.member,
                    label: label.clone(),
                    a_call: Some(a_call),
                    how: format!("of all processes of a server outside of the kernel, by {}", means.name()),
                }),
                Err(why) => {
                    let name = known.facts.label.clone().unwrap_or_else(|| setup.shown(known.member));
                    collected.note(format!("instructions of {name} were not counted: {why}"));
                }
            }
            stage.step();
        }
    }
    stage.end();
    Ok(())
}

/// Instructions of a call: the median of a few.
fn counted(setup: &Setup, known: &Known, set: usize, means: Means) -> Result<Result<f64, String>, Error> {
    let mut program = setup.program(known.member, Some(known.era))?;
    program.patience = program.patience.max(LIMITS.patience);
    let mut session = match known.session_of(setup, 0, &program)? {
        Ok(session) => session,
        Err(fault) => return Ok(Err(fault.to_string())),
    };
    session.choose(set);
    let warm = Stretch {
        load: Load::Closed { in_flight: 1 },
        end: End { after: WARM_TIME, calls: WARM },
        seed: setup.options.seed,
        alone: false,
        give_up: None,
    };
    let (_, fault) = session.drive(&warm, &|| setup.stopped());
    if let Some(fault) = fault {
        return Ok(Err(fault.to_string()));
    }
    let counts = match count_instructions(session, CALLS, means, LIMITS) {
        Ok(counts) => counts,
        Err(why) => return Ok(Err(why.to_string())),
    };
    let counts: Vec<f64> = counts.into_iter().map(|count| count as f64).collect();
    Ok(median(&counts).ok_or_else(|| "no call was counted".to_owned()))
}

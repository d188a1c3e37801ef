//! Instructions a call, in the server's own code: two runs under valgrind that differ in the number of calls alone.
//!
//! A count is the same on every machine with the same program, where a time is not. It leaves out the kernel, and it is
//! no time: under valgrind a program sees no AVX-512.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cli::mcp::collect::Collected;
use crate::cli::mcp::members::Known;
use crate::cli::mcp::modes::Members;
use crate::cli::mcp::setup::Setup;
use crate::cli::progress::Stage;
use crate::latency::{Instructions, Load};
use crate::load::{End, Stretch};

/// Calls of the two runs. The difference leaves out starting, warming and ending.
const CALLS: (u64, u64) = (200, 600);
/// A server that does not answer within this time under valgrind is not counted.
const PATIENCE: Duration = Duration::from_secs(5);
/// Valgrind's counter, without its profile.
const VALGRIND: [&str; 3] = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=no"];
/// How the counts were made.
const HOW: &str =
    "instructions a call are those of the server's process outside of the kernel, under valgrind";

/// Counts the calls of every server on stdio, where that was asked for.
pub(crate) fn count(setup: &Setup, members: &Members, collected: &mut Collected) -> anyhow::Result<()> {
    if !setup.args.instructions {
        return Ok(());
    }
    let version =
        Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        collected.note(
            "instructions were not counted: there is no valgrind on PATH (apt-get install valgrind)"
                .to_owned(),
        );
        return Ok(());
    }
    let tasks: Vec<(usize, String)> = match &setup.field {
        Some(field) => {
            let single = |(_, (_, load)): &(usize, (String, Load))| *load == Load::Closed { in_flight: 1 };
            field
                .loads()
                .into_iter()
                .enumerate()
                .filter(single)
                .map(|(set, (label, _))| (set, label))
                .collect()
        }
        None => vec![(0, String::new())],
    };
    let all: Vec<&Known> =
        members.servers.iter().chain(&members.floors).filter(|known| known.is_served()).collect();
    let stage = Stage::start("count", "instructions of a call", (all.len() * tasks.len()) as u64);
    for known in all {
        stage.doing(&setup.shown(known.member));
        let mut reason = None;
        for (set, label) in &tasks {
            if setup.stopped() {
                break;
            }
            if reason.is_none() {
                match difference(setup, known, *set)? {
                    Ok(count) => {
                        let counted = Instructions {
                            member: known.member,
                            label: label.clone(),
                            a_call: Some(count),
                            how: HOW.to_owned(),
                        };
                        collected.file.instructions.push(counted);
                    }
                    Err(why) => reason = Some(why),
                }
            }
            stage.step();
        }
        if let Some(why) = reason {
            let name = known.facts.label.clone().unwrap_or_else(|| setup.shown(known.member));
            collected.note(format!("instructions of {name} were not counted: {why}"));
        }
    }
    stage.end();
    Ok(())
}

/// Instructions of a call, from two runs.
fn difference(setup: &Setup, known: &Known, set: usize) -> anyhow::Result<Result<f64, String>> {
    let counts = [counted(setup, known, set, CALLS.0)?, counted(setup, known, set, CALLS.1)?];
    Ok(match counts {
        [Ok(few), Ok(many)] => Ok(many.saturating_sub(few) as f64 / (CALLS.1 - CALLS.0) as f64),
        [Err(why), _] | [_, Err(why)] => Err(why),
    })
}

/// Instructions of one process that was called so often.
fn counted(setup: &Setup, known: &Known, set: usize, calls: u64) -> anyhow::Result<Result<u64, String>> {
    let mut program = setup.program_through(known.member, Some(known.era), Some(("valgrind", &VALGRIND)))?;
    program.patience = PATIENCE;
    let mut session = match known.session_of(setup, 0, &program)? {
        Ok(session) => session,
        Err(fault) => return Ok(Err(format!("under valgrind, {fault}"))),
    };
    session.choose(set);
    let stretch = Stretch {
        load: Load::Closed { in_flight: 1 },
        end: End { after: PATIENCE * 4, calls },
        seed: setup.seed,
        alone: false,
        give_up: None,
    };
    let (taken, fault) = session.drive(&stretch, &|| setup.stopped());
    if let Some(fault) = fault {
        return Ok(Err(format!("under valgrind, {fault}")));
    }
    if taken.calls != calls {
        return Ok(Err("valgrind runs it too slowly".to_owned()));
    }
    let ended = session.client.end_within(PATIENCE);
    Ok(total(&ended.stderr).ok_or_else(|| "it does not end by itself at the end of its input".to_owned()))
}

/// The number in valgrind's last words.
fn total(stderr: &str) -> Option<u64> {
    let line = stderr.lines().rev().find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrinds_last_words_are_read() {
        let said =
            "==12== Events    : Ir\n==12== Collected : 123456\n==12== \n==12== I   refs:      123,456\n";
        assert_eq!(total(said), Some(123_456));
        assert_eq!(total("==12== Process terminating"), None);
    }
}

//! A soak: latency and memory over time.

use crate::latency::{Member, Memory, Placement, Window, slope};
use crate::load::Taken;
use crate::load_test::Error;
use crate::load_test::collect::Collected;
use crate::load_test::modes::{self, Members};
use crate::load_test::setup::Setup;

/// Windows of a soak.
const WINDOWS: u32 = 60;

/// One long launch of the first server, in windows.
pub(crate) fn soak(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let Some((mut session, start)) = modes::session(setup, members, collected)? else { return Ok(false) };
    let length = setup.options.length;
    let stage = setup.stage("measure", &format!("soak of {length:?}"), u64::from(WINDOWS));
    let key = modes::key(setup, Member::Server, placement);
    let (mut all, mut windows, mut fault) = (Taken::default(), Vec::new(), None);
    let before = session.usage().cpu_ns;
    for _ in 0..WINDOWS {
        if setup.stopped() || fault.is_some() {
            break;
        }
        let began = all.length;
        let (taken, broken) = session
            .drive(&modes::stretch(setup, setup.load, placement, length / WINDOWS), &|| setup.stopped());
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

//! The capacity of a server: a search over rates.

use std::time::Duration;

use crate::latency::{Capacity, Load, Member, Placement, Rung, Search, Times};
use crate::load::{Stretch, Taken};
use crate::load_test::Error;
use crate::load_test::collect::{Collected, Key};
use crate::load_test::modes::{self, Members};
use crate::load_test::setup::Setup;

/// Searches for the capacity of the first server: the highest rate whose p99 stays within the limit.
pub(crate) fn capacity(
    setup: &Setup,
    members: &Members,
    (limit, poisson): (Duration, bool),
    placement: Placement,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let Some((mut session, start)) = modes::session(setup, members, collected)? else { return Ok(false) };
    let length = setup.options.length;
    let closed = modes::stretch(setup, Load::Closed { in_flight: 1 }, placement, length / 2);
    let (alone, fault) = session.drive(&closed, &|| setup.stopped());
    if let Some(fault) = fault {
        collected.fail(Member::Server, 0, fault);
        return Ok(false);
    }
    let mut search =
        Search::from((alone.calls as f64 / alone.length.as_secs_f64().max(1e-9) / 16.0).max(4.0));
    let stage = setup.stage("measure", &format!("capacity with p99 ≤ {limit:?}"), 16);
    let (mut rungs, mut fault) = (Vec::new(), None);
    while let Some(rate) = search.rate().filter(|_| !setup.stopped()) {
        stage.doing(&format!("{rate:.0} calls/s"));
        let open = modes::stretch(setup, Load::Open { rate, poisson }, placement, length);
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
        let key = Key {
            load: open.load,
            label: format!("{rate:.0}"),
            ..modes::key(setup, Member::Server, placement)
        };
        let gave_up = taken.given_up > 0;
        if rung.held {
            collected.add(key, taken, start, cpu, usage);
        }
        stage.step();
        if gave_up {
            // What was given up is answered some time, and would be taken for answers of the next rate.
            let Some((next, _)) = modes::session(setup, members, collected)? else { return Ok(false) };
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

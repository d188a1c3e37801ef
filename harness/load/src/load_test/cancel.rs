//! Calls that are cancelled while they run: is the server free again, and does it obey?

use std::time::Duration;

use crate::latency::{Cancellation, Load, Member, Placement};
use crate::load::{CancelledCalls, End, Session, Stretch};
use crate::load_test::Error;
use crate::load_test::collect::Collected;
use crate::load_test::modes::{self, Members};
use crate::load_test::setup::Setup;
use crate::mcp::Fault;

/// Calls that are cancelled.
const CANCELLED: u32 = 30;

/// Cancels calls of the first server while they run.
pub(crate) fn cancel(
    setup: &Setup,
    members: &Members,
    placement: Placement,
    collected: &mut Collected,
) -> Result<bool, Error> {
    let Some((mut session, _)) = modes::session(setup, members, collected)? else { return Ok(false) };
    let mut back = (CancelledCalls::default(), Duration::ZERO);
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
    back: &mut (CancelledCalls, Duration),
) -> Result<(), Fault> {
    let usual = Stretch {
        end: End { after: setup.options.patience, calls: 5 },
        ..modes::stretch(setup, Load::Closed { in_flight: 1 }, placement, Duration::ZERO)
    };
    let (taken, fault) = session.drive(&usual, &|| setup.stopped());
    fault.map_or(Ok(()), Err)?;
    let usual = Duration::from_nanos(taken.response.quantile(0.5).unwrap_or(0));
    // A server that goes on with the call is done by then. Below 20 ms a busy machine alone would hide it; above 2 s a
    // slow call would make the run last for minutes.
    back.1 = (usual * 2).clamp(Duration::from_millis(20), Duration::from_secs(2));
    let stage = setup.stage(
        "measure",
        &format!("{CANCELLED} calls cancelled after {:?}", usual / 2),
        u64::from(CANCELLED),
    );
    for _ in 0..CANCELLED {
        if setup.stopped() {
            break;
        }
        session.cancel_once(usual / 2, back.1, &mut back.0)?;
        stage.step();
    }
    stage.end();
    Ok(())
}

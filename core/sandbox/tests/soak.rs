//! Two hundred runs that end in every way there is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;
mod soak_ground;

#[test]
fn two_hundred_runs_leave_nothing_behind() {
    let tally = soak_ground::soak(200, 42, common::HELPER.as_ref(), common::host());
    let ways = [tally.exited, tally.timed_out, tally.cancelled, tally.dropped, tally.supervisor_killed];
    assert!(ways.iter().all(|count| *count > 0), "no run ended in one of the ways: {tally:?}");
}

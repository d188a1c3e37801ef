//! What is promised of the server, shown by running it: in namespaces in which nothing of the machine can be reached.
//!
//! This program is the test, what runs in the namespaces, and the supervisor of the sandbox in one.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]
#![expect(clippy::print_stdout, reason = "says what was skipped and how much was tried")]

mod bypass;
mod corpus;
mod coverage;
mod differential;
mod ground;
mod inside;
#[path = "../namespaces/mod.rs"]
mod namespaces;
mod place;
mod served;
mod soak;
mod state;
mod witnesses;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// The argument by which this program knows that it is in the namespaces.
const INSIDE: &str = "__inside";

fn main() -> ExitCode {
    if let Some(code) = mcp_sandbox::enter_if_asked() {
        return code;
    }
    let given: Vec<String> = std::env::args().skip(1).collect();
    if given.first().is_some_and(|first| first == INSIDE) {
        return inside::run(&given[1..]);
    }
    // Longer than a test may take: `cargo test -p bash-god --test proof -- soak 10000`, `… -- differential 1`.
    match given.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["soak", runs, ..] if runs.parse::<u64>().is_ok() => {
            soak::long(&given[1..]);
            return ExitCode::SUCCESS;
        }
        ["differential", share] if share.parse::<usize>().is_ok_and(|share| share > 0) => {
            differential::what_is_seen_was_told(share.parse().unwrap());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let tests: [(&str, fn()); 7] = [
        ("nothing_leaves_the_sandbox", bypass::nothing_leaves_the_sandbox),
        (
            "nothing_leaves_the_sandbox_in_other_profiles",
            bypass::nothing_leaves_the_sandbox_in_other_profiles,
        ),
        ("nothing_leaves_the_server", bypass::nothing_leaves_the_server),
        ("without_the_sandbox_the_canaries_die", bypass::without_the_sandbox_the_canaries_die),
        ("what_is_seen_was_told", || differential::what_is_seen_was_told(differential::SHARE)),
        ("hundreds_of_runs_leave_nothing_behind", soak::hundreds_of_runs_leave_nothing_behind),
        ("patterns_mean_what_they_say", coverage::patterns_mean_what_they_say),
    ];
    let trials = tests.into_iter().map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

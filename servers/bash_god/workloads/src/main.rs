//! The subject that measures `bash-god`: what a command would do (two parsers, effects, policy), and which command
//! serves a purpose (ranking).

mod analysing;
mod answer;
mod ranking;

use std::process::ExitCode;

use perflab_subject::Benchmark;

fn main() -> ExitCode {
    perflab_subject::serve("bash-god-workloads", all())
}

/// Every benchmark of this subject.
fn all() -> Vec<Benchmark> {
    analysing::all().into_iter().chain(ranking::all()).collect()
}

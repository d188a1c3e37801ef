//! The subject that measures `bash-god`: what a command would do (two parsers, effects, policy), and which command
//! serves a purpose (ranking).

mod analysing;
mod ranking;

use std::process::ExitCode;

fn main() -> ExitCode {
    let benchmarks = analysing::all().into_iter().chain(ranking::all());
    perflab_subject::serve("bash-god-workloads", benchmarks.collect())
}

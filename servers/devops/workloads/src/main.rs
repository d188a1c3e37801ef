//! The subject that measures `devops`: what is unusual in a series, how it goes on, when it changed, and the kinds of
//! lines of a log.

mod logs;
mod series;

use std::process::ExitCode;

fn main() -> ExitCode {
    let benchmarks = series::all().into_iter().chain(logs::all());
    perflab_subject::serve("devops-workloads", benchmarks.collect())
}

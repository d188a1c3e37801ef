//! The subject that measures `quality`: metrics of a file, copies between files, a coverage report, a selection of tests.

mod input;
mod kernels;

use std::process::ExitCode;

fn main() -> ExitCode {
    perflab_subject::serve("quality-workloads", kernels::all())
}

//! The subject that runs the kernels of `mcp-kernels`, one benchmark each.

mod answers;
mod benchmarks;
mod collections;
mod messages;
mod series;
mod text;
mod vectors;

use std::process::ExitCode;

fn main() -> ExitCode {
    perflab_subject::serve("perflab-workloads", benchmarks::all())
}

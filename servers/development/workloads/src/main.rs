//! The subject that measures `development`: search in a text, the facts of a file, a name looked up in an index, the
//! closure of a change, the uses of a definition.

mod input;
mod kernels;

use std::process::ExitCode;

fn main() -> ExitCode {
    perflab_subject::serve("development-workloads", kernels::all())
}

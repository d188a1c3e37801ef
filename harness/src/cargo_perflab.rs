//! The `cargo perflab` command: the same program, as Cargo starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    perflab::cli::main()
}

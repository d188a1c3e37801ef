//! As many runs as are asked for that end in every way there is; says how, and fails if anything is left behind.
//!
//! `cargo run -p mcp-sandbox --example soak -- 10000 [SEED]`
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../tests/soak_ground/mod.rs"]
mod soak_ground;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = mcp_sandbox::enter_if_asked() {
        return code;
    }
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let capabilities = match mcp_sandbox::offered() {
        Ok(capabilities) => capabilities,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    let (count, seed) = (numbers.first().copied().unwrap_or(200), numbers.get(1).copied().unwrap_or(42));
    let tally = soak_ground::soak(count, seed, "/proc/self/exe".as_ref(), &capabilities);
    match writeln!(std::io::stdout(), "{count} runs, nothing left: {tally:?}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

//! The server: who it is, and what it is started with.

use std::sync::Arc;

use mcp_runs::options::Settings;
use mcp_server::serve::Purpose;
use mcp_server::server::About;
use mcp_state::cli::Transfer;

use crate::facts::{Flags, facts};
use crate::remembered::{LIMITS, TestRun};
use crate::state::Quality;
use crate::tools;

/// Who it is.
pub const ABOUT: About = About {
    name: "quality-mcp",
    title: "Quality",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Measures code, finds copies and mistakes, reads coverage, runs and selects tests. Ask gate before you \
                   call a change done.",
};

/// What the server is for: what its program and its Python module are made of.
#[must_use]
pub fn purpose() -> Purpose<Flags, Transfer> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| {
            let toolchain = flags.toolchain();
            let settings = Settings::new(&ABOUT, options, &flags.sandbox(&toolchain))?;
            let state = Arc::new(Quality::new(&settings, toolchain)?);
            Ok(builder.tools(&state, tools::all(settings.read_only)))
        },
        facts,
        act: |transfer, options, _flags| {
            transfer.carry_out::<TestRun>(options.state_dir(ABOUT.name).as_deref(), LIMITS)
        },
    }
}

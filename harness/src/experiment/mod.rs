//! Experiments: plain options in, records and results out.
//!
//! Nothing here knows the command line: it neither names clap nor the module `cli`, and prints nothing. How far an
//! experiment has come goes to a [`progress::Progress`]; what it found is what it returns.
//!
//! Modules build on each other in this order, and each names only those before it; `tests/boundaries/experiment.rs` has
//! the whole table.
//!
//! 1. `progress`, `scratch`, `surroundings`, `store`: who waits, directories that go away, the machine, files.
//! 2. `lock`, `calibrations`: one lab at a time; stored calibrations and their logs.
//! 3. `context`: the workspace. What builds or measures takes a `Locked` one.
//! 4. `options`, `judged`, `revision`, `private`: what is asked for, what a record says, another commit, a copy.
//! 5. `artifacts`, `fit`, `references`: what was built, what fits into a time, what was accepted.
//! 6. `session`: launches. On it stand `builds`, `crosstalk`, `injection`, `run` and `trials`.
//! 7. `gate` and the other verbs, which name none of each other; `foreign`, the results of other tools, reads
//!    `counts`.

pub mod artifacts;
mod builds;
pub mod calibrate;
pub(crate) mod calibrations;
pub mod commands;
pub mod context;
pub mod counts;
pub(crate) mod crosstalk;
pub(crate) mod fit;
pub mod foreign;
pub mod gate;
pub(crate) mod injection;
pub mod judged;
pub mod lock;
pub mod options;
pub mod private;
pub mod progress;
pub mod references;
pub(crate) mod revision;
pub mod run;
pub(crate) mod scratch;
pub(crate) mod session;
pub mod store;
pub mod surroundings;
pub mod tool_calls;
pub(crate) mod trials;

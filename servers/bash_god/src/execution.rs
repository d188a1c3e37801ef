//! Running commands: what is asked for becomes a plan, a plan becomes a run inside the sandbox, and what a run
//! printed can be read while it runs and afterwards.

pub(crate) mod journal;
pub mod output;
pub mod plan;
pub mod runs;

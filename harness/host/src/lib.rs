//! What the lab and its load tester stand on: the statistics, and everything that knows the host.
//!
//! `stats` and `schedule` are pure. `process` starts children and leaves none behind, `machine` says what this machine
//! is, `counter` counts the instructions that a child executes, and `files` replaces files whole. The lab re-exports
//! them under the same names.

pub mod called;
pub mod counter;
pub mod files;
pub mod machine;
pub mod process;
pub mod progress;
pub mod schedule;
pub mod stats;

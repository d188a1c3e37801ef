//! A load tester for servers of the Model Context Protocol.
//!
//! One module builds on the other: [`mcp`] is the protocol as a client speaks it, [`latency`] what is kept of times and
//! how servers are compared, [`load`] servers as processes and calls in closed and open loops, and [`load_test`] a whole
//! test from its options to its record. [`bridge`] makes a server a subject of the lab, so that a suite can measure it.
//!
//! Nothing here prints or parses a command line. The lab re-exports the modules under the same names; the command line
//! over them is `perflab mcp`.

pub mod bridge;
pub mod latency;
pub mod load;
pub mod load_test;
pub mod mcp;

pub use perflab_host::machine::probe;
pub use perflab_host::progress::Watcher;
use perflab_host::{called, counter, files, machine, process, progress, schedule, stats};

/// So that the program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

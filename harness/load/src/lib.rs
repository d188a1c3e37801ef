//! A load tester for servers of the Model Context Protocol.
//!
//! `mcp` is the protocol as a client speaks it, `latency` what is kept of times and how servers are compared, and
//! `load` servers as processes and calls in closed and open loops. The lab re-exports all three under the same names.

pub mod latency;
pub mod load;
pub mod mcp;

use perflab_host::{counter, machine, process, stats};

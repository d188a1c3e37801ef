//! State with a limit on its bytes, a bounded queue, named handlers, latencies by method, facts about the host.
//!
//! [`LatencyHistogram`] and [`host`] serve both the servers of this workspace and Python programs. [`StateStore`],
//! [`PriorityQueue`] and [`Router`] have Python programs as their only users: they are the Rust half of the Python
//! module `mcp_rust_core`, and change with what that module needs.
//!
//! Nothing here starts a thread or a runtime, and nothing is global: each value works in the thread that calls it,
//! and several of the same kind know nothing of each other.

pub mod host;
pub mod latency;
pub mod priority_queue;
pub mod router;
pub mod state_store;

pub use latency::{LatencyHistogram, LatencySummary};
pub use priority_queue::{Order, Priority, PriorityQueue};
pub use router::Router;
pub use state_store::{StateStore, StoreError, StoreStatistics, Versioned};

//! What MCP servers share: state with a limit on its bytes, a bounded queue, latencies by method, facts
//! about the host, commands with limits, and handlers by name.
//!
//! Nothing here starts a thread or a runtime, and nothing is global: each value works in the thread that
//! calls it, and several of the same kind know nothing of each other.

pub mod command;
pub mod host;
pub mod latency;
pub mod priority_queue;
pub mod router;
pub mod state_store;

pub use latency::{LatencyHistogram, LatencySummary};
pub use priority_queue::{Order, Priority, PriorityQueue};
pub use router::Router;
pub use state_store::{StateStore, StoreError, StoreStatistics, Versioned};

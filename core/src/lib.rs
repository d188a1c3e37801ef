//! What MCP servers share: state with a limit on its bytes, a bounded queue, latencies by method, facts
//! about the host, commands with limits; with the feature `serve` also tools, and their faces to clients.
//!
//! Nothing here starts a thread or a runtime, and nothing is global: each value works in the thread that
//! calls it, and several of the same kind know nothing of each other. Two exceptions concern whole
//! processes and long work: `serve::main` is a process and has its runtime, and `tool::Tool::heavy` runs in
//! the threads of whatever runtime serves it.

#[cfg(feature = "serve")]
pub mod ask;
#[cfg(feature = "serve")]
pub mod budget;
pub mod command;
#[cfg(feature = "serve")]
pub mod content;
#[cfg(feature = "serve")]
pub mod context;
#[cfg(feature = "serve")]
pub mod doctor;
pub mod host;
#[cfg(feature = "serve")]
mod json;
pub mod latency;
#[cfg(feature = "serve")]
pub mod layers;
#[cfg(feature = "serve")]
pub mod options;
pub mod priority_queue;
#[cfg(feature = "serve")]
pub mod reference;
pub mod router;
#[cfg(feature = "serve")]
mod schema;
#[cfg(feature = "serve")]
pub mod seal;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "serve")]
pub mod server;
pub mod state_store;
#[cfg(feature = "serve")]
pub mod tool;

pub use latency::{LatencyHistogram, LatencySummary};
pub use priority_queue::{Order, Priority, PriorityQueue};
pub use router::Router;
pub use state_store::{StateStore, StoreError, StoreStatistics, Versioned};

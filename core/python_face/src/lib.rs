//! What the project's Python modules share: objects from JSON text and back, panics that end as exceptions,
//! calls of Python code that end together with the interpreter; with the feature `serve` also a server in
//! process, the third face of its list of tools.
//!
//! Python modules are packages of their own with nothing but glue; see [`server_module!`] for those of servers.

pub mod callers;
pub mod guard;
pub mod json;
#[cfg(feature = "serve")]
pub mod server;

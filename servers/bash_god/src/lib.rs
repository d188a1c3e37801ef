//! Shell commands as data: what a command would do and whether it may, which ones serve a purpose, and what was run;
//! with the feature `server` also the server that runs them in a sandbox.

pub mod analysis;
#[cfg(feature = "server")]
mod answers;
pub mod catalogue;
pub mod history;
#[cfg(feature = "server")]
mod judged;
#[cfg(feature = "server")]
mod memory;
pub mod optimize;
#[cfg(feature = "server")]
mod params;
pub mod policy;
#[cfg(feature = "server")]
mod programs;
pub mod ranking;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod state;
#[cfg(feature = "server")]
mod tools;
pub mod workspace;

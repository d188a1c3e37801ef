//! The quality of code, read from real files: metrics, findings, copies, coverage reports, the results of tests, which
//! tests a change needs, and one gate over all of them; with the feature `server` also the server that says so.

#[cfg(feature = "server")]
mod answers;
pub mod coverage;
pub mod duplicates;
#[cfg(feature = "server")]
pub mod facts;
pub mod gate;
pub mod git;
pub mod hotspots;
pub mod lint;
pub mod metrics;
#[cfg(feature = "server")]
mod params;
pub mod performance;
pub mod policy;
pub mod remembered;
pub mod results;
pub mod runner;
pub mod selection;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod state;
#[cfg(feature = "server")]
mod tools;
pub mod tree;
mod words;
mod xml;

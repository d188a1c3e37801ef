//! A benchmark-driven performance lab.
//!
//! One-way flow: [`plan`] → [`build`] → [`census`] → [`measure`] → [`analyse`] → [`judge`] → [`report`].
//! Each arrow is a type, defined in the module that makes it; later stages read it and never change it. [`experiment`]
//! carries the stages out: plain options in, records out. [`cli`] is the command line before it.

pub mod analyse;
pub mod build;
pub mod census;
pub mod cli;
pub mod experiment;
pub mod foreign;
pub mod history;
pub mod judge;
pub mod measure;
pub mod plan;
pub mod record;
pub mod report;
pub mod rows;

pub use perflab_host::{called, counter, files, machine, process, progress, schedule, stats};
pub use perflab_load::{bridge, latency, load, load_test, mcp};

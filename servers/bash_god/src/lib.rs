//! Shell commands as data: what a command would do, and whether it may.

pub mod analysis;
pub mod policy;

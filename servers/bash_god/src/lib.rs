//! Finds, reads, judges and runs shell commands.

pub mod catalogue;
pub mod history;
pub mod ranking;

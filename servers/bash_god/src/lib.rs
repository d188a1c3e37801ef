//! Shell commands as data: what a command would do and whether it may, which ones serve a purpose, and what was run.

pub mod analysis;
pub mod catalogue;
pub mod history;
pub mod policy;
pub mod ranking;

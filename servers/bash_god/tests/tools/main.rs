//! The server as a whole: processes that are spoken to over stdin and stdout, and over HTTP.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod contract;
mod faults;
mod http;
mod memory;
mod missing;
mod permission;
mod runs;
mod start;
mod support;

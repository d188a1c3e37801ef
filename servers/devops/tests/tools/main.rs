//! The server as a whole: processes that are spoken to over stdin and stdout.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod contract;
mod faults;
mod memory;
mod support;
mod texts;

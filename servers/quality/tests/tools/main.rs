//! The server as a whole: processes that are spoken to over stdin and stdout.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod bad_input;
mod change;
mod code;
mod contract;
mod honest;
mod runs;
mod support;

//! The server as a whole: a process that is spoken to over stdin and stdout.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod contract;
mod equality;
mod faults;
mod support;

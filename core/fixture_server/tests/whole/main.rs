//! Tests of whole servers: processes that are spoken to over stdin and stdout, and over HTTP.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod calls;
#[expect(dead_code, reason = "the tests of other servers use the rest of it")]
#[path = "../client/mod.rs"]
mod client;
mod fuzz;
mod http;
mod stdio;
mod support;

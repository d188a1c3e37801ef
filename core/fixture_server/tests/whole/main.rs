//! Tests of whole servers: processes that are spoken to over stdin and stdout, and over HTTP.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

mod calls;
mod fuzz;
mod http;
mod http_clients;
mod http_sessions;
mod stdio;
mod support;

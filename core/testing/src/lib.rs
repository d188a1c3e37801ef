//! What the tests of servers share: a [`client`] of whole processes, one over [`http`], and arguments made from
//! [`schema`]s.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed: a panic is how")]

pub mod client;
pub mod http;
pub mod schema;

//! What the tests of servers share: a [`client`] of whole processes, one over [`http`], arguments made from
//! [`schema`]s, a [`place`] for a server of its own, and what every server has to hold, the [`protocol`].

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed: a panic is how")]

pub mod client;
pub mod http;
pub mod place;
pub mod protocol;
pub mod schema;

//! The faces of a server over the protocol: stdin and stdout, and Streamable HTTP, both generations of it.
//! Only this directory names the protocol library.

mod client;
pub(crate) mod codec;
mod connections;
mod cors;
mod front;
mod handler;
mod http;
mod output;
mod pipes;
mod plain;
mod run;
mod sessions;
mod stdio;

pub use http::{ENDPOINT, HttpError, SHORTEST_TOKEN};
pub use run::{Purpose, StartError, Way, connection, in_process, main};
pub use stdio::LONGEST_LINE;

#[cfg(test)]
mod tests;

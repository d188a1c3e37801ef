//! The Model Context Protocol as a client needs it: bytes out, bytes in, nothing in between. No IO.
//!
//! Both eras are spoken: revision 2026-07-28, where every request tells its version in `_meta`, and 2025-11-25,
//! which opens with `initialize`. See <https://modelcontextprotocol.io/specification>.

mod answer;
mod arguments;
mod calls;
mod era;
mod fault;
mod headers;
mod http;
mod message;
mod sse;
mod tool;

pub use answer::{Expectation, Oracle};
pub use arguments::{arguments, with_payload};
pub use calls::{Call, CallEntry, CallsError, Mix, calls_of, find_tool, parse_calls};
pub use era::{Era, Protocol, cancelled, opening, supported};
pub use fault::Fault;
pub use headers::{mirrored, request_head};
pub use http::{Body, Head, HttpError, Part, ResponseReader};
pub use message::{Answer, Incoming, RpcError, read_message};
pub use sse::EventReader;
pub use tool::{Tool, read_tools};

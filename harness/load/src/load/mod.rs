//! A client that puts load on an MCP server, and measures what comes back. One thread, no SDK: bytes are
//! written and read here, and the clock is read next to the system calls.

mod cancelled;
mod client;
mod clock;
mod drive;
mod flight;
mod http;
mod in_process;
mod instructions;
mod link;
mod pipe;
mod stdio;
mod usage;

pub use cancelled::CancelledCalls;
pub use client::{Client, Program};
pub use clock::Clock;
pub use drive::{CallSet, End, Session, Stretch, Taken};
pub use http::{Address, AddressError};
pub use in_process::InProcess;
pub use instructions::{Uncounted, count_instructions};
pub use pipe::Pipe;
pub use usage::{Usage, calm_timer, cpu_of, pin_to, processes_of, usage_of};

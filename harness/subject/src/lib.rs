//! Makes an executable a *subject*: a process that perflab starts, asks for turns, and times.
//!
//! A subject owns its timing loop, so that nothing but the measured code runs between the two clock
//! readings, and speaks JSON lines on stdin and stdout (see `harness/PROTOCOL.md`).
//!
//! ```no_run
//! use perflab_subject::{Benchmark, Input, serve};
//!
//! fn main() -> std::process::ExitCode {
//!     let sum = Benchmark::new("sum", 1225, 45, |input| {
//!         let end = match input { Input::Measure => 50_u64, Input::Count => 10 };
//!         let numbers: Vec<u64> = (0..end).collect();
//!         move || numbers.iter().sum()
//!     });
//!     serve("my-subject", vec![sum])
//! }
//! ```

pub mod answer;
mod benchmark;
pub mod calls;
mod json;
pub mod lab;
mod os;
pub mod protocol;
mod serve;
#[cfg(feature = "sources")]
pub mod sources;
mod wire;

pub use benchmark::{Benchmark, Input};
pub use serve::serve;

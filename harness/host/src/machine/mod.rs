//! The machine: what it is, what it can do, and how two of them differ.

mod cores;
mod environment;
pub mod features;
mod probe;
mod python;
mod quota;

pub use cores::{cores, last_core, priority};
pub use environment::{Cpu, Difference, Environment, Toolchain};
pub use probe::{bundled_lld, c_library, probe, probe_system, rustc_cfg, rustc_sysroot, toolchain};
pub use python::{Interpreter, Python, probe_python};

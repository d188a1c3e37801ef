//! Counts the instructions that a child executes, whatever instruction set they belong to.
//!
//! Two means: *single steps*, in which the kernel stops the child after each instruction and nothing is decoded,
//! so that AVX-512 counts like everything else; and the *hardware*, the processor's own counter, where there is
//! one that this process may use. Single steps are exact and slow (tens of thousands of instructions a second);
//! the hardware is fast, and its counts may differ by a few for interrupts that fall into the stretch.
//!
//! Two stretches: the *region* of one call that a subject marks itself ([`count_region`]), and what a whole server
//! does between two moments of rest ([`ServerCounter`]).
//!
//! Only instructions of the program count, not those of the kernel. A system call is one instruction. A
//! `rep`-prefixed instruction is one, however many rounds it takes, as processors count it. Handlers of signals
//! that arrive in the stretch are part of it.

mod allowed;
mod hardware;
mod region;
mod server;
mod tracee;

pub use hardware::hardware_works;
pub use region::{Tally, count_region};
pub use server::ServerCounter;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// By what instructions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Single steps under ptrace.
    SingleStep,
    /// The processor's counter of retired instructions, through `perf_event_open`.
    Hardware,
}

impl Means {
    /// The hardware where it works, else single steps.
    #[must_use]
    pub fn fastest() -> Self {
        if hardware_works().is_ok() { Self::Hardware } else { Self::SingleStep }
    }

    /// What reports call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleStep => "single steps",
            Self::Hardware => "hardware counter",
        }
    }
}

/// Where counting gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most instructions of one stretch.
    pub instructions: u64,
    /// The longest that one stretch may take.
    pub patience: Duration,
}

/// Why there is no count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// This process may not trace or count another.
    #[error("{0}")]
    NotAllowed(String),
    /// The child ended before its stretch did.
    #[error("the process ended while its instructions were counted")]
    Ended,
    /// More instructions than were allowed.
    #[error("more than {limit} instructions, where counting gives up")]
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// It took too long.
    #[error("not counted to its end within {} s", patience.as_secs_f64())]
    TimedOut {
        /// How long was waited.
        patience: Duration,
    },
    /// The subject answered without marking its call.
    #[error("the subject does not mark the counted call (SIGWINCH twice before it and once after it)")]
    NotMarked,
    /// The system refused something else.
    #[error("{what}: {reason}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        reason: String,
    },
}

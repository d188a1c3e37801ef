//! The processor's own counter of retired instructions.

use std::hint::black_box;
use std::io;

use perf_event::events::{Event, Hardware};
use perf_event::{Builder, Counter};

use crate::counter::CountError;

/// Whether there is a counter of instructions that this process may use: it is tried on a loop. Virtual machines
/// mostly have none.
///
/// # Errors
/// In a clause, why not.
pub fn hardware_works() -> Result<(), String> {
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported => {
            "this machine shows no counter of instructions".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "perf_event_open is refused: `sysctl kernel.perf_event_paranoid=2`, and in a container a seccomp \
             profile that allows it"
                .to_owned()
        }
        _ => format!("perf_event_open: {error}"),
    };
    let mut counter = Builder::new().kind(Hardware::INSTRUCTIONS).build().map_err(told)?;
    counter.enable().map_err(told)?;
    // More instructions than rounds, whatever the compiler makes of it.
    let rounds = 1000;
    for round in 0..rounds {
        black_box(round);
    }
    counter.disable().map_err(told)?;
    match counter.read() {
        Ok(counted) if counted >= rounds => Ok(()),
        Ok(counted) => {
            Err(format!("the counter of instructions stands at {counted} after {rounds} rounds of a loop"))
        }
        Err(error) => Err(told(error)),
    }
}

/// A counter of one event in the user code of a thread and, with `inherit`, of the threads that it starts.
/// It stands still until it is enabled.
pub(crate) fn counter_of(thread: i32, event: Event, inherit: bool) -> Result<Counter, CountError> {
    let mut builder = Builder::new().kind(event).observe_pid(thread);
    builder.inherit(inherit);
    builder.build().map_err(|error| failed(&error))
}

/// The event that counts instructions.
pub(crate) fn instructions() -> Event {
    Hardware::INSTRUCTIONS.into()
}

pub(crate) fn failed(error: &io::Error) -> CountError {
    CountError::System { what: "the hardware counter", reason: error.to_string() }
}

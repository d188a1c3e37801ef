//! What other threads hold of a run.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};

use crate::wire::CANCEL;

/// Cancels a run from another thread.
#[derive(Debug)]
pub struct CancelHandle(pub(crate) UnixStream);

impl CancelHandle {
    /// Has everything killed that the command started; the outcome says [`Reason::Cancelled`](crate::Reason). Does
    /// nothing to a run that has ended.
    pub fn cancel(&self) {
        // A closed socket belongs to a run that has ended.
        let _ = (&self.0).write_all(&[CANCEL]);
    }
}

/// Tells from another thread that a run has something to say, its end among it.
#[derive(Debug)]
pub struct Watch(pub(crate) UnixStream);

impl Watch {
    /// Waits until the run has something to say; [`Running::wait_timeout`](crate::Running::wait_timeout) then finds
    /// out what.
    ///
    /// # Errors
    /// What the system says when it cannot wait.
    pub fn wait(&self) -> io::Result<()> {
        loop {
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

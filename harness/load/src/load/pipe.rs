//! The floor of every server: `cat`, which gives back what it is given.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::load::clock::{ns, thread_cpu_ns};
use crate::load::stdio::StdioLink;
use crate::load::{Clock, Taken, Usage, usage_of};
use crate::mcp::Fault;
use crate::process::Invocation;

/// The longest that one echo is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `cat`.
pub struct Pipe {
    link: StdioLink,
    clock: Clock,
    line: Vec<u8>,
}

impl Pipe {
    /// Starts an echoing child, through which this line will go.
    ///
    /// # Errors
    /// The [`Fault`] when it does not start, or gives back something else.
    pub fn start(invocation: &Invocation, line: Vec<u8>) -> Result<Self, Fault> {
        let clock = Clock::start();
        let mut link = StdioLink::start(invocation)?;
        echo(&mut link, clock, &line)?;
        Ok(Self { link, clock, line })
    }

    /// Sends another line from now on.
    pub fn choose(&mut self, line: Vec<u8>) {
        self.line = line;
    }

    /// Sends the line, one at a time, for so long. What was measured before a fault is returned with it.
    pub fn drive(&mut self, length: Duration, stop: &dyn Fn() -> bool) -> (Taken, Option<Fault>) {
        let mut taken = Taken {
            began: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            ..Taken::default()
        };
        let (start, cpu) = (self.clock.ns(), thread_cpu_ns());
        let mut fault = None;
        while fault.is_none() && self.clock.ns() - start < ns(length) && !stop() {
            let sent = self.clock.ns();
            match echo(&mut self.link, self.clock, &self.line) {
                Ok(at) => {
                    taken.response.record(at - sent);
                    taken.calls += 1;
                }
                Err(error) => fault = Some(error),
            }
        }
        taken.length = Duration::from_nanos(self.clock.ns() - start);
        taken.own_cpu_ns = thread_cpu_ns() - cpu;
        (taken, fault)
    }

    /// The process group of the child.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.link.child.pid()
    }

    /// What the child has used so far.
    pub fn usage(&self) -> Usage {
        usage_of(self.link.child.pid())
    }

    /// Ends it.
    pub fn end(mut self) {
        self.link.child.end();
    }
}

/// Sends a line and waits until it is back. Returns when.
fn echo(link: &mut StdioLink, clock: Clock, line: &[u8]) -> Result<u64, Fault> {
    link.send(line)?;
    let mut back = None;
    let start = clock.ns();
    while back.is_none() {
        link.wait(PATIENCE)?;
        link.receive(clock, &mut |text, at| {
            back = Some(at);
            let wrong = || Fault::Connection { said: "the pipe gave back something else".to_owned() };
            if text == line { Ok(()) } else { Err(wrong()) }
        })?;
        if clock.ns() - start > ns(PATIENCE) {
            return Err(Fault::Connection { said: "the pipe gave nothing back".to_owned() });
        }
    }
    Ok(back.unwrap_or(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_is_timed_and_what_is_no_cat_is_refused() {
        let short = Duration::from_millis(50);
        let cat = Invocation::new("cat", [""; 0]);
        let mut pipe = Pipe::start(&cat, b"{\"a\":1}".to_vec()).unwrap();
        let (taken, fault) = pipe.drive(short, &|| false);
        assert_eq!(fault, None);
        assert!(taken.calls > 10 && taken.response.count() == taken.calls);
        assert_eq!(pipe.usage().processes, 1);
        pipe.end();
        let upper = Invocation::new("sh", ["-c", "while read -r line; do echo other; done"]);
        assert_eq!(
            Pipe::start(&upper, b"a".to_vec()).err().map(|fault| fault.name()),
            Some("connection".to_owned())
        );
    }
}

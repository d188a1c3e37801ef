//! The floor of every server: `cat`, which gives back what it is given.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::load::clock::{ns, thread_cpu_ns};
use crate::load::stdio::StdioLink;
use crate::load::{Clock, Taken, Usage, usage_of};
use crate::mcp::Fault;
use crate::process::Invocation;

/// The longest that one echo is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a line through an echoing child, one at a time, for so long. What the pipe and this client cost.
///
/// # Errors
/// The [`Fault`] when it does not start, or gives back something else.
pub fn pipe_floor(
    invocation: &Invocation,
    line: &[u8],
    length: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<(Taken, Usage), Fault> {
    let clock = Clock::start();
    let mut link = StdioLink::start(invocation)?;
    let warm = echo(&mut link, clock, line)?;
    let mut taken =
        Taken { began: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), ..Taken::default() };
    let before = usage_of(link.child.pid());
    let (start, cpu) = (clock.ns().max(warm), thread_cpu_ns());
    while clock.ns() - start < ns(length) && !stop() {
        let sent = clock.ns();
        let at = echo(&mut link, clock, line)?;
        taken.response.record(at - sent);
        taken.calls += 1;
    }
    taken.length = Duration::from_nanos(clock.ns() - start);
    taken.own_cpu_ns = thread_cpu_ns() - cpu;
    let mut usage = usage_of(link.child.pid());
    usage.cpu_ns = usage.cpu_ns.saturating_sub(before.cpu_ns);
    Ok((taken, usage))
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
        let (taken, usage) = pipe_floor(&cat, b"{\"a\":1}", short, &|| false).unwrap();
        assert!(taken.calls > 10 && taken.response.count() == taken.calls);
        assert_eq!(usage.processes, 1);
        let upper = Invocation::new("sh", ["-c", "while read -r line; do echo other; done"]);
        assert_eq!(pipe_floor(&upper, b"a", short, &|| false).unwrap_err().name(), "connection");
    }
}

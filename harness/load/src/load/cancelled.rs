//! Calls that are cancelled while they run.

use std::time::Duration;

use crate::latency::Times;
use crate::load::clock::ns;
use crate::load::link::Outgoing;
use crate::load::{Session, usage_of};
use crate::mcp::{Fault, Incoming, read_message};

/// What came of calls that were cancelled.
#[derive(Clone, Debug, Default)]
pub struct CancelledCalls {
    /// Calls that were cancelled.
    pub cancelled: u64,
    /// Of those, calls whose answer came before.
    pub answered_before: u64,
    /// Of those, calls whose answer came within the grace time.
    pub answered_after: u64,
    /// From cancelling to the answer of a request that was sent right behind.
    pub free_again: Times,
    /// CPU time of the server in the grace time, in ns.
    pub cpu_after: Vec<u64>,
}

impl Session {
    /// Makes one call, cancels it after `delay`, asks for the list of tools right behind it, and watches the
    /// server for `grace`.
    ///
    /// # Errors
    /// The [`Fault`] that came in between.
    pub fn cancel_once(
        &mut self,
        delay: Duration,
        grace: Duration,
        into: &mut CancelledCalls,
    ) -> Result<(), Fault> {
        let (call, probe) = (self.client.next_id, self.client.next_id + 1);
        self.client.next_id += 2;
        // The call and the probe need a connection each; so does a message that cancels.
        self.client.link.widen(3);
        let mut body = Vec::new();
        let (tool, mirrored) = self.write(call, &mut body);
        let message = Outgoing {
            id: Some(call),
            method: "tools/call",
            name: Some(&tool),
            mirrored: &mirrored,
            body: &body,
        };
        self.client.link.send(&self.client.protocol, message)?;
        let mut seen = Vec::new();
        self.listen(delay, &mut seen, |_| false)?;
        into.cancelled += 1;
        let before = seen.iter().any(|&(id, _)| id == call);
        into.answered_before += u64::from(before);
        let start = self.client.clock.ns();
        self.client.cancel(call)?;
        let question = self.client.protocol.request(probe, "tools/list", serde_json::Map::new());
        let message = Outgoing {
            id: Some(probe),
            method: "tools/list",
            name: None,
            mirrored: &[],
            body: question.as_bytes(),
        };
        self.client.link.send(&self.client.protocol, message)?;
        let patience = self.client.patience;
        self.listen(patience, &mut seen, |seen| seen.iter().any(|&(id, _)| id == probe))?;
        let Some(&(_, at)) = seen.iter().find(|&&(id, _)| id == probe) else {
            let after_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
            return Err(Fault::Silent { method: "tools/list after a cancelled call".to_owned(), after_ms });
        };
        into.free_again.record(at.saturating_sub(start));
        let group = self.client.group();
        let cpu = usage_of(group).cpu_ns;
        self.listen(grace, &mut seen, |_| false)?;
        into.cpu_after.push(usage_of(group).cpu_ns.saturating_sub(cpu));
        into.answered_after += u64::from(!before && seen.iter().any(|&(id, _)| id == call));
        Ok(())
    }

    /// Collects answers, by id and time, for so long or until it is enough.
    fn listen(
        &mut self,
        length: Duration,
        seen: &mut Vec<(u64, u64)>,
        enough: impl Fn(&[(u64, u64)]) -> bool,
    ) -> Result<(), Fault> {
        let end = self.client.clock.ns() + ns(length);
        while !enough(seen) {
            let now = self.client.clock.ns();
            if now >= end {
                break;
            }
            self.client.link.wait(Duration::from_nanos(end - now))?;
            self.client.link.receive(self.client.clock, &mut |text, at| {
                if let Incoming::Answer(answer) = read_message(text)? {
                    seen.extend(answer.id.map(|id| (id, at)));
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

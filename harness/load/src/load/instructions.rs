//! What a server executes for a call: exact, where a time is not, and too slow to measure beside one.

use crate::counter::{CountError, Limits, Means, ServerCounter};
use crate::latency::Load;
use crate::load::{End, Session, Stretch};
use crate::mcp::Fault;

/// Calls that are made before one is counted: the first ends the wait that attaching broke off, and goes another way.
const UNCOUNTED: u32 = 1;

/// Why a server's calls have no count.
#[derive(Debug, thiserror::Error)]
pub enum Uncounted {
    /// A call went wrong.
    #[error("a call went wrong while its instructions were counted: {0}")]
    Call(Fault),
    /// Counting did.
    #[error(transparent)]
    Counter(#[from] CountError),
}

/// Counts the instructions of each of the next `calls` calls of a session, one in flight, and ends its server. All
/// processes and threads of the server count, and so does what it does after an answer until it rests again.
///
/// By single steps a call takes its instructions divided by some tens of thousands, in seconds: the session's patience
/// has to allow that, up to `limits.instructions`. Warm the server first: it is counted as it is.
///
/// # Errors
/// [`Uncounted`]. The server has been ended then too.
pub fn count_instructions(
    mut session: Session,
    calls: u32,
    means: Means,
    limits: Limits,
) -> Result<Vec<u64>, Uncounted> {
    let mut counter = ServerCounter::attach(session.client.group(), means, limits)?;
    let one = Stretch {
        load: Load::Closed { in_flight: 1 },
        end: End { after: limits.patience, calls: 1 },
        seed: 0,
        alone: false,
        give_up: None,
    };
    let mut counts = Vec::new();
    for call in 0..UNCOUNTED + calls {
        let (_, fault) = session.drive(&one, &|| false);
        if let Some(fault) = fault {
            return Err(Uncounted::Call(fault));
        }
        let count = counter.settle()?;
        if call >= UNCOUNTED {
            counts.push(count);
        }
    }
    // Before the client asks for the server's end: until then its steps would be handed to whoever waits.
    counter.end();
    session.client.end();
    Ok(counts)
}

//! What happens around every tool, in one place and in this order: the arguments are validated, the rate is
//! limited, the deadline and the caller's loss of interest end the work, the answer's length is capped, its
//! text is made safe to show, the call is audited, its latency is recorded.

mod admit;
mod audit;
mod bounded;
mod rate;
mod sanitize;

use std::time::Instant;

use mcp_store::LatencyHistogram;

use crate::budget::{BYTES_PER_TOKEN, Budget, MAX_TOKENS};
use crate::content::Reply;
use crate::tool::{Failure, ToolError};

pub(crate) use admit::{Admitted, Entry, Prepared, Received, Started};
pub use audit::{Audit, AuditError};
use rate::Rate;
pub use sanitize::sanitize;

/// The layers of one server.
#[derive(Default)]
pub(crate) struct Layers {
    pub latency: LatencyHistogram,
    pub audit: Option<Audit>,
}

/// What the end of a call has to know about its beginning.
struct Begun {
    tool: &'static str,
    at: Instant,
    budget: Budget,
    /// The arguments, where the call is audited.
    arguments: Option<String>,
}

impl Layers {
    /// The layers after a tool: cap, sanitize, audit, latency.
    fn end(&self, call: &Begun, result: Result<Reply, ToolError>) -> Result<Reply, ToolError> {
        let result = result.and_then(|reply| capped(reply, call.budget));
        let result = match result {
            Ok(mut reply) => {
                sanitize::reply(&mut reply);
                Ok(reply)
            }
            Err(error) => Err(error),
        };
        let nanos = u64::try_from(call.at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let (Some(audit), Some(arguments)) = (&self.audit, &call.arguments) {
            audit.record(call.tool, arguments, nanos, result.as_ref().err());
        }
        self.latency.record(call.tool, nanos);
        result
    }
}

/// Structured content is never cut: an answer that is too long is an error that says how to get a shorter one.
fn capped(reply: Reply, budget: Budget) -> Result<Reply, ToolError> {
    let length = reply.len();
    if length <= budget.max_bytes() {
        return Ok(reply);
    }
    let tokens = length.div_ceil(BYTES_PER_TOKEN);
    let most = budget.max_tokens;
    let sentence = format!(
        "the answer has about {tokens} tokens, more than the {most} of {MAX_TOKENS}: ask for less, or raise it"
    );
    Err(ToolError::new(Failure::TooLong, sentence))
}

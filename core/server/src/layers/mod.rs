//! What happens around every tool, in one place and in this order: the arguments are validated, the rate is
//! limited, the deadline and the caller's loss of interest end the work, the answer's length is capped, its
//! text is made safe to show, the call is audited, its latency is recorded.

mod audit;
mod rate;
mod sanitize;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use crate::budget::{BYTES_PER_TOKEN, Budget, MAX_TOKENS};
use crate::content::Reply;
use crate::context::{Boxed, Call, Context};
use crate::tool::{Arguments, Failure, Prepared, Spec, Started, ToolError, broken};
use mcp_store::LatencyHistogram;

pub use audit::{Audit, AuditError};
pub(crate) use rate::Rate;
pub use sanitize::sanitize;

/// A tool as a server holds it: bound to its state.
pub(crate) struct Entry {
    pub spec: Spec,
    pub rate: Option<Rate>,
    pub decode: Box<Bound>,
}

type Bound = dyn Fn(&Spec, Arguments<'_>) -> Result<Prepared, ToolError> + Send + Sync;

/// The layers of one server.
#[derive(Default)]
pub(crate) struct Layers {
    pub latency: LatencyHistogram,
    pub audit: Option<Audit>,
}

/// A call under way: what its end has to know about its beginning.
pub(crate) struct Begun {
    at: Instant,
    budget: Budget,
    /// The arguments, where the call is audited.
    arguments: Option<String>,
}

impl Entry {
    /// The first layer: arguments that the tool takes, or a sentence.
    pub fn validate(&self, arguments: Arguments<'_>) -> Result<Prepared, ToolError> {
        (self.decode)(&self.spec, arguments)
    }

    /// The arguments as the audit log shows them; `None` where the tool is not audited.
    pub fn audited(&self, arguments: &Arguments<'_>) -> Option<String> {
        self.spec.is_audited.then(|| match arguments {
            Arguments::Text(text) => (*text).to_owned(),
            Arguments::Value(value) => value.to_string(),
        })
    }
}

impl Layers {
    /// Lets a call in, or says that there were too many.
    pub fn begin(
        &self,
        entry: &Entry,
        budget: Budget,
        arguments: Option<String>,
    ) -> Result<Begun, ToolError> {
        if let Some(rate) = &entry.rate {
            rate.take(Instant::now()).map_err(|wait| {
                let sentence = format!("{} was called too often: wait {wait:.1} s", entry.spec.name);
                ToolError::new(Failure::TooOften, sentence)
            })?;
        }
        Ok(Begun { at: Instant::now(), budget, arguments })
    }

    /// Runs a tool that answers at once.
    pub fn run_here(&self, entry: &Entry, prepared: Prepared, begun: &Begun) -> Result<Reply, ToolError> {
        let context = Context::detached(prepared.budget);
        let started = std::panic::catch_unwind(AssertUnwindSafe(|| (prepared.start)(context)));
        let result = match started {
            Ok(Started::Done(result)) => result,
            Ok(Started::Later(_)) => unreachable!("a tool that waits runs beside others"),
            Err(_) => Err(broken()),
        };
        self.end(entry, begun, result)
    }

    /// Runs any tool, until it ends, its time is up, or the caller loses interest.
    pub async fn run(
        &self,
        entry: &Entry,
        prepared: Prepared,
        begun: Begun,
        call: Arc<Call>,
    ) -> Result<Reply, ToolError> {
        let context = Context::new(prepared.budget, Arc::clone(&call));
        let started = std::panic::catch_unwind(AssertUnwindSafe(|| (prepared.start)(context)));
        let result = match started {
            Ok(Started::Done(result)) => result,
            Ok(Started::Later(work)) => Self::bounded(entry, Unbroken(work), &call).await,
            Err(_) => Err(broken()),
        };
        self.end(entry, &begun, result)
    }

    async fn bounded(entry: &Entry, work: Unbroken, call: &Call) -> Result<Reply, ToolError> {
        let time_is_up = async {
            match call.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let lost = call.cancel.cancelled();
        match first(work, lost, time_is_up).await {
            First::Answer(result) => result,
            First::Lost => Err(ToolError::cancelled()),
            First::TimeIsUp => {
                // Work in a thread of its own is still running, and looks at this.
                call.cancel.cancel();
                let sentence =
                    format!("{} took longer than {:?}: ask for less", entry.spec.name, entry.spec.timeout);
                Err(ToolError::new(Failure::TimedOut, sentence))
            }
        }
    }

    /// The layers after a tool: cap, sanitize, audit, latency.
    pub fn end(
        &self,
        entry: &Entry,
        begun: &Begun,
        result: Result<Reply, ToolError>,
    ) -> Result<Reply, ToolError> {
        let result = result.and_then(|reply| capped(reply, begun.budget));
        let result = match result {
            Ok(mut reply) => {
                sanitize::reply(&mut reply);
                Ok(reply)
            }
            Err(error) => Err(error),
        };
        let nanos = u64::try_from(begun.at.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let (Some(audit), Some(arguments)) = (&self.audit, &begun.arguments) {
            audit.record(entry.spec.name, arguments, nanos, result.as_ref().err());
        }
        self.latency.record(entry.spec.name, nanos);
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

/// Work whose panic is an error of the tool, not the end of the server.
struct Unbroken(Boxed<'static, Result<Reply, ToolError>>);

impl Future for Unbroken {
    type Output = Result<Reply, ToolError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let work = self.0.as_mut();
        std::panic::catch_unwind(AssertUnwindSafe(|| work.poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(broken())))
    }
}

enum First {
    Answer(Result<Reply, ToolError>),
    Lost,
    TimeIsUp,
}

/// Whichever is ready first. Work that is done at once is done, whatever else happened; later on, an answer
/// is not wanted any more when the caller is gone.
async fn first(
    mut work: Unbroken,
    lost: impl Future<Output = ()>,
    time_is_up: impl Future<Output = ()>,
) -> First {
    let mut lost = std::pin::pin!(lost);
    let mut time_is_up = std::pin::pin!(time_is_up);
    let mut has_begun = false;
    std::future::poll_fn(move |context| {
        if has_begun && lost.as_mut().poll(context).is_ready() {
            return Poll::Ready(First::Lost);
        }
        if let Poll::Ready(result) = Pin::new(&mut work).poll(context) {
            return Poll::Ready(First::Answer(result));
        }
        if !std::mem::replace(&mut has_begun, true) && lost.as_mut().poll(context).is_ready() {
            return Poll::Ready(First::Lost);
        }
        time_is_up.as_mut().poll(context).map(|()| First::TimeIsUp)
    })
    .await
}

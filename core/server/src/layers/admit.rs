//! The one way to a running tool: a call is received, admitted, and run, and each step takes what only the step before
//! it makes.
//!
//! The fields that hold a tool's function are private to this module, so no face can start a tool whose call was not
//! validated, limited, and noted for the audit log; the compiler holds that. A face chooses only between running a
//! tool here and running it beside others.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::ask::Inputs;
use crate::budget::Budget;
use crate::content::Reply;
use crate::context::{Boxed, Call, Client, Context, Era};
use crate::layers::bounded::Unbroken;
use crate::layers::{Begun, Layers, Rate};
use crate::tool::{Arguments, Failure, Spec, Tool, ToolError, broken};

/// A tool as a server holds it: bound to its state.
pub(crate) struct Entry {
    pub spec: Spec,
    rate: Option<Rate>,
    decode: Box<Bound>,
}

type Bound = dyn Fn(&Spec, Arguments<'_>) -> Result<Prepared, ToolError> + Send + Sync;

/// What a tool makes of arguments that it takes: its function, ready to start.
pub(crate) struct Prepared {
    budget: Budget,
    /// How many bytes of the text the arguments were.
    consumed: usize,
    start: Box<Start>,
}

type Start = dyn FnOnce(Context) -> Started + Send;

/// A call that was started.
pub(crate) enum Started {
    Done(Result<Reply, ToolError>),
    Later(Boxed<'static, Result<Reply, ToolError>>),
}

/// A call whose arguments were read, valid or not. It counts for nothing before [`Layers::admit`], so a face may
/// still drop it and leave the message to another reader.
pub(crate) struct Received<'a> {
    entry: &'a Entry,
    prepared: Result<Prepared, ToolError>,
    /// The arguments, where the tool is audited.
    arguments: Option<String>,
}

/// A call that may run, once. It borrows nothing, so that it can go on in a task of its own.
pub(crate) struct Admitted {
    tool: &'static str,
    timeout: Duration,
    at: Instant,
    budget: Budget,
    start: Box<Start>,
    /// The arguments, where the call is audited.
    arguments: Option<String>,
}

impl Prepared {
    /// A function that has its parameters. `consumed` says how many bytes of a text they were.
    pub fn new(budget: Budget, consumed: usize, start: Box<Start>) -> Self {
        Self { budget, consumed, start }
    }
}

impl Entry {
    /// Binds a tool to its state.
    pub fn bind<S: Send + Sync + 'static>(tool: Tool<S>, state: &Arc<S>) -> Self {
        let Tool { spec, decode } = tool;
        let state = Arc::clone(state);
        let rate = spec.per_second.map(Rate::new);
        let decode = Box::new(move |spec: &_, arguments: Arguments<'_>| decode(spec, &state, arguments));
        Self { spec, rate, decode }
    }

    /// Reads the arguments of a call.
    pub fn receive(&self, arguments: Arguments<'_>) -> Received<'_> {
        // The value is gone afterwards.
        let audited = self.spec.is_audited.then(|| match &arguments {
            Arguments::Text(text) => (*text).to_owned(),
            Arguments::Value(value) => value.to_string(),
        });
        Received { entry: self, prepared: (self.decode)(&self.spec, arguments), arguments: audited }
    }

    /// Reads the arguments at the beginning of a text, and tells how many bytes they are; `None` where they are not
    /// JSON.
    pub fn receive_from(&self, text: &str) -> Option<(Received<'_>, usize)> {
        let prepared = (self.decode)(&self.spec, Arguments::Text(text));
        let consumed = match &prepared {
            Ok(prepared) => prepared.consumed,
            // How far arguments go that the tool does not take: they have to be JSON all the same.
            Err(_) => {
                let mut values =
                    serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
                values.next()?.ok()?;
                values.byte_offset()
            }
        };
        let arguments = self.spec.is_audited.then(|| text[..consumed].to_owned());
        Some((Received { entry: self, prepared, arguments }, consumed))
    }
}

impl<'a> Received<'a> {
    /// What is known of the tool that is called.
    pub fn spec(&self) -> &'a Spec {
        &self.entry.spec
    }

    #[cfg(test)]
    pub fn is_valid(&self) -> bool {
        self.prepared.is_ok()
    }
}

impl Admitted {
    /// The tool that is called.
    pub fn tool(&self) -> &'static str {
        self.tool
    }

    /// What the tool will know of its caller. Its time begins now.
    pub fn call(
        &self,
        era: Era,
        client: Option<Arc<dyn Client>>,
        cancel: CancellationToken,
        inputs: Inputs,
    ) -> Arc<Call> {
        let deadline = Instant::now().checked_add(self.timeout);
        Arc::new(Call { cancel, deadline, era, client, inputs })
    }

    /// Starts the function, and keeps what the end of the call has to know.
    fn started(self, context: impl FnOnce(Budget) -> Context) -> (Begun, Result<Started, ToolError>) {
        let Self { tool, at, budget, start, arguments, .. } = self;
        let context = context(budget);
        let started = std::panic::catch_unwind(AssertUnwindSafe(|| start(context)));
        (Begun { tool, at, budget, arguments }, started.map_err(|_| broken()))
    }
}

impl Layers {
    /// Lets a call in, or says what is wrong with its arguments, or that there were too many calls.
    pub fn admit(&self, received: Received<'_>) -> Result<Admitted, ToolError> {
        let Received { entry, prepared, arguments } = received;
        let Prepared { budget, start, .. } = prepared?;
        if let Some(rate) = &entry.rate {
            rate.take(Instant::now()).map_err(|wait| {
                // Rounded up: who waits that long is let in.
                let wait = ((wait * 10.0).ceil() / 10.0).max(0.1);
                let sentence = format!("{} was called too often: wait {wait:.1} s", entry.spec.name);
                ToolError::new(Failure::TooOften, sentence)
            })?;
        }
        let Spec { name: tool, timeout, .. } = entry.spec;
        Ok(Admitted { tool, timeout, at: Instant::now(), budget, start, arguments })
    }

    /// Runs a tool that answers at once.
    pub fn run_here(&self, admitted: Admitted) -> Result<Reply, ToolError> {
        let (begun, started) = admitted.started(Context::detached);
        let result = match started {
            Ok(Started::Done(result)) => result,
            Ok(Started::Later(_)) => unreachable!("a tool that waits runs beside others"),
            Err(error) => Err(error),
        };
        self.end(&begun, result)
    }

    /// Runs any tool, until it ends, its time is up, or the caller loses interest.
    pub async fn run(&self, admitted: Admitted, call: Arc<Call>) -> Result<Reply, ToolError> {
        let timeout = admitted.timeout;
        let (begun, started) = admitted.started(|budget| Context::new(budget, Arc::clone(&call)));
        let result = match started {
            Ok(Started::Done(result)) => result,
            Ok(Started::Later(work)) => Unbroken(work).bounded(begun.tool, timeout, &call).await,
            Err(error) => Err(error),
        };
        self.end(&begun, result)
    }
}

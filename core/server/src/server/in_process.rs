//! Calls in this process, from JSON text to JSON text: the third face beside stdio and HTTP, for callers that
//! have their own event loop, or none.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::ask::Inputs;
use crate::content::Reply;
use crate::context::{Boxed, Client, Era};
use crate::layers::Admitted;
use crate::server::{CallError, Outcome, Server};
use crate::tool::{Arguments, Place, ToolError};

/// The result object that a client of the older protocol gets, as JSON text: `content`, `structuredContent`
/// where the tool has any, `isError`.
pub type ResultText = Result<String, CallError>;

/// Who calls a tool that takes time.
pub struct Caller {
    /// Whom the tool can ask.
    pub client: Option<Arc<dyn Client>>,
    /// Is cancelled when the answer is not wanted any more; the call then ends with [`CallError::Cancelled`].
    pub cancel: CancellationToken,
}

/// A call that was begun.
pub enum InProcess {
    /// It is over: the tool answers at once, or the call was refused.
    Done(ResultText),
    /// It goes on in this future, which has to be polled in a runtime of tokio with its timer and its IO.
    UnderWay(Boxed<'static, ResultText>),
}

impl Server {
    /// Begins a call in this process. `arguments` is the JSON text of an object. A tool that answers at once has
    /// answered when this returns, and needs neither a runtime nor a `caller`.
    pub fn call_text(
        self: &Arc<Self>,
        name: &str,
        arguments: &str,
        caller: impl FnOnce() -> Caller,
    ) -> InProcess {
        let entry = match self.find(name) {
            Ok(entry) => entry,
            Err(error) => return InProcess::Done(Err(error)),
        };
        if entry.spec.place == Place::Here {
            let admitted = self.layers.admit(entry.receive(Arguments::Text(arguments)));
            let result = admitted.and_then(|admitted| self.layers.run_here(admitted));
            return InProcess::Done(self.ended(name, result));
        }
        let caller = caller();
        if let Some(refused) = Self::refused(entry, Era::Sessions, caller.client.as_ref()) {
            return InProcess::Done(refused.map(|reply| reply.to_text()));
        }
        match self.layers.admit(entry.receive(Arguments::Text(arguments))) {
            Err(error) => InProcess::Done(self.ended(name, Err(error))),
            Ok(admitted) => InProcess::UnderWay(Box::pin(Arc::clone(self).go_on(admitted, caller))),
        }
    }

    async fn go_on(self: Arc<Self>, admitted: Admitted, caller: Caller) -> ResultText {
        let name = admitted.tool();
        let call = admitted.call(Era::Sessions, caller.client, caller.cancel, Inputs::default());
        let result = self.layers.run(admitted, call).await;
        self.ended(name, result)
    }

    fn ended(&self, name: &str, result: Result<Reply, ToolError>) -> ResultText {
        match self.outcome(name, None, result)? {
            Outcome::Answered(reply) => Ok(reply.to_text()),
            // Only the newer protocol has them.
            Outcome::NeedsInput { .. } => {
                Err(CallError::Internal(format!("{name} asked nobody in particular")))
            }
        }
    }
}

//! What a tool knows of the call that it answers: budget, deadline, cancellation, and the way back to the
//! client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::ask::{Answer, Ask, Inputs};
use crate::budget::{Budget, Detail};
use crate::tool::ToolError;

/// A future on the heap, as traits that are used as objects need it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a client may be able to do for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Asking its user.
    Elicitation,
    /// Asking its model.
    Sampling,
    /// Telling which directories it works in.
    Roots,
}

impl Capability {
    /// The name that the protocol gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elicitation => "elicitation",
            Self::Sampling => "sampling",
            Self::Roots => "roots",
        }
    }
}

/// How bad a log message is, in the words of RFC 5424.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of the RFC")]
pub enum Level {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// Which generation of the protocol a call speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Up to 2025-11-25: a handshake opens a session, and the server may send requests to the client.
    Sessions,
    /// From 2026-07-28: each request stands alone, and what the server wants to know it asks in its answer.
    Stateless,
}

/// The other side of a call.
pub trait Client: Send + Sync {
    /// Whether the client said that it can do this.
    fn can(&self, capability: Capability) -> bool;

    /// Sends a request to the client and waits for its answer.
    fn request<'a>(&'a self, method: &'a str, params: Value) -> Boxed<'a, Result<Value, ToolError>>;

    /// Sends a notification. A client that is gone misses it.
    fn notify<'a>(&'a self, method: &'static str, params: Value) -> Boxed<'a, ()>;

    /// Whether it wants log messages of this level.
    fn wants_log(&self, level: Level) -> bool;

    /// The token under which it wants to hear about progress.
    fn progress_token(&self) -> Option<&Value>;
}

/// A call, as the tool sees it. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    budget: Budget,
    /// What only tools need that wait; `None` for those that answer at once.
    call: Option<Arc<Call>>,
}

/// The state of a call that takes time.
pub(crate) struct Call {
    pub cancel: CancellationToken,
    pub deadline: Option<Instant>,
    pub era: Era,
    pub client: Option<Arc<dyn Client>>,
    pub inputs: Inputs,
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Context {
    /// A call of nobody in particular, which cannot be cancelled: for tests of tools, and for tools that
    /// answer at once.
    #[must_use]
    pub fn detached(budget: Budget) -> Self {
        Self { budget, call: None }
    }

    pub(crate) fn new(budget: Budget, call: Arc<Call>) -> Self {
        Self { budget, call: Some(call) }
    }

    /// How much the answer may say.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// How much the caller wants to read.
    #[must_use]
    pub fn detail(&self) -> Detail {
        self.budget.detail
    }

    /// Whether the caller has lost interest. Work that runs long asks now and then.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.cancel.is_cancelled())
    }

    /// Waits until the caller loses interest, or for ever.
    pub async fn cancelled(&self) {
        match &self.call {
            Some(call) => call.cancel.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// The deadline of the answer. A tool that waits for something else passes this on.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.call.as_ref().and_then(|call| call.deadline)
    }

    /// Which generation of the protocol the call speaks.
    #[must_use]
    pub fn era(&self) -> Era {
        self.call.as_ref().map_or(Era::Stateless, |call| call.era)
    }

    /// Whether the client said that it can do this.
    #[must_use]
    pub fn client_can(&self, capability: Capability) -> bool {
        self.client().is_some_and(|client| client.can(capability))
    }

    /// Reports how far the work is, where the client wants to know: `done` of `total`, in any unit, never
    /// less than before.
    pub async fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        let Some(client) = self.client() else { return };
        let Some(token) = client.progress_token() else { return };
        let mut params = json!({"progressToken": token, "progress": done});
        if let Some(total) = total {
            params["total"] = total.into();
        }
        if !message.is_empty() {
            params["message"] = message.into();
        }
        client.notify("notifications/progress", params).await;
    }

    /// As [`Context::progress`], for tools that run in a thread of their own.
    pub fn progress_from_thread(&self, done: f64, total: Option<f64>, message: &str) {
        let is_wanted = self.client().is_some_and(|client| client.progress_token().is_some());
        if is_wanted && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.block_on(self.progress(done, total, message));
        }
    }

    /// Sends a log message, where the client wants it.
    pub async fn log(&self, level: Level, message: &str) {
        if let Some(client) = self.client()
            && client.wants_log(level)
        {
            client.notify("notifications/message", json!({"level": level, "data": message})).await;
        }
    }

    /// Sends a request of the older protocol to the client and waits for its answer.
    ///
    /// # Errors
    ///
    /// When there is no client, when it does not answer, and in the newer protocol, which has no such
    /// requests: there [`Context::ask`] is the way.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, ToolError> {
        match self.client() {
            Some(client) if self.era() == Era::Sessions => client.request(method, params).await,
            _ => Err(ToolError::failed(format!("the client cannot be sent {method} in this call"))),
        }
    }

    /// Asks the client one thing. In the older protocol this waits for its answer; in the newer one the call
    /// ends here with the question, and the tool runs again, from its start, when the client repeats the call
    /// with the answer. Do nothing before asking that must not be done twice.
    ///
    /// # Errors
    ///
    /// When the client cannot be asked, and, as the way out of the tool, when it is to be asked now: pass the
    /// error on with `?`.
    pub async fn ask(&self, key: &str, ask: Ask) -> Result<Answer, ToolError> {
        let mut answers = self.ask_all(vec![(key.to_owned(), ask)]).await?;
        answers.pop().ok_or_else(|| ToolError::failed("the client gave no answer"))
    }

    /// Asks the client several things at once; the answers come in the order of the questions.
    ///
    /// # Errors
    ///
    /// As [`Context::ask`].
    pub async fn ask_all(&self, asks: Vec<(String, Ask)>) -> Result<Vec<Answer>, ToolError> {
        let Some(call) = &self.call else { return Err(no_client()) };
        for (_, ask) in &asks {
            if !self.client_can(ask.needs()) {
                let name = ask.needs().name();
                return Err(ToolError::failed(format!("this needs a client with the capability {name}")));
            }
        }
        if call.era == Era::Stateless {
            return call.inputs.take(asks);
        }
        let client = call.client.as_ref().ok_or_else(no_client)?;
        let mut answers = Vec::with_capacity(asks.len());
        for (_, ask) in asks {
            let answer = client.request(ask.method(), ask.params().clone()).await?;
            answers.push(ask.read(answer).ok_or_else(|| {
                ToolError::failed(format!(
                    "the client's answer to {} has another form than asked",
                    ask.method()
                ))
            })?);
        }
        Ok(answers)
    }

    fn client(&self) -> Option<&dyn Client> {
        self.call.as_ref()?.client.as_deref()
    }
}

fn no_client() -> ToolError {
    ToolError::failed("this call has no client that could be asked")
}

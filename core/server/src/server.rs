//! A server: a list of tools, bound to their state, behind the layers. The faces (stdio, HTTP, in process)
//! are built over it.

mod build;
mod in_process;

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::ask::{Inputs, Open};
use crate::budget::Budget;
use crate::content::Reply;
use crate::context::{Boxed, Call, Capability, Client, Context, Era};
use crate::layers::{Entry, Layers};
use crate::seal::Sealer;
use crate::tool::{Arguments, Failure, ToolError};
use mcp_store::LatencyHistogram;

pub use build::{Selection, ServerBuilder, ServerError};
pub use in_process::{Caller, InProcess, ResultText};

/// The `_meta` member under which a server names itself in each answer of the newer protocol.
pub(crate) const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// How long clients may keep the list of tools, in milliseconds. The list is fixed while the server runs;
/// an hour bounds what a client misses that keeps the list over a restart with other options.
pub const LIST_TTL_MS: u64 = 3_600_000;

/// How many tools a page of the list holds.
pub const TOOLS_PER_PAGE: usize = 100;

/// Who a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The name that programs know it by.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What a model should know before it uses the tools, in a few sentences.
    pub instructions: &'static str,
}

/// Why a call is refused before or beside its tool. These are errors of the protocol, not of the job.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// No tool has this name.
    #[error("there is no tool named `{0}`; tools/list tells which there are")]
    UnknownTool(String),
    /// No method has this name.
    #[error("there is no method named `{0}`")]
    UnknownMethod(String),
    /// The parameters of the method are not what it takes.
    #[error("{sentence}")]
    BadParams {
        /// What is wrong.
        sentence: String,
        /// More for programs.
        data: Option<Value>,
    },
    /// The client did not say that it can do what this needs.
    #[error("this needs a client with the capability {}", .0.name())]
    MissingCapability(Capability),
    /// The caller lost interest.
    #[error("the call was cancelled")]
    Cancelled,
    /// The server is not able to answer at all.
    #[error("{0}")]
    Internal(String),
}

impl CallError {
    /// Parameters that the method does not take.
    #[must_use]
    pub fn bad_params(sentence: impl Into<String>) -> Self {
        Self::BadParams { sentence: sentence.into(), data: None }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T = Reply> {
    /// With an answer, or with an error of the job.
    Answered(T),
    /// With questions to the client, which repeats the call with the answers.
    NeedsInput {
        /// The questions, by key.
        requests: Map<String, Value>,
        /// What the client sends back as it is.
        state: Option<String>,
    },
}

/// A call of a tool, as a face hands it over.
pub(crate) struct Request {
    pub arguments: Value,
    pub era: Era,
    pub client: Option<Arc<dyn Client>>,
    pub cancel: CancellationToken,
    /// The answers of the client to earlier questions.
    pub responses: BTreeMap<String, Value>,
    /// The state that came with them.
    pub state: Option<String>,
}

/// Something that a server tells clients of its own accord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The list of tools is another one.
    Tools,
    /// The list of prompts is another one.
    Prompts,
    /// The list of resources is another one.
    Resources,
    /// A resource says something else.
    Resource(String),
}

/// What a server offers beside tools: prompts, resources, completion, logging. Requests and answers have the
/// shape that the protocol gives them.
pub trait Extras: Send + Sync {
    /// The capabilities beside `tools`, as the protocol names them.
    fn capabilities(&self) -> Map<String, Value>;

    /// Answers a request such as `prompts/get`; questions to the client go through the context.
    fn answer<'a>(
        &'a self,
        method: &'a str,
        params: Value,
        context: Context,
    ) -> Boxed<'a, Result<Value, ExtraError>>;

    /// Tells of changes, from now on.
    fn changes(&self) -> Option<tokio::sync::broadcast::Receiver<Change>> {
        None
    }
}

/// Why [`Extras`] give no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExtraError {
    /// An error of the protocol.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A question of [`Context::ask`], or its failure.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

/// A server.
pub struct Server {
    about: About,
    entries: Vec<Entry>,
    by_name: HashMap<&'static str, usize>,
    definitions: Vec<Value>,
    per_page: usize,
    list_changes: bool,
    extras: Option<Arc<dyn Extras>>,
    layers: Layers,
    sealer: Sealer,
    /// `_meta` of each answer of the newer protocol, as JSON text.
    meta: Box<RawValue>,
}

impl Server {
    /// Begins a server.
    #[must_use]
    pub fn builder(about: About) -> ServerBuilder {
        ServerBuilder::new(about)
    }

    /// Who it is.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The tools as `tools/list` shows them, in a fixed order.
    #[must_use]
    pub fn list_tools(&self) -> &[Value] {
        &self.definitions
    }

    /// What the calls of the tools took.
    #[must_use]
    pub fn latency(&self) -> &LatencyHistogram {
        &self.layers.latency
    }

    /// Calls a tool in this process. The answer is the result object that a client of the older protocol gets:
    /// `content`, `structuredContent` where the tool has any, `isError`.
    ///
    /// # Errors
    ///
    /// When there is no such tool, or the tool can only be called by a client that can be asked.
    pub async fn call_tool(&self, name: &str, arguments: Value) -> Result<Value, CallError> {
        self.call_tool_until(name, arguments, CancellationToken::new()).await
    }

    /// As [`Server::call_tool`], until the token is cancelled.
    ///
    /// # Errors
    ///
    /// As [`Server::call_tool`], and when it was cancelled.
    pub async fn call_tool_until(
        &self,
        name: &str,
        arguments: Value,
        cancel: CancellationToken,
    ) -> Result<Value, CallError> {
        let request = Request {
            arguments,
            era: Era::Sessions,
            client: None,
            cancel,
            responses: BTreeMap::new(),
            state: None,
        };
        match self.call(name, request).await? {
            Outcome::Answered(reply) => {
                let mut text = Vec::with_capacity(reply.len() + 64);
                reply.write(&mut text, None);
                Ok(serde_json::from_slice(&text).expect("an answer is written as JSON"))
            }
            Outcome::NeedsInput { .. } => {
                Err(CallError::Internal(format!("{name} asks its client, and there is none")))
            }
        }
    }

    /// Calls a tool and keeps its failure apart from its answer: for tests.
    ///
    /// # Errors
    ///
    /// The failure of the tool.
    pub async fn try_tool(&self, name: &str, arguments: Value) -> Result<Reply, ToolError> {
        let entry = self.find(name).map_err(|error| ToolError::failed(error.to_string()))?;
        let cancel = CancellationToken::new();
        self.run(entry, arguments, Era::Sessions, None, cancel, Inputs::default()).await
    }

    pub(crate) fn find(&self, name: &str) -> Result<&Entry, CallError> {
        let index = self.by_name.get(name).ok_or_else(|| CallError::UnknownTool(name.to_owned()))?;
        Ok(&self.entries[*index])
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
    }

    pub(crate) fn extras(&self) -> Option<&Arc<dyn Extras>> {
        self.extras.as_ref()
    }

    /// `_meta` of answers of the newer protocol.
    pub(crate) fn meta(&self) -> &str {
        self.meta.get()
    }

    /// All capabilities, as the protocol names them.
    pub(crate) fn capabilities(&self) -> Map<String, Value> {
        let mut capabilities = self.extras.as_ref().map(|extras| extras.capabilities()).unwrap_or_default();
        let tools = if self.list_changes { json!({"listChanged": true}) } else { json!({}) };
        capabilities.insert("tools".into(), tools);
        capabilities
    }

    /// The range of the list that a cursor stands for, and the cursor of the next page.
    ///
    /// # Errors
    ///
    /// When this list has no such page.
    pub(crate) fn page(
        &self,
        cursor: Option<&str>,
    ) -> Result<(std::ops::Range<usize>, Option<String>), CallError> {
        let count = self.definitions.len();
        let start = match cursor {
            None => 0,
            Some(cursor) => {
                let start = cursor.strip_prefix("tools-").and_then(|number| number.parse().ok());
                let is_start =
                    |start: &usize| *start > 0 && *start < count && start.is_multiple_of(self.per_page);
                start.filter(is_start).ok_or_else(|| {
                    CallError::bad_params(
                        "the cursor is not one of this list: leave it out to begin at the first page",
                    )
                })?
            }
        };
        let end = (start + self.per_page).min(count);
        Ok((start..end, (end < count).then(|| format!("tools-{end}"))))
    }

    /// Calls a tool, whatever face the request came through.
    pub(crate) async fn call(&self, name: &str, request: Request) -> Result<Outcome, CallError> {
        let entry = self.find(name)?;
        if let Some(refused) = Self::refused(entry, request.era, request.client.as_ref()) {
            return refused.map(Outcome::Answered);
        }
        let arguments = request.arguments;
        // Kept only where a question may follow: it is part of what is sealed.
        let kept = entry.spec.is_interactive.then(|| arguments.clone());
        let inputs = self.inputs(name, kept.as_ref(), request.responses, request.state)?;
        let result = self.run(entry, arguments, request.era, request.client, request.cancel, inputs).await;
        self.outcome(name, kept.as_ref(), result)
    }

    /// How a call ends whose client cannot do what the tool needs.
    fn refused(
        entry: &Entry,
        era: Era,
        client: Option<&Arc<dyn Client>>,
    ) -> Option<Result<Reply, CallError>> {
        let needed = entry.spec.requires?;
        if client.is_some_and(|client| client.can(needed)) {
            return None;
        }
        let error = CallError::MissingCapability(needed);
        Some(match era {
            Era::Stateless => Err(error),
            Era::Sessions => Ok(Reply::error(error.to_string())),
        })
    }

    async fn run(
        &self,
        entry: &Entry,
        arguments: Value,
        era: Era,
        client: Option<Arc<dyn Client>>,
        cancel: CancellationToken,
        inputs: Inputs,
    ) -> Result<Reply, ToolError> {
        let admitted = self.layers.admit(entry.receive(Arguments::Value(arguments)))?;
        let call = admitted.call(era, client, cancel, inputs);
        self.layers.run(admitted, call).await
    }

    /// Answers a request beside tools.
    pub(crate) async fn extra(
        &self,
        method: &str,
        params: Value,
        request: Request,
    ) -> Result<Outcome<Value>, CallError> {
        let Some(extras) = &self.extras else { return Err(CallError::UnknownMethod(method.to_owned())) };
        let inputs = self.inputs(method, Some(&params), request.responses, request.state)?;
        let Request { era, client, cancel, .. } = request;
        let call = Arc::new(Call { cancel, deadline: None, era, client, inputs });
        let context = Context::new(Budget::default(), call);
        match extras.answer(method, params.clone(), context).await {
            Ok(answer) => Ok(Outcome::Answered(answer)),
            Err(ExtraError::Call(error)) => Err(error),
            Err(ExtraError::Tool(error)) => match error.into_open() {
                Ok(open) => self.ask(method, &params, open),
                Err(error) => Err(CallError::Internal(error.to_string())),
            },
        }
    }

    /// What the client answered, with the seal checked.
    fn inputs(
        &self,
        name: &str,
        arguments: Option<&Value>,
        sent: BTreeMap<String, Value>,
        state: Option<String>,
    ) -> Result<Inputs, CallError> {
        let Some((state, arguments)) = state.zip(arguments) else {
            return Ok(Inputs { sent, ..Inputs::default() });
        };
        let state = self.sealer.open(&state, name, arguments);
        let state = state.map_err(|error| CallError::bad_params(error.to_string()))?;
        Ok(Inputs { sealed: state.known, asked: state.asked.into_iter().collect(), sent })
    }

    /// Errors of the job become answers; open questions become questions.
    fn outcome(
        &self,
        name: &str,
        arguments: Option<&Value>,
        result: Result<Reply, ToolError>,
    ) -> Result<Outcome, CallError> {
        let error = match result {
            Ok(reply) => return Ok(Outcome::Answered(reply)),
            Err(error) => error,
        };
        if error.failure() == Failure::Cancelled {
            return Err(CallError::Cancelled);
        }
        match (error.into_open(), arguments) {
            (Ok(open), Some(arguments)) => self.ask(name, arguments, open),
            (Ok(_), None) => {
                Err(CallError::Internal(format!("{name} asks its client but was not built as interactive")))
            }
            (Err(error), _) => Ok(Outcome::Answered(Reply::error(error.to_string()))),
        }
    }

    fn ask<T>(&self, name: &str, arguments: &Value, open: Open) -> Result<Outcome<T>, CallError> {
        let Open { requests, known, is_sealed } = open;
        let state = if is_sealed {
            let sealed = self.sealer.seal(name, arguments, requests.clone(), known);
            Some(sealed.map_err(|error| CallError::Internal(ServerError::NoRandomness(error).to_string()))?)
        } else {
            None
        };
        Ok(Outcome::NeedsInput { requests, state })
    }
}

#[cfg(test)]
mod tests;

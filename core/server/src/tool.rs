//! A tool: what it is called, what it takes, what it answers, and the function behind it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ask::Open;
use crate::budget::{Budget, Budgeted, DETAIL, MAX_TOKENS};
use crate::content::IntoReply;
use crate::context::{Capability, Context};
use crate::json::Reader;
use crate::layers::{Prepared, Started};
use crate::schema;

/// How long a tool may take where it says nothing else.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a tool gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The arguments have not the form that the tool's schema asks for.
    BadArguments,
    /// The job could not be done.
    Failed,
    /// The caller lost interest.
    Cancelled,
    /// It took longer than the tool may take.
    TimedOut,
    /// The tool was called too often.
    TooOften,
    /// The answer is longer than the caller's bound.
    TooLong,
    /// The client has to be asked first.
    NeedsInput,
}

/// A failure of a tool, in one sentence that says what was wrong and what would be right. It reaches the
/// caller as an answer with `isError`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{sentence}")]
pub struct ToolError {
    failure: Failure,
    sentence: String,
    open: Option<Box<Open>>,
}

impl ToolError {
    /// The job could not be done.
    #[must_use]
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::new(Failure::Failed, sentence)
    }

    /// The arguments are not what the tool takes.
    #[must_use]
    pub fn bad_arguments(sentence: impl Into<String>) -> Self {
        Self::new(Failure::BadArguments, sentence)
    }

    pub(crate) fn new(failure: Failure, sentence: impl Into<String>) -> Self {
        Self { failure, sentence: sentence.into(), open: None }
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(Failure::Cancelled, "the call was cancelled")
    }

    pub(crate) fn open(open: Open) -> Self {
        let sentence = "the client has to answer a question first";
        Self { open: Some(Box::new(open)), ..Self::new(Failure::NeedsInput, sentence) }
    }

    /// The kind of failure.
    #[must_use]
    pub fn failure(&self) -> Failure {
        self.failure
    }

    pub(crate) fn into_open(self) -> Result<Open, Self> {
        match self.open {
            Some(open) => Ok(*open),
            None => Err(self),
        }
    }
}

/// Hints about what a tool does to the world, for clients that ask their users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// It changes nothing.
    pub read_only: bool,
    /// It may undo what somebody made.
    pub destructive: bool,
    /// Calling it twice does no more than calling it once.
    pub idempotent: bool,
    /// It meets things that the server does not control.
    pub open_world: bool,
}

/// Where a tool's function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the thread that read the request, before the next one is read.
    Here,
    /// As a future, beside others.
    Beside,
}

/// All of a tool but its function.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub input: Map<String, Value>,
    /// Whether `input` says more than the parameters' type enforces.
    pub is_constrained: bool,
    pub output: Option<Map<String, Value>>,
    pub annotations: Annotations,
    pub timeout: Duration,
    pub per_second: Option<f64>,
    pub toolset: Option<&'static str>,
    pub is_audited: bool,
    pub is_interactive: bool,
    pub requires: Option<Capability>,
    pub place: Place,
}

/// A tool of a server whose state is `S`.
pub struct Tool<S> {
    pub(crate) spec: Spec,
    pub(crate) decode: Arc<Decode<S>>,
}

pub(crate) type Decode<S> =
    dyn Fn(&Spec, &Arc<S>, Arguments<'_>) -> Result<Prepared, ToolError> + Send + Sync;

/// Arguments on their way to a tool.
pub(crate) enum Arguments<'a> {
    /// A text that begins with a JSON object; what follows the object is left alone.
    Text(&'a str),
    /// A value.
    Value(Value),
}

impl<S: Send + Sync + 'static> Tool<S> {
    /// A tool whose function waits: for other processes, for files, for the client.
    ///
    /// `P` denies unknown fields, and each of its fields has a doc comment, because that is what a model
    /// reads. The description says in one sentence what the tool is for.
    pub fn new<P, R, F, T>(name: &'static str, description: &'static str, run: F) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        R: IntoReply,
        F: Fn(Arc<S>, P, Context) -> T + Send + Sync + 'static,
        T: Future<Output = Result<R, ToolError>> + Send + 'static,
    {
        Self::with::<P, R>(name, description, Place::Beside, move |state, params, context| {
            let detail = context.detail();
            let answer = run(state, params, context);
            Started::Later(Box::pin(async move { answer.await?.into_reply(detail) }))
        })
    }

    /// A tool whose function answers at once: no waiting, and no more than some hundred microseconds of work,
    /// because nothing else is read or answered meanwhile. It cannot be cancelled and cannot ask the client.
    pub fn quick<P, R, F>(name: &'static str, description: &'static str, run: F) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        R: IntoReply,
        F: Fn(&S, P, &Context) -> Result<R, ToolError> + Send + Sync + 'static,
    {
        Self::with::<P, R>(name, description, Place::Here, move |state, params, context| {
            Started::Done(
                run(&state, params, &context).and_then(|answer| answer.into_reply(context.detail())),
            )
        })
    }

    /// A tool whose function computes for long: it runs in a thread of its own and asks
    /// [`Context::is_cancelled`] now and then.
    pub fn heavy<P, R, F>(name: &'static str, description: &'static str, run: F) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        R: IntoReply,
        F: Fn(&S, P, &Context) -> Result<R, ToolError> + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        Self::with::<P, R>(name, description, Place::Beside, move |state, params, context| {
            let run = Arc::clone(&run);
            let seen = context.clone();
            let work = move || run(&state, params, &context)?.into_reply(context.detail());
            Started::Later(Box::pin(async move {
                if seen.is_cancelled() {
                    return Err(ToolError::cancelled());
                }
                let answer = tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(broken()));
                // What a tool says that stopped half-way is not an answer.
                if seen.is_cancelled() { Err(ToolError::cancelled()) } else { answer }
            }))
        })
    }

    fn with<P, R>(
        name: &'static str,
        description: &'static str,
        place: Place,
        start: impl Fn(Arc<S>, P, Context) -> Started + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        R: IntoReply,
    {
        let (mut input, is_constrained) = schema::of_input::<P>();
        let properties = input.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(properties) = properties {
            debug_assert!(
                !properties.contains_key(DETAIL) && !properties.contains_key(MAX_TOKENS),
                "{name}: every tool has {DETAIL} and {MAX_TOKENS}; they are in the context's budget"
            );
            Budget::describe(properties);
        }
        let start = Arc::new(start);
        let decode = move |spec: &Spec, state: &Arc<S>, arguments: Arguments<'_>| {
            let (decoded, consumed) = decode::<P>(spec, arguments)?;
            let (state, start, params) = (Arc::clone(state), Arc::clone(&start), decoded.params);
            let start = Box::new(move |context| start(state, params, context));
            Ok(Prepared::new(decoded.budget, consumed, start))
        };
        let spec = Spec {
            name,
            title: None,
            description,
            input,
            is_constrained,
            output: R::schema(),
            annotations: Annotations::default(),
            timeout: DEFAULT_TIMEOUT,
            per_second: None,
            toolset: None,
            is_audited: false,
            is_interactive: false,
            requires: None,
            place,
        };
        Self { spec, decode: Arc::new(decode) }
    }

    /// A name for people.
    #[must_use]
    pub fn title(mut self, title: &'static str) -> Self {
        self.spec.title = Some(title);
        self
    }

    /// It changes nothing, so it stays where a server is read-only.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.spec.annotations.read_only = true;
        self.spec.annotations.idempotent = true;
        self
    }

    /// It may undo what somebody made. Such calls are audited.
    #[must_use]
    pub fn destructive(mut self) -> Self {
        self.spec.annotations.destructive = true;
        self.audited()
    }

    /// Calling it twice does no more than calling it once.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.spec.annotations.idempotent = true;
        self
    }

    /// It meets things that the server does not control.
    #[must_use]
    pub fn open_world(mut self) -> Self {
        self.spec.annotations.open_world = true;
        self
    }

    /// How long it may take. Tools that answer at once are not interrupted.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.spec.timeout = timeout;
        self
    }

    /// How often it may be called, on average over a second; twice as often for a moment.
    #[must_use]
    pub fn rate(mut self, per_second: f64) -> Self {
        self.spec.per_second = Some(per_second);
        self
    }

    /// The set it belongs to, for `--toolset`.
    #[must_use]
    pub fn toolset(mut self, toolset: &'static str) -> Self {
        self.spec.toolset = Some(toolset);
        self
    }

    /// Its calls are written to the audit log, with their arguments.
    #[must_use]
    pub fn audited(mut self) -> Self {
        self.spec.is_audited = true;
        self
    }

    /// It writes lines of its own to the audit log, which say more than its arguments; so nothing is written for
    /// the mere call.
    #[must_use]
    pub fn audits_itself(mut self) -> Self {
        self.spec.is_audited = false;
        self
    }

    /// It may ask the client something (see [`Context::ask`]).
    #[must_use]
    pub fn interactive(mut self) -> Self {
        self.spec.is_interactive = true;
        self
    }

    /// It is of no use without this capability of the client.
    #[must_use]
    pub fn requires(mut self, capability: Capability) -> Self {
        self.spec.requires = Some(capability);
        self.spec.is_interactive = true;
        self
    }

    /// Cuts the output schema down to the names and types of the fields, which is what programs need: clients pay
    /// tokens for all the rest. Fields that may be missing must not be null in answers.
    #[must_use]
    pub fn terse_output(mut self) -> Self {
        self.spec.output = self.spec.output.map(schema::terse);
        self
    }

    /// Replaces the schema that was made from the parameters' type, by one that says more. All of it is
    /// enforced but `pattern` and `format`.
    #[must_use]
    pub fn input_schema(mut self, schema: Map<String, Value>) -> Self {
        self.spec.input = schema;
        self.spec.is_constrained = true;
        self
    }
}

/// The sentence for a tool that panicked. Its message went to stderr.
pub(crate) fn broken() -> ToolError {
    ToolError::failed("the tool broke down: this is a bug of the server, whose log says more")
}

fn decode<P: DeserializeOwned>(
    spec: &Spec,
    arguments: Arguments<'_>,
) -> Result<(Budgeted<P>, usize), ToolError> {
    match arguments {
        Arguments::Text(text) => {
            let Some((decoded, consumed)) = at_beginning(text) else {
                let (value, consumed) = value_at(text)?;
                return Ok((decode_value(spec, value)?, consumed));
            };
            if spec.is_constrained {
                check(spec, &value_at(text)?.0)?;
            }
            Ok((decoded, consumed))
        }
        Arguments::Value(value) => Ok((decode_value(spec, value)?, 0)),
    }
}

/// The value at the beginning of a text, and how many bytes it is; `None` where there is none of this type.
fn at_beginning<T: DeserializeOwned>(text: &str) -> Option<(T, usize)> {
    let mut reader = Reader::new(text);
    if let Ok(value) = T::deserialize(&mut reader) {
        return Some((value, reader.consumed()));
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = stream.next()?.ok()?;
    Some((value, stream.byte_offset()))
}

fn value_at(text: &str) -> Result<(Value, usize), ToolError> {
    at_beginning(text).ok_or_else(|| ToolError::bad_arguments("the arguments are not JSON"))
}

/// The way with an explanation: the schema finds words for what is wrong.
fn decode_value<P: DeserializeOwned>(spec: &Spec, mut value: Value) -> Result<Budgeted<P>, ToolError> {
    // As from text: what the type takes needs no other look, unless the schema says more than the type.
    let decoded = Budgeted::deserialize(&value);
    if spec.is_constrained || decoded.is_err() {
        check(spec, &value)?;
    }
    if let Ok(decoded) = decoded {
        return Ok(decoded);
    }
    schema::with_whole_numbers(&mut value);
    Budgeted::deserialize(value).map_err(|error| refused(spec, &error.to_string()))
}

fn check(spec: &Spec, value: &Value) -> Result<(), ToolError> {
    schema::problem(&spec.input, value).map_or(Ok(()), |problem| Err(refused(spec, &problem)))
}

fn refused(spec: &Spec, problem: &str) -> ToolError {
    ToolError::bad_arguments(format!("{}: {problem}", spec.name))
}

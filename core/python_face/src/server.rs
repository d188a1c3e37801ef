//! A server in process: what is behind the class `Server` of each server's module.

mod config;
mod module;
mod question;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::{Args, Subcommand};
use mcp_server::serve::{Purpose, in_process};
use mcp_server::server::{CallError, Caller, InProcess, ResultText, Server};
use parking_lot::Mutex;
use pyo3::exceptions::{PyLookupError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::guard::{Panic, caught};
use crate::json;
use crate::server::question::{Asker, Question, Questions};

/// How often a call that takes time looks whether the user pressed Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// How long a call that was interrupted may take to end tidily.
const TIDY: Duration = Duration::from_secs(2);

/// A module: its name, and its exceptions, which are classes of its own.
#[derive(Clone, Copy)]
pub struct Exceptions {
    /// Where its native part can be imported from.
    pub module: &'static str,
    /// A mistake in the module.
    pub internal: fn(String) -> PyErr,
    /// The server was closed.
    pub closed: fn(String) -> PyErr,
}

/// A server that Python code calls.
pub struct Face {
    exceptions: Exceptions,
    /// The process that made it. A child has a copy of the memory, not of the threads, the locks on files and
    /// the event loop.
    process: u32,
    live: Mutex<Option<Arc<Live>>>,
    /// Both mutexes are locked with the interpreter held, and for no longer than a copy takes.
    on_question: Mutex<Option<Py<PyAny>>>,
}

/// A server that is not closed.
struct Live {
    server: Arc<Server>,
    /// Made for the first call that takes time.
    runtime: OnceLock<Runtime>,
    /// Is cancelled when the server is closed.
    end: CancellationToken,
}

/// A call that takes time.
struct UnderWay {
    live: Arc<Live>,
    work: Work,
    questions: Questions,
    cancel: CancellationToken,
}

type Work = mcp_server::context::Boxed<'static, ResultText>;

/// Why the runtime was left.
enum Step {
    Ended(ResultText),
    Asked(Question),
    Tick,
}

impl Face {
    /// Builds the server of a purpose from the options in `config`, which have the names of the command line's.
    ///
    /// # Errors
    /// `TypeError` and `ValueError` for options that make no sense, `RuntimeError` where the server cannot start.
    pub fn new<F: Args, A: Subcommand>(
        py: Python<'_>,
        purpose: &Purpose<F, A>,
        exceptions: Exceptions,
        config: Option<&Bound<'_, PyAny>>,
        on_question: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if let Some(callback) = on_question.as_ref().filter(|callback| !callback.is_callable()) {
            let kind = callback.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "on_question is of type {kind}; something callable is wanted"
            )));
        }
        let arguments = config.map(config::arguments).transpose()?.unwrap_or_default();
        let supervisor = config::supervisor(py, exceptions.module);
        let server = py.detach(|| caught(|| in_process(purpose, arguments, supervisor)));
        let server = server.map_err(|panic| (exceptions.internal)(panic.to_string()))?;
        let live = Live {
            server: Arc::new(server.map_err(config::refused)?),
            runtime: OnceLock::new(),
            end: CancellationToken::new(),
        };
        Ok(Self {
            exceptions,
            process: std::process::id(),
            live: Mutex::new(Some(Arc::new(live))),
            on_question: Mutex::new(on_question.map(Bound::unbind)),
        })
    }

    /// The tools, as `tools/list` shows them.
    ///
    /// # Errors
    /// When the server was closed, or belongs to another process.
    pub fn list_tools<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::from_value(py, &self.live()?.server.list_tools())
    }

    /// What a model should know before it uses the tools.
    ///
    /// # Errors
    /// As [`Face::list_tools`].
    pub fn instructions(&self) -> PyResult<&'static str> {
        Ok(self.live()?.server.about().instructions)
    }

    /// Calls a tool. The answer is the result object that clients of stdio get.
    ///
    /// # Errors
    /// `LookupError` for an unknown tool, what the callback for questions raised, `KeyboardInterrupt`, and as
    /// [`Face::list_tools`].
    pub fn call_tool<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        arguments: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let live = self.live()?;
        let arguments = arguments.map_or_else(|| Ok("{}".to_owned()), text_of)?;
        let can_ask = self.on_question.lock().is_some();
        let begun = py.detach(|| caught(|| begin(&live, name, &arguments, can_ask)));
        let text = match begun.map_err(|panic| self.internal(&panic))? {
            Begun::Done(result) => self.answer(&live, result)?,
            Begun::UnderWay(call) => self.finish(py, call)?,
        };
        json::read(py, &text).map_err(|error| (self.exceptions.internal)(error.to_string()))
    }

    /// Closes the server: calls under way end with an exception, and what it holds is let go.
    pub fn close(&self, py: Python<'_>) {
        let live = self.live.lock().take();
        if self.is_foreign() {
            std::mem::forget(live);
            return;
        }
        py.detach(|| {
            if let Some(live) = live {
                live.end.cancel();
            }
        });
    }

    /// Whether the server was closed.
    pub fn is_closed(&self) -> bool {
        self.live.lock().is_none()
    }

    /// For the garbage collector: the callback may hold the server.
    ///
    /// # Errors
    /// The collector's own.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.on_question.try_lock().as_deref() {
            Some(Some(callback)) => visit.call(callback),
            _ => Ok(()),
        }
    }

    /// For the garbage collector.
    pub fn clear(&self) {
        let callback = self.on_question.lock().take();
        drop(callback);
    }

    fn is_foreign(&self) -> bool {
        self.process != std::process::id()
    }

    fn internal(&self, panic: &Panic) -> PyErr {
        (self.exceptions.internal)(panic.to_string())
    }

    fn live(&self) -> PyResult<Arc<Live>> {
        if self.is_foreign() {
            let made_by = self.process;
            return Err(PyRuntimeError::new_err(format!(
                "this server was made by process {made_by}, before it forked: make another one in this process"
            )));
        }
        let live = self.live.lock().clone();
        live.ok_or_else(|| (self.exceptions.closed)("the server is closed: make another one".to_owned()))
    }

    /// Runs a call to its end, outside of the runtime wherever Python code is to run.
    fn finish(&self, py: Python<'_>, mut call: UnderWay) -> PyResult<String> {
        loop {
            let step = py.detach(|| caught(|| call.step())).map_err(|panic| self.internal(&panic))?;
            let outcome = match step {
                Ok(Step::Ended(result)) => return self.answer(&call.live, result),
                Ok(Step::Asked(question)) => {
                    let callback = self.on_question.lock().as_ref().map(|callback| callback.clone_ref(py));
                    question.put(py, callback.as_ref())
                }
                Ok(Step::Tick) => py.check_signals(),
                Err(error) => {
                    return Err(PyRuntimeError::new_err(format!("there is no event loop: {error}")));
                }
            };
            if let Err(error) = outcome {
                py.detach(|| caught(|| call.abandon())).map_err(|panic| self.internal(&panic))?;
                return Err(error);
            }
        }
    }

    fn answer(&self, live: &Live, result: ResultText) -> PyResult<String> {
        result.map_err(|error| match error {
            CallError::UnknownTool(_) | CallError::UnknownMethod(_) => {
                PyLookupError::new_err(error.to_string())
            }
            CallError::BadParams { .. } => PyValueError::new_err(error.to_string()),
            CallError::Cancelled if live.end.is_cancelled() => {
                (self.exceptions.closed)("the server was closed while the call was under way".to_owned())
            }
            CallError::Cancelled | CallError::MissingCapability(_) => {
                PyRuntimeError::new_err(error.to_string())
            }
            CallError::Internal(sentence) => (self.exceptions.internal)(sentence),
        })
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        // What the child of a fork has a copy of belongs to its parent: closing it there would write to the
        // parent's files and end its event loop.
        if self.is_foreign() {
            std::mem::forget(self.live.get_mut().take());
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Work in other threads is not waited for: nobody reads its answer any more.
            runtime.shutdown_background();
        }
    }
}

impl Live {
    fn runtime(&self) -> std::io::Result<&Runtime> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        // Where two threads come here at once, one of the two is dropped unused.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(self.runtime.get_or_init(|| runtime))
    }
}

impl UnderWay {
    /// Goes on until the call ends, asks something, or has waited for a while.
    fn step(&mut self) -> std::io::Result<Step> {
        let Self { live, work, questions, .. } = self;
        Ok(live.runtime()?.block_on(async {
            tokio::select! {
                biased;
                result = work => Step::Ended(result),
                Some(question) = questions.recv() => Step::Asked(question),
                () = tokio::time::sleep(TICK) => Step::Tick,
            }
        }))
    }

    /// Ends a call whose answer nobody wants.
    fn abandon(&mut self) {
        self.cancel.cancel();
        if let Ok(runtime) = self.live.runtime() {
            // Whether it ended or not, its time is up.
            runtime.block_on(async { tokio::time::timeout(TIDY, &mut self.work).await }).ok();
        }
    }
}

enum Begun {
    Done(ResultText),
    UnderWay(UnderWay),
}

fn begin(live: &Arc<Live>, name: &str, arguments: &str, can_ask: bool) -> Begun {
    let mut made = None;
    let begun = live.server.call_text(name, arguments, || {
        let (asker, questions) = Asker::new(can_ask);
        let cancel = live.end.child_token();
        made = Some((questions, cancel.clone()));
        Caller { client: Some(Arc::new(asker)), cancel }
    });
    match (begun, made) {
        (InProcess::Done(result), _) => Begun::Done(result),
        (InProcess::UnderWay(work), Some((questions, cancel))) => {
            Begun::UnderWay(UnderWay { live: Arc::clone(live), work, questions, cancel })
        }
        (InProcess::UnderWay(_), None) => unreachable!("a call that goes on has asked for its caller"),
    }
}

fn text_of(arguments: &Bound<'_, PyAny>) -> PyResult<String> {
    if arguments.is_none() {
        return Ok("{}".to_owned());
    }
    if !arguments.is_instance_of::<PyDict>() {
        let kind = arguments.get_type().name()?;
        return Err(PyTypeError::new_err(format!("arguments are of type {kind}; a dict is wanted")));
    }
    json::write(arguments)
}

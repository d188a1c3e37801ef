//! Questions of a tool, answered by a Python callable.

use mcp_server::context::{Boxed, Capability, Client, Level};
use mcp_server::tool::ToolError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::callers::calling;
use crate::json as text;

/// Questions as they come.
pub(crate) type Questions = mpsc::UnboundedReceiver<Question>;

/// The client of a call: it hands questions over to the thread that called, and hears of nothing else.
pub(crate) struct Asker {
    questions: mpsc::UnboundedSender<Question>,
    can_ask: bool,
}

/// A question that waits for its answer.
pub(crate) struct Question {
    /// `message` and `requestedSchema`.
    params: Value,
    answer: oneshot::Sender<Value>,
}

impl Asker {
    /// A client, and the other end of its questions.
    pub fn new(can_ask: bool) -> (Self, Questions) {
        let (questions, asked) = mpsc::unbounded_channel();
        (Self { questions, can_ask }, asked)
    }
}

impl Client for Asker {
    fn can(&self, capability: Capability) -> bool {
        self.can_ask && capability == Capability::Elicitation
    }

    fn request<'a>(&'a self, method: &'a str, params: Value) -> Boxed<'a, Result<Value, ToolError>> {
        Box::pin(async move {
            let nobody = || ToolError::failed(format!("nobody answered {method}"));
            if !self.can_ask || method != "elicitation/create" {
                return Err(nobody());
            }
            let (answer, answered) = oneshot::channel();
            self.questions.send(Question { params, answer }).map_err(|_| nobody())?;
            answered.await.map_err(|_| nobody())
        })
    }

    fn notify<'a>(&'a self, _method: &'static str, _params: Value) -> Boxed<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn wants_log(&self, _level: Level) -> bool {
        false
    }

    fn progress_token(&self) -> Option<&Value> {
        None
    }
}

impl Question {
    /// Calls `callback` with the message and the schema of the form, and passes its answer on.
    pub fn put(self, py: Python<'_>, callback: Option<&Py<PyAny>>) -> PyResult<()> {
        // Without a callback the question is dropped, and the tool hears that nobody answered.
        let Some(callback) = callback else { return Ok(()) };
        let message = self.params["message"].as_str().unwrap_or_default();
        let form = &self.params["requestedSchema"];
        let has_fields = form["properties"].as_object().is_some_and(|fields| !fields.is_empty());
        let schema = text::from_value(py, form)?;
        let answer = calling(py, || callback.bind(py).call1((message, schema)))?;
        // A call that was cancelled meanwhile does not listen any more.
        self.answer.send(result(&answer, has_fields)?).ok();
        Ok(())
    }
}

/// The answer as the protocol shapes it. A dict fills in a form that has fields; where there is only a yes or no to give,
/// nothing but `True` says yes, since a dict, even an empty one, may well mean no.
fn result(answer: &Bound<'_, PyAny>, has_fields: bool) -> PyResult<Value> {
    if answer.is_none() {
        return Ok(json!({"action": "cancel"}));
    }
    if let Ok(answer) = answer.cast::<PyBool>() {
        return Ok(if answer.is_true() {
            json!({"action": "accept", "content": {}})
        } else {
            json!({"action": "decline"})
        });
    }
    if answer.is_instance_of::<PyDict>() {
        if !has_fields {
            return Ok(json!({"action": "decline"}));
        }
        let content: Value = serde_json::from_str(&text::write(answer)?).map_err(|error| {
            PyTypeError::new_err(format!("the answer to a question is not a form: {error}"))
        })?;
        return Ok(json!({"action": "accept", "content": content}));
    }
    let kind = answer.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "on_question returned {kind}; wanted are a dict (the form), True (yes), False (no) or None (no answer)"
    )))
}

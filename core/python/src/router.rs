//! `Router`: Python callables that answer requests by name.
#![expect(clippy::needless_pass_by_value, reason = "pyo3 passes converted arguments by value")]

use crate::guard::guarded;
use mcp_python_face::callers::calling;
use mcp_python_face::json;
use mcp_store::router;
use pyo3::exceptions::{PyException, PyLookupError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyString};
use pyo3::{PyTraverseError, PyVisit, intern};
use std::sync::Arc;

/// Codes of JSON-RPC 2.0, section 5.1.
mod code {
    pub(super) const NO_JSON: i32 = -32700;
    pub(super) const NO_REQUEST: i32 = -32600;
    pub(super) const NO_METHOD: i32 = -32601;
    /// What the handler answered cannot be sent.
    pub(super) const NO_ANSWER: i32 = -32603;
    /// Of the range that is left to servers: the handler raised.
    pub(super) const RAISED: i32 = -32000;
}

/// Handlers by name, and requests that are passed on to them.
///
/// A request is a dict or JSON text with `method`, and if wanted `params` and `id`, as in JSON-RPC 2.0. The
/// handler is called with the params (`{}` where there are none) and its answer is the result. No lock is held
/// meanwhile: a handler may send requests itself, and register and remove handlers.
///
/// >>> from mcp_rust_core import Router
/// >>> router = Router()
/// >>> router.register_handler("add", lambda params: params["a"] + params["b"])
/// >>> router.process_request({"id": 1, "method": "add", "params": {"a": 2, "b": 3}})
/// {'jsonrpc': '2.0', 'id': 1, 'result': 5}
/// >>> router.process_request('{"id": 2, "method": "add", "params": {"a": 2, "b": 3}}')
/// '{"jsonrpc":"2.0","id":2,"result":5}'
#[pyclass(frozen, weakref, module = "mcp_rust_core")]
pub(crate) struct Router(router::Router<Py<PyAny>>);

/// Why a request has no result.
enum Failure {
    /// It was not a request, or none for a handler that is here.
    Refused(i32, PyErr),
    /// The handler raised this.
    Raised(PyErr),
}

#[pymethods]
impl Router {
    #[new]
    fn new() -> Self {
        Self(router::Router::new())
    }

    /// Adds a handler: a callable that takes the params of a request and returns its result.
    ///
    /// Raises `ValueError` where the name is taken.
    fn register_handler(&self, name: PyBackedStr, handler: &Bound<'_, PyAny>) -> PyResult<()> {
        if !handler.is_callable() {
            let kind = handler.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "handler is of type {kind}; something callable is wanted"
            )));
        }
        let handler = handler.clone().unbind();
        guarded(|| self.0.register(&name, handler).map_err(|error| PyValueError::new_err(error.to_string())))
    }

    /// Removes a handler; whether there was one. Requests that are under way keep it until they end.
    fn remove_handler(&self, name: PyBackedStr) -> bool {
        self.0.remove(&name).is_some()
    }

    /// The names of all handlers, in alphabetical order.
    fn handlers(&self) -> Vec<String> {
        self.0.names()
    }

    /// Passes a request on to its handler, and returns its answer in the form in which the request came.
    ///
    /// For a dict, an exception of the handler is passed on; `LookupError` tells that no handler has the name,
    /// `ValueError` that the dict is not a request. For text, each of these is an error object in the answer, as is
    /// text that is not JSON. In both forms, a request without `id` is answered with the id `None`. Handlers that
    /// call each other more than 200 deep raise `RecursionError`.
    fn process_request<'py>(&self, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(request) = request.cast::<PyDict>() {
            return self.process_dict(request);
        }
        if let Ok(request) = request.cast::<PyString>() {
            let answer = self.process_text(request)?;
            return Ok(PyString::new(request.py(), &answer).into_any());
        }
        let kind = request.get_type().name()?;
        Err(PyTypeError::new_err(format!("request is of type {kind}; a dict or JSON text is wanted")))
    }

    fn __len__(&self) -> usize {
        self.0.names().len()
    }

    fn __repr__(&self) -> String {
        format!("<Router: {} handlers>", self.0.names().len())
    }

    fn __contains__(&self, name: PyBackedStr) -> bool {
        self.0.get(&name).is_some()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for name in self.0.names() {
            if let Some(handler) = self.0.get(&name) {
                visit.call(&*handler)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        for name in self.0.names() {
            self.0.remove(&name);
        }
    }
}

impl Router {
    fn process_dict<'py>(&self, request: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = request.py();
        let result = self.result_of(request).map_err(Failure::into_error)?;
        let answer = PyDict::new(py);
        answer.set_item(intern!(py, "jsonrpc"), intern!(py, "2.0"))?;
        answer.set_item(intern!(py, "id"), request.get_item(intern!(py, "id"))?)?;
        answer.set_item(intern!(py, "result"), result)?;
        Ok(answer.into_any())
    }

    fn process_text(&self, request: &Bound<'_, PyString>) -> PyResult<String> {
        let py = request.py();
        let request = match read_request(request) {
            Ok(request) => request,
            Err((code, error)) => return Ok(error_answer("null", code, &error, py)),
        };
        // What came from text can go back to text.
        let id = match request.get_item(intern!(py, "id"))? {
            Some(id) => json::write(&id)?,
            None => "null".to_owned(),
        };
        let result = match self.result_of(&request) {
            Ok(result) => result,
            Err(Failure::Refused(code, error)) => return Ok(error_answer(&id, code, &error, py)),
            // The end of the program and a keyboard interrupt answer nobody.
            Err(Failure::Raised(error)) if !error.is_instance_of::<PyException>(py) => return Err(error),
            Err(Failure::Raised(error)) => return Ok(error_answer(&id, code::RAISED, &error, py)),
        };
        Ok(match json::write(&result) {
            Ok(result) => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
            Err(error) => error_answer(&id, code::NO_ANSWER, &error, py),
        })
    }

    /// What the handler of a request answers.
    fn result_of<'py>(&self, request: &Bound<'py, PyDict>) -> Result<Bound<'py, PyAny>, Failure> {
        let py = request.py();
        let (handler, params) = self.handler_of(request)?;
        calling(py, || handler.bind(py).call1((params,))).map_err(Failure::Raised)
    }

    /// The handler that a request names, and the params for it.
    fn handler_of<'py>(
        &self,
        request: &Bound<'py, PyDict>,
    ) -> Result<(Arc<Py<PyAny>>, Bound<'py, PyAny>), Failure> {
        let py = request.py();
        let refused = |error| Failure::Refused(code::NO_REQUEST, error);
        let method = request.get_item(intern!(py, "method")).map_err(refused)?;
        let Some(method) = method.as_ref().and_then(|method| method.cast::<PyString>().ok()) else {
            return Err(refused(PyValueError::new_err("a request has a str named method")));
        };
        let method: PyBackedStr = method.extract().map_err(refused)?;
        let handler =
            guarded(|| self.0.find(&method).map_err(|error| PyLookupError::new_err(error.to_string())));
        let handler = handler.map_err(|error| Failure::Refused(code::NO_METHOD, error))?;
        let params = match request.get_item(intern!(py, "params")).map_err(refused)? {
            Some(params) => params,
            None => PyDict::new(py).into_any(),
        };
        Ok((handler, params))
    }
}

impl Failure {
    fn into_error(self) -> PyErr {
        match self {
            Self::Refused(_, error) | Self::Raised(error) => error,
        }
    }
}

/// The dict that a JSON text describes, or the code and the reason why it is not a request.
fn read_request<'py>(text: &Bound<'py, PyString>) -> Result<Bound<'py, PyDict>, (i32, PyErr)> {
    let py = text.py();
    let text = text.to_cow().map_err(|error| (code::NO_JSON, error))?;
    let object = json::read(py, &text).map_err(|error| {
        (code::NO_JSON, PyValueError::new_err(format!("the request is not JSON: {error}")))
    })?;
    object.cast_into::<PyDict>().map_err(|_| {
        (
            code::NO_REQUEST,
            PyValueError::new_err("the request is JSON, but no object: send one request at a time"),
        )
    })
}

/// The answer that tells of an exception; `id` is JSON text.
fn error_answer(id: &str, code: i32, error: &PyErr, py: Python<'_>) -> String {
    let kind = error.get_type(py).name().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
    // An exception may have no text, or one that UTF-8 cannot hold.
    let text =
        error.value(py).str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    let message = if code == code::RAISED { format!("{kind}: {text}") } else { text };
    let message = serde_json::Value::from(message);
    let kind = serde_json::Value::from(kind);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message},"data":{{"type":{kind}}}}}}}"#
    )
}

//! The Python module of a server, whose package then holds nothing else.

/// Makes the module: the class `Server`, the exceptions and `version`. The name is given twice, as an identifier
/// and as text; then comes a function that returns the server's `Purpose`. A server that runs commands names its
/// supervisor too, `supervisor = mcp_sandbox::enter`: what an interpreter is started for, once for each command.
///
/// The package depends on `pyo3`, and is a `cdylib` whose name is the module's. What it has of Python is in
/// `python/` beside this crate, and linked from there.
#[macro_export]
macro_rules! server_module {
    ($module:ident, $name:tt, $purpose:path) => {
        $crate::server_module!(@with $module, $name, $purpose, |_module| Ok(()));
    };
    ($module:ident, $name:tt, $purpose:path, supervisor = $supervisor:path) => {
        $crate::server_module!(@with $module, $name, $purpose, |module| {
            use ::pyo3::types::PyAnyMethods as _;
            // Not by `add_function`, which would make it one of the names that the package passes on.
            module.setattr("_supervise", ::pyo3::wrap_pyfunction!(_supervise, module)?)
        });

        /// Supervises one command and returns the status to end with.
        #[::pyo3::pyfunction]
        fn _supervise() -> u8 {
            $supervisor()
        }
    };
    (@with $module:ident, $name:tt, $purpose:path, $more:expr) => {
        #[cfg(panic = "abort")]
        compile_error!(
            "a panic would end the interpreter that imported this module: build with a profile that unwinds, \
             such as `--profile python`"
        );

        ::pyo3::create_exception!(
            $module,
            InternalError,
            ::pyo3::exceptions::PyRuntimeError,
            "A mistake in this module, not in what was asked of it.\n\n\
             The interpreter and the module go on working."
        );
        ::pyo3::create_exception!(
            $module,
            ServerClosed,
            ::pyo3::exceptions::PyRuntimeError,
            "The server was closed before, or during, the call."
        );

        /// The server in this process: the same tools as over stdio, with the same answers.
        ///
        /// `config` has the options of the command line: `{"root": ["/src"], "state": "none"}`. `on_question` is
        /// called when a tool has a question to its user, with a message and the JSON Schema of a form. It returns
        /// a dict (the form, filled in), `True` (yes), `False` (no) or `None` (no answer); a form without fields
        /// asks for a yes, which only `True` is. Without it, tools that have to ask answer with an error.
        ///
        /// Threads may share a server. A child of `fork` makes one of its own.
        #[::pyo3::pyclass(frozen, module = $name)]
        struct Server($crate::server::Face);

        #[::pyo3::pymethods]
        impl Server {
            #[new]
            #[pyo3(signature = (config=None, *, on_question=None))]
            fn new(
                py: ::pyo3::Python<'_>,
                config: Option<&::pyo3::Bound<'_, ::pyo3::PyAny>>,
                on_question: Option<::pyo3::Bound<'_, ::pyo3::PyAny>>,
            ) -> ::pyo3::PyResult<Self> {
                let exceptions = $crate::server::Exceptions {
                    module: concat!($name, ".", $name),
                    internal: InternalError::new_err::<String>,
                    closed: ServerClosed::new_err::<String>,
                };
                $crate::server::Face::new(py, &$purpose(), exceptions, config, on_question).map(Self)
            }

            /// The tools, as `tools/list` shows them.
            fn list_tools<'py>(
                &self,
                py: ::pyo3::Python<'py>,
            ) -> ::pyo3::PyResult<::pyo3::Bound<'py, ::pyo3::PyAny>> {
                self.0.list_tools(py)
            }

            /// Calls a tool and returns its result object: `content`, `structuredContent` where the tool has any,
            /// `isError`. Bad arguments and failures of the job are answers with `isError`, as over stdio.
            ///
            /// Raises `LookupError` where there is no such tool, and what `on_question` raises. Other threads run
            /// meanwhile; Ctrl-C ends a call that waits.
            #[pyo3(signature = (name, arguments=None))]
            fn call_tool<'py>(
                &self,
                py: ::pyo3::Python<'py>,
                name: &str,
                arguments: Option<&::pyo3::Bound<'py, ::pyo3::PyAny>>,
            ) -> ::pyo3::PyResult<::pyo3::Bound<'py, ::pyo3::PyAny>> {
                self.0.call_tool(py, name, arguments)
            }

            /// What a model should know before it uses the tools.
            #[getter]
            fn instructions(&self) -> ::pyo3::PyResult<&'static str> {
                self.0.instructions()
            }

            /// Whether the server was closed.
            #[getter]
            fn closed(&self) -> bool {
                self.0.is_closed()
            }

            /// Closes the server. Calls under way in other threads end with `ServerClosed`.
            fn close(&self, py: ::pyo3::Python<'_>) {
                self.0.close(py);
            }

            fn __enter__(slf: ::pyo3::Bound<'_, Self>) -> ::pyo3::Bound<'_, Self> {
                slf
            }

            #[pyo3(signature = (*_exception))]
            fn __exit__(
                &self,
                py: ::pyo3::Python<'_>,
                _exception: &::pyo3::Bound<'_, ::pyo3::types::PyTuple>,
            ) {
                self.0.close(py);
            }

            fn __traverse__(&self, visit: ::pyo3::PyVisit<'_>) -> Result<(), ::pyo3::PyTraverseError> {
                self.0.traverse(&visit)
            }

            fn __clear__(&self) {
                self.0.clear();
            }
        }

        /// The native part of the package, which `__init__.py` passes on.
        #[::pyo3::pymodule(gil_used = true)]
        fn $module(module: &::pyo3::Bound<'_, ::pyo3::types::PyModule>) -> ::pyo3::PyResult<()> {
            use ::pyo3::types::PyModuleMethods as _;
            let py = module.py();
            module.add("version", env!("CARGO_PKG_VERSION"))?;
            module.add("InternalError", py.get_type::<InternalError>())?;
            module.add("ServerClosed", py.get_type::<ServerClosed>())?;
            module.add_class::<Server>()?;
            let more: fn(&::pyo3::Bound<'_, ::pyo3::types::PyModule>) -> ::pyo3::PyResult<()> = $more;
            more(module)?;
            $crate::callers::register(module)
        }
    };
}

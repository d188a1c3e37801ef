//! The options of a server from a dict: the same as on the command line, and read by the same code.

use std::ffi::OsString;
use std::path::PathBuf;

use mcp_server::serve::StartError;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

/// Options of the faces that are not this one.
const ELSEWHERE: [&str; 5] = ["http", "token_file", "allow_host", "allow_origin", "log"];

/// The options as the command line has them. `read_only` is `--read-only`; a list repeats its option; `None`
/// and `False` leave it out.
pub(crate) fn arguments(config: &Bound<'_, PyAny>) -> PyResult<Vec<OsString>> {
    let mut arguments = Vec::new();
    if config.is_none() {
        return Ok(arguments);
    }
    let Ok(config) = config.cast::<PyDict>() else {
        let kind = config.get_type().name()?;
        return Err(PyTypeError::new_err(format!("config is of type {kind}; a dict of options is wanted")));
    };
    for (key, value) in config.iter() {
        let Ok(key) = key.cast::<PyString>() else {
            let kind = key.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a key of config is of type {kind}; options have names"
            )));
        };
        let key = key.to_cow()?;
        if ELSEWHERE.contains(&&*key) {
            return Err(PyValueError::new_err(format!(
                "{key} is for servers on stdio and HTTP; one in process has no such option"
            )));
        }
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if key.is_empty() || !key.bytes().all(is_name) {
            return Err(PyValueError::new_err(format!("{key:?} is not the name of an option")));
        }
        option(&format!("--{}", key.replace('_', "-")), &value, &mut arguments)?;
    }
    Ok(arguments)
}

fn option(name: &str, value: &Bound<'_, PyAny>, arguments: &mut Vec<OsString>) -> PyResult<()> {
    if value.is_none() {
        return Ok(());
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        if flag.is_true() {
            arguments.push(name.into());
        }
        return Ok(());
    }
    if let Ok(list) = value.cast::<PyList>() {
        return list.iter().try_for_each(|item| one(name, &item, arguments));
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return tuple.iter().try_for_each(|item| one(name, &item, arguments));
    }
    one(name, value, arguments)
}

fn one(name: &str, value: &Bound<'_, PyAny>, arguments: &mut Vec<OsString>) -> PyResult<()> {
    let text = if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        OsString::from(value.str()?.to_cow()?.into_owned())
    } else {
        // A str, or a path of pathlib.
        value.extract::<PathBuf>().map(OsString::from).map_err(|_| {
            let kind = value.get_type().name().map_or_else(|_| "an object".into(), |kind| kind.to_string());
            PyTypeError::new_err(format!(
                "{name} cannot be a {kind}; str, paths, int and bool can be options"
            ))
        })?
    };
    let mut argument = OsString::from(name);
    argument.push("=");
    argument.push(text);
    arguments.push(argument);
    Ok(())
}

/// Why there is no server.
pub(crate) fn refused(error: StartError) -> PyErr {
    match error {
        StartError::Options(text) => {
            let lines = text.lines().take_while(|line| !line.starts_with("Usage"));
            let lines: Vec<_> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
            let sentence = lines.join("; ");
            PyValueError::new_err(sentence.strip_prefix("error: ").unwrap_or(&sentence).to_owned())
        }
        StartError::Server(_) | StartError::Own(_) => PyValueError::new_err(error.to_string()),
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}

/// What loads a module in an interpreter of its own and has it supervise: without the packages of the site, and past
/// `__init__`.
const SUPERVISE: &str = "\
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
import sys
loader = ExtensionFileLoader(sys.argv[1], sys.argv[2])
module = module_from_spec(spec_from_loader(sys.argv[1], loader))
loader.exec_module(module)
sys.exit(module._supervise())
";

/// How to start this module's code in a process of its own (see `Options::supervisor`): by the interpreter that runs
/// it. Empty where that is unknown; then what needs it fails, and says so.
pub(crate) fn supervisor(py: Python<'_>, module: &str) -> Vec<OsString> {
    let found = || {
        let interpreter: PathBuf = py.import("sys")?.getattr("executable")?.extract()?;
        let file: PathBuf = py.import(module)?.getattr("__file__")?.extract()?;
        PyResult::Ok((interpreter, file))
    };
    let Ok((interpreter, file)) = found() else { return Vec::new() };
    let name = module.rsplit('.').next().unwrap_or(module);
    let options = ["-I", "-S", "-B", "-c", SUPERVISE, name].map(OsString::from);
    [interpreter.into()].into_iter().chain(options).chain([file.into()]).collect()
}

//! Numbers that callers give, with one sentence for each that makes no sense.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::time::Duration;

/// A number of bytes, items or calls: a Python `int` from 0 on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) usize);

impl<'py> FromPyObject<'_, 'py> for Count {
    type Error = PyErr;

    fn extract(number: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let count = match number.extract::<i64>() {
            Ok(count) => usize::try_from(count).ok(),
            Err(error) if error.is_instance_of::<PyOverflowError>(number.py()) => None,
            Err(_) => return Err(wrong_type(&number, "a whole number")),
        };
        // No Python object holds more items than an index, which has a sign, can name.
        count.map(Self).ok_or_else(|| {
            let most = isize::MAX;
            PyValueError::new_err(format!("a number from 0 to {most} is wanted, not {}", shown(&number)))
        })
    }
}

/// A span of time: a Python `int` or `float` of seconds, not negative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) Duration);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(number: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let seconds: f64 = match number.extract() {
            Ok(seconds) => seconds,
            Err(error) if error.is_instance_of::<PyOverflowError>(number.py()) => f64::INFINITY,
            Err(_) => return Err(wrong_type(&number, "a number of seconds")),
        };
        if !seconds.is_finite() || seconds < 0.0 {
            return Err(PyValueError::new_err(format!(
                "a finite number of seconds from 0 on is wanted, not {}; leave it out for no limit",
                shown(&number)
            )));
        }
        // Ages beyond what a duration holds are as good as the longest one.
        Ok(Self(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
    }
}

/// `TypeError`: `wanted` was wanted, and something else came.
pub(crate) fn wrong_type(found: &Borrowed<'_, '_, PyAny>, wanted: &str) -> PyErr {
    match found.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!("{wanted} is wanted, not {kind}")),
        Err(error) => error,
    }
}

/// A value as Python writes it, or its end where that is long.
fn shown(value: &Borrowed<'_, '_, PyAny>) -> String {
    match value.repr() {
        Ok(text) if text.len().is_ok_and(|len| len <= 40) => text.to_string(),
        _ => "a number that large".to_owned(),
    }
}

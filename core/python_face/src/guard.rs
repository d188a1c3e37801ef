//! What stands between a panic and the interpreter.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a panic said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic(String);

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a mistake in this module, please report it: {}", self.0)
    }
}

/// Runs `work` and catches a panic in it, for an exception of the module's own. Without this it would be pyo3's
/// `PanicException`, which only `except BaseException` catches.
///
/// What `work` changes has to lie behind locks whose values are valid between any two statements, or in memory
/// that is thrown away: then nothing is left half done where other code can see it.
///
/// # Errors
/// What the panic said.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panic(said(&*payload)))
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

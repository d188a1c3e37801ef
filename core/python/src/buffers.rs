//! Memory of other Python objects, read and written in place.
//!
//! # What may change it meanwhile
//! A buffer is borrowed as a Rust slice only while the interpreter is held: no Python code runs then, and a
//! buffer that is exported cannot move. So buffers are read without a copy, and the interpreter is held for
//! as long as that takes. Two kinds of input are read with the interpreter released, because nothing can
//! change them: immutable objects (`bytes`, and a `memoryview` of one), and copies. Lists are copied anyway;
//! of buffers a copy is taken where the caller asks for it with `release=True`.
//! Code that writes to a buffer without holding the interpreter, as NumPy does in another thread, races with
//! the one that reads it here, as it does with NumPy itself.

use crate::floats;
use crate::guard::{guarded, released};
use pyo3::exceptions::{PyBufferError, PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyList, PyMemoryView, PyString};
use std::ops::Range;

#[cfg(feature = "abi3-py39")]
mod memory_view;
mod output;
#[cfg(not(feature = "abi3-py39"))]
mod protocol;

#[cfg(feature = "abi3-py39")]
use memory_view as backend;
#[cfg(not(feature = "abi3-py39"))]
use protocol as backend;

pub(crate) use output::{Output, write};

/// Inputs of at least this many bytes are worth the 30 ns or so that releasing the interpreter costs.
pub(crate) const WORTH_RELEASING: usize = 4096;

/// A type of numbers that buffers hold.
pub(crate) trait Number: Copy + Send + Sync + 'static {
    /// What users call it.
    const NAME: &'static str;
    /// The type code of `array.array`.
    const CODE: &'static str;
    /// The format characters (module `struct`) that mean this type where items have its size.
    const FORMATS: &'static [u8];
    /// The numbers of a list, if lists are taken for this type.
    fn from_list(list: &Bound<'_, PyList>) -> PyResult<Vec<Self>>;
}

impl Number for f64 {
    const NAME: &'static str = "float64";
    const CODE: &'static str = "d";
    const FORMATS: &'static [u8] = b"d";
    fn from_list(list: &Bound<'_, PyList>) -> PyResult<Vec<Self>> {
        floats::collect(list)
    }
}

impl Number for f32 {
    const NAME: &'static str = "float32";
    const CODE: &'static str = "f";
    const FORMATS: &'static [u8] = b"f";
    fn from_list(list: &Bound<'_, PyList>) -> PyResult<Vec<Self>> {
        Ok(floats::collect(list)?.into_iter().map(|number| number as f32).collect())
    }
}

impl Number for u64 {
    const NAME: &'static str = "uint64";
    const CODE: &'static str = "Q";
    const FORMATS: &'static [u8] = b"QLN";
    fn from_list(list: &Bound<'_, PyList>) -> PyResult<Vec<Self>> {
        list.iter().map(|item| item.extract()).collect()
    }
}

impl Number for u32 {
    const NAME: &'static str = "uint32";
    const CODE: &'static str = "I";
    const FORMATS: &'static [u8] = b"IL";
    fn from_list(list: &Bound<'_, PyList>) -> PyResult<Vec<Self>> {
        list.iter().map(|item| item.extract()).collect()
    }
}

/// What an exporter says of its memory.
pub(crate) struct Facts {
    start: *mut u8,
    bytes: usize,
    /// The character of the module `struct` for an item of this machine's byte order; `None` for others.
    format: Option<u8>,
    item_size: usize,
    /// How many axes it has; a single number has none.
    axes: usize,
    /// How many columns the items have, where they are a table.
    columns: Option<usize>,
    is_contiguous: bool,
    is_read_only: bool,
}

/// How many columns a shape has, if it is a table's.
fn columns_of(shape: &[usize]) -> Option<usize> {
    match *shape {
        [_, columns] => Some(columns),
        _ => None,
    }
}

/// The character of a format of one item in this machine's byte order.
fn format_of(format: &[u8]) -> Option<u8> {
    let native = if cfg!(target_endian = "little") { b'<' } else { b'>' };
    match *format {
        [character] => Some(character),
        [order, character] if order == native || order == b'@' || order == b'=' => Some(character),
        _ => None,
    }
}

/// The memory of an object, exported until this is dropped.
pub(crate) struct View {
    facts: Facts,
    is_immutable: bool,
    _export: backend::Export,
}

impl View {
    /// Exports the memory of the argument `name`, of which `wanted` says what it should be.
    ///
    /// # Errors
    /// `TypeError` where `object` exports none, `ValueError` where it has gaps.
    fn new(object: &Bound<'_, PyAny>, name: &str, wanted: impl Fn() -> String) -> PyResult<Self> {
        let single = || PyTypeError::new_err(format!("{name} is a single number; {} is wanted", wanted()));
        let (export, facts) = backend::export(object).map_err(|error| {
            // Such an array has memory, but no shape to read it by.
            let is_single =
                object.getattr("ndim").is_ok_and(|axes| axes.extract::<usize>().is_ok_and(|n| n == 0));
            if is_single { single() } else { no_buffer(object, error, name, &wanted()) }
        })?;
        if !facts.is_contiguous {
            return Err(PyValueError::new_err(format!(
                "{name} is not contiguous; copy it first, with numpy.ascontiguousarray for example"
            )));
        }
        if facts.axes == 0 {
            return Err(single());
        }
        Ok(Self { facts, is_immutable: is_immutable(object)?, _export: export })
    }

    /// The addresses of the memory.
    fn place(&self) -> Range<usize> {
        let start = self.facts.start.addr();
        start..start + self.facts.bytes
    }

    /// The memory as bytes.
    #[expect(unsafe_code, reason = "borrows the memory of a Python object")]
    fn as_bytes(&self) -> &[u8] {
        if self.facts.bytes == 0 {
            return &[];
        }
        // SAFETY: the exporter promises `bytes` contiguous bytes at `start` for as long as the export lasts,
        // which is as long as `self`. That nothing writes to them meanwhile is the module's first section.
        unsafe { std::slice::from_raw_parts(self.facts.start, self.facts.bytes) }
    }

    /// Fails unless the items are numbers of type `T` where a processor can read them.
    fn check<T: Number>(&self, name: &str) -> PyResult<()> {
        let is_of_type = self.facts.item_size == size_of::<T>()
            && self.facts.format.is_some_and(|format| T::FORMATS.contains(&format));
        if !is_of_type {
            return Err(PyTypeError::new_err(format!(
                "{name} does not hold {0}; convert it to {0} first",
                T::NAME
            )));
        }
        if self.facts.bytes > 0 && !self.facts.start.cast::<T>().is_aligned() {
            return Err(PyValueError::new_err(format!(
                "{name} is not aligned for {}; copy it first",
                T::NAME
            )));
        }
        Ok(())
    }

    /// The memory as numbers, after [`View::check`].
    #[expect(unsafe_code, reason = "borrows the memory of a Python object")]
    fn numbers<T: Number>(&self) -> &[T] {
        let len = self.facts.bytes / size_of::<T>();
        if len == 0 {
            return &[];
        }
        // SAFETY: as in `as_bytes`; every pattern of bits is a `T`, and `check` looked at the alignment.
        unsafe { std::slice::from_raw_parts(self.facts.start.cast(), len) }
    }
}

/// Whether nothing can change the memory of `object`.
fn is_immutable(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(view) = object.cast::<PyMemoryView>() {
        return Ok(view.getattr("obj")?.is_exact_instance_of::<PyBytes>());
    }
    Ok(object.is_exact_instance_of::<PyBytes>())
}

fn no_buffer(object: &Bound<'_, PyAny>, error: PyErr, name: &str, wanted: &str) -> PyErr {
    let py = object.py();
    if !error.is_instance_of::<PyTypeError>(py) && !error.is_instance_of::<PyBufferError>(py) {
        return error;
    }
    match object.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!("{name} is of type {kind}; {wanted} is wanted")),
        Err(error) => error,
    }
}

/// Numbers that a caller gave.
pub(crate) enum Input<T> {
    /// In place.
    InPlace(View),
    /// A copy.
    Copied(Vec<T>),
}

impl<T: Number> Input<T> {
    /// Takes a list or a buffer of numbers; `name` is the argument's. With `copy` a buffer that could change
    /// is copied, so that the interpreter can be released while the numbers are read.
    ///
    /// # Errors
    /// `TypeError` where it is neither, or holds other numbers; `ValueError` for a buffer with gaps.
    pub(crate) fn new(numbers: &Bound<'_, PyAny>, name: &str, copy: bool) -> PyResult<Self> {
        if let Ok(list) = numbers.cast::<PyList>() {
            return Ok(Self::Copied(T::from_list(list)?));
        }
        let view = View::new(numbers, name, || format!("a buffer or a list of {}", T::NAME))?;
        view.check::<T>(name)?;
        if copy && !view.is_immutable {
            return Ok(Self::Copied(copy_of(view.numbers())?));
        }
        Ok(Self::InPlace(view))
    }

    /// The numbers. Read with the interpreter held, unless [`Input::is_fixed`].
    pub(crate) fn numbers(&self) -> &[T] {
        match self {
            Self::InPlace(view) => view.numbers(),
            Self::Copied(numbers) => numbers,
        }
    }

    /// Whether nothing can change the numbers.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Self::InPlace(view) => view.is_immutable,
            Self::Copied(_) => true,
        }
    }

    /// How many columns the numbers have, if they came as a table.
    pub(crate) fn columns(&self) -> Option<usize> {
        match self {
            Self::InPlace(view) => view.facts.columns,
            Self::Copied(_) => None,
        }
    }

    /// How many axes the numbers have: 1 for a list.
    pub(crate) fn axes(&self) -> usize {
        match self {
            Self::InPlace(view) => view.facts.axes,
            Self::Copied(_) => 1,
        }
    }

    /// The addresses of the numbers, if they belong to another object.
    fn place(&self) -> Option<Range<usize>> {
        match self {
            Self::InPlace(view) => Some(view.place()),
            Self::Copied(_) => None,
        }
    }
}

/// Bytes that a caller gave: a text, as UTF-8, or the memory of any object.
pub(crate) enum Bytes {
    /// A text, which nothing can change.
    Text(PyBackedStr),
    /// Memory in place.
    InPlace(View),
    /// A copy.
    Copied(Vec<u8>),
}

impl Bytes {
    /// Takes a `str` or a buffer; `name` is the argument's. For `copy` see [`Input::new`].
    ///
    /// # Errors
    /// `TypeError` where it is neither; `UnicodeEncodeError` for a text that UTF-8 cannot hold; `ValueError` for
    /// a buffer with gaps.
    pub(crate) fn new(bytes: &Bound<'_, PyAny>, name: &str, copy: bool) -> PyResult<Self> {
        if bytes.is_instance_of::<PyString>() {
            return Ok(Self::Text(bytes.extract()?));
        }
        let view = View::new(bytes, name, || "a str or a buffer of bytes".to_owned())?;
        if copy && !view.is_immutable {
            return Ok(Self::Copied(copy_of(view.as_bytes())?));
        }
        Ok(Self::InPlace(view))
    }

    /// Takes a buffer, but no `str`, whose bytes would not come back as a `str`.
    ///
    /// # Errors
    /// As [`Bytes::new`].
    pub(crate) fn of_buffer(bytes: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        View::new(bytes, name, || "a buffer, such as bytes,".to_owned()).map(Self::InPlace)
    }

    /// The bytes. Read with the interpreter held, unless [`Bytes::is_fixed`].
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::InPlace(view) => view.as_bytes(),
            Self::Copied(bytes) => bytes,
        }
    }

    /// Whether nothing can change the bytes.
    pub(crate) fn is_fixed(&self) -> bool {
        match self {
            Self::Text(_) | Self::Copied(_) => true,
            Self::InPlace(view) => view.is_immutable,
        }
    }
}

/// A copy of numbers.
///
/// # Errors
/// `MemoryError`; a plain copy would abort the process.
pub(crate) fn copy_of<T: Copy>(numbers: &[T]) -> PyResult<Vec<T>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(numbers.len()).map_err(|_| no_memory(size_of_val(numbers)))?;
    copy.extend_from_slice(numbers);
    Ok(copy)
}

/// Fails where there is no memory for `bytes` more bytes, before something asks for them that cannot fail.
///
/// # Errors
/// `MemoryError`.
pub(crate) fn ensure_memory(bytes: usize) -> PyResult<()> {
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| no_memory(bytes))
}

pub(crate) fn no_memory(bytes: usize) -> PyErr {
    PyMemoryError::new_err(format!("there is no memory for {bytes} bytes"))
}

/// Runs `work` on inputs of `bytes` bytes together: with the interpreter released where the inputs are
/// `fixed` and large enough for it to be worth while, otherwise held.
pub(crate) fn read<R: Send>(
    py: Python<'_>,
    fixed: bool,
    bytes: usize,
    work: impl FnOnce() -> R + Send,
) -> PyResult<R> {
    if fixed && bytes >= WORTH_RELEASING { released(py, work) } else { guarded(|| Ok(work())) }
}

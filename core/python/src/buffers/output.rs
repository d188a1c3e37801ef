//! Numbers that are written for a caller.

use crate::buffers::{Bytes, Input, Number, View, WORTH_RELEASING, ensure_memory};
use crate::guard::{guarded, released};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use std::ops::Range;

/// An array of its own, or the buffer that was given as `out`.
pub(crate) struct Output {
    view: View,
    object: Py<PyAny>,
    is_new: bool,
}

impl Output {
    /// `given`, or a new `array.array` of `len` numbers; `name` is the argument's.
    ///
    /// # Errors
    /// `TypeError` and `ValueError` where `given` holds other numbers, has gaps or another length, or is
    /// read-only; `MemoryError`.
    pub(crate) fn new<T: Number>(
        py: Python<'_>,
        given: Option<&Bound<'_, PyAny>>,
        name: &str,
        len: usize,
    ) -> PyResult<Self> {
        let object = given.cloned().map_or_else(|| new_array::<T>(py, len), Ok)?;
        let view = View::new(&object, name, || format!("a writable buffer of {}", T::NAME))?;
        view.check::<T>(name)?;
        if view.facts.is_read_only {
            return Err(PyValueError::new_err(format!("{name} is read-only; a writable buffer is wanted")));
        }
        let found = view.facts.bytes / size_of::<T>();
        if found != len {
            return Err(PyValueError::new_err(format!("{name} holds {found} numbers; {len} are wanted")));
        }
        Ok(Self { view, object: object.unbind(), is_new: given.is_none() })
    }

    /// Fails where writing would change an input.
    ///
    /// # Errors
    /// `ValueError`.
    pub(crate) fn keep_off<T: Number>(&self, inputs: &[&Input<T>], name: &str) -> PyResult<()> {
        inputs
            .iter()
            .filter_map(|input| input.place())
            .try_for_each(|place| self.keep_off_place(&place, name))
    }

    /// The same for bytes.
    ///
    /// # Errors
    /// `ValueError`.
    pub(crate) fn keep_off_bytes(&self, input: &Bytes, name: &str) -> PyResult<()> {
        match input {
            Bytes::InPlace(view) => self.keep_off_place(&view.place(), name),
            Bytes::Text(_) | Bytes::Copied(_) => Ok(()),
        }
    }

    /// Fails where two outputs share memory.
    ///
    /// # Errors
    /// `ValueError`.
    pub(crate) fn keep_off_output(&self, other: &Self, name: &str) -> PyResult<()> {
        self.keep_off_place(&other.view.place(), name)
    }

    fn keep_off_place(&self, other: &Range<usize>, name: &str) -> PyResult<()> {
        let mine = self.view.place();
        if mine.start < other.end && other.start < mine.end {
            return Err(PyValueError::new_err(format!(
                "{name} shares memory with another argument; give it memory of its own"
            )));
        }
        Ok(())
    }

    /// The numbers to be written, after `keep_off` of everything that is read meanwhile.
    ///
    /// They are written with the interpreter held, or are those of a new array, which nobody else knows.
    #[expect(unsafe_code, reason = "borrows the memory of a Python object")]
    fn numbers<T: Number>(&mut self) -> &mut [T] {
        let len = self.view.facts.bytes / size_of::<T>();
        if len == 0 {
            return &mut [];
        }
        // SAFETY: the exporter promises that many bytes for as long as the export lasts, and that they can be
        // written; type and alignment were checked; every pattern of bits is a `T`. No other slice of this
        // memory is alive: `self` is borrowed mutably, and `keep_off` looked at the others.
        unsafe { std::slice::from_raw_parts_mut(self.view.facts.start.cast(), len) }
    }

    /// The object that was written to.
    pub(crate) fn into_object(self) -> Py<PyAny> {
        self.object
    }
}

/// Has `work` write all outputs, from inputs of `bytes` bytes together: with the interpreter released where
/// the inputs are `fixed` and large enough for it to be worth while, otherwise held.
pub(crate) fn write<const N: usize, T: Number, R: Send>(
    py: Python<'_>,
    outputs: [&mut Output; N],
    fixed: bool,
    bytes: usize,
    work: impl FnOnce([&mut [T]; N]) -> R + Send,
) -> PyResult<R> {
    let all_new = outputs.iter().all(|output| output.is_new);
    let slices = outputs.map(Output::numbers::<T>);
    if !fixed || bytes < WORTH_RELEASING {
        return guarded(|| Ok(work(slices)));
    }
    if all_new {
        return released(py, || work(slices));
    }
    // The caller's memory is written with the interpreter held.
    let bytes = slices.iter().map(|numbers| size_of_val(*numbers)).sum();
    ensure_memory(bytes)?;
    let mut copies = slices.each_ref().map(|numbers| numbers.to_vec());
    let result = released(py, || work(copies.each_mut().map(Vec::as_mut_slice)))?;
    for (numbers, copy) in slices.into_iter().zip(&copies) {
        numbers.copy_from_slice(copy);
    }
    Ok(result)
}

/// An `array.array` of `len` zeros.
fn new_array<T: Number>(py: Python<'_>, len: usize) -> PyResult<Bound<'_, PyAny>> {
    static ARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let array = ARRAY.import(py, "array", "array")?;
    array.call1((T::CODE, (0_u8,)))?.mul(len)
}

//! The buffer protocol, which the stable ABI has from CPython 3.11 on.

use crate::buffers::{Facts, columns_of, format_of};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;

/// Keeps memory exported until it is dropped.
pub(crate) type Export = PyUntypedBuffer;

/// Exports the memory of `object`.
///
/// # Errors
/// What `object` raises; `TypeError` or `BufferError` where it has none to export.
pub(crate) fn export(object: &Bound<'_, PyAny>) -> PyResult<(Export, Facts)> {
    let buffer = PyUntypedBuffer::get(object)?;
    let facts = Facts {
        start: buffer.buf_ptr().cast(),
        bytes: buffer.len_bytes(),
        format: format_of(buffer.format().to_bytes()),
        item_size: buffer.item_size(),
        axes: buffer.dimensions(),
        columns: columns_of(buffer.shape()),
        is_contiguous: buffer.is_c_contiguous(),
        is_read_only: buffer.readonly(),
    };
    Ok((buffer, facts))
}

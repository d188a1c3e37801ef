//! The kernels of mcp-kernels on the memory of Python objects.

mod embeddings;
mod series;
mod text;
mod vectors;

use pyo3::prelude::*;

/// Adds the kernels to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<embeddings::Embeddings>()?;
    for function in [
        wrap_pyfunction!(embeddings::cosine_top_k, module)?,
        wrap_pyfunction!(vectors::dot, module)?,
        wrap_pyfunction!(vectors::bitset_intersect, module)?,
        wrap_pyfunction!(series::z_scores, module)?,
        wrap_pyfunction!(series::moving_mean_sd, module)?,
        wrap_pyfunction!(series::holt, module)?,
        wrap_pyfunction!(text::edit_distance, module)?,
        wrap_pyfunction!(text::byte_histogram, module)?,
        wrap_pyfunction!(text::byte_classes, module)?,
        wrap_pyfunction!(text::xxh3, module)?,
        wrap_pyfunction!(text::winnow, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

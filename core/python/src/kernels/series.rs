//! Kernels on series of float64.

use crate::buffers::{Input, Output, write};
use crate::numbers::Count;
use mcp_kernels::level::Level;
use mcp_kernels::{moving, robust, smoothing};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// How far each value lies from the median, in units of the median absolute deviation.
///
/// `values` is a buffer or list of float64. The answer is the scores, the median, and the deviation, scaled so
/// that it estimates the standard deviation of normal data. Where the deviation is zero, values at the median
/// score 0 and others infinity. The scores are a new `array.array('d')`, or `out`, a writable buffer of float64
/// as long as `values`. For `release` see `dot`.
///
/// >>> from mcp_rust_core import z_scores
/// >>> scores, median, deviation = z_scores([1.0, 2.0, 3.0, 4.0, 100.0])
/// >>> median, round(deviation, 4), round(scores[4], 1)
/// (3.0, 1.4826, 65.4)
#[pyfunction]
#[pyo3(signature = (values, out=None, *, release=false))]
pub(super) fn z_scores(
    values: &Bound<'_, PyAny>,
    out: Option<&Bound<'_, PyAny>>,
    release: bool,
) -> PyResult<(Py<PyAny>, f64, f64)> {
    let py = values.py();
    let values = Input::<f64>::new(values, "values", release)?;
    if let Some(index) = values.numbers().iter().position(|value| value.is_nan()) {
        return Err(PyValueError::new_err(format!(
            "values[{index}] is NaN, which is neither above nor below a median; leave it out"
        )));
    }
    let mut out = Output::new::<f64>(py, out, "out", values.numbers().len())?;
    out.keep_off(&[&values], "out")?;
    let (fixed, numbers) = (values.is_fixed(), values.numbers());
    let spread =
        write(py, [&mut out], fixed, size_of_val(numbers), |[scores]| robust::z_scores(numbers, scores))?;
    let Some(spread) = spread else {
        return Err(PyValueError::new_err("values is empty; a median needs at least one value"));
    };
    Ok((out.into_object(), spread.median, spread.deviation))
}

/// Mean and sample standard deviation of each window of a series.
///
/// `series` is a buffer or list of float64, `window` at least 2. Element `i` of the two answers belongs to the
/// window that starts at value `i`; a series shorter than a window has none. The answers are new
/// `array.array('d')`, or `out`, a pair of writable buffers of float64. For `release` see `dot`.
///
/// >>> from mcp_rust_core import moving_mean_sd
/// >>> means, deviations = moving_mean_sd([1.0, 3.0, 3.0, 9.0], 2)
/// >>> means.tolist()
/// [2.0, 3.0, 6.0]
#[pyfunction]
#[pyo3(signature = (series, window, out=None, *, release=false))]
pub(super) fn moving_mean_sd(
    series: &Bound<'_, PyAny>,
    window: Count,
    out: Option<(Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    release: bool,
) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
    let py = series.py();
    let Count(window) = window;
    if window < 2 {
        return Err(PyValueError::new_err(format!(
            "window is {window}; a deviation needs at least 2 values"
        )));
    }
    let series = Input::<f64>::new(series, "series", release)?;
    let count = moving::window_count(series.numbers().len(), window);
    let (means, deviations) = out.unzip();
    let mut means = Output::new::<f64>(py, means.as_ref(), "out[0]", count)?;
    let mut deviations = Output::new::<f64>(py, deviations.as_ref(), "out[1]", count)?;
    means.keep_off(&[&series], "out[0]")?;
    deviations.keep_off(&[&series], "out[1]")?;
    deviations.keep_off_output(&means, "out[1]")?;
    let (fixed, numbers) = (series.is_fixed(), series.numbers());
    write(py, [&mut means, &mut deviations], fixed, size_of_val(numbers), |[means, deviations]| {
        moving::dispatched(Level::detected(), numbers, window, means, deviations);
    })?;
    Ok((means.into_object(), deviations.into_object()))
}

/// How well Holt's linear exponential smoothing fits a series, for many weights at once.
///
/// `alphas` (of the level) and `betas` (of the trend) are equally many weights between 0 and 1; all three are
/// buffers or lists of float64. The answer is the sum of squared one-step-ahead errors for each pair: a new
/// `array.array('d')`, or `out`, a writable buffer of float64. The first two values start level and trend, so
/// a series of fewer than three has no error. For `release` see `dot`.
///
/// >>> from mcp_rust_core import holt
/// >>> holt([1.0, 2.0, 3.0, 5.0], [0.5, 1.0], [0.1, 1.0]).tolist()
/// [1.0, 1.0]
#[pyfunction]
#[pyo3(signature = (series, alphas, betas, out=None, *, release=false))]
pub(super) fn holt(
    series: &Bound<'_, PyAny>,
    alphas: &Bound<'_, PyAny>,
    betas: &Bound<'_, PyAny>,
    out: Option<&Bound<'_, PyAny>>,
    release: bool,
) -> PyResult<Py<PyAny>> {
    let py = series.py();
    let series = Input::<f64>::new(series, "series", release)?;
    let alphas = Input::<f64>::new(alphas, "alphas", release)?;
    let betas = Input::<f64>::new(betas, "betas", release)?;
    weights(alphas.numbers(), "alphas")?;
    weights(betas.numbers(), "betas")?;
    let (count, other) = (alphas.numbers().len(), betas.numbers().len());
    if count != other {
        return Err(PyValueError::new_err(format!(
            "there are {count} alphas and {other} betas; give as many"
        )));
    }
    let mut out = Output::new::<f64>(py, out, "out", count)?;
    out.keep_off(&[&series, &alphas, &betas], "out")?;
    let fixed = series.is_fixed() && alphas.is_fixed() && betas.is_fixed();
    let (series, alphas, betas) = (series.numbers(), alphas.numbers(), betas.numbers());
    write(py, [&mut out], fixed, size_of_val(series), |[errors]| {
        smoothing::dispatched(Level::detected(), series, alphas, betas, errors);
    })?;
    Ok(out.into_object())
}

fn weights(weights: &[f64], name: &str) -> PyResult<()> {
    match weights.iter().position(|weight| !(0.0..=1.0).contains(weight)) {
        Some(index) => Err(PyValueError::new_err(format!(
            "{name}[{index}] is {}; a weight lies between 0 and 1",
            weights[index]
        ))),
        None => Ok(()),
    }
}

//! Kernels on text and bytes.
#![expect(clippy::needless_pass_by_value, reason = "pyo3 passes converted arguments by value")]

use crate::buffers::{Bytes, Output, ensure_memory, read, write};
use crate::numbers::Count;
use mcp_kernels::level::Level;
use mcp_kernels::{bytes, edit_distance as distance, hash, shingles};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyDict;

/// The least number of inserted, removed and replaced bytes that turn `a` into `b`.
///
/// Both are a `str`, compared as UTF-8, or a buffer of bytes. For `release` see `dot`: texts and `bytes` need no
/// copy, so that it matters for other buffers alone.
///
/// >>> from mcp_rust_core import edit_distance
/// >>> edit_distance("kitten", b"sitting")
/// 3
#[pyfunction]
#[pyo3(signature = (a, b, *, release=false))]
pub(super) fn edit_distance(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, release: bool) -> PyResult<usize> {
    let py = a.py();
    let a = Bytes::new(a, "a", release)?;
    let b = Bytes::new(b, "b", release)?;
    // The distance is the same the other way round; memory goes with the first.
    let (a, b) = if a.as_bytes().len() <= b.as_bytes().len() { (a, b) } else { (b, a) };
    let len = a.as_bytes().len();
    ensure_memory(distance::Pattern::memory(len))?;
    let shorter = a.as_bytes();
    let mut pattern = read(py, a.is_fixed(), len, || distance::Pattern::new(shorter))?;
    let mut comparison = distance::Comparison::new(&mut pattern);
    let piece = (STEPS / len.div_ceil(64).max(1)).max(1);
    let mut at = 0;
    loop {
        // A signal handler may have written to a buffer since the piece before.
        let text = b.as_bytes();
        let part = &text[at.min(text.len())..text.len().min(at + piece)];
        if part.is_empty() {
            return Ok(comparison.distance());
        }
        // Time goes with the product of the lengths.
        read(py, b.is_fixed(), part.len().saturating_mul(len), || comparison.add(part))?;
        at += piece;
        py.check_signals()?;
    }
}

/// How many blocks of 64 bytes are compared with a byte each between two looks at signals: some 50 milliseconds.
const STEPS: usize = 1 << 25;

/// How often each byte occurs.
///
/// `data` is a `str`, counted as UTF-8, or a buffer, of less than 4 GiB. The answer is a new
/// `array.array('I')` of 256 numbers, or `out`, a writable buffer of uint32. For `release` see `edit_distance`.
///
/// >>> from mcp_rust_core import byte_histogram
/// >>> byte_histogram(b"banana")[ord("a")]
/// 3
#[pyfunction]
#[pyo3(signature = (data, out=None, *, release=false))]
pub(super) fn byte_histogram(
    data: &Bound<'_, PyAny>,
    out: Option<&Bound<'_, PyAny>>,
    release: bool,
) -> PyResult<Py<PyAny>> {
    let py = data.py();
    let data = Bytes::new(data, "data", release)?;
    let (fixed, text) = (data.is_fixed(), data.as_bytes());
    if u32::try_from(text.len()).is_err() {
        return Err(PyValueError::new_err("data is too long to be counted; give less than 4 GiB at a time"));
    }
    let mut out = Output::new::<u32>(py, out, "out", 256)?;
    out.keep_off_bytes(&data, "out")?;
    write(py, [&mut out], fixed, text.len(), |[counts]| counts.copy_from_slice(&bytes::histogram(text)))?;
    Ok(out.into_object())
}

/// How many bytes are of each class, which tells text from binary data; every byte is of exactly one.
///
/// `data` is a `str`, counted as UTF-8, or a buffer. For `release` see `edit_distance`.
///
/// >>> from mcp_rust_core import byte_classes
/// >>> byte_classes(b"a_1 +\n\x00\xff")
/// {'white': 2, 'word': 3, 'punctuation': 1, 'control': 1, 'high': 1}
#[pyfunction]
#[pyo3(signature = (data, *, release=false))]
pub(super) fn byte_classes<'py>(data: &Bound<'py, PyAny>, release: bool) -> PyResult<Bound<'py, PyDict>> {
    let py = data.py();
    let data = Bytes::new(data, "data", release)?;
    let (fixed, text) = (data.is_fixed(), data.as_bytes());
    let counted = read(py, fixed, text.len(), || bytes::dispatched(Level::detected(), text))?;
    let classes = PyDict::new(py);
    classes.set_item("white", counted.white)?;
    classes.set_item("word", counted.word)?;
    classes.set_item("punctuation", counted.punctuation)?;
    classes.set_item("control", counted.control)?;
    classes.set_item("high", counted.high)?;
    Ok(classes)
}

/// The 64-bit XXH3 hash with seed 0, for cache keys and deduplication; not for secrets.
///
/// `data` is a `str`, hashed as UTF-8, or a buffer. For `release` see `edit_distance`.
///
/// >>> from mcp_rust_core import xxh3
/// >>> hex(xxh3(b""))
/// '0x2d06800538d394c2'
#[pyfunction]
#[pyo3(signature = (data, *, release=false))]
pub(super) fn xxh3(data: &Bound<'_, PyAny>, release: bool) -> PyResult<u64> {
    let py = data.py();
    let data = Bytes::new(data, "data", release)?;
    let (fixed, text) = (data.is_fixed(), data.as_bytes());
    // A hash takes a tenth of a nanosecond for each byte.
    read(py, fixed, text.len() / 8, || hash::xxh3(text))
}

/// Fingerprints of source text that survive moving and inserting code.
///
/// The text is cut into tokens, each run of `shingle` tokens is hashed, and of each `window` neighbouring hashes
/// the least is kept. The answer is a list of pairs: the hash, and the index of the first token.
///
/// >>> from mcp_rust_core import winnow
/// >>> first = {hash for hash, _ in winnow("if a == b { return a + b }")}
/// >>> second = {hash for hash, _ in winnow("let x = 1; if a == b { return a + b }")}
/// >>> len(first & second) > 0
/// True
#[pyfunction]
#[pyo3(
    signature = (text, shingle=Count(5), window=Count(4)),
    text_signature = "(text, shingle=5, window=4)"
)]
pub(super) fn winnow(
    py: Python<'_>,
    text: PyBackedStr,
    shingle: Count,
    window: Count,
) -> PyResult<Vec<(u64, u32)>> {
    let cut = shingles::Cut { shingle: shingle.0, window: window.0 };
    if cut.shingle == 0 || cut.window == 0 {
        return Err(PyValueError::new_err("shingle and window are at least 1"));
    }
    // Each token takes tens of nanoseconds.
    read(py, true, text.len().saturating_mul(8), || {
        let mut found = Vec::new();
        shingles::winnow(&text, cut, &mut shingles::Scratch::default(), &mut found);
        found.into_iter().map(|fingerprint| (fingerprint.hash, fingerprint.token)).collect()
    })
}

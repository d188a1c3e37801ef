//! `StateStore`: bytes by name, with a cap on all of them together.
#![expect(clippy::needless_pass_by_value, reason = "pyo3 passes converted arguments by value")]

use crate::buffers::{Bytes, ensure_memory};
use crate::guard::{guarded, released};
use crate::numbers::{Count, Seconds};
use mcp_python_face::json;
use mcp_store::state_store::{self, StoreError, Versioned};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyIterator, PyList, PyString, PyTuple};
use std::sync::Arc;
use std::time::Duration;

/// Values of this size are copied while other threads run. Of smaller ones, which take microseconds, each release
/// would hand the interpreter to another thread and back: that costs several times the copy.
const LARGE: usize = 1 << 20;

/// What a name takes in a list of names, besides its text, roughly in bytes.
const KEY: usize = 64;

/// A map from names to bytes that never holds more than it was given, for several threads.
///
/// An entry counts with its name, its value and 128 bytes. Where there is no room, the least recently used
/// entries go. Values are copied in and out. With `ttl` an entry is gone after so many seconds.
///
/// >>> from mcp_rust_core import StateStore
/// >>> store = StateStore(1_000_000)
/// >>> store["greeting"] = b"hello"
/// >>> store["greeting"], "other" in store, len(store)
/// (b'hello', False, 1)
#[pyclass(frozen, mapping, weakref, module = "mcp_rust_core")]
// Locked only with the interpreter held, so that the child of a `fork`, which is such a thread, finds nothing locked.
pub(crate) struct StateStore {
    /// Boxed, because its shards are aligned to cache lines and CPython allocates objects for 16 bytes.
    store: Box<state_store::StateStore>,
    capacity: usize,
}

#[pymethods]
impl StateStore {
    #[new]
    fn new(capacity_bytes: Count) -> PyResult<Self> {
        let Count(capacity) = capacity_bytes;
        guarded(|| Ok(Self { store: Box::new(state_store::StateStore::new(capacity)), capacity }))
    }

    /// The value of a key; `default` where there is none.
    #[pyo3(signature = (key, default=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: PyBackedStr,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match guarded(|| Ok(self.store.get(&key)))? {
            Some(found) => Ok(value_of(py, &found)?.into_any()),
            None => Ok(default.unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The value of a key and its version, for `compare_and_swap`; `None` where there is none.
    fn get_versioned<'py>(
        &self,
        py: Python<'py>,
        key: PyBackedStr,
    ) -> PyResult<Option<(Bound<'py, PyBytes>, u64)>> {
        let found = guarded(|| Ok(self.store.get(&key)))?;
        found.map(|found| Ok((value_of(py, &found)?, found.version))).transpose()
    }

    /// Sets the value of a key, whatever was there, and returns its version.
    ///
    /// The value is any buffer, such as `bytes`. Raises `ValueError` where the entry is larger than the store;
    /// the store is unchanged then.
    #[pyo3(signature = (key, value, ttl=None))]
    fn set(&self, key: PyBackedStr, value: &Bound<'_, PyAny>, ttl: Option<Seconds>) -> PyResult<u64> {
        let write = |value: Arc<[u8]>, ttl| self.store.set(&key, value, ttl);
        self.write(value, ttl, write)?.map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Sets the value of a key if its version is `expected` (`None`: if there is no value), and returns the new
    /// version; `None` where another version is there, and then nothing is changed. No other write can come
    /// between the comparison and the change.
    ///
    /// >>> from mcp_rust_core import StateStore
    /// >>> store = StateStore(1_000_000)
    /// >>> first = store.compare_and_swap("count", None, b"1")
    /// >>> store.compare_and_swap("count", None, b"2") is None
    /// True
    /// >>> store.compare_and_swap("count", first, b"2") is None
    /// False
    #[pyo3(signature = (key, expected, value, ttl=None))]
    fn compare_and_swap(
        &self,
        key: PyBackedStr,
        expected: Option<Count>,
        value: &Bound<'_, PyAny>,
        ttl: Option<Seconds>,
    ) -> PyResult<Option<u64>> {
        let expected = expected.map(|Count(version)| version as u64);
        let write = |value: Arc<[u8]>, ttl| self.store.compare_and_swap(&key, expected, value, ttl);
        match self.write(value, ttl, write)? {
            Ok(version) => Ok(Some(version)),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error @ StoreError::TooLarge { .. }) => Err(PyValueError::new_err(error.to_string())),
        }
    }

    /// Removes a key; whether there was a value.
    fn remove(&self, key: PyBackedStr) -> PyResult<bool> {
        guarded(|| Ok(self.store.remove(&key)))
    }

    /// Removes a key and returns its value; `default` where there is none, and without one `KeyError`. Of several
    /// threads one gets it.
    #[pyo3(signature = (key, /, *default), text_signature = "($self, key, /, *default)")]
    fn pop<'py>(
        &self,
        key: &Bound<'py, PyString>,
        default: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if default.len() > 1 {
            return Err(PyTypeError::new_err(format!(
                "pop takes a key and one default; {} defaults were given",
                default.len()
            )));
        }
        let name: PyBackedStr = key.extract()?;
        match guarded(|| Ok(self.store.pop(&name)))? {
            Some(found) => Ok(value_of(key.py(), &found)?.into_any()),
            None if default.is_empty() => Err(PyKeyError::new_err(key.clone().unbind())),
            None => default.get_item(0),
        }
    }

    /// Removes everything. Statistics of the past stay.
    fn clear(&self) -> PyResult<()> {
        guarded(|| {
            self.store.clear();
            Ok(())
        })
    }

    /// All keys, in no order.
    fn keys(&self) -> PyResult<Vec<String>> {
        ensure_memory((self.store.statistics().entries as usize).saturating_mul(KEY))?;
        guarded(|| Ok(self.store.keys()))
    }

    /// What the store holds (`entries`, `bytes`, `capacity_bytes`) and what happened to it (`hits`, `misses`,
    /// `evictions`, `expirations`), as a dict.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let statistics = guarded(|| Ok(self.store.statistics()))?;
        json::from_value(py, &statistics)
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
        let name: PyBackedStr = key.extract()?;
        match guarded(|| Ok(self.store.get(&name)))? {
            Some(found) => value_of(py, &found),
            None => Err(PyKeyError::new_err(key.clone().unbind())),
        }
    }

    fn __setitem__(&self, key: PyBackedStr, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set(key, value, None).map(|_version| ())
    }

    fn __delitem__(&self, key: &Bound<'_, PyString>) -> PyResult<()> {
        if self.remove(key.extract()?)? { Ok(()) } else { Err(PyKeyError::new_err(key.clone().unbind())) }
    }

    fn __contains__(&self, key: PyBackedStr) -> PyResult<bool> {
        guarded(|| Ok(self.store.contains(&key)))
    }

    fn __len__(&self) -> PyResult<usize> {
        guarded(|| Ok(self.store.statistics().entries as usize))
    }

    fn __repr__(&self) -> PyResult<String> {
        let statistics = guarded(|| Ok(self.store.statistics()))?;
        let (entries, bytes, capacity) = (statistics.entries, statistics.bytes, self.capacity);
        Ok(format!("<StateStore: {entries} entries, {bytes} of {capacity} bytes>"))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.keys()?)?.try_iter()
    }
}

impl StateStore {
    /// Copies a value and has `set` take it; large ones while other threads run.
    fn write(
        &self,
        value: &Bound<'_, PyAny>,
        ttl: Option<Seconds>,
        set: impl FnOnce(Arc<[u8]>, Option<Duration>) -> Result<u64, StoreError>,
    ) -> PyResult<Result<u64, StoreError>> {
        let ttl = ttl.map(|Seconds(ttl)| ttl);
        if ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(PyValueError::new_err("ttl is 0 seconds; a longer time is wanted, or none at all"));
        }
        let py = value.py();
        let value = Bytes::of_buffer(value, "value")?;
        let bytes = value.as_bytes();
        // Refused before it is copied.
        if bytes.len() > self.capacity {
            return Ok(Err(StoreError::TooLarge { bytes: bytes.len(), capacity: self.capacity }));
        }
        ensure_memory(bytes.len())?;
        let copy: Arc<[u8]> = if bytes.len() >= LARGE && value.is_fixed() {
            released(py, || bytes.into())?
        } else {
            guarded(|| Ok(bytes.into()))?
        };
        guarded(|| Ok(set(copy, ttl)))
    }
}

fn value_of<'py>(py: Python<'py>, found: &Versioned) -> PyResult<Bound<'py, PyBytes>> {
    let value = &*found.value;
    if value.len() < LARGE {
        return Ok(PyBytes::new(py, value));
    }
    PyBytes::new_with(py, value.len(), |room| released(py, || room.copy_from_slice(value)))
}

/// The methods that are called most, without pyo3 in between.
#[cfg(not(feature = "abi3-py39"))]
pub(crate) mod direct {
    #![expect(unsafe_code, reason = "speaks with CPython without pyo3 in between")]

    use crate::direct::{Call, Twin, direct};
    use crate::memory;
    use crate::store::{StateStore, value_of};
    use pyo3::ffi::{self, PyObject};
    use pyo3::prelude::*;

    /// From this size on, memory is asked for beforehand, which is the twin's work.
    const ENSURED: usize = 64 << 10;

    static GET: Twin = Twin::method();
    static SET: Twin = Twin::method();

    pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
        let class = py.get_type::<StateStore>();
        GET.of_method(&class, "get", get)?;
        SET.of_method(&class, "set", set)
    }

    unsafe extern "C" fn get(
        store: *mut PyObject,
        arguments: *const *mut PyObject,
        count: ffi::Py_ssize_t,
        names: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: CPython calls this function, and nothing else does.
        direct(&GET, unsafe { Call::new(store, arguments, count, names) }, |call| {
            let (key, default) = match (call.exactly(), call.exactly()) {
                (Some([key]), _) => (key, None),
                (_, Some([key, default])) => (key, Some(default)),
                _ => return None,
            };
            // SAFETY: `register` makes it a method of this class.
            let store = unsafe { call.object_of::<StateStore>() };
            Some(match store.store.get(key.text()?) {
                Some(found) => value_of(call.py(), &found).map(Bound::into_any),
                None => Ok(default.map_or_else(|| call.none(), |default| default.object(call.py()))),
            })
        })
    }

    unsafe extern "C" fn set(
        store: *mut PyObject,
        arguments: *const *mut PyObject,
        count: ffi::Py_ssize_t,
        names: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: CPython calls this function, and nothing else does.
        direct(&SET, unsafe { Call::new(store, arguments, count, names) }, |call| {
            let [key, value] = call.exactly()?;
            // SAFETY: `register` makes it a method of this class.
            let store = unsafe { call.object_of::<StateStore>() };
            let value = value.bytes()?;
            // A value for which other threads may run, or that is refused, is the twin's.
            if value.len() >= ENSURED || value.len() > store.capacity || memory::is_short() {
                return None;
            }
            let Ok(version) = store.store.set(key.text()?, value, None).ok()?.into_pyobject(call.py());
            Some(Ok(version.into_any()))
        })
    }
}

//! Functions that CPython calls without pyo3 in between, for calls so short that pyo3's share of them shows.
//!
//! pyo3 counts in a variable of the thread that the interpreter is held, looks whether other threads left it
//! references to drop, and matches arguments to parameters by a general routine. That is a third of the time of
//! a call that adds two numbers. A function here takes the usual form of a call by itself: so many arguments,
//! none by its name, each of the usual type. Every other call it hands to its *twin*, the pyo3 function of the
//! same name. So what a call means, and what is said of a wrong one, is written once.
//!
//! # What a direct function may do
//! pyo3 does not know that the interpreter is held: a `Py` that is dropped here would wait for the next call of a
//! pyo3 function. So direct functions borrow what they are given, and drop no `Py`. A panic becomes an
//! [`InternalError`](crate::guard::InternalError), as everywhere.
#![expect(unsafe_code, reason = "speaks with CPython without pyo3 in between")]

use crate::guard::guarded;
use pyo3::PyClass;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::{ptr, slice};

/// A function of CPython's convention `METH_FASTCALL | METH_KEYWORDS`.
pub(crate) type Fast = unsafe extern "C" fn(
    *mut PyObject,
    *const *mut PyObject,
    ffi::Py_ssize_t,
    *mut PyObject,
) -> *mut PyObject;

/// The pyo3 function that a direct one hands over to.
pub(crate) struct Twin {
    function: PyOnceLock<Py<PyAny>>,
    is_method: bool,
}

/// One call, as CPython passes it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'py> {
    py: Python<'py>,
    /// The module of a function, the object of a method.
    object: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
}

/// One argument, which CPython keeps alive for the call.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'py>(*mut PyObject, PhantomData<&'py ()>);

impl<'py> Call<'py> {
    /// Takes what CPython passed.
    ///
    /// # Safety
    /// These are the arguments of a [`Fast`] function that CPython called, and that returns after `'py`.
    pub(crate) unsafe fn new(
        object: *mut PyObject,
        arguments: *const *mut PyObject,
        count: ffi::Py_ssize_t,
        names: *mut PyObject,
    ) -> Self {
        // SAFETY: CPython calls functions with the interpreter held.
        let py = unsafe { Python::assume_attached() };
        Self { py, object, arguments, count: usize::try_from(count).unwrap_or(0), names }
    }

    /// That the interpreter is held.
    pub(crate) fn py(&self) -> Python<'py> {
        self.py
    }

    /// `None`.
    pub(crate) fn none(&self) -> Bound<'py, PyAny> {
        self.py.None().into_bound(self.py)
    }

    /// The arguments, if there are `N` and none has a name.
    pub(crate) fn exactly<const N: usize>(&self) -> Option<[Argument<'py>; N]> {
        if self.count != N || !self.names.is_null() {
            return None;
        }
        // SAFETY: CPython passes `count` references at `arguments`.
        Some(std::array::from_fn(|index| Argument(unsafe { *self.arguments.add(index) }, PhantomData)))
    }

    /// The object whose method is called.
    ///
    /// # Safety
    /// The function is a method of the class `T` by way of [`Twin::of_method`]: CPython looks at the class of the
    /// object before it calls the method.
    pub(crate) unsafe fn object_of<T: PyClass<Frozen = True> + Sync>(&self) -> &'py T {
        // SAFETY: as this function's; CPython keeps the object alive for the call, which `'py` is part of.
        unsafe { &*ptr::from_ref(Borrowed::from_ptr(self.py, self.object).cast_unchecked::<T>().get()) }
    }

    /// The value of argument `index`, counted over those with a name too.
    fn value(&self, index: usize) -> Bound<'py, PyAny> {
        // SAFETY: only called with places of values that CPython passed: `count`, and as many as there are names.
        unsafe { Bound::from_borrowed_ptr(self.py, *self.arguments.add(index)) }
    }
}

impl<'py> Argument<'py> {
    /// A reference of its own.
    pub(crate) fn object(self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the argument is alive.
        unsafe { Bound::from_borrowed_ptr(py, self.0) }
    }

    /// The number of an exact `int` that fits 64 bits. No exception is set otherwise.
    pub(crate) fn int(self) -> Option<i64> {
        // SAFETY: the argument is alive, and the interpreter is held; of an exact int no Python code runs, and
        // only its size can be wrong.
        unsafe {
            if ffi::PyLong_CheckExact(self.0) == 0 {
                return None;
            }
            let number = ffi::PyLong_AsLongLong(self.0);
            if number == -1 && !ffi::PyErr_Occurred().is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            Some(number)
        }
    }

    /// An exact `str` that has a form in UTF-8. No exception is set otherwise.
    pub(crate) fn text(self) -> Option<&'py str> {
        let mut size = 0;
        // SAFETY: the argument is alive, and the interpreter is held. CPython keeps the UTF-8 form, which is
        // valid and of `size` bytes, as long as the object.
        unsafe {
            if ffi::PyUnicode_CheckExact(self.0) == 0 {
                return None;
            }
            let start = ffi::PyUnicode_AsUTF8AndSize(self.0, &raw mut size);
            if start.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            let bytes = slice::from_raw_parts(start.cast(), usize::try_from(size).unwrap_or(0));
            Some(std::str::from_utf8_unchecked(bytes))
        }
    }

    /// The contents of exact `bytes`, which nothing changes.
    pub(crate) fn bytes(self) -> Option<&'py [u8]> {
        // SAFETY: the argument is alive, and the interpreter is held; exact bytes have so many, for good.
        unsafe {
            if ffi::PyBytes_CheckExact(self.0) == 0 {
                return None;
            }
            let size = usize::try_from(ffi::PyBytes_Size(self.0)).unwrap_or(0);
            Some(slice::from_raw_parts(ffi::PyBytes_AsString(self.0).cast(), size))
        }
    }
}

/// Runs a direct function. `usual` returns `None` for a call that is the twin's, and must have had no effect then.
#[inline]
pub(crate) fn direct<'py>(
    twin: &'static Twin,
    call: Call<'py>,
    usual: impl FnOnce(Call<'py>) -> Option<PyResult<Bound<'py, PyAny>>>,
) -> *mut PyObject {
    match guarded(|| Ok(usual(call))) {
        Ok(Some(Ok(answer))) => answer.into_ptr(),
        Ok(None) => hand_over(twin, call),
        Ok(Some(Err(error))) | Err(error) => raise(error),
    }
}

/// Leaves an exception to CPython, which takes the null pointer as word of it.
#[cold]
fn raise(error: PyErr) -> *mut PyObject {
    // From here on pyo3 knows that the interpreter is held.
    Python::attach(|py| error.restore(py));
    ptr::null_mut()
}

/// Calls the twin with the same arguments.
#[cold]
fn hand_over(twin: &'static Twin, call: Call<'_>) -> *mut PyObject {
    Python::attach(|_| match call_twin(twin, call) {
        Ok(answer) => answer.into_ptr(),
        Err(error) => raise(error),
    })
}

fn call_twin<'py>(twin: &Twin, call: Call<'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py;
    let function = twin.function.get(py);
    let function = function.ok_or_else(|| PyRuntimeError::new_err("the module is not set up"))?;
    let mut arguments = Vec::with_capacity(call.count + 1);
    if twin.is_method {
        // SAFETY: a method's object, which CPython keeps alive for the call.
        arguments.push(unsafe { Bound::from_borrowed_ptr(py, call.object) });
    }
    arguments.extend((0..call.count).map(|index| call.value(index)));
    let named = PyDict::new(py);
    // SAFETY: null, or a tuple that CPython keeps alive for the call.
    if let Some(names) = unsafe { Bound::from_borrowed_ptr_or_opt(py, call.names) } {
        for (index, name) in names.cast::<PyTuple>()?.iter().enumerate() {
            named.set_item(name, call.value(call.count + index))?;
        }
    }
    function.bind(py).call(PyTuple::new(py, arguments)?, Some(&named))
}

impl Twin {
    /// That of a function.
    pub(crate) const fn function() -> Self {
        Self { function: PyOnceLock::new(), is_method: false }
    }

    /// That of a method.
    pub(crate) const fn method() -> Self {
        Self { function: PyOnceLock::new(), is_method: true }
    }

    /// Adds the direct function `name` to a module; this becomes the function of that name in `from`.
    pub(crate) fn of_function(
        &self,
        from: &Bound<'_, PyModule>,
        module: &Bound<'_, PyModule>,
        name: &str,
        function: Fast,
    ) -> PyResult<()> {
        let py = module.py();
        let twin = from.getattr(name)?;
        let definition = definition(&twin, name, function)?;
        let module_name = module.name()?;
        // SAFETY: the definition lives as long as the process, and its flags fit its function. `module` and its
        // name are live; CPython takes references of its own.
        let direct = unsafe {
            let direct = ffi::PyCFunction_NewEx(definition, module.as_ptr(), module_name.as_ptr());
            Bound::from_owned_ptr_or_err(py, direct)?
        };
        self.function.set(py, twin.unbind()).ok();
        module.setattr(name, direct)
    }

    /// Puts the direct method `name` in the place of this, the method that a class has by that name.
    pub(crate) fn of_method(&self, class: &Bound<'_, PyType>, name: &str, function: Fast) -> PyResult<()> {
        let py = class.py();
        let twin = class.getattr(name)?;
        let definition = definition(&twin, name, function)?;
        // SAFETY: as in `of_function`; `class` is a live class.
        let direct = unsafe {
            let direct = ffi::PyDescr_NewMethod(class.as_ptr().cast(), definition);
            Bound::from_owned_ptr_or_err(py, direct)?
        };
        self.function.set(py, twin.unbind()).ok();
        class.setattr(name, direct)
    }
}

/// What CPython keeps of a function, with the twin's signature and documentation. It stays as long as the process:
/// the functions of a module are never freed.
fn definition(twin: &Bound<'_, PyAny>, name: &str, function: Fast) -> PyResult<*mut ffi::PyMethodDef> {
    let signature: String = twin.getattr("__text_signature__")?.extract()?;
    let text: Option<String> = twin.getattr("__doc__")?.extract()?;
    // The form from which CPython reads a signature, as Argument Clinic writes it.
    let doc = format!("{name}{signature}\n--\n\n{}", text.unwrap_or_default());
    Ok(Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: leaked(name)?,
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: function },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: leaked(&doc)?,
    })))
}

fn leaked(text: &str) -> PyResult<*const c_char> {
    let text: &'static CStr = Box::leak(CString::new(text)?.into_boxed_c_str());
    Ok(text.as_ptr())
}

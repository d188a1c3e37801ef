//! Between Python objects and JSON text, without a tree in between.

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How deep lists and dicts may be nested; serde_json reads no deeper either.
const DEEPEST: usize = 127;

/// What was wrong with a text.
pub type TextError = serde_json::Error;

/// The Python object that a JSON text describes: dicts keep the order of their keys, numbers beyond 64 bits
/// become floats.
///
/// # Errors
/// Where the text is not JSON, or nested too deeply.
pub fn read<'py>(py: Python<'py>, text: &str) -> Result<Bound<'py, PyAny>, TextError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let object = Object(py).deserialize(&mut reader)?;
    reader.end()?;
    Ok(object)
}

/// The Python object of a Rust value.
///
/// # Errors
/// `ValueError` for a value that JSON cannot hold.
pub fn from_value<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let object = serde_json::to_string(value).and_then(|text| read(py, &text));
    object.map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Reads one value of any kind.
#[derive(Clone, Copy)]
struct Object<'py>(Python<'py>);

impl<'de, 'py> DeserializeSeed<'de> for Object<'py> {
    type Value = Bound<'py, PyAny>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'py> Object<'py> {
    fn take<T: IntoPyObject<'py>, E: Error>(self, value: T) -> Result<Bound<'py, PyAny>, E> {
        value.into_bound_py_any(self.0).map_err(E::custom)
    }
}

impl<'de, 'py> Visitor<'de> for Object<'py> {
    type Value = Bound<'py, PyAny>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.take(self.0.None())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.take(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.take(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.take(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.take(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        self.take(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let list = PyList::empty(self.0);
        while let Some(item) = items.next_element_seed(self)? {
            list.append(item).map_err(A::Error::custom)?;
        }
        Ok(list.into_any())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let dict = PyDict::new(self.0);
        while let Some(key) = entries.next_key_seed(self)? {
            let value = entries.next_value_seed(self)?;
            dict.set_item(key, value).map_err(A::Error::custom)?;
        }
        Ok(dict.into_any())
    }
}

/// The JSON text of a Python object.
///
/// # Errors
/// `TypeError` for what JSON has no form for, `ValueError` for NaN and infinities and for what is nested too
/// deeply or in itself, `UnicodeEncodeError` for a text that UTF-8 cannot hold.
pub fn write(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut text = String::new();
    write_object(object, &mut text, 0)?;
    Ok(text)
}

fn write_object(object: &Bound<'_, PyAny>, text: &mut String, depth: usize) -> PyResult<()> {
    if let Ok(string) = object.cast::<PyString>() {
        return write_string(string, text);
    }
    if object.is_none() {
        text.push_str("null");
    } else if let Ok(value) = object.cast::<PyBool>() {
        text.push_str(if value.is_true() { "true" } else { "false" });
    } else if let Ok(number) = object.cast::<PyInt>() {
        write_int(number, text)?;
    } else if let Ok(number) = object.cast::<PyFloat>() {
        write_float(number.value(), text)?;
    } else {
        write_nested(object, text, depth)?;
    }
    Ok(())
}

fn write_nested(object: &Bound<'_, PyAny>, text: &mut String, depth: usize) -> PyResult<()> {
    if depth >= DEEPEST {
        return Err(PyValueError::new_err(format!(
            "an object is nested in itself, or deeper than {DEEPEST} levels: JSON text cannot hold it"
        )));
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        return write_dict(dict, text, depth);
    }
    if let Ok(list) = object.cast::<PyList>() {
        return write_items(list.iter(), text, depth);
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return write_items(tuple.iter(), text, depth);
    }
    let kind = object.get_type().name()?;
    Err(PyTypeError::new_err(format!(
        "JSON has no form for {kind}; dict, list, tuple, str, int, float, bool and None have one"
    )))
}

fn write_items<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    text: &mut String,
    depth: usize,
) -> PyResult<()> {
    text.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_object(&item, text, depth + 1)?;
    }
    text.push(']');
    Ok(())
}

fn write_dict(dict: &Bound<'_, PyDict>, text: &mut String, depth: usize) -> PyResult<()> {
    text.push('{');
    for (index, (key, value)) in dict.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        let Ok(key) = key.cast::<PyString>() else {
            let kind = key.get_type().name()?;
            return Err(PyTypeError::new_err(format!("a key is of type {kind}; keys in JSON are str")));
        };
        write_string(key, text)?;
        text.push(':');
        write_object(&value, text, depth + 1)?;
    }
    text.push('}');
    Ok(())
}

fn write_string(string: &Bound<'_, PyString>, text: &mut String) -> PyResult<()> {
    push(&*string.to_cow()?, text)
}

fn write_int(number: &Bound<'_, PyInt>, text: &mut String) -> PyResult<()> {
    match number.extract::<i64>() {
        Ok(number) => push(&number, text),
        Err(_) => match number.extract::<u64>() {
            Ok(number) => push(&number, text),
            Err(_) => Err(PyValueError::new_err("an int has more than 64 bits; pass it as a str")),
        },
    }
}

fn write_float(number: f64, text: &mut String) -> PyResult<()> {
    if !number.is_finite() {
        return Err(PyValueError::new_err(format!("JSON has no form for {number}; use None")));
    }
    push(&number, text)
}

fn push(value: &(impl Serialize + ?Sized), text: &mut String) -> PyResult<()> {
    let piece = serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    text.push_str(&piece);
    Ok(())
}

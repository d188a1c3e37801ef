//! What an arm of an `ffi` suite calls, and where the library comes from.

use serde::{Deserialize, Serialize};

use crate::plan::Variant;

/// How a library is called from Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A module written with PyO3.
    Pyo3,
    /// Functions of a module written in Rust that CPython calls without PyO3 in between.
    Direct,
    /// A module written in C against CPython's own interface.
    CApi,
    /// A module written in Cython.
    Cython,
    /// A module written in C++ with nanobind.
    Nanobind,
    /// Plain C functions of a library, by way of `ctypes`.
    Ctypes,
    /// Python alone, without a library.
    Pure,
}

impl Shape {
    /// The name that suites and the subject's `--shape` use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pyo3 => "pyo3",
            Self::Direct => "direct",
            Self::CApi => "c-api",
            Self::Cython => "cython",
            Self::Nanobind => "nanobind",
            Self::Ctypes => "ctypes",
            Self::Pure => "pure",
        }
    }
}

/// Where the shared library of an arm comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Library {
    /// Cargo builds it: the cdylib target of the variant's package.
    Cdylib,
    /// The system's C compiler builds it from this file, below the workspace's root.
    Source(String),
    /// The system's C compiler builds it from the source that comes with the lab: the floor of a call.
    Floor,
    /// It is there already, at this path below the workspace's root.
    File(String),
    /// None is needed.
    Nothing,
}

/// A library that Python calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ffi {
    /// What is built, as far as Cargo builds it, and the library's name.
    #[serde(flatten)]
    pub variant: Variant,
    /// How it is called.
    pub shape: Shape,
    /// Where it comes from.
    pub library: Library,
    /// The interpreter that calls it: a name on `PATH`, or a path. The same for every arm.
    pub python: String,
}

impl Ffi {
    /// Whether the lab links the library itself, and so can link it in other orders.
    #[must_use]
    pub fn has_layouts(&self) -> bool {
        matches!(self.library, Library::Cdylib | Library::Source(_) | Library::Floor)
    }
}

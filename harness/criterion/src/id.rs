//! Names of benchmarks.

use std::collections::BTreeSet;
use std::fmt::Display;

/// A benchmark's name in its group: a function, a parameter, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BenchmarkId {
    pub(crate) function: Option<String>,
    pub(crate) parameter: Option<String>,
}

impl BenchmarkId {
    /// A function with a parameter.
    pub fn new<S: Into<String>, P: Display>(function_name: S, parameter: P) -> Self {
        Self { function: Some(function_name.into()), parameter: Some(parameter.to_string()) }
    }

    /// A parameter, where the group is about one function.
    pub fn from_parameter<P: Display>(parameter: P) -> Self {
        Self { function: None, parameter: Some(parameter.to_string()) }
    }

    /// Of a group without more.
    pub(crate) fn of_group() -> Self {
        Self { function: None, parameter: None }
    }

    /// The whole name, as criterion writes it: what is there of group, function and parameter, joined by `/`.
    pub(crate) fn full(&self, group: &str) -> String {
        let parts = [Some(group), self.function.as_deref(), self.parameter.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("/")
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for super::BenchmarkId {}
    impl<S: Into<String>> Sealed for S {}
}

/// What names a benchmark: a [`BenchmarkId`] or a text.
pub trait IntoBenchmarkId: private::Sealed {
    /// The name.
    fn into_benchmark_id(self) -> BenchmarkId;
}

impl IntoBenchmarkId for BenchmarkId {
    fn into_benchmark_id(self) -> BenchmarkId {
        self
    }
}

impl<S: Into<String>> IntoBenchmarkId for S {
    fn into_benchmark_id(self) -> BenchmarkId {
        BenchmarkId { function: Some(self.into()), parameter: None }
    }
}

/// Longer names are cut: a row has to be readable.
const LONGEST: usize = 200;

/// The names that were given so far.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// A name that no other benchmark has, the same in every start: without control characters, not empty, not longer
    /// than 200 characters, and with ` #2` and so on where it is there already.
    pub(crate) fn unique(&mut self, wanted: &str) -> String {
        let printable = wanted.chars().map(|c| if c.is_control() { ' ' } else { c });
        let mut name: String = printable.take(LONGEST).collect();
        if name.trim().is_empty() {
            name = "unnamed".to_owned();
        }
        let mut numbered = name.clone();
        let mut number = 1_u32;
        while !self.0.insert(numbered.clone()) {
            number += 1;
            numbered = format!("{name} #{number}");
        }
        numbered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_join_what_is_there() {
        assert_eq!(BenchmarkId::new("f", 7).full("g"), "g/f/7");
        assert_eq!(BenchmarkId::from_parameter("p").full("g"), "g/p");
        assert_eq!("f".into_benchmark_id().full("g"), "g/f");
        assert_eq!(String::from("f").into_benchmark_id().full("g"), "g/f");
        assert_eq!(BenchmarkId::of_group().full("g"), "g");
    }

    #[test]
    fn names_are_unique_and_printable() {
        let mut names = Names::default();
        let given = ["a", "a", "a #2", "a", "b\nc", "", " ", &"x".repeat(300)].map(|name| names.unique(name));
        assert_eq!(given[..7], ["a", "a #2", "a #2 #2", "a #3", "b c", "unnamed", "unnamed #2"]);
        assert_eq!(given[7].len(), LONGEST);
    }
}

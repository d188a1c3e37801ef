//! What the shell knows while it runs a line: variables, functions, the working directory.

use std::collections::HashMap;
use std::rc::Rc;

use crate::analysis::expand::Arg;
use crate::analysis::syntax::script::Node;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// This text.
    Known(String),
    /// One of the paths that match this pattern.
    Pattern(String),
    /// Anything.
    Unknown,
}

/// What the shell knows.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) variables: HashMap<String, Value>,
    pub(crate) functions: HashMap<String, Rc<Node>>,
    /// The arguments of the function that runs.
    pub(crate) arguments: Option<Rc<Vec<Arg>>>,
    /// The working directory, absolute; absent if it is unknown.
    pub(crate) directory: Option<String>,
    /// Whether a name may mean another program than usual: `PATH` changed, an alias was made.
    pub(crate) names_changed: bool,
}

impl Scope {
    /// The start of a line.
    pub(crate) fn new(directory: &str, home: &str) -> Self {
        let mut variables = HashMap::new();
        variables.insert("HOME".to_owned(), Value::Known(home.to_owned()));
        Self {
            variables,
            functions: HashMap::new(),
            arguments: None,
            directory: directory.starts_with('/').then(|| directory.to_owned()),
            names_changed: false,
        }
    }

    /// What is known after one of two ways was taken.
    pub(crate) fn merge(&mut self, other: &Self) {
        let names: Vec<String> = self.variables.keys().chain(other.variables.keys()).cloned().collect();
        for name in names {
            if self.variables.get(&name) != other.variables.get(&name) {
                self.variables.insert(name, Value::Unknown);
            }
        }
        for (name, body) in &other.functions {
            match self.functions.get(name) {
                Some(mine) if !Rc::ptr_eq(mine, body) => self.names_changed = true,
                Some(_) => {}
                None => {
                    self.functions.insert(name.clone(), Rc::clone(body));
                }
            }
        }
        if self.directory != other.directory {
            self.directory = None;
        }
        self.names_changed |= other.names_changed;
    }

    /// The value of a variable.
    pub(crate) fn value(&self, name: &str) -> Value {
        match (name, self.variables.get(name)) {
            (_, Some(value)) => value.clone(),
            ("PWD", None) => self.directory.clone().map_or(Value::Unknown, Value::Known),
            ("IFS", None) => Value::Known(" \t\n".to_owned()),
            (_, None) => Value::Unknown,
        }
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Some(slot) = self.variables.get_mut(name) {
            *slot = value;
        } else {
            self.variables.insert(name.to_owned(), value);
        }
    }
}

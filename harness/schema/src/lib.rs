//! JSON Schema (draft 2020-12) for the arguments and the answers of MCP tools: whether a value is what a schema says,
//! and a sentence for what is wrong with it.
//!
//! What the keywords mean is said here and nowhere else in the workspace: servers refuse arguments with it, the load
//! tester checks answers with it, and tests hold both to it. README.md says why it is not the crate `jsonschema`.
//!
//! Whatever is unknown passes: a keyword that is not in [`CHECKED`], a reference to another document, a pattern that
//! nobody can read. So a value is never refused for what its schema does not say; [`unchecked`] names what was left out.
//! `format` is an annotation, as the draft has it.

mod check;
mod words;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::check::{Checker, Place};

/// The keywords that are checked.
pub const CHECKED: [&str; 38] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "uniqueItems",
    "$defs",
    "definitions",
];

/// The keywords that say something to readers and nothing about a value.
const ANNOTATIONS: [&str; 16] = [
    "$anchor",
    "$comment",
    "$id",
    "$schema",
    "$vocabulary",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "deprecated",
    "description",
    "examples",
    "format",
    "readOnly",
    "title",
    "writeOnly",
];

/// How many references are followed one after the other; one that leads back to itself ends here.
const REFERENCES: usize = 32;

/// Whether a text holds a match of a pattern; `None` where the pattern is not understood.
pub type Matcher = fn(pattern: &str, text: &str) -> Option<bool>;

/// A schema, and how to speak of the values that it is held against.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    schema: &'a Map<String, Value>,
    whole: &'a str,
    members: &'a str,
    takes_null: bool,
    matcher: Option<Matcher>,
}

impl<'a> Check<'a> {
    /// Checks values against a schema.
    #[must_use]
    pub fn new(schema: &'a Map<String, Value>) -> Self {
        Self { schema, whole: "the value", members: "members", takes_null: false, matcher: None }
    }

    /// Sentences call the value `whole` ("the arguments"), and what it consists of `members` ("arguments").
    #[must_use]
    pub fn called(self, whole: &'a str, members: &'a str) -> Self {
        Self { whole, members, ..self }
    }

    /// Takes `null` for a member that was left out, where the schema knows the member and does not require it.
    #[must_use]
    pub fn null_as_missing(self) -> Self {
        Self { takes_null: true, ..self }
    }

    /// Checks patterns with a matcher. Without one they pass: the engine of regular expressions is the larger part of
    /// a validator, and who has no patterns does without.
    #[must_use]
    pub fn patterns(self, matcher: Matcher) -> Self {
        Self { matcher: Some(matcher), ..self }
    }

    /// What is wrong with a value, as a sentence without its full stop; `None` when it is valid.
    #[must_use]
    pub fn problem(&self, value: &Value) -> Option<String> {
        let checker = Checker { root: self.schema, takes_null: self.takes_null, matcher: self.matcher };
        checker.object(self.schema, value, &mut Place::new(self.whole, self.members)).err()
    }
}

/// What a local reference (`#/$defs/x`) leads to; the schema itself without one, and where it leads nowhere.
#[must_use]
pub fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..REFERENCES {
        let Some(pointer) = schema["$ref"].as_str().and_then(|name| name.strip_prefix('#')) else { break };
        match root.pointer(pointer) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// The keywords of a schema that [`Check`] passes over, except for annotations and extensions (`x-…`).
#[must_use]
pub fn unchecked(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(schema, &mut found);
    found
}

fn collect(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Array(all) => all.iter().for_each(|part| collect(part, found)),
        Value::Object(object) => {
            for (keyword, value) in object {
                match keyword.as_str() {
                    // Names of members are not keywords, and values are not schemas.
                    "$defs" | "definitions" | "dependentSchemas" | "patternProperties" | "properties" => {
                        value
                            .as_object()
                            .into_iter()
                            .flat_map(Map::values)
                            .for_each(|part| collect(part, found));
                    }
                    "const" | "enum" | "required" | "dependentRequired" => {}
                    known if CHECKED.contains(&known) => collect(value, found),
                    known if ANNOTATIONS.contains(&known) || known.starts_with("x-") => {}
                    unknown => drop(found.insert(unknown.to_owned())),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;

/// The example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! What the tools take. The comments are the descriptions that a model reads, so they are short.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    pub query: String,
    /// Default regex; symbol: part of a definition's name
    pub mode: Option<Mode>,
    /// File or directory
    pub path: Option<String>,
    /// Such as *.rs or !tests/**
    pub glob: Option<String>,
    pub ignore_case: Option<bool>,
    pub word: Option<bool>,
    pub multiline: Option<bool>,
    /// Also hidden and ignored files
    pub all_files: Option<bool>,
    /// Lines around hits
    #[schemars(range(max = 20))]
    pub context: Option<u8>,
    /// Lines
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u16>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Regex,
    Text,
    Symbol,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AstSearch {
    /// Code with $X for one node, $$$X for several
    pub pattern: String,
    pub language: String,
    /// Kind of node that is meant
    pub selector: Option<String>,
    pub path: Option<String>,
    pub glob: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outline {
    /// File or directory
    pub path: String,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Symbol {
    /// Such as parse or Parser.parse
    pub name: String,
    pub path: Option<String>,
    /// With the code
    pub body: Option<bool>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct References {
    /// As for symbol
    pub name: String,
    /// Where it is defined, if several have the name
    pub path: Option<String>,
    /// Also show what is unresolved
    pub candidates: Option<bool>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Impact {
    /// What changes: a file
    pub path: Option<String>,
    /// or a definition
    pub symbol: Option<String>,
    #[schemars(range(min = 1, max = 50))]
    pub depth: Option<u8>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Read {
    pub path: String,
    /// Such as 10-40,90
    pub lines: Option<String>,
    /// A definition in it
    pub symbol: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepoMap {
    /// Directory
    pub path: Option<String>,
}

//! What the tools answer: the structured content; `text` says the same for readers that show text only.

mod text;

pub(crate) use text::counted;

use std::collections::BTreeMap;

use mcp_server::answer::Object;
use mcp_source::Skipped;
use schemars::JsonSchema;
use serde::Serialize;

/// What an answer is about.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct About {
    pub commit: Option<String>,
    /// Whether tracked files differ from the commit; null where nobody looked.
    pub dirty: Option<bool>,
    /// Files whose definitions are known.
    pub indexed: usize,
    pub skipped: Vec<Skipped>,
    /// Whether nothing is missing that was asked for.
    pub complete: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// Lines of a file: number, colon for a hit and dash for what is around it, text.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FileView {
    pub path: String,
    /// Hits in it, where more than are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hits: Option<u64>,
    pub lines: Vec<String>,
}

/// Hits.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SearchView {
    #[schemars(with = "Vec<Object>")]
    pub files: Vec<FileView>,
    pub hits: u64,
    /// Files that were searched.
    pub searched: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

/// The definitions of a file, or of the files of a directory.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OutlineView {
    #[schemars(with = "Vec<Object>")]
    pub files: Vec<FileView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

/// A definition.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DefinitionView {
    pub name: String,
    pub kind: &'static str,
    pub path: String,
    pub line: usize,
    pub end: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// It says that the thing is elsewhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub declaration: bool,
}

/// Definitions of a name.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SymbolView {
    #[schemars(with = "Vec<Object>")]
    pub definitions: Vec<DefinitionView>,
    pub total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

/// A definition whose uses were looked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TargetView {
    pub name: String,
    pub kind: &'static str,
    pub path: String,
    pub line: usize,
    pub uses: usize,
}

/// Uses of a definition.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReferencesView {
    #[schemars(with = "Vec<Object>")]
    pub definitions: Vec<TargetView>,
    /// Uses that imports, scopes and written types lead from to a definition.
    #[schemars(with = "Vec<Object>")]
    pub resolved: Vec<FileView>,
    /// Uses by the name alone, where nothing else has it.
    #[schemars(with = "Vec<Object>")]
    pub likely: Vec<FileView>,
    /// Places with the name of which it is not known what they mean.
    pub unresolved: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub candidates: Vec<FileView>,
    /// Places with the name that mean something else.
    #[schemars(skip)]
    pub others: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

/// A file that depends on what changes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DependentView {
    pub path: String,
    /// How many imports lead there.
    pub distance: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Places that may branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<u32>,
    /// Commits that changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<u32>,
}

/// Whom a change reaches.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImpactView {
    /// The files that change.
    pub changed: Vec<String>,
    #[schemars(with = "Vec<Object>")]
    pub dependents: Vec<DependentView>,
    pub total: usize,
    /// Whether more depend on it beyond the depth.
    #[schemars(skip)]
    pub bounded: bool,
    /// Direct uses of the definition.
    #[schemars(with = "Vec<Object>")]
    pub uses: Vec<FileView>,
    /// Uses whose meaning is not known.
    #[schemars(skip)]
    pub unresolved: usize,
    /// Imports of the root that lead nowhere.
    #[schemars(skip)]
    pub unresolved_imports: usize,
    /// Files in one cycle of imports with what changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub cycle: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

/// A part of a file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartView {
    pub lines: [usize; 2],
    pub text: String,
}

/// Parts of a file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReadView {
    pub path: String,
    pub total_lines: usize,
    #[schemars(with = "Vec<Object>")]
    pub parts: Vec<PartView>,
    /// What to ask for next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_lines: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

/// A file that changes often and branches much.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HotView {
    pub path: String,
    /// Commits that changed it.
    pub changes: u32,
    /// Places that may branch.
    pub decisions: u32,
    pub lines: u32,
}

/// A file with what it is for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MappedView {
    pub path: String,
    /// Files that import it.
    pub importers: usize,
    pub symbols: Vec<String>,
}

/// A map of a repository.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MapView {
    /// Files and lines of each language.
    #[schemars(with = "Object")]
    pub languages: BTreeMap<&'static str, [u64; 2]>,
    /// The files that others depend on most, with their definitions.
    #[schemars(with = "Vec<Object>")]
    pub files: Vec<MappedView>,
    /// Files not shown.
    pub left_out: usize,
    #[schemars(with = "Vec<Object>")]
    pub hotspots: Vec<HotView>,
    /// Commits that changes are counted over.
    #[schemars(skip)]
    pub commits: usize,
    /// Why no more commits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub commits_limit: Option<&'static str>,
    /// Files that import each other.
    pub cycles: Vec<Vec<String>>,
    #[schemars(skip)]
    pub imports: usize,
    #[schemars(skip)]
    pub unresolved_imports: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub hint: Option<String>,
    #[schemars(skip)]
    pub about: About,
}

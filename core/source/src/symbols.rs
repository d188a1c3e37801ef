//! The definitions of a file, from its syntax tree.
//!
//! The names of nodes and fields are those of the grammars' own tag queries (`queries/tags.scm`), which leave out
//! constants, fields, variants, nested names and most of C++; here each node is looked at once, and its container,
//! documentation and body are found on the way. What a macro makes is not in the tree, so it is not found.

mod c;
mod go;
mod java;
mod python;
mod rust;
mod script;

use std::ops::Range;
use std::sync::LazyLock;

use serde::Serialize;
use tree_sitter::{Node, Tree, TreeCursor};

use crate::language::Language;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Module,
    Class,
    Struct,
    Union,
    Enum,
    Interface,
    Trait,
    Type,
    Function,
    Method,
    Macro,
    Constant,
    Variable,
    Field,
    Variant,
}

impl Kind {
    /// All of them; the place of each is its number.
    pub const ALL: [Self; 15] = [
        Self::Module,
        Self::Class,
        Self::Struct,
        Self::Union,
        Self::Enum,
        Self::Interface,
        Self::Trait,
        Self::Type,
        Self::Function,
        Self::Method,
        Self::Macro,
        Self::Constant,
        Self::Variable,
        Self::Field,
        Self::Variant,
    ];

    /// Its name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::Interface => "interface",
            Self::Trait => "trait",
            Self::Type => "type",
            Self::Function => "function",
            Self::Method => "method",
            Self::Macro => "macro",
            Self::Constant => "constant",
            Self::Variable => "variable",
            Self::Field => "field",
            Self::Variant => "variant",
        }
    }

    /// Whether it can be called.
    #[must_use]
    pub fn is_callable(self) -> bool {
        matches!(self, Self::Function | Self::Method | Self::Macro)
    }

    /// Whether it is a type.
    #[must_use]
    pub fn is_type(self) -> bool {
        matches!(
            self,
            Self::Class
                | Self::Struct
                | Self::Union
                | Self::Enum
                | Self::Interface
                | Self::Trait
                | Self::Type
        )
    }
}

/// A definition. Ranges are bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// What it is.
    pub kind: Kind,
    /// Its own name.
    pub name: String,
    /// The names of what it lies in, joined by the language's separator; for a method the type it belongs to.
    pub container: Option<String>,
    /// All of it, with decorators and modifiers, without the comment before it.
    pub range: Range<usize>,
    /// Its name.
    pub name_range: Range<usize>,
    /// Its first and its last line, from 1.
    pub lines: (usize, usize),
    /// Where its body begins, if it has one; what stands before is the signature.
    pub body: Option<usize>,
    /// The comment before it, or the string at the start of its body, where those are documentation.
    pub doc: Option<Range<usize>>,
    /// Whether it only says that the thing exists elsewhere: a prototype, a method of a trait without a body.
    pub is_declaration: bool,
}

impl Symbol {
    /// Its name with that of what it lies in.
    #[must_use]
    pub fn qualified(&self, language: Language) -> String {
        match &self.container {
            Some(container) => format!("{container}{}{}", language.separator(), self.name),
            None => self.name.clone(),
        }
    }

    /// What stands before the body, in one line of at most `most` bytes.
    #[must_use]
    pub fn signature(&self, text: &[u8], most: usize) -> String {
        let end = self.body.unwrap_or(self.range.end).min(self.range.end);
        let head = String::from_utf8_lossy(text.get(self.range.start..end).unwrap_or_default());
        let mut line = head.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.len() > most {
            let cut = (0..=most).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
            line.truncate(cut);
            line.push('…');
        }
        line
    }

    /// Its documentation without the marks of comments.
    #[must_use]
    pub fn documentation(&self, text: &[u8]) -> Option<String> {
        let raw = text.get(self.doc.clone()?)?;
        let raw = String::from_utf8_lossy(raw);
        let lines = raw.lines().map(bare);
        let joined = lines.collect::<Vec<_>>().join("\n");
        let trimmed = joined.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }
}

/// A line of documentation without the marks of comments and strings.
fn bare(line: &str) -> &str {
    let line = line.trim();
    let start = ["///", "//!", "//", "/**", "/*!", "/*", "*/", "\"\"\"", "'''", "r\"\"\"", "*", "#"];
    let line = start.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
    let line = ["*/", "\"\"\"", "'''"].iter().find_map(|mark| line.strip_suffix(mark)).unwrap_or(line);
    line.trim()
}

/// The definitions of a text, in the order in which they begin.
#[must_use]
pub fn symbols(language: Language, tree: &Tree, text: &[u8]) -> Vec<Symbol> {
    let mut found = Collector { language, text, scopes: Vec::new(), symbols: Vec::new(), doc: None };
    let grammar = &GRAMMARS[language.number()];
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        match grammar.roles.get(usize::from(node.kind_id())) {
            Some(Role::Comment) => found.comment(&node),
            Some(Role::Attribute) => found.attribute(&node),
            Some(Role::Definition) => {
                found.leave(node.start_byte());
                (grammar.define)(&mut found, &node);
            }
            Some(Role::Other) | None => {}
        }
        if !advance(&mut cursor) {
            break;
        }
    }
    found.symbols
}

/// The next node in the order of the text, children first.
fn advance(cursor: &mut TreeCursor<'_>) -> bool {
    if cursor.goto_first_child() {
        return true;
    }
    while !cursor.goto_next_sibling() {
        if !cursor.goto_parent() {
            return false;
        }
    }
    true
}

/// What a kind of node is to the collector.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Other,
    Comment,
    /// Stands between a comment and what it documents.
    Attribute,
    Definition,
}

type Define = for<'t> fn(&mut Collector<'t>, &Node<'t>);

/// What is known of a grammar, by the numbers of its kinds.
struct Grammar {
    roles: Vec<Role>,
    define: Define,
}

static GRAMMARS: LazyLock<[Grammar; Language::ALL.len()]> = LazyLock::new(|| Language::ALL.map(grammar));

fn grammar(language: Language) -> Grammar {
    let (kinds, attributes, define): (&[&str], &[&str], Define) = match language {
        Language::Rust => (rust::KINDS, rust::ATTRIBUTES, rust::define),
        Language::Python => (python::KINDS, &[], python::define),
        Language::TypeScript | Language::Tsx | Language::JavaScript => {
            (script::KINDS, script::ATTRIBUTES, script::define)
        }
        Language::Go => (go::KINDS, &[], go::define),
        Language::C | Language::Cpp => (c::KINDS, c::ATTRIBUTES, c::define),
        Language::Java => (java::KINDS, &[], java::define),
    };
    let grammar = language.grammar();
    let role = |id: usize| {
        let id = u16::try_from(id).unwrap_or(u16::MAX);
        let name = grammar.node_kind_for_id(id).unwrap_or_default();
        match name {
            _ if !grammar.node_kind_is_named(id) => Role::Other,
            "comment" | "line_comment" | "block_comment" => Role::Comment,
            name if attributes.contains(&name) => Role::Attribute,
            name if kinds.contains(&name) => Role::Definition,
            _ => Role::Other,
        }
    };
    Grammar { roles: (0..grammar.node_kind_count()).map(role).collect(), define }
}

/// What a definition can lie in.
struct Scope {
    end: usize,
    name: String,
    kind: ScopeKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScopeKind {
    Module,
    Type,
    Function,
}

/// A comment that may turn out to be documentation.
struct Comment {
    range: Range<usize>,
    last_row: usize,
}

struct Collector<'t> {
    language: Language,
    text: &'t [u8],
    scopes: Vec<Scope>,
    symbols: Vec<Symbol>,
    doc: Option<Comment>,
}

/// What is said of a definition beside its place.
struct Definition<'t> {
    kind: Kind,
    name: String,
    name_range: Range<usize>,
    /// All of it, where that is more than the node.
    whole: Node<'t>,
    body: Option<usize>,
    doc: Option<Range<usize>>,
    is_declaration: bool,
    /// What it lies in, where the text says so itself.
    container: Option<String>,
}

impl<'t> Collector<'t> {
    /// The text of a node.
    fn of(&self, node: &Node<'_>) -> String {
        String::from_utf8_lossy(self.text.get(node.byte_range()).unwrap_or_default()).into_owned()
    }

    /// Leaves the scopes that end before a byte.
    fn leave(&mut self, start: usize) {
        while self.scopes.last().is_some_and(|scope| scope.end <= start) {
            self.scopes.pop();
        }
    }

    fn enter(&mut self, node: &Node<'_>, name: String, kind: ScopeKind) {
        self.scopes.push(Scope { end: node.end_byte(), name, kind });
    }

    /// What the next definition lies in directly.
    fn inside(&self) -> Option<ScopeKind> {
        self.scopes.last().map(|scope| scope.kind)
    }

    fn container(&self) -> Option<String> {
        let names: Vec<&str> =
            self.scopes.iter().map(|scope| scope.name.as_str()).filter(|name| !name.is_empty()).collect();
        (!names.is_empty()).then(|| names.join(self.language.separator()))
    }

    fn comment(&mut self, node: &Node<'_>) {
        let (first, last) = rows(node);
        let start = node.start_byte();
        let line = memchr::memrchr(b'\n', &self.text[..start]).map_or(0, |end| end + 1);
        if !self.text[line..start].iter().all(u8::is_ascii_whitespace) {
            // It speaks of what stands before it.
            return;
        }
        match &mut self.doc {
            Some(doc) if doc.last_row + 1 >= first => {
                doc.range.end = node.end_byte();
                doc.last_row = last;
            }
            _ => self.doc = Some(Comment { range: node.byte_range(), last_row: last }),
        }
    }

    /// A comment reaches across an attribute to what follows.
    fn attribute(&mut self, node: &Node<'_>) {
        let (first, last) = rows(node);
        if let Some(doc) = &mut self.doc
            && doc.last_row + 1 >= first
        {
            doc.last_row = last;
        }
    }

    fn doc_before(&mut self, node: &Node<'_>) -> Option<Range<usize>> {
        let first = node.start_position().row;
        let doc = self.doc.take_if(|doc| doc.last_row + 1 >= first && doc.range.end <= node.start_byte())?;
        Some(doc.range)
    }

    /// A definition with what is usual: the node itself, its `name` and `body`.
    fn definition(&self, node: &Node<'t>, kind: Kind) -> Option<Definition<'t>> {
        let name = node.child_by_field_name("name")?;
        Some(self.named(node, &name, kind))
    }

    fn named(&self, node: &Node<'t>, name: &Node<'t>, kind: Kind) -> Definition<'t> {
        Definition {
            kind,
            name: self.of(name),
            name_range: name.byte_range(),
            whole: *node,
            body: node.child_by_field_name("body").map(|body| body.start_byte()),
            doc: None,
            is_declaration: false,
            container: None,
        }
    }

    fn add(&mut self, definition: Definition<'t>) {
        let is_blank = definition.name == "_" && matches!(self.language, Language::Rust | Language::Go);
        if definition.name.is_empty() || is_blank {
            // The parser put it there to go on, or it has no name to be found by.
            return;
        }
        let whole = definition.whole;
        let before = self.doc_before(&whole);
        let (first, last) = rows(&whole);
        self.symbols.push(Symbol {
            kind: definition.kind,
            container: definition.container.or_else(|| self.container()),
            name: definition.name,
            range: whole.byte_range(),
            name_range: definition.name_range,
            lines: (first + 1, last + 1),
            body: definition.body,
            doc: definition.doc.or(before),
            is_declaration: definition.is_declaration,
        });
    }

    /// Adds a definition and enters what it holds.
    fn add_scope(&mut self, definition: Definition<'t>, kind: ScopeKind) {
        let (whole, name) = (definition.whole, definition.name.clone());
        self.add(definition);
        self.enter(&whole, name, kind);
    }
}

/// The first and the last row of a node; one that ends with a line's end does not reach the next line.
fn rows(node: &Node<'_>) -> (usize, usize) {
    let (start, end) = (node.start_position(), node.end_position());
    let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
    (start.row, last)
}

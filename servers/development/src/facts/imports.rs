//! What a file imports, as it is written.

use mcp_source::Language;
use mcp_source::tree_sitter::Node;

use super::{Seen, paths};

/// How something is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Form {
    /// A module as a whole, under a name or for what it does when it is loaded.
    Module = 0,
    /// One thing of a module, which may be a module itself.
    Item = 1,
    /// Everything of a module, or a file that is pasted in.
    Wildcard = 2,
    /// A module that is declared to be a file below this one (`mod x;`).
    Child = 3,
    /// A path in an expression or a type (`x::f()`).
    Path = 4,
    /// The package that the file itself belongs to.
    Package = 5,
    /// A file of the system (`#include <x>`).
    System = 6,
}

impl Form {
    /// All of them, by number.
    pub const ALL: [Self; 7] =
        [Self::Module, Self::Item, Self::Wildcard, Self::Child, Self::Path, Self::Package, Self::System];
}

/// What is imported.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Import {
    /// How.
    pub form: Form,
    /// The module, as it is written; in Rust as seen from the file itself, whatever module inside it it stands in.
    pub module: String,
    /// The name in that module; empty for the module itself.
    pub item: String,
    /// The name that stands for it here; empty where none does.
    pub local: String,
    /// Whether it is offered to whoever imports this file.
    pub is_reexport: bool,
    /// The line, from 1.
    pub line: u32,
}

impl Import {
    pub(super) fn new(
        form: Form,
        module: impl Into<String>,
        item: &str,
        local: &str,
        node: &Node<'_>,
    ) -> Self {
        Self {
            form,
            module: module.into(),
            item: item.to_owned(),
            local: local.to_owned(),
            is_reexport: false,
            line: u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX),
        }
    }
}

/// Without what is said twice.
pub(super) fn finish(mut imports: Vec<Import>) -> Vec<Import> {
    let mut seen = rustc_hash::FxHashSet::default();
    imports.retain(|import| {
        import.form != Form::Path || seen.insert((import.module.clone(), import.item.clone()))
    });
    imports
}

pub(super) fn text_of<'s>(node: &Node<'_>, text: &'s [u8]) -> &'s str {
    std::str::from_utf8(text.get(node.byte_range()).unwrap_or_default()).unwrap_or_default()
}

/// Takes note of what a node imports; whether what lies in it is to be looked at.
pub(super) fn look(node: &Node<'_>, kind: &str, language: Language, text: &[u8], seen: &mut Seen) -> bool {
    match language {
        Language::Rust => paths::rust(node, kind, text, seen),
        Language::Python => python(node, kind, text, seen),
        Language::TypeScript | Language::Tsx | Language::JavaScript => script(node, kind, text, seen),
        Language::Go => go(node, kind, text, seen),
        Language::C | Language::Cpp => c(node, kind, text, seen),
        Language::Java => java(node, kind, text, seen),
    }
}

fn children<'t>(node: &Node<'t>, field: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(field, &mut cursor).collect()
}

pub(super) fn named<'t>(node: &Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

fn python(node: &Node<'_>, kind: &str, text: &[u8], seen: &mut Seen) -> bool {
    let aliased = |name: &Node<'_>| {
        let field = |field| name.child_by_field_name(field).map(|node| text_of(&node, text));
        match name.kind() {
            "aliased_import" => (field("name").unwrap_or_default(), field("alias").unwrap_or_default()),
            _ => (text_of(name, text), text_of(name, text)),
        }
    };
    match kind {
        "import_statement" => {
            for name in children(node, "name") {
                let (module, local) = aliased(&name);
                seen.imports.push(Import::new(Form::Module, module, "", local, node));
            }
            false
        }
        "import_from_statement" => {
            let module = node.child_by_field_name("module_name");
            let module = module.map(|module| text_of(&module, text)).unwrap_or_default();
            for name in children(node, "name") {
                let (item, local) = aliased(&name);
                let mut import = Import::new(Form::Item, module, item, local, node);
                // Whoever imports this file can import it from here.
                import.is_reexport = true;
                seen.imports.push(import);
            }
            if named(node).iter().any(|child| child.kind() == "wildcard_import") {
                let mut import = Import::new(Form::Wildcard, module, "", "", node);
                import.is_reexport = true;
                seen.imports.push(import);
            }
            false
        }
        _ => true,
    }
}

fn quoted<'s>(node: &Node<'_>, text: &'s [u8]) -> &'s str {
    text_of(node, text).trim_matches(['"', '\'', '`', '<', '>'])
}

fn script(node: &Node<'_>, kind: &str, text: &[u8], seen: &mut Seen) -> bool {
    match kind {
        "import_statement" => {
            script_import(node, text, seen);
            false
        }
        "export_statement" => match node.child_by_field_name("source") {
            Some(source) => {
                script_export(node, quoted(&source, text), text, seen);
                false
            }
            None => {
                script_local_export(node, text, seen);
                true
            }
        },
        "call_expression" => {
            script_call(node, text, seen);
            true
        }
        _ => true,
    }
}

fn script_import(node: &Node<'_>, text: &[u8], seen: &mut Seen) {
    let clause = named(node).into_iter().find(|child| child.kind() == "import_clause");
    let required = named(node).into_iter().find(|child| child.kind() == "import_require_clause");
    if let Some(required) = required {
        let source = required.child_by_field_name("source");
        let local = named(&required).into_iter().find(|child| child.kind() == "identifier");
        if let (Some(source), Some(local)) = (source, local) {
            let import = Import::new(Form::Module, quoted(&source, text), "", text_of(&local, text), node);
            seen.imports.push(import);
        }
        return;
    }
    let Some(source) = node.child_by_field_name("source") else { return };
    let module = quoted(&source, text);
    let Some(clause) = clause else {
        seen.imports.push(Import::new(Form::Module, module, "", "", node));
        return;
    };
    for part in named(&clause) {
        match part.kind() {
            "identifier" => {
                seen.imports.push(Import::new(Form::Item, module, "default", text_of(&part, text), node));
            }
            "namespace_import" => {
                let local = named(&part).first().map(|name| text_of(name, text)).unwrap_or_default();
                seen.imports.push(Import::new(Form::Module, module, "", local, node));
            }
            "named_imports" => {
                for specifier in named(&part) {
                    let (item, local) = specified(&specifier, text);
                    seen.imports.push(Import::new(Form::Item, module, item, local, &specifier));
                }
            }
            _ => {}
        }
    }
}

fn specified<'s>(specifier: &Node<'_>, text: &'s [u8]) -> (&'s str, &'s str) {
    let field = |field| specifier.child_by_field_name(field).map(|node| quoted(&node, text));
    let item = field("name").unwrap_or_default();
    (item, field("alias").unwrap_or(item))
}

fn script_export(node: &Node<'_>, module: &str, text: &[u8], seen: &mut Seen) {
    let mut found = Vec::new();
    for part in named(node) {
        match part.kind() {
            "export_clause" => {
                for specifier in named(&part) {
                    let (item, local) = specified(&specifier, text);
                    found.push(Import::new(Form::Item, module, item, local, &specifier));
                }
            }
            "namespace_export" => {
                let local = named(&part).first().map(|name| text_of(name, text)).unwrap_or_default();
                found.push(Import::new(Form::Module, module, "", local, node));
            }
            _ => {}
        }
    }
    if found.is_empty() {
        found.push(Import::new(Form::Wildcard, module, "", "", node));
    }
    seen.imports.extend(found.into_iter().map(|import| Import { is_reexport: true, ..import }));
}

/// `export { a as b }` of a name that this file has: under the other name it is the same thing.
fn script_local_export(node: &Node<'_>, text: &[u8], seen: &mut Seen) {
    for clause in named(node).iter().filter(|part| part.kind() == "export_clause") {
        for specifier in named(clause) {
            let (item, local) = specified(&specifier, text);
            let import = Import::new(Form::Item, ".", item, local, &specifier);
            seen.imports.push(Import { is_reexport: true, ..import });
        }
    }
    // `export default name;`, `export default function name() {}`
    let is_default = node.child(1).is_some_and(|word| word.kind() == "default");
    let declared = node.child_by_field_name("declaration").filter(|_| is_default);
    let declared = declared.and_then(|declared| declared.child_by_field_name("name"));
    let value = node.child_by_field_name("value").filter(|value| value.kind() == "identifier").or(declared);
    if let Some(value) = value {
        let import = Import::new(Form::Item, ".", text_of(&value, text), "default", node);
        seen.imports.push(Import { is_reexport: true, ..import });
    }
}

/// `require("x")` and `import("x")`.
fn script_call(node: &Node<'_>, text: &[u8], seen: &mut Seen) {
    let Some(function) = node.child_by_field_name("function") else { return };
    let is_import = function.kind() == "import" || text_of(&function, text) == "require";
    if !is_import {
        return;
    }
    let Some(arguments) = node.child_by_field_name("arguments") else { return };
    let Some(source) = named(&arguments).into_iter().find(|child| child.kind() == "string") else { return };
    let module = quoted(&source, text);
    let around = node.parent().map(|parent| {
        if parent.kind() == "await_expression" { parent.parent().unwrap_or(parent) } else { parent }
    });
    let bound = around.filter(|parent| parent.kind() == "variable_declarator");
    let name = bound.and_then(|bound| bound.child_by_field_name("name"));
    match name {
        Some(name) if name.kind() == "object_pattern" => {
            for part in named(&name) {
                let (item, local) = match part.kind() {
                    "pair_pattern" => {
                        let field = |field| part.child_by_field_name(field).map(|node| text_of(&node, text));
                        (field("key").unwrap_or_default(), field("value").unwrap_or_default())
                    }
                    _ => (text_of(&part, text), text_of(&part, text)),
                };
                seen.imports.push(Import::new(Form::Item, module, item, local, node));
            }
        }
        Some(name) => seen.imports.push(Import::new(Form::Module, module, "", text_of(&name, text), node)),
        None => seen.imports.push(Import::new(Form::Module, module, "", "", node)),
    }
}

fn go(node: &Node<'_>, kind: &str, text: &[u8], seen: &mut Seen) -> bool {
    match kind {
        "package_clause" => {
            let name = named(node).first().map(|name| text_of(name, text)).unwrap_or_default();
            seen.imports.push(Import::new(Form::Package, name, "", "", node));
            false
        }
        "import_spec" => {
            let Some(path) = node.child_by_field_name("path") else { return false };
            let module = quoted(&path, text);
            let last = module.rsplit('/').next().unwrap_or(module);
            let name = node.child_by_field_name("name");
            let (form, local) = match name.map(|name| (name.kind(), text_of(&name, text))) {
                Some(("dot", _)) => (Form::Wildcard, ""),
                Some(("blank_identifier", _)) => (Form::Module, ""),
                Some((_, name)) => (Form::Module, name),
                None => (Form::Module, last),
            };
            seen.imports.push(Import::new(form, module, "", local, node));
            false
        }
        _ => true,
    }
}

fn c(node: &Node<'_>, kind: &str, text: &[u8], seen: &mut Seen) -> bool {
    if kind != "preproc_include" {
        return true;
    }
    if let Some(path) = node.child_by_field_name("path") {
        let form = if path.kind() == "system_lib_string" { Form::System } else { Form::Wildcard };
        let mut import = Import::new(form, quoted(&path, text), "", "", node);
        import.is_reexport = true;
        seen.imports.push(import);
    }
    false
}

fn java(node: &Node<'_>, kind: &str, text: &[u8], seen: &mut Seen) -> bool {
    let path = || {
        let path =
            named(node).into_iter().find(|child| matches!(child.kind(), "identifier" | "scoped_identifier"));
        path.map(|path| text_of(&path, text)).unwrap_or_default()
    };
    match kind {
        "package_declaration" => {
            seen.imports.push(Import::new(Form::Package, path(), "", "", node));
            false
        }
        "import_declaration" => {
            let path = path();
            if named(node).iter().any(|child| child.kind() == "asterisk") {
                seen.imports.push(Import::new(Form::Wildcard, path, "", "", node));
            } else {
                let (module, item) = path.rsplit_once('.').unwrap_or(("", path));
                seen.imports.push(Import::new(Form::Item, module, item, item, node));
            }
            false
        }
        _ => true,
    }
}

//! What a file of Rust imports: `use`, `mod x;`, and paths in expressions and types.

use mcp_source::tree_sitter::Node;

use super::Seen;
use super::imports::{Form, Import, named, text_of};

pub(super) fn rust(node: &Node<'_>, kind: &str, text: &[u8], seen: &mut Seen) -> bool {
    while seen.modules.last().is_some_and(|(_, end)| *end <= node.start_byte()) {
        seen.modules.pop();
    }
    match kind {
        "mod_item" => {
            let name = node.child_by_field_name("name").map(|name| text_of(&name, text)).unwrap_or_default();
            if node.child_by_field_name("body").is_some() {
                seen.modules.push((name.to_owned(), node.end_byte()));
            } else if seen.modules.is_empty() {
                let mut import = Import::new(Form::Child, "", name, name, node);
                import.is_reexport = is_public(node, text);
                seen.imports.push(import);
            }
            true
        }
        "use_declaration" => {
            if let Some(argument) = node.child_by_field_name("argument") {
                let from = seen.imports.len();
                used(&argument, "", text, seen);
                let is_reexport = is_public(node, text);
                for import in &mut seen.imports[from..] {
                    import.is_reexport = is_reexport;
                }
            }
            false
        }
        "extern_crate_declaration" => {
            let field = |field| node.child_by_field_name(field).map(|node| text_of(&node, text));
            if let Some(name) = field("name").filter(|name| *name != "self") {
                let mut import = Import::new(Form::Item, "", name, field("alias").unwrap_or(name), node);
                import.is_reexport = is_public(node, text);
                seen.imports.push(import);
            }
            false
        }
        "scoped_identifier" | "scoped_type_identifier" => {
            let is_inner = node
                .parent()
                .is_some_and(|parent| parent.kind() == kind || parent.kind() == "scoped_identifier");
            if !is_inner {
                path(node, text, seen);
            }
            true
        }
        _ => true,
    }
}

fn is_public(node: &Node<'_>, text: &[u8]) -> bool {
    let first = node.child(0);
    first.is_some_and(|first| {
        first.kind() == "visibility_modifier" && text_of(&first, text).starts_with("pub")
    })
}

/// A path in an expression or a type, if it may begin with a module.
fn path(node: &Node<'_>, text: &[u8], seen: &mut Seen) {
    let written = text_of(node, text);
    // Parameters in between, or a type before it: what it leads to is not a module.
    if written.contains(['<', '(', '[', ' ', '\n']) {
        return;
    }
    let Some((module, item)) = written.rsplit_once("::") else { return };
    let mut parts = module.split("::").collect::<Vec<_>>();
    let is_module = |part: &&str| part.starts_with(|letter: char| letter.is_lowercase() || letter == '_');
    if !parts.first().is_some_and(is_module) {
        return;
    }
    // `a::b::Type::new` uses `Type` of `a::b`.
    let mut item = item;
    while let Some(last) = parts.last()
        && !is_module(last)
    {
        item = last;
        parts.pop();
    }
    let module = parts.join("::");
    let module = seen_from_file(&module, seen);
    seen.imports.push(Import::new(Form::Path, module, item, "", node));
}

/// What a tree of `use` names.
fn used(node: &Node<'_>, before: &str, text: &[u8], seen: &mut Seen) {
    match node.kind() {
        "use_list" => named(node).iter().for_each(|part| used(part, before, text, seen)),
        "scoped_use_list" => {
            let path = node.child_by_field_name("path").map(|path| text_of(&path, text)).unwrap_or_default();
            let before = join(before, path);
            if let Some(list) = node.child_by_field_name("list") {
                used(&list, &before, text, seen);
            }
        }
        "use_wildcard" => {
            let path = named(node).first().map(|path| text_of(path, text)).unwrap_or_default();
            let module = seen_from_file(&join(before, path), seen);
            seen.imports.push(Import::new(Form::Wildcard, module, "", "", node));
        }
        "use_as_clause" => {
            let field =
                |field| node.child_by_field_name(field).map(|node| text_of(&node, text)).unwrap_or_default();
            item(&join(before, field("path")), Some(field("alias")), node, seen);
        }
        "self" => item(before, None, node, seen),
        _ => item(&join(before, text_of(node, text)), None, node, seen),
    }
}

fn item(path: &str, alias: Option<&str>, node: &Node<'_>, seen: &mut Seen) {
    let path = path.strip_suffix("::self").unwrap_or(path);
    let path = seen_from_file(path, seen);
    let (module, item) = path.rsplit_once("::").unwrap_or(("", &path));
    let local = alias.unwrap_or(item);
    let local = if local == "_" { "" } else { local };
    seen.imports.push(Import::new(Form::Item, module, item, local, node));
}

fn join(before: &str, path: &str) -> String {
    if before.is_empty() { path.trim_start_matches("::").to_owned() } else { format!("{before}::{path}") }
}

/// A path as the file's own module would write it: `super` in a module inside the file leads to the file.
fn seen_from_file(path: &str, seen: &Seen) -> String {
    let mut depth = seen.modules.len();
    if depth == 0 {
        return path.to_owned();
    }
    let mut rest = path;
    let mut is_relative = false;
    if rest == "self" || rest.starts_with("self::") {
        is_relative = true;
        rest = rest.strip_prefix("self").unwrap_or(rest).trim_start_matches("::");
    }
    while depth > 0 && (rest == "super" || rest.starts_with("super::")) {
        is_relative = true;
        depth -= 1;
        rest = rest.strip_prefix("super").unwrap_or(rest).trim_start_matches("::");
    }
    if !is_relative {
        return path.to_owned();
    }
    if rest == "super" || rest.starts_with("super::") {
        return rest.to_owned();
    }
    let inside = seen.modules[..depth].iter().map(|(name, _)| name.as_str());
    let parts = std::iter::once("self").chain(inside).chain((!rest.is_empty()).then_some(rest));
    parts.collect::<Vec<_>>().join("::")
}

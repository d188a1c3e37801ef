//! Definitions of Python.

use tree_sitter::Node;

use super::{Collector, Definition, Kind, ScopeKind};

pub(super) const KINDS: &[&str] =
    &["function_definition", "class_definition", "assignment", "type_alias_statement"];

pub(super) fn define<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    match node.kind() {
        "function_definition" => {
            let is_method = found.inside() == Some(ScopeKind::Type);
            let kind = if is_method { Kind::Method } else { Kind::Function };
            scope(found, node, kind, ScopeKind::Function);
        }
        "class_definition" => scope(found, node, Kind::Class, ScopeKind::Type),
        "assignment" => assignment(found, node),
        "type_alias_statement" => {
            let name = node.child_by_field_name("left").and_then(|left| first_identifier(left));
            if let Some(name) = name {
                found.add(found.named(node, &name, Kind::Type));
            }
        }
        _ => {}
    }
}

/// The name of an alias, which may have parameters. `type(x).y = …` of older Python looks like one.
fn first_identifier(node: Node<'_>) -> Option<Node<'_>> {
    match node.kind() {
        "identifier" => Some(node),
        "type" | "generic_type" => node.named_child(0).and_then(first_identifier),
        _ => None,
    }
}

fn scope<'t>(found: &mut Collector<'t>, node: &Node<'t>, kind: Kind, scope: ScopeKind) {
    let Some(mut definition) = found.definition(node, kind) else { return };
    let body = node.child_by_field_name("body");
    definition.doc = body.and_then(docstring).map(|string| string.byte_range());
    // A decorator belongs to what it decorates.
    let parent = node.parent().filter(|parent| parent.kind() == "decorated_definition");
    definition.whole = parent.unwrap_or(*node);
    found.add_scope(definition, scope);
}

/// The string that a body begins with.
fn docstring(body: Node<'_>) -> Option<Node<'_>> {
    let first = (0..).map_while(|at| body.named_child(at)).find(|node| node.kind() != "comment")?;
    let string = if first.kind() == "expression_statement" { first.named_child(0)? } else { first };
    (string.kind() == "string").then_some(string)
}

/// A name of a module or a class, where it is first assigned. Those of functions are local.
fn assignment<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    if found.inside() == Some(ScopeKind::Function) {
        return;
    }
    let Some(left) = node.child_by_field_name("left") else { return };
    for name in names(left) {
        let text = found.of(&name);
        let container = found.container();
        let is_known =
            found.symbols.iter().any(|symbol| symbol.name == text && symbol.container == container);
        if is_known {
            continue;
        }
        let is_constant =
            text.chars().all(|letter| !letter.is_lowercase()) && text.contains(char::is_alphabetic);
        let kind = match (found.inside(), is_constant) {
            (_, true) => Kind::Constant,
            (Some(ScopeKind::Type), false) => Kind::Field,
            (_, false) => Kind::Variable,
        };
        let definition = found.named(node, &name, kind);
        found.add(Definition { body: None, ..definition });
    }
}

/// The names that an assignment binds; not items and attributes.
fn names(left: Node<'_>) -> Vec<Node<'_>> {
    match left.kind() {
        "identifier" => vec![left],
        "pattern_list" | "tuple_pattern" | "list_pattern" | "list_splat_pattern" => {
            (0..).map_while(|at| left.named_child(at)).flat_map(names).collect()
        }
        _ => Vec::new(),
    }
}

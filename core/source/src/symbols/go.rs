//! Definitions of Go.

use tree_sitter::Node;

use super::{Collector, Kind, ScopeKind};

pub(super) const KINDS: &[&str] = &[
    "function_declaration",
    "method_declaration",
    "type_spec",
    "type_alias",
    "const_spec",
    "var_spec",
    "field_declaration",
    "method_elem",
];

pub(super) fn define<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    match node.kind() {
        "function_declaration" => {
            if let Some(mut definition) = found.definition(node, Kind::Function) {
                definition.is_declaration = definition.body.is_none();
                found.add_scope(definition, ScopeKind::Function);
            }
        }
        "method_declaration" => {
            if let Some(mut definition) = found.definition(node, Kind::Method) {
                definition.container =
                    node.child_by_field_name("receiver").and_then(|list| receiver(found, list));
                found.add_scope(definition, ScopeKind::Function);
            }
        }
        "type_spec" | "type_alias" => type_spec(found, node),
        "const_spec" => several(found, node, Kind::Constant),
        "var_spec" => several(found, node, Kind::Variable),
        // One without a name has that of its type, and is none of its own.
        "field_declaration" => names(found, node, Kind::Field),
        "method_elem" => {
            if let Some(mut definition) = found.definition(node, Kind::Method) {
                definition.is_declaration = true;
                found.add(definition);
            }
        }
        _ => {}
    }
}

/// The type of a receiver, without pointer and parameters.
fn receiver(found: &Collector<'_>, list: Node<'_>) -> Option<String> {
    let mut node = list.named_child(0)?.child_by_field_name("type")?;
    loop {
        node = match node.kind() {
            "pointer_type" | "parenthesized_type" => node.named_child(0)?,
            "generic_type" => node.child_by_field_name("type")?,
            _ => return Some(found.of(&node)),
        };
    }
}

fn type_spec<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let kind = match node.child_by_field_name("type").map(|of| of.kind()) {
        Some("struct_type") => Kind::Struct,
        Some("interface_type") => Kind::Interface,
        _ => Kind::Type,
    };
    if let Some(definition) = found.definition(node, kind) {
        found.add_scope(definition, ScopeKind::Type);
    }
}

/// Names of a package; those of functions are local.
fn several<'t>(found: &mut Collector<'t>, node: &Node<'t>, kind: Kind) {
    if found.inside() != Some(ScopeKind::Function) {
        names(found, node, kind);
    }
}

fn names<'t>(found: &mut Collector<'t>, node: &Node<'t>, kind: Kind) {
    let mut cursor = node.walk();
    let names: Vec<Node<'t>> = node.children_by_field_name("name", &mut cursor).collect();
    for name in names.iter().filter(|name| name.is_named()) {
        let definition = found.named(node, name, kind);
        found.add(definition);
    }
}

//! Definitions of Java.

use tree_sitter::Node;

use super::{Collector, Kind, ScopeKind};

pub(super) const KINDS: &[&str] = &[
    "class_declaration",
    "record_declaration",
    "interface_declaration",
    "annotation_type_declaration",
    "enum_declaration",
    "method_declaration",
    "constructor_declaration",
    "compact_constructor_declaration",
    "annotation_type_element_declaration",
    "field_declaration",
    "constant_declaration",
    "enum_constant",
];

pub(super) fn define<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let (kind, scope) = match node.kind() {
        "class_declaration" | "record_declaration" => (Kind::Class, ScopeKind::Type),
        "interface_declaration" | "annotation_type_declaration" => (Kind::Interface, ScopeKind::Type),
        "enum_declaration" => (Kind::Enum, ScopeKind::Type),
        "enum_constant" => (Kind::Variant, ScopeKind::Type),
        "field_declaration" => return fields(found, node, Kind::Field),
        "constant_declaration" => return fields(found, node, Kind::Constant),
        _ => (Kind::Method, ScopeKind::Function),
    };
    let Some(mut definition) = found.definition(node, kind) else { return };
    definition.is_declaration = kind == Kind::Method && definition.body.is_none();
    found.add_scope(definition, scope);
}

fn fields<'t>(found: &mut Collector<'t>, node: &Node<'t>, kind: Kind) {
    let mut cursor = node.walk();
    let declarators: Vec<Node<'t>> = node.children_by_field_name("declarator", &mut cursor).collect();
    for declarator in declarators {
        if let Some(name) = declarator.child_by_field_name("name") {
            let definition = found.named(node, &name, kind);
            found.add(definition);
        }
    }
}

//! Definitions of Rust.

use tree_sitter::Node;

use super::{Collector, Kind, ScopeKind};

pub(super) const KINDS: &[&str] = &[
    "mod_item",
    "struct_item",
    "enum_item",
    "union_item",
    "trait_item",
    "impl_item",
    "type_item",
    "associated_type",
    "function_item",
    "function_signature_item",
    "macro_definition",
    "const_item",
    "static_item",
    "field_declaration",
    "enum_variant",
];

pub(super) const ATTRIBUTES: &[&str] = &["attribute_item"];

pub(super) fn define<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let (kind, scope) = match node.kind() {
        "impl_item" => {
            if let Some(of) = node.child_by_field_name("type") {
                let name = found.of(&of_type(of));
                found.enter(node, name, ScopeKind::Type);
            }
            return;
        }
        "mod_item" => (Kind::Module, Some(ScopeKind::Module)),
        "struct_item" => (Kind::Struct, Some(ScopeKind::Type)),
        "enum_item" => (Kind::Enum, Some(ScopeKind::Type)),
        "union_item" => (Kind::Union, Some(ScopeKind::Type)),
        "trait_item" => (Kind::Trait, Some(ScopeKind::Type)),
        "type_item" | "associated_type" => (Kind::Type, None),
        "function_item" | "function_signature_item" => {
            let is_method = found.inside() == Some(ScopeKind::Type);
            (if is_method { Kind::Method } else { Kind::Function }, Some(ScopeKind::Function))
        }
        "macro_definition" => (Kind::Macro, None),
        "const_item" => (Kind::Constant, None),
        "static_item" => (Kind::Variable, None),
        "field_declaration" => (Kind::Field, None),
        "enum_variant" => (Kind::Variant, Some(ScopeKind::Type)),
        _ => return,
    };
    let Some(mut definition) = found.definition(node, kind) else { return };
    definition.is_declaration =
        node.kind() == "function_signature_item" || (kind == Kind::Module && definition.body.is_none());
    match scope {
        Some(scope) => found.add_scope(definition, scope),
        None => found.add(definition),
    }
}

/// The type itself: without its parameters, references and path.
fn of_type(node: Node<'_>) -> Node<'_> {
    let inner = match node.kind() {
        "generic_type" | "reference_type" => node.child_by_field_name("type"),
        "scoped_type_identifier" => node.child_by_field_name("name"),
        _ => None,
    };
    inner.map_or(node, of_type)
}

//! Definitions of TypeScript and JavaScript.

use tree_sitter::Node;

use super::{Collector, Kind, ScopeKind};

pub(super) const KINDS: &[&str] = &[
    "function_declaration",
    "generator_function_declaration",
    "function_signature",
    "class_declaration",
    "abstract_class_declaration",
    "interface_declaration",
    "type_alias_declaration",
    "enum_declaration",
    "enum_assignment",
    "enum_body",
    "internal_module",
    "module",
    "method_definition",
    "method_signature",
    "abstract_method_signature",
    "public_field_definition",
    "field_definition",
    "property_signature",
    "variable_declarator",
    "arrow_function",
    "function_expression",
    "class",
];

pub(super) const ATTRIBUTES: &[&str] = &["decorator"];

pub(super) fn define<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let (kind, scope) = match node.kind() {
        "function_declaration" | "generator_function_declaration" | "function_signature" => {
            (Kind::Function, ScopeKind::Function)
        }
        "class_declaration" | "abstract_class_declaration" => (Kind::Class, ScopeKind::Type),
        "interface_declaration" => (Kind::Interface, ScopeKind::Type),
        "type_alias_declaration" => (Kind::Type, ScopeKind::Type),
        "enum_declaration" => (Kind::Enum, ScopeKind::Type),
        "internal_module" | "module" => (Kind::Module, ScopeKind::Module),
        "method_definition" | "method_signature" | "abstract_method_signature" => {
            (Kind::Method, ScopeKind::Function)
        }
        "public_field_definition" | "property_signature" => (Kind::Field, ScopeKind::Function),
        "field_definition" => return named_by(found, node, "property", Kind::Field, ScopeKind::Function),
        "enum_assignment" => (Kind::Variant, ScopeKind::Function),
        "enum_body" => return variants(found, node),
        "variable_declarator" => return variable(found, node),
        // Without a name of its own; what is in it is local.
        "arrow_function" | "function_expression" => {
            return found.enter(node, String::new(), ScopeKind::Function);
        }
        "class" => return found.enter(node, String::new(), ScopeKind::Type),
        _ => return,
    };
    if is_inline(found, node) {
        return;
    }
    named_by(found, node, "name", kind, scope);
}

/// A member of an object type that has no name of its own, such as the type of a parameter.
fn is_inline(found: &Collector<'_>, node: &Node<'_>) -> bool {
    let is_member = matches!(node.kind(), "property_signature" | "method_signature");
    is_member && found.inside() != Some(ScopeKind::Type)
        || node.kind() == "method_definition" && node.parent().is_some_and(|parent| parent.kind() == "object")
}

fn named_by<'t>(found: &mut Collector<'t>, node: &Node<'t>, field: &str, kind: Kind, scope: ScopeKind) {
    let Some(name) = node.child_by_field_name(field) else { return };
    if name.kind() == "computed_property_name" {
        return found.enter(node, String::new(), scope);
    }
    let mut definition = found.named(node, &name, kind);
    if name.kind() == "string" {
        definition.name = definition.name.trim_matches(['"', '\'']).to_owned();
    }
    definition.is_declaration =
        matches!(node.kind(), "function_signature" | "method_signature" | "abstract_method_signature");
    // What exports it belongs to it.
    let parent =
        node.parent().filter(|parent| matches!(parent.kind(), "export_statement" | "ambient_declaration"));
    definition.whole = parent.unwrap_or(*node);
    found.add_scope(definition, scope);
}

/// The members of an enumeration that have no value are bare names in its body.
fn variants<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let mut cursor = node.walk();
    let names: Vec<Node<'t>> = node.children_by_field_name("name", &mut cursor).collect();
    for name in names {
        let mut definition = found.named(&name, &name, Kind::Variant);
        definition.name = definition.name.trim_matches(['"', '\'']).to_owned();
        found.add(definition);
    }
}

/// A variable outside of functions; one that holds a function or a class is what it holds.
fn variable<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let value = node.child_by_field_name("value");
    let holds = value.map(|value| value.kind()).unwrap_or_default();
    let kind = match holds {
        "arrow_function" | "function_expression" | "generator_function" => Kind::Function,
        "class" => Kind::Class,
        _ if found.inside() == Some(ScopeKind::Function) || is_local(*node) => return,
        _ if is_const(node) => Kind::Constant,
        _ => Kind::Variable,
    };
    let Some(name) = node.child_by_field_name("name").filter(|name| name.kind() == "identifier") else {
        return;
    };
    let mut definition = found.named(node, &name, kind);
    if let Some(value) = value.filter(|_| kind == Kind::Function || kind == Kind::Class) {
        let body = value.child_by_field_name("body");
        definition.body = body.map(|body| body.start_byte());
        definition.whole = statement(*node);
        let scope = if kind == Kind::Class { ScopeKind::Type } else { ScopeKind::Function };
        return found.add_scope(definition, scope);
    }
    definition.whole = statement(*node);
    found.add(definition);
}

fn is_const(node: &Node<'_>) -> bool {
    let kind = node.parent().and_then(|parent| parent.child_by_field_name("kind"));
    kind.is_some_and(|kind| kind.kind() == "const")
}

/// Whether a variable lies in a block of the module: a loop, a condition.
fn is_local(node: Node<'_>) -> bool {
    let declaration = node.parent().and_then(|list| list.parent());
    let declaration = declaration
        .filter(|node| node.kind() == "export_statement")
        .and_then(|node| node.parent())
        .or(declaration);
    // A block is that of a namespace, or a scope of its own.
    let is_namespace = |node: &Node<'_>| {
        node.parent().is_some_and(|parent| matches!(parent.kind(), "internal_module" | "module"))
    };
    declaration.is_some_and(|node| match node.kind() {
        "program" | "ambient_declaration" => false,
        "statement_block" => !is_namespace(&node),
        _ => true,
    })
}

/// The statement of a variable that stands alone in it, with what exports it.
fn statement(node: Node<'_>) -> Node<'_> {
    let alone = |parent: &Node<'_>| {
        matches!(parent.kind(), "lexical_declaration" | "variable_declaration")
            && parent.named_child_count() == 1
    };
    let Some(declaration) = node.parent().filter(alone) else { return node };
    declaration.parent().filter(|parent| parent.kind() == "export_statement").unwrap_or(declaration)
}

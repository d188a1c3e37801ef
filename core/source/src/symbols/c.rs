//! Definitions of C and C++.

use tree_sitter::Node;

use super::{Collector, Kind, ScopeKind};

pub(super) const KINDS: &[&str] = &[
    "function_definition",
    "declaration",
    "struct_specifier",
    "union_specifier",
    "enum_specifier",
    "enumerator",
    "type_definition",
    "field_declaration",
    "preproc_def",
    "preproc_function_def",
    "class_specifier",
    "namespace_definition",
    "alias_declaration",
    "concept_definition",
    "lambda_expression",
];

pub(super) const ATTRIBUTES: &[&str] = &["attribute_declaration", "attribute_specifier"];

pub(super) fn define<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    match node.kind() {
        "function_definition" => function(found, node),
        "declaration" if found.inside() != Some(ScopeKind::Function) => declarators(found, node, false),
        "field_declaration" => declarators(found, node, true),
        "type_definition" => type_definition(found, node),
        "struct_specifier" => specifier(found, node, Kind::Struct),
        "union_specifier" => specifier(found, node, Kind::Union),
        "enum_specifier" => specifier(found, node, Kind::Enum),
        "class_specifier" => specifier(found, node, Kind::Class),
        "enumerator" => plain(found, node, Kind::Variant),
        "preproc_def" | "preproc_function_def" => plain(found, node, Kind::Macro),
        "alias_declaration" => plain(found, node, Kind::Type),
        "concept_definition" => plain(found, node, Kind::Constant),
        "namespace_definition" => namespace(found, node),
        "lambda_expression" => found.enter(node, String::new(), ScopeKind::Function),
        _ => {}
    }
}

fn plain<'t>(found: &mut Collector<'t>, node: &Node<'t>, kind: Kind) {
    if let Some(definition) = found.definition(node, kind) {
        found.add(definition);
    }
}

fn namespace<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    match found.definition(node, Kind::Module) {
        Some(definition) => found.add_scope(definition, ScopeKind::Module),
        None => found.enter(node, String::new(), ScopeKind::Module),
    }
}

/// A structure that is defined here: one with a body. Without a name it belongs to the one that holds it.
fn specifier<'t>(found: &mut Collector<'t>, node: &Node<'t>, kind: Kind) {
    if node.child_by_field_name("body").is_none() {
        return;
    }
    let Some(name) = node.child_by_field_name("name") else {
        // `typedef struct { … } name;` is known by that name.
        let name = typedef_name(node).map(|name| found.of(&name)).unwrap_or_default();
        return found.enter(node, name, ScopeKind::Type);
    };
    let (name, container) = qualified(found, name);
    let mut definition = found.named(node, &name, kind);
    definition.container = joined(found, container);
    let inner = definition.name.clone();
    found.add(definition);
    found.enter(node, inner, ScopeKind::Type);
}

fn typedef_name<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    let parent = node.parent().filter(|parent| parent.kind() == "type_definition")?;
    parent.child_by_field_name("declarator").and_then(|declarator| declared(declarator).name)
}

fn type_definition<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let mut cursor = node.walk();
    let declarators: Vec<Node<'t>> = node.children_by_field_name("declarator", &mut cursor).collect();
    for declarator in declarators {
        if let Some(name) = declared(declarator).name {
            let definition = found.named(node, &name, Kind::Type);
            found.add(definition);
        }
    }
}

fn function<'t>(found: &mut Collector<'t>, node: &Node<'t>) {
    let declared = node.child_by_field_name("declarator").map(declared);
    let Some(Declared { name: Some(name), is_function: true }) = declared else {
        // A macro that looks like a function without a type, or something else the grammar takes for one.
        return found.enter(node, String::new(), ScopeKind::Function);
    };
    add_callable(found, node, name, false);
}

fn add_callable<'t>(found: &mut Collector<'t>, node: &Node<'t>, name: Node<'t>, is_declaration: bool) {
    let (name, container) = qualified(found, name);
    let is_method = found.inside() == Some(ScopeKind::Type) || container.is_some();
    let kind = if is_method { Kind::Method } else { Kind::Function };
    let mut definition = found.named(node, &name, kind);
    definition.whole = templated(*node);
    definition.container = joined(found, container);
    definition.is_declaration = is_declaration;
    // What is in it is local.
    let inner = definition.name.clone();
    found.add(definition);
    if !is_declaration {
        found.enter(node, inner, ScopeKind::Function);
    }
}

/// With the template that it belongs to.
fn templated(node: Node<'_>) -> Node<'_> {
    node.parent().filter(|parent| parent.kind() == "template_declaration").unwrap_or(node)
}

/// The names that a declaration declares: functions and variables, or members.
fn declarators<'t>(found: &mut Collector<'t>, node: &Node<'t>, is_member: bool) {
    let mut cursor = node.walk();
    let declarators: Vec<Node<'t>> = node.children_by_field_name("declarator", &mut cursor).collect();
    for declarator in declarators {
        let Declared { name: Some(name), is_function } = declared(declarator) else { continue };
        if is_function {
            add_callable(found, node, name, true);
            continue;
        }
        let kind = if is_member { Kind::Field } else { Kind::Variable };
        let (name, container) = qualified(found, name);
        let mut definition = found.named(node, &name, kind);
        definition.container = joined(found, container);
        definition.is_declaration = is_extern(found, node);
        found.add(definition);
    }
}

fn is_extern(found: &Collector<'_>, node: &Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| child.kind() == "storage_class_specifier" && found.of(&child) == "extern")
}

/// What a declarator declares.
struct Declared<'t> {
    name: Option<Node<'t>>,
    /// Whether the name itself is followed by parameters; a pointer to a function is not a function.
    is_function: bool,
}

fn declared(node: Node<'_>) -> Declared<'_> {
    let is_name = |node: &Node<'_>| {
        matches!(
            node.kind(),
            "identifier"
                | "field_identifier"
                | "type_identifier"
                | "qualified_identifier"
                | "destructor_name"
                | "operator_name"
                | "operator_cast"
                | "template_function"
                | "template_method"
                | "primitive_type"
        )
    };
    let mut node = node;
    let mut is_function = false;
    loop {
        if is_name(&node) {
            // `operator bool()` has its parameters inside.
            let is_function = is_function || cast_of(node);
            return Declared { name: Some(node), is_function };
        }
        match node.kind() {
            "function_declarator" => is_function = true,
            "pointer_declarator" | "array_declarator" | "reference_declarator" => is_function = false,
            _ => {}
        }
        // A pointer before the parentheses belongs to the result: the declarator nearest to the name counts.
        let inner = node.child_by_field_name("declarator").or_else(|| {
            (0..)
                .map_while(|at| node.named_child(at))
                .find(|child| is_name(child) || child.kind().ends_with("_declarator"))
        });
        match inner {
            Some(inner) => node = inner,
            None => return Declared { name: None, is_function: false },
        }
    }
}

fn cast_of(node: Node<'_>) -> bool {
    match node.kind() {
        "operator_cast" => true,
        "qualified_identifier" => node.child_by_field_name("name").is_some_and(cast_of),
        _ => false,
    }
}

/// The last part of a qualified name, and what stands before it.
fn qualified<'t>(found: &Collector<'t>, name: Node<'t>) -> (Node<'t>, Option<String>) {
    let mut scopes: Vec<String> = Vec::new();
    let mut node = name;
    while matches!(node.kind(), "qualified_identifier") {
        if let Some(scope) = node.child_by_field_name("scope") {
            let scope = scope.child_by_field_name("name").unwrap_or(scope);
            scopes.push(found.of(&scope));
        }
        match node.child_by_field_name("name") {
            Some(inner) => node = inner,
            None => break,
        }
    }
    if matches!(node.kind(), "template_function" | "template_method" | "template_type") {
        node = node.child_by_field_name("name").unwrap_or(node);
    }
    (node, (!scopes.is_empty()).then(|| scopes.join("::")))
}

/// What a name lies in, by where it stands and by what it says.
fn joined(found: &Collector<'_>, said: Option<String>) -> Option<String> {
    let said = said?;
    Some(match found.container() {
        Some(around) => format!("{around}::{said}"),
        None => said,
    })
}

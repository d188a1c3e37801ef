//! The places of a text that have a name, and what stands before each.

use mcp_source::Language;
use mcp_source::tree_sitter::{Node, Tree};

use crate::facts::is_name;

/// A place that has the name.
pub(super) struct Occurrence<'t> {
    pub node: Node<'t>,
    pub role: Role<'t>,
}

impl Occurrence<'_> {
    pub fn is_import(&self) -> bool {
        matches!(self.role, Role::Import)
    }
}

/// How the name stands there.
pub(super) enum Role<'t> {
    /// In an import.
    Import,
    /// Alone.
    Bare,
    /// Behind a value, a class or a package: `x.name`.
    Member(Receiver<'t>),
    /// Behind a path: `a::b::name`.
    Path(String),
    /// As the name of a field where a value is made, with the type that is made.
    Key(Option<String>),
}

/// What a member is asked of.
pub(super) enum Receiver<'t> {
    /// `self`, `this`.
    This,
    /// `super`, in a class.
    Super,
    /// A name.
    Name(Node<'t>),
    /// A member of `self`: `self.name`.
    OwnField(String),
    /// A member of another name: `x.name`.
    FieldOf(Node<'t>, String),
    /// A value that is made on the spot, with its type.
    Made(String),
    /// Another expression.
    Other,
}

pub(super) fn text_of<'s>(node: &Node<'_>, text: &'s [u8]) -> &'s str {
    std::str::from_utf8(text.get(node.byte_range()).unwrap_or_default()).unwrap_or_default()
}

/// All places of a tree that have a name.
pub(super) fn all<'t>(tree: &'t Tree, language: Language, text: &[u8], name: &str) -> Vec<Occurrence<'t>> {
    let mut found = Vec::new();
    // A jump to each place where the text has the name is much less than a walk over the tree.
    for at in memchr_iter(text, name.as_bytes()) {
        let Some(node) = tree.root_node().descendant_for_byte_range(at, at + name.len()) else { continue };
        let is_it =
            node.byte_range() == (at..at + name.len()) && node.child_count() == 0 && is_name(node.kind());
        if is_it {
            found.push(Occurrence { node, role: role(&node, language, text) });
        }
    }
    found
}

fn memchr_iter<'n>(text: &'n [u8], name: &'n [u8]) -> impl Iterator<Item = usize> + 'n {
    memchr::memmem::find_iter(text, name)
}

const IMPORTS: [&str; 9] = [
    "use_declaration",
    "import_statement",
    "import_from_statement",
    "future_import_statement",
    "import_declaration",
    "import_spec",
    "export_clause",
    "namespace_export",
    "extern_crate_declaration",
];

fn is_in_import(node: &Node<'_>) -> bool {
    let mut around = node.parent();
    for _ in 0..8 {
        match around {
            Some(parent) if IMPORTS.contains(&parent.kind()) => return true,
            Some(parent) => around = parent.parent(),
            None => break,
        }
    }
    false
}

fn role<'t>(node: &Node<'t>, language: Language, text: &[u8]) -> Role<'t> {
    if is_in_import(node) {
        return Role::Import;
    }
    let Some(parent) = node.parent() else { return Role::Bare };
    let is = |field: &str| parent.child_by_field_name(field).is_some_and(|child| child.id() == node.id());
    let field = |field: &str| parent.child_by_field_name(field);
    let member =
        |of: Option<Node<'t>>| Role::Member(of.map_or(Receiver::Other, |of| receiver(of, language, text)));
    match parent.kind() {
        "field_expression" if is("field") => member(field("value").or_else(|| field("argument"))),
        "attribute" if is("attribute") => member(field("object")),
        "member_expression" if is("property") => member(field("object")),
        "selector_expression" if is("field") => member(field("operand")),
        "qualified_type" if is("name") => member(field("package")),
        "nested_type_identifier" | "nested_identifier" if is("name") || is("property") => {
            member(field("module").or_else(|| field("object")))
        }
        "field_access" if is("field") => member(field("object")),
        "method_invocation" if is("name") && field("object").is_some() => member(field("object")),
        "method_reference" if parent.child(0).is_some_and(|first| first.id() != node.id()) => {
            member(parent.child(0))
        }
        "scoped_type_identifier" | "scoped_identifier" if is("name") || field("name").is_none() => {
            scoped(&parent, node, language, text)
        }
        "qualified_identifier" if is("name") => Role::Path(before(&parent, text)),
        "template_function" | "template_type" | "template_method" => templated(&parent, text),
        "field_initializer" if is("field") => Role::Key(made_by(&parent, text)),
        "shorthand_field_initializer" | "shorthand_field_identifier" | "field_pattern"
            if language == Language::Rust =>
        {
            // `Type { name }` is both the field and the local value.
            Role::Bare
        }
        "field_designator" | "keyword_argument" | "pair"
            if is("key") || is("name") || parent.kind() == "field_designator" =>
        {
            Role::Key(None)
        }
        "pair_pattern" if is("key") => taken_from(&parent).map_or(Role::Key(None), |of| member(Some(of))),
        "literal_element" if is_key(&parent) => Role::Key(made_by(&parent, text)),
        "keyed_element" if parent.named_child(0).is_some_and(|first| first.id() == node.id()) => {
            Role::Key(made_by(&parent, text))
        }
        "token_tree" => in_macro(node, text),
        _ => Role::Bare,
    }
}

/// The value that `const { name: other } = value` takes a member of.
fn taken_from<'t>(pair: &Node<'t>) -> Option<Node<'t>> {
    let pattern = pair.parent().filter(|pattern| pattern.kind() == "object_pattern")?;
    let bound = pattern.parent().filter(|bound| bound.kind() == "variable_declarator")?;
    bound.child_by_field_name("value").filter(|value| value.kind() == "identifier")
}

fn is_key(element: &Node<'_>) -> bool {
    let keyed = element.parent().filter(|parent| parent.kind() == "keyed_element");
    keyed.and_then(|keyed| keyed.named_child(0)).is_some_and(|first| first.id() == element.id())
}

/// `a::b::name` of Rust, `a.b.Name` of Java.
fn scoped<'t>(parent: &Node<'t>, node: &Node<'t>, language: Language, text: &[u8]) -> Role<'t> {
    if language == Language::Java {
        let first = parent.named_child(0).filter(|first| first.id() != node.id());
        return match first {
            Some(first) => Role::Member(receiver(first, language, text)),
            None => Role::Bare,
        };
    }
    match parent.child_by_field_name("path") {
        Some(path) if path.id() != node.id() => Role::Path(plain_path(text_of(&path, text))),
        Some(_) | None => Role::Bare,
    }
}

/// A path without the parameters of its types.
fn plain_path(path: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            letter if depth == 0 && !letter.is_whitespace() => plain.push(letter),
            _ => {}
        }
    }
    // `Vec::<u8>` leaves its separator.
    plain.trim_end_matches(':').to_owned()
}

/// All scopes that stand before a name of C++.
fn before(qualified: &Node<'_>, text: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut at = Some(*qualified);
    while let Some(node) = at.filter(|node| node.kind() == "qualified_identifier") {
        let scope = node.child_by_field_name("scope").map(|scope| plain_path(text_of(&scope, text)));
        parts.push(scope.unwrap_or_default());
        at = node.parent();
    }
    parts.reverse();
    parts.join("::")
}

fn templated<'t>(parent: &Node<'t>, text: &[u8]) -> Role<'t> {
    match parent.parent() {
        Some(above) if above.kind() == "qualified_identifier" => Role::Path(before(&above, text)),
        Some(above) if above.kind() == "field_expression" => {
            let of = above.child_by_field_name("argument");
            Role::Member(of.map_or(Receiver::Other, |of| receiver(of, Language::Cpp, text)))
        }
        _ => Role::Bare,
    }
}

/// The type that is made where a field gets its value.
fn made_by(node: &Node<'_>, text: &[u8]) -> Option<String> {
    let mut at = node.parent();
    for _ in 0..4 {
        let around = at?;
        match around.kind() {
            "struct_expression" => {
                return around.child_by_field_name("name").map(|name| plain_path(text_of(&name, text)));
            }
            "composite_literal" => {
                return around.child_by_field_name("type").map(|name| text_of(&name, text).to_owned());
            }
            _ => at = around.parent(),
        }
    }
    None
}

/// A name among the tokens that a macro of Rust gets.
fn in_macro<'t>(node: &Node<'t>, text: &[u8]) -> Role<'t> {
    let Some(sign) = node.prev_sibling() else { return Role::Bare };
    match text_of(&sign, text) {
        "." => {
            let of = sign.prev_sibling().filter(|of| of.end_byte() == sign.start_byte());
            Role::Member(match of {
                Some(of) if text_of(&of, text) == "self" => Receiver::This,
                Some(of)
                    if of.kind() == "identifier"
                        && of.prev_sibling().is_none_or(|sign| text_of(&sign, text) != ".") =>
                {
                    Receiver::Name(of)
                }
                _ => Receiver::Other,
            })
        }
        "::" => {
            let mut parts = Vec::new();
            let mut at = Some(sign);
            while let Some(sign) = at.filter(|sign| text_of(sign, text) == "::") {
                let Some(part) = sign.prev_sibling() else { break };
                parts.push(text_of(&part, text));
                at = part.prev_sibling();
            }
            parts.reverse();
            Role::Path(parts.join("::"))
        }
        _ => Role::Bare,
    }
}

fn receiver<'t>(node: Node<'t>, language: Language, text: &[u8]) -> Receiver<'t> {
    let inner =
        |node: Node<'t>| node.named_child(0).map_or(Receiver::Other, |inner| receiver(inner, language, text));
    match node.kind() {
        "self" | "this" => Receiver::This,
        "super" => Receiver::Super,
        "identifier" | "type_identifier" | "package_identifier" | "namespace_identifier" => {
            match text_of(&node, text) {
                "self" | "cls" if language == Language::Python => Receiver::This,
                _ => Receiver::Name(node),
            }
        }
        "parenthesized_expression"
        | "non_null_expression"
        | "reference_expression"
        | "unary_expression"
        | "pointer_expression"
        | "try_expression"
        | "await_expression" => inner(node),
        "field_expression" | "attribute" | "member_expression" | "field_access" | "selector_expression" => {
            own_field(&node, language, text)
        }
        "call"
        | "call_expression"
        | "new_expression"
        | "object_creation_expression"
        | "struct_expression"
        | "composite_literal" => made(&node, language, text),
        _ => Receiver::Other,
    }
}

fn own_field<'t>(node: &Node<'t>, language: Language, text: &[u8]) -> Receiver<'t> {
    let field = |name: &str| node.child_by_field_name(name);
    let of = ["value", "argument", "object", "operand"].iter().find_map(|name| field(name));
    let name = ["field", "attribute", "property"].iter().find_map(|name| field(name));
    match (of.map(|of| receiver(of, language, text)), name) {
        (Some(Receiver::This), Some(name)) => Receiver::OwnField(text_of(&name, text).to_owned()),
        (Some(Receiver::Name(of)), Some(name)) => Receiver::FieldOf(of, text_of(&name, text).to_owned()),
        _ => Receiver::Other,
    }
}

/// A value that is made on the spot: `Type(…)`, `new Type(…)`, `Type { … }`.
fn made<'t>(node: &Node<'t>, language: Language, text: &[u8]) -> Receiver<'t> {
    if language == Language::Python && text_of(node, text).starts_with("super(") {
        return Receiver::Super;
    }
    match super::types::of_value(node, language, text) {
        Some(of) => Receiver::Made(of),
        None => Receiver::Other,
    }
}

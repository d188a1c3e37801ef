//! Names, parameters and extents of functions.

use mcp_source::Language;
use mcp_source::tree_sitter::Node;

/// The name of a function or type without those around it.
pub(super) fn own(language: Language, node: Node<'_>, parent: Option<Node<'_>>, text: &[u8]) -> String {
    let of = |node: Node<'_>| String::from_utf8_lossy(&text[node.byte_range()]).into_owned();
    if language == Language::Rust && node.kind() == "impl_item" {
        return node.child_by_field_name("type").map(of).unwrap_or_default();
    }
    if matches!(node.kind(), "static_initializer" | "class_static_block") {
        return "{static}".to_owned();
    }
    if let Some(name) = node.child_by_field_name("name") {
        return of(name);
    }
    // In C the name is inside of what is declared.
    if let Some(name) = node.child_by_field_name("declarator").and_then(declared) {
        return of(name);
    }
    let bound = parent.and_then(|parent| {
        let field = match parent.kind() {
            "variable_declarator" => "name",
            "pair" => "key",
            "assignment_expression" => "left",
            "public_field_definition" => "name",
            "field_definition" => "property",
            _ => return None,
        };
        parent.child_by_field_name(field)
    });
    bound.map_or_else(|| "{closure}".to_owned(), of)
}

fn declared(mut node: Node<'_>) -> Option<Node<'_>> {
    loop {
        match node.kind() {
            "function_declarator"
            | "pointer_declarator"
            | "reference_declarator"
            | "parenthesized_declarator"
            | "array_declarator"
            | "attributed_declarator" => {
                let inner = node.child_by_field_name("declarator");
                node = inner.or_else(|| node.named_child(0))?;
            }
            _ => return Some(node),
        }
    }
}

/// Whether a function expression is bound to a name, seen from it outwards: before a block, a call or a `return`.
pub(super) fn is_bound<'t>(node: Node<'t>, mut around: impl Iterator<Item = Node<'t>>) -> bool {
    if node.child_by_field_name("name").is_some() {
        return true;
    }
    around
        .find_map(|outer| match outer.kind() {
            "variable_declarator"
            | "assignment_expression"
            | "labeled_statement"
            | "pair"
            | "field_definition"
            | "public_field_definition" => Some(true),
            "statement_block" | "return_statement" | "new_expression" | "call_expression" | "arguments" => {
                Some(false)
            }
            _ => None,
        })
        .unwrap_or(false)
}

/// The last row with something of the node: one that ends with a line ends on that line.
pub(super) fn last_row(node: Node<'_>) -> usize {
    let (start, end) = (node.start_position(), node.end_position());
    if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row }
}

/// How many parameters a function takes, without the object that it is called on.
pub(super) fn parameters(node: Node<'_>, text: &[u8]) -> u32 {
    let list = node.child_by_field_name("parameters").or_else(|| {
        let mut declarator = node.child_by_field_name("declarator")?;
        while declarator.kind() != "function_declarator" {
            declarator = declarator.child_by_field_name("declarator")?;
        }
        declarator.child_by_field_name("parameters")
    });
    let Some(list) = list else { return u32::from(node.child_by_field_name("parameter").is_some()) };
    let mut cursor = list.walk();
    let count = list.named_children(&mut cursor).filter(|child| is_parameter(*child, text)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn is_parameter(node: Node<'_>, text: &[u8]) -> bool {
    match node.kind() {
        "comment"
        | "line_comment"
        | "block_comment"
        | "self_parameter"
        | "attribute_item"
        | "receiver_parameter"
        | "keyword_separator"
        | "positional_separator" => false,
        // C's `f(void)` takes nothing.
        "parameter_declaration" => &text[node.byte_range()] != b"void",
        "identifier" => !matches!(&text[node.byte_range()], b"self" | b"cls" | b"this"),
        _ => true,
    }
}

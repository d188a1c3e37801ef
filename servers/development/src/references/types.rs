//! The type of a value, where the text names it.

use mcp_source::Language;
use mcp_source::tree_sitter::Node;

use super::occurrence::text_of;

/// Wrappers whose methods a value also has by reference: what is inside counts.
const TRANSPARENT: [&str; 6] = ["Box", "Rc", "Arc", "Optional", "Final", "ClassVar"];

/// What may stand before the name of a type.
const MARKS: [&str; 12] =
    ["&", "*", "mut ", "dyn ", "impl ", "const ", "final ", "struct ", "class ", "readonly ", "?", "\""];
/// Types that say nothing of a value.
const ANYTHING: [&str; 8] = ["any", "unknown", "object", "Any", "Object", "_", "auto", "var"];

/// The name of a written type, without references, pointers, parameters and transparent wrappers. A path stays.
pub(super) fn base(written: &str) -> Option<String> {
    let mut rest = written.trim().trim_start_matches(':').trim();
    loop {
        let before = rest;
        for mark in MARKS {
            rest = rest.strip_prefix(mark).unwrap_or(rest).trim_start();
        }
        if rest.starts_with('\'') {
            // A lifetime, or a type in quotes.
            rest = match rest.split_once(' ') {
                Some((_, after)) if !rest.ends_with('\'') => after,
                _ => &rest[1..],
            };
        }
        if rest == before {
            break;
        }
    }
    let rest = rest.trim_end_matches(['&', '*', ' ', '"', '\'', ';', '?']);
    // `X | None`, `X | undefined`.
    if let Some((first, other)) = rest.split_once('|') {
        let is_nothing = |text: &str| matches!(text.trim(), "None" | "null" | "undefined");
        return match (is_nothing(first), is_nothing(other)) {
            (false, true) => base(first),
            (true, false) => base(other),
            _ => None,
        };
    }
    let (name, parameters) = match rest.find(['<', '[']) {
        Some(at) => (&rest[..at], rest[at + 1..].trim_end_matches(['>', ']'])),
        None => (rest, ""),
    };
    let name = name.trim();
    if TRANSPARENT.contains(&name) && !parameters.contains(',') {
        return base(parameters);
    }
    let is_name = !name.is_empty()
        && !ANYTHING.contains(&name)
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':' | '$'));
    // A list of values is not one of them.
    (is_name && !rest.starts_with('[') && !rest.ends_with("[]")).then(|| name.to_owned())
}

/// The type of a value that is made on the spot.
pub(super) fn of_value(node: &Node<'_>, language: Language, text: &[u8]) -> Option<String> {
    let field = |name: &str| node.child_by_field_name(name).map(|node| text_of(&node, text));
    match (language, node.kind()) {
        (Language::Python, "call") => {
            let name = field("function")?;
            looks_like_type(name.rsplit('.').next().unwrap_or(name)).then(|| name.to_owned())
        }
        (_, "new_expression") => field("constructor").or_else(|| field("type")).and_then(base),
        (_, "object_creation_expression" | "composite_literal") => field("type").and_then(base),
        (_, "struct_expression") => field("name").and_then(base),
        (Language::Rust, "call_expression") => {
            // `Type::new(…)`: by convention a constructor makes its own type.
            let (path, name) = field("function")?.rsplit_once("::")?;
            let makes = matches!(name, "new" | "default" | "builder")
                || ["new_", "from_", "with_"].iter().any(|start| name.starts_with(start))
                || name == "from";
            let last = path.rsplit("::").next().unwrap_or(path);
            (makes && name != "builder" && looks_like_type(last)).then(|| base(path))?
        }
        (Language::Go, "unary_expression") => of_value(&node.named_child(0)?, language, text),
        (Language::Rust, "reference_expression" | "try_expression" | "await_expression")
        | (_, "parenthesized_expression" | "await") => of_value(&node.named_child(0)?, language, text),
        (_, "as_expression" | "satisfies_expression") => {
            node.named_child(1).and_then(|of| base(text_of(&of, text)))
        }
        _ => None,
    }
}

/// Whether a name is written as types are.
pub(super) fn looks_like_type(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_type_is_taken_out_of_what_is_around_it() {
        for (written, name) in [
            ("&mut Parser", Some("Parser")),
            ("&'a Parser<'a>", Some("Parser")),
            ("Box<dyn Visitor>", Some("Visitor")),
            ("Vec<Parser>", Some("Vec")),
            (": Promise<Parser>", Some("Promise")),
            ("*pkg.Server", Some("pkg.Server")),
            ("Parser | None", Some("Parser")),
            ("Optional[Parser]", Some("Parser")),
            ("A | B", None),
            ("[]Parser", None),
            ("Parser[]", None),
            ("(A, B)", None),
            ("const Parser &", Some("Parser")),
            ("crate::a::Parser", Some("crate::a::Parser")),
            ("\"Parser\"", Some("Parser")),
        ] {
            assert_eq!(base(written).as_deref(), name, "{written}");
        }
    }
}

//! An outline of the commands that tree-sitter reads: enough to compare with the other parser.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use crate::analysis::limits::MAX_DEPTH;
use crate::analysis::syntax::brush::PROCESS;
use crate::analysis::syntax::word::Refusal;

thread_local! {
    /// Making a parser costs more than parsing a line with it.
    static PARSER: RefCell<Option<Parser>> = const { RefCell::new(None) };
}

/// How often the parser may report progress before it is stopped. It reports after a fixed number of steps,
/// so that the same input is always treated the same way.
const MAX_REPORTS: usize = 20_000;
/// Nodes of the tree for each level of commands: list, statement, word, substitution …
const NODES_PER_LEVEL: usize = 8;

/// The commands of a text as one parser sees them, without order.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The words of each simple command, joined so that no two lists look alike.
    pub(crate) commands: Vec<String>,
    /// The targets of redirections.
    pub(crate) targets: Vec<String>,
    /// A word whose quotes are read in two ways.
    pub(crate) misread: Option<String>,
}

/// What separates words in [`Outline::commands`].
pub(crate) const SEPARATOR: char = '\u{1f}';

/// Reads a command.
pub(crate) fn outline(command: &str) -> Result<Outline, Refusal> {
    let tree = tree(command)?;
    if tree.root_node().has_error() {
        return Err(Refusal::new("It is not shell source that the first parser understands."));
    }
    let mut outline = Outline::default();
    visit(tree.root_node(), command, 0, &mut outline)?;
    Ok(outline)
}

/// The tree of a command, or why there is none.
pub(crate) fn tree(command: &str) -> Result<Tree, Refusal> {
    PARSER.with_borrow_mut(|slot| {
        let parser = match slot {
            Some(parser) => parser,
            None => {
                let mut parser = Parser::new();
                parser
                    .set_language(&tree_sitter_bash::LANGUAGE.into())
                    .map_err(|error| Refusal(format!("The grammar does not fit the parser: {error}.")))?;
                slot.insert(parser)
            }
        };
        let mut reports = 0_usize;
        let mut progress = |_: &tree_sitter::ParseState| {
            reports += 1;
            if reports > MAX_REPORTS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let readable = readable(command);
        let bytes = readable.as_bytes();
        let tree = parser.parse_with_options(
            &mut |at, _| bytes.get(at..).unwrap_or_default(),
            None,
            Some(ParseOptions::new().progress_callback(&mut progress)),
        );
        if tree.is_none() {
            parser.reset();
        }
        tree.ok_or_else(|| Refusal::new("It takes too many steps to parse."))
    })
}

/// The command with letters in place of the characters that the grammar's scanner cannot take.
///
/// Where a range such as `{1..9}` may begin, it asks `isdigit` of every character, which reads memory beyond
/// a table for those above U+00FF: a crash that any caller could cause. Each is replaced by as many letters as
/// it has bytes, so that places stay the same; words are cut from the command itself.
fn readable(command: &str) -> Cow<'_, str> {
    if command.is_ascii() {
        return Cow::Borrowed(command);
    }
    let mut text = String::with_capacity(command.len());
    let mut is_asked = false;
    for character in command.chars() {
        if is_asked && !character.is_ascii() {
            text.extend(std::iter::repeat_n('x', character.len_utf8()));
        } else {
            text.push(character);
        }
        is_asked = matches!(character, '{' | '.') || is_asked && character.is_ascii_digit();
    }
    Cow::Owned(text)
}

fn visit(node: Node<'_>, source: &str, depth: usize, out: &mut Outline) -> Result<(), Refusal> {
    if depth > MAX_DEPTH * NODES_PER_LEVEL {
        return Err(Refusal(format!("Commands are nested more than {MAX_DEPTH} deep.")));
    }
    match node.kind() {
        "command" | "declaration_command" | "unset_command" => out.commands.push(command(node, source)),
        "variable_assignment" if stands_alone(node) => {
            out.commands.push(normal(text(node, source)));
        }
        "test_command" if text(node, source).starts_with('[') && !text(node, source).starts_with("[[") => {
            out.commands.push(text(node, source).chars().filter(|c| !c.is_whitespace()).collect());
        }
        "file_redirect" | "herestring_redirect" => {
            if let Some(target) = parts(node).first() {
                out.targets.push(word(*target, source));
            }
        }
        _ => {}
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        if child.is_named() {
            visit(child, source, depth + 1, out)?;
        }
    }
    Ok(())
}

fn text<'a>(node: Node<'_>, source: &'a str) -> &'a str {
    source.get(node.byte_range()).unwrap_or_default()
}

/// Whether an assignment is a command of its own and not the prefix or argument of one.
fn stands_alone(node: Node<'_>) -> bool {
    node.parent().is_none_or(|parent| {
        !matches!(
            parent.kind(),
            "command"
                | "declaration_command"
                | "variable_assignment"
                | "binary_expression"
                | "parenthesized_expression"
                | "c_style_for_statement"
                | "arithmetic_expansion"
        )
    })
}

fn command(node: Node<'_>, source: &str) -> String {
    let mut list = Vec::new();
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        match child.kind() {
            "herestring_redirect" | "heredoc_redirect" | "comment" => {}
            "file_redirect" => list.extend(parts(child).into_iter().skip(1).map(|part| word(part, source))),
            _ => list.push(word(child, source)),
        }
    }
    list.extend(words_after_redirects(node, source));
    let mut words = list.join(&SEPARATOR.to_string());
    // A reserved word of bash, which this grammar takes for a program.
    for reserved in ["time", "-p"] {
        if let Some(rest) = words.strip_prefix(reserved).and_then(|rest| rest.strip_prefix(SEPARATOR)) {
            words = rest.to_owned();
        } else {
            break;
        }
    }
    words
}

fn word(node: Node<'_>, source: &str) -> String {
    let inner = if node.kind() == "command_name" { node.child(0).unwrap_or(node) } else { node };
    if inner.kind() == "process_substitution" { PROCESS.to_owned() } else { normal(text(inner, source)) }
}

/// The parts of a redirection without its descriptor: the target, then words that follow it. This grammar
/// counts them as further targets, but they belong to the command in front.
fn parts(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "file_descriptor").collect()
}

/// Words of a command that stand after a redirection which the grammar gives to what encloses the command.
fn words_after_redirects(command: Node<'_>, source: &str) -> Vec<String> {
    let mut inner = command;
    while let Some(parent) = inner.parent() {
        let count = u32::try_from(parent.named_child_count()).unwrap_or(0);
        let last = count.checked_sub(1).and_then(|last| parent.named_child(last));
        match parent.kind() {
            "pipeline" | "list" if last == Some(inner) => inner = parent,
            "redirected_statement" if parent.named_child(0) == Some(inner) => {
                let mut cursor = parent.walk();
                let redirects: Vec<Node<'_>> = parent
                    .named_children(&mut cursor)
                    .filter(|child| child.kind() == "file_redirect")
                    .collect();
                return redirects
                    .into_iter()
                    .flat_map(|redirect| parts(redirect).into_iter().skip(1))
                    .map(|part| word(part, source))
                    .collect();
            }
            _ => break,
        }
    }
    Vec::new()
}

/// A word in the form in which both parsers give it: without joined lines, and arrays without the spaces
/// that one of them drops.
pub(crate) fn normal(raw: &str) -> String {
    let array = raw.find("=(").is_some_and(|at| !raw[..at].contains(['\'', '"', '$', '`']));
    if array {
        return raw.chars().filter(|c| !c.is_whitespace()).collect();
    }
    if raw.contains("\\\n") { raw.replace("\\\n", "") } else { raw.to_owned() }
}

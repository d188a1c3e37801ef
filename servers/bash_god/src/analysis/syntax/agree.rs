//! Whether two parsers read the same commands.

use crate::analysis::syntax::brush;
use crate::analysis::syntax::script::{Node, Redirect, RedirectKind, Script, Simple, Word};
use crate::analysis::syntax::sitter::{Outline, SEPARATOR, normal};
use crate::analysis::syntax::word::Refusal;

/// Refuses unless the outline names the same commands and redirection targets as the script.
pub(crate) fn check(mut outline: Outline, script: &Script) -> Result<(), Refusal> {
    let mut other = Outline::default();
    self::script(script, &mut other);
    for list in [&mut outline.commands, &mut outline.targets, &mut other.commands, &mut other.targets] {
        list.sort_unstable();
    }
    let pairs = [(&outline.commands, &other.commands), (&outline.targets, &other.targets)];
    for (first, second) in pairs {
        if first != second {
            let shown = first
                .iter()
                .find(|item| !second.contains(item))
                .or_else(|| second.iter().find(|item| !first.contains(item)))
                .or(first.first())
                .map_or(String::new(), |item| item.replace(SEPARATOR, " "));
            return Err(Refusal(format!("Two parsers read different commands at `{shown}`.")));
        }
    }
    match other.misread {
        Some(word) => Err(Refusal(format!("The quotes in `{word}` are read in two ways."))),
        None => Ok(()),
    }
}

/// Notes a word from which the second parser takes the quotes away in another way than the analysis does.
fn compare_quotes(word: &Word, out: &mut Outline) {
    if word.raw.contains(['\'', '"', '\\'])
        && let (Some(mine), Some(theirs)) = (word.fixed(), brush::unquoted(&word.raw))
        && mine != theirs
    {
        out.misread.get_or_insert_with(|| word.raw.clone());
    }
}

fn script(script: &Script, out: &mut Outline) {
    for (item, _) in &script.items {
        node(item, out);
    }
}

fn node(item: &Node, out: &mut Outline) {
    match item {
        Node::Simple(command) => simple(command, out),
        Node::Pipeline(parts) => parts.iter().for_each(|part| node(part, out)),
        Node::Group(body) | Node::Subshell(body) => script(body, out),
        Node::If { condition, branches } => {
            script(condition, out);
            branches.iter().for_each(|branch| script(branch, out));
        }
        Node::Loop { condition, body } => {
            script(condition, out);
            script(body, out);
        }
        Node::For { values, body, .. } => {
            values.iter().flatten().for_each(|value| inside(value, out));
            script(body, out);
        }
        Node::ArithmeticFor { expressions, body } => {
            expressions.iter().for_each(|part| scripts(part, out));
            script(body, out);
        }
        Node::Case { value, branches } => {
            inside(value, out);
            for (patterns, body) in branches {
                patterns.iter().for_each(|pattern| inside(pattern, out));
                script(body, out);
            }
        }
        Node::Function { body, .. } => node(body, out),
        Node::Test(operands) => operands.iter().for_each(|(operand, _)| inside(operand, out)),
        Node::Arithmetic(expression) => scripts(expression, out),
        Node::Coprocess(body) => node(body, out),
        Node::Redirected(body, redirects) => {
            node(body, out);
            redirects.iter().for_each(|redirect| target(redirect, out));
        }
    }
}

/// The scripts inside a word, and whether its quotes are read alike.
fn inside(word: &Word, out: &mut Outline) {
    compare_quotes(word, out);
    scripts(word, out);
}

/// The scripts inside a text whose quotes mean themselves, or inside a word.
fn scripts(word: &Word, out: &mut Outline) {
    let mut found = Vec::new();
    word.scripts(&mut found);
    found.into_iter().for_each(|inner| script(inner, out));
}

fn simple(command: &Simple, out: &mut Outline) {
    let words: Vec<String> = command
        .assignments
        .iter()
        .map(|assignment| &assignment.raw)
        .chain(command.words.iter().map(|word| &word.raw))
        .map(|raw| normal(raw))
        .collect();
    match command.words.first() {
        // The first parser gives each assignment without a command as a command.
        None => out.commands.extend(words),
        Some(first) if first.raw == "[" => out.commands.push(words.concat().replace(char::is_whitespace, "")),
        Some(_) => out.commands.push(words.join(&SEPARATOR.to_string())),
    }
    for assignment in &command.assignments {
        assignment.value.iter().chain(&assignment.elements).for_each(|word| inside(word, out));
    }
    command.words.iter().for_each(|word| inside(word, out));
    command.redirects.iter().for_each(|redirect| target(redirect, out));
}

fn target(redirect: &Redirect, out: &mut Outline) {
    match redirect.kind {
        RedirectKind::HereDocument => {}
        RedirectKind::Read
        | RedirectKind::Write
        | RedirectKind::ReadWrite
        | RedirectKind::Duplicate
        | RedirectKind::HereString => out.targets.push(normal(&redirect.target.raw)),
    }
    if redirect.kind == RedirectKind::HereDocument {
        return scripts(&redirect.target, out);
    }
    inside(&redirect.target, out);
}

//! What can be seen in a tree before it is walked over.

use crate::analysis::expand::{self, Arg};
use crate::analysis::scope::Scope;
use crate::analysis::syntax::script::{Assignment, Node, Script, Simple, Word};

/// Whether a command ends the shell, function or loop that it stands in.
pub(crate) fn leaves(node: &Node) -> bool {
    let Node::Simple(simple) = node else {
        return matches!(node, Node::Group(body) if body.items.last().is_some_and(|(last, _)| leaves(last)));
    };
    let name = simple.words.first().and_then(Word::fixed);
    name.is_some_and(|name| matches!(name.as_str(), "exit" | "return" | "break" | "continue"))
}

/// The text that a command prints, if it is `echo` or `printf` with known words.
pub(crate) fn constant_output(node: &Node, scope: &Scope) -> Option<String> {
    let Node::Simple(simple) = node else { return None };
    if !simple.redirects.is_empty() || scope.names_changed {
        return None;
    }
    let args: Vec<Arg> = simple.words.iter().flat_map(|word| expand::arguments(word, scope)).collect();
    let words = args.iter().map(Arg::as_literal).collect::<Option<Vec<&str>>>()?;
    match words[..] {
        ["echo", ref rest @ ..] => {
            let from = rest.iter().take_while(|word| **word == "-n").count();
            let text = rest[from..].join(" ");
            (!(rest.get(from).is_some_and(|word| word.starts_with('-')) || text.contains('\\')))
                .then_some(text)
        }
        ["printf", "%s" | "%s\n" | "%s\\n", text] => Some(text.to_owned()),
        ["printf", text] if !text.contains('%') && !text.replace("\\n", "").contains('\\') => {
            Some(text.replace("\\n", "\n"))
        }
        _ => None,
    }
}

/// Collects the variables that a script sets; true if it may set any.
pub(crate) fn assigned(script: &Script, out: &mut Vec<String>) -> bool {
    script.items.iter().any(|(node, _)| assigned_by(node, out))
}

/// Stands for the working directory among the names of variables.
pub(crate) const DIRECTORY: &str = "PWD";

/// Collects the variables that the words of a command name; true if they may name any.
fn named(simple: &Simple, out: &mut Vec<String>) -> bool {
    out.push("REPLY".to_owned());
    simple.words[1..].iter().any(|word| {
        let name = word.raw.split(['=', '+']).next().unwrap_or_default();
        out.push(name.to_owned());
        name.contains(['$', '`', '"', '\'', '\\', '{', '['])
    })
}

fn assigned_by(node: &Node, out: &mut Vec<String>) -> bool {
    match node {
        Node::Simple(simple) => {
            out.extend(simple.assignments.iter().map(|assignment: &Assignment| assignment.name.clone()));
            let Some(name) = simple.words.first() else { return false };
            match name.fixed().as_deref() {
                // What these run, and what a name that is not known stands for, may set anything.
                None | Some("eval" | "source" | "." | "let" | "getopts") => true,
                Some("cd" | "pushd" | "popd") => {
                    out.push(DIRECTORY.to_owned());
                    false
                }
                Some("printf") if simple.words.get(1).is_none_or(|word| !word.raw.starts_with("-v")) => false,
                Some("read" | "mapfile" | "readarray" | "printf" | "unset") => named(simple, out),
                Some("export" | "declare" | "typeset" | "local" | "readonly") => named(simple, out),
                Some(_) => false,
            }
        }
        Node::Pipeline(_) | Node::Subshell(_) | Node::Coprocess(_) => false,
        Node::Test(_) | Node::Arithmetic(_) => false,
        Node::Function { .. } => true,
        Node::Group(body) => assigned(body, out),
        Node::If { condition, branches } => {
            let first = assigned(condition, out);
            branches.iter().fold(first, |any, branch| assigned(branch, out) || any)
        }
        Node::Loop { condition, body } => {
            let first = assigned(condition, out);
            assigned(body, out) || first
        }
        Node::For { variable, body, .. } => {
            out.push(variable.clone());
            assigned(body, out)
        }
        Node::ArithmeticFor { body, .. } => assigned(body, out),
        Node::Case { branches, .. } => {
            branches.iter().fold(false, |any, (_, body)| assigned(body, out) || any)
        }
        Node::Redirected(body, _) => assigned_by(body, out),
    }
}

/// Counts how often a body names a command.
pub(crate) fn count_calls(node: &Node, name: &str, count: &mut usize) {
    let mut each = |script: &Script| script.items.iter().for_each(|(node, _)| count_calls(node, name, count));
    match node {
        Node::Simple(simple) => {
            *count += usize::from(simple.words.first().is_some_and(|word| word.raw == name));
        }
        Node::Pipeline(parts) => parts.iter().for_each(|part| count_calls(part, name, count)),
        Node::Group(body) | Node::Subshell(body) => each(body),
        Node::If { condition, branches } => {
            each(condition);
            branches.iter().for_each(each);
        }
        Node::Loop { condition, body } => {
            each(condition);
            each(body);
        }
        Node::For { body, .. } | Node::ArithmeticFor { body, .. } => each(body),
        Node::Case { branches, .. } => branches.iter().for_each(|(_, body)| each(body)),
        Node::Function { body, .. } | Node::Coprocess(body) | Node::Redirected(body, _) => {
            count_calls(body, name, count);
        }
        Node::Test(_) | Node::Arithmetic(_) => {}
    }
}

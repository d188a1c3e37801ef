//! The source as pipelines of commands, each part with its place in the text.

use std::ops::Range;

use tree_sitter::Node;

use crate::analysis::syntax::brush;
use crate::analysis::syntax::script::Unit;
use crate::analysis::syntax::sitter;
use crate::optimize::Locale;

/// A text and the pipelines in it.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) locale: Locale,
    pub(crate) pipes: Vec<Pipe>,
    /// Whether the text may look at how the stages of a pipeline ended.
    pub(crate) sees_stages: bool,
}

/// Commands joined with `|`, or one alone.
pub(crate) struct Pipe {
    pub(crate) stages: Vec<Stage>,
    /// Whether something in the text depends on how it ends.
    pub(crate) is_judged: bool,
}

/// A command of a pipeline.
pub(crate) struct Stage {
    /// All of it, with its redirections.
    pub(crate) span: Range<usize>,
    /// From its name to its last argument; empty for anything but a simple command.
    pub(crate) words: Vec<Word>,
    /// Whether it has nothing but words.
    pub(crate) is_plain: bool,
    /// Whether it has nothing but words, and behind them where its input comes from.
    pub(crate) only_reads: bool,
    /// Whether it takes its input from elsewhere than the pipe.
    pub(crate) reads_elsewhere: bool,
}

/// A word of a command.
pub(crate) struct Word {
    pub(crate) span: Range<usize>,
    pub(crate) raw: String,
    /// The text that it stands for, if it stands for just one that is known.
    pub(crate) literal: Option<String>,
}

impl Stage {
    /// The name of its program, if it is a simple command whose name is known.
    pub(crate) fn name(&self) -> &str {
        self.words.first().and_then(|word| word.literal.as_deref()).unwrap_or_default()
    }

    /// Its arguments.
    pub(crate) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The literal texts of its arguments, if all are known.
    pub(crate) fn literals(&self) -> Option<Vec<&str>> {
        self.arguments().iter().map(|word| word.literal.as_deref()).collect()
    }

    /// Where its words end.
    pub(crate) fn words_end(&self) -> usize {
        self.words.last().map_or(self.span.end, |word| word.span.end)
    }
}

impl<'a> Source<'a> {
    /// Reads a text that both parsers understand; `None` where it holds what no rule can work around.
    pub(crate) fn read(text: &'a str, locale: Locale) -> Option<Self> {
        let tree = sitter::tree(text).ok()?;
        // The text of a here-document is not where the command is that reads it; a comment may stand anywhere.
        if tree.root_node().has_error() || holds(tree.root_node(), &["heredoc_redirect", "comment"]) {
            return None;
        }
        let sees_stages = ["pipefail", "PIPESTATUS", "errexit", "set -e", "$?", "trap"]
            .iter()
            .any(|word| text.contains(word));
        let mut source = Self { text, locale, pipes: Vec::new(), sees_stages };
        source.collect(tree.root_node());
        Some(source)
    }

    fn collect(&mut self, node: Node<'_>) {
        let pipe = match node.kind() {
            "pipeline" => self.pipeline(node),
            "command" if !is_stage(node) => self.stage(node).map(|stage| vec![stage]),
            "redirected_statement"
                if !is_stage(node) && body(node).is_some_and(|body| body.kind() == "command") =>
            {
                self.stage(node).map(|stage| vec![stage])
            }
            _ => None,
        };
        if let Some(stages) = pipe {
            self.pipes.push(Pipe { stages, is_judged: is_judged(node) });
        }
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.collect(child);
        }
    }

    fn pipeline(&self, node: Node<'_>) -> Option<Vec<Stage>> {
        let mut stages = Vec::new();
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            match (child.is_named(), child.kind()) {
                (false, "|") => {}
                // `|&` joins the errors too.
                (false, _) => return None,
                (true, _) => stages.push(self.stage(child)?),
            }
        }
        // Nothing but one bar between two stages.
        let joined = |pair: &[Stage]| self.text[pair[0].span.end..pair[1].span.start].trim() == "|";
        // The redirections at its end are those of its last stage.
        let around = node.parent().filter(|parent| parent.kind() == "redirected_statement");
        if let (Some(last), true) = (stages.last_mut(), around.is_some_and(|around| self.has_input(around))) {
            last.reads_elsewhere = true;
        }
        stages.windows(2).all(joined).then_some(stages)
    }

    /// A stage of any kind; `None` where its parts are not understood.
    fn stage(&self, node: Node<'_>) -> Option<Stage> {
        let mut stage = Stage {
            span: node.byte_range(),
            words: Vec::new(),
            is_plain: false,
            only_reads: false,
            reads_elsewhere: false,
        };
        let command = match node.kind() {
            "command" => node,
            "redirected_statement" => {
                stage.reads_elsewhere = self.has_input(node);
                match body(node) {
                    Some(inner) if inner.kind() == "command" => inner,
                    _ => return Some(stage),
                }
            }
            _ => return Some(stage),
        };
        stage.is_plain = command == node;
        stage.reads_elsewhere |= self.has_input(command);
        let mut cursor = command.walk();
        for part in command.named_children(&mut cursor) {
            match part.kind() {
                "variable_assignment" | "file_redirect" | "herestring_redirect" => stage.is_plain = false,
                _ => stage.words.push(self.word(part)?),
            }
        }
        let first = stage.words.first()?.span.start;
        // Assignments and redirections before the name: the words are not the start of the command.
        stage.is_plain &= first == command.start_byte();
        let rest = &self.text[stage.words_end()..stage.span.end];
        stage.only_reads = first == node.start_byte() && stage.reads_elsewhere && !rest.contains(['>', '&']);
        Some(stage)
    }

    fn has_input(&self, node: Node<'_>) -> bool {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).any(|child| {
            child.kind() == "herestring_redirect"
                || child.kind() == "file_redirect" && self.text[child.byte_range()].contains('<')
        })
    }

    fn word(&self, node: Node<'_>) -> Option<Word> {
        let raw = self.text.get(node.byte_range())?;
        let word = brush::word(raw).ok()?;
        let keeps = |unit: &Unit| match unit {
            Unit::Plain(c) => (!"*?[]{}~!()".contains(*c)).then_some(*c),
            Unit::Quoted(c) => Some(*c),
            Unit::Parameter(_) | Unit::Command(..) | Unit::Process(_) | Unit::Arithmetic(_) => None,
        };
        // `{}` alone is not a brace expansion.
        let literal = if raw == "{}" {
            Some(raw.to_owned())
        } else {
            word.units.iter().map(keeps).collect::<Option<String>>()
        };
        Some(Word { span: node.byte_range(), raw: raw.to_owned(), literal })
    }
}

fn body(node: Node<'_>) -> Option<Node<'_>> {
    node.child_by_field_name("body")
}

/// Whether a node is looked at as part of the one around it: a stage, or the command of a redirection.
fn is_stage(node: Node<'_>) -> bool {
    node.parent().is_some_and(|parent| {
        parent.kind() == "pipeline" || parent.kind() == "redirected_statement" && node.kind() == "command"
    })
}

fn holds(node: Node<'_>, kinds: &[&str]) -> bool {
    let mut cursor = node.walk();
    kinds.contains(&node.kind()) || node.named_children(&mut cursor).any(|child| holds(child, kinds))
}

/// Whether something depends on how a pipeline ends: `&&`, `||`, `!`, a condition.
fn is_judged(node: Node<'_>) -> bool {
    let mut at = node.parent();
    while let Some(parent) = at {
        match parent.kind() {
            "program"
            | "pipeline"
            | "redirected_statement"
            | "command_substitution"
            | "process_substitution"
            | "string"
            | "concatenation"
            | "variable_assignment"
            | "file_redirect"
            | "command"
            | "command_name"
            | "herestring_redirect"
            | "do_group"
            | "for_statement" => {}
            _ => return true,
        }
        at = parent.parent();
    }
    false
}

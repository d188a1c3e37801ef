//! One walk over a syntax tree, in which all metrics are counted.

use std::hash::BuildHasher;

use mcp_source::Language;
use mcp_source::tree_sitter::{Node, Tree, TreeCursor};
use rustc_hash::FxBuildHasher;

use crate::metrics::halstead::{Words, maintainability};
use crate::metrics::kinds::{self, Decision, Kinds, Scope, Token, Weight};
use crate::metrics::{FileMetrics, FunctionMetrics, Kind, names, python};

pub(super) fn measure(language: Language, tree: &Tree, text: &[u8]) -> FileMetrics {
    let mut walk = Walk {
        language,
        kinds: kinds::of(language),
        text,
        path: Vec::new(),
        scopes: Vec::new(),
        mute: 0,
        lines: LineKinds::new(text),
        found: Vec::new(),
        is_whole: true,
    };
    walk.tree(tree);
    let (code_lines, comment_lines) = walk.lines.count();
    let mut found = walk.found;
    found.sort_by_key(|(start, _)| *start);
    let functions = found.into_iter().map(|(_, function)| function).collect();
    FileMetrics {
        functions,
        lines: u32::try_from(walk.lines.kinds.len()).unwrap_or(u32::MAX),
        code_lines,
        comment_lines,
        is_partial: tree.root_node().has_error() || !walk.is_whole,
    }
}

/// How deep a node lies, as the cognitive complexity counts it.
#[derive(Clone, Copy, Default)]
struct Level {
    structures: u32,
    functions: u32,
    closures: u32,
    /// For the depth that is shown.
    shown: u32,
}

impl Level {
    fn total(self) -> u32 {
        self.structures + self.functions + self.closures
    }
}

/// A node that is being walked through.
struct Step<'t> {
    node: Node<'t>,
    /// The level of what is inside.
    level: Level,
    opens: bool,
    mutes: bool,
}

/// A function, class or closure that is being walked through.
struct Open<'t> {
    node: Node<'t>,
    kind: Scope,
    cyclomatic: u32,
    cognitive: u32,
    nesting: u32,
    words: Words,
    /// The run of operators that goes on: its operator, and where the expression ends.
    run: Option<(u8, usize)>,
    /// The level at which it begins, for the depth that is shown.
    shown: u32,
    name: String,
}

struct Walk<'t, 'k> {
    language: Language,
    kinds: &'k Kinds,
    text: &'t [u8],
    path: Vec<Step<'t>>,
    scopes: Vec<Open<'t>>,
    mute: u32,
    lines: LineKinds,
    /// With the bytes at which they begin.
    found: Vec<(usize, FunctionMetrics)>,
    /// Whether all of it was followed.
    is_whole: bool,
}

impl<'t> Walk<'t, '_> {
    fn tree(&mut self, tree: &'t Tree) {
        let mut cursor: TreeCursor<'t> = tree.walk();
        loop {
            let is_comment = self.enter(cursor.node());
            if !is_comment && cursor.goto_first_child() {
                continue;
            }
            loop {
                self.leave();
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Counts a node; whether it is a comment, whose parts say nothing.
    fn enter(&mut self, node: Node<'t>) -> bool {
        let kind = usize::from(node.kind_id());
        let table = self.kinds;
        // Nodes of errors have a number beyond the table.
        let scope = table.scope.get(kind).copied().map_or(Scope::None, |scope| self.scope(scope, node));
        if scope != Scope::None {
            self.open(node, scope);
        }
        let mut level = self.path.last().map_or_else(Level::default, |step| step.level);
        if self.mute == 0 {
            if let Some(decision) = table.decision.get(kind).filter(|one| **one != Decision::None) {
                self.decide(*decision, node);
            }
            if let Some(weight) = table.weight.get(kind).filter(|one| **one != Weight::None) {
                self.weigh(*weight, node, &mut level);
            }
        }
        if table.nests.get(kind).copied().unwrap_or_default() && !self.goes_on_from_else(node) {
            level.shown += 1;
            if let Some(open) = self.function() {
                open.nesting = open.nesting.max(level.shown - open.shown);
            }
        }
        let mutes = table.is_mute.get(kind).copied().unwrap_or_default();
        self.mute += u32::from(mutes);
        let is_comment = table.is_comment.get(kind).copied().unwrap_or_default();
        if is_comment {
            self.lines.comment(node);
        } else if node.child_count() == 0 {
            self.token(node, kind);
        }
        self.path.push(Step { node, level, opens: scope != Scope::None, mutes });
        is_comment
    }

    fn leave(&mut self) {
        let Some(step) = self.path.pop() else { return };
        self.mute -= u32::from(step.mutes);
        if !step.opens {
            return;
        }
        let Some(open) = self.scopes.pop() else { return };
        if let Some(around) = self.scopes.last_mut() {
            around.words.merge(&open.words);
        }
        if open.kind != Scope::Type {
            let start = open.node.start_byte();
            let metrics = self.finish(open);
            self.found.push((start, metrics));
        }
    }

    /// What a node opens, where its form matters too.
    fn scope(&self, scope: Scope, node: Node<'t>) -> Scope {
        let has_body = || node.child_by_field_name("body").is_some();
        match (self.language, node.kind()) {
            (Language::Cpp, "class_specifier" | "struct_specifier") if has_body() => Scope::Type,
            (Language::Java, "object_creation_expression") => {
                let mut cursor = node.walk();
                let has_class = node.children(&mut cursor).any(|child| child.kind() == "class_body");
                if has_class { Scope::Type } else { Scope::None }
            }
            _ => scope,
        }
    }

    fn open(&mut self, node: Node<'t>, kind: Scope) {
        let own = names::own(self.language, node, self.path.last().map(|step| step.node), self.text);
        let separator = self.language.separator();
        let name = match self.scopes.last() {
            Some(around) if !around.name.is_empty() => format!("{}{separator}{own}", around.name),
            _ => own,
        };
        let shown = self.path.last().map_or(0, |step| step.level.shown);
        let (cyclomatic, words) = (1, Words::default());
        self.scopes.push(Open {
            node,
            kind,
            cyclomatic,
            cognitive: 0,
            nesting: 0,
            words,
            run: None,
            shown,
            name,
        });
    }

    /// The function whose code this is, where it is one's.
    fn function(&mut self) -> Option<&mut Open<'t>> {
        self.scopes.last_mut()
    }

    fn parent(&self) -> Option<Node<'t>> {
        self.path.last().map(|step| step.node)
    }

    fn parent_kind(&self) -> &'t str {
        self.parent().map_or("", |parent| parent.kind())
    }

    fn decide(&mut self, decision: Decision, node: Node<'t>) {
        let count = match decision {
            Decision::None => 0,
            Decision::One => 1,
            Decision::MatchArm => u32::from(!is_rest(node, self.text)),
            Decision::WithAlternative => u32::from(node.child_by_field_name("alternative").is_some()),
            Decision::Applied => {
                let is_fold = |parent: Node<'_>| {
                    parent.child_by_field_name("operator").is_some_and(|operator| operator == node)
                };
                u32::from(match self.parent() {
                    Some(parent) if parent.kind() == "binary_expression" => true,
                    Some(parent) if parent.kind() == "fold_expression" => is_fold(parent),
                    _ => false,
                })
            }
            Decision::ElseOfLoop => {
                u32::from(matches!(self.parent_kind(), "for_statement" | "while_statement" | "try_statement"))
            }
            Decision::FilterOfComprehension => u32::from(self.parent_kind() != "case_clause"),
            Decision::Cases => python::cases(node, self.text),
        };
        if let Some(open) = self.function() {
            open.cyclomatic += count;
        }
    }

    fn weigh(&mut self, weight: Weight, node: Node<'t>, level: &mut Level) {
        match weight {
            Weight::None => {}
            Weight::Nests => self.nest(level),
            Weight::NestsUnlessElse if self.goes_on_from_else(node) => {}
            Weight::NestsUnlessElse => self.nest(level),
            Weight::NestsWithAlternative if node.child_by_field_name("alternative").is_some() => {
                self.nest(level)
            }
            Weight::NestsWithAlternative => {}
            Weight::One => self.add(1),
            Weight::Else => self.add(u32::from(self.parent_kind() != "let_declaration")),
            Weight::Jump => self.add(u32::from(names_label(node))),
            Weight::Booleans => self.run(node),
            Weight::EndsRun => {
                if let Some(open) = self.function() {
                    open.run = None;
                }
            }
            Weight::BoundFunction if !names::is_bound(node, self.path.iter().rev().map(|step| step.node)) => {
            }
            Weight::Function | Weight::BoundFunction => {
                let is_inside = self.path.iter().any(|step| self.is_function(step.node));
                *level = Level {
                    structures: 0,
                    closures: 0,
                    functions: level.functions + u32::from(is_inside),
                    shown: level.shown,
                };
            }
            Weight::Closure => level.closures += 1,
        }
    }

    fn is_function(&self, node: Node<'_>) -> bool {
        let script = matches!(self.language, Language::TypeScript | Language::Tsx | Language::JavaScript);
        match self.kinds.scope.get(usize::from(node.kind_id())) {
            Some(Scope::Function) => true,
            Some(Scope::Closure) => script,
            _ => false,
        }
    }

    fn add(&mut self, count: u32) {
        if let Some(open) = self.function() {
            open.cognitive += count;
        }
    }

    fn nest(&mut self, level: &mut Level) {
        self.add(1 + level.total());
        level.structures += 1;
        if let Some(open) = self.function() {
            open.run = None;
        }
    }

    /// Whether an `if` is that of an `else if`.
    fn goes_on_from_else(&self, node: Node<'t>) -> bool {
        match self.language {
            Language::Rust | Language::C | Language::Cpp => self.parent_kind() == "else_clause",
            Language::TypeScript | Language::Tsx | Language::JavaScript => {
                self.parent_kind() == "else_clause"
            }
            // The initialiser and the condition cannot hold one.
            Language::Go => node.kind() == "if_statement" && self.parent_kind() == "if_statement",
            Language::Java => {
                node.kind() == "if_statement"
                    && node.prev_sibling().is_some_and(|before| before.kind() == "else")
            }
            Language::Python => false,
        }
    }

    /// The operators of an expression: one for each that does not go on with the run around it.
    fn run(&mut self, node: Node<'t>) {
        let mut cursor = node.walk();
        let end = node.end_byte();
        for child in node.children(&mut cursor) {
            let operator = self.kinds.operator.get(usize::from(child.kind_id())).copied().unwrap_or_default();
            let Some(open) = self.scopes.last_mut().filter(|_| operator != 0) else { continue };
            if open.run.is_none_or(|(before, around)| before != operator || end > around) {
                open.run = Some((operator, end));
                open.cognitive += 1;
            }
        }
    }

    fn token(&mut self, node: Node<'t>, kind: usize) {
        if node.start_byte() == node.end_byte() {
            return;
        }
        self.lines.code(node);
        let Some(open) = self.scopes.last_mut() else { return };
        match self.kinds.token.get(kind).copied().unwrap_or_default() {
            Token::Operator => open.words.operator(node.kind_id()),
            Token::Operand => open.words.operand(FxBuildHasher.hash_one(&self.text[node.byte_range()])),
            Token::Nothing => {}
        }
    }

    fn finish(&mut self, open: Open<'t>) -> FunctionMetrics {
        let node = open.node;
        let line = |row: usize| u32::try_from(row).unwrap_or(u32::MAX).saturating_add(1);
        let (first, last) = (node.start_position().row, names::last_row(node));
        let code_lines = self.lines.code_within(first, last);
        let halstead = open.words.measures();
        let cognitive = match self.language {
            Language::Python => {
                let (cognitive, is_whole) = python::cognitive(node, self.text);
                self.is_whole &= is_whole;
                cognitive
            }
            _ => open.cognitive,
        };
        FunctionMetrics {
            name: open.name,
            kind: if open.kind == Scope::Closure { Kind::Closure } else { Kind::Function },
            first_line: line(first),
            last_line: line(last),
            cyclomatic: open.cyclomatic,
            cognitive,
            nesting: open.nesting,
            code_lines,
            parameters: names::parameters(node, self.text),
            halstead,
            maintainability: maintainability(halstead.volume, open.cyclomatic, code_lines),
        }
    }
}

/// Whether an arm of `match` takes whatever is left: `_` without a condition.
fn is_rest(arm: Node<'_>, text: &[u8]) -> bool {
    arm.child_by_field_name("pattern").is_some_and(|pattern| {
        let pattern = text[pattern.byte_range()].trim_ascii();
        pattern.strip_prefix(b"|").unwrap_or(pattern).trim_ascii() == b"_"
    })
}

/// Whether a `break` or `continue` says of which loop.
fn names_label(jump: Node<'_>) -> bool {
    let mut cursor = jump.walk();
    jump.children(&mut cursor).any(|child| match child.kind() {
        "label" | "statement_identifier" | "label_name" => true,
        // In Java; in Rust it is the value of the loop.
        "identifier" => jump.kind().ends_with("_statement"),
        _ => false,
    })
}

/// What each line holds.
struct LineKinds {
    kinds: Vec<LineKind>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Empty,
    Comment,
    Code,
}

impl LineKinds {
    fn new(text: &[u8]) -> Self {
        let ends = memchr::memchr_iter(b'\n', text).count();
        let count = ends + usize::from(text.last().is_some_and(|last| *last != b'\n'));
        Self { kinds: vec![LineKind::Empty; count] }
    }

    fn comment(&mut self, node: Node<'_>) {
        for row in node.start_position().row..=names::last_row(node) {
            if let Some(kind) = self.kinds.get_mut(row).filter(|kind| **kind == LineKind::Empty) {
                *kind = LineKind::Comment;
            }
        }
    }

    fn code(&mut self, node: Node<'_>) {
        for row in node.start_position().row..=names::last_row(node) {
            if let Some(kind) = self.kinds.get_mut(row) {
                *kind = LineKind::Code;
            }
        }
    }

    fn code_within(&self, first: usize, last: usize) -> u32 {
        let rows = self.kinds.get(first..=last.min(self.kinds.len().saturating_sub(1))).unwrap_or_default();
        u32::try_from(rows.iter().filter(|kind| **kind == LineKind::Code).count()).unwrap_or(u32::MAX)
    }

    fn count(&self) -> (u32, u32) {
        let of = |wanted: LineKind| {
            u32::try_from(self.kinds.iter().filter(|kind| **kind == wanted).count()).unwrap_or(u32::MAX)
        };
        (of(LineKind::Code), of(LineKind::Comment))
    }
}

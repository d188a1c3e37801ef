//! The cognitive complexity of Python, whose rules are those of complexipy: statements nest, and of expressions those
//! count that a statement consists of.

use std::cell::Cell;

use mcp_source::tree_sitter::Node;

/// How many cases of a `match` decide something: all, without one that takes whatever is left.
pub(super) fn cases(statement: Node<'_>, text: &[u8]) -> u32 {
    let Some(body) = statement.child_by_field_name("body") else { return 0 };
    let mut cursor = body.walk();
    let cases: Vec<Node<'_>> =
        body.named_children(&mut cursor).filter(|child| child.kind() == "case_clause").collect();
    let takes_rest = |case: &Node<'_>| {
        let mut cursor = case.walk();
        let patterns: Vec<Node<'_>> =
            case.named_children(&mut cursor).filter(|child| child.kind() == "case_pattern").collect();
        let [pattern] = patterns.as_slice() else { return false };
        let pattern = &text[pattern.byte_range()];
        !pattern.is_empty()
            && pattern.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            && !pattern[0].is_ascii_digit()
            && !matches!(pattern, b"None" | b"True" | b"False")
    };
    let rest = u32::from(cases.iter().any(takes_rest));
    u32::try_from(cases.len()).unwrap_or(u32::MAX).saturating_sub(rest)
}

/// Deeper nesting than this is not followed: nobody writes it, and each level takes of the thread's stack.
const DEEPEST: u32 = 300;

/// The cognitive complexity of a function, with that of the functions inside of it; whether all of it was followed.
pub(super) fn cognitive(function: Node<'_>, text: &[u8]) -> (u32, bool) {
    let reading = Reading { depth: Cell::new(0), is_whole: Cell::new(true) };
    let name = function.child_by_field_name("name").map(|name| &text[name.byte_range()]);
    let calls_itself =
        function.child_by_field_name("body").zip(name).is_some_and(|(body, name)| calls(body, name, text));
    let sum = reading.function(function, 0) + u32::from(calls_itself);
    (sum, reading.is_whole.get())
}

struct Reading {
    depth: Cell<u32>,
    is_whole: Cell<bool>,
}

impl Reading {
    /// Goes a step deeper, where that is not too deep.
    fn deeper(&self, follow: impl FnOnce() -> u32) -> u32 {
        let depth = self.depth.get();
        if depth == DEEPEST {
            self.is_whole.set(false);
            return 0;
        }
        self.depth.set(depth + 1);
        let sum = follow();
        self.depth.set(depth);
        sum
    }

    /// The statements of a function. One that only makes another and returns it counts as that one.
    fn function(&self, function: Node<'_>, level: u32) -> u32 {
        let Some(body) = function.child_by_field_name("body") else { return 0 };
        let statements = children(body);
        if let [inner, last] = statements.as_slice()
            && let Some(inner) = definition(*inner)
            && last.kind() == "return_statement"
        {
            return self.function(inner, level);
        }
        let weigh = |statement: &Node<'_>| match definition(*statement) {
            Some(inner) => self.function(inner, level + 1),
            None => self.statement(*statement, level),
        };
        statements.iter().map(weigh).sum()
    }

    fn block(&self, node: Node<'_>, level: u32) -> u32 {
        children(node).into_iter().map(|statement| self.statement(statement, level)).sum()
    }

    fn field(&self, node: Node<'_>, field: &str, level: u32) -> u32 {
        node.child_by_field_name(field).map_or(0, |child| self.expression(child, level))
    }

    fn body(&self, node: Node<'_>, level: u32) -> u32 {
        node.child_by_field_name("body").map_or(0, |body| self.block(body, level))
    }

    fn statement(&self, statement: Node<'_>, level: u32) -> u32 {
        self.deeper(|| self.statement_here(statement, level))
    }

    fn statement_here(&self, statement: Node<'_>, level: u32) -> u32 {
        match statement.kind() {
            "function_definition" => self.function(statement, level),
            "decorated_definition" => {
                statement.child_by_field_name("definition").map_or(0, |inner| self.statement(inner, level))
            }
            "class_definition" => {
                let body = statement.child_by_field_name("body").map(children).unwrap_or_default();
                body.into_iter().filter_map(definition).map(|method| self.function(method, level)).sum()
            }
            "if_statement" => self.conditional(statement, level),
            "for_statement" => {
                1 + level + self.field(statement, "right", level) + self.repeated(statement, level)
            }
            "while_statement" => {
                1 + level + self.field(statement, "condition", level) + self.repeated(statement, level)
            }
            "try_statement" => self.tried(statement, level),
            "match_statement" => {
                let cases = statement.child_by_field_name("body").map(children).unwrap_or_default();
                let inside: u32 = cases
                    .into_iter()
                    .filter_map(|case| case.child_by_field_name("consequence"))
                    .map(|body| self.block(body, level + 1))
                    .sum();
                1 + level + inside
            }
            "with_statement" => {
                let items: u32 = children(statement)
                    .into_iter()
                    .filter(|child| child.kind() == "with_clause")
                    .flat_map(children)
                    .filter_map(|item| item.child_by_field_name("value"))
                    .map(|value| self.context(value, level))
                    .sum();
                items + self.body(statement, level)
            }
            "expression_statement" => {
                children(statement).into_iter().map(|child| self.simple(child, level)).sum()
            }
            "return_statement" | "assert_statement" | "raise_statement" => {
                children(statement).into_iter().map(|child| self.expression(child, level)).sum()
            }
            _ => 0,
        }
    }

    /// The value of `with value as name`, which the grammar takes for a pattern.
    fn context(&self, value: Node<'_>, level: u32) -> u32 {
        match value.kind() {
            "as_pattern" => value.named_child(0).map_or(0, |inner| self.expression(inner, level)),
            _ => self.expression(value, level),
        }
    }

    /// An expression or an assignment as a statement.
    fn simple(&self, node: Node<'_>, level: u32) -> u32 {
        match node.kind() {
            "assignment" | "augmented_assignment" => match node.child_by_field_name("right") {
                // `a = b = value`.
                Some(right) if right.kind() == "assignment" => self.simple(right, level),
                Some(right) => self.expression(right, level),
                None => 0,
            },
            _ => self.expression(node, level),
        }
    }

    fn conditional(&self, statement: Node<'_>, level: u32) -> u32 {
        let mut sum = 1 + level + self.field(statement, "condition", level);
        sum += statement.child_by_field_name("consequence").map_or(0, |body| self.block(body, level + 1));
        for clause in children(statement) {
            match clause.kind() {
                "elif_clause" => {
                    sum += 1 + self.field(clause, "condition", level);
                    sum += clause
                        .child_by_field_name("consequence")
                        .map_or(0, |body| self.block(body, level + 1));
                }
                "else_clause" => sum += 1 + self.body(clause, level + 1),
                _ => {}
            }
        }
        sum
    }

    /// The body of a loop, and what follows where it was not left.
    fn repeated(&self, statement: Node<'_>, level: u32) -> u32 {
        let otherwise =
            statement.child_by_field_name("alternative").map_or(0, |clause| self.body(clause, level));
        self.body(statement, level + 1) + otherwise
    }

    fn tried(&self, statement: Node<'_>, level: u32) -> u32 {
        let mut sum = self.body(statement, level);
        for clause in children(statement) {
            let blocks = || children(clause).into_iter().filter(|child| child.kind() == "block");
            match clause.kind() {
                "except_clause" | "except_group_clause" => {
                    sum += 1 + level + blocks().map(|block| self.block(block, level + 1)).sum::<u32>();
                }
                "finally_clause" => sum += blocks().map(|block| self.block(block, level)).sum::<u32>(),
                "else_clause" => sum += self.body(clause, level),
                _ => {}
            }
        }
        sum
    }

    fn expression(&self, node: Node<'_>, level: u32) -> u32 {
        self.deeper(|| self.expression_here(node, level))
    }

    fn expression_here(&self, node: Node<'_>, level: u32) -> u32 {
        let inside = |level: u32| -> u32 {
            children(node).into_iter().map(|child| self.expression(child, level)).sum()
        };
        match node.kind() {
            "parenthesized_expression" => inside(level),
            "boolean_operator" => self.booleans(node, None),
            "not_operator" => {
                node.child_by_field_name("argument").map_or(0, |inner| self.booleans(inner, None))
            }
            "unary_operator" => {
                node.child_by_field_name("argument").map_or(0, |inner| self.booleans(inner, None))
            }
            "comparison_operator" => inside(level),
            "conditional_expression" => match children(node).as_slice() {
                [then, test, otherwise] => {
                    1 + level
                        + self.expression(*test, level)
                        + self.expression(*then, level + 1)
                        + self.expression(*otherwise, level + 1)
                }
                _ => 1 + level,
            },
            "lambda" => self.field(node, "body", level + 1),
            "list_comprehension"
            | "set_comprehension"
            | "generator_expression"
            | "dictionary_comprehension" => self.comprehension(node, level),
            "call" => match node.child_by_field_name("arguments") {
                // `f(x for x in y)`.
                Some(only) if only.kind() == "generator_expression" => self.comprehension(only, level),
                Some(arguments) => children(arguments)
                    .into_iter()
                    .filter(|argument| argument.kind() != "keyword_argument")
                    .map(|argument| self.expression(argument, level))
                    .sum(),
                None => 0,
            },
            "tuple" | "list" | "set" | "expression_list" => inside(level),
            "dictionary" => children(node)
                .into_iter()
                .map(|pair| match pair.kind() {
                    "pair" => self.field(pair, "value", level),
                    // `**other`.
                    _ => pair.named_child(0).map_or(0, |value| self.expression(value, level)),
                })
                .sum(),
            _ => 0,
        }
    }

    fn comprehension(&self, node: Node<'_>, level: u32) -> u32 {
        let mut sum = 0;
        for clause in children(node) {
            match clause.kind() {
                "for_in_clause" => sum += 1 + level + self.field(clause, "right", level),
                "if_clause" => {
                    sum += 1 + clause.named_child(0).map_or(0, |test| self.expression(test, level + 1));
                }
                "pair" => {
                    sum += self.field(clause, "key", level + 1) + self.field(clause, "value", level + 1);
                }
                _ => sum += self.expression(clause, level + 1),
            }
        }
        sum
    }

    /// One for each run of equal operators.
    fn booleans(&self, node: Node<'_>, around: Option<&str>) -> u32 {
        self.deeper(|| self.booleans_here(node, around))
    }

    fn booleans_here(&self, node: Node<'_>, around: Option<&str>) -> u32 {
        match node.kind() {
            "parenthesized_expression" => node.named_child(0).map_or(0, |inner| self.booleans(inner, around)),
            "not_operator" | "unary_operator" => {
                node.child_by_field_name("argument").map_or(0, |inner| self.booleans(inner, None))
            }
            "boolean_operator" => {
                let operator = node.child_by_field_name("operator").map(|operator| operator.kind());
                let sides = ["left", "right"].into_iter().filter_map(|side| node.child_by_field_name(side));
                u32::from(operator != around) + sides.map(|side| self.booleans(side, operator)).sum::<u32>()
            }
            _ => 0,
        }
    }
}

/// Whether a function with this name is called here by its name alone, outside of functions and classes inside.
fn calls(body: Node<'_>, name: &[u8], text: &[u8]) -> bool {
    let mut waiting = vec![body];
    while let Some(node) = waiting.pop() {
        if node.kind() == "call"
            && let Some(function) = node.child_by_field_name("function")
            && function.kind() == "identifier"
            && &text[function.byte_range()] == name
        {
            return true;
        }
        let is_other =
            |child: &Node<'_>| matches!(child.kind(), "function_definition" | "class_definition" | "lambda");
        waiting.extend(children(node).into_iter().filter(|child| !is_other(child)));
    }
    false
}

/// A function, decorated or not.
fn definition(statement: Node<'_>) -> Option<Node<'_>> {
    match statement.kind() {
        "function_definition" => Some(statement),
        "decorated_definition" => statement
            .child_by_field_name("definition")
            .filter(|definition| definition.kind() == "function_definition"),
        _ => None,
    }
}

/// The parts of a node but for comments.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

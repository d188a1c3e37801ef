//! What a name means inside a function: parameters and variables that hide what is outside.

use mcp_source::Language;
use mcp_source::tree_sitter::Node;

use super::occurrence::text_of;
use super::types;

/// A local name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// The type that the text names for it.
    pub of: Option<String>,
}

/// The fields of a node that binds names: pattern, type, value.
type Fields = (&'static str, &'static str, &'static str);

/// How a kind of node binds names for what follows it in its block.
fn statement(kind: &str) -> Option<Fields> {
    Some(match kind {
        "let_declaration" => ("pattern", "type", "value"),
        "let_condition" => ("pattern", "", ""),
        "variable_declarator" => ("name", "type", "value"),
        "short_var_declaration" => ("left", "", "right"),
        "var_spec" | "const_spec" => ("name", "type", "value"),
        "init_declarator" => ("declarator", "", "value"),
        "assignment" => ("left", "type", "right"),
        "named_expression" => ("name", "", "value"),
        _ => return None,
    })
}

/// How a kind of node binds names for what lies in it.
fn around(kind: &str) -> Option<Fields> {
    Some(match kind {
        "for_expression" => ("pattern", "", ""),
        "for_statement" | "for_in_statement" | "for_in_clause" | "range_clause" => ("left", "", ""),
        "for_range_loop" => ("declarator", "type", ""),
        "enhanced_for_statement" => ("name", "type", ""),
        "match_arm" => ("pattern", "", ""),
        "catch_clause" => ("parameter", "", ""),
        "except_clause" => ("alias", "", ""),
        _ => return None,
    })
}

/// Wrappers of statements that are looked into.
fn is_wrapper(kind: &str) -> bool {
    matches!(
        kind,
        "lexical_declaration"
            | "variable_declaration"
            | "local_variable_declaration"
            | "declaration"
            | "var_declaration"
            | "const_declaration"
            | "expression_statement"
            | "export_statement"
            | "var_spec_list"
            | "for_clause"
            | "let_chain"
    )
}

fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_item"
            | "closure_expression"
            | "function_definition"
            | "lambda"
            | "function_declaration"
            | "generator_function_declaration"
            | "function_expression"
            | "generator_function"
            | "arrow_function"
            | "method_definition"
            | "method_declaration"
            | "constructor_declaration"
            | "compact_constructor_declaration"
            | "func_literal"
            | "lambda_expression"
    )
}

/// What a name is bound to around a place, if to anything inside a function.
pub(super) fn local(place: &Node<'_>, name: &str, language: Language, text: &[u8]) -> Option<Local> {
    let search = Search { name, language, text, before: place.start_byte() };
    let mut inner = *place;
    while let Some(node) = inner.parent() {
        if let Some(found) = search.at(&node, &inner) {
            return Some(found);
        }
        inner = node;
    }
    None
}

/// What a name of a module of Python or a script is bound to by the statements of the module itself, if one type says
/// it of all of them.
pub(super) fn global(place: &Node<'_>, name: &str, language: Language, text: &[u8]) -> Option<Local> {
    let has_values =
        matches!(language, Language::Python | Language::TypeScript | Language::Tsx | Language::JavaScript);
    let mut module = *place;
    while let Some(node) = module.parent().filter(|_| has_values) {
        module = node;
    }
    let search = Search { name, language, text, before: place.start_byte() };
    let mut bound = children(&module).into_iter().filter_map(|statement| search.statement(&statement));
    let first = bound.next().filter(|local| local.of.is_some())?;
    bound.all(|other| other == first).then_some(first)
}

struct Search<'s> {
    name: &'s str,
    language: Language,
    text: &'s [u8],
    before: usize,
}

fn children<'t>(node: &Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

impl Search<'_> {
    fn at(&self, node: &Node<'_>, inner: &Node<'_>) -> Option<Local> {
        let kind = node.kind();
        if is_function(kind) {
            return self.parameters(node).or_else(|| self.python_locals(node));
        }
        if let Some(fields) = around(kind) {
            return self.bound(node, fields).or_else(|| self.loop_start(node));
        }
        match kind {
            "block" | "statement_block" | "compound_statement" | "constructor_body" | "statement_list"
            | "switch_case" => self.is_scope(node).then(|| self.block(node, inner)).flatten(),
            "if_expression" | "while_expression" => {
                let condition =
                    node.child_by_field_name("condition").filter(|condition| condition.id() != inner.id());
                condition.and_then(|condition| self.statement(&condition))
            }
            "if_statement" => {
                node.child_by_field_name("initializer").and_then(|first| self.statement(&first))
            }
            "try_with_resources_statement" => {
                let resources = node.child_by_field_name("resources")?;
                children(&resources)
                    .iter()
                    .find_map(|resource| self.bound(resource, ("name", "type", "value")))
            }
            "with_statement" => self.with(node),
            "list_comprehension"
            | "set_comprehension"
            | "dictionary_comprehension"
            | "generator_expression" => {
                let clauses = children(node).into_iter().filter(|child| child.kind() == "for_in_clause");
                clauses.into_iter().find_map(|clause| self.bound(&clause, ("left", "", "")))
            }
            _ => None,
        }
    }

    /// A block outside of functions binds what is global in Python; that of a namespace holds definitions.
    fn is_scope(&self, node: &Node<'_>) -> bool {
        if self.language != Language::Python {
            let is_namespace = |parent: Node<'_>| {
                matches!(parent.kind(), "internal_module" | "module" | "namespace_definition")
            };
            return !node.parent().is_some_and(is_namespace);
        }
        let mut at = node.parent();
        while let Some(parent) = at {
            if is_function(parent.kind()) || parent.kind() == "static_initializer" {
                return true;
            }
            at = parent.parent();
        }
        false
    }

    fn block(&self, node: &Node<'_>, inner: &Node<'_>) -> Option<Local> {
        // The last one before the place counts.
        let before = children(node).into_iter().filter(|child| child.start_byte() < self.before);
        before
            .rev()
            .find_map(|child| if child.id() == inner.id() { None } else { self.statement(&child) })
            .or_else(|| {
                // The statement of the place itself, unless the place is the value that is bound.
                let own = self.statement(inner)?;
                self.is_bound_name(inner).then_some(own)
            })
    }

    /// Whether the place is a name that its own statement binds.
    fn is_bound_name(&self, statement: &Node<'_>) -> bool {
        let mut found = false;
        self.patterns(statement, &mut |pattern| {
            found |= pattern.byte_range().contains(&self.before);
        });
        found
    }

    fn patterns(&self, node: &Node<'_>, tell: &mut dyn FnMut(Node<'_>)) {
        if let Some((pattern, _, _)) = statement(node.kind()) {
            if let Some(pattern) = node.child_by_field_name(pattern) {
                tell(pattern);
            }
        } else if is_wrapper(node.kind()) {
            if let Some(declarator) = node.child_by_field_name("declarator") {
                tell(declarator);
            }
            children(node).iter().for_each(|child| self.patterns(child, tell));
        }
    }

    fn statement(&self, node: &Node<'_>) -> Option<Local> {
        if let Some(fields) = statement(node.kind()) {
            return self.bound(node, fields);
        }
        if !is_wrapper(node.kind()) {
            return None;
        }
        let inner = children(node).iter().find_map(|child| self.statement(child));
        let typed = || {
            let mut cursor = node.walk();
            let declarators: Vec<Node<'_>> = node.children_by_field_name("declarator", &mut cursor).collect();
            let binds = declarators.iter().any(|declarator| self.binds(declarator));
            binds.then(|| self.typed(node, "type"))
        };
        // The type of C and Java stands before the names.
        match inner {
            Some(Local { of: None }) if node.child_by_field_name("type").is_some() => {
                Some(self.typed(node, "type"))
            }
            Some(local) => Some(local),
            None => typed(),
        }
    }

    fn typed(&self, node: &Node<'_>, field: &str) -> Local {
        let written = node.child_by_field_name(field).map(|of| text_of(&of, self.text));
        Local { of: written.filter(|of| !matches!(*of, "auto" | "var")).and_then(types::base) }
    }

    fn bound(&self, node: &Node<'_>, (pattern, of, value): Fields) -> Option<Local> {
        let mut cursor = node.walk();
        let patterns: Vec<Node<'_>> = node.children_by_field_name(pattern, &mut cursor).collect();
        if !patterns.iter().any(|pattern| self.binds(pattern)) {
            return None;
        }
        let written = node.child_by_field_name(of).map(|of| text_of(&of, self.text)).and_then(types::base);
        // The value of a pattern with several names is not that of one of them.
        let is_alone = patterns.iter().all(|pattern| {
            pattern.named_child_count() == 0
                || pattern.kind() == "expression_list" && pattern.named_child_count() == 1
        });
        let value = node.child_by_field_name(value).filter(|_| is_alone);
        let value = value.map(|value| {
            if value.kind() == "expression_list" { value.named_child(0).unwrap_or(value) } else { value }
        });
        let made = || value.and_then(|value| types::of_value(&value, self.language, self.text));
        Some(Local { of: written.or_else(made) })
    }

    /// `for i := …; …`, `for (int i = …; …)`.
    fn loop_start(&self, node: &Node<'_>) -> Option<Local> {
        let clause =
            children(node).into_iter().find(|child| matches!(child.kind(), "for_clause" | "range_clause"));
        if let Some(clause) = clause {
            let start = clause.child_by_field_name("initializer").and_then(|start| self.statement(&start));
            return start.or_else(|| self.bound(&clause, ("left", "", "")));
        }
        let start = node.child_by_field_name("initializer").or_else(|| node.child_by_field_name("init"))?;
        self.statement(&start)
    }

    fn with(&self, node: &Node<'_>) -> Option<Local> {
        let mut found = None;
        let mut waiting = children(node);
        while let Some(node) = waiting.pop() {
            match node.kind() {
                "as_pattern" => {
                    let alias = node.child_by_field_name("alias").filter(|alias| self.binds(alias));
                    if alias.is_some() {
                        let value = node.named_child(0);
                        let of = value.and_then(|value| types::of_value(&value, self.language, self.text));
                        found = Some(Local { of });
                    }
                }
                "with_clause" | "with_item" => waiting.extend(children(&node)),
                _ => {}
            }
        }
        found
    }

    /// Whether a pattern binds the name: one of its leaves is it, in a place where names are bound.
    fn binds(&self, pattern: &Node<'_>) -> bool {
        if pattern.child_count() == 0 {
            return text_of(pattern, self.text) == self.name
                && !matches!(pattern.kind(), "type_identifier" | "property_identifier");
        }
        match pattern.kind() {
            // `x.y = …` and `x[y] = …` bind nothing.
            "attribute"
            | "subscript"
            | "member_expression"
            | "subscript_expression"
            | "selector_expression"
            | "index_expression"
            | "field_expression"
            | "scoped_identifier"
            | "scoped_type_identifier" => return false,
            _ => {}
        }
        let skipped = ["type", "value", "default", "right", "key", "size", "condition"];
        let mut cursor = pattern.walk();
        let mut at = cursor.goto_first_child();
        while at {
            let is_skipped = cursor.field_name().is_some_and(|name| skipped.contains(&name));
            let node = cursor.node();
            // The name of a variant or a struct in a pattern is used, not bound.
            let is_head = cursor.field_name() == Some("type")
                || pattern.kind() == "tuple_struct_pattern" && cursor.field_name() == Some("type");
            if node.is_named() && !is_skipped && !is_head && self.binds(&node) {
                return true;
            }
            at = cursor.goto_next_sibling();
        }
        false
    }

    fn parameters(&self, node: &Node<'_>) -> Option<Local> {
        let mut lists: Vec<Node<'_>> = ["parameters", "parameter", "receiver"]
            .iter()
            .filter_map(|field| node.child_by_field_name(field))
            .collect();
        // Those of C are inside of the declarator.
        let mut declarator = node.child_by_field_name("declarator");
        while let Some(inner) = declarator {
            lists.extend(inner.child_by_field_name("parameters"));
            declarator = inner
                .child_by_field_name("declarator")
                .or_else(|| (inner.kind() == "reference_declarator").then(|| inner.named_child(0)).flatten());
        }
        for list in lists {
            if list.child_count() == 0 {
                if text_of(&list, self.text) == self.name {
                    return Some(Local { of: None });
                }
                continue;
            }
            let parameter = children(&list).into_iter().find(|parameter| self.binds(parameter));
            if let Some(parameter) = parameter {
                return Some(self.typed(&parameter, "type"));
            }
        }
        None
    }

    /// In Python a name that is bound anywhere in a function is local in all of it.
    fn python_locals(&self, node: &Node<'_>) -> Option<Local> {
        if self.language != Language::Python || node.kind() != "function_definition" {
            return None;
        }
        let mut waiting = children(&node.child_by_field_name("body")?);
        let mut found: Option<Local> = None;
        while let Some(node) = waiting.pop() {
            match node.kind() {
                "function_definition" | "class_definition" | "lambda" => continue,
                "global_statement" | "nonlocal_statement" => {
                    if children(&node).iter().any(|name| text_of(name, self.text) == self.name) {
                        return None;
                    }
                    continue;
                }
                kind => {
                    // The names of a comprehension are its own.
                    let fields = statement(kind).or_else(|| around(kind).filter(|_| kind != "for_in_clause"));
                    let bound = fields.and_then(|fields| self.bound(&node, fields));
                    let bound =
                        bound.or_else(|| if kind == "with_statement" { self.with(&node) } else { None });
                    if bound.is_some() {
                        // Two values of different types are of none.
                        found = match (found, bound) {
                            (Some(first), Some(second)) if first != second => Some(Local { of: None }),
                            (_, bound) => bound,
                        };
                    }
                }
            }
            waiting.extend(children(&node));
        }
        found
    }
}

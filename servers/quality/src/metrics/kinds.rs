//! What the kinds of nodes mean for the metrics of each language: the definition that the documents show as a table.

use std::sync::OnceLock;

use mcp_source::Language;

/// What a node opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Scope {
    #[default]
    None,
    Function,
    /// A function without a name of its own.
    Closure,
    /// A class, an implementation, a trait: its functions are measured, its own code belongs to none of them.
    Type,
}

/// How a node adds to the cyclomatic complexity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Decision {
    #[default]
    None,
    One,
    /// One, unless it is the arm that takes whatever is left.
    MatchArm,
    /// One, where it has an `alternative`.
    WithAlternative,
    /// One, where the operator stands between two values and not in a declaration.
    Applied,
    /// One, where it belongs to a loop or a `try`.
    ElseOfLoop,
    /// One, where it belongs to a comprehension.
    FilterOfComprehension,
    /// The cases of Python, without one that takes whatever is left.
    Cases,
}

/// How a node adds to the cognitive complexity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Weight {
    #[default]
    None,
    /// One, and one for each level around it; what is inside is a level deeper.
    Nests,
    /// The same, unless it goes on from an `else`.
    NestsUnlessElse,
    /// The same, where it has an `alternative`.
    NestsWithAlternative,
    /// One.
    One,
    /// One, unless it belongs to a `let`.
    Else,
    /// One, where it names a label.
    Jump,
    /// One for each run of equal operators.
    Booleans,
    /// Ends a run of operators.
    EndsRun,
    /// A function of its own: levels begin anew.
    Function,
    /// The same, where it is bound to a name.
    BoundFunction,
    /// A level for what is inside.
    Closure,
}

/// What a token is to Halstead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Token {
    #[default]
    Operator,
    Operand,
    /// The second half of a pair, a comment, a quote.
    Nothing,
}

/// The meaning of each kind of node of a grammar, by its number.
pub(super) struct Kinds {
    pub scope: Vec<Scope>,
    pub decision: Vec<Decision>,
    pub weight: Vec<Weight>,
    pub token: Vec<Token>,
    /// Operators of runs; equal numbers go on with a run.
    pub operator: Vec<u8>,
    pub is_comment: Vec<bool>,
    /// Nodes in which nothing is decided: `assert` and signatures in Python, constraints in C++.
    pub is_mute: Vec<bool>,
    /// Nodes that are part of a structure that nests, for the depth that is shown.
    pub nests: Vec<bool>,
}

/// Those of a language.
pub(super) fn of(language: Language) -> &'static Kinds {
    static ALL: [OnceLock<Kinds>; Language::ALL.len()] = [const { OnceLock::new() }; Language::ALL.len()];
    ALL[language.number()].get_or_init(|| build(language))
}

/// The kinds of a language by their names. Words are tokens as they are written, nodes are rules of the grammar.
struct Definition {
    functions: &'static [&'static str],
    closures: &'static [&'static str],
    types: &'static [&'static str],
    decision_words: &'static [&'static str],
    decision_nodes: &'static [&'static str],
    nesting: &'static [&'static str],
    ones: &'static [&'static str],
    jumps: &'static [&'static str],
    booleans: &'static [&'static str],
}

const RUST: Definition = Definition {
    functions: &["function_item"],
    closures: &["closure_expression"],
    types: &["impl_item", "trait_item"],
    decision_words: &["if", "for", "while", "loop", "&&", "||"],
    decision_nodes: &["try_expression"],
    nesting: &["for_expression", "while_expression", "loop_expression", "match_expression"],
    ones: &[],
    jumps: &["break_expression", "continue_expression"],
    booleans: &["binary_expression", "let_chain"],
};

const PYTHON: Definition = Definition {
    functions: &["function_definition"],
    closures: &[],
    types: &["class_definition"],
    decision_words: &[],
    decision_nodes: &[
        "if_statement",
        "elif_clause",
        "conditional_expression",
        "for_statement",
        "while_statement",
        "except_clause",
        "boolean_operator",
        "for_in_clause",
        "assert_statement",
    ],
    // Its cognitive complexity is not read from kinds.
    nesting: &[],
    ones: &[],
    jumps: &[],
    booleans: &[],
};

const SCRIPT: Definition = Definition {
    functions: &[
        "function_declaration",
        "generator_function_declaration",
        "method_definition",
        "function_expression",
        "generator_function",
        "class_static_block",
    ],
    closures: &["arrow_function"],
    types: &["class", "class_declaration", "abstract_class_declaration", "interface_declaration"],
    decision_words: &["case", "if", "for", "while", "catch", "&&", "||", "??", "&&=", "||=", "??=", "?."],
    decision_nodes: &["ternary_expression"],
    nesting: &[
        "for_statement",
        "for_in_statement",
        "while_statement",
        "do_statement",
        "switch_statement",
        "catch_clause",
        "ternary_expression",
    ],
    ones: &[],
    jumps: &["break_statement", "continue_statement"],
    booleans: &["binary_expression", "augmented_assignment_expression"],
};

const GO: Definition = Definition {
    functions: &["function_declaration", "method_declaration"],
    closures: &["func_literal"],
    types: &[],
    decision_words: &["&&", "||"],
    decision_nodes: &["expression_case", "type_case", "communication_case", "if_statement", "for_statement"],
    nesting: &["for_statement", "expression_switch_statement", "type_switch_statement", "select_statement"],
    ones: &["goto_statement"],
    jumps: &["break_statement", "continue_statement"],
    booleans: &["binary_expression"],
};

const C: Definition = Definition {
    functions: &["function_definition"],
    closures: &[],
    types: &[],
    decision_words: &["case", "if", "for", "while", "&&", "||"],
    decision_nodes: &["conditional_expression"],
    nesting: &[
        "for_statement",
        "while_statement",
        "do_statement",
        "switch_statement",
        "conditional_expression",
    ],
    ones: &["goto_statement"],
    jumps: &[],
    booleans: &["binary_expression"],
};

const CPP: Definition = Definition {
    types: &["namespace_definition"],
    decision_words: &["case", "if", "for", "while", "catch"],
    nesting: &[
        "for_statement",
        "for_range_loop",
        "while_statement",
        "do_statement",
        "switch_statement",
        "catch_clause",
        "conditional_expression",
    ],
    booleans: &["binary_expression", "fold_expression"],
    ..C
};

const JAVA: Definition = Definition {
    functions: &[
        "method_declaration",
        "constructor_declaration",
        "compact_constructor_declaration",
        "static_initializer",
    ],
    closures: &[],
    types: &[
        "class_declaration",
        "interface_declaration",
        "enum_declaration",
        "record_declaration",
        "annotation_type_declaration",
    ],
    decision_words: &["case", "if", "for", "while", "catch", "&&", "||"],
    decision_nodes: &["ternary_expression", "guard"],
    nesting: &[
        "for_statement",
        "enhanced_for_statement",
        "while_statement",
        "do_statement",
        "switch_block",
        "catch_clause",
        "ternary_expression",
    ],
    ones: &[],
    jumps: &["break_statement", "continue_statement"],
    booleans: &["binary_expression"],
};

fn definition(language: Language) -> &'static Definition {
    match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::TypeScript | Language::Tsx | Language::JavaScript => &SCRIPT,
        Language::Go => &GO,
        Language::C => &C,
        Language::Cpp => &CPP,
        Language::Java => &JAVA,
    }
}

fn build(language: Language) -> Kinds {
    let grammar = language.grammar();
    let count = grammar.node_kind_count();
    let mut kinds = Kinds {
        scope: vec![Scope::None; count],
        decision: vec![Decision::None; count],
        weight: vec![Weight::None; count],
        token: vec![Token::Operator; count],
        operator: vec![0; count],
        is_comment: vec![false; count],
        is_mute: vec![false; count],
        nests: vec![false; count],
    };
    let definition = definition(language);
    for id in 0..count {
        let number = u16::try_from(id).unwrap_or(u16::MAX);
        let Some(name) = grammar.node_kind_for_id(number) else { continue };
        let is_named = grammar.node_kind_is_named(number);
        kinds.is_comment[id] = is_named && matches!(name, "comment" | "line_comment" | "block_comment");
        kinds.token[id] = token(name, is_named);
        kinds.operator[id] = if is_named { 0 } else { operator(language, name) };
        kinds.scope[id] = scope(definition, name, is_named);
        kinds.decision[id] = decision(language, definition, name, is_named);
        kinds.weight[id] = weight(language, definition, name, is_named);
        kinds.is_mute[id] = is_named && is_mute(language, name);
        kinds.nests[id] = is_named && nests(language, definition, name);
    }
    kinds
}

fn scope(definition: &Definition, name: &str, is_named: bool) -> Scope {
    match is_named {
        true if definition.functions.contains(&name) => Scope::Function,
        true if definition.closures.contains(&name) => Scope::Closure,
        true if definition.types.contains(&name) => Scope::Type,
        _ => Scope::None,
    }
}

fn decision(language: Language, definition: &Definition, name: &str, is_named: bool) -> Decision {
    if !is_named {
        // The token of TypeScript; in JavaScript it is a node.
        let is_one = definition.decision_words.contains(&name);
        return match (language, name) {
            (Language::Cpp, "&&" | "||" | "and" | "or") => Decision::Applied,
            _ if is_one => Decision::One,
            _ => Decision::None,
        };
    }
    match (language, name) {
        (Language::Rust, "match_arm") => Decision::MatchArm,
        (Language::Rust, "let_declaration") => Decision::WithAlternative,
        (Language::Python, "else_clause") => Decision::ElseOfLoop,
        (Language::Python, "if_clause") => Decision::FilterOfComprehension,
        (Language::Python, "match_statement") => Decision::Cases,
        (Language::JavaScript, "optional_chain") => Decision::One,
        _ if definition.decision_nodes.contains(&name) => Decision::One,
        _ => Decision::None,
    }
}

fn weight(language: Language, definition: &Definition, name: &str, is_named: bool) -> Weight {
    if !is_named {
        return if name == "else" && language != Language::Python { Weight::Else } else { Weight::None };
    }
    match (language, name) {
        (Language::Python, _) => Weight::None,
        (Language::Rust, "let_declaration") => Weight::NestsWithAlternative,
        (Language::Rust, "if_expression") => Weight::NestsUnlessElse,
        (_, "if_statement") => Weight::NestsUnlessElse,
        (Language::TypeScript | Language::Tsx | Language::JavaScript, "expression_statement") => {
            Weight::EndsRun
        }
        (
            Language::TypeScript | Language::Tsx | Language::JavaScript,
            "function_expression" | "generator_function",
        ) => Weight::BoundFunction,
        (Language::Java | Language::Cpp, "lambda_expression") => Weight::Closure,
        _ if definition.functions.contains(&name) => Weight::Function,
        _ if definition.closures.contains(&name) => Weight::Closure,
        _ if definition.nesting.contains(&name) => Weight::Nests,
        _ if definition.ones.contains(&name) => Weight::One,
        _ if definition.jumps.contains(&name) => Weight::Jump,
        _ if definition.booleans.contains(&name) => Weight::Booleans,
        _ => Weight::None,
    }
}

fn is_mute(language: Language, name: &str) -> bool {
    match language {
        // Radon's rule: what an assertion or a signature says is not part of the function.
        Language::Python => matches!(name, "assert_statement" | "decorator" | "parameters"),
        Language::Cpp => matches!(name, "requires_clause" | "requires_expression"),
        _ => false,
    }
}

fn nests(language: Language, definition: &Definition, name: &str) -> bool {
    match language {
        Language::Python => matches!(
            name,
            "if_statement"
                | "for_statement"
                | "while_statement"
                | "try_statement"
                | "with_statement"
                | "match_statement"
        ),
        _ => {
            definition.nesting.contains(&name)
                && !name.ends_with("conditional_expression")
                && name != "ternary_expression"
                || matches!(name, "if_expression" | "if_statement")
        }
    }
}

/// The number of an operator that makes runs; the words of C++ are its signs.
fn operator(language: Language, name: &str) -> u8 {
    match (language, name) {
        (Language::Cpp, "and") | (_, "&&") => 1,
        (Language::Cpp, "or") | (_, "||") => 2,
        (Language::TypeScript | Language::Tsx | Language::JavaScript, other) => match other {
            "??" => 3,
            "&&=" => 4,
            "||=" => 5,
            "??=" => 6,
            _ => 0,
        },
        _ => 0,
    }
}

fn token(name: &str, is_named: bool) -> Token {
    match name {
        ")" | "]" | "}" | "\"" | "'" | "`" | "\"\"\"" | "string_start" | "string_end" | ";" => Token::Nothing,
        "comment" | "line_comment" | "block_comment" | "doc_comment" => Token::Nothing,
        _ if is_named => Token::Operand,
        _ => Token::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that no grammar has would silently count nothing.
    #[test]
    fn every_name_of_a_definition_is_one_of_its_grammar() {
        for language in Language::ALL {
            let grammar = language.grammar();
            let has = |name: &str, is_named: bool| grammar.id_for_node_kind(name, is_named) != 0;
            let definition = definition(language);
            let script = matches!(language, Language::JavaScript);
            let nodes = [
                definition.functions,
                definition.closures,
                definition.types,
                definition.decision_nodes,
                definition.nesting,
                definition.ones,
                definition.jumps,
                definition.booleans,
            ];
            for name in nodes.concat() {
                // Of TypeScript alone.
                let is_optional =
                    script && matches!(name, "abstract_class_declaration" | "interface_declaration");
                assert!(is_optional || has(name, true), "{} has no node {name}", language.name());
            }
            for word in definition.decision_words {
                let is_optional = script && *word == "?.";
                assert!(is_optional || has(word, false), "{} has no word {word}", language.name());
            }
        }
    }
}

//! Code by its syntax tree: patterns of ast-grep, in which `$NAME` stands for one node and `$$$NAME` for several.

use std::borrow::Cow;

use ast_grep_core::language::Language as PatternLanguage;
use ast_grep_core::matcher::{Pattern, PatternBuilder, PatternError};
use ast_grep_core::tree_sitter::{LanguageExt, StrDoc, TSLanguage};
use ast_grep_core::{AstGrep, Doc};
use mcp_source::{Language, parse};

/// The most bytes of a pattern.
pub const LONGEST_PATTERN: usize = 10_000;

/// A language, for the matcher.
#[derive(Clone, Copy, Debug)]
pub struct Syntax(pub Language);

impl PatternLanguage for Syntax {
    fn kind_to_id(&self, kind: &str) -> u16 {
        self.0.grammar().id_for_node_kind(kind, true)
    }

    fn field_to_id(&self, field: &str) -> Option<u16> {
        self.0.grammar().field_id_for_name(field).map(|id| id.get())
    }

    /// What stands for `$` while a pattern is parsed: a letter, where the grammar takes no `$` in names.
    fn expando_char(&self) -> char {
        match self.0 {
            Language::TypeScript | Language::Tsx | Language::JavaScript | Language::Java => '$',
            Language::Rust | Language::Python | Language::Go | Language::C | Language::Cpp => 'µ',
        }
    }

    fn pre_process_pattern<'q>(&self, query: &'q str) -> Cow<'q, str> {
        let expando = self.expando_char();
        if expando == '$' {
            return Cow::Borrowed(query);
        }
        Cow::Owned(replaced(query, expando))
    }

    fn build_pattern(&self, builder: &PatternBuilder<'_>) -> Result<Pattern, PatternError> {
        builder.build(|text| StrDoc::try_new(text, *self))
    }
}

impl LanguageExt for Syntax {
    fn get_ts_language(&self) -> TSLanguage {
        self.0.grammar()
    }
}

/// Puts another sign in place of the `$` that begins a variable of a pattern: up to three before a capital letter or `_`,
/// or exactly three alone.
fn replaced(query: &str, sign: char) -> String {
    let mut out = String::with_capacity(query.len() + 4);
    let mut dollars = 0;
    let letters = query.chars().map(Some).chain(std::iter::once(None));
    for letter in letters {
        if letter == Some('$') {
            dollars += 1;
            continue;
        }
        let is_variable =
            dollars == 3 || letter.is_some_and(|letter| letter.is_ascii_uppercase() || letter == '_');
        let shown = if is_variable { sign } else { '$' };
        out.extend(std::iter::repeat_n(shown, dollars));
        dollars = 0;
        out.extend(letter);
    }
    out
}

/// A place that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The first line, from 1.
    pub line: usize,
    /// The last line.
    pub end: usize,
    /// What is matched.
    pub text: String,
}

/// A pattern that was understood.
pub struct Query {
    pattern: Pattern,
    language: Language,
    /// How the pattern was understood: the kind of its outermost node, and whether part of it is an error.
    pub understood: Understood,
}

/// How a pattern was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// The kind of the outermost node.
    pub kind: String,
    /// Whether a part of it breaks the grammar, so that it may match nothing.
    pub has_error: bool,
}

impl Query {
    /// A pattern of a language. With `selector` only the node of that kind in it counts, and the rest is its context.
    ///
    /// # Errors
    /// One sentence: what is wrong with it.
    pub fn new(pattern: &str, selector: Option<&str>, language: Language) -> Result<Self, String> {
        if pattern.trim().is_empty() {
            return Err(
                "pattern is empty: give code of the language, with $NAME for what may differ".to_owned()
            );
        }
        if pattern.len() > LONGEST_PATTERN {
            return Err(format!("pattern has {} bytes, {LONGEST_PATTERN} are taken at most", pattern.len()));
        }
        let syntax = Syntax(language);
        let expression = if selector.is_none() { expression(pattern, syntax) } else { None };
        let made = match (selector, &expression) {
            (Some(selector), _) => Pattern::contextual(pattern, selector, syntax),
            (None, Some((context, kind))) => Pattern::contextual(context, kind, syntax),
            (None, None) => Pattern::try_new(pattern, syntax),
        };
        let made = made.map_err(|error| refused(&error, language))?;
        let selector = selector.or_else(|| expression.as_ref().map(|(_, kind)| kind.as_str()));
        let understood = understood(pattern, selector, syntax, &made);
        Ok(Self { pattern: made, language, understood })
    }

    /// A word that every match holds, if there is one: files without it need not be parsed.
    #[must_use]
    pub fn word(&self) -> Option<String> {
        let word = self.pattern.fixed_string();
        (!word.is_empty()).then(|| word.into_owned())
    }

    /// The matches in a text.
    ///
    /// # Errors
    /// Parsing took too long.
    pub fn matches(&self, text: &str) -> Result<Vec<Match>, parse::Refused> {
        let tree = parse::parse(self.language, text.as_bytes(), parse::USUAL_TIME)?;
        let document = StrDoc { src: text.to_owned(), lang: Syntax(self.language), tree };
        let root = AstGrep::doc(document);
        let top = root.root();
        let found = top.find_all(&self.pattern).map(|node| Match {
            line: node.start_pos().line() + 1,
            end: node.end_pos().line() + 1,
            text: node.text().into_owned(),
        });
        Ok(found.collect())
    }
}

/// An expression of C or C++ in a place for one, with its kind: by itself `call($A)` reads as a type that a macro makes.
fn expression(pattern: &str, syntax: Syntax) -> Option<(String, String)> {
    let is_statement = pattern.trim_end().ends_with([';', '}']);
    if is_statement || !matches!(syntax.0, Language::C | Language::Cpp) {
        return None;
    }
    let context = format!("int f() {{ return {pattern}; }}");
    let document = StrDoc::try_new(&syntax.pre_process_pattern(&context), syntax).ok()?;
    let root = document.root_node();
    let body = root.named_child(0)?.child_by_field_name("body")?;
    let expression = body.named_child(0).filter(|only| only.kind() == "return_statement")?.named_child(0)?;
    let is_one = !root.has_error() && body.named_child_count() == 1 && expression.named_child_count() > 0;
    is_one.then(|| (context, expression.kind().to_owned()))
}

fn understood(pattern: &str, selector: Option<&str>, syntax: Syntax, made: &Pattern) -> Understood {
    let kind = selector.map(str::to_owned).or_else(|| {
        let text = syntax.pre_process_pattern(pattern);
        let document = StrDoc::try_new(&text, syntax).ok()?;
        let mut node = document.root_node();
        let is_around = |kind: &str| {
            matches!(kind, "source_file" | "module" | "program" | "translation_unit" | "expression_statement")
        };
        while is_around(node.kind()) && node.named_child_count() == 1 {
            node = node.named_child(0)?;
        }
        Some(node.kind().to_owned())
    });
    Understood { kind: kind.unwrap_or_default(), has_error: made.has_error() }
}

fn refused(error: &PatternError, language: Language) -> String {
    let name = language.name();
    match error {
        PatternError::MultipleNode(_) => format!(
            "the pattern is several pieces of {name}, one is taken: give one statement or expression, or put it into its context and name the kind of node as selector"
        ),
        PatternError::NoContent(_) => "the pattern has no code in it: give code of the language".to_owned(),
        PatternError::NoSelectorInContext { selector, .. } => {
            format!(
                "the pattern has no node of kind {selector}: name a kind that the grammar of {name} has in it"
            )
        }
        other => format!(
            "the pattern is not {name} ({other}): give code that stands alone, with $NAME for what may differ"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(language: Language, pattern: &str, text: &str) -> Vec<usize> {
        let query = Query::new(pattern, None, language).unwrap();
        query.matches(text).unwrap().iter().map(|found| found.line).collect()
    }

    #[test]
    fn patterns_match_in_every_language() {
        for (language, pattern, text, found) in [
            (
                Language::Rust,
                "$X.unwrap()",
                "fn f() {\n a.unwrap();\n b(c.unwrap());\n d.expect(\"\");\n}",
                vec![2, 3],
            ),
            (Language::Rust, "fn $F($$$A) -> $R { $$$B }", "fn a() {}\nfn b(x: u8) -> u8 { x }\n", vec![2]),
            (Language::Python, "print($$$A)", "print(1)\nprint(1, 2)\npprint(1)\n", vec![1, 2]),
            (Language::TypeScript, "console.log($A)", "console.log(1);\nconsole.error(2);\n", vec![1]),
            (Language::Tsx, "useState($A)", "const x = useState(1);\n", vec![1]),
            (Language::JavaScript, "if ($A) $B", "if (a) b();\n", vec![1]),
            (
                Language::Go,
                "if err != nil { $$$B }",
                "package a\nfunc f() {\n if err != nil {\n  return\n }\n}\n",
                vec![3],
            ),
            (Language::C, "return $A;", "int f() {\n return 1;\n}\n", vec![2]),
            (Language::C, "run($$$A)", "int f() {\n run(1);\n return 2 + run(3, 4);\n}\n", vec![2, 3]),
            (Language::C, "$A + run($B)", "int f() {\n run(1);\n return 2 + run(3);\n}\n", vec![3]),
            (Language::Cpp, "$A->go()", "int f(P *p) {\n p->go();\n return q->go();\n}\n", vec![2, 3]),
            (Language::Cpp, "delete $A;", "void f() {\n delete p;\n}\n", vec![2]),
            (
                Language::Java,
                "$A.equals($B)",
                "class A { boolean f() {\n return a.equals(b);\n} }\n",
                vec![2],
            ),
        ] {
            assert_eq!(lines(language, pattern, text), found, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        let said =
            |pattern: &str, selector| Query::new(pattern, selector, Language::Rust).err().unwrap_or_default();
        assert!(said(" ", None).contains("is empty"));
        assert!(said("a; b;", None).contains("several pieces"), "{}", said("a; b;", None));
        assert!(
            said("fn f() {}", Some("call_expression")).contains("no node of kind"),
            "{}",
            said("fn f() {}", Some("call_expression"))
        );
        assert!(Query::new("fn f( {", None, Language::Rust).is_ok_and(|query| query.understood.has_error));
        assert_eq!(
            Query::new("$X.unwrap()", None, Language::Rust).unwrap().understood.kind,
            "call_expression"
        );
    }

    #[test]
    fn a_variable_is_told_from_other_dollars() {
        assert_eq!(replaced("$A $$$B $$$ $a $", 'µ'), "µA µµµB µµµ $a $");
    }
}

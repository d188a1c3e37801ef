//! Parsing within a time.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::language::Language;

/// The time that a file of usual size never needs: grammars parse some megabytes a second.
pub const USUAL_TIME: Duration = Duration::from_secs(2);

/// A file that was not parsed within its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parsing took longer than {0:?}")]
pub struct TooLong(pub Duration);

thread_local! {
    /// One parser for each language, made when it is first needed.
    static PARSERS: RefCell<[Option<Parser>; Language::ALL.len()]> = RefCell::new(Default::default());
}

/// The syntax tree of a text. Where the text breaks the grammar, the tree has error nodes
/// (`tree.root_node().has_error()`) and is right around them. The text need not be UTF-8.
///
/// # Errors
/// If it takes longer than `most`.
pub fn parse(language: Language, text: &[u8], most: Duration) -> Result<Tree, TooLong> {
    PARSERS.with_borrow_mut(|parsers| {
        let parser = parsers[language.number()].get_or_insert_with(|| {
            let mut parser = Parser::new();
            // A grammar of another version would leave the parser without a language, and every parse without a tree;
            // a test loads each.
            drop(parser.set_language(&language.grammar()));
            parser
        });
        let end = Instant::now() + most;
        let mut look = |_: &ParseState| {
            if Instant::now() > end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let tree = parser.parse_with_options(
            &mut |at, _| text.get(at..).unwrap_or_default(),
            None,
            Some(ParseOptions::new().progress_callback(&mut look)),
        );
        if tree.is_none() {
            parser.reset();
        }
        tree.ok_or(TooLong(most))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parse_that_takes_too_long_is_stopped_and_the_next_one_is_whole() {
        let long = "fn f() { ".repeat(200_000);
        assert_eq!(
            parse(Language::Rust, long.as_bytes(), Duration::ZERO).unwrap_err(),
            TooLong(Duration::ZERO)
        );
        let tree = parse(Language::Rust, b"fn f() {}", USUAL_TIME).unwrap();
        assert!(!tree.root_node().has_error());
    }

    #[test]
    fn a_text_that_is_not_utf8_has_a_tree() {
        let tree = parse(Language::C, b"int a; /* \xff\xfe */ int b;", USUAL_TIME).unwrap();
        assert_eq!(tree.root_node().named_child_count(), 3);
    }
}

//! Parsing within a time and a depth.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::language::Language;
use crate::skip::Reason;

/// The time that a file of usual size never needs: grammars parse some megabytes a second.
pub const USUAL_TIME: Duration = Duration::from_secs(2);

/// The deepest tree that is taken. People nest some tens of nodes; a deeper text is made by a program or meant to do
/// harm: whoever walks a tree by calling itself, or asks each node for its parent, needs a stack or a time that grows
/// with it.
pub const DEEPEST: usize = 1_000;

/// Why a text has no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was not parsed within its time.
    #[error("parsing took longer than {0:?}")]
    TooLong(Duration),
    /// Its tree is deeper than [`DEEPEST`].
    #[error("its parts are nested more than {DEEPEST} deep")]
    TooDeep,
}

impl Refused {
    /// The reason that answers give.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::TooLong(_) => Reason::ParseTime,
            Self::TooDeep => Reason::TooDeep,
        }
    }
}

/// The processor time of this thread: a machine that is busy, stopped or asleep makes no text longer.
fn time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

thread_local! {
    /// One parser for each language, made when it is first needed.
    static PARSERS: RefCell<[Option<Parser>; Language::ALL.len()]> = RefCell::new(Default::default());
}

/// The syntax tree of a text. Where the text breaks the grammar, the tree has error nodes
/// (`tree.root_node().has_error()`) and is right around them. The text need not be UTF-8.
///
/// # Errors
/// If it takes more than `most` of this thread's processor time, or the tree is deeper than [`DEEPEST`].
pub fn parse(language: Language, text: &[u8], most: Duration) -> Result<Tree, Refused> {
    PARSERS.with_borrow_mut(|parsers| {
        let parser = parsers[language.number()].get_or_insert_with(|| {
            let mut parser = Parser::new();
            // A grammar of another version would leave the parser without a language, and every parse without a tree;
            // a test loads each.
            drop(parser.set_language(&language.grammar()));
            parser
        });
        let end = time() + most;
        let mut look = |_: &ParseState| {
            if time() > end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let tree = parser.parse_with_options(
            &mut |at, _| text.get(at..).unwrap_or_default(),
            None,
            Some(ParseOptions::new().progress_callback(&mut look)),
        );
        if tree.is_none() {
            parser.reset();
        }
        let tree = tree.ok_or(Refused::TooLong(most))?;
        if is_deep(&tree) { Err(Refused::TooDeep) } else { Ok(tree) }
    })
}

/// Whether any node lies deeper than [`DEEPEST`].
fn is_deep(tree: &Tree) -> bool {
    let mut cursor = tree.walk();
    let mut depth = 0_usize;
    loop {
        if cursor.goto_first_child() {
            depth += 1;
            if depth > DEEPEST {
                return true;
            }
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return false;
            }
            depth -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parse_that_takes_too_long_is_stopped_and_the_next_one_is_whole() {
        let long = "fn f() { ".repeat(200_000);
        assert_eq!(
            parse(Language::Rust, long.as_bytes(), Duration::ZERO).unwrap_err(),
            Refused::TooLong(Duration::ZERO)
        );
        let tree = parse(Language::Rust, b"fn f() {}", USUAL_TIME).unwrap();
        assert!(!tree.root_node().has_error());
    }

    #[test]
    fn a_text_that_is_nested_too_deep_has_no_tree() {
        for (language, start, before, after) in [
            (Language::Rust, "", "fn f(){", "}"),
            (Language::JavaScript, "", "function f(){", "}"),
            (Language::Python, "x = ", "(", ")"),
            (Language::C, "int a = ", "(", ")"),
        ] {
            let text = |times: usize| format!("{start}{}b{}", before.repeat(times), after.repeat(times));
            let parsed = |times| parse(language, text(times).as_bytes(), USUAL_TIME * 10);
            assert!(parsed(50).is_ok(), "{language:?}");
            assert_eq!(parsed(DEEPEST + 1).err(), Some(Refused::TooDeep), "{language:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_utf8_has_a_tree() {
        let tree = parse(Language::C, b"int a; /* \xff\xfe */ int b;", USUAL_TIME).unwrap();
        assert_eq!(tree.root_node().named_child_count(), 3);
    }
}

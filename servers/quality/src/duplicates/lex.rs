//! Tokens of source text without a parser: enough to compare, and some ten times as fast as a syntax tree.

use std::hash::BuildHasher;

use mcp_source::Language;
use rustc_hash::FxBuildHasher;

/// What a token is, when names and values do not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Word,
    Name,
    Number,
    Text,
    Sign,
}

/// A token: bytes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub class: Class,
    pub start: usize,
    pub end: usize,
}

/// The words that keep their meaning whatever names are; of all languages together, so that a name that is a word
/// elsewhere is compared as it is written.
const WORDS: [&str; 92] = [
    "abstract",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "bool",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "def",
    "default",
    "defer",
    "del",
    "do",
    "double",
    "elif",
    "else",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "final",
    "finally",
    "float",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "global",
    "go",
    "goto",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "instanceof",
    "int",
    "interface",
    "is",
    "lambda",
    "let",
    "long",
    "loop",
    "match",
    "mod",
    "mut",
    "namespace",
    "new",
    "nil",
    "None",
    "nonlocal",
    "not",
    "null",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "pub",
    "public",
    "raise",
    "range",
    "return",
    "select",
    "self",
    "static",
    "struct",
    "super",
    "switch",
    "template",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "use",
    "while",
    "yield",
];

/// Signs that are read together where they stand together.
const JOINED: &[u8] = b"=!<>&|+-*/%^:.?~@";

/// Calls `take` for each token of a text; comments and white space are none.
pub(super) fn lex(language: Language, text: &[u8], mut take: impl FnMut(Lexeme)) {
    let mut lexer = Lexer { language, text, at: 0 };
    while let Some(lexeme) = lexer.next() {
        take(lexeme);
    }
}

/// Whether a name is a word of a language.
pub(super) fn is_word(name: &[u8]) -> bool {
    static SET: std::sync::LazyLock<rustc_hash::FxHashSet<&'static [u8]>> =
        std::sync::LazyLock::new(|| WORDS.iter().map(|word| word.as_bytes()).collect());
    SET.contains(name)
}

/// The hash of a token as it is written.
pub(super) fn exact(text: &[u8]) -> u32 {
    // The upper half is the well mixed one.
    (FxBuildHasher.hash_one(text) >> 32) as u32
}

struct Lexer<'a> {
    language: Language,
    text: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn next(&mut self) -> Option<Lexeme> {
        loop {
            let byte = *self.text.get(self.at)?;
            if byte.is_ascii_whitespace() {
                self.at += 1;
            } else if self.begins_comment(byte) {
                self.comment();
            } else {
                break;
            }
        }
        let start = self.at;
        let class = self.token();
        Some(Lexeme { class, start, end: self.at })
    }

    fn begins_comment(&self, byte: u8) -> bool {
        match self.language {
            Language::Python => byte == b'#',
            _ => byte == b'/' && matches!(self.peek(1), b'/' | b'*'),
        }
    }

    fn comment(&mut self) {
        if self.text[self.at] == b'#' || self.peek(1) == b'/' {
            let rest = &self.text[self.at..];
            self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            return;
        }
        let mut depth = 0_u32;
        while self.at < self.text.len() {
            match (self.text[self.at], self.peek(1)) {
                (b'/', b'*') => {
                    // Only Rust's nest.
                    depth = if self.language == Language::Rust { depth + 1 } else { 1 };
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    fn token(&mut self) -> Class {
        let byte = self.text[self.at];
        if let Some(prefix) = self.text_prefix() {
            self.at += prefix;
            self.quoted();
            return Class::Text;
        }
        if is_name_start(byte) {
            let start = self.at;
            self.skip(|byte| is_name_start(byte) || byte.is_ascii_digit());
            return if is_word(&self.text[start..self.at]) { Class::Word } else { Class::Name };
        }
        if byte.is_ascii_digit() {
            // A point belongs to it where a digit follows, so that ranges and methods do not.
            while self.peek(0).is_ascii_alphanumeric()
                || self.peek(0) == b'_'
                || (self.peek(0) == b'.' && self.peek(1).is_ascii_digit())
            {
                self.at += 1;
            }
            return Class::Number;
        }
        if byte == b'\'' && self.language == Language::Rust && self.is_lifetime() {
            self.at += 1;
            self.skip(|byte| is_name_start(byte) || byte.is_ascii_digit());
            return Class::Name;
        }
        if JOINED.contains(&byte) {
            while JOINED.contains(&self.peek(0)) && !self.begins_comment(self.peek(0)) {
                self.at += 1;
            }
            return Class::Sign;
        }
        self.at += 1;
        Class::Sign
    }

    fn skip(&mut self, is_part: impl Fn(u8) -> bool) {
        while self.at < self.text.len() && is_part(self.text[self.at]) {
            self.at += 1;
        }
    }

    fn is_lifetime(&self) -> bool {
        is_name_start(self.peek(1)) && self.peek(2) != b'\''
    }

    /// Letters before a text that belong to it; `None` where no text begins.
    fn text_prefix(&self) -> Option<usize> {
        let quote = |byte: u8| match self.language {
            Language::JavaScript | Language::TypeScript | Language::Tsx | Language::Go => {
                matches!(byte, b'"' | b'\'' | b'`')
            }
            Language::Rust => byte == b'"' || (byte == b'\'' && !self.is_lifetime()),
            _ => matches!(byte, b'"' | b'\''),
        };
        if quote(self.peek(0)) {
            return Some(0);
        }
        let letters: &[u8] = match self.language {
            Language::Python => b"rRbBuUfFtT",
            Language::Rust => b"bcr",
            Language::C | Language::Cpp => b"uULR8",
            _ => return None,
        };
        let mut length = 0;
        while length < 3 && letters.contains(&self.peek(length)) {
            length += 1;
        }
        let hashes = (0..).take_while(|more| self.peek(length + more) == b'#').count();
        let is_raw = self.language == Language::Rust && hashes > 0 && self.peek(length + hashes) == b'"';
        match self.peek(length) {
            b'"' if length > 0 => Some(length),
            b'\'' if length > 0 && self.language != Language::Rust => Some(length),
            b'\'' if length == 1 && self.peek(0) == b'b' => Some(length),
            _ if length > 0 && is_raw => Some(length),
            _ => None,
        }
    }

    /// From the opening quote, or the signs before it, to the end.
    fn quoted(&mut self) {
        let is_raw = self.at > 0 && matches!(self.text[self.at - 1], b'r' | b'R');
        if self.language == Language::Rust && (is_raw || self.peek(0) == b'#') {
            let hashes = (0..).take_while(|more| self.peek(*more) == b'#').count();
            let mut end = vec![b'"'];
            end.extend(std::iter::repeat_n(b'#', hashes));
            self.at += hashes + 1;
            self.skip_to(&end);
            return;
        }
        let quote = self.text[self.at];
        let triple = [quote; 3];
        if self.language == Language::Python && self.text[self.at..].starts_with(&triple) {
            self.at += 3;
            self.skip_to(&triple);
            return;
        }
        let spans_lines = quote == b'`' || (quote == b'"' && self.language == Language::Rust);
        let escapes = !(quote == b'`' && self.language == Language::Go);
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\\' if escapes => self.at = (self.at + 2).min(self.text.len()),
                b'\n' if !spans_lines => return,
                byte if *byte == quote => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
        self.at = self.text.len();
    }

    fn skip_to(&mut self, end: &[u8]) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at =
            memchr::memmem::find(rest, end).map_or(self.text.len(), |found| self.at + found + end.len());
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(language: Language, text: &str) -> Vec<(Class, &str)> {
        let mut found = Vec::new();
        lex(language, text.as_bytes(), |lexeme| found.push((lexeme.class, &text[lexeme.start..lexeme.end])));
        found
    }

    #[test]
    fn tokens_of_each_kind() {
        use Class::{Name, Number, Sign, Text, Word};
        assert_eq!(
            of(
                Language::Rust,
                "fn f<'a>(x: &'a u8) { r#\"a\"b\"# + b'\\n' /* /* */ */ + 1.5e3 .. 'c' } // x"
            ),
            [
                (Word, "fn"),
                (Name, "f"),
                (Sign, "<"),
                (Name, "'a"),
                (Sign, ">"),
                (Sign, "("),
                (Name, "x"),
                (Sign, ":"),
                (Sign, "&"),
                (Name, "'a"),
                (Name, "u8"),
                (Sign, ")"),
                (Sign, "{"),
                (Text, "r#\"a\"b\"#"),
                (Sign, "+"),
                (Text, "b'\\n'"),
                (Sign, "+"),
                (Number, "1.5e3"),
                (Sign, ".."),
                (Text, "'c'"),
                (Sign, "}"),
            ]
        );
        assert_eq!(
            of(Language::Python, "x = f'a' \"\"\"b\n'c'\"\"\" # d\nif y: pass"),
            [
                (Name, "x"),
                (Sign, "="),
                (Text, "f'a'"),
                (Text, "\"\"\"b\n'c'\"\"\""),
                (Word, "if"),
                (Name, "y"),
                (Sign, ":"),
                (Word, "pass"),
            ]
        );
        assert_eq!(
            of(Language::JavaScript, "a?.b(`x\n${y}`, 'it\\'s') // c\n/* d */ => 0x1F"),
            [
                (Name, "a"),
                (Sign, "?."),
                (Name, "b"),
                (Sign, "("),
                (Text, "`x\n${y}`"),
                (Sign, ","),
                (Text, "'it\\'s'"),
                (Sign, ")"),
                (Sign, "=>"),
                (Number, "0x1F"),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a-z0-9\"'`/*#\\\\\n {}é]{0,200}", language in 0..Language::ALL.len()) {
            let language = Language::ALL[language];
            let mut last = 0;
            lex(language, text.as_bytes(), |lexeme| {
                assert!(lexeme.start >= last && lexeme.end > lexeme.start, "{lexeme:?}");
                last = lexeme.end;
            });
            prop_assert!(last <= text.len());
        }
    }
}

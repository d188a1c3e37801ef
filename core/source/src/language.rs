//! The languages that are understood: by file name, with their grammars.

use std::path::Path;

use memchr::memmem;
use serde::Serialize;
use tree_sitter_language::LanguageFn;

/// A language with a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    Rust,
    Python,
    TypeScript,
    /// TypeScript with JSX, which has a grammar of its own.
    Tsx,
    JavaScript,
    Go,
    C,
    Cpp,
    Java,
}

impl Language {
    /// All of them; the place of each is its number.
    pub const ALL: [Self; 9] = [
        Self::Rust,
        Self::Python,
        Self::TypeScript,
        Self::Tsx,
        Self::JavaScript,
        Self::Go,
        Self::C,
        Self::Cpp,
        Self::Java,
    ];

    /// The language of a file by its name; `None` where no grammar fits. A header is C until its text says otherwise
    /// ([`Language::of_file`]).
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()? {
            "rs" => Self::Rust,
            "py" | "pyi" | "pyw" => Self::Python,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "js" | "mjs" | "cjs" | "jsx" => Self::JavaScript,
            "go" => Self::Go,
            "c" | "h" => Self::C,
            "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "h++" | "inl" | "ipp" | "tpp" | "C"
            | "H" => Self::Cpp,
            "java" => Self::Java,
            _ => return None,
        })
    }

    /// As [`Language::of_path`]; a `.h` file with classes, namespaces or templates in it is C++.
    #[must_use]
    pub fn of_file(path: &Path, text: &[u8]) -> Option<Self> {
        let language = Self::of_path(path)?;
        let is_header = path.extension().is_some_and(|extension| extension == "h");
        Some(if is_header && looks_like_cpp(text) { Self::Cpp } else { language })
    }

    /// The language of a name that a user writes, in any case: its own name or a usual extension.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let named = Self::ALL.into_iter().find(|language| language.name() == name);
        named.or_else(|| match name.as_str() {
            "c++" => Some(Self::Cpp),
            "golang" => Some(Self::Go),
            other => Self::of_path(Path::new(&format!("x.{other}"))),
        })
    }

    /// Its name in answers, in small letters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::Tsx => "tsx",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Java => "java",
        }
    }

    /// Its place in [`Language::ALL`].
    #[must_use]
    pub fn number(self) -> usize {
        self as usize
    }

    /// What stands between the parts of a qualified name.
    #[must_use]
    pub fn separator(self) -> &'static str {
        match self {
            Self::Rust | Self::C | Self::Cpp => "::",
            Self::Python | Self::TypeScript | Self::Tsx | Self::JavaScript | Self::Go | Self::Java => ".",
        }
    }

    /// Its grammar.
    #[must_use]
    pub fn grammar(self) -> tree_sitter::Language {
        let grammar: LanguageFn = match self {
            Self::Rust => tree_sitter_rust::LANGUAGE,
            Self::Python => tree_sitter_python::LANGUAGE,
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
            Self::JavaScript => tree_sitter_javascript::LANGUAGE,
            Self::Go => tree_sitter_go::LANGUAGE,
            Self::C => tree_sitter_c::LANGUAGE,
            Self::Cpp => tree_sitter_cpp::LANGUAGE,
            Self::Java => tree_sitter_java::LANGUAGE,
        };
        grammar.into()
    }
}

/// Words at the start of a line that C does not have.
const CPP_LINES: [&[u8]; 6] = [b"namespace ", b"class ", b"template <", b"template<", b"using ", b"public:"];

fn looks_like_cpp(text: &[u8]) -> bool {
    CPP_LINES.iter().any(|word| {
        memmem::find_iter(text, word).any(|at| {
            let before = &text[..at];
            let line = memchr::memrchr(b'\n', before).map_or(before, |end| &before[end + 1..]);
            line.iter().all(|byte| matches!(byte, b' ' | b'\t'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_names() {
        for (name, language) in [
            ("src/a.rs", Some(Language::Rust)),
            ("a.pyi", Some(Language::Python)),
            ("a.d.ts", Some(Language::TypeScript)),
            ("a.tsx", Some(Language::Tsx)),
            ("a.jsx", Some(Language::JavaScript)),
            ("a.h", Some(Language::C)),
            ("a.hpp", Some(Language::Cpp)),
            ("rs", None),
            ("a.txt", None),
        ] {
            assert_eq!(Language::of_path(Path::new(name)), language, "{name}");
        }
        assert_eq!(Language::of_name("C++"), Some(Language::Cpp));
        assert_eq!(Language::of_name("Rust"), Some(Language::Rust));
        assert_eq!(Language::of_name("kt"), None);
    }

    #[test]
    fn a_header_is_cpp_where_its_text_is() {
        let of = |text: &str| Language::of_file(Path::new("a.h"), text.as_bytes());
        assert_eq!(of("int f(void);\n/* a class of its own */\n"), Some(Language::C));
        assert_eq!(of("#pragma once\n  class A {};\n"), Some(Language::Cpp));
        assert_eq!(Language::of_file(Path::new("a.c"), b"class A {};\n"), Some(Language::C));
    }

    #[test]
    fn numbers_are_places_and_every_grammar_loads() {
        for (place, language) in Language::ALL.into_iter().enumerate() {
            assert_eq!(language.number(), place);
            assert_eq!(Language::of_name(language.name()), Some(language));
            assert!(tree_sitter::Parser::new().set_language(&language.grammar()).is_ok(), "{language:?}");
        }
    }
}
